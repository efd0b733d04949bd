// What the calls of api.h refuse before they start anything: no GPU is needed to see that.
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "spion/kernels/materialised_softmax/api.h"

namespace spion::cuda {
namespace {

template <class Call>
void ExpectRefused(int64_t batch, int64_t rows, int64_t width, const std::string& part) {
  Call call = {};
  call.batch = batch;
  call.rows = rows;
  call.width = width;
  const absl::Status status = Run(call, nullptr);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  EXPECT_NE(status.message().find(part), absl::string_view::npos) << status;
}

TEST(MaterialisedSoftmaxArgumentsTest, Sizes) {
  ExpectRefused<SoftmaxForward>(2, 2, 20, "rows of 20 scores; a GPU takes multiples of 8 up to");
  ExpectRefused<SoftmaxBackward>(2, 2, 16384, "rows of 16384 scores");
  ExpectRefused<SoftmaxForward>(-1, 2, 64, "-1 * 2 rows");
  ExpectRefused<SoftmaxBackward>(2, -3, 64, "2 * -3 rows");
}

template <class Call>
void ExpectDone(int64_t batch, int64_t rows) {
  Call call = {};
  call.batch = batch;
  call.rows = rows;
  call.width = 64;
  EXPECT_TRUE(Run(call, nullptr).ok()) << batch << " * " << rows << " rows";
}

TEST(MaterialisedSoftmaxArgumentsTest, OfNoRowsNothingIsDone) {
  ExpectDone<SoftmaxForward>(0, 2);
  ExpectDone<SoftmaxForward>(2, 0);
  ExpectDone<SoftmaxBackward>(0, 2);
  ExpectDone<SoftmaxBackward>(2, 0);
}

}  // namespace
}  // namespace spion::cuda

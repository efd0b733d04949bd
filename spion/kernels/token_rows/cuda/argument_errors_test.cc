// What the calls of api.h refuse before they start anything: no GPU is needed to see that.
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "spion/kernels/token_rows/api.h"

namespace spion::cuda {
namespace {

template <class Call>
void ExpectRefused(int64_t rows, int64_t width, const std::string& part) {
  Call call = {};
  call.rows = rows;
  call.width = width;
  const absl::Status status = Run(call, nullptr);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  EXPECT_NE(status.message().find(part), absl::string_view::npos) << status;
}

TEST(TokenRowsArgumentsTest, Widths) {
  ExpectRefused<LayerNormForward<float>>(4, 192,
                                         "rows of 192 numbers; a GPU takes 64, 128, 256 or 512");
  ExpectRefused<LayerNormBackward<BFloat16>>(4, 96, "96 numbers");
  ExpectRefused<ColumnSums<float>>(4, 96, "multiples of 64");
}

TEST(TokenRowsArgumentsTest, Rows) {
  ExpectRefused<LayerNormForward<float>>(0, 64, "0 rows");
  ExpectRefused<ColumnSums<BFloat16>>(-1, 64, "-1 rows");
}

}  // namespace
}  // namespace spion::cuda

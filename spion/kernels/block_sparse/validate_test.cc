#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "spion/kernels/block_sparse/api.h"
#include "spion/kernels/block_sparse/problem.h"
#include "spion/kernels/common/head_tensor.h"

namespace spion {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr int32_t kIndices[8] = {};

BlockSparseProblem Valid() {
  return {.batch = 2,
          .heads = 3,
          .length = 96,
          .head_dim = 32,
          .block_size = 48,
          .pattern = {.patterns = 3,
                      .blocks_per_side = 2,
                      .row_offsets = kIndices,
                      .row_columns = kIndices,
                      .column_offsets = kIndices,
                      .column_rows = kIndices,
                      .schedule = {}},
          .padding = {}};
}

std::string Message(const BlockSparseProblem& problem) {
  const absl::Status status = Validate(problem);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  return std::string(status.message());
}

TEST(ValidateTest, AcceptsWhatIsSupported) {
  BlockSparseProblem problem = Valid();
  EXPECT_TRUE(Validate(problem).ok());
  problem.pattern.patterns = 1;
  for (const int64_t d : {16, 32, 64, 128}) {
    for (int64_t b = 16; b <= 128; b += 16) {
      problem.head_dim = d;
      problem.block_size = b;
      problem.length = 2 * b;
      EXPECT_TRUE(Validate(problem).ok()) << d << " " << b;
    }
  }
}

TEST(ValidateTest, AcceptsNoHeadsAndAsManyAsAreSupported) {
  BlockSparseProblem problem = Valid();
  problem.pattern.patterns = 1;
  for (const auto& [batch, heads] : std::vector<std::pair<int64_t, int64_t>>{
           {0, 3}, {2, 0}, {0, 0}, {kMaxHeads, 1}, {1, kMaxHeads}, {kMaxHeads / 2, 2}}) {
    problem.batch = batch;
    problem.heads = heads;
    EXPECT_TRUE(Validate(problem).ok()) << batch << " " << heads;
  }
}

TEST(ValidateTest, EachErrorNamesTheValueAndTheWayOut) {
  BlockSparseProblem problem = Valid();
  problem.heads = -1;
  EXPECT_THAT(Message(problem), HasSubstr("heads = -1"));

  problem = Valid();
  problem.heads = 1;
  problem.pattern.patterns = 1;
  problem.batch = kMaxHeads + 1;
  EXPECT_THAT(Message(problem), AllOf(HasSubstr("batch = 2147483649"), HasSubstr("split")));
  problem.batch = kMaxHeads / 2;
  problem.heads = 3;
  EXPECT_THAT(Message(problem), AllOf(HasSubstr("heads = 3"), HasSubstr("split")));

  problem = Valid();
  problem.head_dim = 48;
  EXPECT_THAT(Message(problem), AllOf(HasSubstr("48"), HasSubstr("16, 32, 64 or 128")));

  for (const int64_t b : {0, 8, 24, 144, -16}) {
    problem = Valid();
    problem.block_size = b;
    EXPECT_THAT(Message(problem), AllOf(HasSubstr(std::to_string(b)), HasSubstr("16 to 128")));
  }

  for (const int64_t length : {0, 100, -96}) {
    problem = Valid();
    problem.length = length;
    EXPECT_THAT(Message(problem), AllOf(HasSubstr(std::to_string(length)), HasSubstr("pad")));
  }

  for (const float scale : {0.0F, -0.25F, NAN, INFINITY}) {
    problem = Valid();
    problem.scale = scale;
    EXPECT_THAT(Message(problem), AllOf(HasSubstr("scale"), HasSubstr("negate q")));
  }

  problem = Valid();
  problem.pattern.blocks_per_side = 3;
  EXPECT_THAT(Message(problem), HasSubstr("make it for 2 blocks a side"));

  problem = Valid();
  problem.pattern.patterns = 2;
  EXPECT_THAT(Message(problem), HasSubstr("2 patterns for 3 heads"));

  problem = Valid();
  problem.pattern.column_rows = nullptr;
  EXPECT_THAT(Message(problem), HasSubstr("column_rows"));

  problem = Valid();
  const int32_t lengths[2] = {1, 2};
  const uint8_t valid[2 * 96] = {};
  problem.padding = {.lengths = lengths, .valid = valid};
  EXPECT_THAT(Message(problem), HasSubstr("one of the two"));
}

}  // namespace
}  // namespace spion

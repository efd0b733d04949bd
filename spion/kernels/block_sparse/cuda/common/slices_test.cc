// Where a slice's heads are: against the whole problem's own numbering. No GPU is needed.
#include "spion/kernels/block_sparse/cuda/common/slices.h"

#include <cstdint>

#include "gtest/gtest.h"
#include "spion/kernels/block_sparse/problem.h"
#include "spion/kernels/common/head_tensor.h"

namespace spion::cuda {
namespace {

constexpr int64_t kLength = 16;
constexpr int64_t kDim = 16;

/// Addresses that nothing reads.
template <typename T>
T* Address(uintptr_t bytes) {
  return reinterpret_cast<T*>(bytes);
}

BlockSparseForward<float> Call(int64_t batch, int64_t heads, int64_t batch_stride,
                               int64_t head_stride) {
  const HeadTensor<const float> in = {Address<const float>(1 << 20), batch_stride, head_stride,
                                      kDim};
  return {.problem = {.batch = batch,
                      .heads = heads,
                      .length = kLength,
                      .head_dim = kDim,
                      .block_size = 16,
                      .pattern = {.patterns = static_cast<int32_t>(heads),
                                  .blocks_per_side = 1,
                                  .row_offsets = Address<const int32_t>(1 << 12),
                                  .row_columns = Address<const int32_t>(1 << 13),
                                  .column_offsets = Address<const int32_t>(1 << 14),
                                  .column_rows = Address<const int32_t>(1 << 15),
                                  .schedule = {.rows = Address<const BlockLine>(1 << 16),
                                               .lines = Address<const BlockLine>(1 << 17)}},
                      .padding = {.lengths = Address<const int32_t>(1 << 18)}},
          .q = in,
          .k = in,
          .v = in,
          .out = {Address<float>(1 << 21), heads * kLength * kDim, kLength * kDim, kDim},
          .log_sum_exp = Address<float>(1 << 22)};
}

/// Expects each head of each example in one slice, where the call has it, and slices that a grid
/// bears; returns how many there are.
int64_t CheckSlices(const BlockSparseForward<float>& call, const SliceLimits& limits) {
  const BlockSparseProblem& whole = call.problem;
  int64_t slices = 0;
  int64_t next = 0;  // head of all examples
  const cudaError_t error = InSlices(call, limits, [&](const BlockSparseForward<float>& slice) {
    const BlockSparseProblem& part = slice.problem;
    EXPECT_LE(part.batch, limits.rows);
    EXPECT_LE(part.heads, limits.rows);
    EXPECT_TRUE(part.batch == 1 || slice.q.batch_stride <= limits.stride);
    EXPECT_TRUE(part.heads == 1 || slice.q.head_stride <= limits.stride);
    EXPECT_EQ(part.pattern.patterns, part.heads);
    for (int64_t example = 0; example < part.batch; ++example) {
      for (int64_t head = 0; head < part.heads; ++head, ++next) {
        const int64_t b = next / whole.heads;
        const int64_t h = next % whole.heads;
        const bool is_there =
            slice.q.head(example, head) == call.q.head(b, h) &&
            slice.out.head(example, head) == call.out.head(b, h) &&
            slice.log_sum_exp + (example * part.heads + head) * kLength ==
                call.log_sum_exp + next * kLength &&
            part.padding.lengths + example == whole.padding.lengths + b &&
            part.pattern.row_offsets + 2 * head == whole.pattern.row_offsets + 2 * h &&
            part.pattern.column_offsets + 2 * head == whole.pattern.column_offsets + 2 * h &&
            part.pattern.row_columns == whole.pattern.row_columns &&
            part.pattern.schedule.rows + head == whole.pattern.schedule.rows + h &&
            part.pattern.schedule.lines + 2 * head == whole.pattern.schedule.lines + 2 * h;
        if (!is_there) ADD_FAILURE() << "example " << b << ", head " << h << " is elsewhere";
      }
    }
    ++slices;
    return cudaSuccess;
  });
  EXPECT_EQ(error, cudaSuccess);
  EXPECT_EQ(next, whole.batch * whole.heads);
  return slices;
}

TEST(SlicesTest, OrdinaryProblemsAreOne) {
  EXPECT_EQ(CheckSlices(Call(1, 1, 256, 256), kGridLimits), 1);
  EXPECT_EQ(CheckSlices(Call(512, 8, 2048, 256), kGridLimits), 1);
  EXPECT_EQ(CheckSlices(Call(65535, 2, 512, 256), kGridLimits), 1);
}

TEST(SlicesTest, NoHeadsAreNone) {
  EXPECT_EQ(CheckSlices(Call(0, 3, 768, 256), kGridLimits), 0);
  EXPECT_EQ(CheckSlices(Call(3, 0, 0, 256), kGridLimits), 0);
}

TEST(SlicesTest, ManyExamplesAndHeads) {
  EXPECT_EQ(CheckSlices(Call(65536, 2, 512, 256), kGridLimits), 2);
  EXPECT_EQ(CheckSlices(Call(1, 70000, 0, 256), kGridLimits), 2);
  EXPECT_EQ(CheckSlices(Call(3, 70000, 70000 * 256, 256), kGridLimits), 6);
  EXPECT_EQ(CheckSlices(Call(7, 3, 768, 256), {.rows = 2, .stride = 1 << 30}), 14);
  EXPECT_EQ(CheckSlices(Call(7, 2, 512, 256), {.rows = 3, .stride = 1 << 30}), 3);
}

TEST(SlicesTest, HeadsFarApart) {
  constexpr int64_t kFar = int64_t{1} << 32;
  EXPECT_EQ(CheckSlices(Call(3, 2, kFar, 256), kGridLimits), 3);
  EXPECT_EQ(CheckSlices(Call(3, 2, 2 * kFar, kFar), kGridLimits), 6);
  EXPECT_EQ(CheckSlices(Call(3, 2, 1000, kFar), kGridLimits), 6);
  EXPECT_EQ(CheckSlices(Call(3, 2, kFar - 1, 256), kGridLimits), 1);
}

TEST(SlicesTest, OnePatternForAllStaysOne) {
  BlockSparseForward<float> call = Call(1, 3, 768, 256);
  call.problem.pattern.patterns = 1;
  const auto check = [&](const BlockSparseForward<float>& slice) {
    EXPECT_EQ(slice.problem.pattern.patterns, 1);
    EXPECT_EQ(slice.problem.pattern.schedule.rows, call.problem.pattern.schedule.rows);
    return cudaSuccess;
  };
  EXPECT_EQ(InSlices(call, {.rows = 2, .stride = 1 << 30}, check), cudaSuccess);
}

TEST(SlicesTest, StopsAtAnError) {
  int calls = 0;
  const auto fail = [&](const auto&) {
    ++calls;
    return cudaErrorInvalidValue;
  };
  EXPECT_EQ(InSlices(Call(7, 3, 768, 256), {.rows = 2, .stride = 1 << 30}, fail),
            cudaErrorInvalidValue);
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace spion::cuda

// What emulated kernels of block-sparse attention are held against: the oracle, with many patterns.
// Kernels is a struct of Element, kHeadDimension, kBlockSize, kFloat32 and the functions Forward
// and Backward, which take a call as the launches do and run the device code by
// spion/kernels/cuda_emulation:
//
//   INSTANTIATE_TYPED_TEST_SUITE_P(All, EmulatedTest, testing::Types<MyKernels<BFloat16, 64>>);
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_COMMON_EMULATED_SUITE_H_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_COMMON_EMULATED_SUITE_H_

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "spion/kernels/block_sparse/cuda/common/launch_plan.h"
#include "spion/kernels/block_sparse/cuda/common/slices.h"
#include "spion/kernels/block_sparse/problem.h"
#include "spion/kernels/block_sparse/schedule.h"
#include "spion/kernels/common/head_tensor.h"
#include "spion/kernels/common/number.h"
#include "spion/kernels/cuda_emulation/rounding.h"
#include "spion/kernels/cuda_emulation/thread_block.h"
#include "spion/reference/attention.h"
#include "spion/testing/attention_case.h"
#include "spion/testing/pattern_zoo.h"
#include "spion/testing/seed.h"
#include "spion/testing/tolerance.h"

namespace spion::cuda {

template <class Kernels>
double Roundoff() {
  if (std::is_same_v<typename Kernels::Element, Float16>) return 0x1p-11;
  if (std::is_same_v<typename Kernels::Element, BFloat16>) return 0x1p-8;
  return 0x1p-11;  // tf32; exact products are far below
}

inline EmulatedIndex EmulatedGrid(const LaunchGrid& grid) {
  return {static_cast<unsigned>(grid.x), static_cast<unsigned>(grid.y),
          static_cast<unsigned>(grid.z)};
}

struct Problem {
  AttentionCase inputs;
  std::vector<BlockPattern> patterns;  // one, or one a head
  PrunedScore pruned;
  SliceLimits limits = kGridLimits;
};

struct Results {
  std::vector<float> out, grad_q, grad_k, grad_v;
};

template <class Kernels>
class EmulatedTest : public testing::Test {
 protected:
  using T = typename Kernels::Element;

  /// Of all patterns, one after the other.
  static BlockSchedule ScheduleOf(const BlockPatternView& view) {
    const auto offsets = static_cast<size_t>(view.blocks_per_side) + 1;
    const auto kept = static_cast<size_t>(view.row_offsets[view.patterns * offsets - 1]);
    BlockSchedule all;
    for (size_t first = 0; first < view.patterns * offsets; first += offsets) {
      const BlockSchedule one =
          MakeSchedule({{view.row_offsets + first, offsets}, {view.row_columns, kept}},
                       {{view.column_offsets + first, offsets}, {view.column_rows, kept}});
      all.rows.insert(all.rows.end(), one.rows.begin(), one.rows.end());
      all.lines.insert(all.lines.end(), one.lines.begin(), one.lines.end());
      all.long_rows = std::max(all.long_rows, one.long_rows);
      all.long_lines = std::max(all.long_lines, one.long_lines);
    }
    return all;
  }
  static int LongLines(const BlockPattern& pattern) {
    const PatternArrays arrays(pattern);
    const BlockSchedule schedule = ScheduleOf(arrays.view());
    return std::min(schedule.long_rows, schedule.long_lines);
  }

  static AttentionShape ShapeOf(const BlockPattern& pattern, int64_t batch) {
    return {.batch = batch,
            .heads = 2,
            .length = pattern.blocks_per_side() * Kernels::kBlockSize,
            .head_dim = Kernels::kHeadDimension};
  }

  static Results Run(const Problem& p) {
    const AttentionCase& inputs = p.inputs;
    const AttentionShape& shape = inputs.shape;
    const int64_t length = shape.length;
    const PatternArrays arrays(p.patterns);
    BlockPatternView view = arrays.view();
    const BlockSchedule schedule = ScheduleOf(view);
    view.room = view.row_offsets[view.patterns * (view.blocks_per_side + 1) - 1];
    view.schedule = {.rows = schedule.rows.data(),
                     .lines = schedule.lines.data(),
                     .long_rows = schedule.long_rows,
                     .long_lines = schedule.long_lines};
    const BlockSparseProblem problem = {.batch = shape.batch,
                                        .heads = shape.heads,
                                        .length = length,
                                        .head_dim = shape.head_dim,
                                        .block_size = Kernels::kBlockSize,
                                        .scale = static_cast<float>(inputs.scale),
                                        .pruned = p.pruned,
                                        .float32 = Kernels::kFloat32,
                                        .pattern = view,
                                        .padding = inputs.padding()};

    const std::vector<T> q = RoundAll<T>(inputs.q);
    const std::vector<T> k = RoundAll<T>(inputs.k);
    const std::vector<T> v = RoundAll<T>(inputs.v);
    const std::vector<T> grad_out = RoundAll<T>(inputs.grad_out);
    const T unset = Round<T>(std::numeric_limits<float>::quiet_NaN());
    std::vector<T> out(q.size(), unset), grad_q = out, grad_k = out, grad_v = out;
    std::vector<float> log_sum_exp(shape.batch * shape.heads * length);
    const auto tensor = [&](auto& values) {
      using Value = std::remove_pointer_t<decltype(values.data())>;
      return HeadTensor<Value>{values.data(), shape.heads * length * shape.head_dim,
                               length * shape.head_dim, shape.head_dim};
    };
    const BlockSparseForward<T> forward = {.problem = problem,
                                           .q = tensor(q),
                                           .k = tensor(k),
                                           .v = tensor(v),
                                           .out = tensor(out),
                                           .log_sum_exp = log_sum_exp.data()};
    InSlices(forward, p.limits, [](const BlockSparseForward<T>& slice) {
      Kernels::Forward(slice);
      return cudaSuccess;
    });
    const std::vector<T>& saved = out;
    const BlockSparseBackward<T> backward = {.problem = problem,
                                             .q = tensor(q),
                                             .k = tensor(k),
                                             .v = tensor(v),
                                             .out = tensor(saved),
                                             .grad_out = tensor(grad_out),
                                             .log_sum_exp = log_sum_exp.data(),
                                             .grad_q = tensor(grad_q),
                                             .grad_k = tensor(grad_k),
                                             .grad_v = tensor(grad_v)};
    InSlices(backward, p.limits, [](const BlockSparseBackward<T>& slice) {
      Kernels::Backward(slice);
      return cudaSuccess;
    });
    return {WidenAll(out), WidenAll(grad_q), WidenAll(grad_k), WidenAll(grad_v)};
  }

  /// The oracle's, for the inputs as the kernels have them.
  static reference::Input OracleInput(const Problem& p) {
    const AttentionCase& inputs = p.inputs;
    return {.batch = inputs.shape.batch,
            .heads = inputs.shape.heads,
            .length = inputs.shape.length,
            .head_dim = inputs.shape.head_dim,
            .scale = inputs.scale,
            .pruned = p.pruned,
            .patterns = p.patterns,
            .lengths = inputs.lengths,
            .valid = inputs.valid,
            .q = DoubleAll(RoundAll<T>(inputs.q)),
            .k = DoubleAll(RoundAll<T>(inputs.k)),
            .v = DoubleAll(RoundAll<T>(inputs.v))};
  }

  static void Check(const Problem& p) {
    const reference::Input input = OracleInput(p);
    const reference::Output truth = reference::Forward(input);
    const reference::Gradients gradients =
        reference::Backward(input, DoubleAll(RoundAll<T>(p.inputs.grad_out)));
    const Results results = Run(p);
    const AttentionTolerance tolerance = {
        .roundoff = Roundoff<Kernels>(), .max_score = 0, .terms = 1};
    EXPECT_LE(NormError(results.out, truth.out), tolerance.forward());
    // Examples of a single key have gradients of q and k that cancel to nothing.
    const double smallest = 1e-3 * std::sqrt(static_cast<double>(input.q.size()));
    EXPECT_LE(NormError(results.grad_q, gradients.q, smallest), tolerance.backward());
    EXPECT_LE(NormError(results.grad_k, gradients.k, smallest), tolerance.backward());
    EXPECT_LE(NormError(results.grad_v, gradients.v), tolerance.backward());
  }
};

TYPED_TEST_SUITE_P(EmulatedTest);

TYPED_TEST_P(EmulatedTest, AgreesWithTheOracle) {
  // Long lines come with ten blocks a side.
  const int side = TypeParam::kBlockSize <= 32 ? 10 : TypeParam::kBlockSize < 128 ? 4 : 3;
  constexpr CasePadding kPaddings[] = {CasePadding::kNone, CasePadding::kLengths,
                                       CasePadding::kMask};
  uint64_t number = 0;
  for (const NamedPattern& named : PatternZoo(side, TypeParam::kBlockSize, TestSeed(4))) {
    const CasePadding padding = kPaddings[number % 3];
    const PrunedScore pruned = number % 2 == 0 ? PrunedScore::kZero : PrunedScore::kExcluded;
    SCOPED_TRACE(named.name + ", " + Name(padding));
    const AttentionShape shape =
        TestFixture::ShapeOf(named.pattern, padding == CasePadding::kNone ? 1 : 3);
    TestFixture::Check({.inputs = MakeAttentionCase(shape, padding, 1, TestSeed(10 + number)),
                        .patterns = {named.pattern},
                        .pruned = pruned});
    ++number;
  }
}

TYPED_TEST_P(EmulatedTest, SharesLongLines) {
  if (TypeParam::kBlockSize > 64) GTEST_SKIP() << "the same code, for minutes";
  // With nine blocks a side, a full row and column are more than three times the mean.
  constexpr int kSide = 9;
  std::vector<Block> blocks;
  for (int32_t row = 0; row < kSide; ++row) {
    for (int32_t column = 0; column < kSide; ++column) {
      if (row == column || row == 4 || column == 5) blocks.push_back({row, column});
    }
  }
  const BlockPattern pattern = *BlockPattern::FromBlocks(kSide, TypeParam::kBlockSize, blocks);
  ASSERT_GT(TestFixture::LongLines(pattern), 0);
  const AttentionShape shape = TestFixture::ShapeOf(pattern, 1);
  TestFixture::Check({.inputs = MakeAttentionCase(shape, CasePadding::kNone, 1, TestSeed(30)),
                      .patterns = {pattern},
                      .pruned = PrunedScore::kZero});
}

TYPED_TEST_P(EmulatedTest, ManyHeadsAreDoneSliceBySlice) {
  if (TypeParam::kBlockSize > 16) GTEST_SKIP() << "slices are cut before any kernel starts";
  const std::vector<BlockPattern> patterns = {LongColumns(3, TypeParam::kBlockSize),
                                              FullAndBareRows(3, TypeParam::kBlockSize)};
  const AttentionShape shape = TestFixture::ShapeOf(patterns[0], 3);
  // Heads one by one; two examples, then one.
  for (const auto& [padding, rows] :
       {std::pair(CasePadding::kLengths, 1), std::pair(CasePadding::kMask, 2)}) {
    TestFixture::Check({.inputs = MakeAttentionCase(shape, padding, 1, TestSeed(31)),
                        .patterns = patterns,
                        .pruned = PrunedScore::kZero,
                        .limits = {.rows = rows, .stride = kGridLimits.stride}});
  }
}

REGISTER_TYPED_TEST_SUITE_P(EmulatedTest, AgreesWithTheOracle, SharesLongLines,
                            ManyHeadsAreDoneSliceBySlice);

}  // namespace spion::cuda

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_COMMON_EMULATED_SUITE_H_

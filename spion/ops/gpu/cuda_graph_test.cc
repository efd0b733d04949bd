// Streams, devices and CUDA graphs.
#include <ATen/core/grad_mode.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/core/StreamGuard.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAStream.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "spion/ops/attention_map.h"
#include "spion/ops/block_sparse_attention.h"
#include "spion/ops/gpu/error_rule.h"
#include "spion/ops/gpu/framework_attention.h"
#include "spion/ops/gpu/gpu.h"
#include "spion/ops/gpu/precision_case.h"
#include "spion/testing/pattern_zoo.h"
#include "spion/testing/seed.h"

namespace spion {
namespace {

constexpr AttentionShape kShape{.batch = 3, .heads = 2, .length = 256, .head_dim = 64};

PrecisionCase Case(TestPrecision precision, uint64_t seed) {
  return MakePrecisionCase(precision, kShape, CasePadding::kLengths, 1, seed,
                           {RandomBlocks(8, 32, 0.4, 3)}, PrunedScore::kZero);
}

/// The attention of tensors that stay where they are.
class FixedTensors {
 public:
  FixedTensors(const PrecisionCase& c, c10::Device device)
      : tensors_(ToTensors(c, device)),
        pattern_(ToTensors(c.patterns, device)),
        pruned_(c.pruned),
        float32_(Float32MathOf(c.precision)) {}

  AttentionResult Run() const {
    return ForwardAndBackward(
        [this](const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
          return BlockSparseAttention(q, k, v, pattern_, tensors_.padding, pruned_, float32_);
        },
        tensors_);
  }

  /// Overwrites the inputs in place with those of another case of the same shape.
  void Overwrite(const PrecisionCase& c) {
    const at::NoGradGuard no_grad;
    const CaseTensors values = ToTensors(c, tensors_.q.device());
    tensors_.q.copy_(values.q);
    tensors_.k.copy_(values.k);
    tensors_.v.copy_(values.v);
    tensors_.grad_out.copy_(values.grad_out);
    tensors_.padding->copy_(*values.padding);
  }

  const CaseTensors& tensors() const { return tensors_; }

 private:
  CaseTensors tensors_;
  PatternTensors pattern_;
  PrunedScore pruned_;
  Float32Math float32_;
};

class CudaGraphTest : public ::testing::TestWithParam<TestPrecision> {};

TEST_P(CudaGraphTest, AReplayWithNewInputsGivesTheBitsOfAnEagerRun) {
  const c10::StreamGuard guard(c10::cuda::getStreamFromPool(false, Gpu().index()));
  FixedTensors fixed(Case(GetParam(), TestSeed(71)), Gpu());
  fixed.Run();  // what is made once a process is made outside the graph
  c10::cuda::device_synchronize();

  at::cuda::CUDAGraph graph;
  graph.capture_begin();
  const AttentionResult captured = fixed.Run();
  graph.capture_end();

  for (const uint64_t seed : {72, 73}) {
    fixed.Overwrite(Case(GetParam(), TestSeed(seed)));
    graph.replay();
    const AttentionResult replayed = {.out = captured.out.clone(),
                                      .grad_q = captured.grad_q.clone(),
                                      .grad_k = captured.grad_k.clone(),
                                      .grad_v = captured.grad_v.clone()};
    EXPECT_TRUE(SameBits(replayed, fixed.Run()));
  }
  c10::cuda::device_synchronize();
}

TEST_P(CudaGraphTest, TheMapToo) {
  const c10::StreamGuard guard(c10::cuda::getStreamFromPool(false, Gpu().index()));
  FixedTensors fixed(Case(GetParam(), TestSeed(74)), Gpu());
  const auto map = [&] {
    return MeanAttentionMap(fixed.tensors().q, fixed.tensors().k, fixed.tensors().padding);
  };
  map();
  c10::cuda::device_synchronize();

  at::cuda::CUDAGraph graph;
  graph.capture_begin();
  const at::Tensor captured = map();
  graph.capture_end();

  fixed.Overwrite(Case(GetParam(), TestSeed(75)));
  graph.replay();
  EXPECT_TRUE(captured.clone().equal(map()));
  c10::cuda::device_synchronize();
}

TEST_P(CudaGraphTest, ASideStreamWaitsForItsOwnWorkOnly) {
  const PrecisionCase c = Case(GetParam(), TestSeed(76));
  const AttentionResult on_default = RunOperator(c, Gpu());
  c10::cuda::device_synchronize();
  const c10::StreamGuard guard(c10::cuda::getStreamFromPool(false, Gpu().index()));
  FixedTensors fixed(Case(GetParam(), TestSeed(77)), Gpu());
  // No synchronisation between writing the inputs, running and reading: one stream orders them. A
  // kernel on another stream would read the inputs of before.
  for (int repeat = 0; repeat < 20; ++repeat) {
    fixed.Overwrite(Case(GetParam(), 78));
    fixed.Run();
    fixed.Overwrite(c);
    ASSERT_TRUE(SameBits(fixed.Run(), on_default)) << "repeat " << repeat;
  }
}

TEST_P(CudaGraphTest, OnTheLastGpuWhileTheFirstIsCurrent) {
  const int devices = c10::cuda::device_count();
  if (devices < 2) GTEST_SKIP() << "there is one GPU";
  const c10::Device last(c10::DeviceType::CUDA, static_cast<c10::DeviceIndex>(devices - 1));
  const PrecisionCase c = Case(GetParam(), TestSeed(79));
  ASSERT_EQ(c10::cuda::current_device(), 0);
  const AttentionResult result = RunOperator(c, last);
  EXPECT_EQ(result.out.device(), last);
  EXPECT_EQ(result.grad_k.device(), last);
  EXPECT_EQ(c10::cuda::current_device(), 0);
  ExpectAsAccurateAsFramework(c, result, RunFramework(c, last), RunOracle(c));
}

INSTANTIATE_TEST_SUITE_P(All, CudaGraphTest, ::testing::ValuesIn(kPrecisions),
                         [](const auto& info) { return Name(info.param); });

}  // namespace
}  // namespace spion

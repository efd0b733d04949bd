// Masks of token_rows.h on a GPU: their seed, a slice of a batch, recorded graphs.
#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/cuda/CUDAGraph.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randint.h>
#include <c10/core/StreamGuard.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAStream.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <vector>

#include "spion/ops/gpu/dropped.h"
#include "spion/ops/gpu/gpu.h"
#include "spion/ops/gpu/leaf.h"
#include "spion/ops/token_rows.h"
#include "spion/testing/seed.h"

namespace spion {
namespace {

class GpuBatchSliceTest : public testing::Test {
 protected:
  ~GpuBatchSliceTest() override { SetBatchSlice(0); }
};

// Each of three processes draws its part of the mask that one would draw.
TEST_F(GpuBatchSliceTest, DrawsItsPartOfTheWholeMask) {
  constexpr int64_t kSlices = 3;
  constexpr int64_t kExamples = 2;  // a slice
  constexpr int64_t kLength = 17;
  const int64_t seed = TestSeed(40);
  at::manual_seed(seed);
  const at::Tensor ids = at::randint(11, {kSlices * kExamples, kLength}, at::kLong).to(Gpu());
  const at::Tensor tokens = at::rand({11, 64}).add_(1).to(Gpu());
  const at::Tensor positions = at::rand({kLength, 64}).add_(1).to(Gpu());
  const at::Tensor weight = at::ones({64}, Gpu());
  const at::Tensor x = at::rand({kSlices * kExamples, kLength, 64}).add_(1).to(Gpu());
  // Everything that drops, of some examples, with the gradients that go through the masks.
  const auto results = [&](int64_t slice, int64_t begin, int64_t count) {
    at::manual_seed(seed);
    SetBatchSlice(slice);
    const at::Tensor branch = x.narrow(0, begin, count).clone().requires_grad_();
    const NormedSum embedded = EmbedNorm(ids.narrow(0, begin, count), tokens, positions, kDropout,
                                         weight, weight, at::kFloat);
    const NormedSum sum = AddNorm(embedded.sum, branch, kDropout, weight, weight, at::kFloat);
    const at::Tensor hidden = GeluDropout(branch, kDropout);
    torch::autograd::backward({sum.sum, hidden}, {at::ones_like(sum.sum), at::ones_like(hidden)});
    return std::vector<at::Tensor>{embedded.sum, sum.sum, hidden, branch.grad()};
  };
  const std::vector<at::Tensor> whole = results(0, 0, kSlices * kExamples);
  for (int64_t slice = 0; slice < kSlices; ++slice) {
    const std::vector<at::Tensor> part = results(slice, slice * kExamples, kExamples);
    for (size_t i = 0; i < part.size(); ++i) {
      EXPECT_TRUE(part[i].equal(whole[i].narrow(0, slice * kExamples, kExamples)))
          << slice << " " << i;
    }
  }
}

TEST_F(GpuBatchSliceTest, OfAnOddNumberOfRowsIsRefused) {
  const at::Tensor x = at::ones({3, 64}, Gpu());
  SetBatchSlice(1);
  EXPECT_THROW(AddNorm(x, x, kDropout, x[0], x[0], at::kFloat), c10::Error);
}

// A step with every dropout.
struct Step {
  Leaf tokens = MakeLeaf({16, 64});
  Leaf positions = MakeLeaf({50, 64});
  Leaf branch = MakeBranch({4, 50, 64}, at::kBFloat16);
  Leaf weight = MakeLeaf({64}, 1);
  at::Tensor ids = at::randint(16, {4, 50}).to(Gpu());
  NormedSum embedded;
  NormedSum added;
  at::Tensor hidden;

  void Run() {
    for (const Leaf* leaf : {&tokens, &positions, &branch, &weight}) {
      leaf->gpu.mutable_grad().reset();
    }
    embedded =
        EmbedNorm(ids, tokens.gpu, positions.gpu, kDropout, weight.gpu, weight.gpu, at::kBFloat16);
    added = AddNorm(embedded.sum, branch.gpu, kDropout, weight.gpu, weight.gpu, at::kBFloat16);
    hidden = GeluDropout(added.normed, kDropout);
    (hidden.to(at::kFloat).sum() + added.sum.sum()).backward();
  }
  std::vector<at::Tensor> Results() const {
    std::vector<at::Tensor> results;
    for (const at::Tensor& tensor : {embedded.sum, added.sum, hidden, tokens.gpu.grad(),
                                     positions.gpu.grad(), branch.gpu.grad(), weight.gpu.grad()}) {
      results.push_back(tensor.detach().clone());
    }
    return results;
  }
  at::Tensor Kept() const { return (added.sum - embedded.sum).detach().ne(0); }
};

bool SameBits(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
  for (size_t i = 0; i < a.size(); ++i) {
    if (!a[i].equal(b[i])) return false;
  }
  return true;
}

TEST(GpuDropoutTest, ASeedGivesTheSameBits) {
  at::manual_seed(TestSeed(15));
  Step step;
  at::manual_seed(TestSeed(16));
  step.Run();
  const auto first = step.Results();
  step.Run();
  EXPECT_FALSE(SameBits(step.Results(), first));
  at::manual_seed(TestSeed(16));
  step.Run();
  EXPECT_TRUE(SameBits(step.Results(), first));
}

TEST(GpuDropoutTest, ARecordedGraphDrawsAnotherMaskAtEachReplay) {
  const c10::StreamGuard guard(c10::cuda::getStreamFromPool(false, Gpu().index()));
  at::manual_seed(TestSeed(17));
  Step step;
  step.Run();  // what is made once a process is made outside the graph
  c10::cuda::device_synchronize();
  at::cuda::CUDAGraph graph;
  graph.capture_begin();
  step.Run();
  graph.capture_end();

  at::manual_seed(TestSeed(18));
  graph.replay();
  const auto first = step.Results();
  const at::Tensor first_mask = step.Kept().clone();
  graph.replay();
  EXPECT_FALSE(step.Kept().equal(first_mask));
  ExpectKeepRate(FactorsOf(step.added.sum - step.embedded.sum));
  // The backward pass had the mask of its own replay.
  EXPECT_TRUE(step.branch.gpu.grad().ne(0).equal(step.Kept()));
  at::manual_seed(TestSeed(18));
  graph.replay();
  EXPECT_TRUE(SameBits(step.Results(), first));
  // And is that of a step that is not recorded.
  at::manual_seed(TestSeed(18));
  step.Run();
  EXPECT_TRUE(SameBits(step.Results(), first));
  c10::cuda::device_synchronize();
}

// It has the mask of the last replay.
TEST(GpuDropoutTest, TheBackwardPassMayBeOutsideTheGraph) {
  const c10::StreamGuard guard(c10::cuda::getStreamFromPool(false, Gpu().index()));
  at::manual_seed(TestSeed(23));
  const Leaf x = MakeBranch({50, 64}, at::kFloat);
  GeluDropout(x.gpu, kDropout);
  c10::cuda::device_synchronize();
  at::cuda::CUDAGraph graph;
  graph.capture_begin();
  const at::Tensor out = GeluDropout(x.gpu, kDropout);
  graph.capture_end();
  graph.replay();
  graph.replay();
  out.backward(at::ones_like(out));
  EXPECT_TRUE(x.gpu.grad().ne(0).equal(out.detach().ne(0)));
  c10::cuda::device_synchronize();
}

TEST(GpuTokenRowsSanitizerTest, SmallStep) {
  at::manual_seed(TestSeed(19));
  Step step;
  step.Run();
  EXPECT_TRUE(step.branch.gpu.grad().ne(0).equal(step.Kept()));
}

}  // namespace
}  // namespace spion

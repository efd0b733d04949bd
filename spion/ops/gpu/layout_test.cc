// How tensors lie in memory: views of a fused projection, memory used, alignment, long strides.
#include <ATen/ops/empty.h>
#include <ATen/ops/stack.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "spion/ops/block_sparse_attention.h"
#include "spion/ops/gpu/gpu.h"
#include "spion/ops/gpu/precision_case.h"
#include "spion/testing/pattern_zoo.h"
#include "spion/testing/seed.h"

namespace spion {
namespace {

using ::testing::HasSubstr;

constexpr AttentionShape kShape{.batch = 3, .heads = 5, .length = 256, .head_dim = 64};

using LayoutParam = std::tuple<TestPrecision, int>;

class LayoutTest : public ::testing::TestWithParam<LayoutParam> {
 protected:
  LayoutTest()
      : case_(MakePrecisionCase(std::get<0>(GetParam()), kShape, CasePadding::kNone, 1,
                                TestSeed(41), {Pattern(std::get<1>(GetParam()))},
                                PrunedScore::kZero)),
        plain_(ToTensors(case_, Gpu())),
        pattern_(ToTensors(case_.patterns, Gpu())) {}

  static BlockPattern Pattern(int block_size) {
    return RandomBlocks(static_cast<int>(kShape.length) / block_size, block_size, 0.4, 3);
  }

  at::Tensor Attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) const {
    return BlockSparseAttention(q, k, v, pattern_, std::nullopt, PrunedScore::kZero,
                                Float32MathOf(case_.precision));
  }

  AttentionResult Result(const CaseTensors& tensors) const {
    return ForwardAndBackward([this](const at::Tensor& q, const at::Tensor& k,
                                     const at::Tensor& v) { return Attention(q, k, v); },
                              tensors);
  }

  /// [B, L, 3, H, d], as a fused projection makes it.
  at::Tensor Fused() const {
    return at::stack({plain_.q.detach(), plain_.k.detach(), plain_.v.detach()}, 2)
        .permute({0, 3, 2, 1, 4})
        .contiguous();
  }

  /// q, k and v as views of `fused`, leaves of their own.
  CaseTensors Views(const at::Tensor& fused) const {
    const std::vector<at::Tensor> views = fused.permute({2, 0, 3, 1, 4}).unbind(0);
    return {.q = views[0].detach().requires_grad_(),
            .k = views[1].detach().requires_grad_(),
            .v = views[2].detach().requires_grad_(),
            .grad_out = plain_.grad_out,
            .padding = std::nullopt};
  }

  PrecisionCase case_;
  CaseTensors plain_;
  PatternTensors pattern_;
};

TEST_P(LayoutTest, ViewsOfAFusedProjectionGiveTheBitsOfContiguousTensors) {
  EXPECT_TRUE(SameBits(Result(Views(Fused())), Result(plain_)));
}

TEST_P(LayoutTest, GradientsReachTheFusedProjection) {
  at::Tensor fused = Fused().requires_grad_();
  const std::vector<at::Tensor> views = fused.permute({2, 0, 3, 1, 4}).unbind(0);
  const at::Tensor out = Attention(views[0], views[1], views[2]);
  const at::Tensor gradient = torch::autograd::grad({out}, {fused}, {plain_.grad_out})[0];
  const AttentionResult plain = Result(plain_);
  EXPECT_TRUE(gradient.equal(
      at::stack({plain.grad_q, plain.grad_k, plain.grad_v}, 2).permute({0, 3, 2, 1, 4})));
}

TEST_P(LayoutTest, OutputIsLaidOutForJoiningTheHeads) {
  const at::Tensor out = Attention(plain_.q, plain_.k, plain_.v);
  EXPECT_TRUE(out.transpose(1, 2).is_contiguous());
  EXPECT_EQ(out.scalar_type(), plain_.q.scalar_type());
}

TEST_P(LayoutTest, TakesExpandedAndContiguousGradients) {
  CaseTensors tensors = plain_;
  tensors.grad_out = plain_.grad_out.contiguous();
  EXPECT_TRUE(SameBits(Result(tensors), Result(plain_)));

  tensors.grad_out = plain_.grad_out.new_ones({}).expand(plain_.grad_out.sizes());
  const AttentionResult expanded = Result(tensors);
  tensors.grad_out = tensors.grad_out.contiguous();
  EXPECT_TRUE(SameBits(expanded, Result(tensors)));
}

TEST_P(LayoutTest, KeysAndValuesOfOneHeadForAll) {
  const auto shared = [](const at::Tensor& x) {
    return x.detach().slice(1, 0, 1).expand(x.sizes()).requires_grad_();
  };
  CaseTensors tensors = plain_;
  tensors.k = shared(plain_.k);
  tensors.v = shared(plain_.v);
  const AttentionResult expanded = Result(tensors);
  tensors.k = tensors.k.detach().contiguous().requires_grad_();
  tensors.v = tensors.v.detach().contiguous().requires_grad_();
  EXPECT_TRUE(SameBits(expanded, Result(tensors)));
}

TEST_P(LayoutTest, GapsBetweenRowsAndExamples) {
  // Rows of d elements in rows of 2 d; the rest is NaN.
  const auto with_gaps = [](const at::Tensor& x) {
    at::Tensor wide = x.new_full({x.size(0), x.size(1), x.size(2), 2 * x.size(3)},
                                 std::numeric_limits<double>::quiet_NaN());
    at::Tensor view = wide.slice(3, 0, x.size(3));
    view.copy_(x);
    return view;
  };
  CaseTensors tensors = plain_;
  tensors.q = with_gaps(plain_.q.detach()).requires_grad_();
  tensors.k = with_gaps(plain_.k.detach()).requires_grad_();
  tensors.v = with_gaps(plain_.v.detach()).requires_grad_();
  tensors.grad_out = with_gaps(plain_.grad_out);
  EXPECT_TRUE(SameBits(Result(tensors), Result(plain_)));
}

// ---- Memory ----

struct Memory {
  int64_t now;
  int64_t peak;
};

/// Bytes that were asked of LibTorch's allocator, without its rounding.
Memory RequestedBytes() {
  const auto stats = c10::getDeviceAllocator(Gpu().type())->getDeviceStats(Gpu().index());
  return {stats.requested_bytes[0].current, stats.requested_bytes[0].peak};
}

void ResetPeak() { c10::getDeviceAllocator(Gpu().type())->resetPeakStats(Gpu().index()); }

TEST_P(LayoutTest, UsesNoMemoryBesideOutputsAndAFewFloatsARow) {
  const CaseTensors views = Views(Fused());
  Result(views);  // what is made once a process
  const int64_t tensor_bytes = kShape.elements() * views.q.element_size();
  const int64_t row_bytes = kShape.batch * kShape.heads * kShape.length * sizeof(float);

  const Memory before = RequestedBytes();
  ResetPeak();
  const at::Tensor out = Attention(views.q, views.k, views.v);
  const Memory forward = RequestedBytes();
  EXPECT_LE(forward.peak - before.now, tensor_bytes + row_bytes);

  ResetPeak();
  const std::vector<at::Tensor> gradients =
      torch::autograd::grad({out}, {views.q, views.k, views.v}, {views.grad_out});
  EXPECT_LE(RequestedBytes().peak - forward.now, 3 * tensor_bytes + 2 * row_bytes)
      << "more than the gradients and two floats a row";
}

// ---- Alignment ----

/// A copy of `x` whose storage starts one element off a boundary of 16 bytes.
at::Tensor OffByOneElement(const at::Tensor& x) {
  at::Tensor view = at::empty({x.numel() + 1}, x.options()).slice(0, 1).view(x.sizes());
  view.copy_(x);
  return view;
}

/// A copy of `x` whose rows are one element longer than d.
at::Tensor OddRows(const at::Tensor& x) {
  at::Tensor view = at::empty({x.size(0), x.size(1), x.size(2), x.size(3) + 1}, x.options())
                        .slice(3, 0, x.size(3));
  view.copy_(x);
  return view;
}

TEST_P(LayoutTest, UnalignedRowsAreNamedAndCloningHelps) {
  const at::Tensor q = plain_.q.detach();
  for (const at::Tensor& unaligned : {OffByOneElement(q), OddRows(q)}) {
    const std::vector<std::vector<at::Tensor>> calls = {
        {unaligned, q, q}, {q, unaligned, q}, {q, q, unaligned}};
    for (const std::vector<at::Tensor>& call : calls) {
      try {
        Attention(call[0], call[1], call[2]);
        ADD_FAILURE() << "no error";
      } catch (const c10::Error& error) {
        EXPECT_THAT(error.what_without_backtrace(), HasSubstr("align"));
        // Not .contiguous(), which returns a contiguous tensor as it is, wherever it starts.
        EXPECT_THAT(error.what_without_backtrace(), HasSubstr("clone()"));
      }
    }
    EXPECT_TRUE(Attention(unaligned.clone(), q, q).equal(Attention(q, q, q)));
  }
}

TEST_P(LayoutTest, AnUnalignedGradientIsNoErrorOrANamedOne) {
  // It comes from somebody else's backward pass, so the user may have no say in it.
  CaseTensors tensors = plain_;
  tensors.grad_out = OffByOneElement(plain_.grad_out.contiguous());
  try {
    EXPECT_TRUE(SameBits(Result(tensors), Result(plain_)));
  } catch (const c10::Error& error) {
    EXPECT_THAT(error.what_without_backtrace(), HasSubstr("align"));
  }
}

// ---- Long strides ----

/// Uninitialised, or an undefined tensor where there is not so much memory.
at::Tensor EmptyIfItFits(int64_t elements, const at::TensorOptions& options) {
  try {
    return at::empty({elements}, options);
  } catch (const c10::Error&) {
    return {};
  }
}

TEST_P(LayoutTest, OffsetsBeyondTwoToThe31AndThe32) {
  // Examples lie so many elements apart: the third is beyond what 32 bits can count, or the second.
  for (const int64_t batch_stride : {int64_t{1} << 30, (int64_t{1} << 32) + 8}) {
    const int64_t row = 3 * kShape.heads * kShape.head_dim;
    const int64_t elements = (kShape.batch - 1) * batch_stride + kShape.length * row;
    const at::Tensor storage = EmptyIfItFits(elements, plain_.q.detach().options());
    if (!storage.defined()) {
      GTEST_SKIP() << "needs " << elements * plain_.q.element_size() / (1 << 20)
                   << " MiB of GPU memory";
    }
    const auto far = [&](const at::Tensor& x, int64_t index) {
      at::Tensor view = storage.as_strided(x.sizes(), {batch_stride, kShape.head_dim, row, 1},
                                           index * kShape.heads * kShape.head_dim);
      view.copy_(x);
      return view.detach().requires_grad_();
    };
    CaseTensors tensors = plain_;
    tensors.q = far(plain_.q.detach(), 0);
    tensors.k = far(plain_.k.detach(), 1);
    tensors.v = far(plain_.v.detach(), 2);
    EXPECT_TRUE(SameBits(Result(tensors), Result(plain_))) << batch_stride;
  }
}

TEST_P(LayoutTest, RowsSpreadOver4GiBAreNamedAndContiguousHelps) {
  const int64_t element_bytes = plain_.q.element_size();
  const int64_t row = (int64_t{1} << 32) / element_bytes / kShape.length;
  const at::Tensor storage = EmptyIfItFits(kShape.length * row, plain_.q.detach().options());
  if (!storage.defined()) GTEST_SKIP() << "needs 4 GiB of GPU memory";
  const auto spread = [&](const at::Tensor& x) {
    at::Tensor view =
        storage.as_strided(x.sizes(), {kShape.heads * kShape.head_dim, kShape.head_dim, row, 1});
    view.copy_(x);
    return view;
  };
  const at::Tensor q = plain_.q.detach();
  const at::Tensor far = spread(q);
  const std::vector<std::vector<at::Tensor>> calls = {{far, q, q}, {q, far, q}, {q, q, far}};
  for (const std::vector<at::Tensor>& call : calls) {
    try {
      Attention(call[0], call[1], call[2]);
      ADD_FAILURE() << "no error";
    } catch (const c10::Error& error) {
      EXPECT_THAT(error.what_without_backtrace(), HasSubstr("is spread too far"));
      EXPECT_THAT(error.what_without_backtrace(), HasSubstr(".contiguous()"));
    }
  }
  EXPECT_TRUE(Attention(far.contiguous(), q, q).equal(Attention(q, q, q)));

  // A gradient comes from somebody else's backward pass: it is taken as it is.
  CaseTensors tensors = plain_;
  tensors.grad_out = spread(plain_.grad_out);
  EXPECT_TRUE(SameBits(Result(tensors), Result(plain_)));
}

INSTANTIATE_TEST_SUITE_P(All, LayoutTest,
                         ::testing::Combine(::testing::ValuesIn(kPrecisions),
                                            ::testing::Values(32, 64)),
                         [](const auto& info) {
                           return absl::StrCat(Name(std::get<0>(info.param)), "Block",
                                               std::get<1>(info.param));
                         });

}  // namespace
}  // namespace spion

#include "spion/ops/gpu/precision_case.h"

#include <ATen/ops/from_blob.h>
#include <ATen/ops/tensor.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cstdint>
#include <thread>
#include <utility>
#include <vector>

#include "spion/base/parallel.h"
#include "spion/ops/block_sparse_attention.h"
#include "spion/reference/attention.h"

namespace spion {
namespace {

/// Values [B, H, L, d] on the host, not owned.
at::Tensor Blob(const std::vector<float>& values, const AttentionShape& shape) {
  return at::from_blob(const_cast<float*>(values.data()),
                       {shape.batch, shape.heads, shape.length, shape.head_dim}, at::kFloat);
}

at::Tensor Leaf(const std::vector<float>& values, const PrecisionCase& c, c10::Device device) {
  return Blob(values, c.inputs.shape)
      .to(device, ScalarTypeOf(c.precision), /*non_blocking=*/false, /*copy=*/true)
      .requires_grad_();
}

std::optional<at::Tensor> PaddingTensor(const AttentionCase& inputs, c10::Device device) {
  if (!inputs.lengths.empty()) return at::tensor(inputs.lengths, at::kInt).to(device);
  if (inputs.valid.empty()) return std::nullopt;
  return at::from_blob(const_cast<uint8_t*>(inputs.valid.data()),
                       {inputs.shape.batch, inputs.shape.length}, at::kByte)
      .to(at::kBool)
      .to(device);
}

/// The problem of one head of one example.
reference::Input HeadInput(const PrecisionCase& c, int64_t batch, int64_t head) {
  const AttentionCase& inputs = c.inputs;
  const AttentionShape& shape = inputs.shape;
  const int64_t elements = shape.length * shape.head_dim;
  const auto slice = [&](const std::vector<float>& values) {
    const auto begin = values.begin() + (batch * shape.heads + head) * elements;
    return std::vector<double>(begin, begin + elements);
  };
  reference::Input input = {.batch = 1,
                            .heads = 1,
                            .length = shape.length,
                            .head_dim = shape.head_dim,
                            .scale = inputs.scale,
                            .pruned = c.pruned,
                            .patterns = {c.patterns[c.patterns.size() == 1 ? 0 : head]},
                            .lengths = {},
                            .valid = {},
                            .q = slice(inputs.q),
                            .k = slice(inputs.k),
                            .v = slice(inputs.v)};
  if (!inputs.lengths.empty()) input.lengths = {inputs.lengths[batch]};
  if (!inputs.valid.empty()) {
    const auto begin = inputs.valid.begin() + batch * shape.length;
    input.valid.assign(begin, begin + shape.length);
  }
  return input;
}

ParallelFor AllProcessors() {
  return ThreadedFor(std::max(1, static_cast<int>(std::thread::hardware_concurrency())));
}

}  // namespace

const char* Name(PrunedScore pruned) {
  return pruned == PrunedScore::kZero ? "PrunedIsZero" : "PrunedExcluded";
}

PrecisionCase MakePrecisionCase(TestPrecision precision, const AttentionShape& shape,
                                CasePadding padding, double deviation, uint64_t seed,
                                std::vector<BlockPattern> patterns, PrunedScore pruned) {
  PrecisionCase c = {.inputs = MakeAttentionCase(shape, padding, deviation, seed),
                     .patterns = std::move(patterns),
                     .pruned = pruned,
                     .precision = precision};
  RoundInputs(c);
  return c;
}

void RoundInputs(PrecisionCase& c) {
  if (ScalarTypeOf(c.precision) == at::kFloat) return;
  for (std::vector<float>* values : {&c.inputs.q, &c.inputs.k, &c.inputs.v, &c.inputs.grad_out}) {
    at::Tensor blob = Blob(*values, c.inputs.shape);
    blob.copy_(blob.to(ScalarTypeOf(c.precision)));
  }
}

CaseTensors ToTensors(const PrecisionCase& c, c10::Device device) {
  return {.q = Leaf(c.inputs.q, c, device),
          .k = Leaf(c.inputs.k, c, device),
          .v = Leaf(c.inputs.v, c, device),
          .grad_out = Blob(c.inputs.grad_out, c.inputs.shape)
                          .transpose(1, 2)
                          .contiguous()
                          .to(device, ScalarTypeOf(c.precision))
                          .transpose(1, 2),
          .padding = PaddingTensor(c.inputs, device)};
}

AttentionResult ForwardAndBackward(const AttentionCall& attention, const CaseTensors& tensors) {
  const at::Tensor out = attention(tensors.q, tensors.k, tensors.v);
  const std::vector<at::Tensor> gradients =
      torch::autograd::grad({out}, {tensors.q, tensors.k, tensors.v}, {tensors.grad_out});
  return {
      .out = out.detach(), .grad_q = gradients[0], .grad_k = gradients[1], .grad_v = gradients[2]};
}

AttentionResult RunOperator(const PrecisionCase& c, c10::Device device, bool deterministic) {
  const CaseTensors tensors = ToTensors(c, device);
  const PatternTensors pattern = ToTensors(c.patterns, device);
  return ForwardAndBackward(
      [&](const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
        return BlockSparseAttention(q, k, v, pattern, tensors.padding, c.pruned,
                                    Float32MathOf(c.precision), deterministic);
      },
      tensors);
}

bool SameBits(const AttentionResult& a, const AttentionResult& b) {
  return a.out.equal(b.out) && a.grad_q.equal(b.grad_q) && a.grad_k.equal(b.grad_k) &&
         a.grad_v.equal(b.grad_v);
}

AttentionTruth RunOracle(const PrecisionCase& c) {
  const AttentionShape& shape = c.inputs.shape;
  const int64_t elements = shape.length * shape.head_dim;
  const std::vector<double> zeros(shape.elements(), 0.0);
  AttentionTruth truth = {.out = zeros, .grad_q = zeros, .grad_k = zeros, .grad_v = zeros};
  AllProcessors()(shape.batch * shape.heads, [&](int64_t index) {
    const reference::Input input = HeadInput(c, index / shape.heads, index % shape.heads);
    const auto grad_out = c.inputs.grad_out.begin() + index * elements;
    const reference::Output output = reference::Forward(input);
    const reference::Gradients gradients =
        reference::Backward(input, {grad_out, grad_out + elements});
    const auto put = [&](const std::vector<double>& from, std::vector<double>& to) {
      std::copy(from.begin(), from.end(), to.begin() + index * elements);
    };
    put(output.out, truth.out);
    put(gradients.q, truth.grad_q);
    put(gradients.k, truth.grad_k);
    put(gradients.v, truth.grad_v);
  });
  return truth;
}

std::vector<double> OracleMap(const PrecisionCase& c) {
  const AttentionShape& shape = c.inputs.shape;
  const int64_t heads = shape.batch * shape.heads;
  std::vector<std::vector<double>> maps(heads);
  AllProcessors()(heads, [&](int64_t index) {
    maps[index] =
        reference::MeanAttentionMap(HeadInput(c, index / shape.heads, index % shape.heads));
  });
  std::vector<double> mean(shape.length * shape.length, 0.0);
  for (const std::vector<double>& map : maps) {
    for (size_t i = 0; i < mean.size(); ++i) mean[i] += map[i] / static_cast<double>(heads);
  }
  return mean;
}

std::vector<float> HostFloats(const at::Tensor& tensor) {
  const at::Tensor host = tensor.detach().to(at::kCPU, at::kFloat).contiguous();
  return {host.const_data_ptr<float>(), host.const_data_ptr<float>() + host.numel()};
}

}  // namespace spion

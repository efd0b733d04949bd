// Dropouts of tokens' rows by the kernels of a GPU. Private to spion/ops.
#ifndef SPION_OPS_DROPOUT_H_
#define SPION_OPS_DROPOUT_H_

#include <ATen/core/Tensor.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cstdint>

namespace spion {

/// Of a forward call and its backward call, which drops the same numbers again.
struct Dropout {
  double probability = 0;
  /// The number of the batch's slice that the call has (SetBatchSlice).
  int64_t slice = 0;
  /// int64 [2], on the call's device; undefined for a probability of 0. The forward call draws from
  /// LibTorch's generator and leaves here what its numbers come from, seed and offset, for the
  /// backward call. In a recorded graph each replay does so.
  at::Tensor random;
};

/// Throws c10::Error unless the probability is at least 0 and below 1.
void CheckDropout(const char* name, double probability);

/// Of a forward call on x, a tensor on a GPU.
Dropout NewDropout(double probability, const at::Tensor& x);

void Save(torch::autograd::AutogradContext* context, const Dropout& dropout);
Dropout SavedDropout(torch::autograd::AutogradContext* context);

}  // namespace spion

#endif  // SPION_OPS_DROPOUT_H_

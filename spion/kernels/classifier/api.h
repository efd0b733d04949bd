// What follows the encoder, for batches of a few hundred examples: a classifier of two linear maps
// and its loss. LibTorch takes some forty kernels for it, each of which is over before it has
// begun.
//
//   hidden = max(features W1^T + b1, 0)      logits = hidden W2^T + b2
//   loss = mean of log(sum of e^logits) - logit of the label
#ifndef SPION_KERNELS_CLASSIFIER_API_H_
#define SPION_KERNELS_CLASSIFIER_API_H_

#include <cstdint>

#include "absl/status/status.h"
#include "spion/kernels/common/number.h"

struct CUstream_st;  // cudaStream_t is a pointer to it

namespace spion::cuda {

// All pointers are device pointers to contiguous arrays, aligned to 16 bytes. Operands of products
// are rounded to bf16, also between the two maps; sums are fp32, always in the same order: the same
// bits every run. Weights are read while the kernel before on the stream ends (programmatic
// dependent launch): it must not be what writes them.

/// What the kernels take: features and hidden numbers in multiples of the unit.
constexpr int64_t kClassifierUnit = 4;
constexpr int64_t kMaxFeatures = 1024;
constexpr int64_t kMaxHidden = 128;
constexpr int64_t kMaxClasses = 16;
constexpr int64_t kMaxExamples = int64_t{1} << 20;

struct ClassifierSizes {
  int64_t examples;
  int64_t features;
  int64_t hidden;
  int64_t classes;
};

struct ClassifierForward {
  ClassifierSizes sizes;
  const float* features;       // [examples, features]
  const float* hidden_weight;  // W1: [hidden, features]
  const float* hidden_bias;
  const float* class_weight;  // W2: [classes, hidden]
  const float* class_bias;
  BFloat16* hidden;  // [examples, hidden], for the backward call
  float* logits;     // [examples, classes]
};

struct ClassifierBackward {
  ClassifierSizes sizes;
  const float* grad_logits;  // [examples, classes]
  const float* features;
  const float* hidden_weight;
  const float* class_weight;
  const BFloat16* hidden;  // the forward call's
  BFloat16* grad_hidden;   // [examples, hidden]: scratch
  float* grad_features;    // [examples, features]
  float* grad_hidden_weight;
  float* grad_hidden_bias;
  float* grad_class_weight;
  float* grad_class_bias;
};

struct CrossEntropy {
  int64_t examples;
  int64_t classes;
  const float* logits;    // [examples, classes]
  const int64_t* labels;  // [examples], each below the classes: the kernel stops with an assertion
  float* loss;            // [1]
  float* right;           // [1]: of how many the largest logit, the first one, is the label's
  float* grad_logits;     // [examples, classes]: of the loss
};

// Queue on `stream`, on the current device; neither allocate nor wait, so a CUDA graph may capture
// them. Errors, with nothing written: InvalidArgument naming a size that is not taken;
// Internal with CUDA's message if a launch fails. Pointers are not checked.
absl::Status Run(const ClassifierForward& call, CUstream_st* stream);
absl::Status Run(const ClassifierBackward& call, CUstream_st* stream);
absl::Status Run(const CrossEntropy& call, CUstream_st* stream);

}  // namespace spion::cuda

#endif  // SPION_KERNELS_CLASSIFIER_API_H_

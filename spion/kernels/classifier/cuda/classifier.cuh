// A classifier of two linear maps, a few examples a thread block. What takes time is waiting for
// the weights: all of a thread's part are under way together, and while the kernel before ends.
#ifndef SPION_KERNELS_CLASSIFIER_CUDA_CLASSIFIER_CUH_
#define SPION_KERNELS_CLASSIFIER_CUDA_CLASSIFIER_CUH_

#include <cstdint>

#include "spion/kernels/classifier/api.h"
#include "spion/kernels/classifier/cuda/classifier_launch.h"
#include "spion/kernels/cuda_tiles/vectors.cuh"

namespace spion::cuda {

/// Rounded to bf16.
__device__ __forceinline__ float InBF16(float x) {
  return __uint_as_float(tiles::PackPair<BFloat16>(x, 0) << 16);
}
__device__ __forceinline__ BFloat16 AsBF16(float x) {
  return {static_cast<uint16_t>(tiles::PackPair<BFloat16>(x, 0))};
}
__device__ __forceinline__ float Widened(BFloat16 x) {
  return __uint_as_float(static_cast<uint32_t>(x.bits) << 16);
}
__device__ __forceinline__ float Widened(float x) { return InBF16(x); }

/// A part of a weight in shared memory, rounded to bf16, whose rows and columns threads read side
/// by side: `kColumns` columns of at most kRows rows.
template <int kRows, int kColumns>
struct WeightPart {
  static constexpr int kStride = kColumns + 1;
  float numbers[kRows * kStride];

  __device__ __forceinline__ float At(int row, int column) const {
    return numbers[row * kStride + column];
  }
  /// Columns first_column .. of `weight`, [rows, columns]; zeros beyond both. Barriers must lie
  /// around it. 16-byte pieces: `columns` is a multiple of 4.
  __device__ __forceinline__ void Load(const float* weight, int64_t rows, int64_t columns,
                                       int64_t first_column) {
    constexpr int kPieces = kRows * kColumns / 4 / kClassifierThreads;
    static_assert(kPieces * 4 * kClassifierThreads == kRows * kColumns);
    float4 pieces[kPieces];
    const auto place = [&](int piece) {
      return 4 * (piece * kClassifierThreads + static_cast<int>(threadIdx.x));
    };
#pragma unroll
    for (int piece = 0; piece < kPieces; ++piece) {
      const int64_t row = place(piece) / kColumns;
      const int64_t column = first_column + place(piece) % kColumns;
      pieces[piece] = {0, 0, 0, 0};
      if (row < rows && column < columns) {
        pieces[piece] = tiles::LoadFour(weight + row * columns + column);
      }
    }
#pragma unroll
    for (int piece = 0; piece < kPieces; ++piece) {
      float* to = numbers + place(piece) / kColumns * kStride + place(piece) % kColumns;
      to[0] = InBF16(pieces[piece].x);
      to[1] = InBF16(pieces[piece].y);
      to[2] = InBF16(pieces[piece].z);
      to[3] = InBF16(pieces[piece].w);
    }
  }
};
using HiddenPart = WeightPart<kMaxHidden, kClassifierColumns>;
using ClassPart = WeightPart<kMaxClasses, kMaxHidden>;

/// Numbers of the thread block's examples, side by side.
struct OfExamples {
  float of[kClassifierExamples];
};
static_assert(kClassifierExamples == 4);
__device__ __forceinline__ void AddTimes(float factor, const OfExamples& x, OfExamples& sums) {
#pragma unroll
  for (int e = 0; e < kClassifierExamples; ++e) sums.of[e] = fmaf(factor, x.of[e], sums.of[e]);
}

/// The thread block's examples.
struct ExampleRows {
  int64_t first;
  int64_t end;

  explicit __device__ __forceinline__ ExampleRows(const ClassifierSizes& sizes)
      : first(int64_t{blockIdx.x} * kClassifierExamples), end(sizes.examples) {}
  __device__ __forceinline__ bool IsThere(int e) const { return first + e < end; }
  /// Columns first_column .. of their rows, [examples, columns], rounded to bf16, by all threads;
  /// zeros beyond.
  __device__ __forceinline__ void Load(const float* rows, int64_t columns, int64_t first_column,
                                       int count, OfExamples* to) const {
    for (int i = static_cast<int>(threadIdx.x); i < kClassifierExamples * count;
         i += kClassifierThreads) {
      const int e = i / count;
      const int64_t column = first_column + i % count;
      to[i % count].of[e] =
          IsThere(e) && column < columns ? InBF16(rows[(first + e) * columns + column]) : 0;
    }
  }
};

/// Grid: ceil(examples / kClassifierExamples) thread blocks of kClassifierThreads, each of which
/// has a hidden number.
static __global__ void __launch_bounds__(kClassifierThreads)
    ClassifierForwardKernel(const __grid_constant__ ClassifierForward call) {
  static_assert(kMaxHidden == kClassifierThreads);
  __shared__ HiddenPart hidden_part;
  __shared__ ClassPart class_part;
  alignas(16) __shared__ OfExamples features[kClassifierColumns];
  alignas(16) __shared__ OfExamples hidden[kMaxHidden];
  const ClassifierSizes& sizes = call.sizes;
  const ExampleRows rows(sizes);
  const auto thread = static_cast<int>(threadIdx.x);
  hidden_part.Load(call.hidden_weight, sizes.hidden, sizes.features, 0);
  class_part.Load(call.class_weight, sizes.classes, sizes.hidden, 0);
  tiles::WaitForKernelBefore();
  tiles::LetNextKernelStart();
  OfExamples sums = {};
  for (int64_t first = 0; first < sizes.features; first += kClassifierColumns) {
    if (first > 0) {
      __syncthreads();  // all have read what was there before the next columns come
      hidden_part.Load(call.hidden_weight, sizes.hidden, sizes.features, first);
    }
    rows.Load(call.features, sizes.features, first, kClassifierColumns, features);
    __syncthreads();  // weights and features are there before any thread multiplies them
#pragma unroll 16
    for (int i = 0; i < kClassifierColumns; ++i) {
      AddTimes(hidden_part.At(thread, i), features[i], sums);
    }
  }
  const bool is_hidden = thread < sizes.hidden;
  const float bias = is_hidden ? call.hidden_bias[thread] : 0;
#pragma unroll
  for (int e = 0; e < kClassifierExamples; ++e) {
    const BFloat16 active = AsBF16(fmaxf(sums.of[e] + bias, 0));
    hidden[thread].of[e] = Widened(active);
    if (is_hidden && rows.IsThere(e))
      call.hidden[(rows.first + e) * sizes.hidden + thread] = active;
  }
  __syncthreads();  // so are the hidden numbers
  for (int64_t c = thread / kClassifierExamples; c < sizes.classes;
       c += kClassifierThreads / kClassifierExamples) {
    const int e = thread % kClassifierExamples;
    float sum = 0;
#pragma unroll 16
    for (int j = 0; j < kMaxHidden; ++j) {
      sum = fmaf(class_part.At(static_cast<int>(c), j), hidden[j].of[e], sum);
    }
    if (rows.IsThere(e)) {
      call.logits[(rows.first + e) * sizes.classes + c] = sum + call.class_bias[c];
    }
  }
}

/// The gradients of the examples. Grid: as ClassifierForwardKernel's.
static __global__ void __launch_bounds__(kClassifierThreads)
    ClassifierBackwardKernel(const __grid_constant__ ClassifierBackward call) {
  constexpr int kHalves = kClassifierThreads / kClassifierColumns;  // of the hidden numbers
  static_assert(kHalves == 2);
  __shared__ HiddenPart hidden_part;
  __shared__ ClassPart class_part;
  alignas(16) __shared__ OfExamples grad_logits[kMaxClasses];
  alignas(16) __shared__ OfExamples grad_hidden[kMaxHidden];
  alignas(16) __shared__ OfExamples second_half[kClassifierColumns];
  const ClassifierSizes& sizes = call.sizes;
  const ExampleRows rows(sizes);
  const auto thread = static_cast<int>(threadIdx.x);
  hidden_part.Load(call.hidden_weight, sizes.hidden, sizes.features, 0);
  class_part.Load(call.class_weight, sizes.classes, sizes.hidden, 0);
  tiles::WaitForKernelBefore();
  tiles::LetNextKernelStart();
  rows.Load(call.grad_logits, sizes.classes, 0, static_cast<int>(sizes.classes), grad_logits);
  __syncthreads();  // weights and gradients are there before any thread multiplies them
  OfExamples sums = {};
  for (int c = 0; c < sizes.classes; ++c) {
    AddTimes(class_part.At(c, thread), grad_logits[c], sums);
  }
#pragma unroll
  for (int e = 0; e < kClassifierExamples; ++e) {
    grad_hidden[thread].of[e] = 0;
    if (thread >= sizes.hidden || !rows.IsThere(e)) continue;
    const int64_t at = (rows.first + e) * sizes.hidden + thread;
    const BFloat16 grad = AsBF16(Widened(call.hidden[at]) > 0 ? sums.of[e] : 0);
    grad_hidden[thread].of[e] = Widened(grad);
    call.grad_hidden[at] = grad;
  }
  const int column = thread % kClassifierColumns;
  const int first_hidden = thread / kClassifierColumns * (kMaxHidden / kHalves);
  for (int64_t first = 0; first < sizes.features; first += kClassifierColumns) {
    if (first > 0) {
      __syncthreads();  // all have read what was there before the next columns come
      hidden_part.Load(call.hidden_weight, sizes.hidden, sizes.features, first);
    }
    __syncthreads();  // so are those of the hidden numbers
    OfExamples of_half = {};
#pragma unroll 16
    for (int j = 0; j < kMaxHidden / kHalves; ++j) {
      AddTimes(hidden_part.At(first_hidden + j, column), grad_hidden[first_hidden + j], of_half);
    }
    if (first_hidden > 0) second_half[column] = of_half;
    __syncthreads();  // the second half's sums are there before the first adds them
    if (first_hidden > 0 || first + column >= sizes.features) continue;
#pragma unroll
    for (int e = 0; e < kClassifierExamples; ++e) {
      if (!rows.IsThere(e)) continue;
      call.grad_features[(rows.first + e) * sizes.features + first + column] =
          of_half.of[e] + second_half[column].of[e];
    }
  }
}

/// Row `row` of a weight's gradient and of its bias's: sums over the examples of a column of
/// `grads` times rows of `x`, by slices of them that are then added in order.
template <typename Grad, typename X>
__device__ __forceinline__ void SumWeightRow(int32_t examples, const Grad* grads, int32_t outs,
                                             const X* x, int32_t columns, float* grad_weight,
                                             float* grad_bias) {
  __shared__ float parts[kClassifierSlices][2][kClassifierColumns];
  const int lane = static_cast<int>(threadIdx.x) % kClassifierColumns;
  const int slice = static_cast<int>(threadIdx.x) / kClassifierColumns;
  for (int32_t first = 0; first < columns; first += kClassifierColumns) {
    const bool is_column = first + lane < columns;
    const X* of_lane = x + (is_column ? first + lane : 0);
    float sum = 0;
    float total = 0;
#pragma unroll 16
    for (int32_t example = slice; example < examples; example += kClassifierSlices) {
      const float grad = Widened(grads[int64_t{example} * outs]);
      sum = fmaf(grad, Widened(of_lane[int64_t{example} * columns]), sum);
      total += grad;
    }
    parts[slice][0][lane] = sum;
    parts[slice][1][lane] = total;
    __syncthreads();  // all slices' sums are there before the first one adds them up
    if (slice == 0) {
      for (int other = 1; other < kClassifierSlices; ++other) {
        sum += parts[other][0][lane];
        total += parts[other][1][lane];
      }
      if (is_column) grad_weight[first + lane] = sum;
      if (first + lane == 0) *grad_bias = total;
    }
    __syncthreads();  // they have been read before the next columns' come
  }
}

/// The gradients of the parameters. Grid: a thread block of kClassifierSlices * kClassifierColumns
/// for each hidden number and for each class.
static __global__ void __launch_bounds__(kClassifierSlices* kClassifierColumns)
    ClassifierWeightsKernel(const __grid_constant__ ClassifierBackward call) {
  tiles::WaitForKernelBefore();
  tiles::LetNextKernelStart();
  const auto examples = static_cast<int32_t>(call.sizes.examples);
  const auto features = static_cast<int32_t>(call.sizes.features);
  const auto hidden = static_cast<int32_t>(call.sizes.hidden);
  const auto classes = static_cast<int32_t>(call.sizes.classes);
  const auto row = static_cast<int32_t>(blockIdx.x);
  if (row < hidden) {
    SumWeightRow(examples, call.grad_hidden + row, hidden, call.features, features,
                 call.grad_hidden_weight + int64_t{row} * features, call.grad_hidden_bias + row);
  } else {
    const int32_t c = row - hidden;
    SumWeightRow(examples, call.grad_logits + c, classes, call.hidden, hidden,
                 call.grad_class_weight + int64_t{c} * hidden, call.grad_class_bias + c);
  }
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_CLASSIFIER_CUDA_CLASSIFIER_CUH_

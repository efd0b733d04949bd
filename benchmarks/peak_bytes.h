// What a piece of work holds at most of a GPU's memory.
#ifndef BENCHMARKS_PEAK_BYTES_H_
#define BENCHMARKS_PEAK_BYTES_H_

#include <c10/core/Device.h>

#include <cstdint>

#include "absl/functional/function_ref.h"

namespace spion {

/// The most that LibTorch's allocations on `device`, a GPU, grow while `run` runs, which returns
/// when the device has done with it.
int64_t PeakBytes(c10::Device device, absl::FunctionRef<void()> run);

}  // namespace spion

#endif  // BENCHMARKS_PEAK_BYTES_H_

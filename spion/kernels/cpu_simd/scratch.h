// A task's uninitialised temporary memory.
#ifndef SPION_KERNELS_CPU_SIMD_SCRATCH_H_
#define SPION_KERNELS_CPU_SIMD_SCRATCH_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

namespace spion::cpu_simd {

/// `floats` floats, aligned to a cache line so that vector loads do not cross lines.
class Scratch {
 public:
  explicit Scratch(int64_t floats)
      : data_(static_cast<float*>(
            ::operator new(static_cast<size_t>(floats) * sizeof(float), kAlignment))) {}

  float* data() const { return data_.get(); }

 private:
  static constexpr std::align_val_t kAlignment{64};
  struct Free {
    void operator()(float* data) const { ::operator delete(data, kAlignment); }
  };
  std::unique_ptr<float, Free> data_;
};

}  // namespace spion::cpu_simd

#endif  // SPION_KERNELS_CPU_SIMD_SCRATCH_H_

// Recording what some work starts on a device, to start it all again at once: a CUDA graph. The
// recorder of a kind of device registers itself (cuda_recorder.cc), so that a program for the CPU
// links no CUDA library.
#ifndef SPION_PLATFORM_RECORDER_H_
#define SPION_PLATFORM_RECORDER_H_

#include <c10/core/Device.h>

#include <functional>
#include <memory>

namespace spion {

/// What was recorded. Holds the device memory that it works in; the device must have come to its
/// end when it is destroyed.
class Recording {
 public:
  virtual ~Recording() = default;
  /// Starts all of it on the current stream, with the same tensors, and new random numbers.
  virtual void Replay() = 0;
};

/// Waits for the device, then calls `work` once, which computes nothing yet. It must read no device
/// data on the host. Throws c10::Error if that fails, saying what to do instead; the device's
/// random numbers cannot be drawn any more then.
using Recorder = std::unique_ptr<Recording> (*)(c10::Device device,
                                                const std::function<void()>& work);

/// Null where this program has none for the kind of device.
Recorder FindRecorder(c10::DeviceType type);

/// At most one for a kind of device.
void RegisterRecorder(c10::DeviceType type, Recorder recorder);

}  // namespace spion

#endif  // SPION_PLATFORM_RECORDER_H_

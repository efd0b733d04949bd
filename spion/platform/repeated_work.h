// Work that is done again and again with the same tensors: on a device with a recorder it runs a
// few times as it is, is then recorded, and from there on replayed, which costs the host one call
// instead of one a kernel. Elsewhere it always runs as it is.
//
//   RepeatedWork step(device, FindRecorder(device.type()));
//   for (...) {
//     ... fill the tensors that the step reads ...
//     step.Run(phases.generation(), [&] { ... });
//   }
#ifndef SPION_PLATFORM_REPEATED_WORK_H_
#define SPION_PLATFORM_REPEATED_WORK_H_

#include <c10/core/Device.h>

#include <cstdint>
#include <functional>
#include <memory>

#include "spion/platform/recorder.h"

namespace spion {

class RepeatedWork {
 public:
  /// `recorder` may be null.
  RepeatedWork(c10::Device device, Recorder recorder);
  ~RepeatedWork();
  RepeatedWork(const RepeatedWork&) = delete;
  RepeatedWork& operator=(const RepeatedWork&) = delete;

  /// Does `work`, which is the same in all calls with one key that follow each other; another key
  /// drops what was recorded and begins anew. What the work changes on the host it changes only
  /// when it runs or is recorded, and must not matter. Throws what the work throws and what the
  /// recorder throws.
  void Run(int64_t key, const std::function<void()>& work);

  /// Gives the recording's memory back, as others need it. The next Run begins anew.
  void Drop();

  /// Whether any work was ever recorded, dropped or not.
  bool has_recorded() const { return has_recorded_; }

 private:
  c10::Device device_;
  Recorder recorder_;
  int64_t key_ = 0;
  int runs_ = 0;  // of that key
  bool has_recorded_ = false;
  std::unique_ptr<Recording> recording_;
};

}  // namespace spion

#endif  // SPION_PLATFORM_REPEATED_WORK_H_

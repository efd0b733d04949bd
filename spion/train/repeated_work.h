// Work that is done again and again with the same tensors: on a device with a recorder it runs a
// few times as it is, is then recorded, and from there on replayed, which costs the host one call
// instead of one a kernel. Elsewhere it always runs as it is.
//
//   RepeatedWork step(device);
//   for (...) {
//     ... fill the tensors that the step reads ...
//     step.Run([&] { ... });
//   }
#ifndef SPION_TRAIN_REPEATED_WORK_H_
#define SPION_TRAIN_REPEATED_WORK_H_

#include <c10/core/Device.h>

#include <functional>
#include <memory>

#include "spion/train/recorder.h"

namespace spion {

class RepeatedWork {
 public:
  /// `recorder` may be null.
  RepeatedWork(c10::Device device, Recorder recorder);
  ~RepeatedWork();
  RepeatedWork(const RepeatedWork&) = delete;
  RepeatedWork& operator=(const RepeatedWork&) = delete;

  /// Does `work`, which is the same at each call up to a Forget. What it changes on the host it
  /// changes only when it runs or is recorded, and must not matter. Throws what the work throws and
  /// what the recorder throws.
  void Run(const std::function<void()>& work);

  /// From now on the work is another, or others need the recording's memory.
  void Forget();

  /// Whether any work was ever recorded, forgotten or not.
  bool has_recorded() const { return has_recorded_; }

 private:
  c10::Device device_;
  Recorder recorder_;
  int runs_ = 0;
  bool has_recorded_ = false;
  std::unique_ptr<Recording> recording_;
};

}  // namespace spion

#endif  // SPION_TRAIN_REPEATED_WORK_H_

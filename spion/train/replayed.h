// A recording for tests on the CPU: it replays by doing the work again.
#ifndef SPION_TRAIN_REPLAYED_H_
#define SPION_TRAIN_REPLAYED_H_

#include <functional>
#include <memory>
#include <utility>

#include "spion/platform/recorder.h"

namespace spion {

class Replayed : public Recording {
 public:
  static std::unique_ptr<Recording> Of(std::function<void()> work) {
    return std::make_unique<Replayed>(std::move(work));
  }
  explicit Replayed(std::function<void()> work) : work_(std::move(work)) {}
  void Replay() override { work_(); }

 private:
  std::function<void()> work_;
};

}  // namespace spion

#endif  // SPION_TRAIN_REPLAYED_H_

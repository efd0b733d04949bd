#include "spion/platform/repeated_work.h"

#include <c10/core/CachingDeviceAllocator.h>

#include "spion/platform/device.h"

namespace spion {
namespace {

// What LibTorch and its libraries make at first use, they make in these runs.
constexpr int kRunsBeforeRecording = 3;

// A recording has memory of its own: what the allocator keeps for others would come on top.
void FreeCachedMemory(c10::Device device) {
  if (!device.is_cpu()) c10::getDeviceAllocator(device.type())->emptyCache();
}

}  // namespace

RepeatedWork::RepeatedWork(c10::Device device, Recorder recorder)
    : device_(device), recorder_(recorder) {}

RepeatedWork::~RepeatedWork() {
  try {
    Drop();
  } catch (const c10::Error& error) {
    // A device that failed: whoever asked it for something has been told. Nothing is to be had from
    // it any more, and an exception here would end the program without a word.
    recording_.release();
  }
}

void RepeatedWork::Run(int64_t key, const std::function<void()>& work) {
  if (key != key_) Drop();
  key_ = key;
  if (recorder_ == nullptr || runs_ < kRunsBeforeRecording) {
    ++runs_;
    work();
    return;
  }
  if (recording_ == nullptr) {
    FreeCachedMemory(device_);
    recording_ = recorder_(device_, work);
    has_recorded_ = true;
  }
  recording_->Replay();
}

void RepeatedWork::Drop() {
  runs_ = 0;
  if (recording_ == nullptr) return;
  WaitForDevice(device_);
  recording_.reset();
  FreeCachedMemory(device_);
}

}  // namespace spion

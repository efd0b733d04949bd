#include "spion/platform/recorder.h"

#include <map>

namespace spion {
namespace {

std::map<c10::DeviceType, Recorder>& Recorders() {
  static auto* recorders = new std::map<c10::DeviceType, Recorder>;
  return *recorders;
}

}  // namespace

Recorder FindRecorder(c10::DeviceType type) {
  const auto found = Recorders().find(type);
  return found == Recorders().end() ? nullptr : found->second;
}

void RegisterRecorder(c10::DeviceType type, Recorder recorder) { Recorders()[type] = recorder; }

}  // namespace spion

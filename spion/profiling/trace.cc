#include "spion/profiling/trace.h"

#include <ATen/SequenceNumber.h>
#include <ATen/record_function.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/csrc/autograd/profiler_kineto.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "spion/base/file.h"
#include "spion/base/status.h"
#include "spion/base/utf8.h"

namespace spion {
namespace {

namespace profiler = torch::autograd::profiler;

constexpr char kAboveErrors[] = "5";  // of libkineto's log levels

// Under which LibTorch's profiler writes, before it gives the file its name.
constexpr char kProfilersSuffix[] = ".tmp";

std::string TraceName(Region region, const RangeLabel& label) {
  std::string name = absl::StrCat("spion:", RegionName(region));
  if (label.layer >= 0) absl::StrAppend(&name, " layer ", label.layer);
  if (label.kept_blocks >= 0) {
    absl::StrAppend(&name, label.layer >= 0 ? ", " : " ", label.kept_blocks, " blocks");
  }
  return name;
}

}  // namespace

// Each range becomes a user annotation of LibTorch's profiler.
class Trace::Listener : public RangeListener {
 public:
  void* Open(Region region, const RangeLabel& label) override {
    auto* record = new at::RecordFunction(at::RecordScope::USER_SCOPE);
    if (record->isActive()) {
      record->before(TraceName(region, label), static_cast<int64_t>(at::sequence_number::peek()));
    }
    return record;
  }
  void Close(void* opened) override { delete static_cast<at::RecordFunction*>(opened); }
};

absl::StatusOr<std::unique_ptr<Trace>> Trace::Create(const TraceOptions& options) {
  RETURN_IF_ERROR(CheckReplaceable(options.path));
  if (!IsUtf8(options.path)) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot write the trace ", ToUtf8(options.path),
                     ": LibTorch puts its path into it, which must be UTF-8; name another file"));
  }
  const std::filesystem::path folder = std::filesystem::path(options.path).parent_path();
  std::error_code error;
  if (!folder.empty()) std::filesystem::create_directories(folder, error);
  if (error) {
    return absl::ErrnoToStatus(error.value(),
                               absl::StrCat("cannot make the trace's folder ", folder.string()));
  }
  std::unique_ptr<Trace> trace(new Trace(options));
  if (!std::ofstream(trace->partial_)) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot write the trace ", trace->partial_));
  }
  return trace;
}

Trace::Trace(const TraceOptions& options)
    : options_(options),
      partial_(options.path + ".partial"),
      listener_(std::make_unique<Listener>()) {}

Trace::~Trace() {
  if (is_running_) {
    SetRangeListener(nullptr);
    profiler::disableProfiler();
  }
  RemovePartial();
}

void Trace::RemovePartial() const {
  std::error_code ignored;  // after a Write there is none
  std::filesystem::remove(partial_, ignored);
  std::filesystem::remove(partial_ + kProfilersSuffix, ignored);
}

void Trace::Start() {
  std::set<profiler::ActivityType> activities = {profiler::ActivityType::CPU};
  if (options_.device.is_cuda()) {
    activities.insert(profiler::ActivityType::CUDA);
  } else {
    // LibTorch's CUDA build would log as an error that there is no GPU. The user's own choice
    // stands.
    setenv("KINETO_LOG_LEVEL", kAboveErrors, /*overwrite=*/0);
  }
  const profiler::ProfilerConfig config(profiler::ProfilerState::KINETO);
  profiler::prepareProfiler(config, activities);
  profiler::enableProfiler(config, activities);
  SetRangeListener(listener_.get());
  is_running_ = true;
}

absl::Status Trace::Write() {
  absl::Status saved = Save();
  if (!saved.ok()) RemovePartial();
  return saved;
}

absl::Status Trace::Save() {
  SetRangeListener(nullptr);
  if (options_.device.is_cuda()) {
    c10::impl::VirtualGuardImpl(options_.device.type()).synchronizeDevice(options_.device.index());
  }
  const std::unique_ptr<profiler::ProfilerResult> result = profiler::disableProfiler();
  is_running_ = false;
  std::error_code error;
  std::filesystem::remove(partial_, error);  // so that what stands there next is the profiler's
  result->save(partial_);
  const auto size = std::filesystem::file_size(partial_, error);
  if (error || size == 0) {
    return absl::InternalError(
        absl::StrCat("LibTorch's profiler did not write ", partial_, "; the disk may be full"));
  }
  std::filesystem::rename(partial_, options_.path, error);
  if (error) {
    return absl::InternalError(
        absl::StrCat("cannot rename ", partial_, " to ", options_.path, ": ", error.message()));
  }
  return absl::OkStatus();
}

}  // namespace spion

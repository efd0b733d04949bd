#include "spion/profiling/nvtx.h"

#include <nvtx3/nvToolsExt.h>

#include <array>
#include <mutex>
#include <set>
#include <string>

namespace spion::nvtx {
namespace {

// Made on first use, for the rest of the process. Without a tool NVTX gives null handles.
class Domain {
 public:
  static Domain& Get() {
    static auto* domain = new Domain;
    return *domain;
  }

  bool is_watched() const { return handle_ != nullptr; }
  nvtxDomainHandle_t handle() const { return handle_; }

  nvtxEventAttributes_t Attributes(Region region, const RangeLabel& label) {
    nvtxEventAttributes_t attributes{};
    attributes.version = NVTX_VERSION;
    attributes.size = NVTX_EVENT_ATTRIB_STRUCT_SIZE;
    attributes.messageType = NVTX_MESSAGE_TYPE_REGISTERED;
    attributes.message.registered = names_[static_cast<int>(region)];
    if (label.layer >= 0) attributes.category = Category(label.layer);
    if (label.kept_blocks >= 0) {
      attributes.payloadType = NVTX_PAYLOAD_TYPE_INT64;
      attributes.payload.llValue = label.kept_blocks;
    }
    return attributes;
  }

 private:
  Domain() : handle_(nvtxDomainCreateA("spion")) {
    if (!is_watched()) return;
    for (int i = 0; i < kRegions; ++i) {
      names_[i] = nvtxDomainRegisterStringA(handle_, RegionName(static_cast<Region>(i)));
    }
  }

  // NVTX's category 0 means none, so a layer's number is one less than its category's.
  uint32_t Category(int layer) {
    const uint32_t category = static_cast<uint32_t>(layer) + 1;
    const std::lock_guard<std::mutex> lock(mutex_);
    if (named_layers_.insert(layer).second) {
      nvtxDomainNameCategoryA(handle_, category, ("layer " + std::to_string(layer)).c_str());
    }
    return category;
  }

  nvtxDomainHandle_t handle_;
  std::array<nvtxStringHandle_t, kRegions> names_{};
  std::mutex mutex_;
  std::set<int> named_layers_;
};

}  // namespace

void Push(Region region, const RangeLabel& label) {
  Domain& domain = Domain::Get();
  if (!domain.is_watched()) return;
  const nvtxEventAttributes_t attributes = domain.Attributes(region, label);
  nvtxDomainRangePushEx(domain.handle(), &attributes);
}

void Pop() {
  const Domain& domain = Domain::Get();
  if (domain.is_watched()) nvtxDomainRangePop(domain.handle());
}

uint64_t Start(Region region, const RangeLabel& label) {
  Domain& domain = Domain::Get();
  if (!domain.is_watched()) return 0;
  const nvtxEventAttributes_t attributes = domain.Attributes(region, label);
  return nvtxDomainRangeStartEx(domain.handle(), &attributes);
}

void End(uint64_t id) {
  const Domain& domain = Domain::Get();
  if (domain.is_watched()) nvtxDomainRangeEnd(domain.handle(), id);
}

}  // namespace spion::nvtx

// An NVTX tool that writes what it hears to the file named in SPION_NVTX_RECORD, one JSON object a
// line. For tests: NVTX loads it into a program when NVTX_INJECTION64_PATH names it.
//
// Events: domain, string, category, push, pop, start, end. Handles are not written: every line
// has the names behind them. Several copies of NVTX (one in LibTorch, say) share one record.
#include <nvtx3/nvToolsExt.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <utility>

namespace {

struct DomainRecord {
  std::string name;
  std::map<uint32_t, std::string> categories;
  std::deque<std::string> strings;  // stable addresses: they are the handles
};

struct Recorder {
  std::mutex mutex;
  FILE* file = nullptr;
  std::deque<DomainRecord> domains;  // likewise
  nvtxRangeId_t last_range = 0;
};

Recorder& Get() {
  static auto* recorder = new Recorder;
  return *recorder;
}

DomainRecord& Record(nvtxDomainHandle_t domain) { return *reinterpret_cast<DomainRecord*>(domain); }

// Names in this project need no escapes.
std::string Text(const std::string& key, const std::string& value) {
  return ", \"" + key + "\": \"" + value + "\"";
}

std::string Number(const std::string& key, int64_t value) {
  return ", \"" + key + "\": " + std::to_string(value);
}

void Write(const char* event, nvtxDomainHandle_t domain, const std::string& rest) {
  Recorder& recorder = Get();
  std::fprintf(recorder.file, "{\"event\": \"%s\", \"thread\": %d, \"domain\": \"%s\"%s}\n", event,
               gettid(), Record(domain).name.c_str(), rest.c_str());
  std::fflush(recorder.file);
}

std::string Describe(nvtxDomainHandle_t domain, const nvtxEventAttributes_t* attributes) {
  std::string text;
  if (attributes->messageType == NVTX_MESSAGE_TYPE_REGISTERED) {
    text += Text("name", *reinterpret_cast<std::string*>(attributes->message.registered));
  } else {
    text += Text("unregistered", "true");
  }
  if (attributes->category != 0) {
    text += Text("category", Record(domain).categories[attributes->category]);
  }
  if (attributes->payloadType == NVTX_PAYLOAD_TYPE_INT64) {
    text += Number("payload", attributes->payload.llValue);
  }
  return text;
}

nvtxDomainHandle_t DomainCreate(const char* name) {
  Recorder& recorder = Get();
  const std::lock_guard<std::mutex> lock(recorder.mutex);
  recorder.domains.push_back({.name = name, .categories = {}, .strings = {}});
  auto* domain = reinterpret_cast<nvtxDomainHandle_t>(&recorder.domains.back());
  Write("domain", domain, "");
  return domain;
}

nvtxStringHandle_t RegisterString(nvtxDomainHandle_t domain, const char* text) {
  const std::lock_guard<std::mutex> lock(Get().mutex);
  Record(domain).strings.emplace_back(text);
  Write("string", domain, Text("name", text));
  return reinterpret_cast<nvtxStringHandle_t>(&Record(domain).strings.back());
}

void NameCategory(nvtxDomainHandle_t domain, uint32_t category, const char* name) {
  const std::lock_guard<std::mutex> lock(Get().mutex);
  Record(domain).categories[category] = name;
  Write("category", domain, Text("name", name));
}

int Push(nvtxDomainHandle_t domain, const nvtxEventAttributes_t* attributes) {
  const std::lock_guard<std::mutex> lock(Get().mutex);
  Write("push", domain, Describe(domain, attributes));
  return 0;
}

int Pop(nvtxDomainHandle_t domain) {
  const std::lock_guard<std::mutex> lock(Get().mutex);
  Write("pop", domain, "");
  return 0;
}

nvtxRangeId_t Start(nvtxDomainHandle_t domain, const nvtxEventAttributes_t* attributes) {
  Recorder& recorder = Get();
  const std::lock_guard<std::mutex> lock(recorder.mutex);
  const nvtxRangeId_t id = ++recorder.last_range;
  Write("start", domain, Describe(domain, attributes) + Number("id", static_cast<int64_t>(id)));
  return id;
}

void End(nvtxDomainHandle_t domain, nvtxRangeId_t id) {
  const std::lock_guard<std::mutex> lock(Get().mutex);
  Write("end", domain, Number("id", static_cast<int64_t>(id)));
}

}  // namespace

// Called by each copy of NVTX in the process.
extern "C" __attribute__((visibility("default"))) int InitializeInjectionNvtx2(
    NvtxGetExportTableFunc_t get_export_table) {
  Recorder& recorder = Get();
  if (recorder.file == nullptr) {
    const char* path = std::getenv("SPION_NVTX_RECORD");
    if (path != nullptr) recorder.file = std::fopen(path, "w");
    if (recorder.file == nullptr) {
      std::fprintf(stderr, "nvtx_recorder: SPION_NVTX_RECORD must name a file to write\n");
      return 0;
    }
  }
  const auto* callbacks =
      static_cast<const NvtxExportTableCallbacks*>(get_export_table(NVTX_ETID_CALLBACKS));
  NvtxFunctionTable table = nullptr;
  unsigned int size = 0;
  if (callbacks == nullptr ||
      callbacks->GetModuleFunctionTable(NVTX_CB_MODULE_CORE2, &table, &size) == 0 ||
      size <= NVTX_CBID_CORE2_DomainCreateA) {
    return 0;
  }
  const auto set = [&](NvtxCallbackIdCore2 id, auto* function) {
    *table[id] = reinterpret_cast<NvtxFunctionPointer>(function);
  };
  set(NVTX_CBID_CORE2_DomainCreateA, DomainCreate);
  set(NVTX_CBID_CORE2_DomainRegisterStringA, RegisterString);
  set(NVTX_CBID_CORE2_DomainNameCategoryA, NameCategory);
  set(NVTX_CBID_CORE2_DomainRangePushEx, Push);
  set(NVTX_CBID_CORE2_DomainRangePop, Pop);
  set(NVTX_CBID_CORE2_DomainRangeStartEx, Start);
  set(NVTX_CBID_CORE2_DomainRangeEnd, End);
  return 1;
}

#include <ATen/Context.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <c10/util/Exception.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "benchmarks/implementation.h"

namespace spion {
namespace {

struct Backends {
  bool flash = false;
  bool mem_efficient = false;
  bool cudnn = false;
  bool math = false;
};

/// The backends that scaled_dot_product_attention may choose from, until the end of the scope.
class OnlyBackends {
 public:
  explicit OnlyBackends(const Backends& allowed) : before_(Current()) { Set(allowed); }
  ~OnlyBackends() { Set(before_); }
  OnlyBackends(const OnlyBackends&) = delete;
  OnlyBackends& operator=(const OnlyBackends&) = delete;

 private:
  static Backends Current() {
    const at::Context& context = at::globalContext();
    return {.flash = context.userEnabledFlashSDP(),
            .mem_efficient = context.userEnabledMemEfficientSDP(),
            .cudnn = context.userEnabledCuDNNSDP(),
            .math = context.userEnabledMathSDP()};
  }
  static void Set(const Backends& backends) {
    at::Context& context = at::globalContext();
    context.setSDPUseFlash(backends.flash);
    context.setSDPUseMemEfficient(backends.mem_efficient);
    context.setSDPUseCuDNN(backends.cudnn);
    context.setSDPUseMath(backends.math);
  }

  Backends before_;
};

/// Keeps warnings instead of printing them: LibTorch warns of why a backend is not used, and the
/// exception that follows does not say.
class CollectedWarnings : public c10::WarningHandler {
 public:
  void process(const c10::Warning& warning) override {
    // Titles, and the backends that we have switched off ourselves.
    if (absl::StrContains(warning.msg(), "because:")) return;
    if (absl::StrContains(warning.msg(), "runtime disabled")) return;
    absl::StrAppend(&reasons_, reasons_.empty() ? "" : " ", warning.msg());
  }
  const std::string& reasons() const { return reasons_; }

 private:
  std::string reasons_;
};

at::Tensor AttentionBy(const std::string& name, const Backends& backends, const at::Tensor& q,
                       const at::Tensor& k, const at::Tensor& v) {
  CollectedWarnings warnings;
  const c10::WarningUtils::WarningHandlerGuard collect(&warnings);
  const OnlyBackends only(backends);
  try {
    return at::scaled_dot_product_attention(q, k, v);
  } catch (const c10::Error& error) {
    TORCH_CHECK(false, name, ": ", error.what_without_backtrace(), " ", warnings.reasons());
  }
}

Implementation MakeBackend(const std::string& name, const Backends& backends) {
  return {.name = name,
          .pruned = std::nullopt,
          .may_refuse = true,
          .make = [name, backends](const BlockPattern&, c10::Device) -> AttentionFunction {
            return [name, backends](const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
              return AttentionBy(name, backends, q, k, v);
            };
          }};
}

}  // namespace

Implementation Sdpa() {
  return {.name = "sdpa",
          .pruned = std::nullopt,
          .make = [](const BlockPattern&, c10::Device) -> AttentionFunction {
            return [](const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
              return at::scaled_dot_product_attention(q, k, v);
            };
          }};
}

std::vector<Implementation> SdpaBackends() {
  return {MakeBackend("sdpa_flash", {.flash = true}),
          MakeBackend("sdpa_mem_efficient", {.mem_efficient = true}),
          MakeBackend("sdpa_cudnn", {.cudnn = true})};
}

}  // namespace spion

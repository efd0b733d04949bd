// One attention layer of every method but SPION's, at the paper's shapes: forward, and forward with
// backward. SPION's sparse phase, which needs a pattern, is sparse_attention's.
//
//   tools/bazel run //benchmarks:baselines
//   tools/bazel run //benchmarks:baselines -- --benchmark_filter=skyformer/.*/image/
//
// Names: <method>/<device>/<dtype>/<task>/<pass>. On a GPU under bf16 autocast with the paper's
// batch sizes, each pass waited for, launches included, as in training; on the CPU float32 and one
// example. The counter `peak_bytes` (GPU) is what one pass holds at most beyond what was there
// before. What is timed is held against oracles by the methods' own tests.
#include <ATen/Context.h>
#include <ATen/ops/randn.h>
#include <c10/core/GradMode.h>
#include <c10/util/Exception.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "baselines/registry.h"
#include "benchmarks/attention_pass.h"
#include "benchmarks/benchmark_case.h"
#include "benchmarks/harness.h"
#include "benchmarks/peak_bytes.h"
#include "spion/base/command_line.h"
#include "spion/base/fail.h"
#include "spion/nn/attention.h"
#include "spion/nn/parameters.h"
#include "spion/platform/device.h"
#include "spion/platform/precision.h"

namespace spion {
namespace {

constexpr uint64_t kSeed = 1001;

struct Shape {
  std::string name;
  int64_t batch, length;
  int64_t heads, head_dim;
};

std::vector<Shape> PaperShapes(c10::Device device) {
  std::vector<Shape> shapes;
  for (const BenchmarkCase& c : GpuCases()) {
    if (c.kind != CaseKind::kPaper) continue;
    shapes.push_back({.name = c.name,
                      .batch = device.is_cuda() ? c.batch : 1,
                      .length = c.pattern.length(),
                      .heads = c.heads,
                      .head_dim = c.head_dim});
  }
  return shapes;
}

/// One layer's attention with its input, the output of a fused projection.
class Layer {
 public:
  Layer(const Method& method, const Shape& shape, c10::Device device)
      : device_(device),
        precision_(device.is_cuda() ? Precision::kBfloat16 : Precision::kFloat32),
        parameters_(device) {
    at::manual_seed(kSeed);
    attention_ = method.make_attention({.layer = 0,
                                        .length = shape.length,
                                        .heads = shape.heads,
                                        .head_dim = shape.head_dim,
                                        .device = device,
                                        .parameters = parameters_.root()});
    const at::ScalarType type = device.is_cuda() ? at::kBFloat16 : at::kFloat;
    projected_ = at::randn({shape.batch, shape.length, 3, shape.heads, shape.head_dim},
                           at::TensorOptions(type).device(device))
                     .requires_grad_();
    grad_out_ = at::randn({shape.batch, shape.heads, shape.length, shape.head_dim},
                          at::TensorOptions(type).device(device));
  }

  void Run(Pass pass) {
    if (pass == Pass::kForward) {
      const c10::NoGradGuard no_grad;
      Forward();
    } else {
      Forward().backward(grad_out_);
      projected_.mutable_grad().reset();
      for (const NamedTensor& parameter : parameters_.items()) {
        at::Tensor value = parameter.value;
        value.mutable_grad().reset();
      }
    }
    WaitForDevice(device_);
  }

 private:
  at::Tensor Forward() {
    const AutocastScope autocast(precision_, device_);
    const std::vector<at::Tensor> qkv = projected_.permute({2, 0, 3, 1, 4}).unbind(0);
    return attention_->Forward(qkv[0], qkv[1], qkv[2], std::nullopt);
  }

  c10::Device device_;
  Precision precision_;
  Parameters parameters_;
  std::unique_ptr<Attention> attention_;
  at::Tensor projected_;
  at::Tensor grad_out_;
};

void Time(benchmark::State& state, const Method& method, const Shape& shape, Pass pass,
          c10::Device device) {
  try {
    Layer layer(method, shape, device);
    layer.Run(pass);
    if (device.is_cuda()) {
      state.counters["peak_bytes"] =
          static_cast<double>(PeakBytes(device, [&] { layer.Run(pass); }));
    }
    while (state.KeepRunning()) layer.Run(pass);
  } catch (const c10::Error& error) {
    state.SkipWithError(error.what_without_backtrace());
  }
}

void AddAll(BenchmarkList& list, c10::Device device) {
  for (const Shape& shape : PaperShapes(device)) {
    for (const std::string& name : MethodNames()) {
      const Method method = *FindMethod(name);
      if (method.pattern_kind.has_value()) continue;
      for (const Pass pass : {Pass::kForward, Pass::kBoth}) {
        list.Add(
            BenchmarkName(name, device.is_cuda() ? "cuda" : "cpu",
                          device.is_cuda() ? "bf16" : "f32", shape.name, pass),
            [=](benchmark::State& state) { Time(state, method, shape, pass, device); },
            Clock::kWall);
      }
    }
  }
}

int Main(int argc, char** argv) {
  std::string device = "auto";
  bool help = false;
  const std::vector<Flag> flags = {
      {"device", "auto|cpu|cuda", "auto: a GPU, or the CPU where there is none", SetText(device)},
      Switch("help", "this text", help)};
  absl::StatusOr<std::vector<std::string>> arguments = TakeFlags({argv, argv + argc}, flags);
  if (!arguments.ok()) return Fail(arguments.status().message());
  if (help) {
    PrintHelp("baselines", flags);
    return 0;
  }
  const absl::StatusOr<DeviceChoice> choice = ChooseDevice(device);
  if (!choice.ok()) return Fail(choice.status().message());
  arguments->insert(arguments->begin() + 1, "--benchmark_min_time=0.05");
  return RunBenchmarks(
      *arguments,
      [&](BenchmarkList& list) {
        list.set_title(SetTitle("baselines", device, *choice));
        AddAll(list, choice->device);
        return true;
      },
      flags);
}

}  // namespace
}  // namespace spion

int main(int argc, char** argv) { return spion::RunMain(spion::Main, argc, argv); }

#include "spion/train/inference_cost.h"

#include <c10/core/GradMode.h>

#include <algorithm>
#include <chrono>
#include <numeric>
#include <vector>

#include "spion/platform/device.h"

namespace spion {
namespace {

constexpr int kWarmUps = 2;
constexpr int kPasses = 9;

}  // namespace

InferenceCost MeasureInference(const SequenceClassifier& model, const BatchMaker& batches,
                               int64_t batch_size, Precision precision) {
  const c10::NoGradGuard no_grad;
  const c10::Device device = model.parameters().device();
  std::vector<int64_t> indices(std::min(batch_size, batches.examples()));
  std::iota(indices.begin(), indices.end(), 0);
  const Batch batch = batches.Make(indices);
  std::vector<double> passes_ms;
  for (int pass = 0; pass < kWarmUps + kPasses; ++pass) {
    WaitForDevice(device);
    const auto start = std::chrono::steady_clock::now();
    const AutocastScope autocast(precision, device);
    model.Forward(batch.ids, batch.lengths, /*training=*/false);
    WaitForDevice(device);
    const std::chrono::duration<double, std::milli> passed =
        std::chrono::steady_clock::now() - start;
    if (pass >= kWarmUps) passes_ms.push_back(passed.count());
  }
  const auto middle = passes_ms.begin() + kPasses / 2;
  std::nth_element(passes_ms.begin(), middle, passes_ms.end());
  return {.batch_size = static_cast<int64_t>(indices.size()), .batch_ms = *middle};
}

}  // namespace spion

// The three phases as the C++ trainer goes through them, for the Python controller to be compared
// with: reads queries and keys, prints what each capture showed and the patterns.
//
// usage: three_phases FILE LAYERS CAPTURES LENGTH KIND BLOCK_SIZE SHARE DENSE_STEP_LIMIT SHARED
//
// FILE holds float32 [CAPTURES, LAYERS, 2 (q, k), 2, 2, LENGTH, 16]. A capture is every second
// step.
#include <ATen/core/Tensor.h>
#include <ATen/ops/from_blob.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "spion/nn/spion_attention.h"
#include "spion/pattern/pattern_json.h"
#include "spion/train/phase_controller.h"

namespace spion {
namespace {

constexpr int64_t kInterval = 2;

int Run(char** arguments) {
  std::ifstream file(arguments[1], std::ios::binary);
  std::string content{std::istreambuf_iterator<char>(file), {}};
  const int64_t layers = std::atoll(arguments[2]);
  const int64_t captures = std::atoll(arguments[3]);
  const int64_t length = std::atoll(arguments[4]);
  const double share = std::atof(arguments[7]);
  TORCH_CHECK(content.size() == captures * layers * 8 * length * 16 * sizeof(float), arguments[1],
              " has ", content.size(), " bytes");
  const at::Tensor heads =
      at::from_blob(content.data(), {captures, layers, 2, 2, 2, length, 16}, at::kFloat).clone();

  PhaseOptions options;
  options.capture_interval = kInterval;
  options.transition_limit_percent = 15;  // what Python takes if not told otherwise
  options.dense_step_limit = std::atoll(arguments[8]);
  options.shared_pattern = std::string(arguments[9]) == "shared";
  options.generator = {.kind = *ParsePatternKind(arguments[5]),
                       .block_size = std::atoi(arguments[6]),
                       .density = share,
                       .threshold = share};
  std::vector<std::unique_ptr<SpionAttention>> attentions;
  std::vector<SpionAttention*> pointers;
  for (int64_t layer = 0; layer < layers; ++layer) {
    attentions.push_back(
        std::make_unique<SpionAttention>(layer, length, at::kCPU, PrunedScore::kZero));
    pointers.push_back(attentions.back().get());
  }
  PhaseController controller(pointers, options);
  nlohmann::json shown = nlohmann::json::array();
  for (int64_t step = 1; step <= captures * kInterval; ++step) {
    controller.BeforeForward(step);
    if (controller.IsCaptureStep(step)) {
      const at::Tensor now = heads[step / kInterval - 1];
      for (int64_t layer = 0; layer < layers; ++layer) {
        attentions[layer]->Forward(now[layer][0], now[layer][1], now[layer][1], std::nullopt);
      }
    }
    controller.TakeMaps(step);
    const absl::StatusOr<std::optional<Capture>> capture = controller.AfterStep(step);
    if (!capture.ok()) {
      std::cerr << capture.status() << "\n";
      return EXIT_FAILURE;
    }
    if (!capture->has_value()) continue;
    nlohmann::json patterns = nlohmann::json::array();
    for (const BlockPattern& pattern : (*capture)->patterns) {
      patterns.push_back(PatternToJson(pattern));
    }
    shown.push_back({{"step", (*capture)->step},
                     {"distance", (*capture)->distance},
                     {"change_percent", (*capture)->change_percent},
                     {"settled", (*capture)->settled},
                     {"transition", (*capture)->transition},
                     {"patterns", patterns}});
  }
  std::cout << shown.dump() << "\n";
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace spion

int main(int count, char** arguments) {
  if (count == 10) return spion::Run(arguments);
  std::cerr << "three_phases: " << count - 1 << " arguments, expected 9\n";
  return EXIT_FAILURE;
}

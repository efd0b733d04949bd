// The pictures of docs/method.md, of a run that kept its attention maps.
//
//   bazel run //experiments:lra_image_cf -- --preset=quick --keep_maps
//   bazel run //tools:method_pictures -- --run=results/image_cf_seed1001 --out=docs/method

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "spion/base/command_line.h"
#include "spion/base/file.h"
#include "spion/base/json.h"
#include "spion/base/program.h"
#include "spion/base/read_file.h"
#include "spion/base/status.h"
#include "spion/base/user_directory.h"
#include "spion/base/version.h"
#include "spion/pattern/generator.h"
#include "spion/pattern/quantile.h"
#include "spion/train/safetensors.h"
#include "tools/method/pictures.h"
#include "tools/pattern/grey_png.h"
#include "tools/pattern/run_patterns.h"

namespace spion {
namespace {

constexpr int kMapPixels = 256;  // a side, at most

struct Options {
  std::string run;
  std::string out;
  int layer = 0;
  bool help = false;
  bool version = false;
};

std::vector<Flag> Flags(Options& options) {
  return {{"run", "DIR", "the results folder of a SPION-F or -CF run with --keep_maps",
           SetText(options.run)},
          {"out", "DIR", "the folder for the pictures; made if need be", SetText(options.out)},
          {"layer", "N", "counted from 0 (0)", SetWhole(options.layer)},
          Switch("help", "this text", options.help),
          Switch("version", "which version this is", options.version)};
}

// What a run left of a layer.
struct Layer {
  std::vector<float> map;  // [side, side]
  int64_t side;
  GeneratorOptions generator;
  BlockPattern pattern;

  MapView view() const { return {map, side}; }
};

absl::StatusOr<GeneratorOptions> ReadGenerator(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  ASSIGN_OR_RETURN(const nlohmann::json manifest, ParseJson(text));
  try {
    ASSIGN_OR_RETURN(const PatternKind kind,
                     ParsePatternKind(manifest.at("method").get<std::string>()));
    const nlohmann::json& settings = manifest.at("hyper_parameters");
    return GeneratorOptions{.kind = kind,
                            .block_size = settings.at("block_size"),
                            .density = settings.at("density"),
                            .threshold = settings.at("threshold")};
  } catch (const nlohmann::json::exception& error) {
    return absl::DataLossError(absl::StrCat(path, " is no manifest of a run: ", error.what()));
  }
}

absl::StatusOr<Layer> ReadLayer(const std::string& run, int layer) {
  const std::string maps_path = run + "/attention_maps.safetensors";
  absl::StatusOr<TensorFile> maps = LoadTensors(maps_path);
  if (absl::IsNotFound(maps.status())) {
    return absl::NotFoundError(absl::StrCat(
        maps.status().message(), "; a SPION run with --keep_maps writes it at the transition"));
  }
  RETURN_IF_ERROR(maps.status());
  ASSIGN_OR_RETURN(std::vector<TitledPattern> patterns,
                   ReadRunPatterns(run + "/patterns.json", layer));
  const auto found = maps->tensors.find(absl::StrCat("layer.", layer));
  if (found == maps->tensors.end() || found->second.dim() != 2) {
    return absl::DataLossError(absl::StrCat(maps_path, " has no map of layer ", layer));
  }
  const at::Tensor map = found->second.contiguous();
  const auto* first = map.const_data_ptr<float>();
  ASSIGN_OR_RETURN(const GeneratorOptions generator, ReadGenerator(run + "/manifest.json"));
  return Layer{.map = {first, first + map.numel()},
               .side = map.size(0),
               .generator = generator,
               .pattern = std::move(patterns.front().pattern)};
}

absl::Status WriteAll(const Layer& layer, const std::string& out) {
  std::error_code error;
  std::filesystem::create_directories(out, error);
  if (error) return absl::UnavailableError(absl::StrCat(out, ": ", error.message()));
  const auto path = [&](absl::string_view name) { return absl::StrCat(out, "/", name); };
  const int pixel = std::max(1, static_cast<int>(layer.side / kMapPixels));
  ASSIGN_OR_RETURN(const BlockScores map,
                   PooledScores(layer.view(), {.kind = PatternKind::kF, .block_size = pixel}));
  ASSIGN_OR_RETURN(const BlockScores convolved,
                   PooledScores(layer.view(), {.kind = PatternKind::kCF, .block_size = pixel}));
  ASSIGN_OR_RETURN(const BlockScores pooled, PooledScores(layer.view(), layer.generator));
  ASSIGN_OR_RETURN(const double threshold, Quantile(pooled.values, layer.generator.threshold));

  ASSIGN_OR_RETURN(const GreyImage map_image, DrawScores(map));
  RETURN_IF_ERROR(WriteGreyPng(path("map.png"), map_image));
  ASSIGN_OR_RETURN(const GreyImage convolved_image, DrawScores(convolved));
  RETURN_IF_ERROR(WriteGreyPng(path("convolution.png"), convolved_image));
  ASSIGN_OR_RETURN(const std::string pooled_picture, DrawPooled(pooled));
  RETURN_IF_ERROR(WriteFileAtomically(path("pooled.svg"), pooled_picture));
  ASSIGN_OR_RETURN(const std::string walks, DrawFloodFill(pooled, threshold));
  RETURN_IF_ERROR(WriteFileAtomically(path("flood_fill.svg"), walks));
  RETURN_IF_ERROR(WriteFileAtomically(path("pattern.svg"), DrawKept(layer.pattern)));
  return WriteFileAtomically(path("sparse_phase.svg"), DrawSparseRow(layer.pattern));
}

absl::Status Run(const std::vector<std::string>& arguments) {
  Options options;
  const std::vector<Flag> flags = Flags(options);
  ASSIGN_OR_RETURN(const std::vector<std::string> others, ParseArguments(arguments, flags));
  if (!others.empty()) return UnknownArgument(others.front(), flags);
  if (options.help) {
    std::cout << "Draws the steps from an attention map to its pattern, as in docs/method.md.\n\n"
                 "  bazel run //tools:method_pictures -- --run=DIR --out=DIR [--layer=N]\n\n"
              << FlagsHelp(flags) << "\nDefaults in brackets.\n";
    return absl::OkStatus();
  }
  if (options.version) {
    std::cout << VersionText();
    return absl::OkStatus();
  }
  if (options.run.empty() || options.out.empty()) {
    return absl::InvalidArgumentError(
        "--run=DIR and --out=DIR are needed: the folder of a run, and one for the pictures");
  }
  RETURN_IF_ERROR(EnterUserDirectory());
  ASSIGN_OR_RETURN(const Layer layer, ReadLayer(options.run, options.layer));
  ASSIGN_OR_RETURN(const BlockPattern made, GeneratePattern(layer.view(), layer.generator));
  if (made != layer.pattern) {
    return absl::DataLossError(absl::StrCat(
        options.run, ": the pattern of layer ", options.layer,
        " is not the one that its map makes: the files are of different runs, or all layers share "
        "one pattern"));
  }
  RETURN_IF_ERROR(WriteAll(layer, options.out));
  std::cout << "wrote six pictures of layer " << options.layer << " into " << options.out
            << std::endl;
  return absl::OkStatus();
}

}  // namespace
}  // namespace spion

int main(int argc, char** argv) {
  spion::BeginProgram();
  return spion::EndProgram(spion::Run({argv + 1, argv + argc}));
}

#include "experiments/choose_preset.h"

#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace spion {
namespace {

constexpr bool kGpu = true, kNoGpu = false;

Preset Choose(PresetChoice preset, const std::string& task, const std::string& data_dir,
              bool has_gpu) {
  Options options;
  options.preset = preset;
  options.task = task;
  options.data_dir = data_dir;
  const absl::StatusOr<Preset> chosen = ChoosePreset(options, has_gpu);
  EXPECT_TRUE(chosen.ok()) << chosen.status();
  return chosen.value_or(Preset::kQuick);
}

TEST(ChoosePresetTest, TakesTheOneThatIsAskedFor) {
  for (bool has_gpu : {kGpu, kNoGpu}) {
    for (const char* data_dir : {"", "/data"}) {
      EXPECT_EQ(Choose(PresetChoice::kQuick, "listops", data_dir, has_gpu), Preset::kQuick);
      EXPECT_EQ(Choose(PresetChoice::kPaper, "text", data_dir, has_gpu), Preset::kPaper);
    }
  }
}

TEST(ChoosePresetTest, AutoWithoutAGpuIsQuick) {
  EXPECT_EQ(Choose(PresetChoice::kAuto, "listops", "", kNoGpu), Preset::kQuick);
  EXPECT_EQ(Choose(PresetChoice::kAuto, "image", "/data", kNoGpu), Preset::kQuick);
}

TEST(ChoosePresetTest, AutoWithAGpuIsPaperOnRealDataAlone) {
  for (const char* task : {"image", "pathfinder", "retrieval", "text"}) {
    EXPECT_EQ(Choose(PresetChoice::kAuto, task, "", kGpu), Preset::kQuick) << task;
    EXPECT_EQ(Choose(PresetChoice::kAuto, task, "/data", kGpu), Preset::kPaper) << task;
  }
  EXPECT_EQ(Choose(PresetChoice::kAuto, "listops", "", kGpu), Preset::kPaper);
  EXPECT_EQ(Choose(PresetChoice::kAuto, "listops", "/data", kGpu), Preset::kPaper);
}

TEST(ChoosePresetTest, PassesOnThatThereIsNoSuchTask) {
  Options options;
  options.task = "imagenet";
  EXPECT_EQ(ChoosePreset(options, kGpu).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace spion

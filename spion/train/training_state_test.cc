#include "spion/train/training_state.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

namespace spion {
namespace {

using ::testing::HasSubstr;

std::string TempPath(const char* name) { return std::string(::testing::TempDir()) + "/" + name; }

TEST(TrainingStateTest, ComesBackFromItsFileBitForBit) {
  TrainingState state;
  state.Put("floats", at::full({2, 3}, 0.1F));
  state.Put("order", at::arange(5));
  state.Put("bytes", at::ones({7}, at::kByte));
  const std::vector<double> doubles = {0.1, 1e-300, std::nextafter(1.0, 2.0),
                                       std::numeric_limits<double>::max()};
  state.PutValue("doubles", doubles);
  state.PutValue("count", int64_t{1} << 62);
  const std::string path = TempPath("state");
  ASSERT_TRUE(SaveState(path, state).ok());
  const absl::StatusOr<TrainingState> back = LoadState(path);
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_TRUE(back->Get("floats", at::kFloat)->equal(at::full({2, 3}, 0.1F)));
  EXPECT_TRUE(back->Get("order", at::kLong)->equal(at::arange(5)));
  EXPECT_TRUE(back->Get("bytes", at::kByte)->equal(at::ones({7}, at::kByte)));
  EXPECT_EQ(*back->Value<std::vector<double>>("doubles"), doubles);
  EXPECT_EQ(*back->Value<int64_t>("count"), int64_t{1} << 62);
}

TEST(TrainingStateTest, KeepsACopy) {
  TrainingState state;
  const at::Tensor weights = at::zeros({3});
  state.Put("weights", weights);
  at::Tensor changed = weights;
  changed.add_(1);
  EXPECT_TRUE(state.Get("weights", at::kFloat)->equal(at::zeros({3})));
  ASSERT_TRUE(state.CopyTo("weights", weights).ok());
  EXPECT_TRUE(weights.equal(at::zeros({3})));
}

TEST(TrainingStateTest, NamesWhatIsMissingOrAnother) {
  TrainingState state;
  state.Put("weights", at::zeros({3}));
  state.PutValue("step", "seven");
  const auto says = [](const absl::Status& status, const char* text) {
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
    EXPECT_THAT(std::string(status.message()), HasSubstr(text));
  };
  says(state.Get("moments", at::kFloat).status(), "no moments");
  says(state.Get("weights", at::kLong).status(), "weights is Float, expected Long");
  says(state.CopyTo("weights", at::zeros({4})), "weights has 3 numbers, expected 4");
  says(state.Value<int64_t>("step").status(), "step");
  says(state.Value<int64_t>("epoch").status(), "epoch");
}

TEST(TrainingStateTest, RefusesAFileThatIsNone) {
  const std::string path = TempPath("none");
  std::ofstream(path) << "not a state";
  EXPECT_EQ(LoadState(path).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(LoadState(TempPath("absent")).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace spion

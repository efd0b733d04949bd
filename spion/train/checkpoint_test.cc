#include "spion/train/checkpoint.h"

#include <ATen/Context.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/tensor.h>
#include <c10/core/GradMode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "spion/base/file.h"
#include "spion/nn/fused_dense_attention.h"
#include "spion/pattern/pattern_json.h"
#include "spion/testing/pattern_zoo.h"
#include "spion/train/model_patterns.h"
#include "spion/train/safetensors.h"
#include "spion/train/safetensors_bytes.h"

namespace spion {
namespace {

using ::testing::HasSubstr;

constexpr ModelConfig kConfig{.vocabulary = 7, .classes = 3, .length = 64, .layers = 2};

SequenceClassifier SpionModel(uint64_t seed, const ModelConfig& config = kConfig) {
  at::manual_seed(seed);
  return {config, at::kCPU, [](const AttentionContext& context) {
            return std::make_unique<SpionAttention>(context.layer, context.length, at::kCPU,
                                                    PrunedScore::kZero);
          }};
}

std::string TempPath(const std::string& name) { return ::testing::TempDir() + "/" + name; }

std::string Read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

CheckpointInfo InfoOf(const SequenceClassifier& model) {
  const std::vector<BlockPattern> patterns = CurrentPatterns(model);
  return {.task = "image",
          .method = "cf",
          .preset = "quick",
          .seed = 18446744073709551615U,
          .step = 42,
          .dev_accuracy = 0.5,
          .phase = patterns.empty() ? Phase::kDense : Phase::kSparse,
          .patterns = patterns};
}

// The error of a file of those bytes.
std::string LoadError(const std::string& bytes) {
  const std::string path = TempPath("bad.safetensors");
  EXPECT_TRUE(WriteFileAtomically(path, bytes).ok());
  const absl::Status status = LoadCheckpoint(path).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(path));
  return std::string(status.message());
}

TEST(CheckpointTest, ASparseModelComesBackWithItsPatterns) {
  SequenceClassifier trained = SpionModel(1);
  SpionLayers(trained)[0]->SetPattern(Banded(4, 16, 1));
  SpionLayers(trained)[1]->SetPattern(LongColumns(4, 16));
  const std::string path = TempPath("sparse.safetensors");
  ASSERT_TRUE(SaveCheckpoint(path, TakeCheckpoint(InfoOf(trained), trained)).ok());

  const absl::StatusOr<Checkpoint> loaded = LoadCheckpoint(path);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->info.seed, 18446744073709551615U);
  EXPECT_EQ(loaded->info.phase, Phase::kSparse);
  SequenceClassifier restored = SpionModel(2);
  ASSERT_TRUE(Restore(*loaded, restored).ok());
  EXPECT_EQ(CurrentPatterns(restored), CurrentPatterns(trained));
  at::manual_seed(3);
  const at::Tensor ids = at::randint(0, 7, {2, 1, 64}, at::kLong);
  EXPECT_TRUE(
      restored.Forward(ids, std::nullopt, false).equal(trained.Forward(ids, std::nullopt, false)));
}

TEST(CheckpointTest, PrunedEntriesCountAsTheyDidInTraining) {
  SequenceClassifier trained = SpionModel(1);
  for (SpionAttention* layer : SpionLayers(trained)) {
    layer->SetPattern(Banded(4, 16, 1));
    layer->set_pruned_score(PrunedScore::kExcluded);
  }
  CheckpointInfo info = InfoOf(trained);
  info.pruned_score = PrunedScore::kExcluded;
  const std::string path = TempPath("excluded.safetensors");
  ASSERT_TRUE(SaveCheckpoint(path, TakeCheckpoint(info, trained)).ok());

  SequenceClassifier restored = SpionModel(2);
  ASSERT_TRUE(Restore(*LoadCheckpoint(path), restored).ok());
  at::manual_seed(3);
  const at::Tensor ids = at::randint(0, 7, {2, 1, 64}, at::kLong);
  const at::Tensor logits = trained.Forward(ids, std::nullopt, false);
  EXPECT_TRUE(restored.Forward(ids, std::nullopt, false).equal(logits));
  for (SpionAttention* layer : SpionLayers(restored)) {
    layer->set_pruned_score(PrunedScore::kZero);
  }
  EXPECT_FALSE(restored.Forward(ids, std::nullopt, false).equal(logits));
}

TEST(CheckpointTest, ADenseCheckpointLeavesAModelDense) {
  const SequenceClassifier trained = SpionModel(1);
  const std::string path = TempPath("dense.safetensors");
  ASSERT_TRUE(SaveCheckpoint(path, TakeCheckpoint(InfoOf(trained), trained)).ok());
  SequenceClassifier restored = SpionModel(2);
  ASSERT_TRUE(Restore(*LoadCheckpoint(path), restored).ok());
  EXPECT_TRUE(CurrentPatterns(restored).empty());
}

TEST(CheckpointTest, SaysWhatDataItWasTrainedWith) {
  const SequenceClassifier trained = SpionModel(1);
  CheckpointInfo info = InfoOf(trained);
  info.data_description = "generated, seed 7";
  info.data_sha256 = "25eeda33d12";
  const std::string path = TempPath("data.safetensors");
  ASSERT_TRUE(SaveCheckpoint(path, TakeCheckpoint(info, trained)).ok());
  EXPECT_EQ(LoadCheckpoint(path)->info.data_description, "generated, seed 7");
  EXPECT_EQ(LoadCheckpoint(path)->info.data_sha256, "25eeda33d12");
}

TEST(CheckpointTest, NamesAWeightThatDoesNotFit) {
  const SequenceClassifier trained = SpionModel(1);
  const std::string path = TempPath("other.safetensors");
  ASSERT_TRUE(SaveCheckpoint(path, TakeCheckpoint(InfoOf(trained), trained)).ok());
  ModelConfig wider = kConfig;
  wider.vocabulary = 9;
  SequenceClassifier other = SpionModel(2, wider);
  EXPECT_THAT(std::string(Restore(*LoadCheckpoint(path), other).message()),
              HasSubstr("tokens.table"));
}

TEST(CheckpointTest, HasTheModelsWeightsAndNoOthers) {
  SequenceClassifier model = SpionModel(1);
  const Checkpoint whole = TakeCheckpoint(InfoOf(model), model);
  ASSERT_TRUE(Restore(whole, model).ok());
  Checkpoint other = whole;
  other.weights["another"] = at::tensor({1.F});
  const size_t count = whole.weights.size();
  EXPECT_THAT(std::string(Restore(other, model).message()),
              HasSubstr(absl::StrCat("has ", count + 1, " weights, the model has ", count)));
  other = whole;
  const std::string name = whole.weights.begin()->first;
  other.weights.erase(name);
  EXPECT_THAT(std::string(Restore(other, model).message()), HasSubstr("no weight " + name));
}

TEST(CheckpointTest, DamagedFilesAreNamedAndExplained) {
  const SequenceClassifier model = SpionModel(1);
  const std::string path = TempPath("whole.safetensors");
  ASSERT_TRUE(SaveCheckpoint(path, TakeCheckpoint(InfoOf(model), model)).ok());
  const std::string whole = Read(path);
  const std::string damaged = TempPath("damaged.safetensors");
  // Cut at every kind of place: before, in and after the header, in the data.
  for (size_t size : {size_t{0}, size_t{5}, size_t{8}, size_t{50}, whole.size() - 1}) {
    ASSERT_TRUE(WriteFileAtomically(damaged, whole.substr(0, size)).ok());
    const absl::Status status = LoadCheckpoint(damaged).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << size;
    EXPECT_THAT(std::string(status.message()), HasSubstr(damaged)) << size;
    EXPECT_THAT(std::string(status.message()),
                HasSubstr("; name one that is, or train again to make one"))
        << size;
  }
  EXPECT_EQ(LoadCheckpoint(TempPath("none.safetensors")).status().code(),
            absl::StatusCode::kNotFound);
}

TEST(CheckpointTest, ATensorFileOfAnotherProgramIsNoCheckpoint) {
  const std::string path = TempPath("foreign.safetensors");
  TensorFile content;
  content.tensors["x"] = at::tensor({1.F, 2.F});
  ASSERT_TRUE(SaveTensors(path, content).ok());
  EXPECT_THAT(std::string(LoadCheckpoint(path).status().message()),
              HasSubstr("no SPION checkpoint"));
  EXPECT_TRUE(LoadTensors(path)->tensors["x"].equal(content.tensors["x"]));
}

// A sparse checkpoint, changed by hand where its readers look for what SPION needs to know.
class ContradictionTest : public ::testing::Test {
 protected:
  ContradictionTest() : model_(SpionModel(1)) {
    for (SpionAttention* layer : SpionLayers(model_)) layer->SetPattern(Banded(4, 16, 1));
    const std::string path = TempPath("good.safetensors");
    EXPECT_TRUE(SaveCheckpoint(path, TakeCheckpoint(InfoOf(model_), model_)).ok());
    const std::string file = Read(path);
    uint64_t size = 0;
    std::memcpy(&size, file.data(), sizeof(size));
    header_ = nlohmann::json::parse(file.substr(sizeof(size), size));
    data_ = file.substr(sizeof(size) + size);
    info_ = nlohmann::json::parse(header_["__metadata__"]["spion"].get<std::string>());
    header_["__metadata__"].erase("crc32");  // what is changed would not fit it
  }

  std::string Bytes() {
    header_["__metadata__"]["spion"] = info_.dump();
    return SafetensorsBytes(header_.dump(), data_);
  }

  SequenceClassifier model_;
  nlohmann::json header_;
  nlohmann::json info_;
  std::string data_;
};

TEST_F(ContradictionTest, AFileFromBeforeDataWereKnownIsRead) {
  info_.erase("data");
  const std::string path = TempPath("before_0_2_0.safetensors");
  ASSERT_TRUE(WriteFileAtomically(path, Bytes()).ok());
  const absl::StatusOr<Checkpoint> loaded = LoadCheckpoint(path);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->info.data_sha256, "");
}

TEST_F(ContradictionTest, IsGoodAsLongAsNothingIsChanged) {
  const std::string path = TempPath("unchanged.safetensors");
  ASSERT_TRUE(WriteFileAtomically(path, Bytes()).ok());
  EXPECT_TRUE(LoadCheckpoint(path).ok()) << LoadCheckpoint(path).status();
}

TEST_F(ContradictionTest, APhaseIsOneOfTwoWords) {
  for (const char* phase : {R"("Sparse")", R"("")", R"("dense ")", "1", "null", R"(["dense"])"}) {
    info_["phase"] = nlohmann::json::parse(phase);
    EXPECT_THAT(LoadError(Bytes()), HasSubstr(R"(expected "dense", "sparse" or "single")"))
        << phase;
  }
}

TEST_F(ContradictionTest, SparseHasPatternsAndDenseHasNone) {
  info_["phase"] = "dense";
  EXPECT_THAT(LoadError(Bytes()), HasSubstr("\"dense\" but there are patterns, 2"));
  info_["phase"] = "sparse";
  info_["patterns"] = nlohmann::json::array();
  EXPECT_THAT(LoadError(Bytes()), HasSubstr("\"sparse\" but there are no patterns"));
  info_["patterns"] = nlohmann::json::object();
  EXPECT_THAT(LoadError(Bytes()), HasSubstr("not a list of block patterns"));
}

TEST_F(ContradictionTest, SparseHasAPatternForEachLayer) {
  const nlohmann::json pattern = info_["patterns"][0];
  const std::string path = TempPath("patterns.safetensors");
  for (const size_t count : {1, 3}) {
    info_["patterns"] = std::vector<nlohmann::json>(count, pattern);
    ASSERT_TRUE(WriteFileAtomically(path, Bytes()).ok());
    SequenceClassifier model = SpionModel(2);
    EXPECT_THAT(std::string(Restore(LoadCheckpoint(path).value(), model).message()),
                HasSubstr(" patterns for 2 layers"));
  }
  // A model without layers for patterns.
  SequenceClassifier dense(kConfig, at::kCPU, [](const AttentionContext&) {
    return std::make_unique<FusedDenseAttention>();
  });
  EXPECT_THAT(std::string(Restore(LoadCheckpoint(path).value(), dense).message()),
              HasSubstr("3 patterns for 0 layers"));
}

TEST_F(ContradictionTest, PatternsFitTheModelAndTheKernels) {
  const std::string path = TempPath("shapes.safetensors");
  for (const BlockPattern& pattern : {Banded(8, 16, 1), Banded(8, 8, 1)}) {
    info_["patterns"] = std::vector<nlohmann::json>(2, PatternToJson(pattern));
    ASSERT_TRUE(WriteFileAtomically(path, Bytes()).ok());
    SequenceClassifier model = SpionModel(2);
    EXPECT_THAT(std::string(Restore(LoadCheckpoint(path).value(), model).message()),
                HasSubstr("pattern of layer 0"));
  }
}

TEST_F(ContradictionTest, NumbersAreNeitherRoundedNorWrapped) {
  const nlohmann::json good = info_;
  for (const auto& [key, value] :
       std::vector<std::pair<std::string, nlohmann::json>>{{"seed", -1},
                                                           {"seed", 1.5},
                                                           {"step", -1},
                                                           {"step", "7"},
                                                           {"step", UINT64_MAX},
                                                           {"dev_accuracy", 1.5},
                                                           {"dev_accuracy", -0.5},
                                                           {"dev_accuracy", nullptr}}) {
    info_ = good;
    info_[key] = value;
    LoadError(Bytes());
  }
}

TEST_F(ContradictionTest, WeightsAreFinite) {
  for (const float value :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    std::memcpy(data_.data() + data_.size() - sizeof(value), &value, sizeof(value));
    EXPECT_THAT(LoadError(Bytes()), HasSubstr("has a NaN or an infinity"));
  }
}

// 800 kB of it ended the program.
TEST_F(ContradictionTest, NestedJsonIsRefused) {
  const int depth = 400'000;
  const std::string nested = std::string(depth, '[') + std::string(depth, ']');
  EXPECT_THAT(LoadError(SafetensorsBytes(nested, "")), HasSubstr("deep"));
  EXPECT_THAT(LoadError(SafetensorsBytes(R"({"a":{"dtype":)" + nested + "}}", "")),
              HasSubstr("deep"));
  header_["__metadata__"]["spion"] = R"({"patterns":)" + nested + "}";
  EXPECT_THAT(LoadError(SafetensorsBytes(header_.dump(), data_)), HasSubstr("deep"));
}

TEST(CheckpointTest, WeightsThatAreNotFiniteAreNeverSaved) {
  const SequenceClassifier model = SpionModel(1);
  const std::string path = TempPath("never.safetensors");
  std::filesystem::remove(path);
  EXPECT_EQ(NotFiniteWeight(model), "");
  const NamedTensor& weight = model.parameters().items()[3];
  {
    c10::NoGradGuard no_grad;
    weight.value.view(-1)[0].fill_(std::numeric_limits<float>::quiet_NaN());
  }
  EXPECT_EQ(NotFiniteWeight(model), weight.name);
  const absl::Status status = SaveCheckpoint(path, TakeCheckpoint(InfoOf(model), model));
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(status.message()), HasSubstr(weight.name));
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(CheckpointTest, AContradictionIsNotSavedEither) {
  const SequenceClassifier model = SpionModel(1);
  CheckpointInfo info = InfoOf(model);
  info.phase = Phase::kSparse;
  EXPECT_FALSE(SaveCheckpoint(TempPath("never.safetensors"), TakeCheckpoint(info, model)).ok());
}

}  // namespace
}  // namespace spion

#include "spion/train/checkpoint.h"

#include <ATen/Context.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "spion/base/file.h"
#include "spion/testing/pattern_zoo.h"

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

CheckpointInfo SparseInfo(const SequenceClassifier& model) {
  return {.task = "image",
          .method = "cf",
          .preset = "quick",
          .seed = 18446744073709551615U,
          .step = 42,
          .dev_accuracy = 0.5,
          .phase = Phase::kSparse,
          .patterns = CurrentPatterns(model)};
}

TEST(CheckpointTest, ASparseModelComesBackWithItsPatterns) {
  SequenceClassifier trained = SpionModel(1);
  SpionLayers(trained)[0]->SetPattern(Banded(4, 16, 1));
  SpionLayers(trained)[1]->SetPattern(LongColumns(4, 16));
  const std::string path = TempPath("sparse.safetensors");
  ASSERT_TRUE(SaveCheckpoint(path, SparseInfo(trained), trained).ok());

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
  CheckpointInfo info = SparseInfo(trained);
  info.pruned_score = PrunedScore::kExcluded;
  const std::string path = TempPath("excluded.safetensors");
  ASSERT_TRUE(SaveCheckpoint(path, info, trained).ok());

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
  CheckpointInfo info = SparseInfo(trained);
  info.phase = Phase::kDense;
  ASSERT_TRUE(SaveCheckpoint(path, info, trained).ok());
  SequenceClassifier restored = SpionModel(2);
  ASSERT_TRUE(Restore(*LoadCheckpoint(path), restored).ok());
  EXPECT_TRUE(CurrentPatterns(restored).empty());
}

TEST(CheckpointTest, NamesAWeightThatDoesNotFit) {
  const SequenceClassifier trained = SpionModel(1);
  const std::string path = TempPath("other.safetensors");
  ASSERT_TRUE(SaveCheckpoint(path, SparseInfo(trained), trained).ok());
  ModelConfig wider = kConfig;
  wider.vocabulary = 9;
  SequenceClassifier other = SpionModel(2, wider);
  EXPECT_THAT(std::string(Restore(*LoadCheckpoint(path), other).message()),
              HasSubstr("tokens.table"));
}

TEST(CheckpointTest, DamagedFilesAreNamedAndExplained) {
  const SequenceClassifier model = SpionModel(1);
  const std::string path = TempPath("whole.safetensors");
  ASSERT_TRUE(SaveCheckpoint(path, SparseInfo(model), model).ok());
  const std::string whole = Read(path);
  const std::string damaged = TempPath("damaged.safetensors");
  // Cut at every kind of place: before, in and after the header, in the data.
  for (size_t size : {size_t{0}, size_t{5}, size_t{8}, size_t{50}, whole.size() - 1}) {
    ASSERT_TRUE(WriteFileAtomically(damaged, whole.substr(0, size)).ok());
    const absl::Status status = LoadCheckpoint(damaged).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << size;
    EXPECT_THAT(std::string(status.message()), HasSubstr(damaged)) << size;
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

// The bytes of the published format, written by hand.
TEST(SafetensorsTest, ReadsTheFormatOfItsSpecification) {
  std::string header = R"({"a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}})";
  const uint64_t size = header.size();
  std::string file(reinterpret_cast<const char*>(&size), 8);
  file += header + std::string("\0\0\x80\x3f\0\0\0\xc0", 8);  // 1, -2
  const std::string path = TempPath("by_hand.safetensors");
  ASSERT_TRUE(WriteFileAtomically(path, file).ok());
  const at::Tensor a = LoadTensors(path)->tensors["a"];
  EXPECT_TRUE(a.equal(at::tensor({1.F, -2.F}).view({1, 2})));
}

}  // namespace
}  // namespace spion

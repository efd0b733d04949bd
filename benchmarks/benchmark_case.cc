#include "benchmarks/benchmark_case.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "spion/base/random.h"
#include "spion/pattern/pattern_json.h"
#include "spion/testing/pattern_zoo.h"

namespace spion {
namespace {

constexpr int64_t kHeads = 2;
constexpr int64_t kHeadDim = 32;
constexpr uint64_t kSeed = 1001;

// The image task on a GPU: B, L, b.
constexpr int64_t kImageBatch = 128;
constexpr int kImageLength = 1024;
constexpr int kImageBlock = 32;

struct RandomShape {
  const char* name;
  int64_t batch;
  int length, block_size, kept;
};

// Published batch sizes, lengths and block sizes; the blocks that SPION-C keeps there.
constexpr RandomShape kPaperShapes[] = {{"image", kImageBatch, kImageLength, kImageBlock, 40},
                                        {"listops", 256, 2048, 64, 40},
                                        {"text", 32, 4096, 64, 122},
                                        {"retrieval", 32, 4096, 64, 86}};

constexpr int64_t kSweepTokens = 131072;
constexpr int kSweepBlock = 64;
constexpr int kSweepKeptPerRow = 8;
constexpr int kDensityPercents[] = {3, 5, 10, 25, 50, 75, 100};

struct WideShape {
  int64_t batch, heads, head_dim;
  int length, block_size, percent;
};

// Most models of today have such heads; the last two are dense.
constexpr WideShape kWideShapes[] = {{8, 8, 64, 8192, 64, 10},    {8, 8, 64, 8192, 128, 10},
                                     {4, 16, 128, 8192, 64, 10},  {4, 16, 128, 8192, 128, 10},
                                     {1, 16, 128, 32768, 128, 5}, {4, 16, 64, 4096, 128, 100},
                                     {4, 8, 128, 4096, 128, 100}};

BenchmarkCase MakeCase(std::string name, CaseKind kind, int64_t batch, BlockPattern pattern) {
  return {.name = std::move(name),
          .kind = kind,
          .batch = batch,
          .heads = kHeads,
          .head_dim = kHeadDim,
          .pattern = std::move(pattern)};
}

BenchmarkCase RandomCase(std::string name, CaseKind kind, const RandomShape& shape) {
  return MakeCase(
      std::move(name), kind, shape.batch,
      RandomPattern(shape.length / shape.block_size, shape.block_size, shape.kept, kSeed));
}

}  // namespace

AttentionSize BenchmarkCase::size() const {
  return {.batch = batch,
          .heads = heads,
          .length = pattern.length(),
          .head_dim = head_dim,
          .block_size = pattern.block_size(),
          .kept_blocks = pattern.kept_blocks()};
}

BlockPattern RandomPattern(int blocks_per_side, int block_size, int kept, uint64_t seed) {
  std::vector<Block> off_diagonal;
  for (int32_t row = 0; row < blocks_per_side; ++row) {
    for (int32_t column = 0; column < blocks_per_side; ++column) {
      if (row != column) off_diagonal.push_back({row, column});
    }
  }
  Random(seed).Shuffle(absl::MakeSpan(off_diagonal));
  off_diagonal.resize(std::max(kept - blocks_per_side, 0));
  return BlockPattern::FromBlocks(blocks_per_side, block_size, off_diagonal).value();
}

BlockPattern RandomRows(int blocks_per_side, int block_size, int kept_per_row, uint64_t seed) {
  Random random(seed);
  std::vector<Block> blocks;
  for (int32_t row = 0; row < blocks_per_side; ++row) {
    std::vector<int32_t> columns;
    for (int32_t column = 0; column < blocks_per_side; ++column) {
      if (column != row) columns.push_back(column);
    }
    random.Shuffle(absl::MakeSpan(columns));
    columns.resize(kept_per_row - 1);
    for (const int32_t column : columns) blocks.push_back({row, column});
  }
  return BlockPattern::FromBlocks(blocks_per_side, block_size, blocks).value();
}

std::vector<BenchmarkCase> CpuCases() {
  constexpr RandomShape kShapes[] = {
      {"", 4, 1024, 32, 58}, {"", 4, 2048, 64, 41}, {"", 4, 4096, 64, 123}};
  std::vector<BenchmarkCase> cases;
  for (const RandomShape& shape : kShapes) {
    cases.push_back(
        RandomCase(absl::StrFormat("L%d_b%d_k%d", shape.length, shape.block_size, shape.kept),
                   CaseKind::kPaper, shape));
  }
  return cases;
}

std::vector<BenchmarkCase> GpuCases() {
  std::vector<BenchmarkCase> cases;
  for (const RandomShape& shape : kPaperShapes) {
    cases.push_back(RandomCase(shape.name, CaseKind::kPaper, shape));
  }
  cases.push_back(
      MakeCase("image_cf_layer0", CaseKind::kRealPattern, kImageBatch, ImageCfLayer0()));
  cases.push_back(
      MakeCase("image_cf_layer1", CaseKind::kRealPattern, kImageBatch, ImageCfLayer1()));
  for (int length = 1024; length <= 65536; length *= 2) {
    cases.push_back(
        MakeCase(absl::StrFormat("L%d_b%d_k%drow", length, kSweepBlock, kSweepKeptPerRow),
                 CaseKind::kLengthSweep, kSweepTokens / length,
                 RandomRows(length / kSweepBlock, kSweepBlock, kSweepKeptPerRow, kSeed)));
  }
  constexpr int kImageBlocks = kImageLength / kImageBlock * (kImageLength / kImageBlock);
  for (const int percent : kDensityPercents) {
    cases.push_back(
        RandomCase(absl::StrFormat("density_%d", percent), CaseKind::kDensitySweep,
                   {"", kImageBatch, kImageLength, kImageBlock, kImageBlocks * percent / 100}));
  }
  for (const WideShape& shape : kWideShapes) {
    const int side = shape.length / shape.block_size;
    cases.push_back({.name = absl::StrFormat("d%d_L%d_b%d_%d", shape.head_dim, shape.length,
                                             shape.block_size, shape.percent),
                     .kind = CaseKind::kWide,
                     .batch = shape.batch,
                     .heads = shape.heads,
                     .head_dim = shape.head_dim,
                     .pattern = RandomPattern(side, shape.block_size,
                                              side * side * shape.percent / 100, kSeed)});
  }
  return cases;
}

std::string BenchmarkName(absl::string_view implementation, absl::string_view device,
                          absl::string_view dtype, absl::string_view case_name, Pass pass) {
  return absl::StrCat(implementation, "/", device, "/", dtype, "/", case_name, "/", PassName(pass));
}

nlohmann::json CasesToJson(absl::Span<const BenchmarkCase> cases) {
  nlohmann::json list = nlohmann::json::array();
  for (const BenchmarkCase& c : cases) {
    list.push_back({{"name", c.name},
                    {"batch", c.batch},
                    {"heads", c.heads},
                    {"head_dim", c.head_dim},
                    {"length", c.pattern.length()},
                    {"pattern", PatternToJson(c.pattern)}});
  }
  return {{"cases", list}};
}

}  // namespace spion

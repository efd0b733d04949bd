#include "benchmarks/benchmark_case.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "spion/pattern/pattern_json.h"
#include "spion/testing/pattern_zoo.h"

namespace spion {
namespace {

using ::testing::ElementsAre;

std::map<std::string, BenchmarkCase> ByName(const std::vector<BenchmarkCase>& cases) {
  std::map<std::string, BenchmarkCase> by_name;
  for (const BenchmarkCase& c : cases) by_name.emplace(c.name, c);
  EXPECT_EQ(by_name.size(), cases.size()) << "two cases have one name";
  return by_name;
}

// {B, L, b, kept}
std::vector<int64_t> Numbers(const BenchmarkCase& c) {
  return {c.batch, c.pattern.length(), c.pattern.block_size(), c.pattern.kept_blocks()};
}

TEST(CasesTest, ThePapersShapes) {
  const auto cases = ByName(GpuCases());
  EXPECT_THAT(Numbers(cases.at("image")), ElementsAre(128, 1024, 32, 40));
  EXPECT_THAT(Numbers(cases.at("listops")), ElementsAre(256, 2048, 64, 40));
  EXPECT_THAT(Numbers(cases.at("text")), ElementsAre(32, 4096, 64, 122));
  EXPECT_THAT(Numbers(cases.at("retrieval")), ElementsAre(32, 4096, 64, 86));
}

TEST(CasesTest, TheRealPatterns) {
  const auto cases = ByName(GpuCases());
  EXPECT_THAT(Numbers(cases.at("image_cf_layer0")), ElementsAre(128, 1024, 32, 53));
  EXPECT_EQ(cases.at("image_cf_layer1").pattern, ImageCfLayer1());
}

TEST(CasesTest, TheLengthSweepKeepsTokensAndBlocksPerRow) {
  int count = 0;
  for (const BenchmarkCase& c : GpuCases()) {
    if (c.kind != CaseKind::kLengthSweep) continue;
    ++count;
    EXPECT_EQ(c.batch * c.pattern.length(), 131072) << c.name;
    for (int row = 0; row < c.pattern.blocks_per_side(); ++row) {
      EXPECT_EQ(c.pattern.columns_of_row(row).size(), 8) << c.name << ", block row " << row;
      EXPECT_TRUE(c.pattern.contains(row, row));
    }
  }
  EXPECT_EQ(count, 7);
  EXPECT_THAT(Numbers(ByName(GpuCases()).at("L16384_b64_k8row")),
              ElementsAre(8, 16384, 64, 8 * 256));
}

TEST(CasesTest, TheDensitySweepKeepsItsPercentage) {
  const auto cases = ByName(GpuCases());
  EXPECT_THAT(Numbers(cases.at("density_25")), ElementsAre(128, 1024, 32, 256));
  EXPECT_EQ(cases.at("density_3").pattern, DiagonalOnly(32, 32));
  EXPECT_EQ(cases.at("density_100").pattern, AllBlocks(32, 32));
}

TEST(CasesTest, TheWideCases) {
  const auto cases = ByName(GpuCases());
  const BenchmarkCase& sparse = cases.at("d128_L8192_b64_10");
  EXPECT_THAT(Numbers(sparse), ElementsAre(4, 8192, 64, 128 * 128 / 10));
  EXPECT_EQ(sparse.heads, 16);
  EXPECT_EQ(sparse.head_dim, 128);
  EXPECT_EQ(cases.at("d64_L4096_b128_100").pattern, AllBlocks(32, 128));
  EXPECT_EQ(cases.at("d64_L4096_b128_100").head_dim, 64);
}

TEST(CasesTest, TheCpuCases) {
  const auto cases = ByName(CpuCases());
  EXPECT_EQ(cases.size(), 3);
  EXPECT_THAT(Numbers(cases.at("L1024_b32_k58")), ElementsAre(4, 1024, 32, 58));
  EXPECT_THAT(Numbers(cases.at("L4096_b64_k123")), ElementsAre(4, 4096, 64, 123));
}

TEST(CasesTest, AreTheSameEveryTime) {
  EXPECT_EQ(CasesToJson(GpuCases()), CasesToJson(GpuCases()));
}

TEST(BenchmarkNameTest, SaysWhatIsTimed) {
  EXPECT_EQ(BenchmarkName("spion", "cuda", "bf16", "density_25", Pass::kBoth),
            "spion/cuda/bf16/density_25/fwdbwd");
}

TEST(CasesToJsonTest, ThePatternsComeBack) {
  const std::vector<BenchmarkCase> cases = GpuCases();
  const nlohmann::json list = nlohmann::json::parse(CasesToJson(cases).dump()).at("cases");
  ASSERT_EQ(list.size(), cases.size());
  for (size_t i = 0; i < cases.size(); ++i) {
    EXPECT_EQ(list[i].at("name"), cases[i].name);
    EXPECT_EQ(list[i].at("batch"), cases[i].batch);
    EXPECT_EQ(list[i].at("length"), cases[i].pattern.length());
    const absl::StatusOr<BlockPattern> pattern = PatternFromJson(list[i].at("pattern"));
    ASSERT_TRUE(pattern.ok()) << pattern.status();
    EXPECT_EQ(*pattern, cases[i].pattern);
  }
}

}  // namespace
}  // namespace spion

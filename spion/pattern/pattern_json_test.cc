#include "spion/pattern/pattern_json.h"

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace spion {
namespace {

using ::testing::HasSubstr;

BlockPattern Pattern() { return BlockPattern::FromBlocks(3, 32, {{{0, 2}, {2, 0}}}).value(); }

nlohmann::json Json() {
  return nlohmann::json::parse(R"({"block_size": 32, "blocks_per_side": 3, "kept_blocks": 5,
                                   "columns_of_row": [[0, 2], [1], [0, 2]]})");
}

std::string Error(const char* key, const char* value) {
  nlohmann::json json = Json();
  json[key] = nlohmann::json::parse(value);
  const absl::StatusOr<BlockPattern> pattern = PatternFromJson(json);
  EXPECT_EQ(pattern.status().code(), absl::StatusCode::kInvalidArgument) << key << " " << value;
  return std::string(pattern.status().message());
}

TEST(PatternJsonTest, WritesTheDocumentedForm) { EXPECT_EQ(PatternToJson(Pattern()), Json()); }

TEST(PatternJsonTest, ReadsIt) {
  const absl::StatusOr<BlockPattern> pattern = PatternFromJson(Json());
  ASSERT_TRUE(pattern.ok()) << pattern.status();
  EXPECT_EQ(*pattern, Pattern());
}

TEST(PatternJsonTest, APatternForEachLayerIsAList) {
  const BlockPattern other = BlockPattern::FromBlocks(2, 16, {}).value();
  const nlohmann::json list = PatternsToJson({Pattern(), other});
  EXPECT_EQ(list, nlohmann::json({Json(), PatternToJson(other)}));
  const auto layers = PatternsFromJson(list);
  ASSERT_TRUE(layers.ok()) << layers.status();
  EXPECT_EQ(*layers, (std::vector<BlockPattern>{Pattern(), other}));
  EXPECT_EQ(PatternsFromJson(PatternsToJson({}))->size(), 0);
}

TEST(PatternJsonTest, SaysInWhichLayerWhatIsWrong) {
  EXPECT_THAT(PatternsFromJson({Json(), nullptr}).status().message(),
              HasSubstr("layer 1: not a block pattern: null"));
  EXPECT_EQ(PatternsFromJson(Json()).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(PatternJsonTest, RefusesWhatIsMissing) {
  for (const char* key : {"block_size", "blocks_per_side", "kept_blocks", "columns_of_row"}) {
    nlohmann::json json = Json();
    json.erase(key);
    EXPECT_EQ(PatternFromJson(json).status().message(),
              "not a block pattern: it has no \"" + std::string(key) +
                  "\"; expected block_size, blocks_per_side, kept_blocks and columns_of_row");
  }
  EXPECT_THAT(PatternFromJson(nlohmann::json("\xff")).status().message(),
              HasSubstr("where an object was expected"));
  for (const nlohmann::json& json : {nlohmann::json("text"), nlohmann::json(nullptr)}) {
    EXPECT_EQ(PatternFromJson(json).status().message(),
              "not a block pattern: " + json.dump() +
                  " where an object was expected, with block_size, blocks_per_side, kept_blocks "
                  "and columns_of_row");
  }
  // Of something large its beginning is shown.
  EXPECT_THAT(PatternFromJson(nlohmann::json(std::string(100'000, 'x'))).status().message(),
              ::testing::SizeIs(::testing::Lt(200)));
}

TEST(PatternJsonTest, ARowNeedNotListTheDiagonalWhichCounts) {
  nlohmann::json json = Json();
  json["columns_of_row"] = {{2}, nlohmann::json::array(), {0}};
  const absl::StatusOr<BlockPattern> pattern = PatternFromJson(json);
  ASSERT_TRUE(pattern.ok()) << pattern.status();
  EXPECT_EQ(*pattern, Pattern());
}

TEST(PatternJsonTest, RefusesNumbersThatWouldBeRoundedOrWrapped) {
  EXPECT_THAT(Error("columns_of_row", "[[0, 1.5], [1], [2]]"),
              HasSubstr("row 0: 1.5 where a whole"));
  EXPECT_THAT(Error("columns_of_row", "[[0, 4294967298], [1], [2]]"), HasSubstr("4294967298"));
  EXPECT_THAT(Error("columns_of_row", "[[0, 18446744073709551615], [1], [2]]"), HasSubstr("whole"));
  EXPECT_THAT(Error("columns_of_row", "[[0, \"2\"], [1], [2]]"), HasSubstr("\"2\" where"));
  EXPECT_THAT(Error("block_size", "-32"), HasSubstr("\"block_size\": -32 where"));
  EXPECT_THAT(Error("block_size", "0"), HasSubstr("block size 0"));
}

TEST(PatternJsonTest, RefusesRowsThatAreNotThere) {
  EXPECT_THAT(Error("columns_of_row", "[[0, 2], [1]]"), HasSubstr("2 rows, not of 3"));
  EXPECT_THAT(Error("blocks_per_side", "4"), HasSubstr("3 rows, not of 4"));
  EXPECT_THAT(Error("columns_of_row", "[[0, 2], 1, [0, 2]]"), HasSubstr("row 1 is no list"));
  EXPECT_THAT(Error("columns_of_row", "{\"a\": [0], \"b\": [1], \"c\": [2]}"),
              HasSubstr("\"columns_of_row\" is no list of rows"));
  EXPECT_THAT(Error("columns_of_row", "[[0, 3], [1], [2]]"), HasSubstr("(0, 3) lies outside"));
}

TEST(PatternJsonTest, RefusesAColumnThatARowHasTwice) {
  EXPECT_THAT(Error("columns_of_row", "[[2, 0, 2], [1], [0, 2]]"),
              HasSubstr("row 0 has the column 2 more than once"));
}

TEST(PatternJsonTest, RefusesRowsThatDoNotMakeUpKeptBlocks) {
  EXPECT_THAT(Error("kept_blocks", "4"), HasSubstr("kept_blocks is 4, but"));
  EXPECT_THAT(
      Error("columns_of_row", "[[0], [1], [0, 2]]"),
      HasSubstr("kept_blocks is 5, but its rows and the diagonal, which counts whether rows "
                "list it or not, keep 4"));
}

}  // namespace
}  // namespace spion

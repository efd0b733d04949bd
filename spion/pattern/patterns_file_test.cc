#include "spion/pattern/patterns_file.h"

#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace spion {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string Written(const std::string& text) {
  std::string path = ::testing::TempDir() + "/patterns_file_test.json";
  std::ofstream(path) << text;
  return path;
}

std::string ErrorOf(const std::string& path) {
  return std::string(ReadPatternsFile(path).status().message());
}

constexpr char kLayer[] =
    R"({"block_size": 16, "blocks_per_side": 2, "kept_blocks": 3, "columns_of_row": [[0, 1], [1]]})";

TEST(PatternsFileTest, HasEveryLayerAndTheSumOfItsBytes) {
  const std::string path = Written(absl::StrCat(
      R"({"transition_step": 7, "layers": [)", kLayer,
      R"(, {"block_size": 16, "blocks_per_side": 1, "kept_blocks": 1, "columns_of_row": [[0]]}]})"));
  const auto file = ReadPatternsFile(path);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->path, path);
  EXPECT_EQ(file->sha256, "ecdd147151649a5fa786b888f4090fb7a22c3842e4e2632003fde29366ced363");
  ASSERT_EQ(file->layers.size(), 2u);
  EXPECT_EQ(file->layers[0], BlockPattern::FromBlocks(2, 16, std::vector<Block>{{0, 1}}).value());
  EXPECT_EQ(file->layers[1].length(), 16);
}

TEST(PatternsFileTest, NamesTheFileAndWhatIsWrong) {
  EXPECT_THAT(ErrorOf("/nowhere/patterns.json"), AllOf(HasSubstr("/nowhere/patterns.json"),
                                                       HasSubstr("when its sparse phase begins")));
  for (const auto& [text, message] : std::vector<std::pair<std::string, std::string>>{
           {"", "JSON"},
           {"[]", "has no list \"layers\""},
           {R"({"layers": []})",
            ": its list \"layers\" is empty; expected a pattern for each layer"},
           {R"({"layers": {}})", "has no list \"layers\""},
           {absl::StrCat(R"({"layers": [)", kLayer, ", {}]}"), ": layer 1: "},
           {R"({"layers": [null]})", ": layer 0: not a block pattern: null where an object"}}) {
    const std::string path = Written(text);
    EXPECT_THAT(ErrorOf(path), AllOf(HasSubstr(path), HasSubstr(message))) << text;
  }
}

}  // namespace
}  // namespace spion

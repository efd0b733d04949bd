#include "spion/base/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace spion {
namespace {

using ::testing::HasSubstr;

std::string Nested(const std::string& open, const std::string& inner, const std::string& close,
                   int depth) {
  std::string text;
  for (int i = 0; i < depth; ++i) text += open;
  text += inner;
  for (int i = 0; i < depth; ++i) text += close;
  return text;
}

std::string Error(const std::string& text) {
  return std::string(ParseJson(text).status().message());
}

TEST(ParseJsonTest, GivesTheValue) {
  const absl::StatusOr<nlohmann::json> value = ParseJson(R"({"a": [1, {"b": "[[["}], "c": null})");
  ASSERT_TRUE(value.ok()) << value.status();
  EXPECT_EQ(value->at("a").at(1).at("b"), "[[[");
  EXPECT_TRUE(value->at("c").is_null());
  EXPECT_EQ(ParseJson("3").value(), 3);
}

TEST(ParseJsonTest, SaysWhereItEnds) {
  EXPECT_EQ(Error("{\"a\": 1,}"), "not JSON from byte 9 on");
  EXPECT_THAT(Error(""), HasSubstr("not JSON"));
  EXPECT_THAT(Error("[1] 2"), HasSubstr("not JSON"));
}

TEST(ParseJsonTest, TakesTheDeepestAndNotOneDeeper) {
  EXPECT_TRUE(ParseJson(Nested("[", "", "]", kDeepestJson + 1)).ok());
  EXPECT_TRUE(ParseJson(Nested("[", "1", "]", kDeepestJson)).ok());
  EXPECT_THAT(Error(Nested("[", "1", "]", kDeepestJson + 1)), HasSubstr("deep"));
  EXPECT_THAT(Error(Nested("{\"a\":", "1", "}", kDeepestJson + 1)), HasSubstr("deep"));
}

TEST(ParseJsonTest, RefusesAHugeNesting) {
  for (const int depth : {400'000, 4'000'000}) {
    EXPECT_THAT(Error(Nested("[", "", "]", depth)), HasSubstr("deep"));
    EXPECT_THAT(Error(Nested("[", "", "", depth)), HasSubstr("deep"));  // and cut
  }
  EXPECT_THAT(Error(Nested("{\"a\":", "1", "}", 100'000)), HasSubstr("deep"));
}

TEST(ParseJsonTest, TakesTheMostValuesAndNotOneMore) {
  const auto list = [](int64_t values, const std::string& value) {
    std::string text = "[" + value;
    for (int64_t i = 2; i < values; ++i) text += "," + value;
    return text + "]";
  };
  EXPECT_TRUE(ParseJson(list(kMostJsonValues, "1")).ok());
  for (const char* value : {"1", "[]", "{}", "\"\""}) {
    EXPECT_EQ(Error(list(kMostJsonValues + 1, value)), "JSON with more than 4194304 values");
  }
}

}  // namespace
}  // namespace spion

#include "spion/base/json_text.h"

#include <nlohmann/json.hpp>

#include "gtest/gtest.h"

namespace spion {
namespace {

using Json = nlohmann::ordered_json;

TEST(JsonTextTest, WritesAsTheLibraryDoes) {
  const Json json = {{"b", {1, 2.5, nullptr, true, "é \"\\\n"}}, {"a", Json::object()}};
  EXPECT_EQ(JsonText(json), "{\"b\":[1,2.5,null,true,\"é \\\"\\\\\\n\"],\"a\":{}}");
  EXPECT_EQ(JsonText(json, 2), json.dump(2));
  EXPECT_EQ(JsonText(Json::array()), "[]");
  EXPECT_EQ(JsonText(nullptr), "null");
}

TEST(JsonTextTest, SaysWhichBytesWereNotUtf8) {
  const Json json = {{"command", {"lra", "--out_dir=/r\xE9sultats"}}, {"k\xFF", "\xC3"}};
  const Json read = Json::parse(JsonText(json));
  EXPECT_EQ(read.at("command").at(1), "--out_dir=/r%E9sultats");
  EXPECT_EQ(read.at("k%FF"), "%C3");
}

}  // namespace
}  // namespace spion

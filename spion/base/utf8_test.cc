#include "spion/base/utf8.h"

#include <cstdint>
#include <nlohmann/json.hpp>

#include "gtest/gtest.h"
#include "spion/base/random.h"

namespace spion {
namespace {

TEST(Utf8Test, KeepsWhatIsUtf8) {
  for (const char* text : {"", "a/b", "résultats", "地図", "🙂", "\x7F", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_TRUE(IsUtf8(text)) << text;
    EXPECT_EQ(ToUtf8(text), text);
  }
}

TEST(Utf8Test, WritesOtherBytesAsHexadecimals) {
  EXPECT_EQ(ToUtf8("r\xE9sultats"), "r%E9sultats");
  EXPECT_EQ(ToUtf8("\xFF\xFE"), "%FF%FE");
  EXPECT_EQ(ToUtf8("cut \xE2\x82"), "cut %E2%82");
  EXPECT_EQ(ToUtf8("longer than needed \xC0\xAF"), "longer than needed %C0%AF");
  EXPECT_EQ(ToUtf8("surrogate \xED\xA0\x80"), "surrogate %ED%A0%80");
  EXPECT_EQ(ToUtf8("too large \xF4\x90\x80\x80"), "too large %F4%90%80%80");
}

// nlohmann's own check, by whether it writes a string.
bool IsUtf8ForJson(const std::string& text) {
  try {
    nlohmann::json(text).dump();
    return true;
  } catch (const nlohmann::json::type_error&) {
    return false;
  }
}

TEST(Utf8Test, AgreesWithTheJsonWriter) {
  // Bytes at the borders of the forms.
  constexpr uint8_t kBytes[] = {0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2,
                                0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF3, 0xF4, 0xF5};
  uint64_t state = 1001;
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (int j = 0; j < 6; ++j) {
      text += static_cast<char>(kBytes[SplitMix64(state) % std::size(kBytes)]);
    }
    ASSERT_EQ(IsUtf8(text), IsUtf8ForJson(text)) << ToUtf8(text);
    ASSERT_TRUE(IsUtf8ForJson(ToUtf8(text))) << ToUtf8(text);
  }
}

}  // namespace
}  // namespace spion

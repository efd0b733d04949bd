#include "spion/data/document_writer.h"

#include <algorithm>
#include <array>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "spion/base/random.h"

namespace spion {
namespace {

using ::testing::MatchesRegex;

TEST(DrawWordCountTest, DrawsEachOctaveAsOften) {
  Random random(1);
  std::array<int, 4> counts{};
  int64_t least = 1000, most = 0;
  for (int i = 0; i < 4000; ++i) {
    const int64_t words = DrawWordCount(random, 2, 4);
    least = std::min(least, words), most = std::max(most, words);
    ++counts[words < 8 ? 0 : words < 16 ? 1 : words < 32 ? 2 : 3];
  }
  EXPECT_EQ(least, 4);
  EXPECT_EQ(most, 31);
  EXPECT_EQ(counts[3], 0);
  // 1333 expected, standard deviation 30.
  for (int octave = 0; octave < 3; ++octave) EXPECT_NEAR(counts[octave], 1333, 150);
}

TEST(DocumentWriterTest, WritesSentences) {
  Random random(2);
  DocumentWriter writer(random);
  for (int i = 0; i < 400; ++i) writer.Add("word");
  const std::string text = writer.Finish();
  EXPECT_THAT(text, MatchesRegex("Word( word)*\\.( Word( word)*\\.)*"));
  EXPECT_EQ(std::count(text.begin(), text.end(), ' '), 399);
  // 4 to 16 words a sentence, 10 in the mean.
  const auto sentences = std::count(text.begin(), text.end(), '.');
  EXPECT_GE(sentences, 25);
  EXPECT_LE(sentences, 60);
}

TEST(DocumentWriterTest, WritesASingleWord) {
  Random random(3);
  DocumentWriter writer(random);
  writer.Add("one");
  EXPECT_EQ(writer.Finish(), "One.");
}

}  // namespace
}  // namespace spion

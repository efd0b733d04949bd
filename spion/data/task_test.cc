#include "spion/data/task.h"

#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace spion {
namespace {

using ::testing::ElementsAre;

using Bytes = std::vector<uint8_t>;

std::vector<int32_t> Ids(const Split& split, int64_t example, int sequence, int length) {
  std::vector<int32_t> ids(length, -1);
  split.ReadIds(example, sequence, absl::MakeSpan(ids));
  return ids;
}

TEST(SplitTest, StartsEmpty) {
  EXPECT_EQ(Split({.sequence_length = 3, .vocabulary = 256, .classes = 2}).examples(), 0);
}

TEST(SplitTest, GivesBytesAsIdsWhereThereIsNoPadding) {
  Split split({.sequence_length = 3, .vocabulary = 256, .classes = 2});
  split.Reserve(2);
  const Bytes first = {0, 128, 255}, second = {7, 0, 9};
  split.AddExample({first}, 1);
  split.AddExample({second}, 0);
  EXPECT_EQ(split.examples(), 2);
  EXPECT_EQ(split.label(0), 1);
  EXPECT_EQ(split.label(1), 0);
  EXPECT_EQ(split.length(1, 0), 3);
  EXPECT_THAT(Ids(split, 0, 0, 3), ElementsAre(0, 128, 255));
  EXPECT_THAT(Ids(split, 1, 0, 3), ElementsAre(7, 0, 9));
}

TEST(SplitTest, KeepsIdZeroForPadding) {
  Split split({.sequence_length = 4, .vocabulary = 257, .classes = 2, .has_padding = true});
  const Bytes full = {0, 1, 2, 255}, part = {5, 0}, none;
  for (const Bytes& bytes : {full, part, none}) split.AddExample({bytes}, 0);
  EXPECT_EQ(split.length(0, 0), 4);
  EXPECT_EQ(split.length(1, 0), 2);
  EXPECT_EQ(split.length(2, 0), 0);
  EXPECT_THAT(Ids(split, 0, 0, 4), ElementsAre(1, 2, 3, 256));
  EXPECT_THAT(Ids(split, 1, 0, 4), ElementsAre(6, 1, 0, 0));
  EXPECT_THAT(Ids(split, 2, 0, 4), ElementsAre(0, 0, 0, 0));
}

TEST(SplitTest, KeepsTheSequencesOfAnExampleApart) {
  Split split({.sequence_length = 3,
               .vocabulary = 257,
               .classes = 2,
               .sequences_per_example = 2,
               .has_padding = true});
  const Bytes a = {10}, b = {20, 21}, c = {30, 31, 32}, d;
  split.AddExample({a, b}, 1);
  split.AddExample({c, d}, 0);
  EXPECT_EQ(split.examples(), 2);
  EXPECT_THAT(Ids(split, 0, 0, 3), ElementsAre(11, 0, 0));
  EXPECT_THAT(Ids(split, 0, 1, 3), ElementsAre(21, 22, 0));
  EXPECT_THAT(Ids(split, 1, 0, 3), ElementsAre(31, 32, 33));
  EXPECT_EQ(split.length(1, 1), 0);
}

TEST(TaskDataTest, ShortensWhatHasPaddingAndNothingElse) {
  for (const bool has_padding : {true, false}) {
    TaskData data(
        {.sequence_length = 3, .vocabulary = 257, .classes = 2, .has_padding = has_padding});
    data.dev.AddExample({Bytes{1, 2, 3}}, 0);
    for (const int length : {4, 3, 2}) data.ShortenTo(length);
    const int expected = has_padding ? 2 : 3;
    EXPECT_EQ(data.shape.sequence_length, expected);
    for (const Split* split : {&data.train, &data.dev, &data.test}) {
      EXPECT_EQ(split->shape().sequence_length, expected);
    }
    EXPECT_EQ(data.dev.length(0, 0), expected);
    EXPECT_EQ(data.dev.is_cut(0, 0), has_padding);
  }
}

}  // namespace
}  // namespace spion

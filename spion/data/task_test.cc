#include "spion/data/task.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
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

TEST(SplitTest, LeavesOutWhatIsNotOfTheShapeAndTellsTheFirst) {
  const TaskShape shape = {.sequence_length = 3, .vocabulary = 4, .classes = 2};
  const TaskShape padded = {
      .sequence_length = 3, .vocabulary = 4, .classes = 2, .has_padding = true};
  const Bytes ids = {0, 1, 3}, small = {0, 1, 2}, part = {0, 1}, none;
  struct Case {
    TaskShape shape;
    std::vector<absl::Span<const uint8_t>> sequences;
    int32_t label;
    const char* fault;
  };
  const Case cases[] = {
      {shape, {ids}, 1, ""},
      {padded, {small}, 0, ""},
      {padded, {none}, 0, ""},
      {shape, {ids}, 2, "label 2, but there are 2 classes, counted from 0"},
      {shape, {ids}, -1, "label -1, but there are 2 classes, counted from 0"},
      {shape, {ids, ids}, 0, "2 sequences, but an example has 1"},
      {shape, {}, 0, "0 sequences, but an example has 1"},
      {shape, {part}, 0, "a sequence of 2 ids, but without padding all are 3 long"},
      {padded, {ids}, 0, "id 4, but the vocabulary is 4, counted from 0"},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(each.fault);
    const bool sound = std::string(each.fault).empty();
    Split split(each.shape);
    split.AddExample({small}, 0);
    split.AddExample(each.sequences, each.label);
    split.AddExample({small}, 1);
    split.AddExample({small}, 5);
    EXPECT_EQ(split.examples(), sound ? 3 : 2);
    EXPECT_EQ(split.label(split.examples() - 1), 1);
    const int first_id = each.shape.has_padding ? 1 : 0;
    EXPECT_THAT(Ids(split, split.examples() - 1, 0, 3),
                ElementsAre(first_id, first_id + 1, first_id + 2));
    split.NameExamples([](int64_t example) { return absl::StrCat("line ", 1 + example); });
    EXPECT_EQ(split.fault(), sound ? "line 4 has label 5, but there are 2 classes, counted from 0"
                                   : absl::StrCat("line 2 has ", each.fault));
  }
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

#include "spion/data/cut_sequences.h"

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "gtest/gtest.h"

namespace spion {
namespace {

void Add(const std::vector<int>& lengths, Split& split) {
  std::vector<std::vector<uint8_t>> bytes;
  for (int length : lengths) bytes.emplace_back(length, uint8_t{1});
  const std::vector<absl::Span<const uint8_t>> sequences(bytes.begin(), bytes.end());
  split.AddExample(sequences, 0);
}

/// Pairs of sequences of up to 8 ids of which 6 are read.
TaskData Pairs() {
  TaskData data({.sequence_length = 8,
                 .vocabulary = 9,
                 .classes = 1,
                 .sequences_per_example = 2,
                 .has_padding = true,
                 .longest_sequence = 6});
  data.source.cut_means = "a pity";
  Add({0, 6}, data.train);
  Add({4, 7}, data.train);
  Add({9, 30}, data.train);
  Add({5, 6}, data.dev);
  Add({6, 7}, data.test);
  data.train.NameExamples([](int64_t example) { return "line " + std::to_string(10 + example); });
  return data;
}

TEST(CutSequencesTest, CountsWhatIsLongerThanTheTaskReads) {
  const TaskData data = Pairs();
  EXPECT_EQ(DescribeCuts(data),
            "; cut to 6 ids: 3 of 6 train, 0 of 2 dev, 1 of 2 test sequences (a pity)");
  EXPECT_EQ(CheckNoneIsCut(data),
            absl::FailedPreconditionError(
                "line 11 (train) is longer than the 6 ids that are read; cut are 3 of 6 train, 0 "
                "of 2 dev, 1 of 2 test sequences (a pity)"));
}

TEST(CutSequencesTest, CountsWhatIsLongerThanTheModelReads) {
  TaskData data = Pairs();
  data.ShortenTo(5);
  EXPECT_EQ(DescribeCuts(data),
            "; cut to 5 ids: 4 of 6 train, 1 of 2 dev, 2 of 2 test sequences (a pity)");
  EXPECT_EQ(CheckNoneIsCut(data).message().substr(0, 48),
            "line 10 (train) is longer than the 5 ids that ar");
}

TEST(CutSequencesTest, ALongerModelReadsNoMoreThanTheTask) {
  TaskData data = Pairs();
  data.ShortenTo(7);
  EXPECT_EQ(DescribeCuts(data), DescribeCuts(Pairs()));
}

TEST(CutSequencesTest, NamesTheFirstOfALaterSplitToo) {
  TaskData data(Pairs().shape);
  Add({1, 1}, data.train);
  Add({1, 1}, data.test);
  Add({1, 8}, data.test);
  EXPECT_EQ(CheckNoneIsCut(data).message().substr(0, 28), "example 1 (test) is longer t");
}

TEST(CutSequencesTest, SaysThatNoneIsCut) {
  TaskData data(Pairs().shape);
  Add({6, 0}, data.train);
  EXPECT_EQ(DescribeCuts(data), "; no sequence is longer than 6 ids");
  EXPECT_TRUE(CheckNoneIsCut(data).ok());
}

TEST(CutSequencesTest, HasNothingToSayOfATaskWithoutPadding) {
  TaskData data({.sequence_length = 3, .vocabulary = 9, .classes = 1});
  Add({3}, data.train);
  EXPECT_EQ(DescribeCuts(data), "");
  EXPECT_TRUE(CheckNoneIsCut(data).ok());
}

}  // namespace
}  // namespace spion

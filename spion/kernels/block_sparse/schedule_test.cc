#include "spion/kernels/block_sparse/schedule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "spion/testing/pattern_zoo.h"

namespace spion {
namespace {

BlockSchedule ScheduleOf(const BlockPattern& pattern) {
  return MakeSchedule({pattern.rows().offsets, pattern.rows().indices},
                      {pattern.columns().offsets, pattern.columns().indices});
}

void ExpectLine(const BlockLine& line, absl::Span<const int32_t> blocks,
                const std::vector<int32_t>& indices) {
  ASSERT_EQ(line.end - line.begin, static_cast<int32_t>(blocks.size()));
  for (size_t i = 0; i < blocks.size(); ++i) EXPECT_EQ(indices[line.begin + i], blocks[i]);
  EXPECT_EQ(line.first, blocks.empty() ? 0 : blocks[0]);
}

TEST(ScheduleTest, HoldsEveryLineOnceWithItsBlocksLongestFirst) {
  for (const NamedPattern& named : PatternZoo(12, 32, 5)) {
    SCOPED_TRACE(named.name);
    const BlockPattern& pattern = named.pattern;
    const BlockSchedule schedule = ScheduleOf(pattern);
    ASSERT_EQ(schedule.rows.size(), 12);
    ASSERT_EQ(schedule.lines.size(), 24);
    std::set<int32_t> rows;
    std::set<int32_t> lines;
    int64_t longest = INT64_MAX;
    for (const BlockLine& row : schedule.rows) {
      rows.insert(row.line);
      ExpectLine(row, pattern.columns_of_row(row.line), pattern.rows().indices);
      EXPECT_LE(row.end - row.begin, longest);
      longest = row.end - row.begin;
    }
    for (size_t i = 0; i < schedule.lines.size(); i += 2) {
      const BlockLine& row = schedule.lines[i];
      const BlockLine& column = schedule.lines[i + 1];
      lines.insert(row.line);
      EXPECT_EQ(row.line, column.line);
      ExpectLine(row, pattern.columns_of_row(row.line), pattern.rows().indices);
      ExpectLine(column, pattern.rows_of_column(column.line), pattern.columns().indices);
    }
    EXPECT_EQ(rows.size(), 12);
    EXPECT_EQ(lines.size(), 12);
  }
}

TEST(ScheduleTest, SharesTheLongColumnsOfRealPatternsAndNothingElse) {
  const BlockSchedule layer0 = ScheduleOf(ImageCfLayer0());
  EXPECT_EQ(layer0.long_rows, 0);
  ASSERT_EQ(layer0.long_lines, 1);
  EXPECT_EQ(layer0.lines[0].line, 9);
  const BlockSchedule layer1 = ScheduleOf(ImageCfLayer1());
  EXPECT_EQ(layer1.long_rows, 0);
  ASSERT_EQ(layer1.long_lines, 1);
  EXPECT_EQ(layer1.lines[0].line, 31);
}

TEST(ScheduleTest, LinesOfEightBlocksAreNotWorthSharing) {
  // Three times the mean and more of the diagonal pattern, and one block in its row.
  const auto with_row_of = [](int32_t blocks) {
    std::vector<Block> kept;
    for (int32_t i = 0; i < 32; ++i) kept.push_back({i, i});
    for (int32_t column = 1; column < blocks; ++column) kept.push_back({0, column});
    return *BlockPattern::FromBlocks(32, 64, kept);
  };
  EXPECT_EQ(ScheduleOf(with_row_of(8)).long_rows, 0);
  EXPECT_EQ(ScheduleOf(with_row_of(9)).long_rows, 1);
}

TEST(ScheduleTest, EvenPatternsShareNothing) {
  for (const BlockPattern& pattern : {DiagonalOnly(16, 32), AllBlocks(16, 32), Banded(16, 32, 2)}) {
    EXPECT_EQ(ScheduleOf(pattern).long_rows, 0);
    EXPECT_EQ(ScheduleOf(pattern).long_lines, 0);
  }
}

TEST(ScheduleTest, EmptyLinesAreKept) {
  const std::vector<int32_t> row_offsets = {0, 0, 1};
  const std::vector<int32_t> row_columns = {0};
  const std::vector<int32_t> column_offsets = {0, 1, 1};
  const std::vector<int32_t> column_rows = {1};
  const BlockSchedule schedule =
      MakeSchedule({row_offsets, row_columns}, {column_offsets, column_rows});
  ASSERT_EQ(schedule.rows.size(), 2);
  EXPECT_EQ(schedule.rows[0].line, 1);
  EXPECT_EQ(schedule.rows[1].begin, schedule.rows[1].end);
}

}  // namespace
}  // namespace spion

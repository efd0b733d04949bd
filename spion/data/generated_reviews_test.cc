#include "spion/data/generated_reviews.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <set>
#include <string>

#include "absl/types/span.h"
#include "gtest/gtest.h"
#include "spion/base/parallel.h"
#include "spion/base/sha256.h"
#include "spion/data/document.h"

namespace spion {
namespace {

std::string Digest(const std::vector<GeneratedReview>& reviews) {
  std::string bytes;
  for (const GeneratedReview& review : reviews) {
    bytes += std::to_string(review.label) + review.text + "\n";
  }
  return Sha256OfBytes(bytes);
}

// A change of these bytes changes every result on generated reviews: it must be meant.
TEST(GenerateReviewsTest, GivesTheSameBytesEverywhere) {
  EXPECT_EQ(Digest(GenerateReviews(1001, 200)),
            "c27998037b0c09de88ce2b432443978234259fee59d25df31b7ae2ad98d78f52");
}

TEST(GenerateReviewsTest, GivesTheSameOnAnyNumberOfThreads) {
  EXPECT_EQ(Digest(GenerateReviews(7, 101, ThreadedFor(7))), Digest(GenerateReviews(7, 101)));
}

TEST(GenerateReviewsTest, GivesEachSeedItsOwnReviews) {
  EXPECT_NE(Digest(GenerateReviews(1, 20)), Digest(GenerateReviews(2, 20)));
}

TEST(GenerateReviewsTest, GivesNoReviewTwice) {
  std::set<std::string> texts;
  for (const GeneratedReview& review : GenerateReviews(3, 2000)) texts.insert(review.text);
  EXPECT_EQ(texts.size(), 2000u);
}

TEST(GenerateReviewsTest, HasBothLabelsInEachTwoInEitherOrder) {
  const auto reviews = GenerateReviews(4, 100);
  ASSERT_EQ(reviews.size(), 100u);
  int praise_first = 0;
  for (int i = 0; i < 100; i += 2) {
    EXPECT_EQ(reviews[i].label + reviews[i + 1].label, 1);
    praise_first += reviews[i].label;
  }
  EXPECT_GT(praise_first, 10);
  EXPECT_LT(praise_first, 40);
}

TEST(GenerateReviewsTest, BeginsAnySizeWithTheSameReviews) {
  const auto few = GenerateReviews(5, 7);
  const auto many = GenerateReviews(5, 40);
  ASSERT_EQ(few.size(), 7u);
  for (size_t i = 0; i < few.size(); ++i) {
    EXPECT_EQ(few[i].label, many[i].label);
    EXPECT_EQ(few[i].text, many[i].text);
  }
}

TEST(GenerateReviewsTest, GivesNoneWhenAskedForNone) { EXPECT_TRUE(GenerateReviews(6, 0).empty()); }

TEST(GenerateReviewsTest, GivesVeryDifferentLengths) {
  int shorter_than_100 = 0, longer_than_read = 0;
  for (const GeneratedReview& review : GenerateReviews(7, 1000)) {
    shorter_than_100 += review.text.size() < 100;
    longer_than_read += review.text.size() > kDocumentBytes;
    // Eight words of one letter at the least, with a space or the full stop behind each.
    EXPECT_GE(review.text.size(), 16u);
  }
  EXPECT_GT(shorter_than_100, 100);
  EXPECT_GT(longer_than_read, 20);
}

/// What is read of a review.
absl::Span<const uint8_t> ReadBytes(const std::string& text) {
  return DocumentBytes(text).first(std::min(text.size(), kDocumentBytes));
}

// What makes the task learnable but not trivial: naive Bayes over the bytes that are read, which
// knows no words, is right far more often than one time in two, and not always.
TEST(GenerateReviewsTest, IsPartlyToldByItsBytes) {
  constexpr int kTrain = 2000, kTest = 1000;
  std::array<std::array<double, 256>, 2> counts;
  for (auto& of_label : counts) of_label.fill(1);
  for (const GeneratedReview& review : GenerateReviews(8, kTrain)) {
    for (uint8_t byte : ReadBytes(review.text)) ++counts[review.label][byte];
  }
  std::array<double, 2> totals{};
  for (int label : {0, 1}) {
    for (double count : counts[label]) totals[label] += count;
  }
  int right = 0;
  for (const GeneratedReview& review : GenerateReviews(9, kTest)) {
    double praise = 0;
    for (uint8_t byte : ReadBytes(review.text)) {
      praise += std::log(counts[1][byte] / totals[1]) - std::log(counts[0][byte] / totals[0]);
    }
    right += (praise > 0) == (review.label == 1);
  }
  RecordProperty("right_of_1000", right);
  EXPECT_GE(right, kTest * 80 / 100);
  EXPECT_LE(right, kTest * 95 / 100);
}

}  // namespace
}  // namespace spion

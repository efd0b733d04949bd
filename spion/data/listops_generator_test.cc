#include "spion/data/listops_generator.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "spion/base/sha256.h"
#include "spion/data/listops_expression.h"

namespace spion {
namespace {

using ::testing::HasSubstr;

struct Example {
  ListOpsTokens tokens;
  int value;
  bool operator==(const Example&) const = default;
};
using Examples = std::array<std::vector<Example>, 3>;

Examples Generate(uint64_t seed, const GeneratedSizes& sizes) {
  Examples examples;
  const absl::Status status = GenerateListOps(
      seed, sizes, [&](ListOpsSplit split, absl::Span<const uint8_t> tokens, int value) {
        examples[static_cast<size_t>(split)].push_back({{tokens.begin(), tokens.end()}, value});
        return absl::OkStatus();
      });
  EXPECT_TRUE(status.ok()) << status;
  return examples;
}

/// A sample large enough for statistics, made once.
const Examples& Sample() {
  static const auto* examples =
      new Examples(Generate(20240817, {.train = 5000, .dev = 500, .test = 500}));
  return *examples;
}

template <typename Visit>
void ForEachExample(Visit visit) {
  for (const auto& split : Sample()) {
    for (const Example& example : split) visit(example);
  }
}

/// What stands at which depth of an expression, found by walking over its tokens.
struct Anatomy {
  int deepest = 0;
  std::vector<int> values_of_nodes;
};
Anatomy Dissect(const ListOpsTokens& tokens) {
  Anatomy anatomy;
  std::vector<int> open;
  for (uint8_t token : tokens) {
    if (token == kListOpsEnd) {
      anatomy.values_of_nodes.push_back(open.back());
      open.pop_back();
      continue;
    }
    if (!open.empty()) ++open.back();
    anatomy.deepest = std::max(anatomy.deepest, static_cast<int>(open.size()) + 1);
    if (token >= kListOpsMin) open.push_back(0);
  }
  return anatomy;
}

// A change of these bytes changes every result on ListOps: it must be meant.
TEST(GenerateListOpsTest, GivesTheSameBytesEverywhere) {
  std::string bytes;
  for (const auto& split : Generate(1001, {.train = 20, .dev = 10, .test = 10})) {
    for (const Example& example : split) {
      bytes.push_back(static_cast<char>(example.value));
      bytes.append(example.tokens.begin(), example.tokens.end());
    }
  }
  EXPECT_EQ(Sha256OfBytes(bytes),
            "29324e6abdf0e417ba4a33466231a0ae4010b41bd7c6e3b1c450782f511a131e");
}

TEST(GenerateListOpsTest, KeepsTheRuleOfTheLength) {
  size_t shortest = 5000, longest = 0;
  ForEachExample([&](const Example& example) {
    shortest = std::min(shortest, example.tokens.size());
    longest = std::max(longest, example.tokens.size());
  });
  // Both ends are nearly reached.
  EXPECT_GT(shortest, 500u);
  EXPECT_LT(shortest, 510u);
  EXPECT_LT(longest, 2000u);
  EXPECT_GT(longest, 1980u);
}

TEST(GenerateListOpsTest, KeepsTheRuleOfTheTree) {
  int deepest = 0;
  std::array<int, 11> nodes{};
  ForEachExample([&](const Example& example) {
    const Anatomy anatomy = Dissect(example.tokens);
    deepest = std::max(deepest, anatomy.deepest);
    for (int values : anatomy.values_of_nodes) {
      ASSERT_GE(values, 2);
      ASSERT_LE(values, 10);
      ++nodes[values];
    }
  });
  EXPECT_EQ(deepest, 10);
  for (int values = 2; values <= 10; ++values) EXPECT_GT(nodes[values], 0) << values;
}

TEST(GenerateListOpsTest, DrawsDigitsAndOperatorsAlike) {
  std::array<double, kListOpsTokenKinds> counts{};
  ForEachExample([&](const Example& example) {
    for (uint8_t token : example.tokens) ++counts[token];
  });
  const auto expect_alike = [&](int first, int last) {
    double sum = 0;
    for (int token = first; token <= last; ++token) sum += counts[token];
    const double mean = sum / (last - first + 1);
    for (int token = first; token <= last; ++token) {
      // Five standard deviations of a binomial count: the kinds are independent of the lengths.
      EXPECT_LE(std::abs(counts[token] - mean), 5 * std::sqrt(mean)) << token;
    }
  };
  expect_alike(0, 9);
  expect_alike(kListOpsMin, kListOpsSumModulo);
  EXPECT_EQ(counts[kListOpsEnd], counts[kListOpsMin] + counts[kListOpsMax] + counts[kListOpsMed] +
                                     counts[kListOpsSumModulo]);
}

// What is expected here comes from 40,000 expressions by another program, which draws from another
// source of chance. 6000 expressions stray from it by 0.005 and 5.5, so these bounds are five times
// as wide.
TEST(GenerateListOpsTest, HasTheClassesAndLengthsOfTheTask) {
  constexpr std::array<double, kListOpsValues> kShares = {0.1695, 0.0915, 0.0746, 0.0820, 0.0896,
                                                          0.0854, 0.0781, 0.0724, 0.0860, 0.1708};
  constexpr double kMeanLength = 1035.3;
  std::array<double, kListOpsValues> counts{};
  double all = 0, tokens = 0;
  ForEachExample([&](const Example& example) {
    ++counts[example.value];
    ++all;
    tokens += static_cast<double>(example.tokens.size());
  });
  for (int value = 0; value < kListOpsValues; ++value) {
    EXPECT_NEAR(counts[value] / all, kShares[value], 0.025) << value;
  }
  EXPECT_NEAR(tokens / all, kMeanLength, 28);
}

TEST(GenerateListOpsTest, GivesTheValueOfEachExpression) {
  ForEachExample([](const Example& example) {
    const absl::StatusOr<int> value = EvaluateListOps(example.tokens);
    ASSERT_TRUE(value.ok()) << value.status();
    ASSERT_EQ(example.value, *value);
  });
}

TEST(GenerateListOpsTest, GivesNoExpressionTwice) {
  std::set<ListOpsTokens> seen;
  ForEachExample([&](const Example& example) { EXPECT_TRUE(seen.insert(example.tokens).second); });
  EXPECT_EQ(seen.size(), 6000u);
}

TEST(GenerateListOpsTest, PassesOverWhatAnotherSplitHasTaken) {
  // All splits draw the same expressions, so each begins where the one before it ended.
  Examples examples;
  const absl::Status status = internal::GenerateListOpsOfSeeds(
      {9, 9, 9}, {.train = 3, .dev = 2, .test = 4},
      [&](ListOpsSplit split, absl::Span<const uint8_t> tokens, int value) {
        examples[static_cast<size_t>(split)].push_back({{tokens.begin(), tokens.end()}, value});
        return absl::OkStatus();
      });
  ASSERT_TRUE(status.ok()) << status;
  std::vector<Example> all;
  const absl::Status undivided = internal::GenerateListOpsOfSeeds(
      {9, 1, 2}, {.train = 9, .dev = 1, .test = 1},
      [&](ListOpsSplit split, absl::Span<const uint8_t> tokens, int value) {
        if (split == ListOpsSplit::kTrain) all.push_back({{tokens.begin(), tokens.end()}, value});
        return absl::OkStatus();
      });
  ASSERT_TRUE(undivided.ok()) << undivided;
  std::vector<Example> joined;
  for (const auto& split : examples) joined.insert(joined.end(), split.begin(), split.end());
  EXPECT_EQ(joined, all);
}

TEST(GenerateListOpsTest, BeginsASplitOfAnySizeWithTheSameExpressions) {
  const Examples few = Generate(5, {.train = 3, .dev = 9, .test = 4});
  const Examples many = Generate(5, {.train = 7, .dev = 2, .test = 4});
  EXPECT_EQ(few[0].size(), 3u);
  EXPECT_EQ(many[0].size(), 7u);
  EXPECT_TRUE(std::equal(few[0].begin(), few[0].end(), many[0].begin()));
  EXPECT_TRUE(std::equal(many[1].begin(), many[1].end(), few[1].begin()));
  EXPECT_EQ(few[2], many[2]);
}

TEST(GenerateListOpsTest, GivesEachSeedItsOwnExpressions) {
  constexpr GeneratedSizes kOne = {.train = 1, .dev = 1, .test = 1};
  EXPECT_NE(Generate(1, kOne)[0], Generate(2, kOne)[0]);
}

TEST(GenerateListOpsTest, EndsAtTheFirstErrorOfTheTaker) {
  int taken = 0;
  const absl::Status status = GenerateListOps(
      1, {.train = 5, .dev = 5, .test = 5}, [&](ListOpsSplit, absl::Span<const uint8_t>, int) {
        return ++taken == 7 ? absl::ResourceExhaustedError("full") : absl::OkStatus();
      });
  EXPECT_EQ(status, absl::ResourceExhaustedError("full"));
  EXPECT_EQ(taken, 7);
}

TEST(GenerateListOpsTest, RefusesANegativeSize) {
  const absl::Status status =
      GenerateListOps(1, {.dev = -1}, [](ListOpsSplit, absl::Span<const uint8_t>, int) {
        return absl::InternalError("something was generated");
      });
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("is -1; it must be positive, or 0 for 96000 train, 2000 dev, 2000 test"));
}

}  // namespace
}  // namespace spion

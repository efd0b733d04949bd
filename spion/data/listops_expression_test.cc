#include "spion/data/listops_expression.h"

#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace spion {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// The value of an expression as text, or -1.
int ValueOf(const std::string& text) {
  const absl::StatusOr<ListOpsTokens> tokens = ParseListOps(text);
  EXPECT_TRUE(tokens.ok()) << text << ": " << tokens.status();
  if (!tokens.ok()) return -1;
  const absl::StatusOr<int> value = EvaluateListOps(*tokens);
  EXPECT_TRUE(value.ok()) << text << ": " << value.status();
  return value.value_or(-1);
}

void ExpectError(const absl::Status& status, const std::string& words) {
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(words));
}

void ExpectParseError(const std::string& text, const std::string& words) {
  ExpectError(ParseListOps(text).status(), words);
}

void ExpectEvaluationError(const std::string& text, const std::string& words) {
  const absl::StatusOr<ListOpsTokens> tokens = ParseListOps(text);
  ASSERT_TRUE(tokens.ok()) << tokens.status();
  ExpectError(EvaluateListOps(*tokens).status(), words);
}

TEST(EvaluateListOpsTest, GivesWhatAHandGives) {
  EXPECT_EQ(ValueOf("7"), 7);
  EXPECT_EQ(ValueOf("[MIN 4 2 9 ]"), 2);
  EXPECT_EQ(ValueOf("[MAX 4 2 9 ]"), 9);
  EXPECT_EQ(ValueOf("[SM 4 2 9 ]"), 5);              // 15
  EXPECT_EQ(ValueOf("[SM 5 5 ]"), 0);                // 10
  EXPECT_EQ(ValueOf("[SM 9 9 9 9 9 9 9 9 9 ]"), 1);  // 81
  EXPECT_EQ(ValueOf("[MED 4 2 9 ]"), 4);
  EXPECT_EQ(ValueOf("[MED 9 1 8 2 ]"), 5);  // (2 + 8) / 2
  EXPECT_EQ(ValueOf("[MED 9 0 8 1 ]"), 4);  // (1 + 8) / 2 = 4.5
  EXPECT_EQ(ValueOf("[MED 3 4 ]"), 3);      // 3.5
  EXPECT_EQ(ValueOf("[MED 0 1 ]"), 0);      // 0.5
  EXPECT_EQ(ValueOf("[MED 6 6 1 1 6 ]"), 6);
  EXPECT_EQ(ValueOf("[MAX 2 9 [MIN 4 7 ] 0 ]"), 9);                      // the example of the paper
  EXPECT_EQ(ValueOf("[MIN [MAX 3 6 ] [SM 8 7 ] [MED 1 9 ] ]"), 5);       // 6, 5, 5
  EXPECT_EQ(ValueOf("[SM [SM 9 9 ] [SM 9 [MIN 7 8 ] ] [MAX 1 ] ]"), 5);  // 8 + 6 + 1
}

TEST(EvaluateListOpsTest, KeepsTheOrderOfTheTokens) {
  const absl::StatusOr<ListOpsTokens> tokens = ParseListOps("[MED 9 [MED 8 1 5 ] 2 0 ]");
  ASSERT_TRUE(tokens.ok());
  const ListOpsTokens before = *tokens;
  EXPECT_EQ(*EvaluateListOps(*tokens), 3);  // 0 2 5 9: 3.5
  EXPECT_EQ(*tokens, before);
}

TEST(EvaluateListOpsTest, NamesWhatIsWrong) {
  ExpectEvaluationError("", "the expression is empty");
  ExpectEvaluationError("[MIN 4 2", "do not match: [MIN without \"]\" (token 1,");
  ExpectEvaluationError("[MIN 4 [MAX 2 ]", "do not match: [MIN without \"]\" (token 1,");
  ExpectEvaluationError("[MIN 4 2 ] ]", "do not match: \"]\" closes nothing (token 5,");
  ExpectEvaluationError("]", "do not match: \"]\" closes nothing (token 1,");
  ExpectEvaluationError("3 [MIN 4 2 ]", "goes on after its end with [MIN (token 2,");
  ExpectEvaluationError("[MIN 4 2 ] 7", "goes on after its end with 7 (token 5,");
  ExpectEvaluationError("[MIN 4 [SM ] ]", "[SM has no values (token 3,");
}

TEST(ParseListOpsTest, GivesTheTokensWithoutRoundBrackets) {
  const absl::StatusOr<ListOpsTokens> nested = ParseListOps("( ( ( [MAX 2 ) 9 ) ] )");
  const absl::StatusOr<ListOpsTokens> plain = ParseListOps("[MAX 2 9 ]");
  ASSERT_TRUE(nested.ok() && plain.ok());
  EXPECT_THAT(*plain, ElementsAre(kListOpsMax, 2, 9, kListOpsEnd));
  EXPECT_EQ(*nested, *plain);
}

TEST(ParseListOpsTest, KnowsEveryToken) {
  EXPECT_THAT(*ParseListOps("0 1 2 3 4 5 6 7 8 9 [MIN [MAX [MED [SM ]"),
              ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14));
  EXPECT_EQ(kListOpsTokenKinds, 15);
}

TEST(ParseListOpsTest, DoesNotMindMoreSpaces) {
  EXPECT_THAT(*ParseListOps("  [MAX  2 9 ] "), ElementsAre(kListOpsMax, 2, 9, kListOpsEnd));
}

TEST(ParseListOpsTest, NamesWhatIsWrong) {
  ExpectParseError("[MAX 2 [AVG 9 ] ]", "unknown token \"[AVG\" (word 3)");
  ExpectParseError("[MAX 2 10 ]", "unknown token \"10\" (word 3)");
  ExpectParseError("[MAX 2 9]", "unknown token \"9]\" (word 3)");
  ExpectParseError("( [MAX 2 ) -1 ]", "unknown token \"-1\" (word 5)");
  ExpectParseError("MAX 2 9 ]", "unknown token \"MAX\" (word 1)");
  ExpectParseError("[MAX\r 2 ]", "unknown token \"[MAX\\r\" (word 1)");
  ExpectParseError("[max 2 ]", "unknown token \"[max\"");
  ExpectParseError(std::string(1000, 'x'), "unknown token \"" + std::string(20, 'x') + "\"");
  ExpectParseError("( ( [MAX 2 ) 9 ]", "do not match: 1 \"(\" without \")\"");
  ExpectParseError("( [MAX 2 ) 9 ) ] (", "do not match: \")\" closes nothing (word 6)");
}

TEST(FormatListOpsTest, WritesTheLeftNestedForm) {
  const auto format = [](const std::string& plain) { return FormatListOps(*ParseListOps(plain)); };
  EXPECT_EQ(format("[MAX 2 9 ]"), "( ( ( [MAX 2 ) 9 ) ] )");
  EXPECT_EQ(format("7"), "7");
  EXPECT_EQ(format("[MIN [SM 1 2 ] 3 [MED 4 5 6 ] ]"),
            "( ( ( ( [MIN ( ( ( [SM 1 ) 2 ) ] ) ) 3 ) ( ( ( ( [MED 4 ) 5 ) 6 ) ] ) ) ] )");
}

}  // namespace
}  // namespace spion

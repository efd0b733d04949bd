#include "spion/data/listops_expression.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <numeric>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace spion {
namespace {

constexpr std::array<absl::string_view, kListOpsTokenKinds> kTexts = {
    "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "[MIN", "[MAX", "[MED", "[SM", "]"};

// Longer words are cut in messages.
constexpr size_t kShownCharacters = 20;

bool IsDigit(uint8_t token) { return token < kListOpsValues; }

std::optional<uint8_t> TokenOf(absl::string_view word) {
  if (word.size() == 1 && word[0] >= '0' && word[0] <= '9') return word[0] - '0';
  const auto found = std::find(kTexts.begin() + kListOpsValues, kTexts.end(), word);
  if (found == kTexts.end()) return std::nullopt;
  return static_cast<uint8_t>(found - kTexts.begin());
}

absl::Status UnknownWord(absl::string_view word, int64_t place) {
  return absl::InvalidArgumentError(
      absl::StrCat("unknown token \"", absl::CHexEscape(word.substr(0, kShownCharacters)),
                   "\" (word ", place, "); digits, [MIN, [MAX, [MED, [SM, ] and round brackets, ",
                   "with spaces between them, were expected"));
}

absl::Status Misplaced(absl::string_view what, size_t index) {
  return absl::InvalidArgumentError(absl::StrCat("the brackets do not match: ", what, " (token ",
                                                 index + 1, ", round brackets not counted)"));
}

int Median(absl::Span<int> values) {
  std::sort(values.begin(), values.end());
  const size_t upper = values.size() / 2;
  return values.size() % 2 == 1 ? values[upper] : (values[upper - 1] + values[upper]) / 2;
}

/// May reorder `values`.
int Apply(uint8_t operation, absl::Span<int> values) {
  switch (operation) {
    case kListOpsMin:
      return *std::min_element(values.begin(), values.end());
    case kListOpsMax:
      return *std::max_element(values.begin(), values.end());
    case kListOpsMed:
      return Median(values);
    default:  // kListOpsSumModulo
      return std::accumulate(values.begin(), values.end(), 0) % kListOpsValues;
  }
}

/// For each operator its number of values, for other tokens 0.
std::vector<int> CountValues(absl::Span<const uint8_t> tokens) {
  std::vector<int> counts(tokens.size());
  std::vector<size_t> open;
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i] == kListOpsEnd) {
      open.pop_back();
      continue;
    }
    if (!open.empty()) ++counts[open.back()];
    if (!IsDigit(tokens[i])) open.push_back(i);
  }
  return counts;
}

}  // namespace

absl::StatusOr<ListOpsTokens> ParseListOps(absl::string_view text) {
  ListOpsTokens tokens;
  int64_t open = 0;
  int64_t place = 0;
  while (!text.empty()) {
    const absl::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    if (word.empty()) continue;
    ++place;
    if (word == "(") {
      ++open;
    } else if (word == ")") {
      if (--open < 0) {
        return absl::InvalidArgumentError(
            absl::StrCat("the brackets do not match: \")\" closes nothing (word ", place, ")"));
      }
    } else {
      const std::optional<uint8_t> token = TokenOf(word);
      if (!token.has_value()) return UnknownWord(word, place);
      tokens.push_back(*token);
    }
  }
  if (open > 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("the brackets do not match: ", open, " \"(\" without \")\""));
  }
  return tokens;
}

absl::StatusOr<int> EvaluateListOps(absl::Span<const uint8_t> tokens) {
  struct Node {
    uint8_t operation;
    size_t index;
    size_t first_value;
  };
  std::vector<Node> open;
  std::vector<int> values;  // Those of the open nodes so far, one node's after the other's.
  for (size_t i = 0; i < tokens.size(); ++i) {
    const uint8_t token = tokens[i];
    if (token == kListOpsEnd) {
      if (open.empty()) return Misplaced("\"]\" closes nothing", i);
      const Node node = open.back();
      open.pop_back();
      const absl::Span<int> of_node = absl::MakeSpan(values).subspan(node.first_value);
      if (of_node.empty()) {
        return absl::InvalidArgumentError(absl::StrCat(kTexts[node.operation],
                                                       " has no values (token ", node.index + 1,
                                                       ", round brackets not counted)"));
      }
      const int value = Apply(node.operation, of_node);
      values.resize(node.first_value);
      values.push_back(value);
    } else if (open.empty() && !values.empty()) {
      return absl::InvalidArgumentError(absl::StrCat("the expression goes on after its end with ",
                                                     kTexts[token], " (token ", i + 1,
                                                     ", round brackets not counted)"));
    } else if (IsDigit(token)) {
      values.push_back(token);
    } else {
      open.push_back({.operation = token, .index = i, .first_value = values.size()});
    }
  }
  if (!open.empty()) {
    return Misplaced(absl::StrCat(kTexts[open.back().operation], " without \"]\""),
                     open.back().index);
  }
  if (values.empty()) return absl::InvalidArgumentError("the expression is empty");
  return values.front();
}

std::string FormatListOps(absl::Span<const uint8_t> tokens) {
  const std::vector<int> counts = CountValues(tokens);
  std::string text;
  int depth = 0;
  for (size_t i = 0; i < tokens.size(); ++i) {
    const uint8_t token = tokens[i];
    if (i > 0) text += ' ';
    if (token == kListOpsEnd) {
      text += "] )";
      --depth;
    } else {
      // As many values, and "]".
      for (int bracket = 0; counts[i] > 0 && bracket <= counts[i]; ++bracket) text += "( ";
      absl::StrAppend(&text, kTexts[token]);
      if (!IsDigit(token)) ++depth;
    }
    // A value is complete that is itself one of a node's.
    if (depth > 0 && (IsDigit(token) || token == kListOpsEnd)) text += " )";
  }
  return text;
}

}  // namespace spion

// The expressions of the ListOps task: their tokens, their value, and how they are written.
//
//   ASSIGN_OR_RETURN(ListOpsTokens tokens, ParseListOps("( ( ( [MAX 2 ) 9 ) ] )"));
//   EvaluateListOps(tokens);  // 9
//
// An expression is a digit, or an operator, one or more expressions, and "]". [MIN is the least of
// its values, [MAX the greatest, [MED the median (of an even number of values the mean of the two
// in the middle, truncated), [SM the sum modulo 10.
//
// Source: Nangia and Bowman 2018, "ListOps"; the operators and the writing are those of Long Range
// Arena (Tay et al. 2021).
#ifndef SPION_DATA_LISTOPS_EXPRESSION_H_
#define SPION_DATA_LISTOPS_EXPRESSION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace spion {

/// A token is a byte: a digit 0 .. 9 is itself, and these.
enum ListOpsToken : uint8_t {
  kListOpsMin = 10,
  kListOpsMax,
  kListOpsMed,
  kListOpsSumModulo,
  kListOpsEnd,
};
inline constexpr int kListOpsTokenKinds = kListOpsEnd + 1;
inline constexpr int kListOpsValues = 10;  // An expression's value is below this.

using ListOpsTokens = std::vector<uint8_t>;

/// The tokens of an expression that is written with spaces between them. Round brackets are left
/// out; they must be balanced.
/// Errors: InvalidArgument for a token that is none, naming it and its place (the first word is 1),
/// or for round brackets that do not match.
absl::StatusOr<ListOpsTokens> ParseListOps(absl::string_view text);

/// An expression's value, 0 .. 9.
/// Errors: InvalidArgument, saying what is wrong and at which token (the first is 1), if the tokens
/// are not one whole expression.
absl::StatusOr<int> EvaluateListOps(absl::Span<const uint8_t> tokens);

/// The expression in Long Range Arena's left-nested form: "( ( ( [MAX 2 ) 9 ) ] )", a pair of round
/// brackets for the operator with its first value, for that with the second, and so on to "]".
/// Precondition: the tokens are one whole expression.
std::string FormatListOps(absl::Span<const uint8_t> tokens);

}  // namespace spion

#endif  // SPION_DATA_LISTOPS_EXPRESSION_H_

// Short forms for code that passes absl::Status on.
//
//   RETURN_IF_ERROR(Check(x));
//   ASSIGN_OR_RETURN(Config config, LoadConfig(path));
#ifndef SPION_BASE_STATUS_H_
#define SPION_BASE_STATUS_H_

#include <utility>

#include "absl/status/status.h"    // IWYU pragma: export
#include "absl/status/statusor.h"  // IWYU pragma: export

#define RETURN_IF_ERROR(expression)                                                 \
  do {                                                                              \
    if (absl::Status status_macro_value = (expression); !status_macro_value.ok()) { \
      return status_macro_value;                                                    \
    }                                                                               \
  } while (false)

// The arguments are declarations and names, which take no parentheses.
// NOLINTBEGIN(bugprone-macro-parentheses)
#define SPION_STATUS_CONCAT_INNER(a, b) a##b
#define SPION_STATUS_CONCAT(a, b) SPION_STATUS_CONCAT_INNER(a, b)
#define SPION_ASSIGN_OR_RETURN(result, declaration, expression) \
  auto result = (expression);                                   \
  if (!result.ok()) return std::move(result).status();          \
  declaration = *std::move(result)

#define ASSIGN_OR_RETURN(declaration, expression) \
  SPION_ASSIGN_OR_RETURN(SPION_STATUS_CONCAT(status_or_value_, __LINE__), declaration, expression)
// NOLINTEND(bugprone-macro-parentheses)

#endif  // SPION_BASE_STATUS_H_

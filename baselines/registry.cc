#include "baselines/registry.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace spion {

// Of methods.bzl: //baselines:all_methods.
std::vector<Method> AllMethods();

std::vector<std::string> MethodNames() {
  std::vector<std::string> names;
  for (const Method& method : AllMethods()) names.push_back(method.name);
  return names;
}

absl::StatusOr<Method> FindMethod(absl::string_view name) {
  for (Method& method : AllMethods()) {
    if (method.name == name) return method;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "there is no method \"", name, "\"; the methods are ", absl::StrJoin(MethodNames(), ", ")));
}

}  // namespace spion

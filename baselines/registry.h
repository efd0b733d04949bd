// Every method of methods.bzl by name: SPION's variants and the baselines.
#ifndef BASELINES_REGISTRY_H_
#define BASELINES_REGISTRY_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "spion/nn/method.h"

namespace spion {

std::vector<std::string> MethodNames();

/// Errors: InvalidArgument for another name, naming the valid ones.
absl::StatusOr<Method> FindMethod(absl::string_view name);

}  // namespace spion

#endif  // BASELINES_REGISTRY_H_

// A method that an experiment can run: which attention its encoder has, and, for SPION, how the
// patterns are made.
#ifndef SPION_NN_METHOD_H_
#define SPION_NN_METHOD_H_

#include <functional>
#include <optional>
#include <string>

#include "spion/nn/attention.h"
#include "spion/pattern/generator.h"

namespace spion {

struct Method {
  std::string name;         // as in target names: "cf"
  std::string description;  // for the log: "SPION-CF"
  /// SPION's variant; nothing for a method of a single phase.
  std::optional<PatternKind> pattern_kind;
  std::function<AttentionFactory(c10::Device)> attention;
};

}  // namespace spion

#endif  // SPION_NN_METHOD_H_

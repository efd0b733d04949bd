// A method that an experiment can run: which attention its encoder has, and, for SPION, how the
// patterns are made.
#ifndef SPION_NN_METHOD_H_
#define SPION_NN_METHOD_H_

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
  AttentionFactory make_attention;
  /// Whether its attention, SPION's in the dense phase, is that of every_block_attention.h, which
  /// is one of two.
  bool has_every_block = false;
  /// Whether, as published, the learning rate's schedule goes on at the transition instead of
  /// starting anew.
  bool continued_schedule = false;
};

}  // namespace spion

#endif  // SPION_NN_METHOD_H_

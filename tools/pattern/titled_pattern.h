// A pattern and what it is called, as the sources hand it to the printer.
#ifndef TOOLS_PATTERN_TITLED_PATTERN_H_
#define TOOLS_PATTERN_TITLED_PATTERN_H_

#include <string>

#include "spion/pattern/block_pattern.h"

namespace spion {

struct TitledPattern {
  std::string title;  // "layer 0"; "longformer, window 1, global 1"
  BlockPattern pattern;
};

/// One line, without its newline: title, blocks a side, block size, kept blocks, density, and the
/// blocks of the longest row and the longest column.
std::string Describe(const TitledPattern& titled);

}  // namespace spion

#endif  // TOOLS_PATTERN_TITLED_PATTERN_H_

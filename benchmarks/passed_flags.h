// Google Benchmark's flags that are handed on to it. It takes each in the form --name=value alone,
// says two lines of one that it does not know, and ends in an exception at some bad values; so they
// are read as in every program, and checked, before it sees them.
//
//   std::vector<std::string> passed;
//   RETURN_IF_ERROR(ParseArguments(arguments, PassedFlags(passed)).status());
//   ... benchmark::Initialize with what is passed ...
#ifndef BENCHMARKS_PASSED_FLAGS_H_
#define BENCHMARKS_PASSED_FLAGS_H_

#include <string>
#include <vector>

#include "spion/base/command_line.h"

namespace spion {

/// Each that is set is added to `passed`, which lives as long.
std::vector<Flag> PassedFlags(std::vector<std::string>& passed);

}  // namespace spion

#endif  // BENCHMARKS_PASSED_FLAGS_H_

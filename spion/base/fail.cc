#include "spion/base/fail.h"

#include <iostream>

namespace spion {

int Fail(absl::string_view message) {
  std::cerr << "error: " << message << std::endl;
  return 1;
}

}  // namespace spion

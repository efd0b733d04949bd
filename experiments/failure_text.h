// What the program says of an exception that ends it.
#ifndef EXPERIMENTS_FAILURE_TEXT_H_
#define EXPERIMENTS_FAILURE_TEXT_H_

#include <exception>
#include <string>

namespace spion {

/// One sentence or more, without the place in the source; of memory that could not be had also what
/// helps. `exception` is not null.
std::string FailureText(const std::exception_ptr& exception);

}  // namespace spion

#endif  // EXPERIMENTS_FAILURE_TEXT_H_

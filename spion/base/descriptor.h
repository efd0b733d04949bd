// An open file or folder that is closed when its owner goes.
#ifndef SPION_BASE_DESCRIPTOR_H_
#define SPION_BASE_DESCRIPTOR_H_

#include <unistd.h>

#include <utility>

namespace spion {

class Descriptor {
 public:
  /// Owns `number`, what open() gave; negative: nothing.
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }

  int number() const { return number_; }

 private:
  int number_;
};

}  // namespace spion

#endif  // SPION_BASE_DESCRIPTOR_H_

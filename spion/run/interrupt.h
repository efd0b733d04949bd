// Ctrl-C and a scheduler's SIGTERM as a flag that a loop looks at.
#ifndef SPION_RUN_INTERRUPT_H_
#define SPION_RUN_INTERRUPT_H_

namespace spion {

/// While one of these lives, the first SIGINT or SIGTERM only raises the flag; a second one ends
/// the program as usual. One at a time.
class InterruptFlag {
 public:
  InterruptFlag();
  ~InterruptFlag();
  InterruptFlag(const InterruptFlag&) = delete;
  InterruptFlag& operator=(const InterruptFlag&) = delete;

  bool raised() const;
};

}  // namespace spion

#endif  // SPION_RUN_INTERRUPT_H_

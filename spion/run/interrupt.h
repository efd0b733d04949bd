// What asks a run to stop (Ctrl-C, a scheduler's SIGTERM or its warning SIGUSR1, SIGUSR2 or
// SIGXCPU, a lost terminal's SIGHUP) as a flag that a loop looks at.
#ifndef SPION_RUN_INTERRUPT_H_
#define SPION_RUN_INTERRUPT_H_

#include <array>

namespace spion {

/// While one of these lives, the first SIGINT, SIGTERM, SIGHUP, SIGUSR1 or SIGUSR2 only raises the
/// flag; a second one of the same ends the program as usual. SIGXCPU, which the system repeats,
/// never does. Those that the program was started to ignore (nohup) stay ignored. One at a time.
class InterruptFlag {
 public:
  InterruptFlag();
  ~InterruptFlag();
  InterruptFlag(const InterruptFlag&) = delete;
  InterruptFlag& operator=(const InterruptFlag&) = delete;

  bool raised() const;

 private:
  std::array<void (*)(int), 6> before_;  // what each signal did
};

}  // namespace spion

#endif  // SPION_RUN_INTERRUPT_H_

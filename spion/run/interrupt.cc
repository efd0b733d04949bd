#include "spion/run/interrupt.h"

#include <csignal>

namespace spion {
namespace {

volatile std::sig_atomic_t g_raised = 0;

constexpr std::array<int, 6> kSignals = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGXCPU};

void Raise(int signal) {
  g_raised = 1;
  // Beyond `ulimit -S -t` the system sends it again each second, while the run saves its state.
  if (signal != SIGXCPU) std::signal(signal, SIG_DFL);
}

}  // namespace

InterruptFlag::InterruptFlag() {
  g_raised = 0;
  for (size_t i = 0; i < kSignals.size(); ++i) {
    before_[i] = std::signal(kSignals[i], Raise);
    if (before_[i] == SIG_IGN) std::signal(kSignals[i], SIG_IGN);
  }
}

InterruptFlag::~InterruptFlag() {
  for (size_t i = 0; i < kSignals.size(); ++i) std::signal(kSignals[i], before_[i]);
}

bool InterruptFlag::raised() const { return g_raised != 0; }

}  // namespace spion

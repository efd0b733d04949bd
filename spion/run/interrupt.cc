#include "spion/run/interrupt.h"

#include <csignal>

namespace spion {
namespace {

volatile std::sig_atomic_t g_raised = 0;

void Raise(int signal) {
  g_raised = 1;
  std::signal(signal, SIG_DFL);
}

}  // namespace

InterruptFlag::InterruptFlag() {
  g_raised = 0;
  std::signal(SIGINT, Raise);
  std::signal(SIGTERM, Raise);
}

InterruptFlag::~InterruptFlag() {
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
}

bool InterruptFlag::raised() const { return g_raised != 0; }

}  // namespace spion

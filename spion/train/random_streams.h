// The streams of random numbers that training draws from; each has a seed of its own, derived from
// the run's by DeriveSeed (spion/base/random.h).
#ifndef SPION_TRAIN_RANDOM_STREAMS_H_
#define SPION_TRAIN_RANDOM_STREAMS_H_

#include <cstdint>

namespace spion {

enum RandomStream : uint64_t {
  kExampleOrderStream = 1,
  kTorchStream = 2,    // first weights, dropout
  kRankStream = 3,     // dropout of several ranks on CPUs, a seed for each step and rank
  kShuffleStream = 5,  // blocks at random places
};

/// A seed of evaluations, whatever the run's, so that a model's evaluation is that of its weights
/// and its data alone.
inline constexpr uint64_t kEvaluationStream = 4;

}  // namespace spion

#endif  // SPION_TRAIN_RANDOM_STREAMS_H_

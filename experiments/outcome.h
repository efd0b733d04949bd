// How an experiment ended that had no error.
#ifndef EXPERIMENTS_OUTCOME_H_
#define EXPERIMENTS_OUTCOME_H_

namespace spion {

enum class Outcome { kFinished, kInterrupted };

}  // namespace spion

#endif  // EXPERIMENTS_OUTCOME_H_

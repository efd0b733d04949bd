// Generates film reviews that praise or blame, so that the text task runs where IMDb's are not at
// hand.
//
//   std::vector<GeneratedReview> train = GenerateReviews(/*seed=*/1001, /*count=*/8000, parallel);
//
// A review has 8 to 1023 words, short ones as often as long ones (DrawWordCount), so that its bytes
// are from some 40 to more than the task reads. A quarter of the words praises or blames, and two
// thirds of these as the label says, wherever they stand: a model must weigh one against the other
// over the whole text. The letters of praise and blame differ too, so that a model that reads bytes
// learns something within its first few hundred steps.
//
// Bit for bit the same on every machine and for any number of threads: all chance is in integers
// and comes from spion/base/random.h.
#ifndef SPION_DATA_GENERATED_REVIEWS_H_
#define SPION_DATA_GENERATED_REVIEWS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "spion/base/parallel.h"

namespace spion {

struct GeneratedReview {
  std::string text;
  int32_t label;  // 0 blame, 1 praise.
};

/// `count` reviews. Reviews 2 i and 2 i + 1 have the two labels in random order. A smaller `count`
/// gives the first reviews of a larger one.
std::vector<GeneratedReview> GenerateReviews(uint64_t seed, int64_t count,
                                             const ParallelFor& parallel = SerialFor());

}  // namespace spion

#endif  // SPION_DATA_GENERATED_REVIEWS_H_

// Generates pairs of documents that have one topic or two, so that the retrieval task runs where
// the papers of AAN are not at hand.
//
//   std::vector<GeneratedPair> train = GeneratePairs(/*seed=*/1001, /*count=*/8000, parallel);
//
// A document has 32 to 1023 words, short ones as often as long ones (DrawWordCount), so that its
// bytes are from some 150 to more than the task reads. It has one of two topics; half of its words
// are of the topic's vocabulary, the rest of one that all documents share. The label is whether the
// two topics are the same; each topic is as frequent under both labels, so that one document alone
// tells nothing. The letters of the topics differ too, so that a model that reads bytes learns the
// task within its first hundred steps, which it does not with four topics.
//
// Bit for bit the same on every machine and for any number of threads: all chance is in integers
// and comes from spion/base/random.h.
#ifndef SPION_DATA_GENERATED_PAIRS_H_
#define SPION_DATA_GENERATED_PAIRS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "spion/base/parallel.h"

namespace spion {

struct GeneratedPair {
  std::string text1;
  std::string text2;
  int32_t label;  // 1 for one topic, 0 for two.
};

/// `count` pairs. Pairs 2 i and 2 i + 1 have the two labels in random order. A smaller `count`
/// gives the first pairs of a larger one.
std::vector<GeneratedPair> GeneratePairs(uint64_t seed, int64_t count,
                                         const ParallelFor& parallel = SerialFor());

}  // namespace spion

#endif  // SPION_DATA_GENERATED_PAIRS_H_

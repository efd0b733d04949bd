#include "spion/data/generated_pairs.h"

#include <array>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "spion/base/random.h"
#include "spion/data/document_writer.h"
#include "spion/data/make_in_groups.h"

namespace spion {
namespace {

constexpr int kShortest = 5, kLongest = 9;  // Octaves of words.

using Vocabulary = std::array<absl::string_view, 24>;

constexpr int kTopics = 2;
// Each topic's words are rich in letters of their own: what a bag of bytes sees.
constexpr std::array<Vocabulary, kTopics> kTopicWords = {{
    // Speech: p, k, h and c.
    {"speech", "pitch",  "phone", "speaker", "chunk",   "hop",     "pick", "check",
     "epoch",  "patch",  "chop",  "peak",    "cepstra", "chopped", "kept", "pack",
     "hook",   "phonic", "spoke", "pip",     "chip",    "accept",  "peck", "chapel"},
    // Grammar: g, m, r and a.
    {"grammar", "gram",    "margin", "diagram",   "graph",   "merge",  "argument", "mark",
     "range",   "program", "gamma",  "manage",    "error",   "morgan", "anagram",  "arrange",
     "major",   "trigram", "memory", "aggregate", "regular", "germ",   "rear",     "roam"},
}};
constexpr Vocabulary kShared = {"the",  "of",     "we",    "in",     "is",   "to",
                                "this", "with",   "on",    "which",  "are",  "from",
                                "test", "result", "table", "system", "word", "sentence",
                                "show", "data",   "use",   "model",  "set",  "method"};

std::string Write(uint64_t topic, Random& random) {
  DocumentWriter writer(random);
  for (int64_t left = DrawWordCount(random, kShortest, kLongest); left > 0; --left) {
    const Vocabulary& words = random.Below(2) == 0 ? kTopicWords[topic] : kShared;
    writer.Add(words[random.Below(words.size())]);
  }
  return writer.Finish();
}

GeneratedPair MakePair(int32_t label, Random& random) {
  const uint64_t topic1 = random.Below(kTopics);
  const uint64_t topic2 = label == 1 ? topic1 : (topic1 + 1 + random.Below(kTopics - 1)) % kTopics;
  GeneratedPair pair = {.text1 = "", .text2 = "", .label = label};
  pair.text1 = Write(topic1, random);
  pair.text2 = Write(topic2, random);
  return pair;
}

}  // namespace

std::vector<GeneratedPair> GeneratePairs(uint64_t seed, int64_t count,
                                         const ParallelFor& parallel) {
  return MakeInGroups<GeneratedPair>(count, /*group_size=*/2, parallel,
                                     [seed](int64_t group, absl::Span<GeneratedPair> two) {
                                       Random random(DeriveSeed(seed, group));
                                       auto label = static_cast<int32_t>(random.Below(2));
                                       for (GeneratedPair& pair : two) {
                                         pair = MakePair(label, random);
                                         label = 1 - label;
                                       }
                                     });
}

}  // namespace spion

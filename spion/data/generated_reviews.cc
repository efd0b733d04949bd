#include "spion/data/generated_reviews.h"

#include <array>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "spion/base/random.h"
#include "spion/data/document_writer.h"
#include "spion/data/make_in_groups.h"

namespace spion {
namespace {

constexpr int kShortest = 3, kLongest = 9;  // Octaves of words.

// Praise is rich in l, v and y, blame in b, d and m: what a bag of bytes sees.
constexpr std::array<absl::string_view, 20> kPraise = {
    "lovely",  "lively", "vivid",  "joyful",   "truly",   "silly",     "clever",
    "loyal",   "yes",    "love",   "alive",    "lovable", "valuable",  "playful",
    "lyrical", "solid",  "lavish", "joyously", "loved",   "flawlessly"};
constexpr std::array<absl::string_view, 20> kBlame = {
    "bad",     "dumb",      "drab",    "dead",  "muddled",  "damp",    "bored",
    "doomed",  "crammed",   "mad",     "dim",   "dreadful", "bombed",  "bland",
    "humdrum", "disturbed", "bumbled", "madam", "moody",    "disarmed"};
constexpr std::array<absl::string_view, 60> kNeutral = {
    "the",    "a",      "and",     "of",      "to",       "in",     "is",    "it",     "this",
    "that",   "was",    "as",      "with",    "for",      "on",     "are",   "his",    "have",
    "at",     "one",    "who",     "they",    "from",     "her",    "so",    "film",   "story",
    "plot",   "scene",  "actor",   "actress", "director", "screen", "cast",  "part",   "time",
    "end",    "start",  "minutes", "house",   "friends",  "city",   "music", "camera", "script",
    "people", "family", "night",   "day",     "years",    "work",   "when",  "then",   "before",
    "after",  "again",  "there",   "about",   "while",    "through"};

std::string Write(int32_t label, Random& random) {
  DocumentWriter writer(random);
  for (int64_t left = DrawWordCount(random, kShortest, kLongest); left > 0; --left) {
    if (random.Below(4) != 0) {
      writer.Add(kNeutral[random.Below(kNeutral.size())]);
      continue;
    }
    const bool as_labelled = random.Below(3) != 0;
    const auto& words = as_labelled == (label == 1) ? kPraise : kBlame;
    writer.Add(words[random.Below(words.size())]);
  }
  return writer.Finish();
}

}  // namespace

std::vector<GeneratedReview> GenerateReviews(uint64_t seed, int64_t count,
                                             const ParallelFor& parallel) {
  return MakeInGroups<GeneratedReview>(count, /*group_size=*/2, parallel,
                                       [seed](int64_t group, absl::Span<GeneratedReview> two) {
                                         Random random(DeriveSeed(seed, group));
                                         auto label = static_cast<int32_t>(random.Below(2));
                                         for (GeneratedReview& review : two) {
                                           review = {.text = Write(label, random), .label = label};
                                           label = 1 - label;
                                         }
                                       });
}

}  // namespace spion

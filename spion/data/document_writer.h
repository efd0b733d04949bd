// Writes generated documents: words become sentences.
//
//   DocumentWriter writer(random);
//   for (int64_t left = DrawWordCount(random, 3, 9); left > 0; --left) writer.Add("word");
//   writer.Finish();  // "Word word word word word word. Word word."
#ifndef SPION_DATA_DOCUMENT_WRITER_H_
#define SPION_DATA_DOCUMENT_WRITER_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "spion/base/random.h"

namespace spion {

/// 2^`first_octave` to 2^(`last_octave` + 1) - 1 words: each octave with the same probability, and
/// each number within it, so that short documents are as usual as long ones.
int64_t DrawWordCount(Random& random, int first_octave, int last_octave);

class DocumentWriter {
 public:
  /// Draws the sentences' lengths, 4 to 16 words, from `random`, which must outlive this.
  explicit DocumentWriter(Random& random) : random_(random) {}

  /// `word` is of small letters.
  void Add(absl::string_view word);
  /// Ends the last sentence and gives the document away.
  std::string Finish();

 private:
  Random& random_;
  std::string text_;
  int64_t left_in_sentence_ = 0;
};

}  // namespace spion

#endif  // SPION_DATA_DOCUMENT_WRITER_H_

#include "spion/data/document_writer.h"

#include <utility>

namespace spion {

int64_t DrawWordCount(Random& random, int first_octave, int last_octave) {
  const int64_t shortest = int64_t{1} << random.Between(first_octave, last_octave);
  return random.Between(shortest, 2 * shortest - 1);
}

void DocumentWriter::Add(absl::string_view word) {
  const bool begins_sentence = left_in_sentence_ == 0;
  if (begins_sentence) {
    left_in_sentence_ = random_.Between(4, 16);
    if (!text_.empty()) text_ += '.';
  }
  if (!text_.empty()) text_ += ' ';
  const size_t start = text_.size();
  text_.append(word.data(), word.size());
  if (begins_sentence) text_[start] = static_cast<char>(text_[start] - 'a' + 'A');
  --left_in_sentence_;
}

std::string DocumentWriter::Finish() {
  text_ += '.';
  return std::move(text_);
}

}  // namespace spion

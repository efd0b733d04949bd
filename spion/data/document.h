// What the tasks over documents (text, retrieval) have in common: a document is read byte by byte,
// cut at 4000 bytes and padded to 4096 ids; id 0 is padding, a byte's id is its value plus 1.
//
// Source: Tay et al. 2021, "Long Range Arena", as SPION pads it.
#ifndef SPION_DATA_DOCUMENT_H_
#define SPION_DATA_DOCUMENT_H_

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "spion/data/task.h"

namespace spion {

/// A document is cut behind this many bytes.
inline constexpr size_t kDocumentBytes = 4000;

/// The vocabulary is SPION's, so that models have as many weights as its; ids end at 256.
constexpr TaskShape DocumentShape(int documents_per_example) {
  return {.sequence_length = 4096,
          .vocabulary = 512,
          .classes = 2,
          .sequences_per_example = documents_per_example,
          .has_padding = true,
          .longest_sequence = static_cast<int>(kDocumentBytes)};
}

/// DataSource::cut_means of documents.
inline constexpr char kCutDocument[] = "Long Range Arena cuts documents at 4000 bytes";

/// A document as a Split takes it.
inline absl::Span<const uint8_t> DocumentBytes(absl::string_view document) {
  return {reinterpret_cast<const uint8_t*>(document.data()), document.size()};
}

}  // namespace spion

#endif  // SPION_DATA_DOCUMENT_H_

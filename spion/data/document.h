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
          .has_padding = true};
}

/// The bytes of a document that a Split takes.
inline absl::Span<const uint8_t> CutDocument(absl::string_view document) {
  const absl::string_view cut = document.substr(0, kDocumentBytes);
  return {reinterpret_cast<const uint8_t*>(cut.data()), cut.size()};
}

}  // namespace spion

#endif  // SPION_DATA_DOCUMENT_H_

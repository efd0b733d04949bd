// Takes files out of a tar archive that comes piece by piece.
//
//   std::string test_batch;
//   TarReader tar([&](absl::string_view name) -> TarReader::Wanted {
//     if (name != "cifar-10-batches-bin/test_batch.bin") return {};
//     return {.content = &test_batch, .most_bytes = 30'730'000};
//   });
//   RETURN_IF_ERROR(tar.Take(piece));  // For each piece of the archive.
//   RETURN_IF_ERROR(tar.Finish());
//
// Why not libarchive: with the libraries that it needs (ICU's tables among them) it is 40 MB, all
// that a bundle for a GPU machine may have, for one archive.
//
// Source: POSIX.1-1988 (ustar), in which GNU tar and pax write files with names this short too.
#ifndef SPION_DATA_FORMATS_TAR_H_
#define SPION_DATA_FORMATS_TAR_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace spion {

class TarReader {
 public:
  /// What is to be done with a file of the archive.
  struct Wanted {
    std::string* content = nullptr;  ///< Where it goes, replacing what is there; null to skip it.
    int64_t most_bytes = 0;          ///< A longer one is an error, before any of it is taken.
  };
  /// Says it for the file of that name; the content must live until the file ends. Names are as in
  /// the archive, but for "./" before them.
  using Destination = std::function<Wanted(absl::string_view name)>;

  /// Folders, links and what only tells about the next file (long names, pax headers) are skipped.
  explicit TarReader(Destination destination) : destination_(std::move(destination)) {}

  /// Takes the archive's next piece, of any size. After the archive's end mark, whatever comes is
  /// ignored.
  /// Errors, each to be put behind the archive's name: DataLoss if this is no tar archive, a header
  /// is damaged, or a wanted file longer than expected. After one, only destroy it.
  absl::Status Take(absl::string_view piece);

  /// To be called when there are no more pieces. DataLoss, to be put behind the archive's name, if
  /// the archive's end mark has not been seen.
  absl::Status Finish() const;

 private:
  absl::Status TakeHeader();

  Destination destination_;
  std::string header_;              // The bytes of the next header so far.
  std::string name_;                // Of the file that is being read.
  std::string* content_ = nullptr;  // Where it goes.
  int64_t content_left_ = 0;
  int64_t padding_left_ = 0;
  bool ended_ = false;
};

}  // namespace spion

#endif  // SPION_DATA_FORMATS_TAR_H_

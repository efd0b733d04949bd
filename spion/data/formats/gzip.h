// Reads a file that gzip compressed, piece by piece.
//
//   RETURN_IF_ERROR(ReadGzipPieces("/data/cifar-10-binary.tar.gz", [&](absl::string_view piece) {
//     return tar.Take(piece);
//   }));
//
// Over zlib, which checks each gzip member's checksum and length.
#ifndef SPION_DATA_FORMATS_GZIP_H_
#define SPION_DATA_FORMATS_GZIP_H_

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace spion {

/// Hands what the file at `path` decompresses to to `take`, in order, in pieces of 64 KiB at most,
/// none of them empty. Several gzip members one after the other count as one.
/// Stops at the first error of `take` and returns it.
/// Errors, each naming the path: those of ReadFilePieces (read_file.h); DataLoss if the file is no
/// gzip file, damaged, or ends too early. `take` may have been called before either is found out.
absl::Status ReadGzipPieces(const std::string& path,
                            absl::FunctionRef<absl::Status(absl::string_view piece)> take);

}  // namespace spion

#endif  // SPION_DATA_FORMATS_GZIP_H_

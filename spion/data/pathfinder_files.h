// Reads the pathfinder pictures of the Long Range Arena release, one at a time.
//
//   ASSIGN_OR_RETURN(PathfinderIndex index, ReadPathfinderIndex("/data"));
//   Sha256 hash = index.metadata_hash;
//   GreyPicture picture;
//   RETURN_IF_ERROR(ReadPathfinderPicture(index, 7, hash, picture));
//
// curv_contour_length_14/metadata holds files 0.npy, 1.npy, ... They are text in the release
// whatever their name: a line a picture, "imgs/0 sample_7.png 7 1 ..." (folder, file, number,
// label, the drawing's parameters, which are not looked at). Real NumPy files of such strings are
// taken too (npy_text.h). Lines may end as on Windows.
//
// Source: https://github.com/google-research/long-range-arena; the pictures are drawn as in Linsley
// et al. 2018, "Learning long-range spatial dependencies with horizontal gated recurrent units".
#ifndef SPION_DATA_PATHFINDER_FILES_H_
#define SPION_DATA_PATHFINDER_FILES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "spion/base/sha256.h"
#include "spion/data/data_folder.h"
#include "spion/data/grey_picture.h"

namespace spion {

struct PathfinderIndex {
  struct Entry {
    std::string picture;  // Below `folder`.
    uint8_t label;        // 1: a path joins the dots.
    int32_t metadata;     // The number in the metadata file's name,
    int32_t line;         // and the line in it, from 1.
  };

  DataFolder folder;           // curv_contour_length_14.
  std::vector<Entry> entries;  // Metadata files by number, lines in their order.
  Sha256 metadata_hash;        // Of the metadata files in this order.
};

/// `data_dir` is the folder pathfinder32, or curv_contour_length_14 in it, or one that
/// FindDataFolder (data_folder.h) finds it in, itself or in a folder pathfinder.
/// Errors, each with the file, the line where it has one, what was expected and the way out:
/// NotFound if nothing of it is there; FailedPrecondition for a folder where a file should be or
/// the other way round; DataLoss if metadata is missing, for a metadata file that is empty or of
/// more than 16 MiB, more than a million pictures, or a line that is too long, has fewer than four
/// fields or a label other than 0 and 1; InvalidArgument for a .npy file whose name is no number or
/// whose array is not of strings; what the system says for what cannot be read.
absl::StatusOr<PathfinderIndex> ReadPathfinderIndex(const std::string& data_dir);

/// Reads the picture of entry `entry` and takes its file's bytes into `hash`.
/// Errors name the picture, and the metadata line that asks for it: DataLoss if it is missing, no
/// PNG, a damaged one or of more than a mebibyte; InvalidArgument if it is not of 32 x 32 grey
/// pixels; FailedPrecondition and the system's errors as above.
absl::Status ReadPathfinderPicture(const PathfinderIndex& index, int64_t entry, Sha256& hash,
                                   GreyPicture& picture);

}  // namespace spion

#endif  // SPION_DATA_PATHFINDER_FILES_H_

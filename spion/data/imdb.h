// Reads the Large Movie Review Dataset (IMDb) as it unpacks: one file a review.
//
//   ASSIGN_OR_RETURN(Imdb imdb, ReadImdb("/data"));
//   imdb.train.examples();  // 25000
//
// aclImdb/{train,test}/{neg,pos}/ID_RATING.txt, 12,500 reviews a folder; label 0 is neg, 1 pos.
// The order is by ID, as numbers, and of each ID neg before pos: every beginning of a split has as
// many reviews of one label as of the other. A review is its file's bytes as they are, cut at
// kDocumentBytes (document.h). Entries without the ending .txt, and other folders (train/unsup),
// are passed over.
//
// Source: https://ai.stanford.edu/~amaas/data/sentiment/.
#ifndef SPION_DATA_IMDB_H_
#define SPION_DATA_IMDB_H_

#include <string>

#include "absl/status/statusor.h"
#include "spion/data/data_folder.h"
#include "spion/data/task.h"

namespace spion {

struct Imdb {
  Split train;         // Of DocumentShape(1). A review is named by its file.
  Split test;          // Of the same shape.
  DataFolder folder;   // aclImdb.
  std::string sha256;  // Of the whole content of the files, train before test, in the order above.
};

/// `data_dir` is the folder aclImdb, or one that FindDataFolder (data_folder.h) finds it in, itself
/// or in a folder imdb.
/// Errors, each with the file or folder, what was found, what was expected, and how to get the
/// data: NotFound if nothing of it is there; FailedPrecondition for a folder where a file should be
/// or the other way round; DataLoss for a missing folder, another number of reviews, a .txt file of
/// another name, two reviews of one ID, or a review that is empty or of more than a mebibyte, of
/// which the published data has none;
/// what the system says for anything that cannot be read.
absl::StatusOr<Imdb> ReadImdb(const std::string& data_dir);

namespace internal {

/// ReadImdb for folders of `reviews_per_folder` reviews, so that tests can write small ones.
absl::StatusOr<Imdb> ReadImdbFolders(const std::string& data_dir, int reviews_per_folder);

}  // namespace internal
}  // namespace spion

#endif  // SPION_DATA_IMDB_H_

// Reads the pairs of papers of Long Range Arena's retrieval task, made from the ACL Anthology
// Network (AAN).
//
//   ASSIGN_OR_RETURN(Aan aan, ReadAan("/data"));
//   aan.train.examples();  // 147086
//
// Three files, new_aan_pairs.{train,eval,test}.tsv, without a header. A line has five columns with
// tabs between them: label, id1, id2, text1, text2. The label is 0 or 1, also written 0.0 or 1.0;
// the ids are passed over. A text is the column's bytes as they are (also where it begins with b'),
// cut at kDocumentBytes (document.h). Lines end in LF or, as Windows writes them, in CR LF; the
// last one may lack its end.
//
// Read piece by piece: beside the examples it needs some 10 KB and one mebibyte, however long a
// file or a line is.
//
// Source: https://github.com/google-research/long-range-arena.
#ifndef SPION_DATA_AAN_H_
#define SPION_DATA_AAN_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "spion/data/data_folder.h"
#include "spion/data/task.h"

namespace spion {

struct Aan {
  Split train;  // Of DocumentShape(2), in the file's order; so are the other two. A pair is named
                // by its file and line.
  Split eval;
  Split test;
  DataFolder folder;   // That the three files are in.
  std::string sha256;  // Of the three files, in the order above.
};

/// How many pairs the published files have. Other numbers are taken too.
inline constexpr int64_t kAanTrainPairs = 147086;
inline constexpr int64_t kAanEvalPairs = 18090;
inline constexpr int64_t kAanTestPairs = 17437;

/// `data_dir` is the folder with the three files, or one that FindDataFolder (data_folder.h) finds
/// it in under the name tsv_data, as in the release, or aan or matching, as code that reads it
/// calls it.
/// Errors, each with the file and line, what was found, what was expected, and how to get the data:
/// NotFound if nothing of it is there; FailedPrecondition for a folder where a file should be or
/// the other way round; DataLoss for a missing or an empty file, a line with more or fewer columns,
/// another label, or an empty text, which the task's own reader refuses too; what the system says
/// for a file that cannot be read.
absl::StatusOr<Aan> ReadAan(const std::string& data_dir);

}  // namespace spion

#endif  // SPION_DATA_AAN_H_

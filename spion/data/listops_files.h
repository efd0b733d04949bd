// ListOps as files, in the layout of Long Range Arena.
//
//   RETURN_IF_ERROR(WriteListOps("/data/listops", /*seed=*/1001, kListOpsSizes,
//                                /*overwrite=*/false));
//   ASSIGN_OR_RETURN(const DataFolder folder, FindListOpsFolder("/data"));
//   Sha256 hash;
//   RETURN_IF_ERROR(ReadListOps(folder.path.string(), hash,
//                               [&](ListOpsSplit split, auto tokens, int value) ...));
//
// basic_train.tsv, basic_val.tsv (dev) and basic_test.tsv: the header "Source<TAB>Target", then an
// expression, a tab and its value in each line. Expressions are read in the left-nested form, which
// is what is written, and without round brackets. Lines end with "\n", or with "\r\n", as those of
// Python's csv module do.
#ifndef SPION_DATA_LISTOPS_FILES_H_
#define SPION_DATA_LISTOPS_FILES_H_

#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "spion/base/sha256.h"
#include "spion/data/data_folder.h"
#include "spion/data/listops_generator.h"
#include "spion/data/task.h"

namespace spion {

/// The name of a split's file, without its folder.
const char* ListOpsFileName(ListOpsSplit split);

/// The folder that holds the files: `data_dir`, or one that FindDataFolder (data_folder.h) finds in
/// it under the name listops-1000, as in the published archive, or listops, as code that reads it
/// calls it.
/// Errors: those of FindDataFolder, with the way to the data.
absl::StatusOr<DataFolder> FindListOpsFolder(const std::string& data_dir);

/// Reads the three files in the order above, evaluates every expression and hands it to `take`,
/// whole, with its value. The bytes of the files are added to `hash`. Holds one line at a time.
/// Errors, each naming the file and the line, with the way to the data: DataLoss for a missing or
/// an empty file, a missing or a second header, no examples, a line that is too long or is not an
/// expression, one tab and a digit, or a target that is not the expression's value; those of
/// ReadFile (read_file.h) for a file that is a folder or cannot be read.
absl::Status ReadListOps(
    const std::string& folder, Sha256& hash,
    absl::FunctionRef<void(ListOpsSplit split, absl::Span<const uint8_t> tokens, int value)> take);

/// Generates the data set and writes its three files into `folder`, which is made if need be. They
/// get their names when all three are on the disk.
/// Errors, each naming the file: AlreadyExists if one of them is there and `overwrite` is false;
/// FailedPrecondition for a folder in a file's place; those of GenerateListOps; what the system
/// says. The files are then as they were, unless it is a renaming that fails.
absl::Status WriteListOps(const std::string& folder, uint64_t seed, const GeneratedSizes& sizes,
                          bool overwrite);

}  // namespace spion

#endif  // SPION_DATA_LISTOPS_FILES_H_

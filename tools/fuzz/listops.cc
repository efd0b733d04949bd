// Lines of a ListOps file. What is read must be the same when it is written and read again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "spion/base/sha256.h"
#include "spion/data/listops_expression.h"
#include "spion/data/listops_files.h"
#include "tools/fuzz/input_file.h"

namespace spion {
namespace {

constexpr absl::string_view kHeader = "Source\tTarget\n";

void CheckReadAgain(absl::Span<const uint8_t> tokens, int value) {
  const absl::StatusOr<ListOpsTokens> again = ParseListOps(FormatListOps(tokens));
  if (!again.ok() || absl::MakeConstSpan(*again) != tokens) std::abort();
  if (EvaluateListOps(*again).value() != value) std::abort();
}

}  // namespace
}  // namespace spion

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto& folder = *new spion::InputFolder;
  folder.Write(
      "basic_train.tsv",
      absl::StrCat(spion::kHeader, absl::string_view(reinterpret_cast<const char*>(data), size)));
  spion::Sha256 hash;
  (void)spion::ReadListOps(folder.path(), hash,
                           [](spion::ListOpsSplit, absl::Span<const uint8_t> tokens, int value) {
                             spion::CheckReadAgain(tokens, value);
                           });
  return 0;
}

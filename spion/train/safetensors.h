// Named tensors and a few strings in one file, in the safetensors format: a researcher opens
// it with Python's `safetensors` package, and no code runs on loading.
//
// Layout: 8 bytes little-endian header size, a JSON header (name -> dtype, shape, data_offsets, and
// "__metadata__": string -> string), then the raw little-endian data: that of all tensors, one
// after the other without a gap. What this program writes has "crc32" among the metadata, of the
// other metadata and of the data, for a byte that a disk has changed fits the format as well.
#ifndef SPION_TRAIN_SAFETENSORS_H_
#define SPION_TRAIN_SAFETENSORS_H_

#include <ATen/core/Tensor.h>

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "spion/base/folder.h"

namespace spion {

struct TensorFile {
  std::map<std::string, at::Tensor> tensors;    // float32, int64 or uint8; read: on the CPU
  std::map<std::string, std::string> metadata;  // UTF-8
};

/// Tensors may be on any device. Written whole or not at all, one tensor after the other: what is
/// on the CPU and contiguous is not copied. Errors: those of AtomicFile; InvalidArgument for a
/// tensor of another type.
absl::Status SaveTensors(const FilePlace& place, const TensorFile& content);

/// The tensors take no more memory than the file. Errors, naming the file: NotFound; DataLoss
/// saying what is wrong (not a safetensors file, truncated, offsets that do not fit the shape,
/// overlap or leave a gap, a dtype other than F32, I64 and U8, another checksum than it was written
/// with).
absl::StatusOr<TensorFile> LoadTensors(const FilePlace& place);

}  // namespace spion

#endif  // SPION_TRAIN_SAFETENSORS_H_

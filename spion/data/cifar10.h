// Reads CIFAR-10 in its binary version, as grey pictures.
//
//   ASSIGN_OR_RETURN(Cifar10 cifar, ReadCifar10("/data"));
//   cifar.train.size();  // 50000
//
// They may still be in cifar-10-binary.tar.gz. Six files of 10,000 records; a record is a label
// byte and the red, green and blue planes of a 32 x 32 picture, 1 + 3072 bytes. Every size and
// every label is checked.
//
// Source: https://www.cs.toronto.edu/~kriz/cifar.html; the grey is that of Long Range Arena.
#ifndef SPION_DATA_CIFAR10_H_
#define SPION_DATA_CIFAR10_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "spion/data/data_folder.h"
#include "spion/data/grey_picture.h"

namespace spion {

struct Cifar10 {
  GreyPictures train;  // data_batch_1.bin .. data_batch_5.bin, in the files' order
  GreyPictures test;   // test_batch.bin
  DataFolder folder;   // That the six files are in; or their archive.
  std::string sha256;  // Of the six files, in the order above.
};

/// 0.2989 R + 0.5870 G + 0.1140 B, truncated. In integers, so that no rounding of the sum decides
/// which grey a picture gets. The weights add up to 0.9999: white becomes 254.
constexpr uint8_t GreyOf(uint8_t red, uint8_t green, uint8_t blue) {
  return static_cast<uint8_t>((2989 * red + 5870 * green + 1140 * blue) / 10000);
}

/// `data_dir` is the folder cifar-10-batches-bin, or one that FindDataFolder (data_folder.h) finds
/// it in. Where there is none, cifar-10-binary.tar.gz in `data_dir` is read, which gives the same,
/// the hash too.
/// Errors, each with the file, what was found, what was expected, and how to get the data: NotFound
/// if nothing of it is there; FailedPrecondition for a folder where a file should be or the other
/// way round; DataLoss for a missing file, one of another size, or a label above 9, and for an
/// archive that is none, damaged, truncated or without one of the files; what the system says for a
/// file that cannot be read.
absl::StatusOr<Cifar10> ReadCifar10(const std::string& data_dir);

namespace internal {

/// ReadCifar10 for files of `records_per_file` records, so that tests can write small ones.
absl::StatusOr<Cifar10> ReadCifar10Files(const std::string& data_dir, int records_per_file);

}  // namespace internal
}  // namespace spion

#endif  // SPION_DATA_CIFAR10_H_

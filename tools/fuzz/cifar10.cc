// CIFAR-10's archive, of files of one record. With an even first byte the rest is the archive, else
// a tar archive that is compressed first, as nearly no change leaves a gzip file whole.
#include "spion/data/cifar10.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "spion/data/formats/write_test_archive.h"
#include "tools/fuzz/input_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto& folder = *new spion::InputFolder;
  if (size == 0) return 0;
  const std::string rest(reinterpret_cast<const char*>(data + 1), size - 1);
  folder.Write("cifar-10-binary.tar.gz", data[0] % 2 == 0 ? rest : spion::TestGzip(rest));
  const auto cifar = spion::internal::ReadCifar10Files(folder.path(), 1);
  if (cifar.ok() && (cifar->train.size() != 5 || cifar->test.size() != 1)) std::abort();
  return 0;
}

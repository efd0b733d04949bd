// Files in the format of safetensors, by hand, for tests.
#ifndef SPION_TRAIN_SAFETENSORS_BYTES_H_
#define SPION_TRAIN_SAFETENSORS_BYTES_H_

#include <cstdint>
#include <string>

namespace spion {

/// The bytes of a file: the size of the JSON header as 64 bits, the header, the tensors' data.
inline std::string SafetensorsBytes(const std::string& header, const std::string& data) {
  const uint64_t size = header.size();
  return std::string(reinterpret_cast<const char*>(&size), sizeof(size)) + header + data;
}

}  // namespace spion

#endif  // SPION_TRAIN_SAFETENSORS_BYTES_H_

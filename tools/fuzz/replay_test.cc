// Feeds a fuzzer (SPION_FUZZER) the inputs that are kept for it: its seeds, and what it has found.
// Each must pass, as it must under the fuzzer: without a crash, and in time.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace spion {
namespace {

std::vector<std::filesystem::path> KeptInputs() {
  std::vector<std::filesystem::path> inputs;
  for (const char* folder : {"seeds", "found"}) {
    const std::string path = absl::StrCat("tools/fuzz/", folder, "/" SPION_FUZZER);
    std::error_code ignored;  // Nothing is found yet.
    for (const auto& entry : std::filesystem::directory_iterator(path, ignored)) {
      inputs.push_back(entry.path());
    }
  }
  std::sort(inputs.begin(), inputs.end());
  return inputs;
}

std::string TestName(const testing::TestParamInfo<std::filesystem::path>& input) {
  std::string name = absl::StrCat(input.param.parent_path().parent_path().filename().string(), "_",
                                  input.param.filename().string());
  std::replace_if(
      name.begin(), name.end(), [](unsigned char byte) { return !absl::ascii_isalnum(byte); }, '_');
  return name;
}

class ReplayTest : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(ReplayTest, Passes) {
  std::ifstream file(GetParam(), std::ios::binary);
  const std::string bytes(std::istreambuf_iterator<char>(file), {});
  EXPECT_EQ(LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()),
            0);
}

INSTANTIATE_TEST_SUITE_P(Kept, ReplayTest, testing::ValuesIn(KeptInputs()), TestName);

}  // namespace
}  // namespace spion

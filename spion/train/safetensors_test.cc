#include "spion/train/safetensors.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "spion/base/file.h"
#include "spion/base/read_file.h"
#include "spion/train/safetensors_bytes.h"

namespace spion {
namespace {

using ::testing::HasSubstr;

std::string TempPath(const std::string& name) { return ::testing::TempDir() + "/" + name; }

// The bytes of the published format, written by hand.
TEST(SafetensorsTest, ReadsTheFormatOfItsSpecification) {
  const std::string path = TempPath("by_hand.safetensors");
  ASSERT_TRUE(
      WriteFileAtomically(
          path, SafetensorsBytes(R"({"a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}})",
                                 std::string("\0\0\x80\x3f\0\0\0\xc0", 8)))  // 1, -2
          .ok());
  const at::Tensor a = LoadTensors(path)->tensors["a"];
  EXPECT_TRUE(a.equal(at::tensor({1.F, -2.F}).view({1, 2})));
}

// Tensors in any order of names; a scalar and one without elements among them.
TEST(SafetensorsTest, WritesWhatItReads) {
  // Strided, spread over memory that is not there, empty, and larger than what is collected.
  const std::map<std::string, at::Tensor> tensors = {
      {"transposed", at::randint(9, {3, 5}, at::kFloat).t()},
      {"spread", at::randint(9, {1, 4}, at::kLong).expand({6, 4})},
      {"empty", at::empty({0, 7}, at::kByte)},
      {"large", at::randint(255, {3 << 20}, at::kByte)}};
  const std::string path = TempPath("written.safetensors");
  ASSERT_TRUE(SaveTensors(path, {.tensors = tensors, .metadata = {{"key", "value"}}}).ok());
  const absl::StatusOr<TensorFile> read = LoadTensors(path);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->metadata, (std::map<std::string, std::string>{{"key", "value"}}));
  ASSERT_EQ(read->tensors.size(), tensors.size());
  for (const auto& [name, tensor] : tensors) {
    EXPECT_TRUE(read->tensors.at(name).equal(tensor)) << name;
  }
}

// Not those of the header's size and of its structure, which have errors of their own.
TEST(SafetensorsTest, AChangedByteIsSeen) {
  const std::string path = TempPath("changed.safetensors");
  ASSERT_TRUE(
      SaveTensors(path, {.tensors = {{"x", at::tensor({1.F, 2.F, 3.F})}, {"y", at::tensor({4.F})}},
                         .metadata = {{"step", "50"}}})
          .ok());
  const std::string written = ReadFile(path).value();
  const size_t step = written.find("\"50\"");
  ASSERT_NE(step, std::string::npos);
  std::vector<std::pair<size_t, char>> changes = {{step + 1, '6'}};
  for (size_t i = written.size() - 16; i < written.size(); ++i) {
    changes.emplace_back(i, written[i] ^ 1);
  }
  for (const auto& [at, byte] : changes) {
    std::string changed = written;
    changed[at] = byte;
    ASSERT_TRUE(WriteFileAtomically(path, changed).ok());
    const absl::Status status = LoadTensors(path).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << at;
    EXPECT_THAT(std::string(status.message()),
                ::testing::AllOf(HasSubstr(path), HasSubstr("checksum")))
        << at;
  }
}

// The CRC-32 of its test vector, "123456789", in a file written by hand.
TEST(SafetensorsTest, TheChecksumIsCrc32) {
  const std::string path = TempPath("checksum.safetensors");
  const auto write = [&](const char* checksum) {
    return WriteFileAtomically(
        path, SafetensorsBytes(std::string(R"({"__metadata__":{"crc32":")") + checksum +
                                   R"("},"x":{"dtype":"U8","shape":[9],"data_offsets":[0,9]}})",
                               "123456789"));
  };
  ASSERT_TRUE(write("cbf43926").ok());
  const absl::StatusOr<TensorFile> read = LoadTensors(path);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_TRUE(read->metadata.empty());
  ASSERT_TRUE(write("cbf43927").ok());
  EXPECT_EQ(LoadTensors(path).status().code(), absl::StatusCode::kDataLoss);
}

// A reader may map the data.
TEST(SafetensorsTest, TheDataBeginAtAMultipleOfEightBytes) {
  const std::string path = TempPath("aligned.safetensors");
  for (int length = 1; length <= 8; ++length) {
    ASSERT_TRUE(SaveTensors(path, {.tensors = {{std::string(length, 'x'), at::tensor({1.F})}},
                                   .metadata = {}})
                    .ok());
    const std::string written = ReadFile(path).value();
    EXPECT_EQ((written.size() - sizeof(float)) % 8, 0) << length;
  }
}

TEST(SafetensorsTest, RefusesAHeaderThatGoesBeyondTheFile) {
  const std::string path = TempPath("cut.safetensors");
  std::string bytes = SafetensorsBytes("{}", "");
  for (const char size : {'\3', '\100'}) {
    bytes[0] = size;
    ASSERT_TRUE(WriteFileAtomically(path, bytes).ok());
    EXPECT_THAT(std::string(LoadTensors(path).status().message()),
                HasSubstr("ends within the header"));
  }
}

TEST(SafetensorsTest, NothingIsWrittenOfAnotherType) {
  const std::string path = TempPath("typed.safetensors");
  const absl::Status status =
      SaveTensors(path, {.tensors = {{"x", at::empty({2}, at::kDouble)}}, .metadata = {}});
  EXPECT_THAT(std::string(status.message()), HasSubstr("x is Double, expected Float"));
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_FALSE(std::filesystem::exists(path + ".partial"));
}

TEST(SafetensorsTest, TakesOffsetsThatLeaveNoGap) {
  const std::string path = TempPath("offsets.safetensors");
  ASSERT_TRUE(WriteFileAtomically(path, SafetensorsBytes(
                                            R"({"b":{"dtype":"F32","shape":[],"data_offsets":[0,4]},
                                "c":{"dtype":"F32","shape":[0,3],"data_offsets":[4,4]},
                                "a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
                                            std::string("\0\0\x80\x3f\0\0\0\xc0", 8)))
                  .ok());
  const TensorFile file = LoadTensors(path).value();
  EXPECT_EQ(file.tensors.at("b").item<float>(), 1);
  EXPECT_EQ(file.tensors.at("a").item<float>(), -2);
  EXPECT_EQ(file.tensors.at("c").numel(), 0);
}

TEST(SafetensorsTest, RefusesOtherOffsetsAndShapes) {
  const auto tensor = [](const char* shape, const char* offsets) {
    return std::string(R"({"dtype":"F32","shape":)") + shape + R"(,"data_offsets":)" + offsets +
           "}";
  };
  const std::pair<std::string, const char*> cases[] = {
      // Two tensors over one piece of data, and parts of it.
      {"\"a\":" + tensor("[2]", "[0,8]") + ",\"b\":" + tensor("[2]", "[0,8]"), "expected 8"},
      {"\"a\":" + tensor("[2]", "[0,8]") + ",\"b\":" + tensor("[1]", "[4,8]"), "expected 8"},
      // A gap before, between and after.
      {"\"a\":" + tensor("[1]", "[4,8]"), "begins at byte 4, expected 0"},
      {"\"a\":" + tensor("[1]", "[0,4]"), "end at byte 4 of 8"},
      {"\"a\":" + tensor("[0]", "[4,4]") + ",\"b\":" + tensor("[1]", "[4,8]"), "expected 0"},
      {"", "end at byte 0 of 8"},
      // Sizes whose product does not fit 64 bits, and numbers that are none of a size.
      {"\"a\":" + tensor("[2,9223372036854775807]", "[0,8]"), "shape"},
      {"\"a\":" + tensor("[4294967296,4294967296]", "[0,0]"), "shape"},
      {"\"a\":" + tensor("[0,9223372036854775807]", "[0,0]"), "shape"},
      {"\"a\":" + tensor("[-2]", "[0,8]"), "shape"},
      {"\"a\":" + tensor("[2.5]", "[0,8]"), "shape"},
      {"\"a\":" + tensor("[true]", "[0,4]"), "shape"},
      {"\"a\":" + tensor("2", "[0,8]"), "shape"},
      {"\"a\":" + tensor("[2]", "[8,0]"), "offsets"},
      {"\"a\":" + tensor("[2]", "[0.0,8.0]"), "offsets"},
      {"\"a\":" + tensor("[2]", "[0,8,16]"), "offsets"},
      {"\"a\":" + tensor("[4]", "[0,16]"), "shape"},
      // More data, or less, than the shape takes.
      {"\"a\":" + tensor("[1]", "[0,8]"), "offsets"},
      {"\"a\":" + tensor("[2]", "[0,4]") + ",\"b\":" + tensor("[1]", "[4,8]"), "offsets"},
  };
  for (const auto& [tensors, error] : cases) {
    const std::string path = TempPath("refused.safetensors");  // no word of an error in it
    ASSERT_TRUE(
        WriteFileAtomically(path, SafetensorsBytes("{" + tensors + "}", std::string(8, '\0')))
            .ok());
    const absl::Status status = LoadTensors(path).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << tensors;
    EXPECT_THAT(std::string(status.message()), ::testing::AllOf(HasSubstr(path), HasSubstr(error)))
        << tensors;
  }
}

}  // namespace
}  // namespace spion

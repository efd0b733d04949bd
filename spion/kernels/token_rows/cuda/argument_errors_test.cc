// What the calls of api.h and encoder_layer.h refuse before they start anything: no GPU is needed
// to see that.
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "spion/kernels/token_rows/api.h"
#include "spion/kernels/token_rows/encoder_layer.h"

namespace spion::cuda {
namespace {

template <class Call>
void ExpectRefused(const Call& call, const std::string& part) {
  const absl::Status status = Run(call, nullptr);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  EXPECT_NE(status.message().find(part), absl::string_view::npos) << status;
}

template <class Call>
Call Rows(int64_t rows, int64_t width) {
  Call call = {};
  call.rows = rows;
  call.width = width;
  return call;
}

TEST(TokenRowsArgumentsTest, Widths) {
  ExpectRefused(Rows<AddNormForward<float, float>>(4, 192),
                "rows of 192 numbers; a GPU takes 64, 128, 256 or 512");
  ExpectRefused(Rows<AddNormBackward<BFloat16, float>>(4, 96), "96 numbers");
  ExpectRefused(Rows<EmbedNormForward<BFloat16>>(4, 0), "rows of 0 numbers");
  ExpectRefused(Rows<ColumnSums<float>>(4, 96), "multiples of 64");
  ExpectRefused(Rows<TokenSums>(4, 32), "multiples of 64");
}

TEST(TokenRowsArgumentsTest, Rows) {
  ExpectRefused(Rows<AddNormForward<float, BFloat16>>(0, 64), "0 rows");
  ExpectRefused(Rows<ColumnSums<BFloat16>>(-1, 64), "-1 rows");
  ExpectRefused(Rows<TokenSums>(kMaxRows + 1, 64), "2147483648 rows");
}

TEST(TokenRowsArgumentsTest, Probabilities) {
  auto add = Rows<AddNormForward<float, float>>(4, 64);
  add.dropout.probability = 1;
  ExpectRefused(add, "probability of 1; expected at least 0 and below 1");
  GeluDropoutBackward<float> gelu = {};
  gelu.count = 8;
  gelu.dropout.probability = -0.5;
  ExpectRefused(gelu, "probability of -0.5");
}

TEST(TokenRowsArgumentsTest, VocabulariesAndLengths) {
  auto sums = Rows<TokenSums>(4, 64);
  sums.vocabulary = 1025;
  ExpectRefused(sums, "vocabulary of 1025; a GPU takes 1 to 1024");
  auto wide = Rows<TokenSums>(4, kMaxSumWidth);
  wide.vocabulary = 1024;
  ExpectRefused(wide, "1024 x 4194240 numbers by token; a GPU takes at most 2147483647");
  auto embed = Rows<EmbedNormForward<float>>(4, 64);
  embed.vocabulary = 7;
  ExpectRefused(embed, "a length of 0");
  ExpectRefused(Rows<EmbedBackward>(4, 64), "a length of 0");
}

TEST(TokenRowsArgumentsTest, Repeats) {
  ExpectRefused(Rows<AddNormBackward<float, float>>(4, 64), "repeats 0 times");
}

TEST(TokenRowsArgumentsTest, Sequences) {
  NormMean call = {};
  call.width = 64;
  call.sequences = 3;
  ExpectRefused(call, "means of 3 sequences of 0 rows; expected at least 1 of both");
  call.length = kMaxRows / 2;
  ExpectRefused(call, "at most 2147483647 rows");
  call.length = 5;
  call.width = 96;
  ExpectRefused(call, "96 numbers");
}

template <class Call>
Call LayerRows(int64_t rows) {
  Call call = {};
  call.rows = rows;
  return call;
}

TEST(EncoderLayerArgumentsTest, Rows) {
  ExpectRefused(LayerRows<PreAttentionForward>(0), "0 rows");
  ExpectRefused(LayerRows<PreAttentionBackward>(-1), "-1 rows");
  ExpectRefused(LayerRows<PostAttentionForward>(kMaxRows + 1), "2147483648 rows");
  ExpectRefused(LayerRows<PostAttentionBackward>(0), "0 rows");
}

TEST(EncoderLayerArgumentsTest, Probabilities) {
  auto forward = LayerRows<PostAttentionForward>(4);
  forward.dropout.probability = 1;
  ExpectRefused(forward, "probability of 1; expected at least 0 and below 1");
  auto backward = LayerRows<PostAttentionBackward>(4);
  backward.probability = -0.5;
  ExpectRefused(backward, "probability of -0.5");
}

TEST(EncoderLayerArgumentsTest, KeptWordsAreOfWholeSixteens) {
  EXPECT_EQ(KeptLayerWords(16), 16 * 8);
  EXPECT_EQ(KeptLayerWords(17), 32 * 8);
}

TEST(TokenRowsArgumentsTest, Counts) {
  GeluDropoutForward<BFloat16> call = {};
  call.count = 12;
  ExpectRefused(call, "GELU of 12 numbers; a GPU takes multiples of 8");
}

}  // namespace
}  // namespace spion::cuda

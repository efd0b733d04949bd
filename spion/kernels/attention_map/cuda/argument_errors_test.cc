// What cuda::MeanAttentionMap refuses before it starts anything: no GPU is needed to see that.
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "spion/kernels/attention_map/api.h"

namespace spion::cuda {
namespace {

/// Addresses that nothing reads.
template <typename T>
T* Address(uintptr_t bytes) {
  return reinterpret_cast<T*>(bytes);
}

AttentionMapCall<BFloat16> GoodCall() {
  const HeadTensor<const BFloat16> rows = {Address<const BFloat16>(4096), 96 * 64, 32, 64};
  return {.batch = 3,
          .heads = 2,
          .length = 96,
          .head_dim = 32,
          .padding = {},
          .q = rows,
          .k = rows,
          .map = Address<float>(4096),
          .row_statistics = Address<float>(4096)};
}

void ExpectRefused(const AttentionMapCall<BFloat16>& call, const std::string& part) {
  const absl::Status status = MeanAttentionMap(call, nullptr);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  EXPECT_NE(status.message().find(part), absl::string_view::npos) << status;
}

TEST(CudaMapArgumentsTest, WhatEveryDeviceRefuses) {
  AttentionMapCall<BFloat16> call = GoodCall();
  call.head_dim = 24;
  ExpectRefused(call, "head dimension 24");
  call = GoodCall();
  call.scale = -1;
  ExpectRefused(call, "scale -1 is not a positive");
}

TEST(CudaMapArgumentsTest, Memory) {
  AttentionMapCall<BFloat16> call = GoodCall();
  call.row_statistics = nullptr;
  ExpectRefused(call, "row_statistics");
  call = GoodCall();
  call.map = Address<float>(4096 + 8);
  ExpectRefused(call, "the map starts 8 bytes");
}

TEST(CudaMapArgumentsTest, Alignment) {
  AttentionMapCall<BFloat16> call = GoodCall();
  call.q.data = Address<const BFloat16>(4096 + 2);
  ExpectRefused(call, "q is not aligned");
  call = GoodCall();
  call.k.row_stride = 33;
  ExpectRefused(call, "k is not aligned");
  call = GoodCall();
  call.k.head_stride = 36;
  ExpectRefused(call, "heads 36");
  call = GoodCall();
  call.k.batch_stride = 6145;
  ExpectRefused(call, "examples 6145");
}

TEST(CudaMapArgumentsTest, Reach) {
  AttentionMapCall<BFloat16> call = GoodCall();
  call.q.row_stride = int64_t{1} << 26;
  ExpectRefused(call, "q is spread too far");
  ExpectRefused(call, ".contiguous()");
  call = GoodCall();
  call.k.row_stride = -64;
  ExpectRefused(call, "k runs backwards");
}

TEST(CudaMapArgumentsTest, Grids) {
  AttentionMapCall<BFloat16> call = GoodCall();
  call.batch = int64_t{1} << 31;
  ExpectRefused(call, "split the batch");
  call = GoodCall();
  call.length = int64_t{1} << 23;
  ExpectRefused(call, "length 8388608");
}

}  // namespace
}  // namespace spion::cuda

// Which benchmarks the GPU set has: needs no GPU.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "benchmarks/attention_set.h"
#include "benchmarks/gpu/device_timer.h"

namespace spion {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::vector<std::string> Names(const std::string& filter) {
  BenchmarkList list = *BenchmarkList::Create(filter);
  list.set_only_listed(true);
  EXPECT_EQ(AddGpuAttention(list, {}), absl::OkStatus());
  return list.names();
}

TEST(GpuAttentionTest, HasEveryKindOfBenchmark) {
  const std::vector<std::string> names = Names("all");
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
  for (const char* name :
       {"spion/cuda/bf16/image/fwdbwd", "spion/cuda/bf16/image_cf_layer0/fwd",
        "sdpa_flash/cuda/bf16/text/fwdbwd", "dense/cuda/f32/image/fwdbwd",
        "spion/cuda/bf16/L16384_b64_k8row/fwdbwd", "spion/cuda/bf16/density_25/fwdbwd",
        "spion/cuda/fp16/d128_L8192_b128_10/fwdbwd",
        "spion_any_order/cuda/bf16/d128_L8192_b128_10/fwdbwd", "sdpa_cudnn/cuda/f32/listops/bwd",
        "sdpa_mem_efficient/cuda/fp16/retrieval/fwd"}) {
    EXPECT_THAT(names, Contains(std::string(name)));
  }
}

TEST(GpuAttentionTest, DenseAttentionComesBeforeWhatIsComparedWithIt) {
  EXPECT_THAT(Names("^(dense|spion)/cuda/f32/image/fwd$"),
              ElementsAre("dense/cuda/f32/image/fwd", "spion/cuda/f32/image/fwd"));
}

TEST(GpuAttentionTest, DenseAttentionIsNotRepeatedForEachDensityNorMaterialisedWhereItCannotFit) {
  const std::vector<std::string> names = Names("all");
  EXPECT_THAT(names, Not(Contains(AllOf(HasSubstr("density"), Not(HasSubstr("spion"))))));
  EXPECT_THAT(names, Not(Contains(AllOf(HasSubstr("dense/"), HasSubstr("_k8row")))));
}

TEST(MedianTest, IsTheMiddle) {
  EXPECT_EQ(Median({3, 1, 2}), 2);
  EXPECT_EQ(Median({4, 1, 2, 3}), 2.5);
  EXPECT_EQ(Median({7}), 7);
}

}  // namespace
}  // namespace spion

// The attention problems that are timed: sizes and block patterns, the same on every machine.
//
//   for (const BenchmarkCase& c : GpuCases()) Time(c);
//
// All but the wide ones have 2 heads of 32, as the paper's models.
#ifndef BENCHMARKS_BENCHMARK_CASE_H_
#define BENCHMARKS_BENCHMARK_CASE_H_

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "benchmarks/attention_cost.h"
#include "benchmarks/attention_pass.h"
#include "spion/pattern/block_pattern.h"

namespace spion {

enum class CaseKind {
  kPaper,         // image, listops, text, retrieval: random blocks, as many as SPION-C keeps
  kRealPattern,   // what SPION-CF found on the image task
  kLengthSweep,   // L16384_b64_k8row: one number of tokens, 8 kept blocks in every block row
  kDensitySweep,  // density_25: the image case's size, that percentage of the blocks
  kWide,          // d128_L8192_b64_10: heads of 64 and 128, that percentage of the blocks
};

struct BenchmarkCase {
  std::string name;
  CaseKind kind;
  int64_t batch;
  int64_t heads;
  int64_t head_dim;
  BlockPattern pattern;

  AttentionSize size() const;
};

/// The diagonal and random blocks, `kept` in all (the diagonal alone if it has more), as SPION-C
/// keeps.
BlockPattern RandomPattern(int blocks_per_side, int block_size, int kept, uint64_t seed);

/// `kept_per_row` blocks in every block row: the diagonal's and random ones. Needs as many columns.
BlockPattern RandomRows(int blocks_per_side, int block_size, int kept_per_row, uint64_t seed);

/// B 4; L1024_b32_k58, L2048_b64_k41, L4096_b64_k123: minutes on a CPU.
std::vector<BenchmarkCase> CpuCases();

/// All kinds, with the paper's batch sizes. The density sweep begins at 3 %, where the diagonal,
/// which every pattern keeps, is all there is.
std::vector<BenchmarkCase> GpuCases();

/// <implementation>/<device>/<dtype>/<case>/<pass>: "spion/cuda/bf16/image/fwdbwd".
std::string BenchmarkName(absl::string_view implementation, absl::string_view device,
                          absl::string_view dtype, absl::string_view case_name, Pass pass);

/// {"cases": [{"name", "batch", "heads", "head_dim", "length", "pattern"}, ...]}, patterns as in
/// spion/pattern/pattern_json.h. For programs that time other implementations on the same cases.
nlohmann::json CasesToJson(absl::Span<const BenchmarkCase> cases);

}  // namespace spion

#endif  // BENCHMARKS_BENCHMARK_CASE_H_

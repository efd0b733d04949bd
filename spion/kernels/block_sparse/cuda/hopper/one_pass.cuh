// The backward kernel for Hopper that makes all three gradients and computes P once.
//
//   columns: load K, V -> for each step of queries of a kept block:
//     S^T = K Q^T, dP^T = V dO^T, dV += P^T dO, dS^T = P^T (dP^T - D), dK += dS^T Q; dS^T is stored
//   rows of a head whose columns are done: for each half of a kept block: dQ += dS K
//
// Five products instead of seven. dS goes by way of device memory, in 16 bits. Columns are bound by
// products and rows by copies, so a thread block takes a column of one head and then a row of a
// head some way before it: at any time few are at rows.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_ONE_PASS_CUH_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_ONE_PASS_CUH_

#include <cstdint>

#include "spion/kernels/block_sparse/cuda/hopper/one_pass_columns.cuh"
#include "spion/kernels/block_sparse/cuda/hopper/one_pass_rows.cuh"
#include "spion/kernels/block_sparse/cuda/hopper/one_pass_traits.cuh"

namespace spion::cuda::hopper {

/// Takes units from the list, one by one; by a warp.
class UnitList {
 public:
  __device__ __forceinline__ UnitList(const BlockSparseProblem& problem,
                                      const OnePassExchange& exchange)
      : problem_(problem),
        next_(exchange.NextUnit()),
        heads_behind_(exchange.heads_behind),
        pairs_(static_cast<int32_t>(problem.batch * problem.heads)) {}

  __device__ __forceinline__ bool HasColumn(const OnePassUnit& unit) const {
    return unit.pair < pairs_;
  }
  __device__ __forceinline__ bool HasRow(const OnePassUnit& unit) const {
    return unit.pair >= heads_behind_;
  }
  __device__ __forceinline__ Unit ColumnOf(const OnePassUnit& unit) const {
    return UnitOf(problem_, unit.pair, unit.column);
  }
  __device__ __forceinline__ int32_t RowPair(const OnePassUnit& unit) const {
    return unit.pair - heads_behind_;
  }
  __device__ __forceinline__ Unit RowOf(const OnePassUnit& unit) const {
    return UnitOf(problem_, RowPair(unit), unit.row);
  }
  /// Kept blocks of the row that begin with keys.
  __device__ __forceinline__ int32_t KeptOf(const Unit& row) const {
    return BlocksBelow(row.line, problem_.pattern.row_columns,
                       static_cast<int32_t>(problem_.block_size), row.Keys(problem_).length(),
                       static_cast<int32_t>(problem_.length));
  }

  /// False after the last one.
  __device__ __forceinline__ bool Take(OnePassUnit& unit) const {
    uint32_t number = threadIdx.x % 32 == 0 ? tiles::TakeNumber(next_) : 0;
    number = __shfl_sync(tiles::kAllLanes, number, 0);
    const auto lines = static_cast<uint32_t>(problem_.pattern.blocks_per_side);
    unit.pair = static_cast<int32_t>(number / lines);
    if (unit.pair >= pairs_ + heads_behind_) return false;
    if (HasColumn(unit)) unit.column = Line(number % lines, unit.pair, 1);
    if (HasRow(unit)) unit.row = Line(number % lines, RowPair(unit), 0);
    return true;
  }

 private:
  __device__ __forceinline__ BlockLine Line(uint32_t rank, int32_t pair, int which) const {
    const int64_t pattern =
        problem_.pattern.patterns > 1 ? pair % static_cast<int32_t>(problem_.heads) : 0;
    return problem_.pattern.schedule
        .lines[2 * (pattern * problem_.pattern.blocks_per_side + rank) + which];
  }

  const BlockSparseProblem& problem_;
  uint32_t* next_;
  int32_t heads_behind_;
  int32_t pairs_;
};

/// A warp's work: takes units, brings their tiles. The own tiles of a column come while the row
/// before it is taken up.
template <typename T, class Traits>
__device__ __forceinline__ void CopyForOnePass(const OnePassArguments<T>& arguments,
                                               typename Traits::Rings& rings) {
  const BlockSparseProblem& problem = arguments.call.problem;
  const OnePassExchange& exchange = arguments.exchange;
  const UnitList list(problem, exchange);
  const bool is_first = threadIdx.x % 32 == 0;
  const auto has_gradients = [&](const OnePassUnit& unit) {
    return list.HasColumn(unit) &&
           HasGradients<Traits::kBlock>(unit.column, list.ColumnOf(unit).Keys(problem));
  };
  OnePassUnit unit = {};
  bool any = false;
  const auto take = [&] {
    any = list.Take(unit);
    if (any && is_first && has_gradients(unit)) {
      CopyOwn<T, Traits>(arguments, list.ColumnOf(unit), rings);
    }
    __syncwarp();
  };
  take();
#pragma unroll 1
  while (any) {
    if (is_first) {
      const int32_t before = unit.pair - exchange.Heads(problem);
      if (before >= 0 && list.HasColumn(unit)) {
        tiles::WaitForCount(exchange.RowsDone(before), problem.pattern.blocks_per_side);
      }
      rings.units.Put(unit);
      if (has_gradients(unit)) CopySteps<T, Traits>(arguments, list.ColumnOf(unit), rings);
    }
    __syncwarp();
    const Unit row = list.RowOf(unit);
    const int32_t kept = list.HasRow(unit) ? list.KeptOf(row) : 0;
    if (kept > 0) {
      CopyRow<T, Traits>(arguments, row, list.RowPair(unit), kept, rings, take);
    } else {
      take();
    }
  }
  if (is_first) rings.units.Put(UnitQueue::EndOfList());
}

/// One thread's work: tells other thread blocks what is done.
template <typename T, class Traits>
__device__ __forceinline__ void CountForOnePass(const OnePassArguments<T>& arguments,
                                                typename Traits::Rings& rings) {
  const OnePassExchange& exchange = arguments.exchange;
  const UnitList list(arguments.call.problem, exchange);
  OnePassUnit unit;
  while (rings.units.Get(unit)) {
    rings.units.WaitForColumn();
    if (list.HasColumn(unit)) tiles::CountUp(exchange.ColumnsDone(unit.pair));
    rings.units.WaitForRow();
    if (list.HasRow(unit)) tiles::CountUp(exchange.RowsDone(list.RowPair(unit)));
    rings.units.Leave();
  }
}

template <typename T, class Traits, int kHeadDim>
__device__ __forceinline__ void ComputeOnePass(const OnePassArguments<T>& arguments,
                                               const typename Traits::Place& place,
                                               typename Traits::Rings& rings) {
  constexpr int kBlock = Traits::kBlock;
  const BlockSparseBackward<T>& call = arguments.call;
  const BlockSparseProblem& problem = call.problem;
  const OnePassExchange& exchange = arguments.exchange;
  const UnitList list(problem, exchange);
  const auto row_of = [&](const Unit& unit) {
    return int64_t{unit.line.line} * kBlock + place.thread_row();
  };
  ColumnWalk<T, Traits, kHeadDim> walk(place, problem.scale * tiles::kLog2E, rings);
  OnePassUnit of_both;
  while (rings.units.Get(of_both)) {
    if (list.HasColumn(of_both)) {
      const Unit unit = list.ColumnOf(of_both);
      const BlockLine& line = unit.line;
      const tiles::ValidKeys valid = unit.Keys(problem);
      const int64_t row = row_of(unit);
      float grad_k[kHeadDim / 2] = {};
      float grad_v[kHeadDim / 2] = {};
      if (HasGradients<kBlock>(line, valid)) {
        const KeptKeys kept(valid, static_cast<int32_t>(row), (line.line + 1) * kBlock);
        walk.Take(grad_k, grad_v, line.end - line.begin, kept,
                  exchange.BlocksOf(problem, of_both.pair) + line.begin * kScoreBlockBytes);
      }
      rings.units.ColumnIsDone();
      StoreKeyGradients<T, kHeadDim>(call, unit, row, grad_k, grad_v);
    } else {
      rings.units.ColumnIsDone();
    }
    if (list.HasRow(of_both)) {
      const Unit unit = list.RowOf(of_both);
      const int32_t kept = list.KeptOf(unit);
      float grad_q[kHeadDim / 2] = {};
      if (kept > 0) TakeRow<T, Traits, kHeadDim>(grad_q, kept, place, rings);
      rings.units.RowIsDone();
      StoreSums(grad_q, {problem.scale, problem.scale},
                unit.HeadOf(call.grad_q) + row_of(unit) * call.grad_q.row_stride,
                call.grad_q.row_stride);
    } else {
      rings.units.RowIsDone();
    }
  }
}

template <typename T, int kHeadDim>
__global__ void __launch_bounds__((OnePassTraits<kHeadDim>::kThreads), 1)
    OnePassKernel(const __grid_constant__ OnePassArguments<T> arguments) {
  using Traits = OnePassTraits<kHeadDim>;
  auto rings = RingsOf<Traits>(0);
  if (threadIdx.x == 0) {
    rings.Init(Traits::kTeamWarps);
    tiles::PublishBarriers();
  }
  __syncthreads();
  const typename Traits::Place place;
  if (place.copies()) {
    tiles::GiveRegistersBack<Traits::kCopyRegisters>();
    if (place.team() == 0) CopyForOnePass<T, Traits>(arguments, rings);
    if (place.team() == 1 && threadIdx.x % 32 == 0) CountForOnePass<T, Traits>(arguments, rings);
  } else {
    tiles::TakeRegisters<Traits::kComputeRegisters>();
    ComputeOnePass<T, Traits, kHeadDim>(arguments, place, rings);
  }
}

}  // namespace spion::cuda::hopper

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_ONE_PASS_CUH_

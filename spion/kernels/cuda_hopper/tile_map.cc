#include "spion/kernels/cuda_hopper/tile_map.h"

#include <algorithm>

namespace spion::cuda::hopper {
namespace {

/// The driver's function, which the runtime finds: programs do not link with the driver.
cudaError_t FindEncode(decltype(&cuTensorMapEncodeTiled)& encode) {
  constexpr unsigned kFirstVersion = 12000;
  void* function = nullptr;
  cudaDriverEntryPointQueryResult found = cudaDriverEntryPointSymbolNotFound;
  const cudaError_t error = cudaGetDriverEntryPointByVersion(
      "cuTensorMapEncodeTiled", &function, kFirstVersion, cudaEnableDefault, &found);
  if (error != cudaSuccess) return error;
  if (found != cudaDriverEntryPointSuccess) return cudaErrorNotSupported;
  encode = reinterpret_cast<decltype(encode)>(function);
  return cudaSuccess;
}

}  // namespace

cudaError_t MakeTileMap(const HeadTensor<const void>& tensor, const TileMapSizes& sizes, int rows,
                        CUtensorMap& map) {
  static decltype(&cuTensorMapEncodeTiled) encode = nullptr;
  static const cudaError_t no_encode = FindEncode(encode);
  if (no_encode != cudaSuccess) return no_encode;

  constexpr cuuint64_t kElementBytes = 2;
  constexpr cuuint32_t kRank = 5;  // column, row, panel, head, example
  const auto head_dim = static_cast<cuuint32_t>(sizes.head_dim);
  const cuuint32_t panel_columns = std::min<cuuint32_t>(head_dim, 64);
  const cuuint32_t panels = head_dim / panel_columns;
  const cuuint64_t counts[kRank] = {panel_columns, static_cast<cuuint64_t>(sizes.length), panels,
                                    static_cast<cuuint64_t>(sizes.heads),
                                    static_cast<cuuint64_t>(sizes.batch)};
  // The stride of a single thing says nothing.
  const auto bytes = [&](int64_t stride, int64_t count) {
    return kElementBytes * static_cast<cuuint64_t>(count > 1 ? stride : panel_columns);
  };
  const cuuint64_t strides[kRank - 1] = {
      bytes(tensor.row_stride, sizes.length), kElementBytes * panel_columns,
      bytes(tensor.head_stride, sizes.heads), bytes(tensor.batch_stride, sizes.batch)};
  const cuuint32_t box[kRank] = {panel_columns, static_cast<cuuint32_t>(rows), panels, 1, 1};
  const cuuint32_t steps[kRank] = {1, 1, 1, 1, 1};
  const CUresult result =
      encode(&map, CU_TENSOR_MAP_DATA_TYPE_UINT16, kRank, const_cast<void*>(tensor.data), counts,
             strides, box, steps, CU_TENSOR_MAP_INTERLEAVE_NONE,
             head_dim < 64 ? CU_TENSOR_MAP_SWIZZLE_64B : CU_TENSOR_MAP_SWIZZLE_128B,
             CU_TENSOR_MAP_L2_PROMOTION_L2_256B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  return result == CUDA_SUCCESS ? cudaSuccess : cudaErrorInvalidValue;
}

}  // namespace spion::cuda::hopper

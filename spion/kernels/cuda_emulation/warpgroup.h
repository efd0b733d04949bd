// What only sm_90a has, for warpgroup_instructions.h: barriers of phases, bulk copies that arrive
// at any time, half of them only while somebody waits for them, and products of a warpgroup that
// run only when waited for.
//
// It finds: tiles read before they are there or filled again while they are read (a bulk copy makes
// its destination NaN at once), barriers that never complete or were not made, sums that are
// touched while a product is under way (they are NaN until it has been waited for), operands in
// registers that are overwritten meanwhile, products without BeginProducts, operands that threads
// stored and did not publish, misaligned tiles.
#ifndef SPION_KERNELS_CUDA_EMULATION_WARPGROUP_H_
#define SPION_KERNELS_CUDA_EMULATION_WARPGROUP_H_

#include <cstdint>
#include <limits>

namespace spion::emulation {

/// Where the tiles of a [B, H, L, d] tensor of 16-bit numbers are; strides in bytes.
struct TileSource {
  const void* data;
  int64_t example_stride;
  int64_t head_stride;
  int64_t row_stride;
  int rows;                                              // of a tile
  int panels;                                            // side by side
  uint32_t row_bytes;                                    // of a panel: 128, or 64
  int32_t length = std::numeric_limits<int32_t>::max();  // rows from here on are zeros
};

void InitPhases(uint32_t barrier, uint32_t arrivals);
void ArriveAtPhase(uint32_t barrier, uint32_t announced_bytes);
bool PhaseIsOver(uint32_t barrier, uint32_t parity);

void StartTileCopy(uint32_t to, const TileSource& source, uint32_t barrier, int32_t row,
                   int32_t head, int32_t example);
void StartBulkCopy(uint32_t to, const void* from, uint32_t bytes, uint32_t barrier);

/// The thread has stored a word of a matrix, which is no operand before it publishes its writes.
void NoteWrite(uint32_t address);
void PublishWrites();

/// Of sum (+)= left right, 64 x 16 times 16 x 2 values. `left` is the thread's fragment, null for
/// the operand that left_name names.
struct ProductOperands {
  float* sum;
  int values;  // of the thread
  const uint32_t* left;
  uint64_t left_name;
  uint64_t right_name;
  bool left_by_columns;
  bool by_columns;
  bool adds;
  float (*widen)(uint16_t);
};

void BeginProducts();
void StartProduct(const ProductOperands& product);
void CommitProducts();
void WaitForProducts(int pending);

}  // namespace spion::emulation

#endif  // SPION_KERNELS_CUDA_EMULATION_WARPGROUP_H_

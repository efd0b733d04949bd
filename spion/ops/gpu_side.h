// The GPU's side of functions of spion/ops: an abstract class, which a program for a GPU implements
// by linking //spion/ops:cuda, so that one for the CPU links no CUDA library. Private to spion/ops.
//
//   class Squares {
//    public:
//     static constexpr char kName[] = "squares";
//     virtual at::Tensor Square(const at::Tensor& x) const = 0;
//   };
//   y = GpuSide<Squares>::Get().Square(x);
//
//   const SquaresByCuda kSquares;  // in a library that is always linked
//   const GpuSide<Squares> kGpuSide(kSquares);
#ifndef SPION_OPS_GPU_SIDE_H_
#define SPION_OPS_GPU_SIDE_H_

#include <c10/util/Exception.h>

namespace spion {

template <class Interface>
class GpuSide {
 public:
  /// From here on `side` is the implementation. Before main; `side` lives as long as the program.
  explicit GpuSide(const Interface& side) { Place() = &side; }

  /// Throws c10::Error if this program has none.
  static const Interface& Get() {
    const Interface* side = Place();
    TORCH_CHECK(side != nullptr, "this program has no ", Interface::kName,
                " for a GPU: link //spion/ops:cuda");
    return *side;
  }

 private:
  static const Interface*& Place() {
    static const Interface* side = nullptr;
    return side;
  }
};

}  // namespace spion

#endif  // SPION_OPS_GPU_SIDE_H_

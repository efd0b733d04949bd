// A step's gradient as ranks exchange it: all parameters' in one vector, so that one exchange does,
// and behind them the numbers by which the step is judged.
//
//   FlatGradient flat(model.parameters());
//   flat.Fill(optimizer.TakeGradients(), loss, right);
//   group.Sum(flat.all());
//   optimizer.Step(flat.gradients(), 1.0 / group.ranks());
#ifndef SPION_TRAIN_FLAT_GRADIENT_H_
#define SPION_TRAIN_FLAT_GRADIENT_H_

#include <ATen/core/Tensor.h>

#include <vector>

#include "spion/nn/parameters.h"

namespace spion {

class FlatGradient {
 public:
  /// Zeros of the parameters' device; float32, as they are.
  explicit FlatGradient(const Parameters& parameters);

  /// Copies them: gradients one a parameter, and two numbers of the batch, all float32. Reads
  /// nothing on the host, and the memory stays the same: it may be recorded.
  void Fill(const std::vector<at::Tensor>& gradients, const at::Tensor& loss,
            const at::Tensor& right);

  /// Everything, as one vector. What follows are views of it.
  const at::Tensor& all() const { return all_; }
  const std::vector<at::Tensor>& gradients() const { return gradients_; }
  const at::Tensor& loss() const { return loss_; }
  const at::Tensor& right() const { return right_; }

 private:
  at::Tensor all_;
  std::vector<at::Tensor> gradients_;
  at::Tensor loss_;
  at::Tensor right_;
};

}  // namespace spion

#endif  // SPION_TRAIN_FLAT_GRADIENT_H_

// The operators of attention, as LibTorch knows them: of plain tensors, below autograd. The C++
// functions of spion/ops and the Python package stand on the same ones.
//
// `pattern`, with the numbers after it, is what packed_pattern.h says. q, k, v and padding: as
// spion/ops/block_sparse_attention.h says. Gradients are one tensor [B, L, 3, H, d], so that no
// result is a view of another. long_rows and long_lines differ from layer to layer: as SymInt they
// make no new graph under torch.compile. `deterministic` is of the backward pass, whose forward
// pass hands it on to it.
#include <torch/csrc/stable/library.h>

STABLE_TORCH_LIBRARY_FRAGMENT(spion, library) {
  library.def(
      "block_sparse_attention(Tensor q, Tensor k, Tensor v, Tensor pattern, int block_size, "
      "int patterns, int blocks_per_side, SymInt long_rows, SymInt long_lines, Tensor? padding, "
      "float scale, bool pruned_is_zero, bool exact_float32, "
      "bool deterministic=True) -> (Tensor out, Tensor log_sum_exp)");
  library.def(
      "block_sparse_attention_backward(Tensor grad_out, Tensor q, Tensor k, Tensor v, Tensor out, "
      "Tensor log_sum_exp, Tensor pattern, int block_size, int patterns, int blocks_per_side, "
      "SymInt long_rows, SymInt long_lines, Tensor? padding, float scale, bool pruned_is_zero, "
      "bool exact_float32, bool deterministic=True) -> Tensor grad_qkv");
  library.def(
      "mean_attention_map(Tensor q, Tensor k, Tensor? padding, bool exact_float32) -> Tensor");
}

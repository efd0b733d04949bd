// A Method of an attention that is the same for the whole training.
//
//   Method LinformerMethod() {
//     return MakeMethod<LinformerAttention>("linformer", "Linformer: keys projected to 256");
//   }
#ifndef BASELINES_MAKE_METHOD_H_
#define BASELINES_MAKE_METHOD_H_

#include <memory>
#include <string>
#include <type_traits>

#include "spion/nn/method.h"

namespace spion {

/// `Variant` is constructed of the AttentionContext where it can be, else of nothing.
template <class Variant>
Method MakeMethod(const std::string& name, const std::string& description) {
  return {.name = name,
          .description = description,
          .pattern_kind = {},
          .make_attention = [](const AttentionContext& context) -> std::unique_ptr<Attention> {
            if constexpr (std::is_constructible_v<Variant, const AttentionContext&>) {
              return std::make_unique<Variant>(context);
            } else {
              return std::make_unique<Variant>();
            }
          }};
}

}  // namespace spion

#endif  // BASELINES_MAKE_METHOD_H_

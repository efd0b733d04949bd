// See context.h.
#ifndef THIRD_PARTY_TORCH_GLOO_DECLARATIONS_GLOO_TRANSPORT_DEVICE_H_
#define THIRD_PARTY_TORCH_GLOO_DECLARATIONS_GLOO_TRANSPORT_DEVICE_H_

#include <memory>

namespace gloo::transport {

class Device;

class UnboundBuffer {
 public:
  virtual ~UnboundBuffer();
};

}  // namespace gloo::transport

#endif  // THIRD_PARTY_TORCH_GLOO_DECLARATIONS_GLOO_TRANSPORT_DEVICE_H_

#include "spion/platform/upload.h"

#include <ATen/ops/empty_like.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

namespace spion {

Upload::Beside::Beside(c10::Device device)
    : stream(c10::impl::VirtualGuardImpl(device.type()).getStreamFromGlobalPool(device)),
      has_come(device.type()),
      is_taken(device.type()) {}

Upload::Upload(c10::Device device) {
  if (!device.is_cpu()) beside_.emplace(device);
}

void Upload::Copy(const at::Tensor& host, const at::Tensor& to) {
  if (!beside_.has_value()) {
    to.copy_(host);
    return;
  }
  Beside& b = *beside_;
  const c10::Stream current =
      c10::impl::VirtualGuardImpl(to.device().type()).getStream(to.device());
  if (!b.staged.defined() || b.staged.sizes() != to.sizes()) {
    b.staged = at::empty_like(to);
    b.is_taken.record(current);  // whatever had this memory before is over
  }
  {
    const c10::StreamGuard guard(b.stream);
    b.is_taken.block(b.stream);
    b.staged.copy_(host, /*non_blocking=*/true);
    b.has_come.record(b.stream);
  }
  b.has_come.block(current);
  to.copy_(b.staged, /*non_blocking=*/true);
  b.is_taken.record(current);
}

}  // namespace spion

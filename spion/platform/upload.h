// Copies from the host to a GPU that go on while the GPU works, beside what is queued there.
//
//   Upload upload(device);
//   upload.Copy(bytes, to);   // to: read by what was queued before, and by what is queued after
#ifndef SPION_PLATFORM_UPLOAD_H_
#define SPION_PLATFORM_UPLOAD_H_

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>
#include <c10/core/Event.h>
#include <c10/core/Stream.h>

#include <optional>

namespace spion {

class Upload {
 public:
  explicit Upload(c10::Device device);

  /// Copies `host` to `to`, a tensor of the same size and type on the device, in the order of the
  /// current stream; only a copy within the device lies there. Waits for nothing if `host` is
  /// pinned. On a CPU a plain copy.
  void Copy(const at::Tensor& host, const at::Tensor& to);

 private:
  /// Of a GPU: a stream of its own, and where the bytes wait.
  struct Beside {
    explicit Beside(c10::Device device);
    c10::Stream stream;
    c10::Event has_come;
    c10::Event is_taken;
    at::Tensor staged;
  };

  std::optional<Beside> beside_;
};

}  // namespace spion

#endif  // SPION_PLATFORM_UPLOAD_H_

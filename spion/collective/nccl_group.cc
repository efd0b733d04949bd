// The group of CUDA devices: LibTorch's NCCL.
#define USE_C10D_NCCL
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#include <utility>
#include <vector>

#include "spion/collective/device_group.h"

namespace spion {
namespace {

class NcclGroup : public Group {
 public:
  NcclGroup(const c10::intrusive_ptr<c10d::Store>& store, c10::Device device,
            std::chrono::milliseconds patience, std::unique_ptr<Group> on_cpu)
      : Group(on_cpu->rank(), on_cpu->ranks()), on_cpu_(std::move(on_cpu)) {
    auto options = c10d::ProcessGroupNCCL::Options::create();
    options->timeout = patience;
    nccl_ = c10::make_intrusive<c10d::ProcessGroupNCCL>(store, rank(), ranks(), options);
    // Now, and not in the first step: a device that cannot be reached is an error of the start.
    nccl_->eagerConnectSingleDevice(device);
  }
  ~NcclGroup() override {
    try {
      nccl_->shutdown();
    } catch (const c10::Error& error) {
      // Whoever waited for the device has been told.
    }
  }

  using Group::Broadcast;
  void Sum(const at::Tensor& tensor) override {
    if (tensor.is_cpu()) return on_cpu_->Sum(tensor);
    std::vector<at::Tensor> tensors = {tensor};
    c10d::AllreduceOptions options;
    options.asyncOp = false;  // on the stream of the step: no event from one to the other
    Call([&] { return nccl_->allreduce(tensors, options); });
  }
  std::unique_ptr<StartedSum> StartSum(const at::Tensor& tensor) override {
    return on_cpu_->StartSum(tensor);
  }
  void Broadcast(const at::Tensor& tensor) override {
    if (tensor.is_cpu()) return on_cpu_->Broadcast(tensor);
    std::vector<at::Tensor> tensors = {tensor};
    c10d::BroadcastOptions options;
    options.asyncOp = false;
    Call([&] { return nccl_->broadcast(tensors, options); });
  }

 private:
  // What is queued on the current stream leaves nothing to wait for.
  template <typename Start>
  static void Call(const Start& start) {
    try {
      const c10::intrusive_ptr<c10d::Work> work = start();
      if (work != nullptr) work->wait();
    } catch (const c10::DistError& error) {
      throw RankLost(error.what_without_backtrace());
    }
  }

  std::unique_ptr<Group> on_cpu_;
  c10::intrusive_ptr<c10d::ProcessGroupNCCL> nccl_;
};

[[maybe_unused]] const bool kIsRegistered = [] {
  RegisterDeviceGroup(
      c10::DeviceType::CUDA, [](const c10::intrusive_ptr<c10d::Store>& store, c10::Device device,
                                std::chrono::milliseconds patience, std::unique_ptr<Group> on_cpu) {
        return std::unique_ptr<Group>(new NcclGroup(store, device, patience, std::move(on_cpu)));
      });
  return true;
}();

}  // namespace
}  // namespace spion

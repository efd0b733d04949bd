#include "spion/collective/gloo_group.h"

#include <exception>
#include <vector>

#define USE_C10D_GLOO
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>

namespace spion {
namespace {

class GlooGroup : public Group {
 public:
  GlooGroup(const c10::intrusive_ptr<c10d::Store>& store, int rank, int ranks,
            std::chrono::milliseconds patience)
      : Group(rank, ranks) {
    auto options = c10d::ProcessGroupGloo::Options::create_default(patience);
    if (options->devices.empty()) {
      options->devices.push_back(c10d::ProcessGroupGloo::createDefaultDevice());
    }
    gloo_ = c10::make_intrusive<c10d::ProcessGroupGloo>(store, rank, ranks, options);
  }

  using Group::Broadcast;
  void Sum(const at::Tensor& tensor) override {
    std::vector<at::Tensor> tensors = {tensor};
    Call([&] { gloo_->allreduce(tensors)->wait(); });
  }
  std::unique_ptr<StartedSum> StartSum(const at::Tensor& tensor) override {
    std::vector<at::Tensor> tensors = {tensor};
    auto started = std::make_unique<Started>();
    Call([&] { started->work = gloo_->allreduce(tensors); });
    return started;
  }
  void Broadcast(const at::Tensor& tensor) override {
    std::vector<at::Tensor> tensors = {tensor};
    Call([&] { gloo_->broadcast(tensors)->wait(); });
  }

 private:
  // Gloo's exceptions have no type that its declarations here would name.
  template <typename Work>
  static void Call(const Work& work) {
    try {
      work();
    } catch (const c10::Error& error) {
      throw RankLost(error.what_without_backtrace());
    } catch (const std::exception& error) {
      throw RankLost(error.what());
    }
  }

  struct Started : StartedSum {
    void Wait() override {
      Call([this] { work->wait(); });
    }
    c10::intrusive_ptr<c10d::Work> work;  // holds the tensor
  };

  c10::intrusive_ptr<c10d::ProcessGroupGloo> gloo_;
};

}  // namespace

std::unique_ptr<Group> MakeGlooGroup(const c10::intrusive_ptr<c10d::Store>& store, int rank,
                                     int ranks, std::chrono::milliseconds patience) {
  return std::make_unique<GlooGroup>(store, rank, ranks, patience);
}

}  // namespace spion

// Ranks that train one model together: what they add up, hand out and agree on.
//
//   group.Mean(gradient);                       // of all ranks, in place
//   if (group.Any(interrupt.raised())) ...      // the same answer on every rank
//
// Each call is made by all ranks, in the same order, with tensors of the same sizes; it gives every
// rank the same bits. A rank alone does nothing in any of them.
//
// Errors: each call throws RankLost where another rank is lost or does not come. What a tensor then
// holds is not said, and no further call is to be made.
#ifndef SPION_COLLECTIVE_GROUP_H_
#define SPION_COLLECTIVE_GROUP_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace spion {

class RankLost : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class Group {
 public:
  virtual ~Group() = default;
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  int rank() const { return rank_; }
  int ranks() const { return ranks_; }
  /// Rank 0 decides what is decided once, and alone writes.
  bool leads() const { return rank_ == 0; }

  /// Of all ranks, in place: a contiguous tensor of float32, float64 or int64 on the CPU or on the
  /// group's device. On a device it is only started.
  virtual void Sum(const at::Tensor& tensor) = 0;
  void Mean(const at::Tensor& tensor);
  /// A sum that goes on beside the caller. Whoever drops it before its end leaves it to itself.
  class StartedSum {
   public:
    virtual ~StartedSum() = default;
    /// Returns when the tensor has the sum.
    virtual void Wait() = 0;
  };
  /// As Sum, of a tensor on the CPU, which nobody touches until the sum is there.
  virtual std::unique_ptr<StartedSum> StartSum(const at::Tensor& tensor);
  /// Rank 0's, of any of these types or uint8, in place.
  virtual void Broadcast(const at::Tensor& tensor) = 0;

  /// Rank 0's text.
  std::string Broadcast(const std::string& text);
  /// What each rank gave, by rank.
  std::vector<int64_t> Gather(int64_t mine);
  std::vector<std::string> Gather(const std::string& mine);
  /// Whether it is so on any rank.
  bool Any(bool mine);
  /// Returns when all ranks have come here.
  void Barrier() { Gather(0); }

 protected:
  Group(int rank, int ranks) : rank_(rank), ranks_(ranks) {}

 private:
  const int rank_;
  const int ranks_;
};

/// One rank, which is rank 0 of 1.
class Alone : public Group {
 public:
  Alone() : Group(0, 1) {}
  using Group::Broadcast;
  void Sum(const at::Tensor& /*tensor*/) override {}
  void Broadcast(const at::Tensor& /*tensor*/) override {}
};

/// The one of this process alone, for what takes a group.
Group& AloneGroup();

}  // namespace spion

#endif  // SPION_COLLECTIVE_GROUP_H_

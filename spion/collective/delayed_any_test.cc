#include "spion/collective/delayed_any.h"

#include <gtest/gtest.h>

#include <memory>

#include "spion/collective/rank_threads.h"

namespace spion {
namespace {

// Whichever rank wishes it, all hear so one call later, and not again once nobody does.
TEST(DelayedAnyTest, AllHearItOneCallLater) {
  for (int wishing = 0; wishing < 3; ++wishing) {
    RunRanks(3, [=](Group& group) {
      DelayedAny any(group);
      for (int call = 0; call < 8; ++call) {
        const bool heard = any.Next(group.rank() == wishing && (call == 2 || call == 5));
        EXPECT_EQ(heard, call == 3 || call == 6) << call;
      }
    });
  }
}

// What is under way does not come between other calls, nor the end of the ranks.
TEST(DelayedAnyTest, GoesOnBesideOtherCalls) {
  RunRanks(2, [](Group& group) {
    DelayedAny any(group);
    EXPECT_FALSE(any.Next(true));
    EXPECT_EQ(group.Gather(group.rank() + 5), (std::vector<int64_t>{5, 6}));
    EXPECT_FALSE(group.Any(false));
    EXPECT_TRUE(any.Next(false));
  });
}

TEST(DelayedAnyTest, OneAloneHearsItselfAtOnce) {
  DelayedAny any(AloneGroup());
  EXPECT_FALSE(any.Next(false));
  EXPECT_TRUE(any.Next(true));
  EXPECT_FALSE(any.Next(false));
}

TEST(DelayedAnyTest, ALostRankIsTold) {
  EXPECT_THROW(RunRanks(2,
                        [](Group& group) {
                          DelayedAny any(group);
                          any.Next(false);
                          if (group.rank() == 1) return;  // its connections end with it
                          for (int call = 0; call < 2; ++call) any.Next(false);
                        }),
               RankLost);
}

// A group that adds up at once, as one of a test's own may, answers one call later, too.
TEST(DelayedAnyTest, WhereSumsAreThereAtOnceItIsTheSame) {
  class AsTwo : public Group {
   public:
    AsTwo() : Group(0, 2) {}
    using Group::Broadcast;
    void Sum(const at::Tensor& /*tensor*/) override {}
    void Broadcast(const at::Tensor& /*tensor*/) override {}
  };
  AsTwo group;
  DelayedAny any(group);
  EXPECT_FALSE(any.Next(true));
  EXPECT_TRUE(any.Next(false));
}

}  // namespace
}  // namespace spion

#include "spion/platform/repeated_work.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace spion {
namespace {

// What the recorder below and the work count.
struct Counts {
  int works = 0;
  int recordings = 0;
  int replays = 0;
  int alive = 0;
};
Counts& counts() {
  static Counts all;
  return all;
}

class CountedRecording : public Recording {
 public:
  CountedRecording() { ++counts().alive; }
  ~CountedRecording() override { --counts().alive; }
  void Replay() override { ++counts().replays; }
};

std::unique_ptr<Recording> Record(c10::Device, const std::function<void()>& work) {
  work();
  ++counts().recordings;
  return std::make_unique<CountedRecording>();
}

constexpr int64_t kKey = 0;

void Work() { ++counts().works; }

class RepeatedWorkTest : public testing::Test {
 protected:
  RepeatedWorkTest() { counts() = {}; }
};

TEST_F(RepeatedWorkTest, RunsAsItIsWithoutARecorder) {
  RepeatedWork work(at::kCPU, nullptr);
  for (int i = 0; i < 10; ++i) work.Run(kKey, Work);
  EXPECT_EQ(counts().works, 10);
}

TEST_F(RepeatedWorkTest, RunsThreeTimesThenRecordsAndReplays) {
  RepeatedWork work(at::kCPU, Record);
  for (int i = 0; i < 3; ++i) work.Run(kKey, Work);
  EXPECT_EQ(counts().recordings, 0);
  EXPECT_FALSE(work.has_recorded());
  for (int i = 0; i < 7; ++i) work.Run(kKey, Work);
  EXPECT_EQ(counts().works, 3 + 1);
  EXPECT_EQ(counts().recordings, 1);
  EXPECT_EQ(counts().replays, 7);  // recording computes nothing: every run after it is a replay
  work.Drop();
  EXPECT_TRUE(work.has_recorded());
}

TEST_F(RepeatedWorkTest, DropsAndRecordsAnew) {
  {
    RepeatedWork work(at::kCPU, Record);
    for (int i = 0; i < 5; ++i) work.Run(kKey, Work);
    work.Drop();
    EXPECT_EQ(counts().alive, 0);
    for (int i = 0; i < 5; ++i) work.Run(kKey, Work);
    EXPECT_EQ(counts().works, 2 * (3 + 1));
    EXPECT_EQ(counts().recordings, 2);
    EXPECT_EQ(counts().replays, 2 * 2);
  }
  EXPECT_EQ(counts().alive, 0);
}

// A replay of what another key recorded would be the wrong work.
TEST_F(RepeatedWorkTest, AnotherKeyIsRecordedAnew) {
  RepeatedWork work(at::kCPU, Record);
  for (int64_t key : {3, 4, 3}) {
    counts().replays = 0;
    for (int i = 0; i < 3; ++i) work.Run(key, Work);
    EXPECT_EQ(counts().alive, 0) << key;
    EXPECT_EQ(counts().replays, 0) << key;
    for (int i = 0; i < 2; ++i) work.Run(key, Work);
    EXPECT_EQ(counts().alive, 1) << key;
    EXPECT_EQ(counts().replays, 2) << key;
  }
  EXPECT_EQ(counts().works, 3 * (3 + 1));
}

TEST_F(RepeatedWorkTest, PassesOnWhatTheWorkThrows) {
  RepeatedWork work(at::kCPU, Record);
  for (int i = 0; i < 3; ++i) work.Run(kKey, Work);
  EXPECT_THROW(work.Run(kKey, [] { throw std::runtime_error("reads the device"); }),
               std::runtime_error);
  EXPECT_EQ(counts().alive, 0);
}

}  // namespace
}  // namespace spion

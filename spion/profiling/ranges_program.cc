// Opens a few ranges, for range_test.py: nested, labelled, on two threads, and phases that overlap.
#include <optional>
#include <thread>

#include "spion/profiling/range.h"

int main() {
  using spion::ProfilePhase;
  using spion::ProfileRange;
  using spion::Region;

  std::optional<ProfilePhase> dense(std::in_place, Region::kDensePhase);
  {
    ProfileRange step(Region::kDenseStep);
    { ProfileRange data(Region::kData); }
    ProfileRange forward(Region::kForward);
    ProfileRange attention(Region::kAttentionForward, {.layer = 1, .kept_blocks = 70});
  }
  std::thread([] {
    ProfileRange backward(Region::kBackward);
    ProfileRange again(Region::kAttentionBackward, {.layer = 1});
    ProfileRange none(Region::kAttentionBackward, {.kept_blocks = 0});
  }).join();
  ProfilePhase sparse(Region::kSparsePhase, {.layer = 0});
  dense.reset();
}

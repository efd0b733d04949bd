// TransitionTest: when the attention maps have settled and the dense phase may end.
//
//   TransitionTest test(/*layers=*/2, /*limit_percent=*/15);
//   test.Observe({4.0, 2.0});                      // second capture: nothing to compare with yet
//   test.Observe({3.0, 1.9});                      // third: changes 25 % and 5 %, not settled
//   test.Observe({2.9, 1.9});                      // fourth: 3.3 % and 0 %, settled
//
// D_l(i) is the Frobenius distance of layer l's maps of the captures i - 1 and i; from the third
// capture on
//   change_l = |D_l(i) - D_l(i-1)| / D_l(i-1) * 100
// and the maps have settled when change_l, truncated to an integer, is below the limit for every
// layer. Source: SPION, arXiv 2309.12578. The only state is the newest distances: giving them to
// a new test resumes it.
#ifndef SPION_PATTERN_TRANSITION_H_
#define SPION_PATTERN_TRANSITION_H_

#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace spion {

class TransitionTest {
 public:
  struct Observation {
    std::vector<double> change_percent;  // [layers]; empty at the first observation
    bool settled = false;
  };

  TransitionTest(int layers, int limit_percent) : layers_(layers), limit_percent_(limit_percent) {}

  /// The distances of the next capture, one a layer, from the second capture on. After a distance
  /// of 0 the change is 0 if the new one is 0 too, and infinity otherwise.
  /// Errors: InvalidArgument if there is no distance or not one a layer, or if one is negative or
  /// not finite; the test then stays as it was.
  absl::StatusOr<Observation> Observe(absl::Span<const double> distances);

 private:
  int layers_;
  int limit_percent_;
  std::vector<double> previous_;  // [layers]; empty before the first observation
};

}  // namespace spion

#endif  // SPION_PATTERN_TRANSITION_H_

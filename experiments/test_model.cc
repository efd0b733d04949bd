#include "experiments/test_model.h"

#include <cmath>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "spion/train/batches.h"
#include "spion/train/hyper_parameters.h"

namespace spion {

absl::StatusOr<std::optional<Evaluation>> Test(const Session& session,
                                               const SequenceClassifier& model,
                                               const std::function<bool()>& stop_requested,
                                               Group& group, Progress& progress) {
  const HyperParameters& h = session.experiment.hyper_parameters;
  const int64_t examples = EvaluatedExamples(session.data.test.examples(), h.test_examples);
  progress.Say(absl::StrCat("testing on ", examples, " examples"));
  const auto stops_after = [&](int64_t done) {
    progress.Evaluated("testing", done, examples);
    return group.Any(stop_requested());
  };
  const std::optional<Evaluation> test = EvaluateUnlessStopped(
      model, BatchMaker(session.data.test, session.device), h.evaluation_batch_size(),
      h.test_examples, session.experiment.precision, stops_after, group);
  if (!test.has_value() || std::isfinite(test->loss)) return test;
  return absl::InternalError(
      "the loss on the test set is not finite: the checkpoint's weights are too large");
}

std::string TestLine(const Evaluation& test, const CheckpointInfo& info) {
  return absl::StrFormat("test accuracy %.1f %% (%d examples; checkpoint of %sstep %d)",
                         100 * test.accuracy, test.examples, PhaseText(info.phase, ", "),
                         info.step);
}

}  // namespace spion

// What a task is to the trainer: labelled examples of token ids in three splits, all of one shape,
// and where they come from.
//
//   ASSIGN_OR_RETURN(TaskData task, LoadTask("image", {.data_dir = "/data"}));  // task_registry.h
//   std::vector<int32_t> ids(task.shape.sequence_length);
//   task.train.ReadIds(/*example=*/7, /*sequence=*/0, absl::MakeSpan(ids));
//   int32_t label = task.train.label(7);
//
// A loader fills a Split by AddExample and states everything else here; no code outside a task's
// own loader knows one task from another. Examples lie in memory as raw bytes without their
// padding, so that even retrieval (1.2 GB of text) fits, and become 32-bit ids when they are read.
#ifndef SPION_DATA_TASK_H_
#define SPION_DATA_TASK_H_

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "spion/base/parallel.h"

namespace spion {

/// What all examples of a task have in common.
struct TaskShape {
  /// Ids in a sequence, its padding included.
  int sequence_length = 0;
  /// Ids are below this.
  int vocabulary = 0;
  /// Labels are below this.
  int classes = 0;
  /// 1; or 2 where an example is a pair of documents.
  int sequences_per_example = 1;
  /// Whether id 0 is padding, to be masked. If not, id 0 is a token like any other, and every
  /// sequence is sequence_length long.
  bool has_padding = false;
  /// Ids that the task reads of a sequence, if fewer than sequence_length; longer ones are cut.
  int longest_sequence = 0;

  /// Ids that are left of a sequence that is cut.
  int cut_length() const {
    return longest_sequence == 0 ? sequence_length : std::min(longest_sequence, sequence_length);
  }
};

/// Examples in a fixed order.
class Split {
 public:
  explicit Split(const TaskShape& shape) : shape_(shape) {}

  /// Makes room for `examples` examples of full length.
  void Reserve(int64_t examples);

  /// Appends one example. A sequence is given as bytes without padding: the ids themselves, or, in
  /// a task with padding, the ids minus 1, as id 0 is not theirs to use. One that is longer than
  /// the shape's cut_length() is cut. What the shape does not allow is left out, and a fault(): too
  /// many or too few sequences, without padding one that is not of exactly sequence_length, an id
  /// or a label out of range.
  void AddExample(absl::Span<const absl::Span<const uint8_t>> sequences, int32_t label);

  /// Cuts sequences that are longer, for all readers from now on. Tasks with padding only.
  void ShortenTo(int length);

  /// Gives examples the names that errors call them by: "/data/basic_train.tsv, line 7".
  void NameExamples(std::function<std::string(int64_t example)> name) { name_ = std::move(name); }

  const TaskShape& shape() const { return shape_; }
  int64_t examples() const { return static_cast<int64_t>(labels_.size()); }
  int32_t label(int64_t example) const { return labels_[example]; }
  /// The number of ids of a sequence that are not padding.
  int length(int64_t example, int sequence) const;
  /// Whether a sequence lost its end, when it was added or by ShortenTo.
  bool is_cut(int64_t example, int sequence) const;
  /// As given by NameExamples, else "example 7", counted from 0.
  std::string name(int64_t example) const;
  /// The first example that was left out, by its name, what it has and what was expected; empty
  /// where all were taken.
  std::string fault() const;
  /// Writes a sequence's ids and its padding to `ids`, which must have room for exactly
  /// sequence_length.
  void ReadIds(int64_t example, int sequence, absl::Span<int32_t> ids) const;

  /// What is in memory: those of all sequences, as they were added.
  absl::Span<const uint8_t> bytes() const { return bytes_; }

 private:
  int64_t Row(int64_t example, int sequence) const {
    return example * shape_.sequences_per_example + sequence;
  }

  TaskShape shape_;
  std::vector<uint8_t> bytes_;       // All sequences, one after the other.
  std::vector<int64_t> ends_ = {0};  // Row r is bytes_[ends_[r] .. ends_[r + 1]).
  std::vector<bool> cut_;            // Whether row r was longer when it was added.
  std::vector<int32_t> labels_;
  int64_t faulty_example_ = 0;  // The first one that was left out,
  std::string fault_;           // and what is wrong with it; empty if none was.
  std::function<std::string(int64_t example)> name_;
};

/// Where a task's examples come from, for the run's log and manifest.
struct DataSource {
  /// "CIFAR-10 (binary)", or "generated".
  std::string name;
  /// Made by this program, so that results on it compare with nothing published.
  bool generated = false;
  /// The folder that was read; empty for generated data.
  std::string path;
  /// Of the files' content, one after the other in their documented order, or of the generated
  /// bytes.
  std::string sha256;
  /// One line for the log.
  std::string description;
  /// What a sequence that is cut means for the task; empty where none can be.
  std::string cut_means = "";
};

struct TaskData {
  explicit TaskData(const TaskShape& task_shape)
      : shape(task_shape), train(task_shape), dev(task_shape), test(task_shape) {}

  /// Split::ShortenTo for all three, if the task's sequences are longer and may be cut.
  void ShortenTo(int length);

  /// "8000 train, 1000 dev, 2000 test".
  std::string Counts() const;

  TaskShape shape;
  Split train;
  Split dev;
  Split test;
  DataSource source;
};

/// How many examples of a generated task to make; 0 means the task's own default.
struct GeneratedSizes {
  int64_t train = 0;
  int64_t dev = 0;
  int64_t test = 0;
};

/// What a loader is told. Every task takes the same options.
struct TaskOptions {
  /// The folder with the task's files, laid out as their publisher packs them. Empty: generated
  /// data.
  std::string data_dir = "";
  /// Seeds generated data. Files are read in their own order, whatever the seed.
  uint64_t seed = 1001;
  /// For generated data only.
  GeneratedSizes generated_sizes = {};
  /// Spreads the making of generated data, which are the same whatever it is.
  ParallelFor parallel = SerialFor();
};

}  // namespace spion

#endif  // SPION_DATA_TASK_H_

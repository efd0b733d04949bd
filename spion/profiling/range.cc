#include "spion/profiling/range.h"

#include <array>
#include <atomic>

#include "spion/profiling/nvtx.h"

namespace spion {
namespace {

// In the order of the enumeration.
constexpr std::array<const char*, kRegions> kNames = {
    "dense_phase",         // kDensePhase
    "sparse_phase",        // kSparsePhase
    "single_phase",        // kSinglePhase
    "dense_step",          // kDenseStep
    "sparse_step",         // kSparseStep
    "step",                // kSingleStep
    "data",                // kData
    "forward",             // kForward
    "backward",            // kBackward
    "optimizer",           // kOptimizer
    "residual_stream",     // kResidualStream
    "projections",         // kProjections
    "attention",           // kAttention
    "mlp",                 // kMlp
    "classifier",          // kClassifier
    "scores",              // kScores
    "softmax",             // kSoftmax
    "weighted_sum",        // kWeightedSum
    "capture",             // kCapture
    "pattern_search",      // kPatternSearch
    "evaluation",          // kEvaluation
    "attention_forward",   // kAttentionForward
    "attention_backward",  // kAttentionBackward
    "attention_map",       // kAttentionMap
};
static_assert(kNames.back() != nullptr, "a region has no name");

std::atomic<RangeListener*> g_listener = nullptr;

}  // namespace

const char* RegionName(Region region) { return kNames[static_cast<int>(region)]; }

void SetRangeListener(RangeListener* listener) {
  g_listener.store(listener, std::memory_order_release);
}

ProfileRange::ProfileRange(Region region, const RangeLabel& label)
    : listener_(g_listener.load(std::memory_order_acquire)) {
  nvtx::Push(region, label);
  if (listener_ != nullptr) opened_ = listener_->Open(region, label);
}

ProfileRange::~ProfileRange() {
  if (listener_ != nullptr) listener_->Close(opened_);
  nvtx::Pop();
}

ProfilePhase::ProfilePhase(Region region, const RangeLabel& label)
    : id_(nvtx::Start(region, label)) {}

ProfilePhase::~ProfilePhase() { nvtx::End(id_); }

}  // namespace spion

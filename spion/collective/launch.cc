#include "spion/collective/launch.h"

#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "spion/base/status.h"

namespace spion {
namespace {

constexpr int kDefaultPort = 29500;  // torchrun's, too
constexpr int kLargestPort = 65535;
constexpr int kLargestRankCount = 1 << 20;
// Of ports that no system hands out by itself.
constexpr int kFirstStepPort = 12000;
constexpr int kStepPorts = 20000;

constexpr char kAddress[] = "MASTER_ADDR";
constexpr char kPort[] = "MASTER_PORT";
constexpr char kTorchrun[] = "TORCHELASTIC_RUN_ID";

// How a launcher tells a process its place.
struct Family {
  const char* launcher;
  const char* rank;
  const char* ranks;
  const char* local_rank;
};
constexpr Family kPlain = {"torchrun", "RANK", "WORLD_SIZE", "LOCAL_RANK"};
constexpr Family kOpenMpi = {"Open MPI's mpirun", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE",
                             "OMPI_COMM_WORLD_LOCAL_RANK"};
constexpr Family kMpich = {"MPICH's mpirun", "PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID"};
constexpr Family kSlurm = {"srun", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID"};

// A number that is set, from `low` to `high`.
absl::StatusOr<int> Number(const Environment& environment, const char* name, int low, int high) {
  const std::string text = environment(name).value_or("");
  int number = 0;
  if (absl::SimpleAtoi(text, &number) && number >= low && number <= high) return number;
  return absl::InvalidArgumentError(absl::StrCat(name, "=", text, " in the environment; expected ",
                                                 "a whole number from ", low, " to ", high));
}

bool IsSet(const Environment& environment, const char* name) {
  return environment(name).has_value();
}

std::string Told(const Family& family, const Launch& launch) {
  return absl::StrCat(family.rank, "=", launch.rank, ", ", family.ranks, "=", launch.ranks);
}

// Slurm's own steps (of a batch script, of salloc's shell, ...) have numbers near the end of 32
// bits.
bool IsInSlurmsOwnStep(const Environment& environment) {
  constexpr int64_t kFirstOfSlurmsOwn = 0xfffffff0;
  int64_t step = 0;
  return absl::SimpleAtoi(environment("SLURM_STEP_ID").value_or(""), &step) &&
         step >= kFirstOfSlurmsOwn;
}

// Whether a family's variables are this process's, and not only those of a shell around it.
bool IsTold(const Environment& environment, const Family& family) {
  if (&family != &kSlurm) {
    return IsSet(environment, family.ranks) || IsSet(environment, family.rank);
  }
  // A batch script has the rank of a step, but is none.
  return IsSet(environment, family.ranks) && !IsInSlurmsOwnStep(environment);
}

// Of srun --pty only task 0 has the terminal, and is the shell; what that starts is no task.
absl::Status CheckStartedByStep(const Environment& environment, const Started& started,
                                const Launch& launch) {
  int64_t task = 0;
  const bool is_known = absl::SimpleAtoi(environment("SLURM_TASK_PID").value_or(""), &task);
  if (launch.ranks == 1 || !started.has_terminal || !is_known || task == started.process_id) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      Told(kSlurm, launch), " in the environment are those of this terminal's step, whose other ",
      launch.ranks - 1,
      " tasks would be waited for: to run alone, unset SLURM_STEP_NUM_TASKS; for ", launch.ranks,
      " ranks start the program by srun itself"));
}

// A place that a family tells; nothing if it tells none.
absl::StatusOr<std::optional<Launch>> Place(const Environment& environment, const Family& family) {
  if (!IsTold(environment, family)) return std::nullopt;
  for (const char* name : {family.rank, family.ranks}) {
    if (IsSet(environment, name)) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        name == family.rank ? family.ranks : family.rank, " is set in the environment, ", name,
        " is not: ", family.launcher, " sets both; unset the one to run alone"));
  }
  Launch launch;
  ASSIGN_OR_RETURN(launch.ranks, Number(environment, family.ranks, 1, kLargestRankCount));
  ASSIGN_OR_RETURN(launch.rank, Number(environment, family.rank, 0, kLargestRankCount));
  if (launch.rank >= launch.ranks) {
    return absl::InvalidArgumentError(
        absl::StrCat(family.rank, "=", launch.rank, " in the environment does not go with ",
                     family.ranks, "=", launch.ranks, ": ranks are counted from 0"));
  }
  if (IsSet(environment, family.local_rank)) {
    ASSIGN_OR_RETURN(launch.local_rank,
                     Number(environment, family.local_rank, 0, launch.ranks - 1));
  }
  return launch;
}

// Where Slurm's ranks meet unless the user says so.
absl::Status MeetInStep(const Environment& environment, Launch& launch) {
  if (launch.address.empty()) {
    const std::string nodes =
        environment("SLURM_STEP_NODELIST").value_or(environment("SLURM_JOB_NODELIST").value_or(""));
    launch.address = FirstNode(nodes);
  }
  if (launch.port == 0) {
    int64_t job = 0;
    int64_t step = 0;
    if (!absl::SimpleAtoi(environment("SLURM_JOB_ID").value_or(""), &job)) {
      return absl::InvalidArgumentError(
          "SLURM_JOB_ID is no number in the environment: set MASTER_PORT to a free port of rank "
          "0's node");
    }
    // A step's id need be no number.
    const bool has_step = absl::SimpleAtoi(environment("SLURM_STEP_ID").value_or(""), &step);
    launch.port = kFirstStepPort + static_cast<int>((job + (has_step ? step : 0)) % kStepPorts);
  }
  return absl::OkStatus();
}

// Where mpirun's ranks meet unless the user says so.
void MeetOnOneHost(const Environment& environment, const char* local_ranks, Launch& launch) {
  const std::string on_host = environment(local_ranks).value_or("");
  if (launch.address.empty() && on_host == absl::StrCat(launch.ranks)) {
    launch.address = "127.0.0.1";
  }
  if (launch.port == 0) launch.port = kDefaultPort;
}

absl::Status FindMeetingPlace(const Environment& environment, const Family& family,
                              Launch& launch) {
  launch.address = environment(kAddress).value_or("");
  if (IsSet(environment, kPort)) {
    ASSIGN_OR_RETURN(launch.port, Number(environment, kPort, 1, kLargestPort));
  }
  if (&family == &kOpenMpi) MeetOnOneHost(environment, "OMPI_COMM_WORLD_LOCAL_SIZE", launch);
  if (&family == &kMpich) MeetOnOneHost(environment, "MPI_LOCALNRANKS", launch);
  if (&family == &kSlurm) RETURN_IF_ERROR(MeetInStep(environment, launch));
  std::vector<const char*> missing;
  if (launch.address.empty()) missing.push_back(kAddress);
  if (launch.port == 0) missing.push_back(kPort);
  if (missing.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      Told(family, launch), " in the environment, but no ", absl::StrJoin(missing, " and no "),
      ": set them to where rank 0 runs and a free port there, the same for all ranks"));
}

}  // namespace

std::optional<std::string> ProcessEnvironment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

std::string FirstNode(const std::string& nodes) {
  std::string first;
  for (size_t i = 0; i < nodes.size() && nodes[i] != ','; ++i) {
    if (nodes[i] != '[') {
      first += nodes[i];
      continue;
    }
    const size_t end = nodes.find_first_of(",-]", i);
    const size_t close = nodes.find(']', i);
    if (close == std::string::npos) return "";
    first += nodes.substr(i + 1, end - i - 1);
    i = close;
  }
  return first;
}

Started ThisProcess() {
  return {.process_id = getpid(), .has_terminal = isatty(STDIN_FILENO) != 0};
}

absl::StatusOr<Launch> FindLaunch(const Environment& environment, const Started& started) {
  const Family* found = nullptr;
  std::optional<Launch> launch;
  for (const Family* family : {&kPlain, &kOpenMpi, &kMpich, &kSlurm}) {
    ASSIGN_OR_RETURN(const std::optional<Launch> place, Place(environment, *family));
    if (!place.has_value()) continue;
    if (!launch.has_value()) {
      found = family;
      launch = place;
      continue;
    }
    const bool agrees = place->rank == launch->rank && place->ranks == launch->ranks;
    if (agrees && family == &kSlurm && found != &kPlain) {
      // srun itself, which sets MPICH's variables too, and knows where ranks can meet.
      found = family;
      launch = place;
    }
    // torchrun and mpirun may have been started by another launcher, once a node.
    const bool counts = found == &kPlain && !IsSet(environment, kTorchrun) && place->ranks > 1;
    if (counts && !agrees) {
      return absl::InvalidArgumentError(
          absl::StrCat(Told(*found, *launch), " in the environment contradict ",
                       Told(*family, *place), " of ", family->launcher, ": unset one of the two"));
    }
  }
  if (!launch.has_value() || launch->ranks == 1) return Launch();
  if (found == &kSlurm) RETURN_IF_ERROR(CheckStartedByStep(environment, started, *launch));
  RETURN_IF_ERROR(FindMeetingPlace(environment, *found, *launch));
  launch->is_store_served = environment("TORCHELASTIC_USE_AGENT_STORE") == "True";
  launch->attempt = environment("TORCHELASTIC_RESTART_COUNT").value_or("0");
  return *launch;
}

}  // namespace spion

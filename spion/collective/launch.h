// Which part of one run this process is, as its launcher says in the environment: torchrun, srun,
// mpirun of Open MPI or MPICH; alone where none does.
//
//   ASSIGN_OR_RETURN(const Launch launch, FindLaunch());
//   if (launch.ranks > 1) ... meet the others at launch.address ...
#ifndef SPION_COLLECTIVE_LAUNCH_H_
#define SPION_COLLECTIVE_LAUNCH_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/status/statusor.h"

namespace spion {

struct Launch {
  int rank = 0;
  int ranks = 1;
  /// Among the ranks of this host; nothing where the launcher does not say.
  std::optional<int> local_rank;
  /// Where rank 0 is met; of no meaning to one rank.
  std::string address;
  int port = 0;
  /// The launcher itself serves the store there, so rank 0 must not (torchrun).
  bool is_store_served = false;
  /// Tells one attempt from the next where the launcher tries again at the same place.
  std::string attempt = "0";
};

/// The value of a variable; nothing if it is not set.
using Environment = std::function<std::optional<std::string>(const char* name)>;
std::optional<std::string> ProcessEnvironment(const char* name);

/// What a process is beside its variables.
struct Started {
  int64_t process_id = 0;
  bool has_terminal = false;  // its input is one
};
Started ThisProcess();

/// The variables of the innermost launcher count:
///
/// - torchrun, Kubernetes' training operator: RANK, WORLD_SIZE, LOCAL_RANK
/// - Open MPI: OMPI_COMM_WORLD_RANK, OMPI_COMM_WORLD_SIZE, OMPI_COMM_WORLD_LOCAL_RANK
/// - MPICH: PMI_RANK, PMI_SIZE, MPI_LOCALRANKID
/// - Slurm: SLURM_PROCID, SLURM_STEP_NUM_TASKS, SLURM_LOCALID; a batch script has no such step, and
///   is no rank, and no more is what is started in the step of salloc's shell
///
/// MASTER_ADDR and MASTER_PORT say where rank 0 is met: the first needs them, the others may have
/// them. Without them mpirun's ranks meet on their one host, at port 29500; Slurm's on the step's
/// first node, at a port made of job and step.
/// Errors: InvalidArgument, naming the variables, what is expected and the way out, where some are
/// missing, are no numbers that can be, where two launchers say different things, or where the
/// process was started by hand in the terminal of a step of several tasks (srun --pty), whose
/// others would never come.
absl::StatusOr<Launch> FindLaunch(const Environment& environment = ProcessEnvironment,
                                  const Started& started = ThisProcess());

/// "gpu03" of Slurm's list of nodes "gpu[03-05,8],cpu1".
std::string FirstNode(const std::string& nodes);

}  // namespace spion

#endif  // SPION_COLLECTIVE_LAUNCH_H_

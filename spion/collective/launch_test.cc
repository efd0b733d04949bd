#include "spion/collective/launch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace spion {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

using Variables = std::map<std::string, std::string>;

absl::StatusOr<Launch> Find(const Variables& variables, const Started& started = {}) {
  return FindLaunch(
      [&](const char* name) -> std::optional<std::string> {
        const auto found = variables.find(name);
        if (found == variables.end()) return std::nullopt;
        return found->second;
      },
      started);
}

std::string ErrorOf(const Variables& variables) {
  const absl::StatusOr<Launch> launch = Find(variables);
  EXPECT_EQ(launch.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(launch.status().message());
}

Variables With(Variables variables, const Variables& others) {
  for (const auto& [name, value] : others) variables[name] = value;
  return variables;
}

const Variables kTorchrun = {{"RANK", "3"},
                             {"WORLD_SIZE", "4"},
                             {"LOCAL_RANK", "1"},
                             {"MASTER_ADDR", "node7"},
                             {"MASTER_PORT", "4242"},
                             {"TORCHELASTIC_RUN_ID", "none"},
                             {"TORCHELASTIC_RESTART_COUNT", "2"},
                             {"TORCHELASTIC_USE_AGENT_STORE", "True"}};
const Variables kStep = {{"SLURM_PROCID", "5"},       {"SLURM_STEP_NUM_TASKS", "8"},
                         {"SLURM_LOCALID", "1"},      {"SLURM_STEP_NODELIST", "gpu[03-05,8],cpu1"},
                         {"SLURM_JOB_ID", "4000007"}, {"SLURM_STEP_ID", "2"},
                         {"SLURM_NTASKS", "16"}};
const Variables kOpenMpi = {{"OMPI_COMM_WORLD_RANK", "1"},
                            {"OMPI_COMM_WORLD_SIZE", "2"},
                            {"OMPI_COMM_WORLD_LOCAL_RANK", "1"},
                            {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"}};

TEST(LaunchTest, AloneWithoutALauncher) {
  // A batch script of Slurm, an interactive step of one task, one process of torchrun.
  for (const Variables& variables :
       {Variables{}, Variables{{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "4"}},
        Variables{{"SLURM_PROCID", "0"}, {"SLURM_STEP_NUM_TASKS", "1"}},
        // salloc's shell, which is a step of Slurm's own.
        With(kStep, {{"SLURM_STEP_ID", "4294967290"}}),
        Variables{{"RANK", "0"}, {"WORLD_SIZE", "1"}},
        Variables{{"MASTER_ADDR", "node7"}, {"LOCAL_RANK", "3"}}}) {
    const absl::StatusOr<Launch> launch = Find(variables);
    ASSERT_TRUE(launch.ok()) << launch.status();
    EXPECT_EQ(launch->rank, 0);
    EXPECT_EQ(launch->ranks, 1);
  }
}

TEST(LaunchTest, ByTorchrun) {
  const Launch launch = Find(kTorchrun).value();
  EXPECT_EQ(launch.rank, 3);
  EXPECT_EQ(launch.ranks, 4);
  EXPECT_EQ(launch.local_rank, 1);
  EXPECT_EQ(launch.address, "node7");
  EXPECT_EQ(launch.port, 4242);
  EXPECT_TRUE(launch.is_store_served);
  EXPECT_EQ(launch.attempt, "2");
}

// Kubernetes' training operator sets neither LOCAL_RANK nor a store.
TEST(LaunchTest, ByPlainVariables) {
  const Launch launch =
      Find({{"RANK", "0"}, {"WORLD_SIZE", "2"}, {"MASTER_ADDR", "a"}, {"MASTER_PORT", "1"}})
          .value();
  EXPECT_EQ(launch.local_rank, std::nullopt);
  EXPECT_FALSE(launch.is_store_served);
}

TEST(LaunchTest, BySlurm) {
  const Launch launch = Find(kStep).value();
  EXPECT_EQ(launch.rank, 5);
  EXPECT_EQ(launch.ranks, 8);
  EXPECT_EQ(launch.local_rank, 1);
  EXPECT_EQ(launch.address, "gpu03");
  EXPECT_EQ(launch.port, 12009);
  const Launch placed =
      Find(With(kStep, {{"MASTER_ADDR", "10.0.0.1"}, {"MASTER_PORT", "77"}})).value();
  EXPECT_EQ(placed.address, "10.0.0.1");
  EXPECT_EQ(placed.port, 77);
}

// srun --pty bash, and the program in that shell.
TEST(LaunchTest, ByHandInAStepsTerminal) {
  const Variables step = With(kStep, {{"SLURM_TASK_PID", "41"}});
  const absl::Status by_hand = Find(step, {.process_id = 42, .has_terminal = true}).status();
  EXPECT_EQ(by_hand.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(by_hand.message()),
              AllOf(HasSubstr("SLURM_STEP_NUM_TASKS=8"), HasSubstr("other 7 tasks"),
                    HasSubstr("to run alone, unset SLURM_STEP_NUM_TASKS")));
  // srun --pty and the program itself, a script of srun, torchrun in the shell.
  EXPECT_EQ(Find(step, {.process_id = 41, .has_terminal = true})->ranks, 8);
  EXPECT_EQ(Find(step, {.process_id = 42, .has_terminal = false})->ranks, 8);
  EXPECT_EQ(Find(With(step, kTorchrun), {.process_id = 42, .has_terminal = true})->ranks, 4);
}

TEST(LaunchTest, ByMpirun) {
  const Launch launch = Find(kOpenMpi).value();
  EXPECT_EQ(launch.rank, 1);
  EXPECT_EQ(launch.address, "127.0.0.1");
  EXPECT_EQ(launch.port, 29500);
  const Launch mpich = Find({{"PMI_RANK", "1"},
                             {"PMI_SIZE", "4"},
                             {"MPI_LOCALRANKID", "0"},
                             {"MPI_LOCALNRANKS", "2"},
                             {"MASTER_ADDR", "a"}})
                           .value();
  EXPECT_EQ(mpich.rank, 1);
  EXPECT_EQ(mpich.ranks, 4);
  EXPECT_EQ(mpich.local_rank, 0);
}

TEST(LaunchTest, TheInnermostLauncherCounts) {
  // torchrun and mpirun, started by srun once a node.
  const Variables on_each_node =
      With(kStep, {{"SLURM_STEP_NUM_TASKS", "2"}, {"SLURM_PROCID", "1"}});
  EXPECT_EQ(Find(With(on_each_node, kTorchrun))->ranks, 4);
  EXPECT_EQ(Find(With(on_each_node, kOpenMpi))->ranks, 2);
  EXPECT_EQ(Find(With(on_each_node, kOpenMpi))->rank, 1);
}

// With its plug-in for PMI.
TEST(LaunchTest, SrunMaySetMpichsVariablesToo) {
  const Launch launch = Find(With(kStep, {{"PMI_RANK", "5"}, {"PMI_SIZE", "8"}})).value();
  EXPECT_EQ(launch.rank, 5);
  EXPECT_EQ(launch.local_rank, 1);
  EXPECT_EQ(launch.address, "gpu03");
  EXPECT_EQ(launch.port, 12009);
}

TEST(LaunchTest, PartsAreOneError) {
  EXPECT_THAT(ErrorOf({{"RANK", "1"}}),
              AllOf(HasSubstr("RANK is set"), HasSubstr("WORLD_SIZE is not")));
  EXPECT_THAT(ErrorOf({{"WORLD_SIZE", "2"}}), HasSubstr("RANK is not"));
  EXPECT_THAT(ErrorOf({{"SLURM_STEP_NUM_TASKS", "2"}}), HasSubstr("SLURM_PROCID is not"));
  EXPECT_THAT(
      ErrorOf({{"RANK", "1"}, {"WORLD_SIZE", "2"}}),
      AllOf(HasSubstr("no MASTER_ADDR and no MASTER_PORT"), HasSubstr("where rank 0 runs")));
  // mpirun over two hosts.
  EXPECT_THAT(ErrorOf(With(kOpenMpi, {{"OMPI_COMM_WORLD_LOCAL_SIZE", "1"}})),
              HasSubstr("no MASTER_ADDR"));
  EXPECT_THAT(ErrorOf(With(kStep, {{"SLURM_JOB_ID", "x"}})), HasSubstr("set MASTER_PORT"));
}

TEST(LaunchTest, ContradictionsAreOneError) {
  EXPECT_THAT(ErrorOf(With(kTorchrun, {{"RANK", "4"}})),
              AllOf(HasSubstr("RANK=4"), HasSubstr("WORLD_SIZE=4")));
  EXPECT_THAT(ErrorOf(With(kTorchrun, {{"RANK", "one"}})),
              AllOf(HasSubstr("RANK=one"), HasSubstr("a whole number from 0")));
  EXPECT_THAT(ErrorOf(With(kTorchrun, {{"WORLD_SIZE", "0"}})), HasSubstr("WORLD_SIZE=0"));
  EXPECT_THAT(ErrorOf(With(kTorchrun, {{"LOCAL_RANK", "4"}})), HasSubstr("LOCAL_RANK=4"));
  EXPECT_THAT(ErrorOf(With(kTorchrun, {{"MASTER_PORT", "99999"}})), HasSubstr("MASTER_PORT=99999"));
  const Variables plain = {
      {"RANK", "0"}, {"WORLD_SIZE", "4"}, {"MASTER_ADDR", "a"}, {"MASTER_PORT", "1"}};
  EXPECT_THAT(ErrorOf(With(plain, kOpenMpi)),
              AllOf(HasSubstr("RANK=0, WORLD_SIZE=4"),
                    HasSubstr("OMPI_COMM_WORLD_RANK=1, OMPI_COMM_WORLD_SIZE=2"),
                    HasSubstr("unset one of the two")));
  EXPECT_TRUE(
      Find(With(plain, {{"OMPI_COMM_WORLD_RANK", "0"}, {"OMPI_COMM_WORLD_SIZE", "4"}})).ok());
}

TEST(FirstNodeTest, OfSlurmsLists) {
  EXPECT_EQ(FirstNode("gpu1"), "gpu1");
  EXPECT_EQ(FirstNode("gpu1,gpu2"), "gpu1");
  EXPECT_EQ(FirstNode("gpu[003,7]"), "gpu003");
  EXPECT_EQ(FirstNode("rack[1-2]node[4-5]x,other"), "rack1node4x");
  EXPECT_EQ(FirstNode("gpu[1"), "");
}

}  // namespace
}  // namespace spion

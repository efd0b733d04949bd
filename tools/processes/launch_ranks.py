"""Starts a program as several ranks on this host, which end together.

  python3 launch_ranks.py N PROGRAM [ARGUMENT ...]

Each is told its rank as torchrun would tell it, which these tables do without: they need Python's
standard library alone. The first signal that asks for an end is told to rank 0, which stops all of
them. Exit code: rank 0's, or the first that is not 0.
"""

import os
import signal
import socket
import sys
import time

import child
import signals

# The others of one that failed notice it themselves within this time.
_LONGEST_END_SECONDS = 60
_TICK_SECONDS = 0.1
# By which torchrun, mpirun and srun tell a process that it is one of several
# (spion/collective/launch.h).
_LAUNCHERS = {"RANK", "WORLD_SIZE", "TORCHELASTIC_USE_AGENT_STORE", "TORCHELASTIC_RESTART_COUNT",
              "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "PMI_RANK", "PMI_SIZE",
              "SLURM_STEP_NUM_TASKS"}


def environment_of_one():
    """This process's, for a program that is a run of its own, whatever this process was started as
    a part of."""
    return {name: value for name, value in os.environ.items() if name not in _LAUNCHERS}


def command(ranks):
    """The beginning of a command line that starts so many; of one that starts it alone: nothing."""
    return (sys.executable, __file__, str(ranks)) if ranks > 1 else ()


def _free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def _start(ranks, line):
    told = {"WORLD_SIZE": str(ranks), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(_free_port())}
    own = environment_of_one()
    # Locks that this process inherited are theirs, too.
    return [child.start(line, close_fds=False, env={
        **own, **told, "RANK": str(rank), "LOCAL_RANK": str(rank)}) for rank in range(ranks)]


class _StopRequest:
    """The first signal that asks for an end; further ones would not wait for the state."""

    def __init__(self):
        self.is_there = False
        for number in signals.STOP:
            signal.signal(number, self._note)

    def _note(self, *_):
        self.is_there = True


def _wait(processes, request):
    """Their exit codes."""
    kill_at, is_told = None, False
    while None in (codes := [process.poll() for process in processes]):
        if request.is_there and not is_told:
            is_told = True
            processes[0].send_signal(signal.SIGUSR1)
        if kill_at is None and any(codes):
            kill_at = time.monotonic() + _LONGEST_END_SECONDS
        if kill_at is not None and time.monotonic() > kill_at:
            for process in processes:
                process.kill()
        time.sleep(_TICK_SECONDS)
    return codes


def main(arguments):
    request = _StopRequest()
    codes = _wait(_start(int(arguments[0]), arguments[1:]), request)
    code = next((code for code in codes if code), 0)
    return 128 - code if code < 0 else code  # as a shell says


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

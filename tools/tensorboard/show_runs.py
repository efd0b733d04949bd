"""Shows runs in TensorBoard: losses, accuracies, step times, captures, patterns, attention maps.

  bazel run //tools:tensorboard -- --logdir results
  bazel run //tools:tensorboard -- --logdir results --convert_only

Writes event files into the folders of the runs in and below the log folder, starts TensorBoard, and
goes on writing while runs go on, until Ctrl-C. With --convert_only it only writes, and any
`tensorboard --logdir` shows the runs.
"""

import os
import pathlib
import signal
import subprocess
import sys
import time

import command_line
from convert import METRICS, convert, find_runs
from run_error import RunError

_INTERVAL_S = 2


def from_user_directory(path):
    """`path`, from where the user stands: bazel run starts programs elsewhere."""
    user = os.environ.get("BUILD_WORKING_DIRECTORY", os.getcwd())
    return pathlib.Path(os.path.normpath(os.path.join(user, path)))


def parse_arguments(arguments):
    parser = command_line.Parser(prog="tensorboard", description=__doc__)
    parser.add_argument("--logdir", metavar="DIR", default="results",
                        help="a run's folder, or one with runs below it (%(default)s)")
    parser.add_switch("convert_only",
                      help="write the event files and stop; a later call adds what is new")
    parser.add_argument("--port", metavar="N", type=int, default=6006,
                        help="of TensorBoard; 0: any that is free (%(default)s)")
    return parser.parse_args(arguments)


def convert_all(folder):
    """Returns how many runs there are and how many lines were new."""
    runs = find_runs(folder)
    return len(runs), sum(convert(run) for run in runs)


def serve(folder, port):
    """Until TensorBoard ends; returns its exit code."""
    command = [sys.executable, "-m", "tensorboard.main", f"--logdir={folder}", f"--port={port}"]
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path))
    with subprocess.Popen(command, env=environment) as server:
        try:
            while server.poll() is None:
                time.sleep(_INTERVAL_S)
                convert_all(folder)
            return server.returncode
        finally:
            server.terminate()


def main():
    options = parse_arguments(sys.argv[1:])
    folder = from_user_directory(options.logdir)
    try:
        runs, lines = convert_all(folder)
        if not runs:
            sys.exit(f"error: {folder}: no run in it: no folder with {METRICS}; --logdir must name "
                     "one where experiments put their results")
        print(f"runs: {runs}, new lines of {METRICS}: {lines}", flush=True)
        if not options.convert_only:
            sys.exit(serve(folder, options.port))
        print(f"tensorboard --logdir {folder}")
    except (RunError, OSError) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    # A batch system's way to stop a job.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    main()

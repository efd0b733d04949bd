"""Shows runs in TensorBoard: losses, accuracies, step times, captures, patterns, attention maps.

  bazel run //tools:tensorboard -- --logdir results
  bazel run //tools:tensorboard -- --logdir results --convert_only

Writes event files into the folders of the runs in and below the log folder, starts TensorBoard, and
goes on writing while runs go on, until Ctrl-C. With --convert_only it only writes, and any
`tensorboard --logdir` shows the runs. A run with a damaged line is shown up to it; the line is
named, and the exit code of --convert_only is 1.
"""

import os
import signal
import subprocess
import sys
import time

import command_line
from convert import METRICS, convert, find_runs

_INTERVAL_S = 2


def parse_arguments(arguments):
    parser = command_line.Parser(prog="tensorboard", description=__doc__)
    parser.add_argument("--logdir", action="path", metavar="DIR", default="results",
                        help="a run's folder, or one with runs below it (%(default)s)")
    parser.add_switch("convert_only",
                      help="write the event files and stop; a later call adds what is new")
    parser.add_argument("--port", metavar="N", type=int, default=6006,
                        help="of TensorBoard; 0: any that is free (%(default)s)")
    return parser.parse_args(arguments)


class Converter:
    """Converts the runs in and below a folder, each as far as it can be: what is wrong with one
    does not keep the others back, and is said once."""

    def __init__(self, folder):
        self.folder = folder
        self.errors = []

    def convert(self):
        """Returns how many runs there are and how many lines were new."""
        runs, lines = find_runs(self.folder), 0
        for run in runs:
            try:
                written, error = convert(run)
            except OSError as caught:
                written, error = 0, caught
            lines += written
            if error is not None and str(error) not in self.errors:
                self.errors.append(str(error))
                print(f"error: {error}", file=sys.stderr, flush=True)
        return len(runs), lines


def serve(converter, port):
    """Until TensorBoard ends; returns its exit code."""
    command = [sys.executable, "-m", "tensorboard.main", f"--logdir={converter.folder}",
               f"--port={port}"]
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path))
    with subprocess.Popen(command, env=environment) as server:
        try:
            while server.poll() is None:
                time.sleep(_INTERVAL_S)
                converter.convert()
            return server.returncode
        finally:
            server.terminate()


def main():
    options = parse_arguments(sys.argv[1:])
    converter = Converter(command_line.user_path(options.logdir))
    try:
        runs, lines = converter.convert()
        if not runs:
            sys.exit(f"error: {converter.folder}: no run in it: no folder with {METRICS}; --logdir "
                     "must name one where experiments put their results")
        print(f"runs: {runs}, new lines of {METRICS}: {lines}", flush=True)
        if not options.convert_only:
            sys.exit(serve(converter, options.port))
        print(f"tensorboard --logdir {converter.folder}")
        sys.exit(1 if converter.errors else 0)
    except OSError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    # A batch system's way to stop a job.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    main()

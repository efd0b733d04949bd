"""Says which data sets are there, and fetches them.

  bazel run //tools:data -- check DIR [TASK ...]
  bazel run //tools:data -- fetch TASK --out=DIR

check loads what is in DIR with the experiments' own loaders and prints for each task its source,
splits and sha256, or what is missing and where its owner gives it. fetch downloads and unpacks into
the layout that the loaders read.
"""

import os
import pathlib
import signal
import sys

import command_line
import download
import fetch
import sources
from errors import FetchError


def parse_arguments(arguments):
    parser = command_line.Parser(prog="data", description=__doc__)
    tasks = sorted({*sources.SOURCES, *sources.GENERATED})
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser(
        "check", help="what is in a data folder",
        description="Exit code 0: all that is there is sound. 1: something is damaged or "
        "incomplete, or DIR is not there.")
    check.add_argument("dir", metavar="DIR", help="the folder that --data_dir of a run is to name")
    # With a default, as argparse otherwise names it where DIR is missing.
    check.add_argument("tasks", metavar="TASK", nargs="*", default=[],
                       help="only these (default: all)")
    get = commands.add_parser(
        "fetch", help="download a task's data",
        description="Goes on where an earlier fetch was interrupted. An archive that lies in DIR "
        "is unpacked without a download. Exit code 0: the files are in place.")
    get.add_argument("task", metavar="TASK", type=command_line.name_of(tasks),
                     help=f"one of {', '.join(tasks)}")
    get.add_argument("--out", action="path", metavar="DIR", required=True,
                     help="the data folder; made if need be")
    get.add_argument("--url", help="of the archive, instead of its owner's address")
    get.add_argument("--md5", help="of the archive, instead of the published one")
    get.add_argument("--attempts", type=int, default=download.ATTEMPTS,
                     help="in a row without a byte more, before giving up (%(default)s)")
    get.add_argument("--wait_s", type=float, default=download.WAIT_S,
                     help="before the second attempt, doubled for each further one (%(default)s)")
    get.add_argument("--timeout_s", type=float, default=download.TIMEOUT_S,
                     help="of a silent connection (%(default)s)")
    return parser.parse_args(arguments)


def run_check(folder, tasks):
    """Hands over to the C++ program beside this file, which has the loaders, with the names of the
    tasks that fetch has."""
    program = pathlib.Path(__file__).parent / "check"
    sys.stdout.flush()
    os.execv(program, [str(program), f"--fetched={','.join(sources.SOURCES)}", str(folder), *tasks])


def interrupt(*_):
    raise KeyboardInterrupt


def main():
    options = parse_arguments(sys.argv[1:])
    if options.command == "check":
        run_check(command_line.user_path(options.dir), options.tasks)
    signal.signal(signal.SIGTERM, interrupt)
    out = command_line.user_path(options.out)
    try:
        print(fetch.fetch(options.task, out, options.url, options.md5, options.attempts,
                          options.wait_s, options.timeout_s))
        print(f"check it: bazel run //tools:data -- check {out} {options.task}")
    except (FetchError, OSError) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from there", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()

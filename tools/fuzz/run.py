"""Runs the fuzzers of the readers of files and command lines: clang's libFuzzer with
AddressSanitizer and UndefinedBehaviorSanitizer, in little memory.

  bazel run //tools/fuzz -- --minutes=N [--names=png,tar] [--without=checkpoint] [--jobs=2]

Prints a line for each. What makes one fail lies in tools/fuzz/found/NAME/: mend the reader and
commit the file, which is a test case of //tools/fuzz:NAME_test from then on. Corpora are kept in
the cache folder, and so is the build.

Exit code 0: nothing was found. 1: something was. 2: a wrong flag. 3: there is no clang with libFuzzer.
"""

import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import command_line

ROOT = pathlib.Path(os.environ.get("BUILD_WORKSPACE_DIRECTORY")
                    or pathlib.Path(__file__).resolve().parents[2])
FOLDER = ROOT / "tools" / "fuzz"
NAMES = sorted(path.name for path in (FOLDER / "seeds").iterdir())
# LibTorch alone, which is not built with the sanitizers, has hundreds of megabytes.
MEMORY_MB = {"checkpoint": 1024, "training_state": 1024}
DEFAULT_MEMORY_MB = 256
# A small quarantine of freed memory: it would be most of what is counted, and would push all else
# out of the caches. An input frees less.
SANITIZER_OPTIONS = {"ASAN_OPTIONS": "quarantine_size_mb=1:detect_odr_violation=0",
                     "UBSAN_OPTIONS": "print_stacktrace=1"}
NO_COMPILER = 3  # exit code


def parse_arguments(arguments):
    parser = command_line.Parser(prog="fuzz", description=__doc__)
    parser.add_argument("--minutes", type=command_line.positive, default=1.0,
                        help="for each (%(default)g)")
    parser.add_argument("--runs", type=int, default=-1, help="for each at most (no limit)")
    parser.add_argument("--names", type=command_line.names_of(NAMES), default=tuple(NAMES),
                        help=f"some of {', '.join(NAMES)} (all)")
    parser.add_argument("--without", type=command_line.names_of(NAMES), default=(),
                        help="but not these")
    parser.add_argument("--jobs", type=int, default=2, help="at a time (%(default)d)")
    options = parser.parse_args(arguments)
    options.names = [name for name in options.names if name not in options.without]
    return options


def has_compiler():
    program = "int LLVMFuzzerTestOneInput(const char* data, unsigned long size) { return 0; }"
    try:
        return subprocess.run(["clang", "-x", "c", "-fsanitize=fuzzer,address", "-", "-o",
                               "/dev/null"], input=program, text=True, stderr=subprocess.DEVNULL,
                              check=False).returncode == 0
    except OSError:
        return False


def cache_folder():
    """That of tools/bazel."""
    caches = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    folder = os.environ.get("SPION_CACHE_DIR") or pathlib.Path(caches) / "spion"
    return pathlib.Path(folder) / "fuzz"


def build(names):
    """Returns the folder of the programs."""
    # clang is another toolchain: in an output base of its own it does not undo other builds.
    bazel = [str(ROOT / "tools" / "bazel"), f"--output_base={cache_folder() / 'build'}"]
    targets = [f"//tools/fuzz:{name}" for name in names]
    subprocess.run([*bazel, "build", "--config=fuzz", "--symlink_prefix=/", "--noshow_progress",
                    "--ui_event_filters=-info,-stdout", *targets], cwd=ROOT, check=True)
    where = subprocess.run([*bazel, "info", "--config=fuzz", "bazel-bin"], cwd=ROOT, check=True,
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return pathlib.Path(where.stdout.strip()) / "tools" / "fuzz"


def fuzz(program, scratch, options):
    """Returns whether nothing was found, and a line about it."""
    name = program.name
    corpus, found = cache_folder() / "corpus" / name, FOLDER / "found" / name
    corpus.mkdir(parents=True, exist_ok=True)
    found.mkdir(parents=True, exist_ok=True)
    command = [program, f"-max_total_time={max(1, round(60 * options.minutes))}",
               f"-runs={options.runs}", f"-rss_limit_mb={MEMORY_MB.get(name, DEFAULT_MEMORY_MB)}",
               "-timeout=10", "-print_final_stats=1", f"-artifact_prefix={found}/", corpus,
               FOLDER / "seeds" / name, found]
    with open(scratch / f"{name}.log", "w+", encoding="utf-8", errors="replace") as log:
        status = subprocess.run(command, stdout=log, stderr=log, check=False, cwd=scratch,
                                env={**os.environ, **SANITIZER_OPTIONS, "TMPDIR": str(scratch)})
        log.seek(0)
        text = log.read()
    if not any(found.iterdir()):
        found.rmdir()
    runs = re.search(r"^stat::number_of_executed_units: (\d+)", text, re.MULTILINE)
    line = f"{name}: {int(runs[1]) if runs else 0:,} runs"
    if status.returncode == 0:
        return True, f"{line}, nothing found"
    return False, f"{text}\n{line}, FAILED; see above and {found.relative_to(ROOT)}"


def main():
    options = parse_arguments(sys.argv[1:])
    if not has_compiler():
        print("error: there is no clang with libFuzzer: apt-get install clang libclang-rt-dev (on "
              "Debian 12, libclang-rt-14-dev)", file=sys.stderr)
        sys.exit(NO_COMPILER)
    try:
        programs = build(options.names)
    except subprocess.CalledProcessError as error:
        sys.exit(f"error: the fuzzers could not be built (exit code {error.returncode})")
    shared_memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="fuzz_", dir=shared_memory) as scratch, \
            concurrent.futures.ThreadPoolExecutor(max(1, options.jobs)) as pool:
        running = [pool.submit(fuzz, programs / name, pathlib.Path(scratch), options)
                   for name in options.names]
        results = []
        for each in concurrent.futures.as_completed(running):
            results.append(each.result())
            print(results[-1][1], flush=True)
    sys.exit(0 if all(good for good, _ in results) else 1)


if __name__ == "__main__":
    main()

"""Says which benchmarks changed between two runs.

    bazel run //benchmarks:sparse_attention -- --benchmark_out=before.json
    bazel run //benchmarks:compare -- before.json after.json

For each benchmark: the medians, their ratio (above 1: the second run is slower), the interval that
the repetitions leave for it, p of a two-sided Mann-Whitney U test over them, and a verdict:

    faster, slower    p is not above --alpha
    no difference     the interval is within --tolerance of 1
    undecided         the noise leaves room for more than that: repeat on a quiet machine

Exits with 0; 1 with --fail_on_regression if a benchmark became slower, has too few repetitions to
tell, an error in AFTER or is only in BEFORE; 2 if the files cannot be compared.
"""

import sys

import command_line
import mann_whitney
import results

FASTER = "faster"
SLOWER = "slower"
SAME = "no difference"
UNDECIDED = "undecided"
TOO_FEW = "too few repetitions"
# Context entries that must agree for times to be comparable.
_MACHINE = ("gpu", "cpu", "l2_cache")


def verdict(before, after, alpha, tolerance):
    """(interval of the ratio, p, verdict) of two lists of times; None of what so few do not tell."""
    if mann_whitney.smallest_p(len(before), len(after)) > alpha:
        return None, None, f"{TOO_FEW} ({len(before)} and {len(after)})"
    p = mann_whitney.p_value(before, after)
    low, high = mann_whitney.ratio_interval(before, after, alpha)
    if p > alpha:
        is_near = 1 - tolerance <= low and high <= 1 + tolerance
        return (low, high), p, SAME if is_near else UNDECIDED
    # The side that the ranks favour: medians can tie where the ranks don't.
    pairs = len(before) * len(after)
    is_faster = mann_whitney.u_statistic(before, after) > pairs / 2
    return (low, high), p, FASTER if is_faster else SLOWER


def time_text(seconds):
    for unit, factor in (("s", 1), ("ms", 1e3), ("us", 1e6)):
        if seconds * factor >= 1:
            break
    return f"{seconds * factor:.4g} {unit}"


def _row(name, before, after, alpha, tolerance):
    times = [time_text(b.median) if b and b.seconds else "-" for b in (before, after)]
    if before is None or after is None:
        return [name, *times, "-", "-", "-", "only in " + ("AFTER" if before is None else "BEFORE")]
    if before.error or after.error:
        where = [side for side, b in (("BEFORE", before), ("AFTER", after)) if b.error]
        return [name, *times, "-", "-", "-", "error in " + " and ".join(where)]
    interval, p, text = verdict(before.seconds, after.seconds, alpha, tolerance)
    ratio = f"{after.median / before.median:.3f}"
    between = "-" if interval is None else f"{interval[0]:.3f} to {interval[1]:.3f}"
    return [name, *times, ratio, between, "-" if p is None else f"{p:.4f}", text]


def compare(before, after, alpha, tolerance):
    """Rows of text: name, median before, median after, ratio, its interval, p, verdict."""
    names = list(before.benchmarks)
    names += [name for name in after.benchmarks if name not in before.benchmarks]
    return [
        _row(name, before.benchmarks.get(name), after.benchmarks.get(name), alpha, tolerance)
        for name in names
    ]


def warnings(before, after):
    for key in _MACHINE:
        first, second = before.context.get(key), after.context.get(key)
        if first != second:
            yield f"warning: {key} is {first} in {before.path} and {second} in {after.path}"


def regressions(before, after, rows):
    """What --fail_on_regression fails for, in words: `<what>: <benchmarks>`."""
    for what, names in (
        ("slower", [row[0] for row in rows if row[-1] == SLOWER]),
        (TOO_FEW, [row[0] for row in rows if row[-1].startswith(TOO_FEW)]),
        ("error in AFTER", [name for name, b in after.benchmarks.items() if b.error]),
        ("only in BEFORE", [name for name in before.benchmarks if name not in after.benchmarks]),
    ):
        if names:
            yield f"{what}: {', '.join(names)}"


def print_table(rows):
    header = ["benchmark", "before", "after", "after/before", "between", "p", "verdict"]
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    for row in [header, *rows]:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:-1], widths[1:-1])]
        print("  ".join(cells + [row[-1]]))


def main(arguments):
    parser = command_line.Parser(prog="compare", description=__doc__)
    parser.add_argument("before", metavar="BEFORE.json")
    parser.add_argument("after", metavar="AFTER.json")
    parser.add_argument("--alpha", type=float, default=0.05,
                        help="a difference counts if p is not above this (default 0.05)")
    parser.add_argument("--tolerance", type=float, default=0.05,
                        help="so far from 1 a ratio is no difference (default 0.05)")
    parser.add_switch("fail_on_regression", help="exit with 1 if a benchmark became slower, has too few "
                      "repetitions to tell, an error in AFTER or is only in BEFORE")
    options = parser.parse_args(arguments)
    if not 0 < options.alpha < 1:
        parser.error(f"--alpha={options.alpha} must lie between 0 and 1")
    if not 0 <= options.tolerance < 1:
        parser.error(f"--tolerance={options.tolerance} must lie between 0 and 1")

    try:
        before, after = (results.read_results(command_line.user_path(path))
                         for path in (options.before, options.after))
    except results.BadInput as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if not set(before.benchmarks) & set(after.benchmarks):
        print(f"error: {before.path} and {after.path} have no benchmark in common",
              file=sys.stderr)
        return 2
    for warning in warnings(before, after):
        print(warning, file=sys.stderr)
    rows = compare(before, after, options.alpha, options.tolerance)
    print_table(rows)
    failures = list(regressions(before, after, rows)) if options.fail_on_regression else []
    for failure in failures:
        print(f"error: --fail_on_regression: {failure}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    command_line.end(main)

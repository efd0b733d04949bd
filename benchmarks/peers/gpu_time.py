"""The GPU's time and memory for what a function launches."""

import gc
import statistics

import torch

REPETITIONS = 9
SECONDS_A_REPETITION = 0.02
MOST_REPLAYS = 2000
# Launched ahead while the GPU spins for about half a millisecond, so that the time between two
# events is the GPU's and not the launch's.
IN_FLIGHT = 20
HEAD_START_CYCLES = 1_000_000


def one_line(error):
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:300]}"


def capture(run):
    """`run` as a CUDA graph, after a few runs on a stream of their own."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            run()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        results = run()  # kept while the graph is: their memory is the graph's
    graph.results = results
    return graph


def gpu_seconds(enqueue, count):
    """The GPU's seconds for each of `count` times what `enqueue` launches."""
    enqueue()
    seconds = []
    while len(seconds) < count:
        events = [[torch.cuda.Event(enable_timing=True) for _ in range(2)]
                  for _ in range(min(IN_FLIGHT, count - len(seconds)))]
        torch.cuda._sleep(HEAD_START_CYCLES)
        for start, end in events:
            start.record()
            enqueue()
            end.record()
        torch.cuda.synchronize()
        seconds += [start.elapsed_time(end) * 1e-3 for start, end in events]
    return seconds


def peak_bytes(run):
    """The most memory that one run holds beyond what is there before it."""
    run()
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    run()
    torch.cuda.synchronize()
    return torch.cuda.max_memory_allocated() - before


def measure(run):
    """(seconds of each repetition, peak bytes, why no CUDA graph was replayed, or "").

    Each repetition is the median of its replays, of plain launches where `run` cannot be captured.
    """
    peak = peak_bytes(run)
    gc.collect()
    torch.cuda.empty_cache()
    why_plain, enqueue = "", run
    try:
        enqueue = capture(run).replay
    except Exception as error:
        torch.cuda.synchronize()
        why_plain = one_line(error)
    one = statistics.median(gpu_seconds(enqueue, 3))
    replays = max(1, min(MOST_REPLAYS, round(SECONDS_A_REPETITION / one)))
    return [statistics.median(gpu_seconds(enqueue, replays))
            for _ in range(REPETITIONS)], peak, why_plain


def copy_bandwidth():
    """Bytes read plus bytes written a second by a copy of 1 GiB."""
    source = torch.zeros(2**30, dtype=torch.uint8, device="cuda")
    target = torch.empty_like(source)
    return 2 * 2**30 / statistics.median(gpu_seconds(lambda: target.copy_(source), 20))

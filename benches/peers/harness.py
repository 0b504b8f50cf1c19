"""What torch_models.py and jax_models.py share: arguments, timing, and the line of JSON that `compare` prints, too."""

import argparse
import ctypes
import json
import os
import statistics
import sys
import time


def arguments(workloads, modes):
    """Reads the command line, and prepares the process before a framework makes its threads."""
    parser = argparse.ArgumentParser()
    parser.add_argument("workload", choices=workloads)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--mode", choices=modes, default=modes[0])
    parser.add_argument("--variant", help="only this one; by default all are tried and the fastest is measured")
    parser.add_argument("--quick", action="store_true", help="three steps: the numbers mean nothing")
    args = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        # XLA makes as many threads as the process has CPUs.
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: args.threads])
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = str(args.threads)
    try:
        # Freed memory is kept, as other allocators do: without that, steps lose much time to page faults.
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(-4, 0)  # M_MMAP_MAX
        libc.mallopt(-1, 2**31 - 1)  # M_TRIM_THRESHOLD
        libc.mallopt(-2, 64 << 20)  # M_TOP_PAD
    except OSError:
        pass
    return args


def timed(step, least, least_seconds, longest, most):
    """The median and the minimum in microseconds, and how many steps were timed."""
    for _ in range(min(5, most)):
        step()
    times, start = [], time.perf_counter()
    while len(times) < most:
        begin = time.perf_counter_ns()
        step()
        times.append((time.perf_counter_ns() - begin) / 1e3)
        elapsed = time.perf_counter() - start
        if (len(times) >= least and elapsed >= least_seconds) or (len(times) >= min(7, least) and elapsed >= longest):
            break
    return statistics.median(times), min(times), len(times)


def peak_rss_mb():
    try:
        with open("/proc/self/status") as status:
            return next(round(int(line.split()[1]) / 1024, 1) for line in status if line.startswith("VmHWM:"))
    except OSError:
        return None


def race(args, peer, variants, most):
    """Measures the fastest of the variants, each a function that gives a step; `most` is how many steps make sense."""
    if args.variant:
        variants = {args.variant: variants[args.variant]}
    trials, failed = {}, []
    if len(variants) > 1 and not args.quick:
        for name, build in variants.items():
            try:
                trials[name] = timed(build(), 15, 0.2, 1.0, 200)[0]
            except Exception as error:
                failed.append(name)
                print(f"{name} failed: {error}", file=sys.stderr)
    best = min(trials, key=trials.get) if trials else next(iter(variants))
    effort = (3, 0, 0, 3) if args.quick else (50, 0.5, 3.0, most)
    median, least, steps = timed(variants[best](), *effort)
    note = f"variant={best}"
    if trials:
        note += " trials_us=" + ",".join(f"{name}:{micros:.0f}" for name, micros in trials.items())
    if failed:
        note += " failed=" + ",".join(failed)
    line = {"peer": peer, "workload": args.workload, "threads": args.threads, "median_us": round(median, 3)}
    line |= {"min_us": round(least, 3), "peak_rss_mb": peak_rss_mb(), "steps": steps}
    print(json.dumps(line | {"note": ("QUICK; " if args.quick else "") + note}), flush=True)

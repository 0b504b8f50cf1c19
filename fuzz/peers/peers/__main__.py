"""`python -m peers KIND --from SEED --count N`: draws cases, asks PyTorch and this library, says where they differ."""

import argparse
import copy
import signal
import sys
import warnings

import torch

from . import cases, compare, layers, optimisers, solvers, whole
from .program import Refused
from .report import Report
from .wire import Rust

BATCH = 200


def programs(draw, seeds, only, report):
    """The cases of all seeds that PyTorch takes."""
    for seed in seeds:
        try:
            name, program = draw(seed, only)
            reference = program.reference()
            yield name, seed, program, reference
            if getattr(program, "both", False):
                double = copy.copy(program)
                double.type = "f64"
                yield name, seed, double, reference
        except (Refused, RuntimeError, IndexError, ValueError, NotImplementedError) as cause:
            report.refuse(only[0] if only and len(only) == 1 else str(cause).split("\n")[0][:50])


def compared(draw, options, report):
    rust, batch = Rust(), []

    def flush():
        for (name, seed, program, reference), answer in zip(batch, rust.ask([b[2].case() for b in batch])):
            report.add(name, seed, str(program), compare.differences(program, reference, answer))
        batch.clear()

    for case in programs(draw, range(options.first, options.first + options.count), options.only, report):
        batch.append(case)
        if len(batch) == BATCH:
            flush()
    flush()


def shown(case, reference):
    """All numbers of one case, of both sides."""
    print(case)
    for i, x in enumerate(case.inputs):
        print(f"input {i}: {x.tolist()} along {case.direction[i].tolist()}")
    print("weights", case.weights.tolist())
    [answer] = Rust().ask([case.case()])
    theirs = compare.joined(reference)
    ours = {} if "panic" in answer else compare.answered(answer, [x.requires_grad for x in case.inputs])
    for field, numbers in theirs.items():
        print(f"{field}\n  there {numbers.tolist()}\n  here  {ours[field].tolist() if field in ours else answer}")


def layer(seed, only):
    case = layers.LayerCase(seed, only)
    return case.name, case


def trajectory(seed, only):
    case = optimisers.Trajectory(seed)
    return case.rule, case


def judged(draw, options, report):
    """Cases that are judged by themselves."""
    rust = Rust()
    for first in range(options.first, options.first + options.count, BATCH):
        drawn = [draw(seed, options.only) for seed in range(first, min(first + BATCH, options.first + options.count))]
        for seed, (case, answer) in enumerate(zip(drawn, rust.ask([c.case() for c in drawn])), first):
            report.add(case.name, seed, str(case), case.differences(answer))


JUDGED = {"solver": solvers.Minimisation, "whole": whole.Whole}
DRAWN = {"single": cases.single, "far": cases.far, "chain": cases.chain, "jax": cases.by_jax, "layer": layer, "optimiser": trajectory}


def main():
    parser = argparse.ArgumentParser(prog="peers")
    parser.add_argument("kind", choices=[*DRAWN, *JUDGED])
    parser.add_argument("--from", dest="first", type=int, default=0, help="the first seed")
    parser.add_argument("--count", type=int, default=1000, help="how many seeds")
    parser.add_argument("--only", nargs="*", help="names of operations or layers")
    parser.add_argument("--show", action="store_true", help="show all numbers of the first seed")
    parser.add_argument("--report", help="a file to add lines of JSON to")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    report = Report(options.report, options.kind)
    if options.show:
        for _, _, case, reference in programs(DRAWN[options.kind], [options.first], options.only, report):
            shown(case, reference)
        return
    # Whoever ends it early is told of what there was.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(2))
    try:
        if options.kind in JUDGED:
            judged(JUDGED[options.kind], options, report)
        else:
            compared(DRAWN[options.kind], options, report)
    finally:
        report.end()
    sys.exit(report.counts["different"] > 0)


main()

"""Cases by seed: single operations, and chains of them."""

import numpy
import torch

from .draw import Draw
from .ops import TABLE
from .program import Refused

NAMES = sorted(TABLE)
WEIGHTS = [TABLE[n].weight for n in NAMES]
# What is drawn with rules of its own about equal numbers stands alone.
ALONE = {"unique", "unique_consecutive", "searchsorted", "bucketize", "is_in", "histc", "median", "nanmedian", "kthvalue",
         "mode", "topk", "argsort", "argmax", "argmin", "equal", "not_equal", "quantiles", "nanquantiles"}


def finished(d, outputs):
    d.program.outputs = outputs
    if not d.program.inputs:
        raise Refused("no inputs")
    d.program.finish(d.numpy)
    return d.program


def single(seed, only=None, few_shapes=False):
    """One operation, named first, on operands of one flavour."""
    d = Draw(f"single {seed}", few_shapes=few_shapes)
    name = d.choice(only) if only else d.random.choices(NAMES, WEIGHTS)[0]
    entry = TABLE[name]
    # Numbers that `f32` has, too, are tried in both types.
    d.program.both = d.chance(0.4)
    d.program.type = "f32" if d.program.both else "f64"
    flavour = d.choice(["ordinary", "ordinary", *entry.flavours])
    d.program.flavour = flavour
    d.program.elementwise = entry.elementwise
    d.program.replay = True
    return name, finished(d, entry.draw(d))


def far(seed, only=None):
    """One operation in single precision on numbers far from 1, all of one magnitude, whose squares have left the range."""
    d = Draw(f"far {seed}")
    name = d.choice(only) if only else d.random.choices(NAMES, WEIGHTS)[0]
    d.program.type, d.program.flavour = "f32", "far"
    d.unit = 10.0 ** d.choice([-30, -25, -20, 20, 25, 30])
    program = finished(d, TABLE[name].draw(d))
    if any(r.is_floating_point() and not bool((r.abs() < 2.0**120).all()) for r in program.results):
        raise Refused("a result on the way that leaves the range")
    return name, program


def chain(seed, only=None, few_shapes=False):
    """Some three to twelve operations, whose operands are mostly earlier results; all that nobody took comes out."""
    d = Draw(f"chain {seed}", True, few_shapes)
    d.pool = []
    d.program.replay = True
    d.program.type = "f32" if d.chance(0.2) else "f64"
    names = [n for n in (only or NAMES) if n not in ALONE]
    weights = [TABLE[n].weight for n in names]
    wanted = d.int(3, 12)
    made, tries = [], 0
    while len(made) < wanted and tries < 40:
        tries += 1
        before = len(d.program.steps), len(d.program.results), len(d.program.inputs), list(d.pool)
        name = d.random.choices(names, weights)[0]
        try:
            TABLE[name].draw(d)
            made.append(name)
        except (Refused, RuntimeError, IndexError, ValueError):
            steps, values, inputs, d.pool = before
            del d.program.steps[steps:], d.program.results[values:], d.program.inputs[inputs:]
    taken = {i for s in d.program.steps for i in s.operands}
    last = [i for i in (("result", n) for n in range(len(d.program.results))) if i not in taken]
    last = [i for i in last if d.at(i).is_floating_point()]
    if not last:
        raise Refused("no results")
    return "+".join(made[-2:]), finished(d, last)


def by_jax(seed, only=None):
    """By JAX, half of them chains, of the operations that it has."""
    # It takes its time to start.
    from . import jax_peer

    names = [n for n in (only or sorted(jax_peer.FUNCTIONS)) if n in jax_peer.FUNCTIONS]
    name, program = (chain if seed % 2 else single)(seed, names, True)
    if any(s.name == "softsign" for s in program.steps):
        # Its curvature jumps at 0, where JAX has that of one side and here is the mean.
        program.order = min(program.order, 1)
    if program.flavour == "special" and name == "logaddexp2":
        # JAX has a slope by the other number where one is infinite and the sum does not depend on it.
        program.order = 0
    program.__class__ = jax_peer.ByJax
    program.both = False
    return name, program

"""Whether an answer is what the reference says, as far as rounding lets one tell.

A difference that is more than a few roundings of the number itself is held against the case's own condition: the reference is
computed again with inputs and all that is computed of them off by one rounding, some times over, and how far it moves is the
noise. Answers in single precision are held against a reference in double precision, on the same inputs.
"""

from dataclasses import dataclass

import numpy

from .program import EPSILON
from .wire import numbers

# What is said of both: a case whose result is NaN has no derivatives that could be compared, and where PyTorch's derivative is NaN
# and here is a number, the number is held against limits and differences by the tests of the tape.

# Roundings of the number itself that are always allowed, and of the largest number where results are mixed, below which nothing
# is looked at; the factor on the noise, and how often it is looked at.
ROUNDINGS, MIXED, FACTOR, SHAKES = 24, 8, 40, 6
# What is no vector of numbers.
WORDS = ("shapes", "replay", "order of buffers")
LEAST = {"f64": 64 * 5e-324, "f32": 64 * 1.5e-45}
LARGEST = {"f64": numpy.finfo(numpy.float64).max, "f32": float(numpy.finfo(numpy.float32).max)}


@dataclass
class Difference:
    field: str
    ours: float
    theirs: float
    allowed: float
    # Of all numbers that differ, how many; and what kind of difference it is.
    count: int
    kind: str

    def __str__(self):
        return f"{self.field}: {self.ours!r} here, {self.theirs!r} there ({self.count}×, allowed {self.allowed:.1e}, {self.kind})"


@dataclass
class Said:
    """A difference in words."""

    text: str
    field: str = "solution"

    @property
    def kind(self):
        return self.text.split(":")[0].split(" by ")[0][:40]

    def __str__(self):
        return self.text


# What is the Hessian product, too: in the other order, and with a checkpoint.
SAME = ("vhp", "checkpointed")


def joined(found):
    """One vector for each field; fields that are missing are left out."""
    found = ({k: found["hvp"] for k in SAME} if "hvp" in found else {}) | found
    flat = lambda arrays: numpy.concatenate([numpy.reshape(a, -1) for a in arrays]) if arrays else numpy.zeros(0)
    return {k: flat(v) if isinstance(v, list) else numpy.reshape(v, -1) for k, v in found.items()}


def answered(answer, wanted):
    """The numbers; of the inputs those of which derivatives are wanted."""
    answer = {k: v for k, v in answer.items() if k not in WORDS}
    some = lambda texts: [numbers(t) for t, is_wanted in zip(texts, wanted) if is_wanted]
    return joined({k: some(v) if isinstance(v, list) else numbers(v) for k, v in answer.items()})


def wrong(ours, theirs, allowed, type):
    """Which numbers differ by more than is allowed."""
    with numpy.errstate(all="ignore"):
        same = (ours == theirs) | (numpy.isnan(ours) & numpy.isnan(theirs))
        # Beyond the largest number there is infinity.
        beyond = numpy.isinf(ours) & (numpy.abs(theirs) > LARGEST[type] * (1 - 2**-20)) & (ours * theirs > 0)
        near = numpy.abs(ours - theirs) <= allowed
    return ~(same | beyond | near)


def differences(program, reference, answer, again=None):
    """All fields in which the answer is not the reference's."""
    again = again or program.again
    if "panic" in answer:
        return [Difference("panic", answer["panic"], "an answer", 0, 1, "panic")]
    # As many numbers in another shape are no answer.
    wanted = getattr(program, "result_shapes", None)
    if answer.get("shapes") != wanted:
        return [Difference("shapes", answer.get("shapes"), wanted, 0, 1, "shape")]
    if answer.get("replay"):
        return [Difference("replay", answer["replay"], "the same bits", 0, 1, "replay")]
    ours, theirs = answered(answer, [x.requires_grad for x in program.inputs]), joined(reference)
    if not hasattr(program, "steps"):
        theirs.pop("checkpointed", None)
    flavour = getattr(program, "flavour", "ordinary")
    far = flavour == "far"
    if far:
        # What is beyond the range of the type is not asked for, nor what sums of parts with both signs may leave it for on the way.
        theirs = {k: v for k, v in theirs.items() if numpy.max(numpy.abs(v), initial=0) < LARGEST["f32"] / 64}
        if "value" not in theirs:
            return []
    epsilon = EPSILON[program.type] * 2
    with numpy.errstate(all="ignore"):
        allowed = {k: ROUNDINGS * epsilon * numpy.abs(v) + LEAST[program.type] for k, v in theirs.items()}
        for k, v in allowed.items():
            v[~numpy.isfinite(v)] = 0
        # Derivatives, and all that is mixed of many numbers, are rounded where they are large.
        scale = max((numpy.max(numpy.abs(v[numpy.isfinite(v)]), initial=0) for v in theirs.values()), default=0)
        for k, v in allowed.items():
            if k != "value" or not getattr(program, "elementwise", False):
                v += getattr(program, "mixed", MIXED) * epsilon * scale
    if numpy.isnan(theirs["value"]).any():
        theirs = {"value": theirs["value"]}
    found = []
    for k in theirs:
        if k not in ours:
            return [Difference(k, "nothing", "numbers", 0, 1, "missing")]
        if ours[k].shape != theirs[k].shape:
            return [Difference(k, ours[k].shape, theirs[k].shape, 0, 1, "shape")]
        if wrong(ours[k], theirs[k], allowed[k], program.type).any():
            found.append(k)
    if not found:
        return []
    noise = {k: numpy.zeros(theirs[k].shape) for k in found}
    for seed in range(SHAKES):
        shaken = joined(again(seed=seed))
        for k in set(found) & set(shaken):
            with numpy.errstate(all="ignore"):
                off = numpy.abs(shaken[k] - theirs[k])
            # A number that comes and goes with the last bit: infinite on one side and finite on the other, but nowhere NaN.
            off[numpy.isfinite(shaken[k]) != numpy.isfinite(theirs[k])] = numpy.inf
            off[numpy.isnan(off)] = 0
            noise[k] = numpy.maximum(noise[k], off)
    result = []
    peer = None
    for k in found:
        limit = allowed[k] + FACTOR * noise[k]
        bad = wrong(ours[k], theirs[k], limit, program.type)
        if k != "value" or getattr(program, "limits", False):
            bad &= ~numpy.isnan(theirs[k])
        if k in SAME and flavour not in ("ordinary", "ties"):
            # Of 0 · ∞ on the way comes NaN in one order, and in the other the number that is asked for in "hvp".
            bad &= numpy.isfinite(ours[k])
        if bad.any() and program.type == "f32" and not far:
            # No better than PyTorch is in this precision; where it leaves the range, an answer that does not is held against the
            # reference all the same.
            peer = peer or joined(again(type="f32"))
            if k in peer:
                with numpy.errstate(all="ignore"):
                    as_far = numpy.abs(peer[k] - theirs[k]) * 2 >= numpy.abs(ours[k] - theirs[k])
                bad &= ~numpy.where(numpy.isfinite(peer[k]), as_far, ~numpy.isfinite(ours[k]))
        if bad.any():
            at = int(numpy.argmax(bad))
            a, b = float(ours[k][at]), float(theirs[k][at])
            kind = ("there NaN" if numpy.isnan(b) else "here NaN" if numpy.isnan(a) else
                    "infinite" if not numpy.isfinite(a - b) else "rounding" if abs(a - b) < 1e-3 * max(abs(a), abs(b)) else "number")
            result.append(Difference(k, a, b, float(limit[at]), int(bad.sum()), kind))
    return result

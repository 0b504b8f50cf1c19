"""Programs: steps over tensors, each a function of PyTorch and the name and attributes that this library knows it by."""

from contextlib import nullcontext
from dataclasses import dataclass

import numpy
import torch

from . import wire
from .shaken import Shaken

EPSILON = {"f64": 2.0**-53, "f32": 2.0**-24}
TYPES = {"f64": torch.float64, "f32": torch.float32}
MANY = 4096


@dataclass
class Step:
    name: str
    operands: list
    attributes: dict
    function: object


class Case:
    """A function of inputs that both sides compute, with the derivatives that are compared."""

    def __init__(self, type="f64"):
        self.type = type
        self.inputs = []
        # What the inputs were drawn from, for the report.
        self.flavour = "ordinary"
        # How many derivatives are compared.
        self.order = 2
        # Whether each number of a result is a function of a few numbers, and so has a condition of its own.
        self.elementwise = False
        # Whether values that are NaN in PyTorch are limits here.
        self.limits = False
        # Whether the inputs are such as `f32` has, too: the same reference then serves both types.
        self.both = False
        # Whether it is recorded and replayed, too.
        self.replay = False

    def input(self, array, data=False):
        """A new input: its place. Of data no derivatives are asked for."""
        array = numpy.array(array, dtype=numpy.float64)
        if self.type == "f32":
            with numpy.errstate(all="ignore"):
                array = array.astype(numpy.float32).astype(numpy.float64)
        self.inputs.append(torch.tensor(array, requires_grad=not data))
        return ("input", len(self.inputs) - 1)

    def outputs_of(self, inputs):
        """The outputs at other inputs."""
        raise NotImplementedError

    def weigh(self, rng, outputs):
        """Draws weights of the outputs' elements and a direction: numbers that `f32` has, too."""
        self.result_shapes = [list(o.shape) for o in outputs]
        count = sum(o.numel() for o in outputs)
        if self.flavour in ("extreme", "far"):
            # No factors that a product could leave the range by, whichever comes first.
            small = lambda shape: rng.choice([-1.0, 1.0], size=shape)
        else:
            small = lambda shape: rng.integers(-64, 65, size=shape).astype(numpy.float64) / 32
        self.weights = small((count,))
        self.direction = [small(tuple(x.shape)) * x.requires_grad for x in self.inputs]
        self.layouts = rng.integers(0, 8, size=len(self.inputs)) * (rng.random() < 0.5)

    def wired(self):
        """What all cases send."""
        return {
            "type": self.type,
            "order": self.order,
            "replay": self.replay,
            "inputs": [wire.tensor(x.detach().numpy(), int(n)) for x, n in zip(self.inputs, self.layouts)],
            "v": [wire.tensor(v, int(n)) for v, n in zip(self.direction, self.layouts)],
            "w": wire.text(self.weights),
        }

    def reference(self):
        """Value, gradient, derivative along the direction and Hessian product, as far as PyTorch has them."""
        return derivatives(self.inputs, self.outputs_of(self.inputs), self.weights, self.direction, self.order)

    def again(self, type="f64", seed=None):
        """The reference in some precision, or with the inputs and all that is computed off by one rounding."""
        inputs = [x.detach().to(TYPES[type]) for x in self.inputs]
        weights, direction, shaken = self.weights, self.direction, nullcontext()
        if seed is not None:
            shaken = Shaken(EPSILON[self.type] * 2, torch.Generator().manual_seed(seed))
            if self.flavour not in ("ties", "special"):
                # Equal numbers stay equal, or it would be another case; so would it be with other labels.
                inputs = [shaken.off(x) if of.requires_grad else x for x, of in zip(inputs, self.inputs)]
            weights, *direction = [shaken.off(torch.tensor(x)).numpy() for x in (weights, *direction)]
        inputs = [x.requires_grad_(of.requires_grad) for x, of in zip(inputs, self.inputs)]
        with shaken:
            return derivatives(inputs, self.outputs_of(inputs), weights, direction, self.order)


class Program(Case):
    """Steps, whose operands are inputs and earlier results, by places `("input", i)` and `("result", i)`."""

    def __init__(self, type="f64"):
        super().__init__(type)
        self.steps = []
        self.results = []
        self.outputs = []

    def step(self, name, operands, attributes, function):
        """Runs a function of PyTorch, which gives one tensor or several: their places."""
        made = listed(function(*[self.at(i) for i in operands]))
        if any(r.numel() > MANY for r in made):
            raise Refused("large")
        self.steps.append(Step(name, operands, attributes, function))
        self.results.extend(made)
        return [("result", i) for i in range(len(self.results) - len(made), len(self.results))]

    def at(self, place):
        kind, number = place
        return self.inputs[number] if kind == "input" else self.results[number]

    def number(self, place):
        """As which the other side knows it: inputs first."""
        kind, number = place
        return number if kind == "input" else len(self.inputs) + number

    def outputs_of(self, inputs):
        if inputs is self.inputs:
            return [self.at(o) for o in self.outputs]
        results = []
        at = lambda place: inputs[place[1]] if place[0] == "input" else results[place[1]]
        for step in self.steps:
            results.extend(listed(step.function(*[at(i) for i in step.operands])))
        return [at(place) for place in self.outputs]

    def finish(self, rng):
        self.weigh(rng, [self.at(o) for o in self.outputs])

    def case(self):
        return self.wired() | {
            "kind": "program",
            "steps": [[s.name, [self.number(i) for i in s.operands], s.attributes] for s in self.steps],
            "out": [self.number(o) for o in self.outputs],
        }

    def __str__(self):
        steps = "; ".join(f"{s.name}({', '.join(str(self.number(i)) for i in s.operands)}, {s.attributes})"
                          for s in self.steps)
        inputs = ", ".join(str(list(x.shape)) for x in self.inputs)
        return f"{self.type} {self.flavour} inputs {inputs}: {steps}"


class Refused(Exception):
    """A case that PyTorch, or the generator, does not make."""


def listed(results):
    return list(results) if isinstance(results, (tuple, list)) else [results]


def flat(tensors):
    return torch.cat([t.reshape(-1) for t in tensors])


def derivatives(inputs, outputs, weights, direction, order):
    dtype = inputs[0].dtype if inputs else torch.float64

    def array(t):
        # PyTorch has zeros that are not stored.
        return numpy.zeros(t.shape) if t._is_zerotensor() else t.detach().to(torch.float64).numpy().copy()

    value = flat([o.to(dtype) for o in outputs])
    found = {"value": array(value)}
    if order == 0:
        return found
    direction = [v for v, x in zip(direction, inputs) if x.requires_grad]
    inputs = [x for x in inputs if x.requires_grad]
    zeros = [numpy.zeros(x.shape) for x in inputs]
    second = {"hvp": zeros} if order == 2 else {}
    if not value.requires_grad:
        return found | {"grad": zeros, "jvp": numpy.zeros(value.shape)} | second
    w = torch.tensor(weights, dtype=dtype, requires_grad=True)
    filled = lambda grads, like: [numpy.zeros(x.shape) if g is None else array(g) for g, x in zip(grads, like)]
    try:
        grads = torch.autograd.grad(value, inputs, w, create_graph=True, allow_unused=True)
        found["grad"] = filled(grads, inputs)
    except (RuntimeError, NotImplementedError):
        return found
    # The derivative of ⟨gradient, v⟩ with respect to the weights is that of the outputs along v.
    along = [(g * torch.tensor(v, dtype=dtype)).sum() for g, v in zip(grads, direction) if g is not None]
    along = [a for a in along if a.requires_grad]
    if not along:
        return found | {"jvp": numpy.zeros(value.shape)} | second
    try:
        jvp, *hvp = torch.autograd.grad(sum(along), [w, *inputs], allow_unused=True)
        found["jvp"] = filled([jvp], [w])[0]
        if order == 2:
            found["hvp"] = filled(hvp, inputs)
    except (RuntimeError, NotImplementedError):
        pass
    return found

"""What is drawn: shapes, axes, numbers of many kinds, and operands that earlier steps made."""

import random

import numpy
import torch

from .program import Program, Refused

TINY = {"f64": 5e-324, "f32": 1.5e-45}
SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, numpy.inf, -numpy.inf, numpy.nan]


class Draw:
    """Draws one program. `chain` says that operands may be earlier results."""

    def __init__(self, seed, chain=False, few_shapes=False):
        self.random = random.Random(f"{seed}")
        self.numpy = numpy.random.default_rng(self.random.getrandbits(64))
        self.chain = chain
        # JAX compiles every operation for every shape.
        self.few_shapes = few_shapes
        # Of numbers that are far.
        self.unit = 1.0
        self.program = Program()

    # Choices.

    def chance(self, p):
        return self.random.random() < p

    def choice(self, options):
        return self.random.choice(list(options))

    def int(self, low, high):
        return self.random.randint(low, high)

    def batch(self, high=3):
        """How many samples: mostly some, sometimes none."""
        return 0 if self.chance(0.05) else self.int(1, high)

    def number(self, low, high):
        """A number with few digits, which both precisions have."""
        return round(self.random.uniform(low, high) * 16) / 16

    def shape(self, rank=(0, 5), low=0, high=4, limit=120):
        """Lengths, mostly small; one in ten shapes has an axis of length 0 if that is allowed."""
        if self.program.flavour in ("special", "extreme"):
            # One NaN makes sums of derivatives NaN.
            limit = min(limit, 4)
        rank = self.int(rank[0], max(rank[0], min(rank[1], 3)) if self.few_shapes else rank[1])
        if self.few_shapes:
            return [self.choice([2, 3])] * rank
        shape = [self.int(max(low, 1), high) for _ in range(rank)]
        if shape and self.chance(0.1):
            shape[self.int(0, rank - 1)] = self.choice(range(low, 2)) if low < 2 else low
        if rank == 1 and self.chance(0.1):
            shape = [self.int(max(low, 5), 40)]
        if shape and limit == 120 and not self.chain and self.chance(0.03):
            # More than a block of a loop, and a part of one.
            shape[self.int(0, rank - 1)] = self.int(100, 700)
            limit = 1500
        while numpy.prod(shape) > max(limit, max(low, 1) ** len(shape)):
            shape[shape.index(max(shape))] -= 1
        return shape

    def axis(self, x, low=0):
        """An axis of a tensor that has at least `low` elements, from either end."""
        shape = self.at(x).shape
        fit = [i for i, n in enumerate(shape) if n >= low]
        if not fit:
            raise Refused("no such axis")
        axis = self.choice(fit)
        return axis if self.chance(0.5) else axis - len(shape)

    def axes(self, x):
        """Some axes, or all: as a list for PyTorch, and as the attribute."""
        rank = self.at(x).dim()
        if rank == 0 or self.chance(0.2):
            return list(range(rank)), "all"
        some = self.random.sample(range(rank), self.int(1, rank))
        some = [a if self.chance(0.5) else a - rank for a in some]
        return some, some

    def positions(self, shape, below):
        """Positions as a tensor of PyTorch and as the attribute."""
        if below == 0 and numpy.prod(shape) > 0:
            raise Refused("positions in nothing")
        drawn = self.numpy.integers(0, max(below, 1), size=shape)
        return torch.tensor(drawn, dtype=torch.int64), [list(drawn.shape), drawn.reshape(-1).tolist()]

    def mask(self, shape):
        drawn = self.numpy.random(size=shape) < self.choice([0.2, 0.5, 0.8])
        drawn = numpy.asarray(drawn)
        return torch.tensor(drawn), [list(drawn.shape), drawn.reshape(-1).astype(int).tolist()]

    # Operands.

    def at(self, x):
        return self.program.at(x)

    def shape_of(self, x):
        return list(self.at(x).shape)

    def numbers(self, shape, domain="any"):
        """Numbers of the program's flavour, in a domain."""
        flavour = self.program.flavour
        rng = self.numpy
        if flavour == "special":
            x = rng.choice(SPECIAL, size=shape)
            ordinary = rng.random(size=shape) < 0.3
            return numpy.where(ordinary, rng.normal(size=shape), x)
        if flavour == "extreme":
            # All magnitudes of the type, subnormal ones among them.
            top = 307 if self.program.type == "f64" else 38
            power = rng.uniform(-top - 14 if top > 300 else -top - 6, top, size=shape)
            return rng.choice([-1.0, 1.0], size=shape) * 10.0**power
        if flavour == "ties":
            x = rng.integers(-2, 3, size=shape) / 2.0
            if domain in ("positive", "nonzero"):
                return abs(x) + 0.5
            if domain == "probability":
                return rng.integers(1, 4, size=shape) / 4.0
            return x if domain == "any" else x / 4 if domain == "unit" else abs(x) + 1.5
        scale = self.choice([0.1, 1.0, 1.0, 1.0, 3.0]) * self.unit
        if domain == "positive":
            return rng.uniform(0.05, 2.5, size=shape) * scale
        if domain == "unit":
            return rng.uniform(-0.98, 0.98, size=shape)
        if domain == "probability":
            return rng.uniform(0.02, 0.98, size=shape)
        if domain == "above one":
            return 1.05 + rng.uniform(0, 3, size=shape)
        if domain == "nonzero":
            return rng.choice([-1.0, 1.0], size=shape) * rng.uniform(0.2, 2.0, size=shape) * self.unit
        return rng.normal(size=shape) * scale

    def new(self, shape, domain="any"):
        return self.program.input(numpy.asarray(self.numbers(tuple(shape), domain)))

    def moved(self, x, domain):
        """A result of some step, brought into a domain."""
        step = self.program.step
        if domain == "positive":
            [x] = step("softplus", [x], {}, lambda x: torch.logaddexp(x, torch.zeros_like(x)))
            [x] = step("add_number", [x], {"s": 0.0625}, lambda x: x + 0.0625)
        elif domain == "unit":
            [x] = step("tanh", [x], {}, torch.tanh)
            [x] = step("mul_number", [x], {"s": 0.875}, lambda x: x * 0.875)
        elif domain == "probability":
            [x] = step("sigmoid", [x], {}, torch.sigmoid)
            [x] = step("mul_number", [x], {"s": 0.875}, lambda x: x * 0.875)
            [x] = step("add_number", [x], {"s": 0.0625}, lambda x: x + 0.0625)
        elif domain in ("above one", "nonzero"):
            [x] = step("square", [x], {}, torch.square)
            [x] = step("add_number", [x], {"s": 1.0625}, lambda x: x + 1.0625)
        return x

    def any(self, rank=(0, 5), low=0, high=4, domain="any", limit=120, shape=None):
        """An operand whose shape is free within limits; in chains mostly an earlier result."""
        if self.chain and self.chance(0.75):
            fit = lambda s: rank[0] <= len(s) <= rank[1] and all(n >= low for n in s) and numpy.prod(s) <= limit
            fit = [x for x in self.pool if fit(self.shape_of(x))]
            if fit:
                # The newest are the deepest.
                x = fit[-1] if self.chance(0.6) else self.choice(fit)
                return self.moved(x, domain)
        return self.new(shape or self.shape(rank, low, high, limit), domain)

    def of_shape(self, shape, domain="any"):
        if self.chain and self.chance(0.5):
            fit = [x for x in self.pool if self.shape_of(x) == list(shape)]
            if fit:
                return self.moved(self.choice(fit), domain)
        return self.new(shape, domain)

    def beside(self, x, domain="any"):
        """An operand that broadcasts with another."""
        shape = self.shape_of(x)
        kind = self.random.random()
        if kind < 0.5:
            return self.of_shape(shape, domain)
        # An axis of length 1 here may be a longer one there, or an empty one.
        longer = lambda: self.int(0, 3) if self.chance(0.3) and not self.few_shapes else 1
        shape = [n if n != 1 and self.chance(0.6) else 1 if n != 1 else longer() for n in shape]
        while shape and kind < 0.8 and self.chance(0.4):
            shape.pop(0)
        if kind > 0.95 and len(shape) < 4:
            shape.insert(0, self.int(1, 3))
        return self.of_shape(shape, domain)

    # Steps.

    def step(self, name, operands, attributes, function):
        results = self.program.step(name, operands, attributes, function)
        if self.chain:
            self.pool.extend(self.calmed(r) for r in results if self.usable(r))
        return results

    def usable(self, x):
        t = self.at(x)
        return t.is_floating_point() and bool(torch.isfinite(t).all()) and t.numel() <= 240

    def calmed(self, x):
        """Large numbers would make everything after them saturate."""
        t = self.at(x)
        if t.numel() and t.detach().abs().max() > 50:
            [x] = self.program.step("asinh", [x], {}, torch.asinh)
        return x

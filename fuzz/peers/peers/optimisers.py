"""Trajectories of optimisers with random settings and schedules, as `torch.optim` takes them."""

import numpy
import torch

from . import wire
from .draw import Draw

O, L = torch.optim, torch.optim.lr_scheduler
STEPS = 40


class Trajectory:
    """A case: its settings on both sides, and the path from PyTorch."""

    type = "f64"
    inputs = []

    def __init__(self, seed):
        d = Draw(f"optimiser {seed}")
        self.shapes = [d.shape(rank=(0, 3), low=1) for _ in range(d.int(1, 3))]
        self.sizes = [int(numpy.prod(s)) for s in self.shapes]
        n = sum(self.sizes)
        self.start = d.numpy.normal(size=n)
        # Of gradients at all magnitudes, some of them 0.
        scale = 10.0 ** d.choice([0, 0, 0, -3, 3, -6])
        self.gradients = d.numpy.normal(size=(STEPS, n)) * scale
        self.gradients[d.numpy.random(size=(STEPS, n)) < d.choice([0.0, 0.0, 0.5])] = 0.0
        self.slope = d.numpy.uniform(0, 1, size=n) * scale * d.choice([0, 1])
        self.rule, self.rate, self.config, self.make = rule(d)
        self.maximize = d.chance(0.3)
        self.schedule, self.scheduler = schedule(d, self.rate) if d.chance(0.6) else (None, None)
        # Positive ones: below 0 PyTorch's relative threshold has the wrong sign.
        self.losses = (0.5 + abs(0.3 * d.numpy.normal(size=STEPS).cumsum())).round(3).tolist()

    def case(self):
        sign = -1.0 if self.maximize else 1.0
        case = {"kind": "optimiser", "rule": self.rule, "rate": self.rate, "config": self.config, "shapes": self.shapes,
                "start": wire.text(self.start), "slope": wire.text(sign * self.slope), "losses": self.losses,
                "gradients": [wire.text(sign * g) for g in self.gradients]}
        if self.schedule:
            case["plateau" if self.schedule[0] == "plateau" else "schedule"] = self.schedule[1]
        return case

    def reference(self):
        return self.again()

    def again(self, type="f64", seed=None):
        """The path, with a start and gradients that are off by one rounding if there is a seed."""
        start, gradients = self.start, self.gradients
        if seed is not None:
            shake = numpy.random.default_rng(seed)
            start = start * (1 + 2.0**-52 * shake.uniform(-1, 1, size=start.shape))
        split = lambda flat: [torch.tensor(x.reshape(s)) for x, s in
                              zip(numpy.split(flat, numpy.cumsum(self.sizes)[:-1]), self.shapes)]
        parameters = [p.requires_grad_(True) for p in split(start)]
        optimizer = self.make(parameters, maximize=self.maximize, foreach=False)
        scheduler = self.scheduler(optimizer) if self.scheduler else None
        path, rates = [], []
        for g, loss in zip(gradients, self.losses):
            flat = numpy.concatenate([p.detach().numpy().reshape(-1) for p in parameters])
            g = g + self.slope * flat
            if seed is not None:
                # In each step anew: a path that is off by one factor hides what cancels in it.
                g = g * (1 + 2.0**-52 * shake.uniform(-1, 1, size=g.shape))
            for p, g in zip(parameters, split(g)):
                p.grad = g
            rates.append(float(optimizer.param_groups[0]["lr"]))
            optimizer.step()
            if scheduler:
                scheduler.step(loss) if self.schedule[0] == "plateau" else scheduler.step()
            path.append(numpy.concatenate([p.detach().numpy().reshape(-1) for p in parameters]))
        return {"value": numpy.concatenate(path), "rates": numpy.array(rates)}

    def __str__(self):
        return f"{self.rule} {self.rate} {self.config} maximize={self.maximize} {self.schedule} shapes {self.shapes}"


def rule(d):
    """A rule with its settings, and how PyTorch makes it."""
    name = d.choice(["sgd", "sgd", "adam", "amsgrad", "adamw", "rmsprop", "adagrad", "adadelta", "adamax", "nadam", "radam",
                     "rprop", "adafactor"])
    rate = d.choice([1e-3, 0.01, 0.05, 0.3])
    decay = d.choice([0.0, 0.0, 0.01, 0.3])
    b1, b2 = d.choice([0.9, 0.5, 0.0, 0.95]), d.choice([0.999, 0.9, 0.99, 0.5])
    eps = d.choice([1e-8, 1e-3, 1e-12])
    betas = {"beta1": b1, "beta2": b2, "epsilon": eps, "weight_decay": decay}
    theirs = {"betas": (b1, b2), "eps": eps, "weight_decay": decay}
    of = lambda make, **options: (lambda p, **more: make(p, lr=rate, **options, **more))
    if name == "sgd":
        momentum = d.choice([0.0, 0.9, 0.5])
        nesterov = momentum > 0 and d.chance(0.5)
        dampening = 0.0 if nesterov else d.choice([0.0, 0.3])
        config = {"momentum": momentum, "dampening": dampening, "nesterov": nesterov, "weight_decay": decay}
        return name, rate, config, of(O.SGD, **config)
    if name in ("adam", "amsgrad"):
        return name, rate, betas, of(O.Adam, amsgrad=name == "amsgrad", **theirs)
    if name == "adamw":
        return name, rate, betas, of(O.AdamW, **theirs)
    if name == "rmsprop":
        alpha, momentum, centered = d.choice([0.99, 0.9, 0.5]), d.choice([0.0, 0.9]), d.chance(0.4)
        # Centred, the root of what is left of the second moment is all rounding where the gradient is constant.
        # So is that of a weight decay beside which there is no gradient.
        eps, decay = (max(eps, 1e-3), 0.0) if centered else (eps, decay)
        config = {"decay": alpha, "epsilon": eps, "momentum": momentum, "centered": centered, "weight_decay": decay}
        return name, rate, config, of(O.RMSprop, alpha=alpha, eps=eps, momentum=momentum, centered=centered,
                                      weight_decay=decay)
    if name == "adagrad":
        first, slower, eps = d.choice([0.0, 0.1]), d.choice([0.0, 0.05]), d.choice([1e-10, 1e-3])
        config = {"epsilon": eps, "initial_accumulator": first, "rate_decay": slower, "weight_decay": decay}
        return name, rate, config, of(O.Adagrad, eps=eps, initial_accumulator_value=first, lr_decay=slower,
                                      weight_decay=decay)
    if name == "adadelta":
        rho, eps = d.choice([0.9, 0.5, 0.99]), d.choice([1e-6, 1e-3])
        return name, rate, {"rho": rho, "epsilon": eps, "weight_decay": decay}, of(O.Adadelta, rho=rho, eps=eps,
                                                                                   weight_decay=decay)
    if name == "adamax":
        return name, rate, betas, of(O.Adamax, **theirs)
    decoupled = d.chance(0.5)
    if name == "nadam":
        slower = d.choice([0.004, 0.1, 0.0])
        return name, rate, betas | {"momentum_decay": slower, "decoupled": decoupled}, of(
            O.NAdam, momentum_decay=slower, decoupled_weight_decay=decoupled, **theirs)
    if name == "radam":
        return name, rate, betas | {"decoupled": decoupled}, of(O.RAdam, decoupled_weight_decay=decoupled, **theirs)
    if name == "rprop":
        shrink, grow, least, most = d.choice([0.5, 0.2]), d.choice([1.2, 2.0]), d.choice([1e-6, 1e-3]), d.choice([50.0, 0.1])
        return name, rate, {"shrink": shrink, "grow": grow, "smallest": least, "largest": most}, of(
            O.Rprop, etas=(shrink, grow), step_sizes=(least, most))
    power, clip, least = d.choice([-0.8, -0.5]), d.choice([1.0, 2.0]), d.choice([1e-3, 0.1])
    return name, rate, {"decay_power": power, "clip": clip, "smallest_scale": least, "weight_decay": decay}, of(
        O.Adafactor, beta2_decay=power, d=clip, eps=(None, least), weight_decay=decay)


def schedule(d, rate):
    """A schedule with its settings, and how PyTorch makes it."""
    name = d.choice(["step_decay", "multi_step", "exponential", "polynomial", "cosine", "cosine_restarts", "linear_ramp",
                     "one_cycle", "cyclic", "plateau", "warmup"])
    f, n, low = d.choice([0.5, 0.9, 0.1]), d.int(2, 15), rate * d.choice([0.0, 0.1])
    if name == "step_decay":
        return (name, {name: {"rate": rate, "every": n, "factor": f}}), lambda o: L.StepLR(o, n, f)
    if name == "multi_step":
        at = sorted(d.random.sample(range(1, 38), d.int(1, 4)))
        return (name, {name: {"rate": rate, "milestones": at, "factor": f}}), lambda o: L.MultiStepLR(o, at, f)
    if name == "exponential":
        return (name, {name: {"rate": rate, "factor": f}}), lambda o: L.ExponentialLR(o, f)
    if name == "polynomial":
        power = d.choice([1.0, 2.0, 0.5])
        return (name, {name: {"from": rate, "to": 0.0, "steps": 3 * n, "power": power}}), \
            lambda o: L.PolynomialLR(o, 3 * n, power)
    if name == "cosine":
        # Beyond its end PyTorch's rises again, which here it does not.
        return (name, {name: {"from": rate, "to": low, "steps": STEPS + n}}), \
            lambda o: L.CosineAnnealingLR(o, STEPS + n, low)
    if name == "cosine_restarts":
        growth = d.int(1, 2)
        return (name, {name: {"from": rate, "to": low, "period": n, "growth": growth}}), \
            lambda o: L.CosineAnnealingWarmRestarts(o, n, growth, low)
    if name == "linear_ramp":
        end = d.choice([1.0, 0.5])
        return (name, {name: {"from": f * rate, "to": end * rate, "steps": n}}), lambda o: L.LinearLR(o, f, end, n)
    if name == "one_cycle":
        three, linear, rising = d.chance(0.4), d.chance(0.5), d.choice([0.25, 0.375])
        start, last = d.choice([25.0, 4.0]), d.choice([1e4, 10.0])
        return (name, {name: {"largest": rate, "steps": STEPS + n, "rising": rising, "start_divisor": start,
                              "end_divisor": last, "linear": linear, "three_phase": three}}), \
            lambda o: L.OneCycleLR(o, rate, STEPS + n, pct_start=rising, anneal_strategy="linear" if linear else "cos",
                                   cycle_momentum=False, div_factor=start, final_div_factor=last, three_phase=three)
    if name == "cyclic":
        down = d.int(2, 15)
        mode = d.choice(["triangular", "halving", "exponential"])
        ours = {"exponential": f} if mode == "exponential" else mode
        theirs = {"triangular": "triangular", "halving": "triangular2", "exponential": "exp_range"}[mode]
        return (name, {name: {"lowest": low, "highest": rate, "up": n, "down": down, "mode": ours}}), \
            lambda o: L.CyclicLR(o, low, rate, n, down, mode=theirs, gamma=f, cycle_momentum=False)
    if name == "plateau":
        relative, goal, patience, cooldown = d.chance(0.5), d.choice(["min", "max"]), d.int(0, 3), d.int(0, 2)
        threshold = d.choice([1e-4, 0.05])
        return (name, {"goal": goal, "factor": f, "patience": patience, "relative": relative, "threshold": threshold,
                       "cooldown": cooldown, "smallest": low}), \
            lambda o: L.ReduceLROnPlateau(o, goal, f, patience, threshold, "rel" if relative else "abs", cooldown, low, 0.0)
    return (name, {"sequence": {"first": {"linear_ramp": {"from": f * rate, "to": rate, "steps": n}},
                                "later": [[n, {"exponential": {"rate": rate, "factor": 0.9}}]]}}), \
        lambda o: L.SequentialLR(o, [L.LinearLR(o, f, 1.0, n), L.ExponentialLR(o, 0.9)], [n])

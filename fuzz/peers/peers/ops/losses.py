"""Losses with all of their options."""

import torch
import torch.nn.functional as F

from ..program import Refused
from . import op


def binary_cross_entropy(x, y, reduction):
    # PyTorch's own second derivatives have an ε that its first ones have not.
    losses = -(y * torch.log(x) + (1 - y) * torch.log1p(-x))
    return {"none": losses, "sum": losses.sum(), "mean": losses.mean()}[reduction]


def cosine_embedding(x, y, t, margin, reduction):
    # PyTorch's own adds 10⁻¹² in single precision, which in double precision is another number.
    square = lambda x: x.square().sum(-1) + 1e-12
    cosine = (x * y).sum(-1) / (square(x) * square(y)).sqrt()
    losses = torch.where(t == 1, 1 - cosine, torch.where(t == -1, (cosine - margin).clamp_min(0), 0.0))
    return {"none": losses, "sum": losses.sum(), "mean": losses.mean()}[reduction]


def reduction(d, more=()):
    return d.choice(["mean", "sum", "none", *more])


def signs(d, shape):
    """Targets of 1 and -1, which are data."""
    return d.program.input(d.numpy.choice([-1.0, 1.0], size=tuple(shape)), data=True)


def target(d, x, kind):
    """Numbers that are data and have no derivative, as an input all the same."""
    shape = d.shape_of(x)
    if kind == "signs":
        return signs(d, shape)
    return d.of_shape(shape, kind)


@op("mse", "l1", "huber", "smooth_l1", "bce", "bce_with_logits", "kl_div", "soft_margin", "poisson_nll")
def pairs(d, name):
    how = reduction(d, ("batchmean",) if name == "kl_div" else ())
    x = d.any(rank=(1 if name == "kl_div" else 0, 3), domain="probability" if name == "bce" else "any")
    s, flag = d.number(0.25, 2), d.chance(0.5)
    kind = {"bce": "probability", "bce_with_logits": "probability", "soft_margin": "signs", "poisson_nll": "positive",
            "kl_div": "any" if flag else "positive"}.get(name, "any")
    operands = [x, target(d, x, kind)]
    attributes, function = {"reduction": how}, binary_cross_entropy if name == "bce" else getattr(F, {
        "mse": "mse_loss", "l1": "l1_loss", "huber": "huber_loss", "smooth_l1": "smooth_l1_loss",
        "bce_with_logits": "binary_cross_entropy_with_logits", "kl_div": "kl_div",
        "soft_margin": "soft_margin_loss", "poisson_nll": "poisson_nll_loss"}[name])
    options = {}
    if name == "huber":
        attributes["delta"] = options["delta"] = s
    elif name == "smooth_l1":
        attributes["beta"] = options["beta"] = d.choice([0.0, s, s])
    elif name == "kl_div":
        attributes["log_target"] = options["log_target"] = flag
    elif name == "bce_with_logits":
        if flag and d.shape_of(x):
            weights = d.numbers(d.shape_of(x)[-1:], "positive")
            operands.append(d.program.input(weights, data=True))
            return d.step(name, operands, attributes, lambda x, y, w: function(x, y, pos_weight=w, reduction=how))
        attributes["positive"] = s
        return d.step(name, operands, attributes,
                      lambda x, y: function(x, y, pos_weight=torch.tensor(s, dtype=x.dtype), reduction=how))
    elif name == "poisson_nll":
        log, full = d.chance(0.5), flag
        # Stirling's formula is taken for targets above 1, which is no derivative of the target's.
        attributes |= {"log_input": log, "full": full, "eps": 0.01}
        options = {"log_input": log, "full": full, "eps": 0.01}
        if not log:
            operands[0] = d.moved(x, "positive")
    return d.step(name, operands, attributes, lambda x, y: function(x, y, reduction=how, **options))


@op("gaussian_nll", "hinge_embedding", "margin_ranking", "cosine_embedding", "triplet_margin")
def metric(d, name):
    how, margin = reduction(d), d.number(-0.5, 1)
    attributes = {"reduction": how, "margin": margin}
    if name == "gaussian_nll":
        x = d.any(rank=(1, 3))
        full, eps = d.chance(0.5), d.choice([1e-6, 0.5])
        return d.step(name, [x, d.of_shape(d.shape_of(x)), d.of_shape(d.shape_of(x), "positive")],
                      {"reduction": how, "full": full, "eps": eps},
                      lambda m, t, v: F.gaussian_nll_loss(m, t, v, full=full, eps=eps, reduction=how))
    if name == "hinge_embedding":
        x = d.any(rank=(0, 3))
        return d.step(name, [x, target(d, x, "signs")], attributes,
                      lambda x, y: F.hinge_embedding_loss(x, y, margin, reduction=how))
    if name == "margin_ranking":
        x = d.any(rank=(0, 3))
        return d.step(name, [x, d.of_shape(d.shape_of(x)), target(d, x, "signs")], attributes,
                      lambda x, y, t: F.margin_ranking_loss(x, y, t, margin, reduction=how))
    x = d.of_shape([d.batch(4), d.int(1, 4)])
    y = d.of_shape(d.shape_of(x))
    if name == "cosine_embedding":
        return d.step(name, [x, y, signs(d, [d.shape_of(x)[0]])], attributes,
                      lambda x, y, t: cosine_embedding(x, y, t, margin, how))
    p, swap = d.choice([1.0, 2.0, 2.0, 3.0]), d.chance(0.5)
    margin = abs(margin) + 0.0625
    return d.step(name, [x, y, d.of_shape(d.shape_of(x))],
                  attributes | {"margin": margin, "p": p, "eps": 1e-6, "swap": swap},
                  lambda a, p_, n: F.triplet_margin_loss(a, p_, n, margin, p, 1e-6, swap, reduction=how))


@op("multi_margin", "multi_label_margin", "multi_label_soft_margin")
def classes(d, name):
    # Of no examples PyTorch's mean is memory that nobody has written.
    how, (n, c) = reduction(d), (d.int(1, 4), d.int(1, 5))
    x = d.of_shape([n, c])
    weights = [d.number(0.25, 2) for _ in range(c)] if d.chance(0.5) else None
    given = {} if weights is None else {"weights": weights}
    tensor = lambda x: None if weights is None else torch.tensor(weights, dtype=x.dtype)
    if name == "multi_label_soft_margin":
        y = d.of_shape([n, c], "probability")
        return d.step(name, [x, y], {"reduction": how} | given,
                      lambda x, y: F.multilabel_soft_margin_loss(x, y, tensor(x), reduction=how))
    if name == "multi_margin":
        labels, attribute = d.positions([n], c)
        p, margin = d.int(1, 2), d.number(0.25, 1.5)
        return d.step(name, [x], {"reduction": how, "p": p, "margin": margin, "labels": attribute} | given,
                      lambda x: F.multi_margin_loss(x, labels, p, margin, tensor(x), reduction=how))
    right, attribute = d.mask([n, c])
    # PyTorch's list of right classes, ended by -1.
    lists = torch.full((n, c), -1)
    for i, row in enumerate(right):
        places = row.nonzero().reshape(-1)
        lists[i, :len(places)] = places
    return d.step(name, [x], {"reduction": how, "right": attribute},
                  lambda x: F.multilabel_margin_loss(x, lists, reduction=how))


@op("nll", "cross_entropy", "linear_cross_entropy", weight=2.0)
def likelihood(d, name):
    how = reduction(d)
    c, shape = d.int(1, 5), d.shape(rank=(1, 3), low=1, high=3)
    labels, attribute = d.positions(shape, c)
    attributes = {"reduction": how, "labels": attribute}
    ignored = -100
    if d.chance(0.3) and c > 1 and bool((labels != 0).any()):
        # One left at least, as PyTorch's mean of nothing is a NaN.
        ignored = attributes["ignored"] = 0
    smoothing = d.choice([0.0, 0.125, 0.5])
    if name == "linear_cross_entropy":
        width = d.int(1, 4)
        x, w = d.of_shape([*shape, width]), d.of_shape([c, width])
        if not bool(((d.at(x) @ d.at(w).T).abs() < 2.0**120).all()) and d.program.flavour == "far":
            raise Refused("logits that leave the range")
        operands = [x, w] + ([d.of_shape([c])] if d.chance(0.5) else [])
        attributes |= {"smoothing": smoothing, "chunk": d.choice([0, 1, 2])}

        def call(x, w, b=None):
            logits = F.linear(x, w, b).movedim(-1, 1)
            return F.cross_entropy(logits, labels, ignore_index=ignored, reduction=how, label_smoothing=smoothing)

        return d.step(name, operands, attributes, call)
    axis = d.choice([1, len(shape)])
    weights = [d.number(0.25, 2) for _ in range(c)] if d.chance(0.4) else None
    attributes |= {"axis": axis} | ({} if weights is None else {"weights": weights})
    shape.insert(axis, c)
    x = d.of_shape(shape)
    options = lambda x: {"weight": None if weights is None else torch.tensor(weights, dtype=x.dtype), "reduction": how}
    if name == "nll":
        return d.step(name, [x], attributes,
                      lambda x: F.nll_loss(x.movedim(axis, 1), labels, ignore_index=ignored, **options(x)))
    attributes["smoothing"] = smoothing
    if d.chance(0.3):
        attributes.pop("ignored", None)
        y = d.of_shape(shape, "probability")
        return d.step(name, [x, y], attributes,
                      lambda x, y: F.cross_entropy(x.movedim(axis, 1), y.movedim(axis, 1), label_smoothing=smoothing,
                                                   **options(x)))
    return d.step(name, [x], attributes,
                  lambda x: F.cross_entropy(x.movedim(axis, 1), labels, ignore_index=ignored, label_smoothing=smoothing,
                                            **options(x)))


def likely(x, labels, blank):
    """The probability of the labels by the sum over all ways to read them."""
    row = [blank]
    for label in labels:
        row += [label, blank]
    # From a blank, or from the same label, a step goes no farther than to the next.
    far = torch.tensor([i > 1 and row[i] != blank and row[i] != row[i - 2] for i in range(len(row))])
    before = lambda ways, n: F.pad(ways, (n, 0))[:len(row)]
    ways = F.pad(x[0, row[:2]], (0, max(len(row) - 2, 0)))
    for at in x[1:]:
        ways = (ways + before(ways, 1) + before(ways, 2) * far) * at[row]
    return ways[-2:].sum()


@op("ctc")
def ctc(d):
    steps, batch, c = d.int(1, 6), d.int(1, 3), d.int(2, 4)
    blank, longest = d.int(0, c - 1), d.int(1, 3)
    labels = d.numpy.integers(0, c - 1, size=(batch, longest))
    labels = labels + (labels >= blank)
    counts = [d.int(0, longest) for _ in range(batch)]
    lengths = [d.int(1, steps) for _ in range(batch)]
    how, zero = reduction(d), d.chance(0.7)
    x = d.of_shape([steps, batch, c])
    [x] = d.step("log_softmax", [x], {"axis": -1}, lambda x: torch.log_softmax(x, -1))
    list_ = lambda a: torch.tensor(a)
    theirs = lambda x: F.ctc_loss(x, list_(labels), list_(lengths), list_(counts), blank, how, zero)

    def call(x):
        # PyTorch's derivative is a difference from the softmax, which may leave no digit, and has no derivative.
        losses = []
        for i in range(batch):
            row = labels[i, :counts[i]].tolist()
            needed = len(row) + sum(a == b for a, b in zip(row, row[1:]))
            p = likely(x[:lengths[i], i].exp(), row, blank)
            losses.append(-p.log() if needed <= lengths[i] or not zero else x.sum() * 0)
        losses = torch.stack(losses)
        return {"none": losses, "sum": losses.sum(), "mean": (losses / list_(counts).clamp_min(1)).mean()}[how]

    if bool(torch.isinf(theirs(d.at(x))).any()):
        # Of what is impossible there is no derivative.
        d.program.order = 0
    if d.program.flavour == "far":
        # Probabilities of 0, but by their logarithms.
        d.program.order = min(d.program.order, 1)
        call = theirs
    assert torch.allclose(call(d.at(x)), theirs(d.at(x)), 1e-9, 1e-9), "PyTorch's loss is another"
    return d.step("ctc", [x], {"reduction": how, "blank": blank, "zero_infinity": zero,
                               "labels": [[batch, longest], labels.reshape(-1).tolist()],
                               "steps": [[batch], lengths], "counts": [[batch], counts]}, call)

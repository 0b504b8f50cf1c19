"""Metrics as scikit-learn computes them.

Run in this folder: python metrics.py > metrics.json
With a seed and a number, cases drawn at random instead, for WENGERT_METRIC_CASES: python metrics.py 1 2000 > /tmp/cases.json
"""

import json
import sys
import warnings

import numpy as np
from scipy.special import expit, log_softmax, softmax
from sklearn import metrics as sk
from sklearn.calibration import calibration_curve

warnings.simplefilter("ignore")
random = np.random.default_rng(0)
IGNORED = -100


def classes_of(x, threshold=0.0):
    """The first of the largest; of a single output, whether it is above the threshold."""
    return x.argmax(-1) if x.ndim > 1 and x.shape[-1] > 1 else (x.reshape(-1) > threshold).astype(int)


def chosen(x, y):
    """All metrics by the class that is chosen."""
    count = max(2, x.shape[-1] if x.ndim > 1 else 2)
    flat = x.reshape(-1, x.shape[-1]) if x.ndim > 1 and x.shape[-1] > 1 else x.reshape(-1)
    keep = y.reshape(-1) != IGNORED
    flat, y = flat[keep], y.reshape(-1)[keep]
    p = classes_of(flat)
    out = {"accuracy": sk.accuracy_score(y, p)}
    everything = list(range(count))
    out["confusion"] = sk.confusion_matrix(y, p, labels=everything).reshape(-1).tolist()
    present = sorted(set(y) | set(p))
    for name, of in [("precision", sk.precision_score), ("recall", sk.recall_score), ("f1", sk.f1_score)]:
        for average in ["micro", "macro", "weighted"]:
            out[f"{average}_{name}"] = of(y, p, average=average, zero_division=0)
        by_class = of(y, p, labels=everything, average=None, zero_division=0)
        out[f"{name}_by_class"] = [v if c in present else None for c, v in enumerate(by_class.tolist())]
        if count == 2:
            out[name] = of(y, p, average="binary", zero_division=0)
    if flat.ndim > 1:
        # The first of equal ones counts there, the last here.
        for k in range(1, count):
            out[f"top_{k}_accuracy"] = sk.top_k_accuracy_score(
                count - 1 - y, flat[:, ::-1], k=k, labels=everything
            ) if count > 2 else out["accuracy"]
    return out


def mean_over(y, p, of, needed):
    values = [of((y == c).astype(int), p[:, c]) for c in range(p.shape[1]) if needed((y == c).sum(), len(y))]
    return float(np.mean(values)) if values else None


def scored(x, y, probabilities=False):
    """All metrics of probabilities."""
    single = x.ndim == 1 or x.shape[-1] == 1
    x = x.reshape(-1) if single else x.reshape(-1, x.shape[-1])
    keep = y.reshape(-1) != IGNORED
    x, y = x[keep], y.reshape(-1)[keep]
    p = x if probabilities else (expit(x) if single else softmax(x, axis=-1))
    both = np.stack([1 - p, p], 1) if single else p
    out = {}
    if both.shape[1] == 2:
        score = x if single else (p[:, 1] if probabilities else x[:, 1] - x[:, 0])
        if 0 < y.sum() < len(y):
            out["roc_auc"] = sk.roc_auc_score(y, score)
        if y.sum() > 0:
            out["average_precision"] = sk.average_precision_score(y, score)
    else:
        out["roc_auc"] = mean_over(y, p, sk.roc_auc_score, lambda k, n: 0 < k < n)
        out["average_precision"] = mean_over(y, p, sk.average_precision_score, lambda k, n: k > 0)
        if len(set(y)) == p.shape[1]:
            assert abs(out["roc_auc"] - sk.roc_auc_score(y, p, multi_class="ovr", average="macro")) < 1e-14
    loss = sk.log_loss(y, both, labels=list(range(both.shape[1])))
    if not probabilities:
        logits = np.stack([np.zeros_like(x), x], 1) if single else x
        exact = -np.mean(np.take_along_axis(log_softmax(logits, -1), y[:, None], 1))
        assert abs(exact - loss) < 1e-9, (exact, loss)
        loss = exact
    out["log_loss"] = float(loss)
    out["perplexity"] = float(np.exp(loss))
    out["bits_per_character"] = float(loss / np.log(2))
    confidence, choice = both.max(1), (classes_of(x, 0.5 if probabilities else 0.0) if single else both.argmax(1))
    right = (choice == y).astype(int)
    for bins in [1, 10, 15]:
        true, predicted = calibration_curve(right, confidence, n_bins=bins, pos_label=1)
        of_bins = np.bincount(np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], confidence))
        error = np.sum(of_bins[of_bins > 0] / len(y) * np.abs(true - predicted))
        out[f"calibration_error_{bins}"] = float(error)
    return out


def regression(x, y):
    x, y = (v.reshape(-1, v.shape[-1]) if v.ndim > 1 else v for v in (x, y))
    return {
        "mean_absolute_error": sk.mean_absolute_error(y, x),
        "root_mean_squared_error": sk.root_mean_squared_error(y, x),
        "mean_absolute_percentage_error": sk.mean_absolute_percentage_error(y, x),
        "r2": sk.r2_score(y, x) if len(y) > 1 else None,
    }


def pack(v):
    return {"shape": list(v.shape), "values": v.reshape(-1).tolist()}


cases = []


def case(name, x, y, *kinds, single=True):
    """In both precisions if the numbers are the same in both."""
    x, y = np.asarray(x, float), np.asarray(y)
    if single:
        x = x.astype(np.float32).astype(float)
    values = {}
    for kind in kinds:
        values |= {
            "chosen": lambda: chosen(x, y),
            "scored": lambda: scored(x, y),
            "probabilities": lambda: scored(x, y, True),
            "regression": lambda: regression(x, y),
        }[kind]()
    values = {k: (float(v) if isinstance(v, (np.floating, float)) else v) for k, v in values.items()}
    cases.append({
        "name": name, "kind": kinds[-1], "single": single, "outputs": pack(x), "targets": pack(y), "values": values,
    })


normal = lambda *shape: random.normal(size=shape)
labels = lambda high, *shape: random.integers(0, high, size=shape)
both = ("chosen", "scored")
case("four classes", normal(57, 4), labels(4, 57), *both)
case("ten classes", 3 * normal(200, 10), labels(10, 200), *both)
case("ties", labels(3, 120, 5), labels(5, 120), "chosen")
case("steps of time", normal(6, 7, 3), labels(3, 6, 7), *both)
ignored = labels(4, 6, 9)
ignored[random.random((6, 9)) < 0.3] = IGNORED
case("ignored labels", normal(6, 9, 4), ignored, *both)
x = normal(60, 5)
x[:, 3] = -20
case("a class that is never predicted", x, labels(5, 60), *both)
case("a class that never occurs", normal(60, 5), np.array([0, 1, 2, 4])[labels(4, 60)], *both)
case("a class that neither occurs nor is predicted", x, np.array([0, 1, 2, 4])[labels(4, 60)], *both)
case("one class only", normal(20, 3), np.full(20, 1), *both)
case("one example", normal(1, 3), np.array([2]), *both)
case("all right", 5 * np.eye(4)[np.arange(40) % 4], np.arange(40) % 4, *both)
case("all wrong", 5 * np.eye(4)[(np.arange(40) + 1) % 4], np.arange(40) % 4, *both)
case("two classes in two columns", normal(80, 2), labels(2, 80), *both)
case("two classes in one column", normal(80, 1), labels(2, 80), *both)
case("two classes without a column", normal(80), labels(2, 80), *both)
case("two classes over time", normal(8, 5, 1), labels(2, 8, 5), *both)
case("two classes with ties", np.round(2 * normal(150)) / 2, labels(2, 150), *both)
case("two classes all tied", np.zeros(30), labels(2, 30), *both)
case("two classes, only 0", normal(25), np.zeros(25, int), *both)
case("two classes, only 1", normal(25), np.ones(25, int), *both)
case("two classes, 1 never predicted", -1 - normal(25) ** 2, labels(2, 25), *both)
ignored = labels(2, 70)
ignored[::5] = IGNORED
case("two classes with ignored labels", normal(70), ignored, *both)
case("large logits", 30 * normal(40, 4), labels(4, 40), "chosen")
p = softmax(normal(90, 3), axis=-1)
case("probabilities", p, labels(3, 90), "probabilities", single=False)
p = np.round(8 * softmax(normal(90, 4), axis=-1)) / 8
p[:, 0] += 1 - p.sum(1)
p = np.clip(p, 0, 1)
p /= p.sum(1, keepdims=True)
case("probabilities with ties, zeros and ones", p, labels(4, 90), "probabilities", single=False)
case("probabilities of two", np.round(10 * random.random(90)) / 10, labels(2, 90), "probabilities", single=False)
case("probabilities of two in two columns", np.stack([q := random.random(50), 1 - q], 1)[:, ::-1], labels(2, 50), "probabilities", single=False)
case("probabilities of 0 and 1", labels(2, 40), labels(2, 40), "probabilities")
f32 = lambda v: v.astype(np.float32).astype(float)
for name, shape in [("values", (64,)), ("values in a column", (64, 1)), ("three columns", (40, 3)), ("columns over time", (5, 8, 2))]:
    y = f32(normal(*shape))
    case(name, y + 0.3 * normal(*shape), y, "regression")
y = f32(normal(30))
y[::4] = 0
case("targets of 0", y + 0.1 * normal(30), y, "regression")
case("equal targets", normal(10), np.full(10, 2.5), "regression")
case("equal targets, met", np.full(10, 2.5), np.full(10, 2.5), "regression")
case("worse than the mean", -f32(y), y, "regression")
case("one value", normal(1), f32(normal(1)), "regression")
case("a column of equal targets", normal(12, 2), np.stack([np.full(12, 0.5), f32(normal(12))], 1), "regression")
y = np.round(1e6 + normal(50), 6)  # Digits that every parser reads exactly.
case("a small spread far from 0", np.round(y + 0.5 * normal(50), 6), y, "regression", single=False)
y = 1e150 * normal(50)
case("large values", y + 1e149 * normal(50), y, "regression", single=False)



def drawn(number):
    """A set of examples drawn at random: ties, absent classes, one class only, ignored labels, a single example."""
    chance = lambda p: random.random() < p
    count = int(random.choice([1, 2, 3, 5, 17, 60, 200]))
    if chance(0.25):
        shape = [(count,), (count, 1), (count, 3), (count, 2, 2)][random.integers(4)]
        y = f32(normal(*shape) * 10.0 ** random.integers(-3, 4))
        if chance(0.3):
            y = np.round(y)
        if chance(0.1):
            y = np.full(shape, 1.5)
        x = y + f32(normal(*shape)) * 10.0 ** random.integers(-4, 2)
        case(f"drawn {number}", x, y, "regression")
        return
    classes = int(random.choice([2, 2, 3, 4, 7]))
    shape = (count,) if chance(0.7) else (count, int(random.integers(1, 5)))
    single = classes == 2 and chance(0.6)
    # A last axis of one or of as many outputs as labels would be taken for classes.
    x = normal(*shape) if single and len(shape) == 1 else normal(*shape, 1 if single else classes)
    y = random.choice(np.flatnonzero(random.random(classes) < 0.7), size=shape) if chance(0.5) else labels(classes, *shape)
    if chance(0.4):
        x = np.round(2 * x) / 2
    if chance(0.2):
        x[..., -1] = 0
    if chance(0.4):
        y = np.where(random.random(shape) < 0.3, IGNORED, y)
        if (y == IGNORED).all():
            y.reshape(-1)[0] = 0
    if chance(0.3) and x.ndim <= 2:
        p = expit(x) if single else softmax(x, axis=-1)
        case(f"drawn {number}", p, y, "probabilities", single=False)
    else:
        case(f"drawn {number}", x, y, *both)


if len(sys.argv) > 2:
    random, cases = np.random.default_rng(int(sys.argv[1])), []
    tried = 0
    while len(cases) < int(sys.argv[2]):
        tried += 1
        try:
            drawn(tried)
        except (ValueError, AssertionError) as error:
            print(f"drawn {tried}: {error}", file=sys.stderr)

print(json.dumps({"scikit-learn": __import__("sklearn").__version__, "cases": cases}, indent=None, separators=(",", ":")))

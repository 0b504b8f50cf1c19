"""Losses as PyTorch computes them, in double precision, with the gradients of all their inputs.

Run in this folder: python losses.py > losses.json
"""

import json

import torch
import torch.nn.functional as F

from make import case, pack

torch.set_default_dtype(torch.float64)
torch.manual_seed(1)


def labelled():
    x, labels = torch.randn(5, 4), torch.tensor([0, 3, -100, 2, 1])
    image, image_labels = torch.randn(2, 3, 2, 2), torch.randint(0, 3, (2, 2, 2))
    image_labels[0, 1, 0] = -100
    w, w3 = torch.tensor([0.5, 1.0, 2.0, 0.25]), torch.tensor([0.5, 1.0, 2.0])
    q = torch.softmax(torch.randn(5, 4), 1)
    for reduction in ["mean", "sum", "none"]:
        r = {"reduction": reduction}
        for weight, image_weight in [(None, None), (w, w3)]:
            o = {"weights": weight.tolist() if weight is not None else None, **r}
            io = {"weights": image_weight.tolist() if image_weight is not None else None, **r}
            for smoothing in [0.0, 0.2]:
                s = {"label_smoothing": smoothing}
                f = lambda x: F.cross_entropy(x, labels, weight=weight, **s, **r)
                yield case("ce", f, [x], {"labels": labels.tolist(), **s, **o})
                f = lambda x: F.cross_entropy(x, image_labels, weight=image_weight, **s, **r)
                yield case("ce_axis", f, [image], {"labels": image_labels.reshape(-1).tolist(), **s, **io})
                f = lambda x: F.cross_entropy(x, q, weight=weight, **s, **r)
                yield case("ce_probabilities", f, [x], {"target": pack(q), **s, **o})
                if weight is None:
                    f = lambda x, m, b: F.cross_entropy(F.linear(x, m, b), labels, **s, **r)
                    inputs = [torch.randn(5, 3), torch.randn(4, 3), torch.randn(4)]
                    yield case("linear_ce", f, inputs, {"labels": labels.tolist(), **s, **o})
            f = lambda x: F.nll_loss(x, labels, weight=weight, **r)
            yield case("nll", f, [x], {"labels": labels.tolist(), **o})
            f = lambda x: F.nll_loss(x, image_labels, weight=image_weight, **r)
            yield case("nll_axis", f, [image], {"labels": image_labels.reshape(-1).tolist(), **io})
            for p in [1, 2]:
                y = torch.tensor([0, 3, 1, 2, 1])
                f = lambda x: F.multi_margin_loss(x, y, p=p, margin=0.7, weight=weight, **r)
                yield case("multi_margin", f, [x], {"labels": y.tolist(), "p": p, **o})
            t = torch.randint(0, 2, (5, 4)).double()
            f = lambda x: F.multilabel_soft_margin_loss(x, t, weight=weight, **r)
            yield case("multi_label_soft_margin", f, [x], {"target": pack(t), **o})
        listed = torch.tensor([[3, 0, -1, 1], [2, -1, 0, 1], [-1, 0, 1, 2], [0, 1, 2, 3], [1, -1, -1, -1]])
        right = torch.zeros(5, 4)
        for row, of in zip(listed, right):
            for j in row:
                if j < 0:
                    break
                of[j] = 1.0
        f = lambda x: F.multilabel_margin_loss(x, listed, **r)
        yield case("multi_label_margin", f, [x], {"target": pack(right), **r})


def others():
    a, b, c = torch.randn(4, 3), torch.randn(4, 3), torch.randn(4, 3)
    sign, signs = torch.tensor([1.0, -1.0, 1.0, -1.0]), torch.sign(torch.randn(4, 3))
    p = torch.softmax(torch.randn(4, 3), 1)
    p[0] = torch.tensor([0.0, 0.25, 0.75])
    counts = torch.tensor([[0.0, 1.0, 2.0], [5.0, 0.0, 3.0], [1.0, 1.0, 4.0], [2.0, 7.0, 0.0]])
    for reduction in ["mean", "sum", "none"]:
        r = {"reduction": reduction}
        yield case("kl_div", lambda a: F.kl_div(a, p, **r), [a], {"target": pack(p), **r})
        yield case("kl_div_log", lambda a, b: F.kl_div(a, b, log_target=True, **r), [a, b], r)
        for full in [False, True]:
            o = {"full": full, **r}
            f = lambda a: F.poisson_nll_loss(a, counts, full=full, **r)
            yield case("poisson_nll", f, [a], {"target": pack(counts), "log_input": True, **o})
            f = lambda a: F.poisson_nll_loss(a, counts, log_input=False, full=full, **r)
            yield case("poisson_nll", f, [a.abs() + 0.1], {"target": pack(counts), "log_input": False, **o})
            for v in [torch.rand(4, 3), torch.rand(4, 1), torch.rand(4)]:
                v.view(-1)[0] = 1e-9
                yield case("gaussian_nll", lambda a, b, v: F.gaussian_nll_loss(a, b, v, full=full, **r), [a, b, v], o)
        for margin in [0.0, 0.4]:
            o = {"margin": margin, **r}
            f = lambda a, b: F.margin_ranking_loss(a, b, signs, margin=margin, **r)
            yield case("margin_ranking", f, [a, b], {"target": pack(signs), **o})
            f = lambda a: F.hinge_embedding_loss(a, signs, margin=margin, **r)
            yield case("hinge_embedding", f, [a], {"target": pack(signs), **o})
            f = lambda a, b: F.cosine_embedding_loss(a, b, sign, margin=margin, **r)
            yield case("cosine_embedding", f, [a, b], {"target": pack(sign), **o})
            for norm in [1.0, 2.0, 3.0]:
                for swap in [False, True]:
                    f = lambda a, b, c: F.triplet_margin_loss(a, b, c, margin=1 + margin, p=norm, swap=swap, **r)
                    yield case("triplet_margin", f, [a, b, c], {"p": norm, "swap": swap, **o})
        yield case("soft_margin", lambda a: F.soft_margin_loss(a, signs, **r), [a], {"target": pack(signs), **r})
    f = lambda a: F.kl_div(a, p, reduction="batchmean")
    yield case("kl_div_batch_mean", f, [a], {"target": pack(p), "reduction": "mean"})


def ctc():
    x = torch.randn(6, 4, 5)
    labels = torch.tensor([[1, 1, 2], [3, 0, 0], [2, 1, 4], [4, 4, 4]])
    steps, counts = torch.tensor([6, 4, 3, 5]), torch.tensor([3, 0, 3, 3])
    joined = torch.cat([row[:n] for row, n in zip(labels, counts)])
    for reduction in ["mean", "sum", "none"]:
        r = {"reduction": reduction}
        o = {"steps": steps.tolist(), "counts": counts.tolist(), **r}
        f = lambda x: F.ctc_loss(x.log_softmax(-1), labels, steps, counts, **r)
        yield case("padded", f, [x], {"labels": labels.reshape(-1).tolist(), "blank": 0, **o})
        f = lambda x: F.ctc_loss(x.log_softmax(-1), joined, steps, counts, blank=0, **r)
        yield case("joined", f, [x], {"labels": joined.tolist(), "blank": 0, **o})
        # Too few steps for the last sequence.
        f = lambda x: F.ctc_loss(x.log_softmax(-1), labels, steps - 1, counts, zero_infinity=True, **r)
        o["steps"] = (steps - 1).tolist()
        yield case("zero_infinity", f, [x], {"labels": labels.reshape(-1).tolist(), "blank": 0, **o})
    f = lambda x: F.ctc_loss(x.log_softmax(-1), torch.tensor([[0, 1]]), torch.tensor([6]), torch.tensor([2]), blank=4)
    o = {"steps": [6], "counts": [2], "labels": [0, 1], "blank": 4, "reduction": "mean"}
    yield case("padded", f, [x[:, :1]], o)


if __name__ == "__main__":
    print(json.dumps({"labelled": list(labelled()), "others": list(others()), "ctc": list(ctc())}))

"""Losses, layers and models as PyTorch computes them, in double precision.

Run in this folder: python make.py > golden.json
"""

import json

import torch
import torch.nn.functional as F
from torch import nn

torch.set_default_dtype(torch.float64)
torch.manual_seed(0)


def pack(t):
    return {"shape": list(t.shape), "values": t.detach().reshape(-1).tolist()}


def case(name, function, inputs, options=None):
    """The output of `function` and the gradients of the sum of its output's products with fixed weights."""
    inputs = [t.clone().requires_grad_(True) for t in inputs]
    output = function(*inputs)
    weights = torch.linspace(-1.0, 2.0, output.numel()).reshape(output.shape)
    grads = torch.autograd.grad((output * weights).sum(), inputs, allow_unused=True)
    return {
        "name": name,
        "inputs": [pack(t) for t in inputs],
        "output": pack(output),
        "grads": [pack(g) for g in grads],
        **(options or {}),
    }


def losses():
    x = torch.randn(4, 5)
    labels = torch.tensor([0, 4, 2, 2])
    q = torch.softmax(torch.randn(4, 5), 1)
    image = torch.randn(2, 3, 2, 2)
    image_labels = torch.randint(0, 3, (2, 2, 2))
    p, t = torch.rand(3, 4), torch.rand(3, 4)
    p[0, 0], t[0, 0], p[0, 1], t[0, 1] = 0.0, 1.0, 1.0, 0.0
    a, b = 3 * torch.randn(3, 4), torch.randn(3, 4)
    for reduction in ["mean", "sum", "none"]:
        r = {"reduction": reduction}
        for smoothing in [0.0, 0.1]:
            s = {"label_smoothing": smoothing, **r}
            yield case("ce_labels", lambda x: F.cross_entropy(x, labels, **s), [x], {"labels": labels.tolist(), **s})
            yield case("ce_probabilities", lambda x: F.cross_entropy(x, q, **s), [x], {"target": pack(q), **s})
            yield case(
                "ce_axis",
                lambda x: F.cross_entropy(x, image_labels, **s),
                [image],
                {"labels": image_labels.reshape(-1).tolist(), **s},
            )
        yield case("mse", lambda a: F.mse_loss(a, b, **r), [a], {"target": pack(b), **r})
        yield case("l1", lambda a: F.l1_loss(a, b, **r), [a], {"target": pack(b), **r})
        yield case("huber", lambda a: F.huber_loss(a, b, delta=1.5, **r), [a], {"target": pack(b), **r})
        yield case("smooth_l1", lambda a: F.smooth_l1_loss(a, b, beta=0.7, **r), [a], {"target": pack(b), **r})
        yield case("bce", lambda p: F.binary_cross_entropy(p, t, **r), [p], {"target": pack(t), **r})
        w = torch.tensor(2.5)
        yield case(
            "bce_with_logits",
            lambda a: F.binary_cross_entropy_with_logits(10 * a, t, pos_weight=w, **r),
            [a],
            {"target": pack(t), **r},
        )


def activations():
    x = torch.cat([torch.linspace(-6, 6, 25), torch.tensor([-30.0, 30.0, 0.0, 1e-9, -1e-9])])
    for name, function in {
        "Relu": F.relu,
        "LeakyRelu": lambda x: F.leaky_relu(x, 0.2),
        "Elu": lambda x: F.elu(x, 1.3),
        "Silu": F.silu,
        "Gelu": F.gelu,
        "GeluTanh": lambda x: F.gelu(x, approximate="tanh"),
        "Tanh": torch.tanh,
        "Sigmoid": torch.sigmoid,
        "Softplus": lambda x: F.softplus(x, threshold=1000),
        "Softmax": lambda x: F.softmax(x, -1),
        "LogSoftmax": lambda x: F.log_softmax(x, -1),
    }.items():
        yield case(name, function, [x])


def layers():
    x, w, b = torch.randn(2, 3, 4), torch.randn(5, 4), torch.randn(5)
    yield case("Linear", F.linear, [x, w, b])
    x, w, b = torch.randn(2, 4, 7, 6), torch.randn(6, 2, 3, 2), torch.randn(6)
    options = {"stride": (2, 1), "padding": (1, 2), "dilation": (2, 1), "groups": 2}
    yield case("Conv2d", lambda x, w, b: F.conv2d(x, w, b, **options), [x, w, b])
    x = torch.randn(2, 2, 7, 8)
    yield case("MaxPool2d", lambda x: F.max_pool2d(x, (3, 2), stride=(2, 1), padding=(1, 1), dilation=(1, 2)), [x])
    for include in [True, False]:
        yield case(
            f"AvgPool2d {include}",
            lambda x: F.avg_pool2d(x, (3, 2), stride=(2, 1), padding=(1, 1), count_include_pad=include),
            [x],
        )


def models():
    """Loss, gradient and a Hessian-vector product of an MLP and of LeNet, by parameter name."""
    mlp = nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 3))
    lenet = nn.Sequential(
        nn.Conv2d(1, 2, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(2, 3, 3), nn.ReLU(), nn.AvgPool2d(2),
        nn.Flatten(), nn.Linear(12, 4),
    )
    for name, model, x, classes in [("mlp", mlp, torch.randn(4, 6), 3), ("lenet", lenet, torch.randn(3, 1, 12, 12), 4)]:
        labels = torch.randint(0, classes, (len(x),))
        params = list(model.parameters())
        loss = F.cross_entropy(model(x), labels)
        grads = torch.autograd.grad(loss, params, create_graph=True)
        vectors = [torch.randn_like(p) for p in params]
        products = torch.autograd.grad(sum((g * v).sum() for g, v in zip(grads, vectors)), params)
        flat = lambda ts: torch.cat([t.detach().reshape(-1) for t in ts]).tolist()
        yield {
            "name": name,
            "x": pack(x),
            "labels": labels.tolist(),
            "names": [n for n, _ in model.named_parameters()],
            "params": flat(params),
            "loss": loss.item(),
            "gradient": flat(grads),
            "vector": flat(vectors),
            "product": flat(products),
        }


if __name__ == "__main__":
    print(
        json.dumps(
            {
                "losses": list(losses()),
                "activations": list(activations()),
                "layers": list(layers()),
                "models": list(models()),
            }
        )
    )

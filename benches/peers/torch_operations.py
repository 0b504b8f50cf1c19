"""The operations of `--bin operations` in PyTorch: python torch_operations.py [--threads T] [--only NAME] [--beside FILE].

Without a file the same lines: the name, the least milliseconds of the value, and of the value with the gradient of its sum. With what
`operations` printed, both beside each other, the largest ratio of the gradients first."""

import argparse
import time

import torch
import torch.nn.functional as F

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--only", default="")
parser.add_argument("--beside")
args = parser.parse_args()
torch.set_num_threads(args.threads)
torch.manual_seed(0)
normal = torch.randn
L = torch.linalg


def least(work):
    start, best, run = time.perf_counter(), float("inf"), 0
    while run < 6 or (run < 200 and time.perf_counter() - start < 0.15):
        before = time.perf_counter()
        work()
        best, run = min(best, time.perf_counter() - before), run + 1
    return best * 1e3


def timed(name, x, operation):
    with torch.no_grad():
        value = least(lambda: operation(x))
    x = x.clone().requires_grad_()
    return value, least(lambda: torch.autograd.grad(operation(x).sum(), x))


def elementwise():
    x, y = normal(1024, 1024), normal(1024, 1024)
    yield "exp", x, torch.exp
    yield "expm1", x, torch.expm1
    yield "log", x, lambda x: (x.abs() + 0.1).log()
    yield "tanh", x, torch.tanh
    yield "sigmoid", x, torch.sigmoid
    yield "sin", x, torch.sin
    yield "erf", x, torch.erf
    yield "lgamma", x, lambda x: (x.abs() + 0.5).lgamma()
    yield "digamma", x, lambda x: (x.abs() + 0.5).digamma()
    yield "pow", x, lambda x: (x.abs() + 0.1) ** 1.7
    yield "sqrt", x, lambda x: (x.abs() + 0.1).sqrt()
    yield "atan2", x, lambda x: torch.atan2(x, y)
    yield "clamp", x, lambda x: x.clamp(-0.5, 0.5)
    yield "maximum", x, lambda x: torch.maximum(x, y)
    yield "where", x, lambda x: torch.where(x > 0, x, y)
    yield "add", x, lambda x: x + y
    yield "mul", x, lambda x: x * y
    yield "div", x, lambda x: y / (x.abs() + 1)
    yield "relu", x, torch.relu
    yield "gelu", x, F.gelu
    yield "softplus", x, F.softplus
    positive = y.abs() + 0.5
    yield "square", x, torch.square
    yield "tan", x, torch.tan
    yield "atan", x, torch.atan
    yield "asin", x, lambda x: (x * 0.2).asin()
    yield "sinh", x, torch.sinh
    yield "asinh", x, torch.asinh
    yield "log2", x, lambda x: (x.abs() + 0.1).log2()
    yield "exp2", x, torch.exp2
    yield "erfinv", x, lambda x: (x * 0.15).erfinv()
    yield "i0", x, torch.i0
    yield "sinc", x, torch.sinc
    yield "polygamma 1", x, lambda x: torch.polygamma(1, x.abs() + 0.5)
    yield "hypot", x, lambda x: torch.hypot(x, y)
    yield "logaddexp", x, lambda x: torch.logaddexp(x, y)
    yield "xlogy", x, lambda x: torch.xlogy(x, positive)
    yield "remainder", x, lambda x: torch.remainder(x, positive)
    yield "copysign", x, lambda x: torch.copysign(x, y)
    yield "lerp", x, lambda x: torch.lerp(x, y, 0.3)
    yield "log_sigmoid", x, F.logsigmoid


def reductions():
    x, y, gain, bias = normal(1024, 1024), normal(1024, 1024), normal(1024), normal(1024)
    labels = torch.randint(0, 1024, (1024,))
    for axis in (0, 1):
        yield f"sum {axis}", x, lambda x: x.sum(axis)
        yield f"var {axis}", x, lambda x: x.var(axis)
        yield f"amax {axis}", x, lambda x: x.amax(axis)
        yield f"logsumexp {axis}", x, lambda x: x.logsumexp(axis)
        yield f"softmax {axis}", x, lambda x: x.softmax(axis)
        yield f"cumsum {axis}", x, lambda x: x.cumsum(axis)
    yield "mean", x, torch.mean
    yield "std 1", x, lambda x: x.std(1)
    yield "log_softmax 0", x, lambda x: x.log_softmax(0)
    yield "log_softmax 1", x, lambda x: x.log_softmax(1)
    yield "norm of order 1", x, lambda x: L.vector_norm(x, 1, dim=1)
    yield "norm of order 3", x, lambda x: L.vector_norm(x, 3, dim=1)
    yield "nansum 1", x, lambda x: x.nansum(1)
    yield "cummin 1", x, lambda x: x.cummin(1)[0]
    yield "cosine_similarity", x, lambda x: F.cosine_similarity(x, y, 1)
    yield "prod 1", x, lambda x: x.prod(1)
    yield "norm 1", x, lambda x: L.vector_norm(x, dim=1)
    yield "cumprod 1", x, lambda x: x.cumprod(1)
    yield "cummax 1", x, lambda x: x.cummax(1)[0]
    yield "logcumsumexp 1", x, lambda x: x.logcumsumexp(1)
    yield "layer_norm", x, lambda x: F.layer_norm(x, (1024,), gain, bias)
    yield "rms_norm", x, lambda x: F.rms_norm(x, (1024,), gain)
    yield "cross_entropy", x, lambda x: F.cross_entropy(x, labels)


def rows():
    x, y = normal(1024, 1024), normal(1024, 1024)
    for axis in (0, 1):
        yield f"sort {axis}", x, lambda x: x.sort(axis)[0]
    yield "topk 1", x, lambda x: x.topk(10, 1)[0]
    yield "median 1", x, lambda x: x.median(1)[0]
    yield "kthvalue 1", x, lambda x: x.kthvalue(300, 1)[0]
    yield "quantile 1", x, lambda x: x.quantile(0.3, 1)
    picked, places = torch.randint(0, 1024, (4096,)), torch.randint(0, 1024, (1024, 512))
    for axis in (0, 1):
        yield f"index_select {axis}", x, lambda x: x.index_select(axis, picked)
    yield "gather 1", x, lambda x: x.gather(1, places)
    yield "index_add 0", normal(4096, 1024), lambda rows: x.index_add(0, picked, rows)
    yield "scatter_add 1", normal(1024, 512), lambda half: x.scatter_add(1, places, half)
    yield "masked_select", x, lambda x: x.masked_select(x > 0)
    tokens = torch.randint(0, 10_000, (64, 128))
    yield "embedding", normal(10_000, 256), lambda table: F.embedding(tokens, table)
    yield "cat 1", x, lambda x: torch.cat([x, y], 1)
    yield "roll 1", x, lambda x: x.roll(5, 1)
    yield "pad", x, lambda x: F.pad(x, (3, 3, 3, 3))
    yield "tril", x, torch.tril
    yield "repeat", x, lambda x: x.repeat(2, 1)
    yield "diff 1", x, lambda x: x.diff(dim=1)
    rows, half = normal(4096, 1024), normal(1024, 512)
    yield "flip 1", x, lambda x: x.flip(1)
    yield "transposed copy", x, lambda x: x.t() * 2.0
    yield "stack 2", x, lambda x: torch.stack([x, y], 2)
    yield "masked_fill", x, lambda x: x.masked_fill(y > 0, 0.0)
    yield "repeat_interleave 1", x, lambda x: x.repeat_interleave(2, 1)
    yield "diagonal", x, lambda x: x.diagonal(0)
    yield "index_copy 0", rows, lambda rows: x.index_copy(0, picked, rows)
    yield "scatter 1", half, lambda half: x.scatter(1, places, half)
    yield "take", x, lambda x: x.take(places)
    yield "mode 1", x, lambda x: x.mode(1)[0]


def images():
    x, full, deep = normal(16, 32, 56, 56), normal(64, 32, 3, 3), normal(32, 1, 3, 3)
    point, up = normal(64, 32, 1, 1), normal(32, 32, 2, 2)
    yield "conv2d 3x3", x, lambda x: F.conv2d(x, full, padding=1)
    yield "conv2d 3x3 of the weight", full, lambda weight: F.conv2d(x, weight, padding=1)
    yield "conv2d 1x1", x, lambda x: F.conv2d(x, point)
    yield "conv2d by channel", x, lambda x: F.conv2d(x, deep, padding=1, groups=32)
    yield "conv2d by channel of the weight", deep, lambda weight: F.conv2d(x, weight, padding=1, groups=32)
    yield "conv_transpose2d 2x2", x, lambda x: F.conv_transpose2d(x, up, stride=2)
    filters = normal(64, 64, 5)
    yield "conv1d", normal(16, 64, 512), lambda x: F.conv1d(x, filters, padding=2)
    yield "max_pool2d 2x2", x, lambda x: F.max_pool2d(x, 2)
    yield "max_pool2d 3x3", x, lambda x: F.max_pool2d(x, 3, 2, 1)
    yield "avg_pool2d 3x3", x, lambda x: F.avg_pool2d(x, 3, 2, 1)
    yield "adaptive_avg_pool2d", x, lambda x: F.adaptive_avg_pool2d(x, 7)
    yield "avg_pool2d 2x2", x, lambda x: F.avg_pool2d(x, 2)
    gain, bias = normal(32), normal(32)
    yield "group_norm", x, lambda x: F.group_norm(x, 8, gain, bias)
    yield "unfold", x, lambda x: F.unfold(x, 3)
    yield "pixel_shuffle", x, lambda x: F.pixel_shuffle(x, 2)
    yield "interpolate bilinear", normal(16, 32, 28, 28), lambda x: F.interpolate(x, (56, 56), mode="bilinear")
    small = normal(16, 32, 28, 28)
    yield "interpolate bicubic", small, lambda x: F.interpolate(x, (56, 56), mode="bicubic")
    yield "interpolate nearest", small, lambda x: F.interpolate(x, (56, 56))
    yield "pixel_unshuffle", x, lambda x: F.pixel_unshuffle(x, 2)
    grid = normal(8, 64, 64, 2) * 0.5
    yield "grid_sample", normal(8, 16, 64, 64), lambda x: F.grid_sample(x, grid, align_corners=False)
    query = normal(8, 8, 256, 64)
    yield "attention", query, lambda x: F.scaled_dot_product_attention(x, query, query)
    yield "attention causal", query, lambda x: F.scaled_dot_product_attention(x, query, query, is_causal=True)


def eigh(x):
    values, vectors = L.eigh(x + x.T)
    return values.sum() + vectors.square().sum()


def matrices():
    x, y = normal(64, 128, 128), normal(64, 128, 128)
    yield "bmm", x, lambda x: x @ y
    points, others = normal(512, 64), normal(512, 64)
    yield "cdist 1", points, lambda x: torch.cdist(x, others, 1)
    yield "cdist 2", points, lambda x: torch.cdist(x, others)
    yield "pdist 2", points, F.pdist
    yield "pdist 1", points, lambda x: F.pdist(x, 1)
    triples, more = normal(200_000, 3), normal(200_000, 3)
    yield "cross", triples, lambda x: torch.linalg.cross(x, more, dim=1)
    right = normal(32, 32)
    yield "kron", normal(32, 32), lambda x: torch.kron(x, right)
    square, tall, few, many = normal(256, 256), normal(512, 256), normal(256, 16), normal(512, 16)
    identity = torch.eye(256)
    yield "solve", square, lambda x: L.solve(x, few)
    yield "inv", square, L.inv
    yield "det", square, lambda x: L.det(x * 0.06)
    yield "slogdet", square, lambda x: L.slogdet(x)[1]
    yield "cholesky", square, lambda x: L.cholesky(x @ x.T + identity)
    yield "eigvalsh", square, lambda x: L.eigvalsh(x + x.T)
    yield "svdvals", square, L.svdvals
    yield "pinv", tall, L.pinv
    yield "lstsq", tall, lambda x: L.lstsq(x, many).solution
    yield "matrix_exp", square, lambda x: torch.matrix_exp(x * 0.03)
    yield "qr", tall, lambda x: L.qr(x)[1]
    yield "eigh", square, eigh
    yield "matrix_power", square, lambda x: L.matrix_power(x * 0.06, 5)
    vector = normal(1024)
    yield "matrix times vector", normal(1024, 1024), lambda x: x @ vector
    yield "outer", vector, lambda x: torch.outer(x, x)


ours = {}
if args.beside:
    with open(args.beside) as file:
        for line in file:
            name, value, gradient = line.strip().rsplit(" ", 2)
            ours[name] = float(value), float(gradient)

lines = []
for family in (elementwise, reductions, rows, images, matrices):
    for name, x, operation in family():
        if args.only not in name or (args.beside and name not in ours):
            continue
        times = timed(name, x, operation)
        if args.beside:
            value, gradient = (a / b for a, b in zip(ours[name], times))
            lines.append((gradient, value, name))
        else:
            print(name, *(f"{milliseconds:.4f}" for milliseconds in times), flush=True)
for gradient, value, name in sorted(lines, reverse=True):
    print(f"{name:32} value {value:.2f}  with gradient {gradient:.2f}")

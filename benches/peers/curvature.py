"""Hessian-vector and Gauss-Newton products of JAX and PyTorch: python curvature.py {jax,torch} NAME [--threads T] [--quick]

NAME is hvp_M, hvp_M_reuse or ggn_M with M among mlp, cnn, gru, attention. One line of JSON; see README.md.
"""
import argparse
import json
import math
import os
import statistics
import sys
import time

parser = argparse.ArgumentParser()
parser.add_argument("peer", choices=["jax", "torch"])
parser.add_argument("name")
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--quick", action="store_true", help="a few steps, to see that it runs")
args = parser.parse_args()
KIND, _, rest = args.name.partition("_")
REUSE = rest.endswith("_reuse")
MODEL = rest.removesuffix("_reuse")
if KIND not in ("hvp", "ggn") or MODEL not in ("mlp", "cnn", "gru", "attention") or (KIND == "ggn" and REUSE):
    sys.exit("unknown workload " + args.name)

# Before the frameworks make their threads.
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: args.threads])
os.environ["OMP_NUM_THREADS"] = str(args.threads)
os.environ["JAX_PLATFORMS"] = "cpu"
if args.threads == 1:
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"

import numpy as np  # noqa: E402

rng = np.random.default_rng(0)


def normal(*shape):
    return rng.standard_normal(shape, dtype=np.float32)


def linear(inputs, outputs):
    """A weight [inputs, outputs] and a bias, uniform in +-1/sqrt(inputs)."""
    b = 1 / math.sqrt(inputs)
    return [rng.uniform(-b, b, s).astype(np.float32) for s in ((inputs, outputs), (outputs,))]


def convolution(channels, out, kernel):
    b = 1 / math.sqrt(channels * kernel * kernel)
    return [rng.uniform(-b, b, s).astype(np.float32) for s in ((out, channels, kernel, kernel), (out,))]


def labels(n):
    return rng.integers(0, 10, n).astype(np.int32)


def problem():
    """Parameters, input and target of the model."""
    if MODEL == "mlp":
        return linear(784, 128) + linear(128, 10), normal(256, 784), labels(256)
    if MODEL == "cnn":
        layers = [convolution(1, 32, 3), convolution(32, 64, 3), linear(9216, 128), linear(128, 10)]
        return sum(layers, []), normal(64, 1, 28, 28), labels(64)
    if MODEL == "gru":
        return linear(28, 384) + linear(128, 384) + linear(128, 10), normal(28, 64, 28), labels(64)
    norms = [np.ones(128, np.float32), np.zeros(128, np.float32)] * 2
    layers = [linear(128, 384), linear(128, 128), linear(128, 512), linear(512, 128)]
    return norms + sum(layers, []), normal(16, 64, 128), normal(16, 64, 128)


PARAMS, X, TARGET = problem()
DIRECTIONS = [[normal(*p.shape) for p in PARAMS] for _ in range(4)]
POINTS = [PARAMS, [p + np.float32(0.01) * normal(*p.shape) for p in PARAMS]]


def jax_steps():
    import jax
    import jax.numpy as jnp
    from jax import lax

    params, points, directions = jax.tree.map(jnp.asarray, (PARAMS, POINTS, DIRECTIONS))
    x, target = jnp.asarray(X), jnp.asarray(TARGET)

    def norm(x, gain, bias):
        centred = x - x.mean(-1, keepdims=True)
        return centred * lax.rsqrt(jnp.square(centred).mean(-1, keepdims=True) + 1e-5) * gain + bias

    def outputs(p, x):
        if MODEL == "mlp":
            return jax.nn.relu(x @ p[0] + p[1]) @ p[2] + p[3]
        if MODEL == "cnn":
            # Channels last and windows as slices: the fastest of the forms on a CPU.
            x = x.transpose(0, 2, 3, 1)
            for w, b in ((p[0], p[1]), (p[2], p[3])):
                forms = ("NHWC", "OIHW", "NHWC")
                x = jax.nn.relu(lax.conv_general_dilated(x, w, (1, 1), "VALID", dimension_numbers=forms) + b)
            rows = jnp.maximum(x[:, ::2], x[:, 1::2])
            x = jnp.maximum(rows[:, :, ::2], rows[:, :, 1::2])
            return jax.nn.relu(x.reshape(64, -1) @ p[4] + p[5]) @ p[6] + p[7]
        if MODEL == "gru":
            from_inputs = x @ p[0] + p[1]

            def cell(h, g):
                s = h @ p[2] + p[3]
                r = jax.nn.sigmoid(g[:, :128] + s[:, :128])
                z = jax.nn.sigmoid(g[:, 128:256] + s[:, 128:256])
                n = jnp.tanh(g[:, 256:] + r * s[:, 256:])
                return n + z * (h - n), None

            h, _ = lax.scan(cell, jnp.zeros((64, 128)), from_inputs, unroll=4)
            return h @ p[4] + p[5]
        g1, b1, g2, b2, wqkv, bqkv, wo, bo, w1, c1, w2, c2 = p
        heads = (norm(x, g1, b1) @ wqkv + bqkv).reshape(16, 64, 3, 4, 32)
        q, k, v = heads[:, :, 0], heads[:, :, 1], heads[:, :, 2]
        scores = jnp.einsum("bqhd,bkhd->bhqk", q, k) / math.sqrt(32)
        mixed = jnp.einsum("bhqk,bkhd->bqhd", jax.nn.softmax(scores), v).reshape(16, 64, 128)
        x = x + mixed @ wo + bo
        return x + jax.nn.gelu(norm(x, g2, b2) @ w1 + c1, approximate=False) @ w2 + c2

    def loss_of(y, target):
        if MODEL == "attention":
            return jnp.mean(jnp.square(y - target))
        return -jnp.mean(jnp.sum(jax.nn.one_hot(target, 10) * jax.nn.log_softmax(y), -1))

    def loss(p, x, target):
        return loss_of(outputs(p, x), target)

    def hessian(p, v, x, target):
        return jax.jvp(lambda q: jax.grad(loss)(q, x, target), (p,), (v,))[1]

    def gauss_newton(p, v, x, target):
        y, moved = jax.jvp(lambda q: outputs(q, x), (p,), (v,))
        curved = jax.jvp(jax.grad(lambda y: loss_of(y, target)), (y,), (moved,))[1]
        return jax.vjp(lambda q: outputs(q, x), p)[1](curved)[0]

    gradient = jax.jit(jax.grad(loss))
    product = jax.jit(hessian if KIND == "hvp" else gauss_newton)
    make = jax.jit(lambda p, x, target: jax.linearize(lambda q: jax.grad(loss)(q, x, target), p)[1])
    use = jax.jit(lambda linear, v: linear(v))
    kept = make(params, x, target) if REUSE else None

    def step(i):
        v = directions[i % 4]
        found = use(kept, v) if REUSE else product(points[i % 2], v, x, target)
        jax.block_until_ready(found)

    return "jax-%s-jit" % jax.__version__, step, lambda i: jax.block_until_ready(gradient(points[i % 2], x, target))


def torch_steps():
    import torch
    import torch.nn.functional as F

    torch.set_num_threads(args.threads)
    tensors = lambda arrays: tuple(torch.from_numpy(a) for a in arrays)  # noqa: E731
    points = [tensors(p) for p in POINTS]
    directions = [tensors(v) for v in DIRECTIONS]
    x, target = torch.from_numpy(X), torch.from_numpy(TARGET)
    target = target if MODEL == "attention" else target.long()

    def norm(x, gain, bias):
        if not composed:
            return F.layer_norm(x, (128,), gain, bias)
        # The fused operation refuses forward mode.
        centred = x - x.mean(-1, keepdim=True)
        return centred * torch.rsqrt(centred.square().mean(-1, keepdim=True) + 1e-5) * gain + bias

    composed = False

    def outputs(*p):
        if MODEL == "mlp":
            return torch.relu(x @ p[0] + p[1]) @ p[2] + p[3]
        if MODEL == "cnn":
            y = torch.relu(F.conv2d(torch.relu(F.conv2d(x, p[0], p[1])), p[2], p[3]))
            return torch.relu(F.max_pool2d(y, 2).flatten(1) @ p[4] + p[5]) @ p[6] + p[7]
        if MODEL == "gru":
            from_inputs, h = x @ p[0] + p[1], x.new_zeros(64, 128)
            for g in from_inputs.unbind(0):
                (gr, gz, gn), (sr, sz, sn) = g.chunk(3, 1), torch.addmm(p[3], h, p[2]).chunk(3, 1)
                r, z = torch.sigmoid(gr + sr), torch.sigmoid(gz + sz)
                n = torch.tanh(gn + r * sn)
                h = n + z * (h - n)
            return h @ p[4] + p[5]
        g1, b1, g2, b2, wqkv, bqkv, wo, bo, w1, c1, w2, c2 = p
        heads = norm(x, g1, b1) @ wqkv + bqkv
        q, k, v = heads.view(16, 64, 3, 4, 32).permute(2, 0, 3, 1, 4).unbind(0)
        mixed = torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(32), -1) @ v
        y = x + mixed.transpose(1, 2).reshape(16, 64, 128) @ wo + bo
        return y + F.gelu(norm(y, g2, b2) @ w1 + c1) @ w2 + c2

    def loss_of(y):
        return (y - target).square().mean() if MODEL == "attention" else F.cross_entropy(y, target)

    def loss(*p):
        return loss_of(outputs(*p))

    def tracked(p):
        return tuple(t.detach().clone().requires_grad_() for t in p)

    def gradient(i):
        p = tracked(points[i % 2])
        return torch.autograd.grad(loss(*p), p)

    def double_backward(p, v):
        p = tracked(p)
        return torch.autograd.grad(torch.autograd.grad(loss(*p), p, create_graph=True), p, v)

    every = tuple(range(len(PARAMS)))

    def forward_over_reverse(p, v):
        return torch.func.jvp(torch.func.grad(loss, argnums=every), p, v)[1]

    def gauss_newton(p, v):
        _, moved = torch.func.jvp(outputs, p, v)
        y, back = torch.func.vjp(outputs, *p)
        return back(torch.func.jvp(torch.func.grad(loss_of), (y,), (moved,))[1])

    def seconds(way):
        way(points[0], directions[0])
        start = time.perf_counter()
        way(points[1], directions[1])
        return time.perf_counter() - start

    if REUSE:
        p = tracked(points[0])
        g = torch.autograd.grad(loss(*p), p, create_graph=True)
        step = lambda i: torch.autograd.grad(g, p, directions[i % 4], retain_graph=True)  # noqa: E731
    else:
        composed = MODEL == "attention" and KIND == "ggn"
        ways = [gauss_newton] if KIND == "ggn" else [double_backward]
        if KIND == "hvp" and MODEL != "attention":
            ways.append(forward_over_reverse)
        way = min(ways, key=seconds)
        step = lambda i: way(points[i % 2], directions[i % 4])  # noqa: E731
    return "torch-%s-eager" % torch.__version__, step, gradient


def peak_rss_mb():
    try:
        with open("/proc/self/status") as f:
            return next(int(line.split()[1]) / 1024 for line in f if line.startswith("VmHWM:"))
    except OSError:
        return None


def main():
    peer, step, gradient = jax_steps() if args.peer == "jax" else torch_steps()
    for i in range(2 if args.quick else 5):
        step(i)
        gradient(i)
    times, start = ([], []), time.perf_counter()
    least, most = (2, 2) if args.quick else (7, 50)
    while len(times[0]) < least or (len(times[0]) < most and time.perf_counter() - start < 3):
        for work, found in ((step, times[0]), (gradient, times[1])):
            before = time.perf_counter()
            work(len(found))
            found.append((time.perf_counter() - before) * 1e6)
    product_us, gradient_us = (statistics.median(t) for t in times)
    line = {
        "peer": peer,
        "workload": args.name,
        "threads": args.threads,
        "median_us": round(product_us, 3),
        "min_us": round(min(times[0]), 3),
        "peak_rss_mb": peak_rss_mb(),
        "steps": len(times[0]),
        "gradient_us": round(gradient_us, 3),
        "gradients": round(product_us / gradient_us, 3),
        "note": "QUICK" if args.quick else "",
    }
    print(json.dumps(line), flush=True)


main()

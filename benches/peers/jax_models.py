"""Workloads of `compare` in JAX: python jax_models.py NAME [--threads T]; one line of JSON. All is compiled by `jit`; train
steps give up the memory of the old parameters."""

import functools
import math
import os

from harness import arguments, race

TRAINED = ("bert_layer", "lstm", "resnet_block", "conv1d", "gpt_small")
FACTORED = [f"{kind}_{side}" for kind in ("svd", "eigh", "qr", "lu", "cholesky") for side in (256, 512)]
args = arguments([*TRAINED, "embedding", "infer_image", "infer_token", *FACTORED], ["jit"])
os.environ["JAX_PLATFORMS"] = "cpu"
if args.threads == 1:
    flags = os.environ.get("XLA_FLAGS", "")
    os.environ["XLA_FLAGS"] = f"{flags} --xla_cpu_multi_thread_eigen=false".strip()

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
from jax import lax  # noqa: E402

rng = np.random.default_rng(0)


def normal(*shape):
    return jnp.asarray(rng.standard_normal(shape, dtype=np.float32))


def uniform(fan_in, *shape):
    bound = 1 / math.sqrt(fan_in)
    return jnp.asarray(rng.uniform(-bound, bound, shape).astype(np.float32))


def integers(below, *shape):
    return jnp.asarray(rng.integers(0, below, shape).astype(np.int32))


def linear(inputs, outputs):
    return uniform(inputs, inputs, outputs), uniform(inputs, outputs)


def apply(layer, x):
    return x @ layer[0] + layer[1]


def norm(layer, x, axes=(-1,)):
    centred = x - x.mean(axes, keepdims=True)
    return centred * lax.rsqrt(jnp.mean(centred**2, axes, keepdims=True) + 1e-5) * layer[0] + layer[1]


def gain(width):
    return jnp.ones(width), jnp.zeros(width)


def cross_entropy(scores, labels):
    chosen = jax.nn.one_hot(labels, scores.shape[-1])
    return -jnp.mean(jnp.sum(chosen * jax.nn.log_softmax(scores), -1))


def training(params, loss):
    """Adam on the loss, the step compiled as a whole. Running statistics of normalisations are not kept."""
    state = [params, jax.tree.map(jnp.zeros_like, params), jax.tree.map(jnp.zeros_like, params), jnp.zeros(())]

    @functools.partial(jax.jit, donate_argnums=(0, 1, 2, 3))
    def update(params, m, v, t, data):
        value, g = jax.value_and_grad(loss)(params, *data)
        t += 1
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
        rate, scale = 1e-3 / (1 - 0.9**t), lax.rsqrt(1 - 0.999**t)
        params = jax.tree.map(lambda p, m, v: p - rate * m / (jnp.sqrt(v) * scale + 1e-8), params, m, v)
        return params, m, v, t, value

    def with_data(*data):
        current = [jax.tree.map(jnp.copy, part) for part in state]

        def step():
            *current[:], value = update(*current, data)
            return float(value)

        return step

    return with_data


def waiting(function, *inputs):
    function = jax.jit(function)
    return lambda: jax.block_until_ready(function(*inputs))


# Transformers. Positions are turned as in gpt.py.


def block(width):
    half = {"qkv": linear(width, 3 * width), "out": linear(width, width), "norm1": gain(width)}
    return half | {"linear1": linear(width, 4 * width), "linear2": linear(4 * width, width), "norm2": gain(width)}


def heads(p, x, count):
    batch, length, width = x.shape
    return jnp.moveaxis(apply(p["qkv"], x).reshape(batch, length, 3, count, width // count), 2, 0)


def attend(q, k, v, causal=False):
    scores = jnp.einsum("bqhd,bkhd->bhqk", q, k) / math.sqrt(q.shape[-1])
    if causal:
        scores = jnp.where(jnp.tril(jnp.ones(scores.shape[-2:], bool)), scores, -jnp.inf)
    mixed = jnp.einsum("bhqk,bkhd->bqhd", jax.nn.softmax(scores), v)
    return mixed.reshape(*mixed.shape[:2], -1)


def attend_by_library(q, k, v, causal=False):
    y = jax.nn.dot_product_attention(q, k, v, is_causal=causal)
    return y.reshape(*y.shape[:2], -1)


def hidden(p, x):
    return apply(p["linear2"], jax.nn.gelu(apply(p["linear1"], x), approximate=False))


def bert(attend, p, x):
    x = norm(p["norm1"], x + apply(p["out"], attend(*heads(p, x, 12))))
    return norm(p["norm2"], x + hidden(p, x))


def turned(x, position):
    half = x.shape[-1] // 2
    angles = position[:, None] * 10_000.0 ** (-jnp.arange(half) / half)
    cos, sin = jnp.cos(angles)[:, None], jnp.sin(angles)[:, None]
    a, b = x[..., :half], x[..., half:]
    return jnp.concatenate([a * cos - b * sin, b * cos + a * sin], -1)


def gpt():
    layers = [block(128) for _ in range(4)]
    return {"characters": normal(96, 128), "blocks": layers, "norm": gain(128), "out": linear(128, 96)}


def scores(attend, p, text):
    x, position = p["characters"][text], jnp.arange(text.shape[1])
    for b in p["blocks"]:
        q, k, v = heads(b, norm(b["norm1"], x), 4)
        x = x + apply(b["out"], attend(turned(q, position), turned(k, position), v, True))
        x = x + hidden(b, norm(b["norm2"], x))
    return apply(p["out"], norm(p["norm"], x))


def next_character(p, caches, new):
    """Scores behind one new character, and the caches with its keys and values in the last place."""
    x, kept = p["characters"][new], []
    for b, (keys, values) in zip(p["blocks"], caches):
        q, k, v = heads(b, norm(b["norm1"], x), 4)
        position = jnp.array([keys.shape[1] - 1])
        keys, values = keys.at[:, -1:].set(turned(k, position)), values.at[:, -1:].set(v)
        kept.append((keys, values))
        x = x + apply(b["out"], attend(turned(q, position), keys, values))
        x = x + hidden(b, norm(b["norm2"], x))
    return apply(p["out"], norm(p["norm"], x[:, -1])), kept


def writing():
    p = gpt()
    step = jax.jit(next_character, donate_argnums=1)
    kept = [[(normal(1, 65, 4, 32), normal(1, 65, 4, 32)) for _ in range(4)]]
    new = integers(96, 1, 1)

    def write():
        found, kept[0] = step(p, kept[0], new)
        return found.block_until_ready()

    return write


# Convolutions and recurrence.


def convolve(x, weight, layout):
    return lax.conv_general_dilated(x, weight, (1,) * (x.ndim - 2), "SAME", dimension_numbers=layout)


def residual(layout, axes, p, x, target):
    def part(p, x):
        return norm(p["norm"], convolve(x, p["conv"], layout), axes)

    return jnp.mean((jax.nn.relu(x + part(p[1], jax.nn.relu(part(p[0], x)))) - target) ** 2)


def residual_block(layout):
    if layout == "nhwc":
        layout, axes, shape, kernel, width = ("NHWC", "HWIO", "NHWC"), (0, 1, 2), (32, 28, 28, 64), (3, 3, 64, 64), (64,)
    else:
        layout, axes, shape, kernel, width = ("NCHW", "OIHW", "NCHW"), (0, 2, 3), (32, 64, 28, 28), (64, 64, 3, 3), (64, 1, 1)
    params = [{"conv": uniform(576, *kernel), "norm": gain(width)} for _ in range(2)]
    return training(params, functools.partial(residual, layout, axes))(normal(*shape), normal(*shape))


def sequences(layout):
    (kernels, shape) = (((5, 32, 64), (5, 64, 64)), (32, 512, 32)) if layout == "nlc" else (((64, 32, 5), (64, 64, 5)), (32, 32, 512))
    names, wide, time = (("NWC", "WIO", "NWC"), (64,), 1) if layout == "nlc" else (("NCW", "OIW", "NCW"), (64, 1), 2)
    params = {"convs": [(uniform(5 * n, *k), uniform(5 * n, *wide)) for k, n in zip(kernels, (32, 64))], "out": linear(64, 10)}

    def loss(p, x, labels):
        for weight, bias in p["convs"]:
            x = jax.nn.relu(convolve(x, weight, names) + bias)
        return cross_entropy(apply(p["out"], x.mean(time)), labels)

    return training(params, loss)(normal(*shape), integers(10, 32))


def lstm(unroll):
    # As PyTorch has them, with two vectors of biases.
    layers = [{"input": linear(128, 512), "state": linear(128, 512)} for _ in range(2)]

    def loss(p, x, labels):
        for layer in p["layers"]:

            def cell(state, from_input, layer=layer):
                h, c = state
                i, f, g, o = jnp.split(from_input + apply(layer["state"], h), 4, -1)
                c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
                h = jax.nn.sigmoid(o) * jnp.tanh(c)
                return (h, c), h

            zero = jnp.zeros((64, 128))
            _, x = lax.scan(cell, (zero, zero), apply(layer["input"], x), unroll=unroll)
        return cross_entropy(apply(p["out"], x[-1]), labels)

    return training({"layers": layers, "out": linear(128, 10)}, loss)(normal(100, 64, 128), integers(10, 64))


def variants(name):
    if name == "bert_layer":
        x, target, params = normal(8, 128, 384), normal(8, 128, 384), block(384)
        ways = {"einsum": attend, "library": attend_by_library}
        loss = lambda way, p, x, target: jnp.mean((bert(way, p, x) - target) ** 2)  # noqa: E731
        return {n: lambda way=way: training(params, functools.partial(loss, way))(x, target) for n, way in ways.items()}
    if name == "gpt_small":
        text, following, params = integers(96, 16, 128), integers(96, 16, 128), gpt()
        ways = {"einsum": attend, "library": attend_by_library}
        loss = lambda way, p, text, following: cross_entropy(scores(way, p, text), following)  # noqa: E731
        return {n: lambda way=way: training(params, functools.partial(loss, way))(text, following) for n, way in ways.items()}
    if name == "resnet_block":
        return {layout: functools.partial(residual_block, layout) for layout in ("nhwc", "nchw")}
    if name == "conv1d":
        return {layout: functools.partial(sequences, layout) for layout in ("nlc", "ncl")}
    if name == "lstm":
        return {f"scan-unroll{unroll}": functools.partial(lstm, unroll) for unroll in (1, 4)}
    if name == "embedding":
        weight, tokens, cotangent = normal(10_000, 256), integers(10_000, 64, 128), normal(64, 128, 256)
        gradient = jax.value_and_grad(lambda w, tokens, c: jnp.sum(w[tokens] * c))
        return {"gather": lambda: waiting(gradient, weight, tokens, cotangent)}
    if name == "infer_image":
        first, second, x = linear(784, 128), linear(128, 10), normal(1, 784)
        return {"jit": lambda: waiting(lambda a, b, x: apply(b, jax.nn.relu(apply(a, x))), first, second, x)}
    if name == "infer_token":
        return {"cache": writing}
    kind, side = name.split("_")
    a = normal(int(side), int(side))
    if kind == "cholesky":
        a = a @ a.T / int(side) + jnp.eye(int(side))
        of_lower = functools.partial(lax.linalg.cholesky, symmetrize_input=False)
        return {"linalg": lambda: waiting(jnp.linalg.cholesky, a), "lax": lambda: waiting(of_lower, a)}
    factors = {
        "svd": lambda a: jnp.linalg.svd(a, full_matrices=False),
        "eigh": jnp.linalg.eigh,
        "qr": jnp.linalg.qr,
        "lu": jax.scipy.linalg.lu,
    }
    return {"linalg": lambda: waiting(factors[kind], a)}


race(args, f"jax-{jax.__version__}-jit", variants(args.workload), 500 if args.workload in TRAINED else 1 << 20)

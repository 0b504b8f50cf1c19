"""Writes optimizers.json: parameters after 30 and 60 steps of every optimiser that PyTorch, optax or the authors'
schedulefree package has, and, for the conventions named after papers, of the formulas of the papers in NumPy.

    JAX_ENABLE_X64=1 python make.py        # torch 2.15.0, optax 0.2.8, schedulefree 1.4.1, numpy 2.4

Everything is float64. The gradients depend on the parameters, so that errors do not cancel; the learning rate changes
with every step (unless the case is named constant); sparse cases zero four of five gradient elements.
"""

import json
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import optax
import optax.contrib
import schedulefree
import torch

assert jax.config.jax_enable_x64
SHAPES = {"w": (4, 3), "b": (2,)}
N = 14
I = np.arange(N)
CURVATURE = 0.5 + 0.25 * (I % 4)
CENTER = np.cos(I)
START = 1 + 0.5 * np.sin(3.0 * I)
STEPS, EVERY = 60, 30


def gradient(p, t, sparse):
    g = CURVATURE * (p - CENTER) + 0.3 * np.sin(0.7 * t + I)
    return np.where((7 * t + 3 * I) % 5 == 0, g, 0.0) if sparse else g


def rate(base, t, constant=False):
    return base if constant else base * (1 + 0.5 * np.cos(t / 10))


def split(flat):
    return {"w": flat[:12].reshape(4, 3), "b": flat[12:]}


def join(tree):
    return np.concatenate([np.asarray(tree["w"]).ravel(), np.asarray(tree["b"]).ravel()])


cases = {}


def record(name, run):
    """`run(sparse)` yields the parameters after each step."""
    for sparse in (False, True):
        points = [p.tolist() for t, p in enumerate(run(sparse), 1) if t % EVERY == 0]
        assert len(points) == STEPS // EVERY and np.all(np.isfinite(points)), name
        cases[name + (" sparse" if sparse else "")] = points


def with_torch(name, make, lr, constant=False, before_step=lambda optimizer: None, evaluate=None):
    def run(sparse):
        tree = {k: torch.tensor(v, dtype=torch.float64, requires_grad=True) for k, v in split(START).items()}
        optimizer = make(list(tree.values()), lr)
        before_step(optimizer)
        for t in range(1, STEPS + 1):
            for group in optimizer.param_groups:
                group["lr"] = float(rate(lr, t, constant))
            flat = join({k: v.detach().numpy() for k, v in tree.items()})
            for k, g in split(gradient(flat, t, sparse)).items():
                tree[k].grad = torch.tensor(g)
            optimizer.step()
            if evaluate:
                optimizer.eval()
            yield join({k: v.detach().numpy().copy() for k, v in tree.items()})
            if evaluate:
                optimizer.train()

    record("torch " + name, run)


def with_optax(name, make, lr, constant=False, evaluate=lambda state, params: params, wrap=lambda p: p, unwrap=lambda p: p):
    def run(sparse):
        schedule = lr if constant else (lambda count: rate(lr, count + 1.0) if isinstance(count, (int, float)) else lr * (1 + 0.5 * jnp.cos((count + 1.0) / 10)))
        optimizer = make(schedule)
        params = wrap({k: jnp.asarray(v) for k, v in split(START).items()})
        state = optimizer.init(params)
        for t in range(1, STEPS + 1):
            grads = {k: jnp.asarray(v) for k, v in split(gradient(join(unwrap(params)), t, sparse)).items()}
            updates, state = optimizer.update(grads, state, params)
            params = optax.apply_updates(params, updates)
            yield join(evaluate(state, unwrap(params)))

    record("optax " + name, run)


def with_numpy(name, make, lr, constant=False):
    """`make()` gives step(p, g, rate, t) -> (next point for gradients, parameters)."""

    def run(sparse):
        step, p = make(), START.copy()
        for t in range(1, STEPS + 1):
            p, shown = step(p, gradient(p, t, sparse), rate(lr, t, constant), t)
            yield shown

    record("paper " + name, run)


def optax_decayed(make):
    return lambda decay: (lambda lr: optax.chain(optax.add_decayed_weights(decay), make(lr)))


# ---- PyTorch
O = torch.optim
for wd in (0.0, 0.1):
    on = " decay" if wd else ""
    with_torch("sgd" + on, lambda p, lr: O.SGD(p, lr, weight_decay=wd), 0.05)
    with_torch("momentum" + on, lambda p, lr: O.SGD(p, lr, momentum=0.9, weight_decay=wd), 0.05)
    with_torch("momentum dampening" + on, lambda p, lr: O.SGD(p, lr, momentum=0.9, dampening=0.3, weight_decay=wd), 0.05)
    with_torch("nesterov" + on, lambda p, lr: O.SGD(p, lr, momentum=0.9, nesterov=True, weight_decay=wd), 0.05)
    with_torch("adagrad" + on, lambda p, lr: O.Adagrad(p, lr, weight_decay=wd), 0.1)
    with_torch("adagrad rate_decay" + on, lambda p, lr: O.Adagrad(p, lr, lr_decay=0.01, initial_accumulator_value=0.2, eps=1e-6, weight_decay=wd), 0.1)
    with_torch("adadelta" + on, lambda p, lr: O.Adadelta(p, lr, weight_decay=wd), 1.0)
    with_torch("rmsprop" + on, lambda p, lr: O.RMSprop(p, lr, weight_decay=wd), 0.01)
    with_torch("rmsprop momentum" + on, lambda p, lr: O.RMSprop(p, lr, momentum=0.9, weight_decay=wd), 0.01)
    with_torch("rmsprop centered" + on, lambda p, lr: O.RMSprop(p, lr, centered=True, eps=1e-4, weight_decay=wd), 0.01)
    with_torch("rmsprop centered momentum" + on, lambda p, lr: O.RMSprop(p, lr, centered=True, momentum=0.9, eps=1e-4, weight_decay=wd), 0.01)
    with_torch("adam" + on, lambda p, lr: O.Adam(p, lr, weight_decay=wd), 0.02)
    with_torch("amsgrad" + on, lambda p, lr: O.Adam(p, lr, amsgrad=True, weight_decay=wd), 0.02)
    with_torch("adamw" + on, lambda p, lr: O.AdamW(p, lr, weight_decay=wd), 0.02)
    with_torch("adamax" + on, lambda p, lr: O.Adamax(p, lr, weight_decay=wd), 0.02)
    with_torch("nadam" + on, lambda p, lr: O.NAdam(p, lr, weight_decay=wd), 0.02)
    with_torch("radam" + on, lambda p, lr: O.RAdam(p, lr, weight_decay=wd), 0.02)
    with_torch("adafactor" + on, lambda p, lr: O.Adafactor(p, lr, weight_decay=wd), 0.05)
    with_torch("schedule_free_sgd" + on, lambda p, lr: schedulefree.SGDScheduleFree(p, lr, weight_decay=wd), 0.1, before_step=lambda o: o.train(), evaluate=True)
    with_torch("schedule_free_adamw" + on, lambda p, lr: schedulefree.AdamWScheduleFree(p, lr, weight_decay=wd, r=0.5), 0.02, before_step=lambda o: o.train(), evaluate=True)
with_torch("nadam decoupled", lambda p, lr: O.NAdam(p, lr, weight_decay=0.1, decoupled_weight_decay=True), 0.02)
with_torch("radam decoupled", lambda p, lr: O.RAdam(p, lr, weight_decay=0.1, decoupled_weight_decay=True), 0.02)
with_torch("rprop constant", lambda p, lr: O.Rprop(p, lr), 0.01, constant=True)

# ---- optax
coupled = {
    "momentum": (lambda lr: optax.sgd(lr, momentum=0.9), 0.05),
    "nesterov": (lambda lr: optax.sgd(lr, momentum=0.9, nesterov=True), 0.05),
    "adagrad": (optax.adagrad, 0.1),
    "rmsprop": (optax.rmsprop, 0.01),
    "rmsprop momentum": (lambda lr: optax.rmsprop(lr, momentum=0.9), 0.01),
    "rmsprop centered momentum": (lambda lr: optax.rmsprop(lr, momentum=0.9, centered=True, eps=1e-4), 0.01),
    "adam": (lambda lr: optax.adam(lr, eps_root=1e-6), 0.02),
    "amsgrad": (optax.amsgrad, 0.02),
    "adamax": (optax.adamax, 0.02),
    "nadam": (optax.nadam, 0.02),
    "radam": (optax.radam, 0.02),
}
for name, (make, lr) in coupled.items():
    with_optax(name, make, lr)
    with_optax(name + " decay", optax_decayed(make)(0.1), lr)


def adafactor(lr, wd):
    # optax computes the decay rate in float32; here in float64.
    return optax.chain(
        optax.scale_by_factored_rms(min_dim_size_to_factor=1, decay_rate_fn=lambda i, e: 1.0 - (jnp.asarray(i, jnp.float64) + 1.0) ** (-e)),
        optax.clip_by_block_rms(1.0),
        optax.scale_by_learning_rate(lr, flip_sign=False),
        optax.scale_by_param_block_rms(),
        optax.add_decayed_weights(wd),
        optax.scale(-1.0),
    )


for wd in (0.0, 0.1):
    on = " decay" if wd else ""
    with_optax("adadelta" + on, lambda lr: optax.adadelta(lr, weight_decay=wd), 1.0)
    with_optax("adamw" + on, lambda lr: optax.adamw(lr, weight_decay=wd), 0.02)
    with_optax("nadam decoupled" + on, lambda lr: optax.nadamw(lr, weight_decay=wd), 0.02)
    with_optax("lion" + on, lambda lr: optax.lion(lr, weight_decay=wd), 0.01)
    with_optax("adan" + on, lambda lr: optax.adan(lr, weight_decay=wd), 0.02)
    with_optax("lamb" + on, lambda lr: optax.lamb(lr, weight_decay=wd), 0.02)
    with_optax("lars" + on, lambda lr: optax.lars(lr, weight_decay=wd, trust_coefficient=0.02), 0.5)
    with_optax("lars nesterov" + on, lambda lr: optax.lars(lr, weight_decay=wd, trust_coefficient=0.02, eps=1e-3, nesterov=True), 0.5)
    with_optax("muon" + on, lambda lr: optax.contrib.muon(lr, weight_decay=wd, adam_weight_decay=wd, muon_weight_dimension_numbers={"w": optax.contrib.MuonDimensionNumbers(reduction_axis=1, output_axis=0), "b": None}), 0.02)
    with_optax("adafactor" + on, lambda lr: adafactor(lr, wd * 0.1), 0.05)
    with_optax("schedule_free_sgd constant" + on, lambda lr: optax.contrib.schedule_free_sgd(lr, weight_decay=wd), 0.1, constant=True, evaluate=optax.contrib.schedule_free_eval_params)
    with_optax("schedule_free_adamw constant" + on, lambda lr: optax.contrib.schedule_free_adamw(lr, weight_decay=wd), 0.02, constant=True, evaluate=optax.contrib.schedule_free_eval_params)
# Not optax.rprop: it applies each step one call too late (and so none in the first call).
with_optax("lookahead", lambda lr: optax.lookahead(optax.adam(lr), 6, 0.5), 0.05, wrap=optax.LookaheadParams.init_synced, unwrap=lambda p: p.fast)
with_optax("adaptive_grad_clip", lambda lr: optax.chain(optax.adaptive_grad_clip(0.01, axis=-1), optax.sgd(lr)), 0.5)
with_optax("clip_by_global_norm", lambda lr: optax.chain(optax.clip_by_global_norm(0.7), optax.sgd(lr)), 0.1)
with_optax("sam constant", lambda lr: optax.contrib.sam(optax.sgd(lr), optax.chain(optax.contrib.normalize(), optax.sgd(0.05))), 0.1, constant=True)


# ---- the papers
def momentum():
    v = np.zeros(N)

    def step(p, g, lr, t):
        nonlocal v
        v = 0.9 * v + lr * g
        return p - v, p - v

    return step


def nesterov():
    v = np.zeros(N)

    def step(ahead, g, lr, t):
        nonlocal v
        theta = ahead + 0.9 * v
        v = 0.9 * v + lr * g
        theta = theta - v
        return theta - 0.9 * v, theta

    return step


def amsgrad():
    m, v, w = np.zeros(N), np.zeros(N), np.zeros(N)

    def step(p, g, lr, t):
        nonlocal m, v, w
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        w = np.maximum(w, v)
        p = p - lr * m / (np.sqrt(w) + 1e-8)
        return p, p

    return step


def adamax():
    m, u = np.zeros(N), np.zeros(N)

    def step(p, g, lr, t):
        nonlocal m, u
        m, u = 0.9 * m + 0.1 * g, np.maximum(0.999 * u, np.abs(g))
        p = p - lr / (1 - 0.9**t) * np.divide(m, u, out=np.zeros(N), where=u > 0)
        return p, p

    return step


def nadam():
    m, n, product = np.zeros(N), np.zeros(N), 1.0
    mu = lambda t: 0.9 * (1 - 0.5 * 0.96 ** (0.004 * t))

    def step(p, g, lr, t):
        nonlocal m, n, product
        product *= mu(t)
        m, n = mu(t) * m + (1 - mu(t)) * g, 0.999 * n + 0.001 * g**2
        m_hat = mu(t + 1) * m / (1 - product * mu(t + 1)) + (1 - mu(t)) * g / (1 - product)
        n_hat = 0.999 * n / (1 - 0.999**t)
        p = p - lr * m_hat / (np.sqrt(n_hat) + 1e-8)
        return p, p

    return step


def radam():
    m, v, limit = np.zeros(N), np.zeros(N), 2 / (1 - 0.999) - 1

    def step(p, g, lr, t):
        nonlocal m, v
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        m_hat = m / (1 - 0.9**t)
        length = limit - 2 * t * 0.999**t / (1 - 0.999**t)
        if length > 4:
            r = np.sqrt((length - 4) * (length - 2) * limit / ((limit - 4) * (limit - 2) * length))
            m_hat = r * m_hat / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        return p - lr * m_hat, p - lr * m_hat

    return step


def rprop():
    size, before, last = np.full(N, 0.01), np.zeros(N), np.zeros(N)

    def step(p, g, lr, t):
        nonlocal size, before, last
        g = g.copy()
        s = np.sign(g) * np.sign(before)
        size = np.where(s > 0, np.minimum(1.2 * size, 50), np.where(s < 0, np.maximum(0.5 * size, 1e-6), size))
        last = np.where(s < 0, -last, -np.sign(g) * size)
        before = np.where(s < 0, 0, g)
        return p + last, p + last

    return step


def adan(decay):
    def make():
        m, v, n, before = np.zeros(N), np.zeros(N), np.zeros(N), None
        b1, b2, b3 = 0.98, 0.92, 0.99

        def step(p, g, lr, t):
            nonlocal m, v, n, before
            d = np.zeros(N) if before is None else g - before
            before = g.copy()
            m, v, n = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * d, b3 * n + (1 - b3) * (g + b2 * d) ** 2
            u = (m / (1 - b1**t) + b2 * v / (1 - b2**t)) / (np.sqrt(n / (1 - b3**t)) + 1e-8)
            p = (p - lr * u) / (1 + lr * decay)
            return p, p

        return step

    return make


def lars(decay):
    def make():
        v = np.zeros(N)

        def step(p, g, lr, t):
            nonlocal v
            direction = {}
            for k in SHAPES:
                w, dw = split(p)[k], split(g)[k]
                size, slope = np.linalg.norm(w), np.linalg.norm(dw)
                local = 0.02 * size / (slope + decay * size) if size > 0 and slope > 0 else 1.0
                direction[k] = local * (dw + decay * w)
            v = 0.9 * v + lr * join(direction)
            return p - v, p - v

        return step

    return make


def root4(a):
    values, vectors = np.linalg.eigh(a)
    return vectors @ np.diag(values**-0.25) @ vectors.T


def shampoo(decay):
    def make():
        left, right, diagonal = 1e-3 * np.eye(4), 1e-3 * np.eye(3), np.full(2, 1e-3)

        def step(p, g, lr, t):
            nonlocal left, right, diagonal
            p = p * (1 - lr * decay)
            w, b = split(g)["w"], split(g)["b"]
            left, right, diagonal = left + w @ w.T, right + w.T @ w, diagonal + b**2
            p = p - lr * join({"w": root4(left) @ w @ root4(right), "b": b / np.sqrt(diagonal)})
            return p, p

        return step

    return make


for name, make, lr in [("momentum", momentum, 0.05), ("nesterov", nesterov, 0.05), ("amsgrad", amsgrad, 0.02), ("adamax", adamax, 0.02), ("nadam", nadam, 0.02), ("radam", radam, 0.02), ("adan", adan(0.0), 0.02), ("adan decay", adan(0.1), 0.02), ("lars", lars(0.0), 0.5), ("lars decay", lars(0.1), 0.5), ("shampoo", shampoo(0.0), 0.1), ("shampoo decay", shampoo(0.1), 0.1)]:
    with_numpy(name, make, lr)
with_numpy("rprop constant", rprop, 0.01, constant=True)

lines = [f"{json.dumps(name)}: {json.dumps(points, separators=(',', ':'))}" for name, points in cases.items()]
path = pathlib.Path(__file__).with_name("optimizers.json")
path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
print(len(cases), "cases,", path.stat().st_size, "bytes")

"""Losses, gradients, Hessian-vector products and training steps of small networks, by PyTorch and by JAX in f64.

    python models.py > models.json

Both must agree; what is written is PyTorch's. Parameters, inputs and directions come from `pattern`, which any
language computes to the last bit. A vector is written as its norm, its product with a pattern, and every so manyth
element (all of them if it is short)."""
import json
import jax, jax.numpy as jnp
import numpy as np
import torch
import torch.nn.functional as F

jax.config.update("jax_enable_x64", True)
torch.set_default_dtype(torch.float64)
STEPS = 3
MOST_ELEMENTS = 600


def pattern(count, seed):
    """Numbers in [-1, 1) that are the same everywhere."""
    i = np.arange(count, dtype=np.uint64)
    return ((i * i * np.uint64(31) + i * np.uint64(7919) + np.uint64(seed * 104729)) % np.uint64(1000003)) / 500001.5 - 1.0


def start(shapes):
    """Every weight and its bias uniform in one over the root of the number of inputs."""
    parts, fan_in = [], 1
    for k, shape in enumerate(shapes):
        if len(shape) > 1:
            fan_in = int(np.prod(shape[1:]))
        parts.append(pattern(int(np.prod(shape)), 10 + k) / np.sqrt(fan_in))
    return np.concatenate(parts)


def cut(flat, shapes):
    at, parts = 0, []
    for shape in shapes:
        n = int(np.prod(shape))
        parts.append(flat[at:at + n].reshape(shape))
        at += n
    return parts


class Torch:
    relu, tanh = torch.relu, torch.tanh
    conv = staticmethod(lambda x, w, b, pad: F.conv2d(x, w, b, padding=pad))
    pool = staticmethod(lambda x: F.max_pool2d(x, 2))
    cross_entropy = staticmethod(lambda z, y: F.cross_entropy(z, torch.as_tensor(y)))


class Jax:
    relu, tanh = jax.nn.relu, jnp.tanh
    conv = staticmethod(lambda x, w, b, pad: jax.lax.conv_general_dilated(
        x, w, (1, 1), [(pad, pad)] * 2, dimension_numbers=("NCHW", "OIHW", "NCHW")) + b[:, None, None])

    @staticmethod
    def pool(x):
        a, b, c, d = (x[:, :, i::2, j::2] for i in (0, 1) for j in (0, 1))
        return jnp.maximum(jnp.maximum(a, b), jnp.maximum(c, d))

    @staticmethod
    def cross_entropy(z, y):
        return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(z), jnp.asarray(y)[:, None], 1))


def mlp(activation):
    def net(ops, p, x):
        return getattr(ops, activation)(x @ p[0].T + p[1]) @ p[2].T + p[3]
    return net


def lenet(ops, p, x):
    x = ops.pool(ops.relu(ops.conv(x, p[0], p[1], 2)))
    x = ops.pool(ops.relu(ops.conv(x, p[2], p[3], 0)))
    x = x.reshape(x.shape[0], -1)
    for w, b in zip(p[4:-2:2], p[5:-2:2]):
        x = ops.relu(x @ w.T + b)
    return x @ p[-2].T + p[-1]


def layers(*sizes):
    return [s for i, o in zip(sizes, sizes[1:]) for s in ((o, i), (o,))]


MODELS = {
    "mlp_relu": (mlp("relu"), layers(12, 8, 5), (6, 12)),
    "mlp_tanh": (mlp("tanh"), layers(12, 8, 5), (6, 12)),
    "lenet_small": (lenet, [(3, 1, 5, 5), (3,), (4, 3, 3, 3), (4,)] + layers(16, 8, 5), (6, 1, 12, 12)),
    "lenet": (lenet, [(6, 1, 5, 5), (6,), (16, 6, 5, 5), (16,)] + layers(400, 120, 84, 10), (4, 1, 28, 28)),
}


def by_torch(net, shapes, x, y, theta, v):
    loss = lambda q: Torch.cross_entropy(net(Torch, cut(q, shapes), torch.as_tensor(x)), y)
    q = torch.tensor(theta, requires_grad=True)
    value = loss(q)
    g, = torch.autograd.grad(value, q, create_graph=True)
    hv, = torch.autograd.grad(g @ torch.as_tensor(v), q)
    out = {"loss": value.detach().numpy(), "gradient": g.detach().numpy(), "hessian_product": hv.numpy()}
    for name, make in (("sgd", lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9)), ("adam", lambda p: torch.optim.Adam(p, lr=0.01))):
        q = torch.tensor(theta, requires_grad=True)
        optimizer = make([q])
        for _ in range(STEPS):
            optimizer.zero_grad()
            loss(q).backward()
            optimizer.step()
        out[name] = q.detach().numpy()
    return out


def by_jax(net, shapes, x, y, theta, v):
    import optax
    loss = lambda q: Jax.cross_entropy(net(Jax, cut(q, shapes), jnp.asarray(x)), y)
    grad = jax.jit(jax.grad(loss))
    out = {"loss": loss(theta), "gradient": grad(theta), "hessian_product": jax.jvp(jax.grad(loss), (theta,), (v,))[1]}
    for name, method in (("sgd", optax.sgd(0.1, 0.9)), ("adam", optax.adam(0.01))):
        q = jnp.asarray(theta)
        state = method.init(q)
        for _ in range(STEPS):
            update, state = method.update(grad(q), state, q)
            q = optax.apply_updates(q, update)
        out[name] = q
    return out


def written(x):
    if x.ndim == 0:
        return float(x)
    stride = -(-len(x) // MOST_ELEMENTS)
    return {"norm": float(np.linalg.norm(x)), "projection": float(x @ pattern(len(x), 3)), "stride": stride,
            "elements": [float(e) for e in x[::stride]]}


result = {}
for name, (net, shapes, images) in MODELS.items():
    classes = shapes[-1][0]
    x, y = pattern(int(np.prod(images)), 1).reshape(images), (np.arange(images[0]) * 7 % classes).astype(np.int64)
    theta = start(shapes)
    v = pattern(len(theta), 2)
    ours, theirs = by_torch(net, shapes, x, y, theta, v), by_jax(net, shapes, x, y, theta, v)
    for key, value in ours.items():
        error = np.abs(value - np.asarray(theirs[key])).max() / np.abs(value).max()
        assert error < 1e-11, (name, key, error)
    result[name] = {key: written(value) for key, value in ours.items()}
print(json.dumps(result, separators=(",", ":")))

"""Writes mlp.json: gradients and Hessian-vector products of a small network, by JAX in double precision.

    python make.py        (needs jax and numpy)
"""

import json
import pathlib

import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)

ACTIVATIONS = {
    "tanh": jnp.tanh,
    "relu": jax.nn.relu,
    "gelu": lambda x: jax.nn.gelu(x, approximate=False),
    "sigmoid": jax.nn.sigmoid,
    "softplus": jax.nn.softplus,
}


def loss(params, activation, images, labels):
    """Mean softmax cross-entropy of a 7-5-3 network."""
    w1, b1, w2, b2 = params
    logits = activation(images @ w1 + b1) @ w2 + b2
    return -jnp.mean(jax.nn.log_softmax(logits)[jnp.arange(len(labels)), labels])


def array(x):
    x = np.asarray(x)
    return {"shape": list(x.shape), "data": x.ravel().tolist()}


def main():
    rng = np.random.default_rng(20)
    shapes = [(7, 5), (5,), (5, 3), (3,)]

    # Numbers that single precision holds exactly, so that both precisions start from the same point.
    def numbers(shape):
        return rng.normal(size=shape).astype(np.float32).astype(np.float64)

    params = [numbers(s) for s in shapes]
    along = [numbers(s) for s in shapes]
    images = numbers((11, 7))
    labels = rng.integers(0, 3, size=11)
    cases = []
    for name, activation in ACTIVATIONS.items():
        f = lambda p: loss(p, activation, images, labels)
        value, gradient = jax.value_and_grad(f)(params)
        _, product = jax.jvp(jax.grad(f), (params,), (along,))
        cases.append({
            "activation": name,
            "loss": float(value),
            "gradient": [array(g) for g in gradient],
            "hessian_product": [array(h) for h in product],
        })
    golden = {
        "jax": jax.__version__,
        "params": [array(p) for p in params],
        "along": [array(v) for v in along],
        "images": array(images),
        "labels": labels.tolist(),
        "cases": cases,
    }
    path = pathlib.Path(__file__).with_name("mlp.json")
    path.write_text(json.dumps(golden, indent=None) + "\n")


main()

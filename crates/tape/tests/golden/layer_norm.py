"""Writes layer_norm.json: layer normalisation with its gradients and Hessian-vector products, by PyTorch in double precision.

    python layer_norm.py        (needs torch)
"""

import json
import pathlib

import torch
import torch.nn.functional as F


def array(x):
    return {"shape": list(x.shape), "data": x.detach().flatten().tolist()}


def case(shape, normalized, epsilon):
    """sum(sin(layer_norm(x))) of one shape: value, gradients and the product of the Hessian with a vector."""
    numbers = lambda s: torch.randn(s, dtype=torch.float32).double()  # noqa: E731
    inputs = [3 * numbers(shape) + 1, numbers(normalized), numbers(normalized)]
    along = [numbers(shape), numbers(normalized), numbers(normalized)]
    inputs = [t.requires_grad_() for t in inputs]
    value = F.layer_norm(inputs[0], normalized, inputs[1], inputs[2], epsilon)
    gradient = torch.autograd.grad(value.sin().sum(), inputs, create_graph=True)
    product = torch.autograd.grad(gradient, inputs, along)
    return {
        "epsilon": epsilon,
        "inputs": [array(t) for t in inputs],
        "along": [array(t) for t in along],
        "value": array(value),
        "gradient": [array(t) for t in gradient],
        "hessian_product": [array(t) for t in product],
    }


def main():
    torch.manual_seed(3)
    cases = [case((4, 6), (6,), 1e-5), case((3, 20), (20,), 0.1), case((2, 3, 5), (3, 5), 1e-3)]
    path = pathlib.Path(__file__).with_name("layer_norm.json")
    path.write_text(json.dumps({"torch": torch.__version__.split("+")[0], "cases": cases}) + "\n")


main()

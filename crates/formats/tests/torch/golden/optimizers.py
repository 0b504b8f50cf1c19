"""Writes optimizer_*.pt, checkpoints of PyTorch's optimisers after five steps, and what five more make of the parameters.

    python optimizers.py        # torch 2.15; writes optimizer_*.pt beside this script

Each is {"model", "optimizer", "gradients": [5, 10], "after": [10]} of the parameters `w` [3, 2] and `b` [4].
"""

import copy
import pathlib

import torch

HERE = pathlib.Path(__file__).parent
SHAPES = {"w": (3, 2), "b": (4,)}

CASES = {
    "adam": (torch.optim.Adam, {"lr": 0.01, "weight_decay": 0.1, "eps": 1e-3}),
    "adam_f32": (torch.optim.Adam, {"lr": 0.01}),
    "adamw": (torch.optim.AdamW, {"lr": 0.01, "betas": (0.8, 0.9)}),
    "amsgrad": (torch.optim.Adam, {"lr": 0.01, "amsgrad": True, "betas": (0.9, 0.5)}),
    "sgd": (torch.optim.SGD, {"lr": 0.01, "momentum": 0.9, "dampening": 0.5, "weight_decay": 0.1}),
    "sgd_f32": (torch.optim.SGD, {"lr": 0.01, "momentum": 0.9}),
    "sgd_plain": (torch.optim.SGD, {"lr": 0.01}),
    "nesterov": (torch.optim.SGD, {"lr": 0.01, "momentum": 0.9, "nesterov": True}),
    "rmsprop": (torch.optim.RMSprop, {"lr": 0.01, "alpha": 0.8}),
    "rmsprop_all": (torch.optim.RMSprop, {"lr": 0.01, "centered": True, "momentum": 0.7, "alpha": 0.9}),
    "rmsprop_f32": (torch.optim.RMSprop, {"lr": 0.01}),
    "adagrad": (torch.optim.Adagrad, {"lr": 0.1, "lr_decay": 0.1, "initial_accumulator_value": 0.5}),
    "adadelta": (torch.optim.Adadelta, {"lr": 0.5}),
    "adamax": (torch.optim.Adamax, {"lr": 0.01, "betas": (0.9, 0.8)}),
    "nadam": (torch.optim.NAdam, {"lr": 0.01}),
    "radam": (torch.optim.RAdam, {"lr": 0.01, "betas": (0.9, 0.7)}),
}


class Model(torch.nn.Module):
    def __init__(self, dtype):
        super().__init__()
        for name, shape in SHAPES.items():
            setattr(self, name, torch.nn.Parameter(torch.randn(shape).to(dtype)))


def step(model, optimizer, gradient):
    parts = gradient.split([p.numel() for p in model.parameters()])
    for p, part in zip(model.parameters(), parts):
        p.grad = part.reshape(p.shape).clone()
    optimizer.step()


def flat(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()])


if __name__ == "__main__":
    for case, (method, settings) in CASES.items():
        torch.manual_seed(7)
        dtype = torch.float32 if case.endswith("_f32") else torch.float64
        # Its product of momenta, and the counts of steps, are of the default type.
        torch.set_default_dtype(torch.float64 if case == "nadam" else torch.float32)
        model = Model(dtype)
        # The names of the parameters go into the file of one of them.
        named = model.named_parameters() if case == "adamw" else model.parameters()
        optimizer = method(named, **settings)
        gradients = torch.randn(10, 10).to(dtype)
        for gradient in gradients[:5]:
            step(model, optimizer, gradient)
        saved = copy.deepcopy({"model": model.state_dict(), "optimizer": optimizer.state_dict()})
        for gradient in gradients[5:]:
            step(model, optimizer, gradient)
        saved.update(gradients=gradients[5:].clone(), after=flat(model))
        torch.save(saved, HERE / f"optimizer_{case}.pt")

    # What is at odds with one state of one optimiser.
    torch.set_default_dtype(torch.float32)
    model = Model(torch.float64)

    def after(steps, groups=None, of=torch.optim.Adam):
        """The state of an optimiser after so many steps of `w`, and of `b`."""
        optimizer = of(groups or model.parameters(), lr=0.01)
        for i in range(max(steps)):
            for p, count in zip(model.parameters(), steps):
                p.grad = torch.ones_like(p) if i < count else None
            optimizer.step()
        return optimizer.state_dict()

    def save(case, state):
        torch.save(state, HERE / f"optimizers_{case}.pt")

    save("steps", {"optimizer": after([3, 2])})
    save("frozen", after([3, 0]))
    save("rates", {"optimizer": after([1, 1], [{"params": [model.w]}, {"params": [model.b], "lr": 0.1}])})
    negative = after([1, 1])
    negative["state"][1]["exp_avg_sq"][2] = -1
    save("negative", {"optimizer": negative})
    save("several", {"generator": after([1, 1]), "critic": after([1, 1])})

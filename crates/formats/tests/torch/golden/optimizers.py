"""Writes optimizer_*.pt, checkpoints of PyTorch's optimisers after five steps, and what five more make of the parameters.

    python optimizers.py        # torch 2.15; writes optimizer_*.pt beside this script
    python optimizers.py FOLDER COUNT [SEED]    # random ones, for the test with WENGERT_TORCH_OPTIMIZERS=FOLDER

Each is {"model", "optimizer", "gradients": [5, 10], "after": [10]} of the parameters `w` [3, 2] and `b` [4].
"""

import copy
import pathlib
import random
import sys

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
# By their names here.
METHODS = {
    "adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "amsgrad": torch.optim.Adam, "sgd": torch.optim.SGD, "nesterov": torch.optim.SGD,
    "rmsprop": torch.optim.RMSprop, "adagrad": torch.optim.Adagrad, "adadelta": torch.optim.Adadelta, "adamax": torch.optim.Adamax,
    "nadam": torch.optim.NAdam, "radam": torch.optim.RAdam,
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


def checkpoint(method, settings, dtype, names, before, count):
    """A checkpoint after so many steps of all, with what the others make."""
    model = Model(dtype)
    optimizer = method(model.named_parameters() if names else model.parameters(), **settings)
    gradients = torch.randn(count, 10).to(dtype)
    for gradient in gradients[:before]:
        step(model, optimizer, gradient)
    saved = copy.deepcopy({"model": model.state_dict(), "optimizer": optimizer.state_dict()})
    for gradient in gradients[before:]:
        step(model, optimizer, gradient)
    saved.update(gradients=gradients[before:].clone(), after=flat(model))
    return saved


def drawn(chance):
    """A method with any of its settings, and its name here."""
    betas = {"betas": (chance.choice([0.0, 0.5, 0.9, 0.99]), chance.choice([0.5, 0.9, 0.999]))}
    eps = {"eps": chance.choice([1e-8, 1e-3, 1e-1])}
    momentum = chance.choice([0.0, 0.5, 0.9])
    name, settings = chance.choice([
        ("adam", {**betas, **eps}),
        ("adamw", {**betas, **eps}),
        ("amsgrad", {**betas, **eps, "amsgrad": True}),
        ("sgd", {"momentum": momentum, "dampening": chance.choice([0.0, 0.25])}),
        ("nesterov", {"momentum": 0.8, "nesterov": True}),
        ("rmsprop", {"alpha": chance.choice([0.5, 0.99]), "centered": chance.random() < 0.5, "momentum": momentum, **eps}),
        ("adagrad", {"lr_decay": chance.choice([0, 0.1]), "initial_accumulator_value": chance.choice([0, 0.3]), **eps}),
        ("adadelta", {"rho": chance.choice([0.5, 0.9]), **eps}),
        ("adamax", {**betas, **eps}),
        ("nadam", {**betas, **eps, "momentum_decay": chance.choice([4e-3, 0.0, 0.1]), "decoupled_weight_decay": chance.random() < 0.5}),
        ("radam", {**betas, **eps, "decoupled_weight_decay": chance.random() < 0.5}),
    ])
    return name, {**settings, "lr": chance.choice([0.01, 0.1, 1e-4]), "weight_decay": chance.choice([0, 0, 0.1])}


def many(folder, count, seed):
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(count):
        chance = random.Random(f"{seed} {i}")
        torch.manual_seed(chance.randrange(2**31))
        name, settings = drawn(chance)
        dtype = chance.choice([torch.float64, torch.float64, torch.float32])
        # Its product of momenta, and the counts of steps, are of the default type.
        torch.set_default_dtype(torch.float64 if name == "nadam" else torch.float32)
        saved = checkpoint(METHODS[name], settings, dtype, chance.random() < 0.5, chance.randrange(1, 12), chance.randrange(12, 16))
        torch.save({**saved, "method": name}, folder / f"{i:05}.pt")


if __name__ == "__main__" and len(sys.argv) > 2:
    many(pathlib.Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else "0")
elif __name__ == "__main__":
    for case, (method, settings) in CASES.items():
        torch.manual_seed(7)
        dtype = torch.float32 if case.endswith("_f32") else torch.float64
        # Its product of momenta, and the counts of steps, are of the default type.
        torch.set_default_dtype(torch.float64 if case == "nadam" else torch.float32)
        # The names of the parameters go into the file of one of them.
        saved = checkpoint(method, settings, dtype, case == "adamw", 5, 10)
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

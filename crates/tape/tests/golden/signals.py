"""Writes signals.json: sampling at grids, pieces of signals, differences and integrals, special functions and what else came
later, with gradients, by PyTorch in double precision, as structure.py does for others.

    python signals.py        (needs torch)
"""

import json
import math
import pathlib

import torch
import torch.nn.functional as F

CASES = []


def array(x):
    return {"shape": list(x.shape), "data": [number(n) for n in x.detach().double().flatten().tolist()]}


def number(n):
    return float(f"{n:.13g}") if math.isfinite(n) else str(n)


def numbers(*shape, salt=0):
    i = torch.arange(math.prod(shape), dtype=torch.float64)
    return (torch.sin(1.3 * i + 0.7 * salt + 0.2) * 2).reshape(shape)


def case(name, f, *inputs):
    inputs = [x.clone().requires_grad_() for x in inputs]
    result = f(*inputs)
    if isinstance(result, (tuple, list)):
        result = torch.cat([r.double().flatten() for r in result])
    if result.is_complex():
        result = torch.view_as_real(result)
    entry = {"name": name, "inputs": [array(x) for x in inputs], "value": array(result)}
    if result.requires_grad:
        weights = torch.cos(0.9 * torch.arange(result.numel(), dtype=torch.float64) + 0.4).reshape(result.shape)
        gradient = torch.autograd.grad((result * weights).sum(), inputs, allow_unused=True)
        entry["gradient"] = [array(torch.zeros_like(x) if g is None else g) for g, x in zip(gradient, inputs)]
    CASES.append(entry)


def grids():
    for mode in ["nearest", "bilinear", "bicubic"]:
        for padding in ["zeros", "border", "reflection"]:
            for align in [False, True]:
                f = lambda x, g: F.grid_sample(x, g, mode=mode, padding_mode=padding, align_corners=align)
                case(f"grid_sample {mode} {padding} {align}", f, numbers(2, 2, 4, 3), numbers(2, 2, 4, 2, salt=1) * 0.9)
                if mode != "bicubic":
                    case(f"grid_sample {mode} {padding} {align}", f, numbers(1, 2, 3, 2, 4), numbers(1, 2, 2, 3, 3, salt=1) * 0.9)
    for align in [False, True]:
        case(f"affine_grid 2 {align}", lambda t: F.affine_grid(t, [2, 1, 3, 4], align_corners=align), numbers(2, 2, 3))
        case(f"affine_grid 3 {align}", lambda t: F.affine_grid(t, [1, 1, 2, 1, 3], align_corners=align), numbers(1, 3, 4))


def signals():
    stft = lambda x, **o: torch.stft(x, return_complex=True, **o)
    whole = dict(n_fft=8)
    case("stft plain", lambda x: stft(x, **whole), numbers(2, 20))
    hann = torch.hann_window(6, dtype=torch.float64)
    windowed = dict(n_fft=8, hop_length=3, win_length=6)
    case("stft window", lambda x, w: stft(x, window=w, **windowed), numbers(19), hann)
    case("stft two-sided", lambda x: stft(x, n_fft=5, hop_length=2, center=False, onesided=False, normalized=True), numbers(14))
    case("stft replicated", lambda x: stft(x, n_fft=6, hop_length=2, pad_mode="replicate"), numbers(2, 9))
    spectrum = numbers(2, 5, 7, 2)
    hann8 = torch.hann_window(8, dtype=torch.float64)
    inverse = lambda z, w: torch.istft(torch.view_as_complex(z), n_fft=8, hop_length=2, window=w)
    case("istft window", inverse, spectrum, hann8)
    case("istft plain", lambda z: torch.istft(torch.view_as_complex(z), n_fft=8, center=False), numbers(5, 4, 2))
    case("istft two-sided", lambda z: torch.istft(torch.view_as_complex(z), n_fft=5, hop_length=2, onesided=False, normalized=True, length=11),
         numbers(5, 6, 2))
    for periodic in [True, False]:
        o = dict(periodic=periodic, dtype=torch.float64)
        for n in [1, 2, 7]:
            one = torch.tensor([1.0], dtype=torch.float64)
            case(f"hann_window {n} {periodic}", lambda x: x * torch.hann_window(n, **o), one)
            case(f"hamming_window {n} {periodic}", lambda x: x * torch.hamming_window(n, **o), one)
            case(f"blackman_window {n} {periodic}", lambda x: x * torch.blackman_window(n, **o), one)
            case(f"bartlett_window {n} {periodic}", lambda x: x * torch.bartlett_window(n, **o), one)
            case(f"kaiser_window {n} {periodic}", lambda x: x * torch.kaiser_window(n, beta=9.5, **o), one)


def calculus():
    case("diff", lambda x: torch.diff(x, dim=0), numbers(4, 3))
    case("diff twice", lambda x: torch.diff(x, n=2), numbers(2, 4))
    case("diff of nothing", lambda x: torch.diff(x, n=5), numbers(2, 3))
    case("trapezoid", lambda y: torch.trapezoid(y, dx=0.3, dim=0), numbers(4, 2))
    case("trapezoid at", lambda y, x: torch.trapezoid(y, x), numbers(2, 4), numbers(4, salt=1))
    case("trapezoid at all", lambda y, x: torch.trapezoid(y, x, dim=0), numbers(3, 2), numbers(3, 2, salt=1))
    case("cumulative_trapezoid", lambda y: torch.cumulative_trapezoid(y, dx=0.3), numbers(2, 4))
    case("cumulative_trapezoid at", lambda y, x: torch.cumulative_trapezoid(y, x), numbers(2, 4), numbers(4, salt=1))


def special():
    points = torch.tensor([-30.0, -7.5, -2.0, -0.3, 0.0, 0.4, 1.0, 3.0, 9.0, 20.0], dtype=torch.float64)
    for name in ["i0", "i0e", "i1", "i1e"]:
        case(name, getattr(torch.special, name), points)
    case("log_ndtr", torch.special.log_ndtr, points)
    case("erfcx", torch.special.erfcx, points[2:])
    case("multigammaln", lambda x: torch.special.multigammaln(x, 3), numbers(4) + 4.0)


def parts():
    index = torch.tensor([[2, 0], [1, 1]])
    case("gather shorter", lambda x: torch.gather(x, 1, index), numbers(3, 4))
    case("scatter_add shorter", lambda x, s: torch.scatter_add(x, 1, index, s), numbers(3, 4), numbers(2, 2, salt=1))
    unique = torch.tensor([[2, 0], [1, 0]])
    case("scatter shorter", lambda x, s: torch.scatter(x, 1, unique, s), numbers(3, 4), numbers(2, 2, salt=1))
    f = lambda x, s: torch.scatter_reduce(x, 0, index, s, "mean", include_self=True)
    case("scatter_reduce shorter", f, numbers(3, 4), numbers(2, 2, salt=1))
    case("slice_scatter", lambda x, s: torch.slice_scatter(x, s, 1, 1, 6, 2), numbers(2, 6), numbers(2, 3, salt=1))
    case("select_scatter", lambda x, s: torch.select_scatter(x, s, 1, -2), numbers(2, 3), numbers(2, salt=1))
    case("diagonal_scatter", lambda x, s: torch.diagonal_scatter(x, s, 1), numbers(3, 4), numbers(3, salt=1))
    for k in [0, 1, 2, 3, -1]:
        case(f"rot90 {k}", lambda x: torch.rot90(x, k, [0, 2]), numbers(2, 3, 4))
    blocks = numbers(2, 3), numbers(2, salt=1), numbers(2, 1, salt=2), torch.tensor(3.0, dtype=torch.float64)
    case("block_diag", lambda *x: torch.block_diag(*x), *blocks)
    case("combinations", lambda x: torch.combinations(x, 3), numbers(5))
    case("combinations again", lambda x: torch.combinations(x, 2, with_replacement=True), numbers(3))
    case("vander", lambda x: torch.linalg.vander(x, N=4), numbers(2, 3))
    case("vander falling", lambda x: torch.linalg.vander(x, N=3).flip(-1), numbers(4))
    case("polar", lambda a, t: torch.polar(a, t), numbers(4) + 3, numbers(4, salt=1))
    for p in [1.0, 2.0, 3.0, math.inf]:
        case(f"pdist {p}", lambda x: F.pdist(x, p), numbers(4, 3))
    case("dist", lambda x, y: torch.dist(x, y, 3.0), numbers(2, 3), numbers(3, salt=1))
    case("renorm", lambda x: torch.renorm(x, 2.0, 1, 1.5), torch.cat([numbers(2, 3), 0.1 * numbers(2, 2)], 1))
    case("vecdot", lambda x, y: torch.linalg.vecdot(x, y, dim=0), numbers(3, 2), numbers(3, 1, salt=1))
    matrices = numbers(2, 5), numbers(5, 3, salt=1), numbers(3, 4, salt=2), numbers(4, salt=3)
    case("multi_dot", lambda *x: torch.linalg.multi_dot(x), *matrices)
    case("multi_dot of a row", lambda *x: torch.linalg.multi_dot(x), numbers(2, salt=5), *matrices[:2])
    case("householder_product", torch.linalg.householder_product, numbers(4, 3), numbers(3, salt=1))
    again = torch.tensor([[3.0, 3.0], [1.0, 3.0]], dtype=torch.float64)
    case("unique_consecutive", lambda a: torch.unique_consecutive(a.detach(), return_inverse=True, return_counts=True), again)
    case("is_in", lambda a, b: torch.isin(a.detach(), b.detach()), again, torch.tensor([2.0, 1.0], dtype=torch.float64))


def main():
    grids()
    signals()
    calculus()
    special()
    parts()
    path = pathlib.Path(__file__).with_name("signals.json")
    text = {"torch": torch.__version__.split("+")[0], "cases": CASES}
    path.write_text(json.dumps(text, separators=(",", ":")) + "\n")


main()

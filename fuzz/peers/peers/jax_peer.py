"""The same programs by JAX, from what is sent over the pipe: an opinion that shares no code with PyTorch's."""

import jax
import jax.numpy as jnp
import jax.scipy.special as special
import numpy
from jax.extend.core import Literal

from .program import EPSILON, Program

jax.config.update("jax_enable_x64", True)
lax = jax.lax


def axes(a):
    return None if a["axes"] == "all" else tuple(a["axes"])


def index(pair):
    return jnp.asarray(numpy.reshape(pair[1], pair[0]).astype(int))


def plain(function):
    return lambda a, *x: function(*x)


def reduced(function):
    return lambda a, x: function(x, axis=axes(a), keepdims=a["keep"])


def along(function):
    return lambda a, x: function(x, a["axis"])


def slice_axis(a, x):
    n = x.ndim
    cut = [slice(None)] * n
    cut[a["axis"] % n] = slice(a.get("start"), a.get("end"), a["step"])
    return x[tuple(cut)]


def convolution(a, x, w, b=None):
    y = lax.conv_general_dilated(x, w, a["stride"], [(p, p) for p in a["padding"]], rhs_dilation=a["dilation"],
                                 feature_group_count=a["groups"])
    return y if b is None else y + b.reshape((1, -1) + (1,) * a["d"])


def layer_norm(a, x, w, b):
    over = tuple(range(-w.ndim, 0))
    off = x - x.mean(over, keepdims=True)
    return off / jnp.sqrt((off**2).mean(over, keepdims=True) + a["eps"]) * w + b


def attention(a, q, k, v, *bias):
    scores = q @ jnp.swapaxes(k, -1, -2) * a.get("scale", q.shape[-1] ** -0.5)
    scores = scores + bias[0] if bias else scores
    shown = numpy.ones(scores.shape[-2:], bool)
    if a["causal"]:
        shown = numpy.tril(shown)
    if "mask" in a:
        shown = shown & numpy.reshape(a["mask"][1], a["mask"][0]).astype(bool)
    return jax.nn.softmax(jnp.where(shown, scores, -jnp.inf), -1) @ v


def svd(a, x):
    u, s, vt = jnp.linalg.svd(x, full_matrices=False)
    return u**2, s, vt**2


def eigh(a, x):
    values, vectors = jnp.linalg.eigh(x)
    return values, vectors**2


FUNCTIONS = {
    **{name: plain(f) for name, f in {
        "exp": jnp.exp, "exp_m1": jnp.expm1, "ln": jnp.log, "ln_1p": jnp.log1p, "sqrt": jnp.sqrt, "rsqrt": lax.rsqrt,
        "recip": jnp.reciprocal, "abs": jnp.abs, "sin": jnp.sin, "cos": jnp.cos, "tan": jnp.tan, "sinh": jnp.sinh,
        "cosh": jnp.cosh, "tanh": jnp.tanh, "asin": jnp.arcsin, "acos": jnp.arccos, "atan": jnp.arctan,
        "asinh": jnp.arcsinh, "acosh": jnp.arccosh, "atanh": jnp.arctanh, "exp2": jnp.exp2, "log2": jnp.log2,
        "log10": jnp.log10, "sigmoid": jax.nn.sigmoid, "erf": special.erf, "erfc": special.erfc, "erfinv": special.erfinv,
        "ndtr": special.ndtr, "log_ndtr": special.log_ndtr, "lgamma": special.gammaln,
        "gelu": lambda x: jax.nn.gelu(x, approximate=False), "gelu_tanh": jax.nn.gelu, "softplus": jax.nn.softplus,
        "square": jnp.square, "relu": jax.nn.relu, "log_sigmoid": jax.nn.log_sigmoid, "logit": special.logit,
        "silu": jax.nn.silu, "selu": jax.nn.selu, "mish": jax.nn.mish, "softsign": jax.nn.soft_sign,
        "hardswish": jax.nn.hard_swish, "relu6": jax.nn.relu6, "i0": special.i0, "i0e": special.i0e, "i1": special.i1,
        "i1e": special.i1e, "entr": special.entr, "neg": jnp.negative,
        "add": jnp.add, "sub": jnp.subtract, "mul": jnp.multiply, "div": jnp.divide, "atan2": jnp.arctan2,
        "hypot": jnp.hypot, "maximum": jnp.maximum, "minimum": jnp.minimum, "pow": jnp.power, "logaddexp": jnp.logaddexp,
        "logaddexp2": jnp.logaddexp2, "xlogy": special.xlogy, "xlog1py": special.xlog1py,
        "matmul": jnp.matmul, "dot": jnp.dot, "outer": jnp.outer, "inner": jnp.inner, "kron": jnp.kron, "trace": jnp.trace,
        "inv": jnp.linalg.inv, "det": jnp.linalg.det, "slogdet": lambda x: tuple(jnp.linalg.slogdet(x)),
        "matrix_exp": jax.scipy.linalg.expm, "cholesky": jnp.linalg.cholesky, "solve": jnp.linalg.solve,
        "eigvalsh": jnp.linalg.eigvalsh, "corrcoef": jnp.corrcoef, "multi_dot": lambda *x: jnp.linalg.multi_dot(x),
        "qr": lambda x: tuple(jnp.linalg.qr(x)),
        "svdvals": lambda x: jnp.linalg.svd(x, compute_uv=False), "block_diag": jax.scipy.linalg.block_diag,
    }.items()},
    **{name: reduced(f) for name, f in {
        "sum": jnp.sum, "mean": jnp.mean, "max": jnp.max, "min": jnp.min,
        "logsumexp": jax.scipy.special.logsumexp,
    }.items()},
    **{name: along(f) for name, f in {
        "cumsum": jnp.cumsum, "cumprod": jnp.cumprod, "softmax": jax.nn.softmax, "log_softmax": jax.nn.log_softmax,
    }.items()},
    "var": lambda a, x: jnp.var(x, axes(a), ddof=a["correction"], keepdims=a["keep"]),
    "prod": lambda a, x: jnp.prod(x),
    "prod_axis": lambda a, x: jnp.prod(x, a["axis"], keepdims=a["keep"]),
    "logcumsumexp": lambda a, x: lax.cumlogsumexp(x, a["axis"] % x.ndim),
    "sort": lambda a, x: jnp.sort(x, a["axis"], descending=a["descending"]),
    "powi": lambda a, x: lax.integer_pow(x, a["n"]),
    "powf": lambda a, x: jnp.power(x, a["p"]),
    "elu": lambda a, x: jax.nn.elu(x, a["alpha"]),
    "celu": lambda a, x: jax.nn.celu(x, a["alpha"]),
    "leaky_relu": lambda a, x: jax.nn.leaky_relu(x, a["slope"]),
    "glu": lambda a, x: jax.nn.glu(x, a["axis"]),
    "add_number": lambda a, x: x + a["s"],
    "mul_number": lambda a, x: x * a["s"],
    "number_sub": lambda a, x: a["s"] - x,
    "number_div": lambda a, x: a["s"] / x,
    "lerp": lambda a, x, y, s: x + s * (y - x),
    "cat": lambda a, *x: jnp.concatenate(x, a["axis"]),
    "stack": lambda a, *x: jnp.stack(x, a["axis"]),
    "reshape": lambda a, x: x.reshape(a["shape"]),
    "permute": lambda a, x: x.transpose(a["order"]),
    "transpose": lambda a, x: jnp.swapaxes(x, a["a"], a["b"]),
    "movedim": lambda a, x: jnp.moveaxis(x, a["source"], a["destination"]),
    "squeeze": lambda a, x: x.squeeze(a["axis"]),
    "unsqueeze": lambda a, x: jnp.expand_dims(x, a["axis"]),
    "flip": lambda a, x: jnp.flip(x, axes(a)),
    "roll": lambda a, x: jnp.roll(x, a["shift"], a["axis"]),
    "select": lambda a, x: jnp.take(x, a["at"] % x.shape[a["axis"]], a["axis"]),
    "slice_axis": slice_axis,
    "broadcast_to": lambda a, x: jnp.broadcast_to(x, a["shape"]),
    "tile": lambda a, x: jnp.tile(x, a["counts"]),
    "rot90": lambda a, x: jnp.rot90(x, a["k"], a["axes"]),
    "repeat_interleave": lambda a, x: jnp.repeat(x, a["count"], a["axis"]),
    "tril": lambda a, x: jnp.tril(x, a["offset"]),
    "triu": lambda a, x: jnp.triu(x, a["offset"]),
    "diagonal": lambda a, x: jnp.diagonal(x, a["offset"], -2, -1),
    "pad": lambda a, x: jnp.pad(x, numpy.reshape(a["widths"], (-1, 2)), constant_values=a["value"]),
    "index_select": lambda a, x: jnp.take(x, index(a["index"]), a["axis"]),
    "take": lambda a, x: jnp.take(x, index(a["index"])),
    "take_along_axis": lambda a, x: jnp.take_along_axis(x, index(a["index"]), a["axis"]),
    "index": lambda a, x: x[tuple(index(i) for i in a["index"])],
    "index_put": lambda a, x, v: (x.at[tuple(index(i) for i in a["index"])].add(v) if a["accumulate"] else
                                  x.at[tuple(index(i) for i in a["index"])].set(v)),
    "masked_fill": lambda a, x: jnp.where(index(a["mask"]) != 0, a["value"], x),
    "select_where": lambda a, x, y: jnp.where(index(a["mask"]) != 0, x, y),
    "einsum": lambda a, *x: jnp.einsum(a["equation"], *x),
    "tensordot": lambda a, x, y: jnp.tensordot(x, y, (a["axes"], a["other_axes"])),
    "vecdot": lambda a, x, y: jnp.vecdot(x, y, axis=a["axis"]),
    "cross": lambda a, x, y: jnp.cross(x, y, axis=a["axis"]),
    "matrix_power": lambda a, x: jnp.linalg.matrix_power(x, a["n"]),
    "conv": convolution,
    "layer_norm": layer_norm,
    "attention": attention,
    "svd": svd,
    "eigh": eigh,
}


def run(case, inputs):
    values = list(inputs)
    for name, operands, attributes in case["steps"]:
        made = FUNCTIONS[name](attributes, *[values[i] for i in operands])
        values.extend(made if isinstance(made, (tuple, list)) else [made])
    return jnp.concatenate([values[i].reshape(-1) for i in case["out"]])


# What moves numbers or chooses between them is exact.
EXACT = set("""
    select_n max min reduce_max reduce_min argmax argmin cummax cummin sort top_k clamp abs neg sign floor ceil round rem
    gather scatter dynamic_slice dynamic_update_slice slice concatenate reshape transpose broadcast_in_dim pad rev squeeze
    expand_dims convert_element_type copy copy_p iota split select_and_gather_add real imag complex conj
""".split())


def shaken(jaxpr, constants, arguments, off):
    """What a recorded function gives, with all that it computes off by one rounding."""
    values = dict(zip(jaxpr.constvars, constants)) | dict(zip(jaxpr.invars, arguments))
    read = lambda v: v.val if isinstance(v, Literal) else values[v]
    for step in jaxpr.eqns:
        operands = [read(v) for v in step.invars]
        inside = step.params.get("jaxpr") or step.params.get("call_jaxpr")
        if step.primitive.name in ("jit", "pjit", "closed_call", "custom_jvp_call", "custom_vjp_call") and inside:
            made = shaken(inside.jaxpr, inside.consts, operands, off)
        else:
            made = step.primitive.bind(*operands, **step.primitive.get_bind_params(step.params))
            made = made if step.primitive.multiple_results else [made]
            if step.primitive.name not in EXACT:
                made = [off(t) for t in made]
        values.update(zip(step.outvars, made))
    return [read(v) for v in jaxpr.outvars]


def derivatives(program, seed=None):
    """Value, gradient, tangent and Hessian product; with a seed, all off by one rounding."""
    case = program.case()
    x = tuple(jnp.asarray(x.detach().numpy()) for x in program.inputs)
    v = tuple(jnp.asarray(v) for v in program.direction)
    w = jnp.asarray(program.weights)
    f = lambda x: run(case, x)

    def all_of(x, v, w):
        value, jvp = jax.jvp(f, (x,), (v,))
        grad, hvp = jax.jvp(jax.grad(lambda x: jnp.vdot(w, f(x))), (x,), (v,))
        return value, jvp, grad, hvp

    if seed is None:
        value, jvp, grad, hvp = all_of(x, v, w)
    else:
        rng = numpy.random.default_rng(seed)

        def off(t):
            if not jnp.issubdtype(t.dtype, jnp.inexact):
                return t
            # Equal numbers stay equal.
            values, which = numpy.unique(numpy.abs(numpy.asarray(t)), return_inverse=True)
            factors = 1 + EPSILON[program.type] * 2 * rng.uniform(-1, 1, size=values.shape)
            return t * factors[which].reshape(t.shape)

        recorded = jax.make_jaxpr(all_of)(x, v, w)
        same = program.flavour in ("ties", "special")
        moved = [t if same else off(t) for t in x] + [off(t) for t in (*v, w)]
        made = shaken(recorded.jaxpr, recorded.consts, moved, off)
        n = len(x)
        value, jvp, grad, hvp = made[0], made[1], made[2:2 + n], made[2 + n:]
    array = lambda t: numpy.asarray(t, dtype=numpy.float64)
    found = {"value": array(value), "grad": [array(g) for g in grad], "jvp": array(jvp), "hvp": [array(h) for h in hvp]}
    return {k: v for k, v in found.items() if program.order >= {"value": 0, "hvp": 2}.get(k, 1)}


class ByJax(Program):
    """A program whose reference is JAX's."""

    def reference(self):
        return derivatives(self)

    def again(self, type="f64", seed=None):
        # In single precision there is no second opinion.
        return derivatives(self, 0 if type == "f32" else seed)

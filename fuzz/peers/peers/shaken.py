"""What PyTorch computes with every rounding drawn anew: how far that moves a number is how well it is known."""

import math

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map

# What moves numbers, chooses between them or makes them out of none is exact, and numbers that are equal have to stay equal:
# derivatives of extremes ask which one it was.
EXACT = set("""
    abs absolute neg negative sign sgn positive floor ceil round trunc frac fmod remainder copysign nan_to_num heaviside
    max min amax amin aminmax maximum minimum fmax fmin clamp clamp_min clamp_max clip cummax cummin _cummax_helper _cummin_helper
    sort topk kthvalue median nanmedian mode argsort argmax argmin where masked_fill masked_select masked_scatter
    masked_scatter_backward threshold threshold_backward relu hardtanh hardtanh_backward relu6
    gather index index_select index_fill index_copy take take_along_dim scatter index_put _index_put_impl put
    value_selecting_reduction_backward embedding one_hot select_scatter slice_scatter diagonal_scatter select_backward
    slice_backward diagonal_backward clone copy _to_copy contiguous cat stack repeat repeat_interleave flip roll rot90 tril triu
    constant_pad_nd reflection_pad1d reflection_pad2d reflection_pad3d replication_pad1d replication_pad2d replication_pad3d
    diag_embed im2col pixel_shuffle pixel_unshuffle channel_shuffle max_pool2d_with_indices max_pool3d_with_indices
    adaptive_max_pool2d adaptive_max_pool3d max_unpool2d max_unpool3d upsample_nearest1d upsample_nearest2d upsample_nearest3d
    _upsample_nearest_exact1d _upsample_nearest_exact2d _upsample_nearest_exact3d unfold
    zeros ones full empty arange linspace eye zeros_like ones_like full_like empty_like new_zeros new_ones new_full new_empty
    new_empty_strided empty_strided scalar_tensor fill lift_fresh lift_fresh_copy detach rand randn _efficientzerotensor
    complex conj conj_physical _conj_physical view_as_real_copy view_as_complex_copy real imag
""".split())


class Shaken(TorchDispatchMode):
    """All results off by up to one rounding, those on the way and those of the sweeps backwards, too."""

    def __init__(self, rounding, generator):
        super().__init__()
        self.rounding, self.generator = rounding, generator

    def off(self, t):
        if not isinstance(t, torch.Tensor) or not (t.is_floating_point() or t.is_complex()):
            return t
        if t._is_zerotensor() or t.is_meta or bool(((t == 0) | (t == 1)).all()):
            # What is not stored, and what may be truth values.
            return t
        # Equal numbers stay equal.
        values, which = torch.unique(t.abs(), return_inverse=True)
        off = (torch.rand(values.shape, generator=self.generator, dtype=torch.float64) * 2 - 1)[which]
        return t * (1 + self.rounding * off).to(t.real.dtype if t.is_complex() else t.dtype)

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        made = function(*args, **(kwargs or {}))
        name = function.overloadpacket.__name__
        # The largest of all is no sum of powers.
        largest = name == "linalg_vector_norm" and len(args) > 1 and math.isinf(args[1])
        if function.is_view or function._schema.is_mutable or name in EXACT or largest:
            return made
        return tree_map(self.off, made)

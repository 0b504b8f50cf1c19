//! The classes and functions that a state dict may name.

use super::super::dtype::Dtype;
use super::super::error::Problem;

/// A class or a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Global {
    Dtype(&'static Dtype),
    Storage(&'static Dtype),
    Named(Callable, &'static str),
}

/// What comes of its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Callable {
    /// Nothing: only its name counts.
    Nothing,
    UntypedStorage,
    /// A tensor, or what is one with more around it.
    Class,
    OrderedDict,
    Counter,
    Size,
    Device,
    Layout,
    Encode,
    ByteArray,
    Set,
    Complex,
    Tensor,
    TensorV2,
    TensorV3,
    Parameter,
    ParameterWithState,
    FromType,
    Sparse,
    Quantised,
    Meta,
    Wrapper,
    OnDevice,
}

static NAMED: &[(&str, Callable)] = &[
    ("collections.OrderedDict", Callable::OrderedDict),
    ("collections.Counter", Callable::Counter),
    ("torch.nn.parameter.Parameter", Callable::Class),
    ("torch.Tensor", Callable::Class),
    ("torch.Size", Callable::Size),
    ("torch.device", Callable::Device),
    ("torch.serialization._get_layout", Callable::Layout),
    ("_codecs.encode", Callable::Encode),
    ("builtins.bytearray", Callable::ByteArray),
    ("builtins.set", Callable::Set),
    ("builtins.complex", Callable::Complex),
    ("torch.storage.UntypedStorage", Callable::UntypedStorage),
    ("torch.storage.TypedStorage", Callable::Nothing),
    ("torch.per_tensor_affine", Callable::Nothing),
    ("torch.per_tensor_symmetric", Callable::Nothing),
    ("torch.per_channel_affine", Callable::Nothing),
    ("torch.per_channel_symmetric", Callable::Nothing),
    ("torch.per_channel_affine_float_qparams", Callable::Nothing),
    ("torch._utils._rebuild_tensor", Callable::Tensor),
    ("torch._utils._rebuild_tensor_v2", Callable::TensorV2),
    ("torch._utils._rebuild_tensor_v3", Callable::TensorV3),
    ("torch._utils._rebuild_parameter", Callable::Parameter),
    ("torch._utils._rebuild_parameter_with_state", Callable::ParameterWithState),
    ("torch._tensor._rebuild_from_type_v2", Callable::FromType),
    ("torch._utils._rebuild_sparse_tensor", Callable::Sparse),
    ("torch._utils._rebuild_qtensor", Callable::Quantised),
    ("torch._utils._rebuild_meta_tensor_no_storage", Callable::Meta),
    ("torch._utils._rebuild_wrapper_subclass", Callable::Wrapper),
    ("torch._utils._rebuild_device_tensor_from_cpu_tensor", Callable::OnDevice),
    ("torch._utils._rebuild_device_tensor_from_numpy", Callable::OnDevice),
];

impl Global {
    /// That of a module and a name.
    ///
    /// # Errors
    /// [`Problem::Refused`] if it is none that a state dict may name.
    pub(super) fn find(module: &str, name: &str) -> Result<Self, Problem> {
        // What Python 2 and older versions of PyTorch called them.
        let module = match module {
            "__builtin__" => "builtins",
            "torch.tensor" => "torch._tensor",
            other => other,
        };
        let path = format!("{module}.{name}");
        let found = match module {
            "torch" => Dtype::of_torch(name)
                .map(Global::Dtype)
                .or_else(|| Dtype::of_storage(name).map(Global::Storage)),
            "torch.cuda" => Dtype::of_storage(name).map(Global::Storage),
            _ => None,
        };
        let named = || NAMED.iter().find(|(other, _)| *other == path);
        found
            .or_else(|| named().map(|&(path, callable)| Global::Named(callable, path)))
            .ok_or(Problem::Refused { name: path })
    }

    /// Its name.
    pub(in super::super) fn name(self) -> &'static str {
        match self {
            Global::Dtype(dtype) => dtype.torch,
            Global::Storage(dtype) => dtype.storage,
            Global::Named(_, path) => path,
        }
    }

    pub(super) fn is(self, callable: Callable) -> bool {
        matches!(self, Global::Named(own, _) if own == callable)
    }
}

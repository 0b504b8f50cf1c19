//! Weight normalisation.

use wengert_tape::Var;
use wengert_tensor::{Float, Shape};

use super::{Parametrized, WeightMap, place};
use crate::ctx::Ctx;
use crate::init::Init;
use crate::params::{ParamId, Scope};

/// The weight g·v/‖v‖, with one length g and one direction v for each output (Salimans and Kingma, "Weight normalization",
/// 2016), of a layer of any kind.
///
/// Parameters as in PyTorch: `parametrizations.weight.original0`, the lengths, of shape `[out, 1, …]`, and
/// `parametrizations.weight.original1`, the directions, of the weight's shape. At the start the weight is what the layer
/// itself would start with.
///
/// ```
/// use wengert_nn::{Conv2d, Layer, Params, WeightNorm};
/// use wengert_tape::Var;
/// let mut params: Params = Params::seeded(0);
/// let layer = WeightNorm::of(params.at("conv"), |p| Conv2d::new(p, 3, 8, 3));
/// assert_eq!(params.shape(params.id("conv.parametrizations.weight.original0").unwrap()), &[8, 1, 1, 1]);
/// assert_eq!(params.infer(|cx| layer.forward(cx, &Var::ones([1, 3, 5, 5]))).shape(), &[1, 8, 3, 3]);
/// ```
#[doc(alias = "weight_norm")]
#[derive(Clone, Debug)]
pub struct WeightNorm {
    lengths: ParamId,
    axis: Option<usize>,
}

impl WeightNorm {
    /// The layer that is made at a place, with its `weight` normalised for each output.
    ///
    /// # Panics
    /// If the layer makes no `weight`.
    #[track_caller]
    pub fn of<T: Float, L>(
        p: Scope<'_, T>,
        layer: impl FnOnce(Scope<'_, T>) -> L,
    ) -> Parametrized<L, WeightNorm> {
        WeightNorm::builder().build(p, layer)
    }

    /// With options.
    pub fn builder() -> WeightNormBuilder {
        WeightNormBuilder { name: "weight".into(), axis: Some(0), old_names: false }
    }
}

/// The options of a [`WeightNorm`].
#[derive(Clone, Debug)]
pub struct WeightNormBuilder {
    name: String,
    axis: Option<usize>,
    old_names: bool,
}

impl WeightNormBuilder {
    /// Which of the layer's parameters is normalised. Default `weight`; a recurrent layer has others.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// The axis along which each position has a length of its own. Default 0.
    #[doc(alias = "dim")]
    #[must_use]
    pub fn axis(mut self, axis: usize) -> Self {
        self.axis = Some(axis);
        self
    }

    /// One length for the whole weight, of shape `[]`. (PyTorch's `dim=None`.)
    ///
    /// ```
    /// use wengert_nn::{Linear, Params, WeightNorm};
    /// let mut params: Params<f64> = Params::seeded(0);
    /// let linear = |p: wengert_nn::Scope<'_, f64>| Linear::new(p, 2, 3);
    /// WeightNorm::builder().whole().build(params.at("out"), linear);
    /// assert_eq!(params.shape(params.id("out.parametrizations.weight.original0").unwrap()), &[]);
    /// ```
    #[must_use]
    pub fn whole(mut self) -> Self {
        self.axis = None;
        self
    }

    /// The names of older files, `weight_g` and `weight_v`.
    ///
    /// ```
    /// use wengert_nn::{Linear, Params, WeightNorm};
    /// let mut params: Params<f64> = Params::seeded(0);
    /// let linear = |p: wengert_nn::Scope<'_, f64>| Linear::new(p, 2, 3);
    /// WeightNorm::builder().old_names().build(params.at("out"), linear);
    /// assert_eq!(params.shape(params.id("out.weight_g").unwrap()), &[3, 1]);
    /// ```
    #[must_use]
    pub fn old_names(mut self) -> Self {
        self.old_names = true;
        self
    }

    /// The layer that is made at a place, with its weight normalised.
    ///
    /// # Panics
    /// If the layer makes no parameter of the name, or that has no such axis.
    #[track_caller]
    pub fn build<T: Float, L>(
        self,
        mut p: Scope<'_, T>,
        layer: impl FnOnce(Scope<'_, T>) -> L,
    ) -> Parametrized<L, WeightNorm> {
        let WeightNormBuilder { name, axis, old_names } = self;
        let [length, direction] = if old_names {
            [format!("{name}_g"), format!("{name}_v")]
        } else {
            [place(&name, "original0"), place(&name, "original1")]
        };
        let layer = layer(p.again());
        let raw = p.rename("weight_norm", &name, &direction);
        let value = p.params().tensor(raw);
        assert!(
            axis.is_none_or(|axis| axis < value.rank()),
            "weight_norm: `{name}` of shape {} has no axis {}",
            value.shape(),
            axis.unwrap_or(0)
        );
        let lengths = lengths_of(&Var::constant(value), axis);
        let id = p.param(&length, lengths.shape(), Init::Zeros);
        p.params().slice_mut(id).copy_from_slice(&lengths.value().to_vec());
        Parametrized { layer, raw, map: WeightNorm { lengths: id, axis } }
    }
}

/// The Euclidean norm for each position on the axis, or of the whole.
fn lengths_of<T: Float>(v: &Var<T>, axis: Option<usize>) -> Var<T> {
    match axis {
        None => v.norm(2.0),
        Some(axis) => {
            let others: Vec<usize> = (0..v.rank()).filter(|&other| other != axis).collect();
            // Of single numbers the norm over no axes.
            if others.is_empty() { v.abs() } else { v.norm_axes(2.0, &others[..], true) }
        }
    }
}

impl<T: Float> WeightMap<T> for WeightNorm {
    #[track_caller]
    fn weight(&self, cx: &Ctx<T>, raw: &Var<T>) -> Var<T> {
        let lengths = cx.param_of("weight_norm", self.lengths);
        raw * (lengths / lengths_of(raw, self.axis))
    }
}

/// The axes in another order, that one first, as a matrix.
pub(super) fn matrix<T: Float>(weight: &Var<T>, axis: usize) -> Var<T> {
    let order: Vec<usize> = std::iter::once(axis).chain((0..weight.rank()).filter(|&i| i != axis)).collect();
    let rows = weight.shape()[axis];
    let columns: usize = order[1..].iter().map(|&i| weight.shape()[i]).product();
    weight.permute(&order[..]).reshape(Shape::from([rows, columns]))
}

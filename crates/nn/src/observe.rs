//! Watching a forward pass.

use wengert_tape::Var;
use wengert_tensor::conv::{Conv2dGeometry, Conv2dOptions};
use wengert_tensor::{Float, Shape};

use crate::layer::four_axes;
use crate::params::{Layout, ParamId};

/// Who watches a forward pass, without a part in it: made one by [`Ctx::observe`](crate::Ctx::observe).
///
/// Summaries and Kronecker factors are made so, and so are statistics of activations, or the search for the first layer
/// that makes a NaN. All methods do nothing by default; what they are given lives as long as the call, and a [`Var`] that is
/// kept keeps its recording.
///
/// ```
/// use std::{cell::RefCell, rc::Rc};
/// use wengert_nn::{Lambda, Layer, LayerUse, Linear, Observer, Params, Relu, Sequential};
/// use wengert_tape::Var;
///
/// /// The first layer whose output is not finite.
/// #[derive(Default)]
/// struct FirstFault(RefCell<Option<String>>);
///
/// impl Observer for FirstFault {
///     fn layer(&self, layer: &LayerUse<'_, f32>) {
///         if !layer.output.value().is_finite().iter().all(|finite| finite) {
///             self.0.borrow_mut().get_or_insert_with(|| format!("{} {}", layer.kind, layer.path));
///         }
///     }
/// }
///
/// let mut params: Params = Params::seeded(0);
/// let model = Sequential::builder(params.at("net"))
///     .with(|p| Linear::new(p, 4, 3))
///     .then(Relu)
///     .then(Lambda::new(|_, x| x.ln())) // of 0
///     .with(|p| Linear::new(p, 3, 2))
///     .build();
/// params.set_values(&[-1.0; 23]);
/// let fault = Rc::new(FirstFault::default());
/// params.infer(|cx| {
///     cx.observe(fault.clone());
///     model.forward(cx, &Var::ones([1, 4]))
/// });
/// assert_eq!(fault.0.borrow().as_deref(), Some("Lambda "));
/// ```
#[doc(alias = "hook")]
#[doc(alias = "register_forward_hook")]
pub trait Observer<T: Float = f32> {
    /// A parameter was read.
    fn param(&self, _param: &ParamUse<'_, T>) {}

    /// A layer of that kind begins: called by [`Ctx::enter`](crate::Ctx::enter). What comes until the
    /// [`layer`](Observer::layer) that belongs to it is inside of it.
    fn enter(&self, _kind: &str) {}

    /// A layer has this output: called by [`Entered::leave`](crate::Entered::leave) and [`Ctx::trace`](crate::Ctx::trace).
    fn layer(&self, _layer: &LayerUse<'_, T>) {}

    /// A learned affine map was applied: called by [`Ctx::affine`](crate::Ctx::affine).
    fn affine(&self, _affine: &AffineUse<'_, T>) {}
}

/// A parameter tensor that is read.
///
/// ```
/// use std::{cell::RefCell, rc::Rc};
/// use wengert_nn::{Layer, Linear, Observer, ParamUse, Params};
/// use wengert_tape::Var;
/// /// The names of the parameters that a model reads.
/// #[derive(Default)]
/// struct Names(RefCell<Vec<String>>);
/// impl Observer<f64> for Names {
///     fn param(&self, used: &ParamUse<'_, f64>) { self.0.borrow_mut().push(used.name.into()) }
/// }
/// let mut params: Params<f64> = Params::seeded(0);
/// let model = Linear::new(params.at("out"), 2, 1);
/// let names = Rc::new(Names::default());
/// params.infer(|cx| {
///     cx.observe(names.clone());
///     model.forward(cx, &Var::ones([1, 2]))
/// });
/// assert_eq!(*names.0.borrow(), ["out.weight", "out.bias"]);
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ParamUse<'a, T: Float> {
    /// Which it is.
    pub id: ParamId,
    /// Its name.
    pub name: &'a str,
    /// Its value.
    pub value: &'a Var<T>,
}

/// A layer that is applied.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct LayerUse<'a, T: Float> {
    /// What kind of layer it is, e.g. `"Linear"`.
    pub kind: &'a str,
    /// The path of its parameters; empty if it has none.
    pub path: &'a str,
    /// Its parameters.
    pub params: &'a [ParamId],
    /// Its output.
    pub output: &'a Var<T>,
}

/// An affine map that is applied: the shapes fit.
///
/// ```
/// use std::{cell::Cell, rc::Rc};
/// use wengert_nn::{AffineUse, Layer, Linear, Observer, Params};
/// use wengert_tape::Var;
/// /// The mean square of what goes into affine maps.
/// #[derive(Default)]
/// struct InputPower(Cell<f64>);
/// impl Observer<f64> for InputPower {
///     fn affine(&self, used: &AffineUse<'_, f64>) { self.0.set(used.input.square().mean().item()) }
/// }
/// let mut params: Params<f64> = Params::seeded(0);
/// let model = Linear::new(params.root(), 2, 1);
/// let power = Rc::new(InputPower::default());
/// params.infer(|cx| {
///     cx.observe(power.clone());
///     model.forward(cx, &Var::from([[1.0, 3.0]]))
/// });
/// assert_eq!(power.0.get(), 5.0);
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct AffineUse<'a, T: Float> {
    /// The map.
    pub map: Affine,
    /// For a convolution.
    pub geometry: Option<Conv2dGeometry>,
    /// What it is applied to.
    pub input: &'a Var<T>,
    /// Its output.
    pub output: &'a Var<T>,
}

/// An affine map with learned weights: what a layer tells [`Ctx::affine`](crate::Ctx::affine) of.
#[derive(Clone, Copy, Debug)]
pub struct Affine {
    /// The weight: `[out, in]`, or for a convolution `[out, in / groups, height, width]`, or of sequences
    /// `[out, in / groups, kernel]`.
    pub weight: ParamId,
    /// The bias, `[out]`.
    pub bias: Option<ParamId>,
    /// For a convolution, how the kernel moves, of sequences as of images of height 1; else the map is along the last axis.
    pub convolution: Option<Conv2dOptions>,
}

impl Affine {
    /// The geometry, if this is a convolution. Panics if the shapes do not fit, or an id belongs to another `Params`.
    #[track_caller]
    pub(crate) fn geometry(&self, layout: &Layout, input: &Shape, output: &Shape) -> Option<Conv2dGeometry> {
        let weight = &layout.entry("affine", self.weight).shape;
        // Not in the closure, which would lose the caller's line.
        if let Some(bias) = self.bias {
            layout.entry("affine", bias);
        }
        let bias = self.bias.map(|bias| &layout.entry("affine", bias).shape);
        let geometry = match self.convolution {
            Some(options) => convolution(weight, options, input, output).map(Some),
            None => linear(weight, input, output).then_some(None),
        };
        let fits = bias.is_none_or(|bias| bias[..] == weight[..weight.len().min(1)]);
        let Some(geometry) = geometry.filter(|_| fits) else {
            panic!(
                "affine: a weight of shape {weight} with a bias of shape {} does not map an input of shape {input} to an output of shape {output}",
                bias.map_or("none".into(), ToString::to_string),
            )
        };
        geometry
    }
}

fn linear(weight: &Shape, input: &Shape, output: &Shape) -> bool {
    let (Some((features, lead)), Some((outputs, out_lead))) = (input.split_last(), output.split_last())
    else {
        return false;
    };
    lead == out_lead && weight[..] == [*outputs, *features]
}

fn convolution(
    weight: &Shape,
    options: Conv2dOptions,
    input: &Shape,
    output: &Shape,
) -> Option<Conv2dGeometry> {
    let geometry = Conv2dGeometry::new(four_axes(input)?, four_axes(weight)?, options).ok()?;
    (four_axes(output)? == geometry.output_shape()).then_some(geometry)
}

//! Where a NaN comes from.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use wengert_nn::{Ctx, LayerUse, Observer, Params};
use wengert_tape::{Extent, Fault, Var, find_fault};
use wengert_tensor::Float;

/// Evaluates a loss with its gradient once more, and finds what made the first NaN or infinity in it; `None` if nothing
/// does. The parameters are taken as they are and stay so, and random numbers are those of the next evaluation: the same
/// again after a step of a [`Run`](crate::Run) that failed. After [`Params::value_and_grad`] those come back by
/// `params.set_step(params.step() - 1)`.
///
/// ```
/// use wengert_nn::{Ctx, Lambda, Layer, Linear, Params, Relu, Sequential};
/// use wengert_tape::Var;
/// use wengert_train::watch::first_trouble;
/// let mut params: Params = Params::seeded(0);
/// let model = Sequential::builder(params.at("net"))
///     .with(|p| Linear::new(p, 4, 3))
///     .then(Relu)
///     .then(Lambda::new(|_, x| x.ln()))
///     .with(|p| Linear::new(p, 3, 2))
///     .build();
/// params.set_values(&[-1.0; 23]);
/// let loss = |cx: &Ctx| model.forward(cx, &Var::ones([5, 4])).square().mean();
/// let (value, _) = params.value_and_grad(loss)?;
/// assert!(!value.is_finite());
/// let trouble = first_trouble(&params, loss).unwrap();
/// assert_eq!(trouble.fault.operation, "ln");
/// assert_eq!(trouble.fault.inputs[0].largest, 0.0);
/// assert_eq!(trouble.after.as_deref(), Some("Relu"));
/// println!("{trouble}");
/// # Ok::<(), wengert_nn::GradError>(())
/// ```
///
/// # Panics
/// If the loss panics, or does not have exactly one element.
#[track_caller]
pub fn first_trouble<T: Float>(params: &Params<T>, loss: impl FnOnce(&Ctx<T>) -> Var<T>) -> Option<Trouble> {
    let mut copy = params.clone();
    copy.allow_unreached(true);
    let layers = Rc::new(Layers::default());
    let watched = |cx: &Ctx<T>| {
        cx.observe(Rc::clone(&layers) as Rc<dyn Observer<T>>);
        loss(cx)
    };
    let (_, fault) = find_fault(|| copy.value_and_grad(watched));
    let not_finite =
        |(name, _, values): (&str, _, &[T])| values.iter().any(|x| !x.is_finite()).then(|| name.to_owned());
    let (after, before) = layers.0.take();
    Some(Trouble { fault: fault?, after, before, parameters: params.iter().filter_map(not_finite).collect() })
}

/// What made the first NaN or infinity.
///
/// ```
/// use wengert_nn::{Ctx, Layer, Linear, Params};
/// use wengert_tape::Var;
/// use wengert_train::watch::{Trouble, first_trouble};
/// let mut params: Params = Params::seeded(0);
/// let model = Linear::new(params.at("out"), 2, 1);
/// let loss = |cx: &Ctx| model.forward(cx, &Var::ones([3, 2])).square().mean();
/// assert_eq!(first_trouble(&params, loss), None);
///
/// params.values_mut()[0] = f32::NAN;
/// let Trouble { before, parameters, .. } = first_trouble(&params, loss).unwrap();
/// assert_eq!((before.as_deref(), parameters), (Some("Linear out"), vec!["out.weight".to_owned()]));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Trouble {
    /// The operation.
    pub fault: Fault,
    /// The last layer of the forward pass before the first whose output is not finite.
    pub after: Option<String>,
    /// The first layer whose output is not finite; none if the fault is in the loss, or in the backward pass.
    pub before: Option<String>,
    /// The names of the parameters that are not finite themselves.
    pub parameters: Vec<String>,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.fault)?;
        match (&self.after, &self.before) {
            (Some(after), Some(before)) => write!(f, "\n  in layer {before}, or between {after} and it")?,
            (None, Some(before)) => write!(f, "\n  in layer {before}, the first, or before it")?,
            (Some(after), None) if self.fault.derivative.is_none() => {
                write!(f, "\n  after layer {after}, the last")?
            }
            _ => {}
        }
        if !self.parameters.is_empty() {
            write!(f, "\n  not finite before: {}", self.parameters.join(", "))?;
        }
        Ok(())
    }
}

/// The last layer that was well, and the first that was not.
#[derive(Default)]
struct Layers(RefCell<(Option<String>, Option<String>)>);

impl<T: Float> Observer<T> for Layers {
    fn layer(&self, layer: &LayerUse<'_, T>) {
        let (after, before) = &mut *self.0.borrow_mut();
        if before.is_some() {
            return;
        }
        let name = format!("{} {}", layer.kind, layer.path).trim_end().to_owned();
        if Extent::of(layer.output.value()).is_finite() {
            *after = Some(name);
        } else {
            *before = Some(name);
        }
    }
}

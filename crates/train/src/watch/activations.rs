//! What layers give out.

use std::cell::{Cell, Ref, RefCell};
use std::fmt;
use std::rc::Rc;

use wengert_nn::{Ctx, LayerUse, Observer};
use wengert_tensor::{Float, Tensor};

use super::{aligned, shown};

/// The outputs of each layer over the forward passes that are [watched](Activations::watch): mean, deviation, the fraction of
/// zeros, and units that never were positive, which behind a ReLU are dead.
///
/// ```
/// use wengert_nn::{Layer, Linear, Params, Relu, Sequential};
/// use wengert_tape::Var;
/// use wengert_train::watch::Activations;
/// let mut params: Params = Params::seeded(0);
/// let model = Sequential::builder(params.root()).with(|p| Linear::new(p, 2, 3)).then(Relu).build();
/// params.set_values(&[1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, -5.0]); // the third bias is −5
/// let activations = Activations::new();
/// for x in [[[1.0f32, 2.0]], [[3.0, -1.0]]] {
///     params.infer(|cx| {
///         activations.watch(cx);
///         model.forward(cx, &Var::from(x))
///     });
/// }
/// let relu = &activations.rows()[1];
/// assert_eq!((relu.kind.as_str(), relu.mean, relu.zeros), ("Relu", 1.0, 0.5));
/// assert_eq!((relu.dead(), relu.units), (vec![2], 3));
/// println!("{activations}");
/// ```
pub struct Activations<T: Float = f32> {
    seen: Rc<Seen>,
    of: std::marker::PhantomData<fn(T)>,
}

#[derive(Default)]
struct Seen(RefCell<Vec<ActivationRow>>);

/// A layer's outputs.
///
/// ```
/// use wengert_nn::{Layer, Params, Relu, Sequential};
/// use wengert_tape::Var;
/// use wengert_train::watch::{ActivationRow, Activations};
/// let mut params: Params = Params::seeded(0);
/// let model = Sequential::builder(params.root()).then(Relu).build();
/// let activations = Activations::new();
/// params.infer(|cx| {
///     activations.watch(cx);
///     model.forward(cx, &Var::from([[-1.0f32, 2.0, 0.5, -3.0]]))
/// });
/// let rows: Vec<ActivationRow> = activations.rows();
/// let ActivationRow { kind, count, zeros, .. } = &rows[0];
/// assert_eq!((kind.as_str(), *count, *zeros), ("Relu", 4, 0.5));
/// assert_eq!(rows[0].dead(), [0, 3]);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ActivationRow {
    /// Which layer of the forward pass it is, from 0.
    pub position: usize,
    /// What kind of layer it is, e.g. `"Linear"`.
    pub kind: String,
    /// The path of its parameters; empty if it has none.
    pub path: String,
    /// The number of outputs that were seen.
    pub count: u64,
    /// The mean of those that are finite.
    pub mean: f64,
    /// The standard deviation of those that are finite.
    pub std: f64,
    /// The fraction of outputs that are 0.
    pub zeros: f64,
    /// The outputs that are NaN or infinite.
    pub not_finite: u64,
    /// The number of units: the length of the last axis, or for images (four axes and more) of the second.
    pub units: usize,
    squares: f64,
    finite: u64,
    zero_count: u64,
    positive: Vec<bool>,
}

impl ActivationRow {
    /// The units whose output never was positive, for any example.
    pub fn dead(&self) -> Vec<usize> {
        (0..self.units).filter(|&unit| !self.positive[unit]).collect()
    }

    fn take_in<T: Float>(&mut self, output: &Tensor<T>) {
        let axis = unit_axis(output);
        let units = axis.map_or(1, |axis| output.shape()[axis]);
        let inner: usize = axis.map_or(1, |axis| output.shape()[axis + 1..].iter().product());
        if units != self.units {
            // Another shape: what was seen of units says nothing of these.
            (self.units, self.positive) = (units, vec![false; units]);
        }
        for (i, x) in output.iter().map(Float::to_f64).enumerate() {
            self.count += 1;
            if !x.is_finite() {
                self.not_finite += 1;
                continue;
            }
            self.finite += 1;
            let from_mean = x - self.mean;
            self.mean += from_mean / self.finite as f64;
            self.squares += from_mean * (x - self.mean);
            self.zero_count += u64::from(x == 0.0);
            if x > 0.0 {
                self.positive[i / inner % units] = true;
            }
        }
        self.std = (self.squares / self.finite as f64).sqrt();
        self.zeros = self.zero_count as f64 / self.count as f64;
    }
}

fn unit_axis<T: Float>(output: &Tensor<T>) -> Option<usize> {
    match output.rank() {
        0 => None,
        rank @ 1..=3 => Some(rank - 1),
        _ => Some(1),
    }
}

impl<T: Float> Default for Activations<T> {
    fn default() -> Self {
        Activations::new()
    }
}

impl<T: Float> Activations<T> {
    /// Nothing seen yet.
    pub fn new() -> Self {
        Activations { seen: Rc::default(), of: std::marker::PhantomData }
    }

    /// Watches the rest of the forward pass: called in the closures of the steps that are to be seen.
    pub fn watch(&self, cx: &Ctx<T>) {
        cx.observe(Rc::new(Pass { seen: Rc::clone(&self.seen), next: Cell::new(0) }));
    }

    /// What was seen of each layer, in the order in which they are applied.
    pub fn rows(&self) -> Vec<ActivationRow> {
        self.borrowed().clone()
    }

    /// Forgets all that was seen: units are dead that are not positive from now on.
    pub fn reset(&self) {
        self.seen.0.borrow_mut().clear();
    }

    fn borrowed(&self) -> Ref<'_, Vec<ActivationRow>> {
        self.seen.0.borrow()
    }
}

/// A forward pass that is watched.
struct Pass {
    seen: Rc<Seen>,
    next: Cell<usize>,
}

impl<T: Float> Observer<T> for Pass {
    fn layer(&self, layer: &LayerUse<'_, T>) {
        let position = self.next.replace(self.next.get() + 1);
        let mut rows = self.seen.0.borrow_mut();
        let same = |row: &ActivationRow| {
            (row.position, &*row.kind, &*row.path) == (position, layer.kind, layer.path)
        };
        let at = rows.iter().position(same).unwrap_or_else(|| {
            rows.push(ActivationRow {
                position,
                kind: layer.kind.to_owned(),
                path: layer.path.to_owned(),
                count: 0,
                mean: 0.0,
                std: f64::NAN,
                zeros: f64::NAN,
                not_finite: 0,
                units: 0,
                squares: 0.0,
                finite: 0,
                zero_count: 0,
                positive: Vec::new(),
            });
            rows.len() - 1
        });
        rows[at].take_in(layer.output.value());
    }
}

impl<T: Float> fmt::Debug for Activations<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Activations").field(&*self.borrowed()).finish()
    }
}

impl<T: Float> fmt::Display for Activations<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = ["layer", "mean", "std", "zeros", "never positive", "not finite"];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        for row in &*self.borrowed() {
            let place = if row.path.is_empty() { row.position.to_string() } else { row.path.clone() };
            rows.push(vec![
                format!("{} {place}", row.kind),
                shown(row.mean),
                shown(row.std),
                format!("{:.1} %", 100.0 * row.zeros),
                format!("{} of {}", row.dead().len(), row.units),
                row.not_finite.to_string(),
            ]);
        }
        aligned(f, &rows)
    }
}

//! The case table: one line per differentiable operation and way of calling it. A new operation adds its line to the
//! file of its family; `gradients.rs` fails for an operation that has none.

mod arithmetic;
mod arrange;
mod attention;
mod broadcast;
mod calculus;
mod compare;
mod complex;
mod convolution;
mod ctc;
mod diagonal;
mod distance;
mod extremes;
mod extremes_of_range;
mod far_powers;
#[cfg(feature = "fft")]
mod fft;
mod grid;
mod index;
mod join;
mod kinks;
mod limits;
mod linalg;
mod matmul;
mod order;
mod pairs;
mod products;

mod normalise;
mod recurrent;
mod reduce;
mod reshape;
mod sample;
mod scatter;
mod select;
mod softmax;
mod unary;
mod windows;

use wengert_tape::Var;
use wengert_tensor::{Shape, Tensor};

/// A function and the points at which its derivatives are checked.
pub(crate) struct Case {
    /// The operation's name, and after a space what is particular about this case.
    pub(crate) name: &'static str,
    pub(crate) f: fn(&[Var<f64>]) -> Var<f64>,
    pub(crate) points: Vec<Vec<Var<f64>>>,
    /// Up to which order the derivatives are checked.
    pub(crate) order: usize,
}

impl Case {
    /// The name of the operation alone.
    pub(crate) fn operation(&self) -> &'static str {
        self.name.split(' ').next().unwrap_or_default()
    }

    /// The same at another point.
    fn also<const N: usize>(mut self, point: [Var<f64>; N]) -> Self {
        self.points.push(point.into());
        self
    }

    /// Checked up to this order instead of 2.
    fn order(mut self, order: usize) -> Self {
        self.order = order;
        self
    }
}

/// A function of some variables, at one point.
fn case<const N: usize>(name: &'static str, f: fn(&[Var<f64>]) -> Var<f64>, point: [Var<f64>; N]) -> Case {
    Case { name, f, points: vec![point.into()], order: 2 }
}

/// The whole table.
pub(crate) fn all() -> Vec<Case> {
    [
        arithmetic::cases(),
        arrange::cases(),
        attention::cases(),
        broadcast::cases(),
        calculus::cases(),
        compare::cases(),
        complex::cases(),
        convolution::cases(),
        ctc::cases(),
        diagonal::cases(),
        distance::cases(),
        extremes::cases(),
        #[cfg(feature = "fft")]
        fft::cases(),
        grid::cases(),
        index::cases(),
        join::cases(),
        linalg::cases(),
        matmul::cases(),
        pairs::cases(),
        order::cases(),
        products::cases(),
        normalise::cases(),
        recurrent::cases(),
        reduce::cases(),
        reshape::cases(),
        sample::cases(),
        scatter::cases(),
        select::cases(),
        softmax::cases(),
        unary::cases(),
        windows::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Different numbers in (−1, 1), none nearer than 0.04 to 0, other ones for another `salt`. With the step of a few
/// thousandths that differences are taken with, no two of them change places.
fn spread(shape: &Shape, salt: usize) -> Vec<f64> {
    let n = shape.count();
    // Multiples of 1/n in an order that a step coprime to n gives, the zero in the middle left out.
    let step = (n / 2..).find(|s| gcd(*s, n) == 1).unwrap_or(1);
    (0..n)
        .map(|i| {
            let unit =
                ((i * step + salt) % n.max(1)) as f64 / n as f64 + 0.3 / n as f64 + 0.001 * salt as f64;
            let x = 1.9 * unit - 0.95;
            if x < 0.0 { x - 0.04 } else { x + 0.04 }
        })
        .collect()
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

fn scattered(shape: impl Into<Shape>, salt: usize, place: impl Fn(f64) -> f64) -> Var<f64> {
    let shape = shape.into();
    let numbers = spread(&shape, salt).into_iter().map(place).collect();
    Var::constant(Tensor::from_vec(numbers, shape).expect("one number per element"))
}

/// Of both signs, up to 1 in size.
fn unit(shape: impl Into<Shape>) -> Var<f64> {
    scattered(shape, 0, |x| 0.75 * x)
}

/// Of both signs, up to 2 in size.
fn any(shape: impl Into<Shape>) -> Var<f64> {
    scattered(shape, 0, |x| 2.0 * x)
}

/// Of both signs, other numbers than [`any`]'s.
fn other(shape: impl Into<Shape>) -> Var<f64> {
    scattered(shape, 3, |x| 1.7 * x + 0.011)
}

/// From 0.5 to 2.5.
fn positive(shape: impl Into<Shape>) -> Var<f64> {
    scattered(shape, 1, |x| 1.5 + x)
}

/// The given numbers.
fn at(values: impl Into<Tensor<f64>>) -> Var<f64> {
    Var::constant(values)
}

fn indices(positions: impl Into<Tensor<u32>>) -> Tensor<u32> {
    positions.into()
}

//! The network and its loss.

use wengert::prelude::*;
use wengert::tape::jvp;

use crate::burgers::{VISCOSITY, initial};

/// Units of each hidden layer.
const WIDTH: usize = 20;

/// u(t, x) as a network of four hidden layers.
pub(crate) struct Solution {
    net: Sequential<f64>,
}

/// Where the network is held to what it should be.
pub(crate) struct Points {
    /// t and x inside, a column each.
    t: Var<f64>,
    x: Var<f64>,
    /// Places (t, x) at the start and at the borders, and the values there.
    places: Var<f64>,
    values: Var<f64>,
}

impl Points {
    /// Points at random: `inside`, and `border` on each of three sides.
    pub(crate) fn scattered(inside: usize, border: usize, seed: u64) -> Self {
        let mut generator = Generator::seeded(seed).fork(1);
        let mut numbers = |count: usize, low: f64| -> Vec<f64> {
            (0..count).map(|_| low + (1.0 - low) * generator.uniform()).collect()
        };
        let column = |numbers: &[f64]| Var::from(Tensor::vector(numbers)).reshape([numbers.len(), 1]);
        let (t, x) = (column(&numbers(inside, 0.0)), column(&numbers(inside, -1.0)));
        let (start, left, right) = (numbers(border, -1.0), numbers(border, 0.0), numbers(border, 0.0));
        let mut places = Vec::new();
        let mut values = Vec::new();
        for &x in &start {
            places.extend([0.0, x]);
            values.push(initial(x));
        }
        for (side, times) in [(-1.0, &left), (1.0, &right)] {
            for &t in times {
                places.extend([t, side]);
                values.push(0.0);
            }
        }
        let places = Var::from(Tensor::vector(&places)).reshape([values.len(), 2]);
        Points { t, x, places, values: column(&values) }
    }

    pub(crate) fn borders(&self) -> usize {
        self.values.len()
    }
}

impl Solution {
    pub(crate) fn new(params: &mut Params<f64>) -> Self {
        let dense = |inputs: usize| {
            move |p: Scope<'_, f64>| {
                Linear::builder(inputs, WIDTH).weight(Init::xavier_normal()).bias(Init::Zeros).build(p)
            }
        };
        let net = Sequential::builder(params.at("net"))
            .with(dense(2))
            .then(Tanh)
            .with(dense(WIDTH))
            .then(Tanh)
            .with(dense(WIDTH))
            .then(Tanh)
            .with(dense(WIDTH))
            .then(Tanh)
            .with(|p| Linear::builder(WIDTH, 1).weight(Init::xavier_normal()).bias(Init::Zeros).build(p))
            .build();
        Solution { net }
    }

    fn at(&self, cx: &Ctx<f64>, t: &Var<f64>, x: &Var<f64>) -> Var<f64> {
        self.net.forward(cx, &Var::cat(&[t, x], 1))
    }

    /// u_t + u·u_x − ν·u_xx. Each row depends on its own t and x alone, so that one derivative along a column of ones is
    /// that of every row.
    fn residual(&self, cx: &Ctx<f64>, t: &Var<f64>, x: &Var<f64>) -> Var<f64> {
        let ones = Var::ones(x.shape());
        let (_, u_t) = jvp(|t: &Var<f64>| self.at(cx, t, x), t, &ones);
        let along_x = |x: &Var<f64>| jvp(|x: &Var<f64>| self.at(cx, t, x), x, &ones);
        let (u, u_x) = along_x(x);
        let (_, u_xx) = jvp(|x: &Var<f64>| along_x(x).1, x, &ones);
        u_t + u * u_x - u_xx * VISCOSITY
    }

    /// The mean squares of what is wrong inside, and at the start and the borders.
    pub(crate) fn loss(&self, cx: &Ctx<f64>, points: &Points) -> Var<f64> {
        let inside = self.residual(cx, &points.t, &points.x).square().mean();
        inside + self.net.forward(cx, &points.places).mse(&points.values)
    }

    /// u at one time.
    pub(crate) fn values(&self, params: &Params<f64>, t: f64, xs: &[f64]) -> Vec<f64> {
        let places: Vec<f64> = xs.iter().flat_map(|&x| [t, x]).collect();
        self.values_at(params, &places)
    }

    /// u at places (t, x), one after the other.
    pub(crate) fn values_at(&self, params: &Params<f64>, places: &[f64]) -> Vec<f64> {
        let places = Var::from(Tensor::vector(places)).reshape([places.len() / 2, 2]);
        params.infer(|cx| self.net.forward(cx, &places).into_value().to_vec())
    }
}

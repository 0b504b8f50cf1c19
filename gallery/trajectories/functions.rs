//! The functions.

use wengert::prelude::*;

use crate::settings::Settings;

/// A function with its start, and the part of the plane that is drawn.
pub(crate) struct Function {
    /// Of its files.
    pub name: &'static str,
    pub title: &'static str,
    /// What to know when looking at the picture.
    pub note: &'static str,
    /// Elementwise in the coordinates, so that a grid of points is evaluated as a point is.
    pub f: fn(&[Var<f64>]) -> Var<f64>,
    pub start: &'static [f64],
    pub minima: &'static [&'static [f64]],
    /// Lowest and highest value of each coordinate in the picture; a path that leaves it is stopped.
    pub frame: &'static [(f64, f64)],
    /// Where lines of equal value are drawn.
    pub levels: &'static [f64],
    pub settings: Settings,
}

impl Function {
    /// The values at points that differ in the coordinates `across` and `down`, all others being those of the
    /// first minimum (or 0).
    pub(crate) fn slice(&self, across: usize, down: usize, x: &[f64], y: &[f64]) -> Vec<f64> {
        let coordinates: Vec<Var<f64>> = (0..self.start.len())
            .map(|axis| {
                let fixed = self.minima.first().map_or(0.0, |m| m[axis]);
                let values = match axis {
                    a if a == across => x.to_vec(),
                    a if a == down => y.to_vec(),
                    _ => vec![fixed; x.len()],
                };
                Var::constant(Tensor::from(values))
            })
            .collect();
        (self.f)(&coordinates).value().to_vec()
    }

    /// The value and the gradient at a point.
    pub(crate) fn value_and_gradient(&self, point: &[f64]) -> (f64, Vec<f64>) {
        let point: Vec<Var<f64>> = point.iter().map(|&c| Var::constant(Tensor::scalar(c))).collect();
        let (value, gradient) = value_and_grad(|x: &Vec<Var<f64>>| (self.f)(x), &point);
        (value.value().item(), gradient.iter().map(|g| g.value().item()).collect())
    }

    pub(crate) fn contains(&self, point: &[f64]) -> bool {
        point.iter().zip(self.frame).all(|(c, (low, high))| (low..=high).contains(&c))
    }
}

/// All functions.
pub(crate) fn functions() -> Vec<Function> {
    vec![cubic(), ellipsoid(), rosenbrock(), beale(), himmelblau()]
}

fn cubic() -> Function {
    Function {
        name: "cubic",
        title: "f(x, y) = (1.5 − xy)² + (2.25 − x + xy²)² + (2.65 − x + xy³)³",
        note: "f is unbounded below (white): paths end where they leave the frame. Three do so in one step, on one line.",
        f: |x| {
            let (x, y) = (&x[0], &x[1]);
            (1.5 - x * y).powi(2) + (2.25 - x + x * y.powi(2)).powi(2) + (2.65 - x + x * y.powi(3)).powi(3)
        },
        start: &[1.75, 1.9],
        minima: &[],
        frame: &[(-1.0, 4.0), (-2.0, 2.2)],
        levels: &[-1000.0, -100.0, -10.0, 0.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0],
        settings: Settings::PLANE,
    }
}

fn ellipsoid() -> Function {
    Function {
        name: "ellipsoid",
        title: "f(x, y, z) = x² + 0.1 y² + 2 z²",
        note: "Projections, over f in the plane through the minimum. Methods that scale each coordinate go along the diagonal.",
        f: |x| x[0].powi(2) + x[1].powi(2) * 0.1 + x[2].powi(2) * 2.0,
        start: &[-2.0, -2.0, -2.0],
        minima: &[&[0.0, 0.0, 0.0]],
        frame: &[(-2.6, 2.6), (-2.6, 2.6), (-2.6, 2.6)],
        levels: &[0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0],
        settings: Settings::SPACE,
    }
}

fn rosenbrock() -> Function {
    Function {
        name: "rosenbrock",
        title: "Rosenbrock: f(x, y) = (1 − x)² + 100 (y − x²)²",
        note: "SGD, momentum and Nesterov with a quarter of the other pictures' learning rates: the valley is steep.",
        f: |x| (1.0 - &x[0]).powi(2) + (&x[1] - x[0].powi(2)).powi(2) * 100.0,
        start: &[-1.5, 1.5],
        minima: &[&[1.0, 1.0]],
        frame: &[(-2.0, 2.0), (-1.0, 3.0)],
        levels: &[0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0],
        settings: Settings::PLANE.slower(0.25),
    }
}

fn beale() -> Function {
    Function {
        name: "beale",
        title: "Beale: f(x, y) = (1.5 − x + xy)² + (2.25 − x + xy²)² + (2.625 − x + xy³)²",
        note: "The minimum at (3, 0.5) lies in a flat valley; a saddle is at (0, 1).",
        f: |x| {
            let (x, y) = (&x[0], &x[1]);
            (1.5 - x + x * y).powi(2)
                + (2.25 - x + x * y.powi(2)).powi(2)
                + (2.625 - x + x * y.powi(3)).powi(2)
        },
        start: &[1.75, 1.9],
        minima: &[&[3.0, 0.5]],
        frame: &[(-1.0, 4.0), (-2.0, 2.2)],
        levels: &[0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0],
        settings: Settings::PLANE,
    }
}

fn himmelblau() -> Function {
    Function {
        name: "himmelblau",
        title: "Himmelblau: f(x, y) = (x² + y − 11)² + (x + y² − 7)²",
        note: "Four minima, all of value 0: which one is found depends on the method.",
        f: |x| {
            let (x, y) = (&x[0], &x[1]);
            (x.powi(2) + y - 11.0).powi(2) + (x + y.powi(2) - 7.0).powi(2)
        },
        start: &[-0.5, -0.8],
        minima: &[
            &[3.0, 2.0],
            &[-2.805118086952745, 3.131312518250573],
            &[-3.779310253377747, -3.28318599128617],
            &[3.584428340330492, -1.848126526964404],
        ],
        frame: &[(-5.5, 5.5), (-5.5, 5.5)],
        levels: &[1.0, 3.0, 10.0, 30.0, 60.0, 100.0, 180.0, 300.0, 500.0],
        settings: Settings::PLANE,
    }
}

//! Against the steps one by one, and against difference quotients.

use super::{Geometry, Products, Recurrence, Saved, Unit, gradients, value};
use crate::kernels::gates::{gru, lstm};
use crate::machine::parallel;

fn wave(count: usize, salt: f64) -> Vec<f64> {
    (0..count).map(|i| (1.3 * i as f64 + salt).sin()).collect()
}

/// Everything that a sequence is computed from.
#[derive(Clone)]
struct Problem {
    unit: Unit,
    geometry: Geometry,
    a: Vec<f64>,
    weight: Vec<f64>,
    bias: Option<Vec<f64>>,
    h: Vec<f64>,
    c: Vec<f64>,
}

/// The value, what is kept, and the gradients for a cotangent.
type Results = [Vec<f64>; 3];

impl Problem {
    fn new(unit: Unit, [steps, batch, hidden]: [usize; 3], reverse: bool, biased: bool) -> Self {
        let rows = unit.gates() * hidden;
        let of_cell = if unit.has_cell() { batch * hidden } else { 0 };
        Problem {
            unit,
            geometry: Geometry { steps, batch, hidden, reverse },
            a: wave(steps * batch * rows, 0.1),
            weight: wave(rows * hidden, 0.7).into_iter().map(|x| x / (1 + hidden) as f64).collect(),
            bias: biased.then(|| wave(rows, 2.0)),
            h: wave(batch * hidden, 3.0),
            c: wave(of_cell, 4.0),
        }
    }

    fn recurrence(&self) -> Recurrence<'_, f64> {
        Recurrence { weight: &self.weight, h: &self.h, c: &self.c }
    }

    fn value(&self, keep: bool) -> [Vec<f64>; 2] {
        let Geometry { steps, batch, hidden, .. } = self.geometry;
        let mut out = vec![f64::NAN; self.geometry.value(self.unit)];
        let mut kept = vec![f64::NAN; steps * batch * hidden * self.unit.kept()];
        let products = Products { of_inputs: &self.a, bias: self.bias.as_deref() };
        let kept_if = keep.then_some(&mut kept[..]);
        value(self.unit, &self.geometry, &products, &self.recurrence(), &mut out, kept_if);
        [out, kept]
    }

    fn results(&self, cotangent: &[f64]) -> Results {
        let Geometry { steps, batch, hidden, .. } = self.geometry;
        let [out, kept] = self.value(true);
        let states = self.unit.states();
        let mut found = vec![f64::NAN; (steps * self.unit.gradients() + states) * batch * hidden];
        let saved = Saved { value: &out, kept: &kept, cotangent };
        gradients(self.unit, &self.geometry, &self.recurrence(), &saved, &mut found);
        [out, kept, found]
    }

    /// The value, by the functions for single steps.
    fn by_steps(&self) -> Vec<f64> {
        let Geometry { steps, batch, hidden, .. } = self.geometry;
        let rows = self.unit.gates() * hidden;
        let (mut h, mut c) = (self.h.clone(), self.c.clone());
        let mut out = vec![f64::NAN; self.geometry.value(self.unit)];
        for count in 0..steps {
            let step = self.geometry.step(count);
            let mut b = vec![0.0; batch * rows];
            for (i, b) in b.iter_mut().enumerate() {
                let (row, gate) = (i / rows, i % rows);
                let terms = (0..hidden).map(|k| h[row * hidden + k] * self.weight[gate * hidden + k]);
                *b = terms.sum::<f64>() + self.bias.as_ref().map_or(0.0, |bias| bias[gate]);
            }
            let a = &self.a[step * batch * rows..][..batch * rows];
            if self.unit.has_cell() {
                let mut both = vec![0.0; batch * 2 * hidden];
                lstm::value(hidden, lstm::Inputs { a, b: &b, c: &c }, &mut both);
                h = both.chunks((2 * hidden).max(1)).flat_map(|row| row[..hidden].to_vec()).collect();
                c = both.chunks((2 * hidden).max(1)).flat_map(|row| row[hidden..].to_vec()).collect();
            } else {
                let mut next = h.clone();
                gru::value(hidden, gru::Inputs { a, b: &b, h: &h }, &mut next);
                h = next;
            }
            out[step * batch * hidden..][..batch * hidden].copy_from_slice(&h);
        }
        if self.unit.has_cell() {
            out[steps * batch * hidden..].copy_from_slice(&c);
        }
        out
    }
}

/// Steps, rows and units: none, one, fewer rows than are packed for, every remainder of a tile, more than a block of units.
const SIZES: [[usize; 3]; 11] = [
    [0, 2, 3],
    [2, 0, 3],
    [2, 3, 0],
    [1, 1, 1],
    [3, 2, 5],
    [4, 3, 7],
    [3, 5, 16],
    [2, 4, 9],
    [3, 13, 33],
    [2, 6, 130],
    [5, 30, 17],
];

fn problems() -> impl Iterator<Item = Problem> {
    SIZES.into_iter().flat_map(|sizes| {
        [Unit::Lstm, Unit::Gru].into_iter().flat_map(move |unit| {
            [(false, false), (true, true)].map(|(reverse, biased)| Problem::new(unit, sizes, reverse, biased))
        })
    })
}

#[test]
fn values_are_those_of_single_steps() {
    for problem in problems() {
        let [found, kept] = problem.value(true);
        let expected = problem.by_steps();
        for (found, expected) in found.iter().zip(&expected) {
            assert!((found - expected).abs() < 1e-14, "{:?}: {found} {expected}", problem.geometry);
        }
        assert!(kept.iter().all(|x| !x.is_nan()));
        assert_eq!(problem.value(false)[0], found, "the same where nothing is kept");
    }
}

#[test]
fn gradients_are_those_of_differences() {
    for problem in problems() {
        let Geometry { steps, batch, hidden, .. } = problem.geometry;
        let cotangent = wave(problem.geometry.value(problem.unit), 6.0);
        let [_, _, found] = problem.results(&cotangent);
        // Moves of a, of the bias, which is that of all products of the state, of h and of c.
        let rows = problem.unit.gates() * hidden;
        let [t_a, t_h, t_c] = [problem.a.len(), problem.h.len(), problem.c.len()].map(|n| wave(n, 1.1));
        let t_bias = problem.bias.as_ref().map(|bias| wave(bias.len(), 1.7));
        let moved = |by: f64| {
            let along = |x: &[f64], t: &[f64]| x.iter().zip(t).map(|(x, t)| x + by * t).collect::<Vec<f64>>();
            let at = Problem {
                a: along(&problem.a, &t_a),
                h: along(&problem.h, &t_h),
                c: along(&problem.c, &t_c),
                bias: problem.bias.as_ref().zip(t_bias.as_ref()).map(|(bias, t)| along(bias, t)),
                ..problem.clone()
            };
            at.value(false)[0].iter().zip(&cotangent).map(|(y, v)| y * v).sum::<f64>()
        };
        let quotient = (moved(1e-5) - moved(-1e-5)) / 2e-5;
        let width = problem.unit.gradients() * hidden;
        let (of_steps, of_states) = found.split_at(steps * batch * width);
        let mut sum = 0.0;
        for (row, gradients) in of_steps.chunks(width.max(1)).enumerate() {
            let of_a = gradients.iter().zip(&t_a[row * rows..][..rows]).map(|(g, t)| g * t).sum::<f64>();
            let of_state = &gradients[width - rows..];
            let of_bias = t_bias.iter().map(|t| of_state.iter().zip(t).map(|(g, t)| g * t).sum::<f64>());
            sum += of_a + of_bias.sum::<f64>();
        }
        sum += of_states.iter().zip(t_h.iter().chain(&t_c)).map(|(g, t)| g * t).sum::<f64>();
        assert!(
            (sum - quotient).abs() < 1e-7 * (1.0 + sum.abs()),
            "{:?}: {sum} {quotient}",
            problem.geometry
        );
    }
}

#[test]
fn the_same_bits_for_any_number_of_threads() {
    // By rows, and, with few rows and large weights, by columns.
    for sizes in [[4, 50, 70], [2, 6, 600]] {
        for unit in [Unit::Lstm, Unit::Gru] {
            let problem = Problem::new(unit, sizes, true, true);
            let cotangent = wave(problem.geometry.value(unit), 6.0);
            let run = || problem.results(&cotangent);
            let expected = parallel::with_threads(1, run);
            for threads in [2, 3, 8] {
                assert!(parallel::with_threads(threads, run) == expected, "{unit:?} {sizes:?} {threads}");
            }
        }
    }
}

#[test]
#[should_panic(expected = "sequence: 5 elements of weights instead of 12")]
fn a_slice_of_another_length() {
    let geometry = Geometry { steps: 1, batch: 1, hidden: 2, reverse: false };
    let products = Products { of_inputs: &[0.0; 6], bias: None };
    let recurrence = Recurrence { weight: &[0.0f32; 5], h: &[0.0; 2], c: &[] };
    value(Unit::Gru, &geometry, &products, &recurrence, &mut [0.0; 2], None);
}

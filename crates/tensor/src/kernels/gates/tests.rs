//! Against the formulas written out for one unit, and against difference quotients.

use super::{gru, lstm};
use crate::machine::parallel;

fn wave(count: usize, salt: f64) -> Vec<f64> {
    (0..count).map(|i| (1.3 * i as f64 + salt).sin() * 1.5).collect()
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// Rows and units: none, one, every remainder of a register, more than a block, more than one chunk.
const SIZES: [[usize; 2]; 9] =
    [[0, 3], [3, 0], [1, 1], [2, 7], [3, 16], [2, 127], [2, 128], [3, 129], [70, 150]];

type Inputs<'a> = [&'a [f64]; 3];

/// The value, the gradient of its weighted sum, and the tangent, as slices of f64.
struct Unit {
    widths: [usize; 3],
    out: usize,
    value: fn(usize, Inputs, &mut [f64]),
    gradients: fn(usize, Inputs, &[f64], &mut [f64]),
    tangent: fn(usize, Inputs, Inputs, &mut [f64]),
}

const GRU: Unit = Unit {
    widths: [3, 3, 1],
    out: 1,
    value: |n, [a, b, h], out| gru::value(n, gru::Inputs { a, b, h }, out),
    gradients: |n, [a, b, h], v, out| gru::gradients(n, gru::Inputs { a, b, h }, v, out),
    tangent: |n, [a, b, h], [x, y, z], out| {
        gru::tangent(n, gru::Inputs { a, b, h }, gru::Inputs { a: x, b: y, h: z }, out);
    },
};

const LSTM: Unit = Unit {
    widths: [4, 4, 1],
    out: 2,
    value: |n, [a, b, c], out| lstm::value(n, lstm::Inputs { a, b, c }, out),
    gradients: |n, [a, b, c], v, out| lstm::gradients(n, lstm::Inputs { a, b, c }, v, out),
    tangent: |n, [a, b, c], [x, y, z], out| {
        lstm::tangent(n, lstm::Inputs { a, b, c }, lstm::Inputs { a: x, b: y, c: z }, out);
    },
};

/// All of an output, filled with NaN before.
fn written(count: usize, write: impl FnOnce(&mut [f64])) -> Vec<f64> {
    let mut out = vec![f64::NAN; count];
    write(&mut out);
    out
}

#[test]
fn values_are_those_of_the_formulas() {
    for [rows, n] in SIZES {
        let [a, b, h] = [wave(rows * 3 * n, 0.1), wave(rows * 3 * n, 0.7), wave(rows * n, 2.0)];
        let found = written(rows * n, |out| (GRU.value)(n, [&a, &b, &h], out));
        for (i, found) in found.iter().enumerate() {
            let at = |gate: usize| (i / n * 3 + gate) * n + i % n;
            let (r, z) = (sigmoid(a[at(0)] + b[at(0)]), sigmoid(a[at(1)] + b[at(1)]));
            let new = (a[at(2)] + r * b[at(2)]).tanh();
            assert!((found - ((1.0 - z) * new + z * h[i])).abs() < 1e-14);
        }
        let [a, b, c] = [wave(rows * 4 * n, 0.1), wave(rows * 4 * n, 0.7), wave(rows * n, 2.0)];
        let found = written(rows * 2 * n, |out| (LSTM.value)(n, [&a, &b, &c], out));
        for (i, c) in c.iter().enumerate() {
            let (row, unit) = (i / n, i % n);
            let sum = |gate: usize| a[(row * 4 + gate) * n + unit] + b[(row * 4 + gate) * n + unit];
            let cell = sigmoid(sum(1)) * c + sigmoid(sum(0)) * sum(2).tanh();
            assert!((found[(row * 2 + 1) * n + unit] - cell).abs() < 1e-14);
            assert!((found[row * 2 * n + unit] - sigmoid(sum(3)) * cell.tanh()).abs() < 1e-14);
        }
    }
}

#[test]
fn derivatives_are_those_of_differences() {
    for unit in [GRU, LSTM] {
        for [rows, n] in SIZES {
            let make = |salt: f64| {
                let widths = unit.widths;
                [0, 1, 2].map(|k| wave(rows * widths[k] * n, salt + k as f64))
            };
            let (x, t) = (make(0.3), make(1.1));
            let value = |step: f64| {
                let moved = [0, 1, 2]
                    .map(|k| x[k].iter().zip(&t[k]).map(|(x, t)| x + step * t).collect::<Vec<f64>>());
                written(rows * unit.out * n, |out| (unit.value)(n, moved.each_ref().map(|m| &m[..]), out))
            };
            let quotient: Vec<f64> =
                value(1e-5).iter().zip(value(-1e-5)).map(|(p, m)| (p - m) / 2e-5).collect();
            let (xs, ts) = (x.each_ref().map(|x| &x[..]), t.each_ref().map(|t| &t[..]));
            let tangent = written(quotient.len(), |out| (unit.tangent)(n, xs, ts, out));
            for (t, q) in tangent.iter().zip(&quotient) {
                assert!((t - q).abs() < 1e-8, "{t} {q}");
            }
            // vᵀ·(J·t) = (Jᵀ·v)·t.
            let v = wave(quotient.len(), 5.0);
            // The LSTM's gradient of a is that of b.
            let parts = if unit.out == 1 { vec![(0, 3), (1, 3), (2, 1)] } else { vec![(0, 4), (2, 1)] };
            let width: usize = parts.iter().map(|p| p.1).sum();
            let gradients = written(rows * width * n, |out| (unit.gradients)(n, xs, &v, out));
            let mut product = 0.0;
            for row in 0..rows {
                let mut rest = &gradients[row * width * n..][..width * n];
                for &(input, width) in &parts {
                    let (gradient, others) = rest.split_at(width * n);
                    rest = others;
                    for (k, g) in gradient.iter().enumerate() {
                        let at = row * width * n + k;
                        let both = unit.out == 2 && input == 0;
                        product += g * (t[input][at] + if both { t[1][at] } else { 0.0 });
                    }
                }
            }
            let expected: f64 = v.iter().zip(&tangent).map(|(v, t)| v * t).sum();
            assert!((product - expected).abs() <= 1e-12 * (1.0 + (rows * n) as f64), "{product} {expected}");
        }
    }
}

#[test]
fn the_same_bits_for_any_number_of_threads() {
    let [rows, n] = [90, 200];
    let [a, b, h] = [wave(rows * 4 * n, 0.1), wave(rows * 4 * n, 0.7), wave(rows * n, 2.0)];
    let run = || written(rows * 2 * n, |out| (LSTM.value)(n, [&a, &b, &h], out));
    let expected = parallel::with_threads(1, run);
    for threads in [2, 3, 8] {
        assert_eq!(parallel::with_threads(threads, run), expected);
    }
}

#[test]
#[should_panic(expected = "gates: 5 elements instead of 6 = 1·2·3")]
fn a_slice_of_another_length() {
    gru::value(2, gru::Inputs { a: &[0.0f32; 5], b: &[0.0; 6], h: &[0.0; 2] }, &mut [0.0; 2]);
}

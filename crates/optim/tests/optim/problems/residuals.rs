//! The residuals r(x) of the test problems, each written once, over any scalar: f = Σ rᵢ². In the order and with the
//! numbering (from 1) of Moré, Garbow and Hillstrom (1981) where they have the problem.

use super::dual::Scalar;

pub(super) fn sum<S: Scalar>(terms: impl Iterator<Item = S>) -> S {
    terms.fold(S::from(0.0), |sum, term| sum + term)
}

/// Σ i (xᵢ + shift).
fn weighted<S: Scalar>(x: &[S], shift: f64) -> S {
    sum(x.iter().enumerate().map(|(i, &x)| (x + shift) * (i + 1) as f64))
}

#[inline]
fn valley<S: Scalar>(x: S, y: S) -> [S; 2] {
    [(y - x * x) * 10.0, -x + 1.0]
}

pub(super) fn rosenbrock<S: Scalar>(x: &[S]) -> Vec<S> {
    x.windows(2).flat_map(|w| valley(w[0], w[1])).collect()
}

pub(super) fn extended_rosenbrock<S: Scalar>(x: &[S]) -> Vec<S> {
    x.chunks(2).flat_map(|w| valley(w[0], w[1])).collect()
}

pub(super) fn beale<S: Scalar>(x: &[S]) -> Vec<S> {
    let mut power = S::from(1.0);
    let mut next = |y: f64| {
        power = power * x[1];
        -(x[0] * (-power + 1.0)) + y
    };
    vec![next(1.5), next(2.25), next(2.625)]
}

pub(super) fn tquartic<S: Scalar>(x: &[S]) -> Vec<S> {
    std::iter::once(x[0] + -1.0).chain(x[1..].iter().map(|&y| x[0].square() - y.square())).collect()
}

pub(super) fn himmelblau<S: Scalar>(x: &[S]) -> Vec<S> {
    vec![x[0] * x[0] + x[1] + -11.0, x[0] + x[1] * x[1] + -7.0]
}

pub(super) fn helical_valley<S: Scalar>(x: &[S]) -> Vec<S> {
    let theta = S::atan2(x[1], x[0]) * (0.5 / std::f64::consts::PI);
    let r = (x[0] * x[0] + x[1] * x[1]).sqrt();
    vec![(x[2] - theta * 10.0) * 10.0, (r + -1.0) * 10.0, x[2]]
}

pub(super) fn powell_singular<S: Scalar>(x: &[S]) -> Vec<S> {
    vec![
        x[0] + x[1] * 10.0,
        (x[2] - x[3]) * 5f64.sqrt(),
        (x[1] - x[2] * 2.0).square(),
        (x[0] - x[3]).square() * 10f64.sqrt(),
    ]
}

pub(super) fn wood<S: Scalar>(x: &[S]) -> Vec<S> {
    vec![
        (x[1] - x[0] * x[0]) * 10.0,
        -x[0] + 1.0,
        (x[3] - x[2] * x[2]) * 90f64.sqrt(),
        -x[2] + 1.0,
        (x[1] + x[3] + -2.0) * 10f64.sqrt(),
        (x[1] - x[3]) * 0.1f64.sqrt(),
    ]
}

pub(super) fn variably_dimensioned<S: Scalar>(x: &[S]) -> Vec<S> {
    let w = weighted(x, -1.0);
    x.iter().map(|&x| x + -1.0).chain([w, w * w]).collect()
}

/// xᵢ₋₁ and xᵢ₊₁, zero beyond the ends.
fn neighbours<S: Scalar>(x: &[S], i: usize) -> (S, S) {
    let at = |j: Option<usize>| j.and_then(|j| x.get(j).copied()).unwrap_or(S::from(0.0));
    (at(i.checked_sub(1)), at(Some(i + 1)))
}

pub(super) fn broyden_tridiagonal<S: Scalar>(x: &[S]) -> Vec<S> {
    let row = |i| {
        let (left, right) = neighbours(x, i);
        (-(x[i] * 2.0) + 3.0) * x[i] - left - right * 2.0 + 1.0
    };
    (0..x.len()).map(row).collect()
}

pub(super) fn broyden_banded<S: Scalar>(x: &[S]) -> Vec<S> {
    let row = |i: usize| {
        let near = (i.saturating_sub(5)..x.len().min(i + 2)).filter(|&j| j != i);
        x[i] * (x[i].square() * 5.0 + 2.0) + 1.0 - sum(near.map(|j| x[j] * (x[j] + 1.0)))
    };
    (0..x.len()).map(row).collect()
}

pub(super) fn zakharov<S: Scalar>(x: &[S]) -> Vec<S> {
    let w = weighted(x, 0.0) * 0.5;
    x.iter().copied().chain([w, w * w]).collect()
}

pub(super) fn freudenstein_roth<S: Scalar>(x: &[S]) -> Vec<S> {
    let (x, y) = (x[0], x[1]);
    vec![x + ((-y + 5.0) * y + -2.0) * y + -13.0, x + ((y + 1.0) * y + -14.0) * y + -29.0]
}

pub(super) fn powell_badly_scaled<S: Scalar>(x: &[S]) -> Vec<S> {
    vec![x[0] * x[1] * 1e4 + -1.0, (-x[0]).exp() + (-x[1]).exp() + -1.0001]
}

pub(super) fn brown_badly_scaled<S: Scalar>(x: &[S]) -> Vec<S> {
    vec![x[0] + -1e6, x[1] + -2e-6, x[0] * x[1] + -2.0]
}

pub(super) fn jennrich_sampson<S: Scalar>(x: &[S]) -> Vec<S> {
    let row = |i: f64| -((x[0] * i).exp() + (x[1] * i).exp()) + (2.0 + 2.0 * i);
    (1..=10).map(|i| row(f64::from(i))).collect()
}

pub(super) fn gaussian<S: Scalar>(x: &[S]) -> Vec<S> {
    const Y: [f64; 15] = [
        0.0009, 0.0044, 0.0175, 0.054, 0.1295, 0.242, 0.3521, 0.3989, 0.3521, 0.242, 0.1295, 0.054, 0.0175,
        0.0044, 0.0009,
    ];
    let row = |(i, y): (usize, &f64)| {
        let t = (8.0 - (i + 1) as f64) / 2.0;
        x[0] * (-(x[1] * (-x[2] + t).square() * 0.5)).exp() + -y
    };
    Y.iter().enumerate().map(row).collect()
}

pub(super) fn box_3d<S: Scalar>(x: &[S]) -> Vec<S> {
    let row = |i| {
        let t = 0.1 * f64::from(i);
        (x[0] * -t).exp() - (x[1] * -t).exp() - x[2] * ((-t).exp() - (-10.0 * t).exp())
    };
    (1..=10).map(row).collect()
}

pub(super) fn biggs_exp6<S: Scalar>(x: &[S]) -> Vec<S> {
    let row = |i| {
        let t = 0.1 * f64::from(i);
        let y = (-t).exp() - 5.0 * (-10.0 * t).exp() + 3.0 * (-4.0 * t).exp();
        x[2] * (x[0] * -t).exp() - x[3] * (x[1] * -t).exp() + x[5] * (x[4] * -t).exp() + -y
    };
    (1..=13).map(row).collect()
}

pub(super) fn penalty_1<S: Scalar>(x: &[S]) -> Vec<S> {
    let size = sum(x.iter().map(|x| x.square())) + -0.25;
    x.iter().map(|&x| (x + -1.0) * 1e-5f64.sqrt()).chain([size]).collect()
}

pub(super) fn penalty_2<S: Scalar>(x: &[S]) -> Vec<S> {
    let (n, a) = (x.len(), 1e-5f64.sqrt());
    let e = |x: S| (x * 0.1).exp();
    let pair = |i: usize| {
        let y = (0.1 * i as f64).exp() + (0.1 * (i - 1) as f64).exp();
        (e(x[i - 1]) + e(x[i - 2]) + -y) * a
    };
    let single = |i: usize| (e(x[i - 1]) + -(-0.1f64).exp()) * a;
    let size = sum((0..n).map(|j| x[j].square() * (n - j) as f64)) + -1.0;
    [x[0] + -0.2].into_iter().chain((2..=n).map(pair)).chain((2..=n).map(single)).chain([size]).collect()
}

pub(super) fn trigonometric<S: Scalar>(x: &[S]) -> Vec<S> {
    let rest = -sum(x.iter().map(|x| x.cos())) + x.len() as f64;
    let row = |(i, x): (usize, &S)| rest + (-x.cos() + 1.0) * (i + 1) as f64 - x.sin();
    x.iter().enumerate().map(row).collect()
}

pub(super) fn brown_almost_linear<S: Scalar>(x: &[S]) -> Vec<S> {
    let (n, total) = (x.len(), sum(x.iter().copied()));
    let product = x.iter().fold(S::from(1.0), |p, &x| p * x) + -1.0;
    x[..n - 1].iter().map(|&x| x + total + -((n + 1) as f64)).chain([product]).collect()
}

pub(super) fn discrete_boundary_value<S: Scalar>(x: &[S]) -> Vec<S> {
    let h = 1.0 / (x.len() + 1) as f64;
    let row = |i| {
        let (left, right) = neighbours(x, i);
        let cube = x[i] + (h * (i + 1) as f64 + 1.0);
        x[i] * 2.0 - left - right + cube.square() * cube * (0.5 * h * h)
    };
    (0..x.len()).map(row).collect()
}

/// The means of the shifted Chebyshev polynomials, less their integrals.
pub(super) fn chebyquad<S: Scalar>(x: &[S]) -> Vec<S> {
    let mut before = vec![S::from(1.0); x.len()];
    let mut now: Vec<S> = x.iter().map(|&x| x * 2.0 + -1.0).collect();
    let mut rows = Vec::new();
    for i in 1..=x.len() {
        let integral = if i % 2 == 0 { 1.0 / (i * i - 1) as f64 } else { 0.0 };
        rows.push(sum(now.iter().copied()) * (1.0 / x.len() as f64) + integral);
        for ((x, now), before) in x.iter().zip(&mut now).zip(&mut before) {
            let next = (*x * 2.0 + -1.0) * *now * 2.0 - *before;
            (*before, *now) = (*now, next);
        }
    }
    rows
}

pub(super) fn dixon_price<S: Scalar>(x: &[S]) -> Vec<S> {
    let row = |i: usize| (x[i].square() * 2.0 - x[i - 1]) * ((i + 1) as f64).sqrt();
    [x[0] + -1.0].into_iter().chain((1..x.len()).map(row)).collect()
}

/// 10 n + Σ (xᵢ² − 10 cos 2πxᵢ) as squares.
pub(super) fn rastrigin<S: Scalar>(x: &[S]) -> Vec<S> {
    x.iter().flat_map(|&x| [x, (x * std::f64::consts::PI).sin() * 20f64.sqrt()]).collect()
}

pub(super) fn kowalik_osborne<S: Scalar>(x: &[S]) -> Vec<S> {
    const Y: [f64; 11] =
        [0.1957, 0.1947, 0.1735, 0.16, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246];
    const U: [f64; 11] = [4.0, 2.0, 1.0, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625];
    let row = |(&y, &u): (&f64, &f64)| {
        let denominator = (x[2] + u) * u + x[3];
        -(x[0] * (x[1] + u) * u * denominator.recip()) + y
    };
    Y.iter().zip(&U).map(row).collect()
}

pub(super) fn gulf<S: Scalar>(x: &[S]) -> Vec<S> {
    let row = |i: usize| {
        let t = i as f64 / 100.0;
        let distance = (-x[1] + (25.0 + (-50.0 * t.ln()).powf(2.0 / 3.0))).square().sqrt();
        (-((distance.ln() * x[2]).exp() * x[0].recip())).exp() + -t
    };
    (1..100).map(row).collect()
}

pub(super) fn bard<S: Scalar>(x: &[S]) -> Vec<S> {
    const Y: [f64; 15] =
        [0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96, 1.34, 2.10, 4.39];
    let row = |(i, y): (usize, f64)| {
        let u = (i + 1) as f64;
        let v = 16.0 - u;
        -(x[0] + (x[1] * v + x[2] * u.min(v)).recip() * u) + y
    };
    Y.into_iter().enumerate().map(row).collect()
}

pub(super) fn watson<S: Scalar>(x: &[S]) -> Vec<S> {
    let row = |i: usize| {
        let t = i as f64 / 29.0;
        let power = |j: usize| t.powi(j as i32);
        let slope = sum((1..x.len()).map(|j| x[j] * (j as f64 * power(j - 1))));
        slope - sum((0..x.len()).map(|j| x[j] * power(j))).square() + -1.0
    };
    (1..30).map(row).chain([x[0], x[1] - x[0].square() + -1.0]).collect()
}

pub(super) fn osborne_2<S: Scalar>(x: &[S]) -> Vec<S> {
    const Y: [f64; 65] = [
        1.366, 1.191, 1.112, 1.013, 0.991, 0.885, 0.831, 0.847, 0.786, 0.725, 0.746, 0.679, 0.608, 0.655,
        0.616, 0.606, 0.602, 0.626, 0.651, 0.724, 0.649, 0.649, 0.694, 0.644, 0.624, 0.661, 0.612, 0.558,
        0.533, 0.495, 0.500, 0.423, 0.395, 0.375, 0.372, 0.391, 0.396, 0.405, 0.428, 0.429, 0.523, 0.562,
        0.607, 0.653, 0.672, 0.708, 0.633, 0.668, 0.645, 0.632, 0.591, 0.559, 0.597, 0.625, 0.739, 0.710,
        0.729, 0.720, 0.636, 0.581, 0.428, 0.292, 0.162, 0.098, 0.054,
    ];
    let row = |(i, y): (usize, f64)| {
        let t = i as f64 / 10.0;
        let bump = |k: usize| x[k] * (-((-x[7 + k] + t).square() * x[4 + k])).exp();
        -(x[0] * (x[4] * -t).exp() + bump(1) + bump(2) + bump(3)) + y
    };
    Y.into_iter().enumerate().map(row).collect()
}

pub(super) fn brown_dennis<S: Scalar>(x: &[S]) -> Vec<S> {
    let row = |i: i32| {
        let t = f64::from(i) / 5.0;
        (x[0] + x[1] * t + -t.exp()).square() + (x[2] + x[3] * t.sin() + -t.cos()).square()
    };
    (1..=20).map(row).collect()
}

pub(super) fn extended_freudenstein_roth<S: Scalar>(x: &[S]) -> Vec<S> {
    x.chunks(2).flat_map(freudenstein_roth).collect()
}

pub(super) fn discrete_integral_equation<S: Scalar>(x: &[S]) -> Vec<S> {
    let n = x.len();
    let h = 1.0 / (n + 1) as f64;
    let t = |i: usize| h * (i + 1) as f64;
    let cube = |i: usize| (x[i] + (t(i) + 1.0)).square() * (x[i] + (t(i) + 1.0));
    let row = |i: usize| {
        let left = sum((0..=i).map(|j| cube(j) * t(j)));
        let right = sum((i + 1..n).map(|j| cube(j) * (1.0 - t(j))));
        x[i] + (left * (1.0 - t(i)) + right * t(i)) * (0.5 * h)
    };
    (0..n).map(row).collect()
}

//! Estimates of traces, diagonals and spectra on matrices whose answers are known, and sums of objectives.

use wengert_optim::estimate::{
    DensitySettings, EigenSettings, extreme_eigenpairs, hutch_plus_plus, hutchinson_diagonal,
    hutchinson_trace, spectral_density,
};
use wengert_optim::operator::{Damped, Restricted, ScaledOperator, SumOperator};
use wengert_optim::{Batched, Curvatures, DenseOperator, Objective, Operator, Problem, Ridge};
use wengert_tensor::Float;
use wengert_tensor::parallel::with_threads;
use wengert_tensor::random::Generator;

/// I − 2uuᵀ times a diagonal from both sides: a full matrix with known eigenvalues and no memory.
struct Reflected<T> {
    eigenvalues: Vec<f64>,
    mirror: Vec<T>,
}

impl<T: Float> Reflected<T> {
    fn new(eigenvalues: Vec<f64>) -> Self {
        let mut mirror = vec![T::ZERO; eigenvalues.len()];
        Generator::seeded(77).fill_normal(&mut mirror, T::ZERO, T::ONE);
        let length = wengert_optim::vector::norm(&mirror);
        wengert_optim::vector::scale(1.0 / length, &mut mirror);
        Self { eigenvalues, mirror }
    }

    fn reflect(&self, v: &mut [T]) {
        let along = wengert_optim::vector::dot(&self.mirror, v);
        wengert_optim::vector::axpy(-2.0 * along, &self.mirror, v);
    }
}

impl<T: Float> Operator<T> for Reflected<T> {
    fn dimension(&self) -> usize {
        self.eigenvalues.len()
    }
    fn apply(&self, v: &[T], out: &mut [T]) {
        out.copy_from_slice(v);
        self.reflect(out);
        for (out, e) in out.iter_mut().zip(&self.eigenvalues) {
            *out = T::from_f64(e * out.to_f64());
        }
        self.reflect(out);
    }
}

fn decaying(n: usize) -> Vec<f64> {
    (1..=n).map(|i| 1.0 / (i * i) as f64).collect()
}

#[test]
fn standard_errors_are_those_of_many_runs() {
    let a = Reflected::<f64>::new((0..40).map(|i| (i as f64 * 0.7).sin() + 0.5).collect());
    let exact: f64 = a.eigenvalues.iter().sum();
    // The variance of one probe, 2 Σ_{i≠j} aᵢⱼ².
    let dense = a.dense();
    let off: f64 = (0..1600).filter(|i| i % 41 != 0).map(|i| dense[i] * dense[i]).sum();
    let expected = (2.0 * off / 25.0).sqrt();
    let runs: Vec<_> = (0..300).map(|seed| hutchinson_trace(&a, 25, seed)).collect();
    let spread = (runs.iter().map(|r| (r.value - exact).powi(2)).sum::<f64>() / 300.0).sqrt();
    let told = runs.iter().map(|r| r.standard_error).sum::<f64>() / 300.0;
    assert!((spread / expected - 1.0).abs() < 0.15, "{spread} {expected}");
    assert!((told / expected - 1.0).abs() < 0.1, "{told} {expected}");
    assert_eq!(hutchinson_trace(&a, 1, 0).standard_error, f64::INFINITY);

    let diagonal = a.diagonal();
    let (probes, mut squares, mut errors) = (25, 0.0, 0.0);
    for seed in 0..300 {
        let estimate = hutchinson_diagonal(&a, probes, seed);
        squares += (estimate.diagonal[3] - diagonal[3]).powi(2) / 300.0;
        errors += estimate.standard_error[3] / 300.0;
    }
    assert!((errors / squares.sqrt() - 1.0).abs() < 0.15, "{errors} {}", squares.sqrt());
}

#[test]
fn hutch_plus_plus_beats_hutchinson_on_a_decaying_spectrum() {
    // Eigenvectors spread over all elements, those of the discrete cosine transform: on a matrix that is nearly diagonal
    // Hutchinson's error is small anyway.
    let (n, eigenvalues) = (200, decaying(200));
    let angle = |i: usize, k: usize| std::f64::consts::PI * (i as f64 + 0.5) * (k as f64 + 0.5) / n as f64;
    let element = |i: usize, j: usize| -> f64 {
        let term = |(k, e): (usize, &f64)| e * angle(i, k).cos() * angle(j, k).cos();
        2.0 / n as f64 * eigenvalues.iter().enumerate().map(term).sum::<f64>()
    };
    let a = DenseOperator::new((0..n * n).map(|at| element(at / n, at % n)).collect());
    let exact: f64 = eigenvalues.iter().sum();
    assert!((a.trace() - exact).abs() < 1e-12);
    let error = |estimate: &dyn Fn(u64) -> f64| -> f64 {
        ((0..20).map(|seed| (estimate(seed) - exact).powi(2)).sum::<f64>() / 20.0).sqrt()
    };
    let plain = error(&|seed| hutchinson_trace(&a, 60, seed).value);
    let better = error(&|seed| hutch_plus_plus(&a, 60, seed).value);
    assert!(better < 0.1 * plain, "{better} {plain}");
    // The error told is about the error made.
    let told = (0..20).map(|seed| hutch_plus_plus(&a, 60, seed).standard_error).sum::<f64>() / 20.0;
    assert!(told < 3.0 * better && better < 3.0 * told, "{told} {better}");
    assert!((0..20).all(|seed| hutch_plus_plus(&a, 60, seed).products == 60));
}

#[test]
fn eigenpairs_of_a_large_operator() {
    let mut eigenvalues = decaying(2000);
    (eigenvalues[10], eigenvalues[20], eigenvalues[30]) = (7.0, -3.0, -1.0);
    let a = Reflected::<f64>::new(eigenvalues);
    let settings = EigenSettings { largest: 3, smallest: 2, ..EigenSettings::default() };
    let pairs = extreme_eigenpairs(&a, &settings);
    assert!(pairs.converged() && pairs.products < 100, "{}", pairs.products);
    let found: Vec<f64> = pairs.largest.iter().chain(&pairs.smallest).map(|p| p.value).collect();
    for (found, expected) in found.iter().zip([7.0, 1.0, 0.25, -3.0, -1.0]) {
        assert!((found - expected).abs() < 1e-7, "{found} {expected}");
    }
    let single = extreme_eigenpairs(&Reflected::<f32>::new(a.eigenvalues.clone()), &settings);
    assert!(single.converged());
    assert!((single.largest[0].value - 7.0).abs() < 1e-4 && (single.smallest[0].value + 3.0).abs() < 1e-4);
}

#[test]
fn an_eigenvalue_that_is_there_several_times_is_found_once() {
    let a = DenseOperator::with_diagonal(&[1.0, 2.0, 2.0, 2.0, 3.0]);
    let pairs = extreme_eigenpairs(&a, &EigenSettings { largest: 5, smallest: 0, ..Default::default() });
    assert!(pairs.converged() && pairs.products == 3);
    let found: Vec<f64> = pairs.largest.iter().map(|p| p.value).collect();
    assert!(found.iter().zip([3.0, 2.0, 1.0]).all(|(f, e)| (f - e).abs() < 1e-12), "{found:?}");
}

#[test]
fn density_of_a_known_spectrum() {
    // Three clusters: 60 % at 0, 30 % at 1, 10 % at 5.
    let eigenvalues = (0..1000)
        .map(|i| {
            if i < 600 {
                0.0
            } else if i < 900 {
                1.0
            } else {
                5.0
            }
        })
        .collect();
    let a = Reflected::<f64>::new(eigenvalues);
    let density = spectral_density(&a, &DensitySettings { probes: 20, steps: 30, seed: 0 });
    // Three steps exhaust each space.
    assert_eq!((density.products, density.nodes.len()), (60, 60));
    for (range, expected) in [(-0.5..0.5, 0.6), (0.5..2.0, 0.3), (4.0..6.0, 0.1)] {
        assert!((density.fraction(range) - expected).abs() < 0.01);
    }
    let height = density.at(0.0, 0.01);
    assert!((height / (0.6 / (2.0 * std::f64::consts::PI).sqrt() / 0.01) - 1.0).abs() < 0.02, "{height}");
}

#[test]
fn trouble_is_told() {
    let a = ScaledOperator::new(DenseOperator::with_diagonal(&[1.0, 2.0, 3.0]), f64::NAN);
    let pairs = extreme_eigenpairs(&a, &EigenSettings::default());
    assert!(!pairs.converged() && pairs.largest.is_empty());
    assert!(hutchinson_trace(&a, 4, 0).value.is_nan() && hutch_plus_plus(&a, 6, 0).value.is_nan());
    let density = spectral_density(&a, &DensitySettings::default());
    assert!(density.range().is_none() && density.on_grid(10, None).0.is_empty());
    // Nothing to look at.
    let empty = DenseOperator::<f64>::with_diagonal(&[]);
    assert_eq!((hutchinson_trace(&empty, 3, 0).value, hutch_plus_plus(&empty, 3, 0).value), (0.0, 0.0));
    assert!(extreme_eigenpairs(&empty, &EigenSettings::default()).largest.is_empty());
    assert!(spectral_density(&empty, &DensitySettings::default()).nodes.is_empty());
    assert_eq!(empty.trace(), 0.0);
    // The zero matrix is known at once.
    let zero = DenseOperator::with_diagonal(&[0.0; 6]);
    assert_eq!(hutch_plus_plus(&zero, 9, 0).value, 0.0);
    let pairs = extreme_eigenpairs(&zero, &EigenSettings::default());
    assert!(pairs.converged() && pairs.largest[0].value == 0.0);
}

#[test]
fn the_same_bits_for_any_number_of_threads() {
    let bits = || {
        let a = Reflected::<f32>::new(decaying(70_000));
        let settings = EigenSettings { max_steps: 12, ..EigenSettings::default() };
        let pairs = extreme_eigenpairs(&a, &settings);
        let density = spectral_density(&a, &DensitySettings { probes: 2, steps: 5, seed: 0 });
        let diagonal = hutchinson_diagonal(&a, 3, 0).diagonal;
        let numbers = [hutchinson_trace(&a, 3, 1).value, hutch_plus_plus(&a, 9, 1).value];
        let nodes = density.nodes.iter().chain(&density.weights).chain(&numbers);
        let nodes = nodes.chain(pairs.largest.iter().map(|p| &p.value)).map(|x| x.to_bits());
        let vectors = pairs.largest.iter().flat_map(|p| &p.vector).chain(&diagonal);
        (nodes.collect::<Vec<u64>>(), vectors.map(|x| x.to_bits()).collect::<Vec<u32>>())
    };
    let expected = with_threads(1, bits);
    for count in [2, 3, 8] {
        assert!(with_threads(count, bits) == expected, "{count} threads");
    }
}

#[test]
fn wrappers_of_wrappers() {
    let a = DenseOperator::new(vec![2.0, 1.0, 0.5, 1.0, 3.0, 0.25, 0.5, 0.25, 4.0]);
    let mut sum = SumOperator::new(2);
    sum.add(2.0, Damped::new(Restricted::new(&a, vec![2..3, 0..1]), 1.0));
    sum.add(
        1.0,
        ScaledOperator::new(
            Damped::on(DenseOperator::with_diagonal(&[1.0, 2.0]), 1.0, vec![0..1, 2..2]),
            0.5,
        ),
    );
    assert_eq!(sum.dense(), [11.0, 1.0, 1.0, 7.0]);
    assert_eq!((sum.diagonal(), sum.trace()), (vec![11.0, 7.0], 18.0));
    assert_eq!(SumOperator::<f64>::new(2).dense(), [0.0; 4]);
}

#[test]
fn sums_of_objectives() {
    let part = |c: f64| {
        Problem::new(2, move |x: &[f64]| c * (x[0].powi(2) + x[1].powi(4)))
            .with_gradient(move |x, g| {
                g[0] = 2.0 * c * x[0];
                g[1] = 4.0 * c * x[1].powi(3);
            })
            .with_hvp(move |x, v, out| {
                out[0] = 2.0 * c * v[0];
                out[1] = 12.0 * c * x[1].powi(2) * v[1];
            })
    };
    let sum = Batched::sum(vec![part(1.0), part(2.0), part(3.0)]).grouped(2);
    let x = [1.0, 2.0];
    let mut gradient = [f64::NAN; 2];
    assert_eq!((sum.value_and_gradient(&x, &mut gradient), gradient), (102.0, [12.0, 192.0]));
    assert_eq!(sum.hessian(&x).unwrap().diagonal(), [12.0, 288.0]);
    assert!(sum.gauss_newton(&x).is_none());
    let pair = sum.batch(0).unwrap();
    assert_eq!((pair.value(&x), sum.batch(1).unwrap().value(&x)), (51.0, 51.0));
    assert_eq!(pair.hessian(&x).unwrap().diagonal(), [6.0, 144.0]);
    assert_eq!(pair.batch(3).unwrap().value(&x), 34.0);
    // Boxed and borrowed objectives are objectives.
    let boxed: Vec<Box<dyn Objective<f64>>> = vec![Box::new(part(1.0)), Box::new(Ridge::new(part(2.0), 1.0))];
    let mean = Batched::mean(boxed, &[1, 3]);
    assert_eq!(mean.value(&x), 0.25 * 17.0 + 0.75 * (34.0 + 2.5));
    assert_eq!(mean.recomputing().hessian(&x).unwrap().diagonal(), [4.25, 84.75]);
}

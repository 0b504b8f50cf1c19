//! Traces, diagonals and spectra of a network's Hessian against its dense eigenvalues.

use wengert_optim::estimate::{
    DensitySettings, EigenSettings, extreme_eigenpairs, hutch_plus_plus, hutchinson_diagonal,
    hutchinson_trace, spectral_density,
};
use wengert_tensor::linalg::symmetric_eigen;

use wengert_optim::{Curvatures, Operator};

use super::models::{all, mlp};

#[test]
fn extreme_eigenpairs_are_those_of_the_dense_matrix() {
    for case in all() {
        let (objective, at) = (case.classes(), case.params.values());
        let h = objective.hessian(at).unwrap();
        let n = h.dimension();
        let (values, _) = symmetric_eigen(&h.dense(), n).unwrap();
        let settings = EigenSettings { largest: 3, smallest: 2, ..EigenSettings::default() };
        let pairs = extreme_eigenpairs(&*h, &settings);
        assert!(pairs.converged() && pairs.products <= n, "{}: {} products", case.name, pairs.products);
        let largest = pairs.largest.iter().zip(values.iter().rev());
        let ends: Vec<_> = largest.chain(pairs.smallest.iter().zip(&values)).collect();
        assert_eq!(ends.len(), 5);
        for (pair, &value) in ends {
            let scale = values[n - 1];
            assert!((pair.value - value).abs() <= 1e-8 * scale, "{}: {} {value}", case.name, pair.value);
            let mut rest = vec![0.0; n];
            h.apply(&pair.vector, &mut rest);
            rest.iter_mut().zip(&pair.vector).for_each(|(r, v)| *r -= pair.value * v);
            let residual = rest.iter().map(|r| r * r).sum::<f64>().sqrt();
            assert!(residual <= pair.residual + 1e-12 * scale, "{}: {residual} {}", case.name, pair.residual);
            assert!((pair.vector.iter().map(|v| v * v).sum::<f64>() - 1.0).abs() < 1e-12);
        }
    }
}

#[test]
fn too_few_steps_are_said_to_be() {
    let case = mlp();
    let objective = case.classes();
    let h = objective.hessian(case.params.values()).unwrap();
    let settings = EigenSettings { max_steps: 4, ..EigenSettings::default() };
    let pairs = extreme_eigenpairs(&*h, &settings);
    assert!(!pairs.converged() && pairs.products == 4 && pairs.largest.len() == 4);
}

#[test]
fn density_has_the_moments_of_the_spectrum() {
    let case = mlp();
    let (objective, at) = (case.classes(), case.params.values());
    let h = objective.hessian(at).unwrap();
    let (n, (values, _)) = (h.dimension(), symmetric_eigen(&h.dense(), h.dimension()).unwrap());
    let settings = DensitySettings { probes: 400, steps: 40, seed: 1 };
    let density = spectral_density(&*h, &settings);
    assert!((density.weights.iter().sum::<f64>() - 1.0).abs() < 1e-10);
    let (low, high) = density.range().unwrap();
    assert!((low - values[0]).abs() < 1e-6 && (high - values[n - 1]).abs() < 1e-6);
    let moment = |f: &dyn Fn(f64) -> f64| values.iter().map(|&v| f(v)).sum::<f64>() / n as f64;
    assert!((density.mean(|x| x) - moment(&|x| x)).abs() < 0.03 * moment(&f64::abs));
    assert!((density.mean(|x| x * x) - moment(&|x| x * x)).abs() < 0.06 * moment(&|x| x * x));
    let negative = values.iter().filter(|&&v| v < -1e-9).count() as f64 / n as f64;
    assert!((density.fraction(f64::NEG_INFINITY..-1e-9) - negative).abs() < 0.05);
    let (x, y) = density.on_grid(2001, None);
    let integral: f64 = y.iter().sum::<f64>() * (x[1] - x[0]);
    assert!((integral - 1.0).abs() < 1e-3, "{integral}");
}

#[test]
fn traces_and_diagonals_are_within_their_errors() {
    for case in all() {
        let (objective, at) = (case.classes(), case.params.values());
        let matrix = objective.gauss_newton(at).unwrap();
        let (exact, diagonal) = (matrix.trace(), matrix.diagonal());
        let plain = hutchinson_trace(&*matrix, 200, 0);
        assert!((plain.value - exact).abs() < 4.0 * plain.standard_error, "{}: {plain:?} {exact}", case.name);
        assert!(plain.standard_error < 0.2 * exact);
        // The rank is at most 10: two thirds of 60 products find all of it.
        let better = hutch_plus_plus(&*matrix, 60, 0);
        assert!((better.value - exact).abs() < 1e-9 * exact, "{}: {better:?} {exact}", case.name);
        assert!(better.products <= 60 && better.standard_error < 1e-9 * exact);
        let estimate = hutchinson_diagonal(&*matrix, 400, 0);
        let outside = diagonal
            .iter()
            .zip(&estimate.diagonal)
            .zip(&estimate.standard_error)
            .filter(|((d, e), error)| (*d - *e).abs() > 3.0 * **error + 1e-12);
        assert!(outside.count() <= 1, "{}", case.name);
    }
}

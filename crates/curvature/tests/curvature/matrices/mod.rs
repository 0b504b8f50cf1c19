//! Curvature operators of networks against matrices made another way.

mod batches;
mod fisher;
mod misuse;
mod models;
mod operators;
mod spectra;

use wengert_optim::Operator;
use wengert_tensor::random::Generator;

/// Asserts that matrices (or vectors) agree to 1e-10 of their largest element.
#[track_caller]
fn assert_close(what: &str, found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let scale = expected.iter().fold(1e-3, |m: f64, e| m.max(e.abs()));
    for (i, (f, e)) in found.iter().zip(expected).enumerate() {
        assert!((f - e).abs() <= 1e-10 * scale, "{what}: element {i} is {f}, not {e}");
    }
}

/// Asserts that an operator is this symmetric matrix, in all that can be asked of it.
#[track_caller]
fn assert_is(what: &str, operator: &dyn Operator<f64>, expected: &[f64]) {
    let n = operator.dimension();
    let dense = operator.dense();
    assert_close(what, &dense, expected);
    let diagonal: Vec<f64> = expected.iter().step_by(n + 1).copied().collect();
    assert_close(&format!("{what}: diagonal"), &operator.diagonal(), &diagonal);
    assert_close(&format!("{what}: trace"), &[operator.trace()], &[diagonal.iter().sum()]);
    let transposed: Vec<f64> = (0..n * n).map(|i| dense[i % n * n + i / n]).collect();
    assert_close(&format!("{what}: symmetry"), &dense, &transposed);
    // Linear: A(2u − 3v) = 2Au − 3Av, and several products at once are the single ones.
    let mut generator = Generator::seeded(3);
    let (mut vectors, mut products) = (vec![0.0; 3 * n], vec![0.0; 3 * n]);
    generator.fill_normal(&mut vectors, 0.0, 1.0);
    for i in 0..n {
        vectors[2 * n + i] = 2.0 * vectors[i] - 3.0 * vectors[n + i];
    }
    operator.apply_many(&vectors, &mut products);
    let combined: Vec<f64> = (0..n).map(|i| 2.0 * products[i] - 3.0 * products[n + i]).collect();
    assert_close(&format!("{what}: linearity"), &products[2 * n..], &combined);
    let mut single = vec![f64::NAN; n];
    operator.apply(&vectors[..n], &mut single);
    assert_eq!(single, products[..n], "{what}: apply_many");
}

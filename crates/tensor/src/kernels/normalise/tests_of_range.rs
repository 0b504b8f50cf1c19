//! Rows beyond the range of squares: the values and all derivatives are those of the row in another unit.

use super::*;
use crate::array::shape::Shape;

/// Everything that is computed of x, with tangents along x in its unit; gradients with respect to x are brought back to it.
fn all<T: Float>(geometry: &NormGeometry, x: &[T], unit: T) -> Vec<(&'static str, Vec<T>)> {
    let wave = |count: usize, phase: f64| -> Vec<T> {
        (0..count).map(|i| T::from_f64((1.3 * i as f64 + phase).sin())).collect()
    };
    let (n, gains) = (x.len(), geometry.gains());
    let (gain, bias, v, t_v) = (wave(gains, 1.0), wave(gains, 2.0), wave(n, 3.0), wave(n, 4.0));
    let (t_gain, t_bias) = (wave(gains, 5.0), wave(gains, 6.0));
    let t: Vec<T> = wave(n, 7.0).into_iter().map(|t| t * unit).collect();
    let back = |x: Vec<T>| -> Vec<T> { x.into_iter().map(|x| x * unit).collect() };
    let (zeros, gain_zeros) = (vec![T::ZERO; n], vec![T::ZERO; gains]);

    let mut found = Vec::new();
    let mut out = zeros.clone();
    value(geometry, x, &gain, &bias, &mut out);
    found.push(("value", out.clone()));
    tangent(geometry, x, &gain, [&t, &t_gain, &t_bias], &mut out);
    found.push(("tangent", out.clone()));
    gradient(geometry, x, &gain, &v, &mut out);
    found.push(("gradient", back(out.clone())));
    gradient_tangent(geometry, x, &gain, &v, [&t, &t_gain, &t_v], &mut out);
    found.push(("tangent of the gradient", back(out.clone())));
    let mut of_gain = gain_zeros.clone();
    gain_gradient(geometry, x, &v, &mut of_gain);
    found.push(("gradient of the gain", of_gain.clone()));
    gain_gradient_tangent(geometry, x, &v, [&t, &t_v], &mut of_gain);
    found.push(("its tangent", of_gain));
    let mut sums = vec![T::ZERO; 2 * gains];
    gradients(geometry, x, &gain, &v, &mut out, &mut sums);
    found.push(("gradients in one pass", back(out)));
    found.push(("sums in one pass", sums));
    found
}

fn geometries(epsilon: f64) -> Vec<(&'static str, Shape, NormGeometry)> {
    let (rows, channels, alone) = (Shape::from([3, 7]), Shape::from([2, 4, 5]), Shape::from([6, 3]));
    vec![
        ("layer", rows.clone(), NormGeometry::last_axes(&rows, &[7].into(), epsilon).unwrap()),
        ("rms", rows.clone(), NormGeometry::last_axes(&rows, &[7].into(), epsilon).unwrap().uncentred()),
        ("group", channels.clone(), NormGeometry::groups(&channels, 2, epsilon).unwrap()),
        ("batch", channels.clone(), NormGeometry::batch(&channels, epsilon).unwrap()),
        ("batch of one element each", alone.clone(), NormGeometry::batch(&alone, epsilon).unwrap()),
    ]
}

fn compare<T: Float>(units: &[f64], epsilon: f64) {
    for (name, shape, geometry) in geometries(epsilon) {
        let x: Vec<T> = (0..shape.count()).map(|i| T::from_f64((0.7 * i as f64 * i as f64).cos())).collect();
        // ε does not count beside large squares, and there is none beside small ones.
        let plain = geometries(0.0).into_iter().find(|(other, ..)| *other == name).unwrap().2;
        let expected = all(&plain, &x, T::ONE);
        for &unit in units {
            let unit = T::from_f64(unit);
            let far: Vec<T> = x.iter().map(|&x| x * unit).collect();
            for ((what, found), (_, expected)) in all(&geometry, &far, unit).into_iter().zip(&expected) {
                let close = |(found, expected): (&T, &T)| {
                    (*found - *expected).abs() <= T::from_f64(64.0) * T::EPSILON * (T::ONE + expected.abs())
                };
                let right = found.iter().zip(expected).all(close);
                assert!(right, "{name} in units of {unit:?}: {what} {found:?}, not {expected:?}");
            }
        }
    }
}

#[test]
fn large_and_small_rows_are_rows_in_another_unit() {
    compare::<f32>(&[2f64.powi(64), 2f64.powi(100), 2f64.powi(126)], 1e-5);
    compare::<f64>(&[2f64.powi(520), 2f64.powi(1000), 2f64.powi(1022)], 1e-5);
    compare::<f32>(&[2f64.powi(-64), 2f64.powi(-100)], 0.0);
    compare::<f64>(&[2f64.powi(-520), 2f64.powi(-900)], 0.0);
}

/// One row's unit is not another's.
#[test]
fn ordinary_rows_beside_large_ones_keep_their_bits() {
    let shape = Shape::from([2, 4]);
    let geometry = NormGeometry::last_axes(&shape, &[4].into(), 1e-5).unwrap();
    let ordinary = [1.0f32, -2.0, 3.0, 0.5];
    let rows = [ordinary, [1e25, -1e25, 3e24, 0.0]].concat();
    let (gain, bias) = ([1.0; 4], [0.0; 4]);
    let (mut both, mut alone) = ([0.0; 8], [0.0; 4]);
    value(&geometry, &rows, &gain, &bias, &mut both);
    let one = NormGeometry::last_axes(&[1, 4].into(), &[4].into(), 1e-5).unwrap();
    value(&one, &ordinary, &gain, &bias, &mut alone);
    assert_eq!(both[..4], alone);
    // Variances of constant rows are 0 in any unit.
    let constant = [1e25f32; 4];
    value(&one, &constant, &gain, &bias, &mut alone);
    assert_eq!(alone, [0.0; 4]);
    // What is infinite or undefined shows.
    for spoiled in [f32::INFINITY, f32::NAN] {
        value(&one, &[1e25, spoiled, 0.0, 1.0], &gain, &bias, &mut alone);
        assert!(alone.iter().any(|z| z.is_nan()), "{alone:?}");
    }
}

#[test]
fn moments_of_large_channels() {
    let shape = Shape::from([4, 2]);
    let geometry = NormGeometry::batch(&shape, 1e-5).unwrap();
    let x = [1e38f32, 1.0, 3e38, 2.0, 1e38, 3.0, 3e38, 4.0];
    let [mean, variance] = moments(&geometry, &x);
    assert!((mean[0] / 2e38 - 1.0).abs() < 1e-6 && mean[1] == 2.5, "{mean:?}");
    assert_eq!(variance, [f32::INFINITY, 1.25]);
}

//! Linear algebra, and distances, of matrices whose elements are at the ends of the range: what it gives for the same matrix in another unit.

use wengert_tape::{Var, grad, hvp};
use wengert_tensor::Float;

/// A regular matrix, symmetric if asked for.
fn matrix<T: Float>(symmetric: bool) -> Var<T> {
    let a = Var::from(
        [[0.21, -0.12, 0.05], [0.07, 0.17, -0.11], [-0.15, 0.08, 0.23]].map(|row| row.map(T::from_f64)),
    );
    if symmetric { (&a + a.t()) * 0.5 } else { a }
}

fn right_side<T: Float>() -> Var<T> {
    Var::from([[0.3, -0.1], [0.2, 0.15], [-0.05, 0.25]].map(|row| row.map(T::from_f64)))
}

/// One number of many.
fn weighted<T: Float>(x: Var<T>) -> Var<T> {
    let weights: Vec<T> = (0..x.len()).map(|i| T::from_f64((i as f64 + 0.5).cos())).collect();
    (x.reshape([weights.len()]) * Var::from(weights)).sum()
}

/// A name, whether for symmetric matrices, the degree d in f(s·A) = sᵈ·f(A), and the function of A and the unit.
type Homogeneous<T> = (&'static str, bool, f64, fn(&Var<T>, f64) -> Var<T>);

fn functions<T: Float>() -> Vec<Homogeneous<T>> {
    vec![
        ("inv", false, -1.0, |a, _| weighted(a.inv().unwrap())),
        ("pinv", false, -1.0, |a, _| weighted(a.pinv(None).unwrap())),
        ("solve", false, -1.0, |a, _| weighted(a.solve(&right_side()).unwrap())),
        ("solve with as large a right side", false, 0.0, |a, s| {
            weighted(a.solve(&(right_side::<T>() * s)).unwrap())
        }),
        ("lstsq", false, -1.0, |a, _| weighted(a.lstsq(&right_side()).unwrap())),
        ("slogdet", false, 0.0, |a, s| a.slogdet().unwrap().1 - 3.0 * s.ln()),
        ("logdet", true, 0.0, |a, s| a.logdet().unwrap() - 3.0 * s.ln()),
        ("svdvals", false, 1.0, |a, _| weighted(a.svdvals().unwrap())),
        ("svdvals of a tall matrix", false, 1.0, |a, _| weighted(a.slice_axis(-1, ..2).svdvals().unwrap())),
        ("svdvals of a wide matrix", false, 1.0, |a, _| weighted(a.slice(..2).svdvals().unwrap())),
        ("svdvals of a row", false, 1.0, |a, _| weighted(a.slice(..1).svdvals().unwrap())),
        ("cond", false, 0.0, |a, _| weighted(a.cond().unwrap().unsqueeze(0))),
        ("eigvalsh", true, 1.0, |a, _| weighted(a.eigvalsh().unwrap())),
        ("eigh", true, 0.0, |a, _| weighted(a.eigh().unwrap().1.square())),
        ("r of qr", false, 1.0, |a, _| weighted(a.qr().unwrap().1)),
        ("q of qr", false, 0.0, |a, _| weighted(a.qr().unwrap().0)),
        ("cholesky", true, 0.5, |a, _| weighted(a.cholesky().unwrap())),
        ("u of lu", false, 1.0, |a, _| weighted(a.lu().unwrap().u)),
        ("l of lu", false, 0.0, |a, _| weighted(a.lu().unwrap().l)),
        ("cdist", false, 1.0, |a, s| weighted(a.cdist(&(right_side::<T>().t() * s), 2.0))),
        ("cdist from rows", false, 1.0, |a, s| weighted((right_side::<T>().t() * s).cdist(a, 2.0))),
        ("pdist", false, 1.0, |a, _| weighted(a.pdist(2.0))),
    ]
}

fn compare<T: Float>(exponents: [i32; 6]) {
    let mut failures = Vec::new();
    for exponent in exponents {
        let unit = f64::from(exponent).exp2();
        for (name, symmetric, degree, f) in functions::<T>() {
            let a = matrix(symmetric);
            let direction = matrix::<T>(false).t();
            let scale = |power: f64, x: Var<T>| {
                // In two steps, as the power may be out of range.
                let half = (power * 0.5 * f64::from(exponent)).exp2();
                x * half * half
            };
            let near = |x: &Var<T>| f(x, 1.0);
            let far = |x: &Var<T>| f(x, unit);
            let (a_far, direction_far) = (&a * unit, &direction * unit);
            let along = hvp(near, &a, &direction);
            // Orders, powers of the unit, and what they are of: the last along a direction that is not in that unit.
            let results = [
                (0, degree, far(&a_far), near(&a)),
                (1, degree - 1.0, grad(far, &a_far), grad(near, &a)),
                (2, degree - 1.0, hvp(far, &a_far, &direction_far), along.clone()),
                (2, degree - 2.0, hvp(far, &a_far, &direction), along),
            ];
            for (order, power, found, expected) in results {
                // Where the result is out of range, or has few digits, there is nothing to compare.
                let target = scale(power, expected.clone()).abs().max().item();
                if !(target < T::MAX * T::from_f64(0.25) && target > T::MIN_POSITIVE / T::EPSILON) {
                    continue;
                }
                let found = scale(-power, found);
                let size = T::ONE + expected.abs().max().item();
                let error = (&found - &expected).abs().max().item();
                let close = error <= T::from_f64(4096.0) * T::EPSILON * size;
                if !close {
                    failures.push(format!("{name} in 2^{exponent}, order {order}: {found}, not {expected}"));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn matrices_at_the_ends_of_the_range_are_matrices_in_another_unit() {
    compare::<f64>([1022, 600, 300, -300, -540, -600]);
    compare::<f32>([126, 80, 40, -40, -60, -100]);
}

/// Rows of different size each have their own unit.
#[test]
fn products_of_large_elements_and_solutions() {
    let most = 1.79e308f64;
    // The inverse is [[−1/m, 2], [1/m, −1/m]] to rounding.
    let a = Var::from([[0.5, most], [0.5, 0.5]]);
    let slope = grad(|a: &Var<f64>| a.slogdet().unwrap().1, &a).value().to_vec();
    for (found, exact) in slope.into_iter().zip([-1.0 / most, 1.0 / most, 2.0, -1.0 / most]) {
        assert!((found - exact).abs() <= 1e-15 * exact.abs() + 1e-322, "{found:e}, not {exact:e}");
    }
    assert!((a.slogdet().unwrap().1.item() - (0.5f64.ln() + most.ln())).abs() < 1e-12);
    let x = a.solve(&Var::from([most, 1.0])).unwrap().value().to_vec();
    assert!((x[0] - 1.0).abs() < 1e-15 && (x[1] - 1.0).abs() < 1e-15, "{x:?}");
}

/// Rows and columns of different size each have their own unit: those of the inverse are the others.
#[test]
fn inverses_and_solutions_of_large_columns_and_rows() {
    let near = Var::from([[-0.64, 0.9, 0.3], [0.74, 0.8, -0.2], [0.1, -0.5, 0.7]]);
    let b = right_side::<f64>();
    let most = 1000.0f64.exp2();
    for (rows, columns) in [
        ([1.0; 3], [1.0, most, 1.0]),
        ([most, 1.0, 1.0], [1.0; 3]),
        ([1.0, most, 1.0], [1.0, most.recip(), 1.0]),
    ] {
        let (rows, columns) = (Var::from(rows).unsqueeze(1), Var::from(columns));
        let far = &near * &rows * &columns;
        // A = R N C has the inverse C⁻¹ N⁻¹ R⁻¹.
        let inverse = |a: &Var<f64>| a.inv().unwrap();
        let expected = inverse(&near) / rows.t() / columns.unsqueeze(1);
        let found = inverse(&far);
        let weights = Var::from([[0.3, -0.2, 0.9], [-0.7, 0.4, 0.2], [0.5, 0.6, -0.1]]);
        // Multiplied so that all its elements have a part.
        let total = |x: Var<f64>| (x * columns.unsqueeze(1) * rows.t() * &weights).sum();
        let slope = grad(|a: &Var<f64>| total(inverse(a)), &far);
        let expected_slope = grad(|a: &Var<f64>| (inverse(a) * &weights).sum(), &near) / &rows / &columns;
        let solution = far.solve(&(&b * &rows)).unwrap() * columns.unsqueeze(1);
        for (name, found, expected) in [
            ("inverse", found * &columns.unsqueeze(1) * rows.t(), expected * columns.unsqueeze(1) * rows.t()),
            ("slope", slope * &rows * &columns, expected_slope * &rows * &columns),
            ("solution", solution, near.solve(&b).unwrap()),
        ] {
            let error = (&found - &expected).abs().max().item();
            assert!(error < 1e-13, "{name} of rows {rows} and columns {columns}: {found}, not {expected}");
        }
    }
    let one_column = Var::from([[-0.64, -f64::MAX], [0.74, -f64::MAX]]);
    // The first element of the inverse is −1/d with the difference d of the first column.
    let first = |a: &Var<f64>| a.inv().unwrap().slice_axis(-1, ..1).slice(..1).sum();
    let slope = grad(first, &one_column).value().to_vec();
    let d = 0.74 + 0.64f64;
    for (found, exact) in slope.into_iter().zip([-1.0, 0.0, 1.0, 0.0]) {
        assert!((found * d * d - exact).abs() < 1e-15, "{found:e}, not {exact} over {d}²");
    }
}

#[test]
fn cofactors_exist_where_singular_values_do_not() {
    let big = f64::MAX;
    let a = Var::from([[-big, -745.0], [-big, -745.0]]);
    let det = |a: &Var<f64>| a.det().expect("a finite matrix");
    assert_eq!(grad(det, &a).value(), Var::from([[-745.0, big], [745.0, -big]]).value());
    let along = hvp(det, &a, &Var::from([[1.0, 0.5], [0.25, 2.0]]));
    assert_eq!(along.value(), Var::from([[2.0, -0.25], [-0.5, 1.0]]).value());
    assert_eq!(grad(det, &Var::from([[big]])).item(), 1.0);
    let nothing = Var::from([[-big, -745.0, 0.0], [-big, -745.0, 0.0], [0.0; 3]]);
    // To a rounding of what is beyond the range.
    assert!(grad(det, &nothing).abs().max().item() < 1e-10 * big);
}

#[test]
fn determinants_of_the_smallest_numbers() {
    let least = 5e-324;
    let det = |a: Var<f64>| a.det().expect("a finite matrix").item();
    assert_eq!(det(Var::from([[-1e-310]])), -1e-310);
    assert_eq!(det(Var::from([[least]])), least);
    assert!((det(Var::from([[least, 0.0], [0.0, f64::MAX]])) / (least * f64::MAX) - 1.0).abs() < 1e-15);
    let slope = grad(
        |a: &Var<f64>| a.det().unwrap(),
        &Var::from([[least, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 3.0]]),
    );
    assert!((slope.value().at([0, 0]) - 6.0).abs() < 1e-14);
}

/// 1/s is infinite there, and what it is multiplied by is 0.
#[test]
fn gradients_of_subnormal_singular_values_and_eigenvalues() {
    let column = Var::from([[1e-310], [0.0], [0.0]]);
    let slope = grad(|a: &Var<f64>| a.svdvals().unwrap().sum(), &column);
    assert_eq!(slope.value().to_vec(), [1.0, 0.0, 0.0]);
    let diagonal = Var::from([[1e-310, 0.0], [0.0, 3e-310]]);
    for f in [|a: &Var<f64>| a.svdvals().unwrap().sum(), |a: &Var<f64>| a.eigvalsh().unwrap().sum()] {
        let slope = grad(f, &diagonal);
        assert!((slope - Var::constant(wengert_tensor::Tensor::eye(2))).abs().max().item() < 1e-12);
    }
}

/// Columns and rows whose norms are beyond the range, though the elements are not.
#[test]
fn least_squares_of_columns_whose_norms_are_out_of_range() {
    let a = Var::from([[0.9, 0.1], [0.8, -0.9], [-0.9, 0.7], [0.9, 0.9]]);
    let b = Var::from([[0.3, -0.1], [0.2, 0.15], [-0.05, 0.25], [0.4, 0.1]]);
    let solve = |a: &Var<f64>, b: &Var<f64>| a.lstsq(b).unwrap();
    let unit = f64::MAX;
    for (a, b) in [(a.clone(), b.clone()), (a.t(), b.slice(..2))] {
        let (near, far) = (solve(&a, &b), solve(&(&a * unit), &(&b * unit)));
        assert!((&near - &far).abs().max().item() < 1e-14, "{far}, not {near}");
        let slope = |a: &Var<f64>, b: &Var<f64>| grad(|b: &Var<f64>| weighted(solve(a, b)), b);
        let (near, far) = (slope(&a, &b), slope(&(&a * unit), &(&b * unit)) * unit);
        assert!((&near - &far).abs().max().item() < 1e-13, "{far}, not {near}");
        let slope = |a: &Var<f64>, b: &Var<f64>| grad(|a: &Var<f64>| weighted(solve(a, b)), a);
        let (near, far) = (slope(&a, &b), slope(&(&a * unit), &(&b * unit)) * unit);
        assert!((&near - &far).abs().max().item() < 1e-13, "{far}, not {near}");
    }
}

/// One element is larger than the others by more than all their digits; numbers by exact fractions.
#[test]
fn cofactors_beside_one_that_is_much_larger() {
    let a = Var::from([[1.05, 1.24, -1.69], [-0.86, 0.058, 1.34], [-0.31, -1.3, -1e60]]);
    let exact = [
        -5.8e58,
        -8.599999999999999e59,
        1.13598,
        1.2399999999999999e60,
        -1.05e60,
        0.9806000000000001,
        1.7596200000000002,
        0.04639999999999979,
        1.1273,
    ];
    let found = grad(|a: &Var<f64>| a.det().unwrap(), &a).value().to_vec();
    for (found, exact) in found.into_iter().zip(exact) {
        assert!((found / exact - 1.0).abs() < 1e-13, "{found:e}, not {exact:e}");
    }
}

/// Every row and column has a 1, and yet it is the small elements that count.
#[test]
fn small_elements_that_decide() {
    let e = 2f64.powi(-70);
    let a = Var::from([[1.0, 1.0, 1.0], [1.0, e, 2.0 * e], [1.0, -e, 3.0 * e]]);
    assert!((a.det().unwrap().item() / (-3.0 * e) - 1.0).abs() < 1e-14);
    let found = grad(|a: &Var<f64>| a.det().unwrap(), &a).value().to_vec();
    let exact = [5.0 * e * e, -e, -2.0 * e, -4.0 * e, -1.0, 1.0, e, 1.0, -1.0];
    for (found, exact) in found.into_iter().zip(exact) {
        assert!((found - exact).abs() <= 1e-14 * exact.abs(), "{found:e}, not {exact:e}");
    }
}

/// There is nothing to be out of proportion, whatever the unit.
#[test]
fn condition_of_one_number() {
    for number in [1e-20f32, -1e-30, 1e25, 0.3] {
        let (x, direction) = (Var::from([[number]]), Var::from([[0.7f32]]));
        let cond = |a: &Var<f32>| a.cond().unwrap().sum();
        assert_eq!(cond(&x).item(), 1.0);
        assert_eq!(grad(cond, &x).value().to_vec(), [0.0], "{number:e}");
        assert_eq!(hvp(cond, &x, &direction).value().to_vec(), [0.0], "{number:e}");
    }
}

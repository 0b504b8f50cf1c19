//! Factorisations, and rows that are normalised.

use wengert_tensor::Shape;
use wengert_tensor::gemm::{MatrixMut, MatrixRef};
use wengert_tensor::linalg::{
    Cholesky, Ldl, Lu, Qr, Scales, Triangle, dependent_row, exponential, solve_transposed_with,
    solve_triangular, solve_with, svd, symmetric_eigen,
};
use wengert_tensor::normalise::{self, NormGeometry};

use super::helpers::{SIZES, refused};

#[test]
fn matrices_of_another_size_than_their_slice() {
    for &n in SIZES.iter().filter(|&&n| n > 2) {
        refused("cholesky", &[&n], || Cholesky::new(&[1.0f64; 4], n));
        refused("ldl", &[&n], || Ldl::new(&[1.0f64; 4], n));
        refused("symmetric_eigen", &[&n], || symmetric_eigen(&[1.0f64; 4], n));
        refused("qr", &[&n], || Qr::new(vec![1.0f64; 4], n, n));
        refused("dependent_row", &[&n], || dependent_row(&[1.0f64; 4], n));
        refused("lu", &[&n], || Lu::new(vec![1.0f64; 4], n, n));
        // Elements that are far from each other are looked at before they are factored.
        refused("lu", &[&n], || Lu::new(vec![1.0f64, 1e300, 1e-300, 1.0], n, n));
        refused("lu", &[&n], || Lu::for_solving(&[1.0f64, 1e300, 1e-300, 1.0], n));
        refused("scales", &[&n], || Scales::of(&[1.0f64, 1e300, 1e-300, 1.0], n));
        refused("svd", &[&n], || svd(&[1.0f64; 4], n, n));
        refused("matrix_exp", &[&n], || exponential(&[1.0f64; 4], n));
        let mut x = [1.0f64; 2];
        let triangle = Triangle::default();
        refused("solve_triangular", &[&n], || solve_triangular(&[1.0; 4], n, triangle, &mut x, 1));
        refused("solve_triangular", &[&n], || solve_triangular(&[1.0; 4], 2, triangle, &mut x, n));
        refused("lu", &[&n], || solve_with(&[1.0; 4], &[0, 1], &[1.0; 2], n, &mut x));
        refused("lu", &[&n], || solve_transposed_with(&[1.0; 4], &[0, 1], &[1.0; 2], n, &mut x));
        refused("gemm", &[&n], || MatrixRef::row_major(&[1.0f64; 4], [n, 2]));
        let mut elements = [1.0f64; 4];
        refused("gemm", &[&n], || MatrixMut::row_major(&mut elements, [2, n]).shape());
        // A matrix without columns has no elements, whatever its rows.
        assert!(Qr::<f64>::new(Vec::new(), n, 0).q().is_empty());
    }
}

#[test]
fn rows_to_be_normalised() {
    for &rows in &SIZES {
        for &length in &SIZES {
            let shape = Shape::from([rows, length]);
            let last = NormGeometry::last_axes(&shape, &[length].into(), 0.1);
            assert_eq!(last.is_some(), shape.fits());
            let groups = SIZES.iter().filter_map(|&groups| NormGeometry::groups(&shape, groups, 0.1));
            for geometry in last.into_iter().chain(groups) {
                assert_eq!((geometry.elements(), geometry.gains()), (rows * length, length));
                let missing = if rows > 0 { geometry.elements() } else { length };
                if missing > 0 {
                    refused("normalise", &[&missing], || value(&geometry));
                } else {
                    value(&geometry);
                }
            }
        }
    }
    assert_eq!(NormGeometry::groups(&[2, 0].into(), usize::MAX, 0.1), None);
}

fn value(geometry: &NormGeometry) {
    normalise::value::<f64>(geometry, &[], &[], &[], &mut []);
}

#[cfg(feature = "fft")]
#[test]
fn rows_to_be_transformed() {
    use wengert_tensor::fourier::{complex, half_to_real, real_to_half};
    for &n in &SIZES {
        let (x, mut out) = ([1.0f64; 6], [0.0; 6]);
        if n == 1 || n == 3 {
            complex(&x, &mut out, n, false, 1.0);
        } else {
            refused("fft", &[&n], || complex(&x, &mut out, n, false, 1.0));
        }
        if n > 0 {
            // No rows of any length.
            complex::<f64>(&[], &mut [], n, true, 1.0);
            real_to_half::<f64>(&[], &mut [], n, 1.0, 1.0);
            half_to_real::<f64>(&[], &mut [], n, 1.0, 1.0);
        }
        refused("rfft", &[&n], || real_to_half(&x, &mut out[..1], n, 1.0, 1.0));
        refused("rfft", &[&n], || half_to_real(&x[..1], &mut out, n, 1.0, 1.0));
    }
}

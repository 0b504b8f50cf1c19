//! Factorisations.

use wengert_tensor::gemm::{MatrixMut, MatrixRef};
use wengert_tensor::linalg::{Cholesky, Ldl, Qr, symmetric_eigen};

use crate::helpers::{SIZES, refused};

#[test]
fn matrices_of_another_size_than_their_slice() {
    for &n in SIZES.iter().filter(|&&n| n > 2) {
        refused("cholesky", &[&n], || Cholesky::new(&[1.0f64; 4], n));
        refused("ldl", &[&n], || Ldl::new(&[1.0f64; 4], n));
        refused("symmetric_eigen", &[&n], || symmetric_eigen(&[1.0f64; 4], n));
        refused("qr", &[&n], || Qr::new(vec![1.0f64; 4], n, n));
        refused("gemm", &[&n], || MatrixRef::row_major(&[1.0f64; 4], [n, 2]));
        let mut elements = [1.0f64; 4];
        refused("gemm", &[&n], || MatrixMut::row_major(&mut elements, [2, n]).shape());
        // A matrix without columns has no elements, whatever its rows.
        assert!(Qr::<f64>::new(Vec::new(), n, 0).q().is_empty());
    }
}

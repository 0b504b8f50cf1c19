//! Factorisations of matrices, forward.

use std::hint::black_box;

use wengert::prelude::*;
use wengert::tape::MatrixError;

use super::data::Data;
use super::{Floor, Workload};

/// `svd_N`, `eigh_N`, `qr_N`, `lu_N` and `cholesky_N`: the thin singular value decomposition, eigenvalues and vectors, or the
/// factors of an N × N matrix.
pub(super) fn by_name(name: &str) -> Option<Workload> {
    let (kind, side) = name.split_once('_')?;
    let side: usize = side.parse().ok()?;
    let a = || Data::seeded(0).normal_var([side, side]);
    let cube = (side as f64).powi(3);
    match kind {
        "svd" => Some(factored(a(), Var::svd)),
        "eigh" => Some(factored(a(), Var::eigh)),
        "qr" => Some(factored(a(), Var::qr)),
        "lu" => Some(factored(a(), Var::lu).floor(Floor::default().arithmetic(cube * 2.0 / 3.0))),
        "cholesky" => {
            // Of A·Aᵀ/N + I.
            let a = a();
            let a = a.matmul(&a.t()) / side as f64 + Var::constant(Tensor::eye(side));
            Some(factored(a, Var::cholesky).floor(Floor::default().arithmetic(cube / 3.0)))
        }
        _ => None,
    }
}

fn factored<R: 'static>(a: Var, factor: fn(&Var) -> Result<R, MatrixError>) -> Workload {
    Workload::new(move || drop(black_box(factor(&a).expect("normal numbers have these factors"))))
}

#[cfg(test)]
mod tests {
    use super::by_name;

    #[test]
    fn names_give_sizes() {
        for name in ["svd_3", "eigh_3", "qr_2", "lu_5", "cholesky_4"] {
            (by_name(name).expect(name).step)();
        }
        for wrong in ["svd_", "svd_x", "ldl_4", "cholesky"] {
            assert!(by_name(wrong).is_none(), "{wrong}");
        }
    }
}

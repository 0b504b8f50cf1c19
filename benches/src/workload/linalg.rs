//! Factorisations of matrices, forward.

use std::hint::black_box;

use wengert::prelude::*;

use super::data::Data;
use super::{Floor, Workload};

/// `svd_N` and `cholesky_N`: the thin singular value decomposition, or the Cholesky factor, of an N × N matrix.
pub(super) fn by_name(name: &str) -> Option<Workload> {
    let (kind, side) = name.split_once('_')?;
    let side: usize = side.parse().ok()?;
    match kind {
        "svd" => Some(svd(side)),
        "cholesky" => Some(cholesky(side)),
        _ => None,
    }
}

fn svd(side: usize) -> Workload {
    let a = Data::seeded(0).normal_var([side, side]);
    Workload::new(move || drop(black_box(a.svd().expect("normal numbers are finite"))))
}

/// Of A·Aᵀ/N + I.
fn cholesky(side: usize) -> Workload {
    let a = Data::seeded(0).normal_var([side, side]);
    let a = a.matmul(&a.t()) / side as f64 + Var::constant(Tensor::eye(side));
    let step = move || drop(black_box(a.cholesky().expect("a sum of squares and ones on the diagonal")));
    Workload::new(step).floor(Floor::default().arithmetic((side as f64).powi(3) / 3.0))
}

#[cfg(test)]
mod tests {
    use super::by_name;

    #[test]
    fn names_give_sizes() {
        for name in ["svd_3", "cholesky_4"] {
            (by_name(name).expect(name).step)();
        }
        for wrong in ["svd_", "svd_x", "lu_4", "cholesky"] {
            assert!(by_name(wrong).is_none(), "{wrong}");
        }
    }
}

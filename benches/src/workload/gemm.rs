//! Matrix products.

use std::hint::black_box;

use wengert::prelude::*;

use super::data::Data;
use super::{Floor, Workload};

/// C = A·B, from `gemm_N` for square matrices or `gemm_MxNxK` for A of M×K and B of K×N.
pub(super) fn by_name(name: &str) -> Option<Workload> {
    let [m, n, k] = dimensions(name)?;
    let mut data = Data::seeded(0);
    let (a, b, mut c) = (data.normal([m, k]), data.normal([k, n]), Tensor::zeros([m, n]));
    let step = move || {
        c.add_matmul(1.0, &a, &b, 0.0);
        black_box(&c);
    };
    Some(Workload::new(step).floor(Floor::default().products(1, [m, n, k])))
}

fn dimensions(name: &str) -> Option<[usize; 3]> {
    let dimensions: Vec<usize> =
        name.strip_prefix("gemm_")?.split('x').map(|d| d.parse().ok()).collect::<Option<_>>()?;
    match dimensions[..] {
        [n] => Some([n; 3]),
        [m, n, k] => Some([m, n, k]),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::dimensions;

    #[test]
    fn names_give_dimensions() {
        assert_eq!(dimensions("gemm_64"), Some([64; 3]));
        assert_eq!(dimensions("gemm_64x128x784"), Some([64, 128, 784]));
        for wrong in ["gemm_", "gemm_2x3", "gemm_-1", "gemm_1x2x3x4", "mlp_small"] {
            assert_eq!(dimensions(wrong), None, "{wrong}");
        }
    }
}

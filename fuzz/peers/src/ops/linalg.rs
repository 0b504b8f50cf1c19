//! Systems, factorisations, functions of matrices.

use wengert::tape::{MatrixError, MatrixNorm, Triangle, Var};
use wengert::tensor::Float;

use super::Results;
use crate::wire::Attrs;

pub(super) fn apply<T: Float>(name: &str, a: &Attrs, v: &[Var<T>]) -> Results<T> {
    let x = v.first()?;
    factored(name, a, x, v.get(1)).map(|result| result.unwrap_or_else(|error| panic!("{error}")))
}

fn factored<T: Float>(
    name: &str,
    a: &Attrs,
    x: &Var<T>,
    y: Option<&Var<T>>,
) -> Option<Result<Vec<Var<T>>, MatrixError>> {
    let single = match name {
        "inv" => x.inv(),
        "det" => x.det(),
        "logdet" => x.logdet(),
        "matrix_exp" => x.matrix_exp(),
        "matrix_power" => x.matrix_power(a.int("n") as i32),
        "cholesky" => x.cholesky(),
        "cholesky_inverse" => x.cholesky_inverse(),
        "eigvalsh" => x.eigvalsh(),
        "svdvals" => x.svdvals(),
        "pinv" => x.pinv(None),
        "cond" => x.cond(),
        "matrix_norm" => x.matrix_norm(match a.text("p") {
            "fro" => MatrixNorm::Frobenius,
            "nuc" => MatrixNorm::Nuclear,
            "2" => MatrixNorm::Spectral,
            "-2" => MatrixNorm::SmallestSingularValue,
            "1" => MatrixNorm::MaxColumnSum,
            "-1" => MatrixNorm::MinColumnSum,
            "inf" => MatrixNorm::MaxRowSum,
            "-inf" => MatrixNorm::MinRowSum,
            other => panic!("there is no norm {other}"),
        }),
        "solve" => x.solve(y?),
        "lstsq" => x.lstsq(y?),
        "cholesky_solve" => x.cholesky_solve(y?),
        "solve_triangular" => {
            let [upper, transposed, unit] = ["upper", "transposed", "unit"].map(|name| a.flag(name));
            let triangle = Triangle { upper, transposed, unit };
            x.solve_triangular(triangle, y?)
        }
        "householder_product" => Ok(x.householder_product(y?)),
        "slogdet" => return Some(x.slogdet().map(|(sign, log)| vec![sign, log])),
        "qr" => return Some(x.qr().map(|(q, r)| vec![q, r])),
        "lu" => return Some(x.lu().map(|f| vec![f.p, f.l, f.u])),
        // Of eigenvectors and singular vectors what does not depend on their signs.
        "eigh" => return Some(x.eigh().map(|(values, vectors)| vec![values, vectors.square()])),
        "svd" => return Some(x.svd().map(|f| vec![f.u.square(), f.s, f.vt.square()])),
        _ => return None,
    };
    Some(single.map(|var| vec![var]))
}

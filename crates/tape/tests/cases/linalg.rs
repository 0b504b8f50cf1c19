//! Factorisations, systems and functions of matrices.

use wengert_tape::{MatrixNorm, SvdFactors, Triangle, Var};
use wengert_tensor::Tensor;

use super::{Case, any, at, case, other};

/// Matrices far from singular: something and 3 on the diagonal.
fn regular<const N: usize>(shape: [usize; N]) -> Var<f64> {
    any(shape) * 0.7 + Var::constant(Tensor::eye(shape[N - 1])) * 3.0
}

/// Tall or wide matrices with independent rows or columns.
fn full_rank<const N: usize>(shape: [usize; N]) -> Var<f64> {
    let (m, n) = (shape[N - 2], shape[N - 1]);
    any(shape) * 0.7
        + Var::constant(Tensor::from_fn([m, n], |i| if i[0] == i[1] { 3.0 + i[0] as f64 } else { 0.0 }))
}

/// With eigenvalues −1, 2 and as much more.
fn with_gap(gap: f64) -> Var<f64> {
    let (u, w) = ([1.0, 2.0, 2.0], [2.0, -2.0, 1.0]);
    let element = |i: &[usize]| (gap * w[i[0]] * w[i[1]] - 3.0 * u[i[0]] * u[i[1]]) / 9.0;
    Var::constant(Tensor::from_fn([3, 3], element) + Tensor::eye(3) * 2.0)
}

/// X Xᵀ + I, which is positive definite whatever X.
fn positive(x: &Var<f64>) -> Var<f64> {
    x.matmul(&x.t()) + Var::constant(Tensor::eye(x.shape()[x.rank() - 2]))
}

const UPPER: Triangle = Triangle { upper: true, transposed: false, unit: false };
const UPPER_TRANSPOSED: Triangle = Triangle { transposed: true, ..UPPER };
const UNIT: Triangle = Triangle { upper: false, transposed: false, unit: true };
const UNIT_TRANSPOSED: Triangle = Triangle { transposed: true, ..UNIT };

pub(super) fn cases() -> Vec<Case> {
    [systems(), factorisations(), functions()].into_iter().flatten().collect()
}

fn systems() -> Vec<Case> {
    vec![
        case("householder_product", |v| v[0].householder_product(&v[1]), [any([3, 2]), other([2])])
            .also([any([2, 3, 3]), other([2, 1])])
            .also([any([2, 2]), other([0])]),
        case("solve", |v| v[0].solve(&v[1]).unwrap(), [regular([3, 3]), other([3, 2])])
            .also([regular([1, 1]), other([1, 2])])
            .also([regular([3, 3]), other([3, 0])])
            .also([any([0, 0]), other([0, 2])])
            .order(3),
        case("solve vector", |v| v[0].solve(&v[1]).unwrap(), [regular([3, 3]), other([3])]),
        case("solve batch", |v| v[0].solve(&v[1]).unwrap(), [regular([2, 2, 2]), other([2, 2, 3])])
            .also([regular([2, 1, 2, 2]), other([3, 2, 1])])
            .also([regular([0, 2, 2]), other([0, 2, 1])]),
        case("solve one matrix", |v| v[0].solve(&v[1]).unwrap(), [regular([2, 2]), other([3, 2, 2])])
            .also([any([0, 0]), other([3, 0, 2])]),
        case("inv", |v| v[0].inv().unwrap(), [regular([3, 3])])
            .also([regular([2, 2, 2])])
            .also([any([0, 0])])
            .order(3),
        case(
            "solve_triangular",
            |v| v[0].solve_triangular(Triangle::default(), &v[1]).unwrap(),
            [regular([3, 3]), other([3, 2])],
        )
        .also([regular([2, 2, 2]), other([2, 1])])
        .also([regular([2, 2]), other([2])])
        .order(3),
        case(
            "solve_triangular upper",
            |v| v[0].solve_triangular(UPPER, &v[1]).unwrap(),
            [regular([3, 3]), other([3, 2])],
        ),
        case(
            "solve_triangular transposed",
            |v| v[0].solve_triangular(UPPER_TRANSPOSED, &v[1]).unwrap(),
            [regular([3, 3]), other([3, 2])],
        ),
        case(
            "solve_triangular unit",
            |v| v[0].solve_triangular(UNIT, &v[1]).unwrap(),
            [regular([3, 3]), other([3, 2])],
        ),
        case(
            "solve_triangular unit transposed",
            |v| v[0].solve_triangular(UNIT_TRANSPOSED, &v[1]).unwrap(),
            [regular([3, 3]), other([3, 2])],
        ),
        case("cholesky_solve", |v| v[0].cholesky_solve(&v[1]).unwrap(), [regular([3, 3]), other([3, 2])])
            .also([regular([2, 2]), other([2])]),
        case("cholesky_inverse", |v| v[0].cholesky_inverse().unwrap(), [regular([3, 3])]),
        case("lstsq", |v| v[0].lstsq(&v[1]).unwrap(), [full_rank([4, 2]), other([4, 3])])
            .also([full_rank([3, 3]), other([3])])
            .also([full_rank([2, 4, 2]), other([4, 1])]),
        case("lstsq wide", |v| v[0].lstsq(&v[1]).unwrap(), [full_rank([2, 4]), other([2, 2])]),
    ]
}

fn factorisations() -> Vec<Case> {
    vec![
        case("cholesky", |v| positive(&v[0]).cholesky().unwrap(), [any([3, 3])])
            .also([any([2, 2, 2])])
            .also([any([1, 1])])
            .also([any([0, 0])])
            .order(3),
        // Of the symmetric part.
        case(
            "cholesky of any",
            |v| (&v[0] + 6.0 * Var::constant(Tensor::eye(3))).cholesky().unwrap(),
            [any([3, 3])],
        ),
        // The last column of a square Q depends on the others alone.
        case("qr q", |v| v[0].qr().unwrap().0, [full_rank([4, 2])])
            .also([full_rank([2, 3, 2])])
            .also([full_rank([3, 1])])
            .also([any([3, 0])]),
        case("qr r", |v| v[0].qr().unwrap().1, [full_rank([3, 3])])
            .also([full_rank([4, 2])])
            .also([full_rank([2, 4])]),
        case("lu l", |v| v[0].lu().unwrap().l, [regular([3, 3])])
            .also([full_rank([4, 2])])
            .also([full_rank([2, 4])])
            .also([at([[0.0, 2.0], [3.0, 1.0]])]),
        case("lu u", |v| v[0].lu().unwrap().u, [regular([3, 3])])
            .also([full_rank([4, 2])])
            .also([full_rank([2, 4])])
            .also([regular([2, 2, 2])]),
        case(
            "eigh",
            |v| {
                let (values, vectors) = v[0].eigh().unwrap();
                (&vectors * (values * 0.2).exp().unsqueeze(-2)).matmul(&vectors.t().tanh())
            },
            [at([[2.0, 0.5, -1.0], [0.25, 7.0, 0.75], [-0.5, 1.0, -4.0]])],
        )
        .also([at([[1.0, 0.5], [0.5, -2.0]])])
        .also([at([[3.0]])]),
        // A projector onto a space of two equal eigenvalues.
        case(
            "eigh projector",
            |v| {
                let vectors = v[0].eigh().unwrap().1.slice_axis(-1, 1..);
                vectors.matmul(&vectors.t())
            },
            [with_gap(0.0)],
        )
        .order(3),
        case("symmetric_function", |v| v[0].symmetric_function(|x| (x * 0.3).exp()).unwrap(), [any([3, 3])])
            .also([with_gap(0.0)])
            .also([with_gap(1e-9)])
            .also([with_gap(1e-4)])
            .also([with_gap(0.02)])
            .also([at([[3.0]])])
            .also([any([0, 0])])
            .also([any([2, 2, 2])])
            .order(3),
        case(
            "symmetric_function of a function with a pole",
            |v| v[0].symmetric_function(|x| x.recip()).unwrap(),
            [at([[1.0, 0.5], [0.5, -2.0]])],
        )
        .also([with_gap(1e-7)]),
        case(
            "eigvalsh",
            |v| v[0].eigvalsh().unwrap(),
            [at([[2.0, 0.5, -1.0], [0.25, 7.0, 0.75], [-0.5, 1.0, -4.0]])],
        )
        .also([any([0, 0])]),
        case(
            "svd",
            |v| {
                let SvdFactors { u, s, vt } = v[0].svd().unwrap();
                (u * (s * 0.2).exp().unsqueeze(-2)).matmul(&vt)
            },
            [full_rank([3, 3])],
        )
        .also([full_rank([4, 2])])
        .also([full_rank([2, 4])])
        .also([full_rank([2, 2, 2])]),
        case(
            "svd vectors",
            |v| {
                let SvdFactors { u, s, vt } = v[0].svd().unwrap();
                Var::cat(&[(&u * s.unsqueeze(-2)).matmul(&u.t().powi(3)), vt.t().matmul(&vt.powi(3))], -1)
            },
            [full_rank([3, 3])],
        ),
        case("svdvals", |v| v[0].svdvals().unwrap(), [full_rank([3, 3])])
            .also([full_rank([4, 2])])
            .also([any([0, 2])]),
    ]
}

fn functions() -> Vec<Case> {
    vec![
        case("det", |v| v[0].det().unwrap(), [regular([3, 3])])
            .also([regular([2, 2, 2])])
            .also([at([[-2.0]])])
            .also([any([0, 0])])
            .also([at([[0.0, 2.0], [3.0, 1.0]])])
            .order(3),
        case("det of singular matrices", |v| v[0].det().unwrap(), [at([[1.0, 2.0], [2.0, 4.0]])])
            .also([at([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [1.0, 0.0, 1.0]])])
            .also([Var::zeros([2, 2])])
            .also([Var::zeros([3, 3])]),
        case("slogdet", |v| v[0].slogdet().unwrap().1, [regular([3, 3])])
            .also([at([[0.0, 2.0], [3.0, 1.0]])])
            .also([regular([2, 2, 2])])
            .order(3),
        case("logdet", |v| v[0].logdet().unwrap(), [regular([3, 3])]),
        case("matrix_exp", |v| v[0].matrix_exp().unwrap(), [any([3, 3])])
            .also([any([2, 2, 2])])
            .also([at([[9.0, 1.0], [-3.0, 2.0]])])
            .also([Var::zeros([2, 2])])
            .order(3),
        case("matrix_power", |v| v[0].matrix_power(5).unwrap(), [regular([2, 2])]).also([any([2, 3, 3])]),
        case("matrix_power negative", |v| v[0].matrix_power(-2).unwrap(), [regular([2, 2])]),
        case("matrix_power zero", |v| v[0].matrix_power(0).unwrap(), [any([2, 2])]),
        case("pinv", |v| v[0].pinv(None).unwrap(), [full_rank([3, 3])])
            .also([full_rank([4, 2])])
            .also([full_rank([2, 4])])
            .also([full_rank([2, 3, 2])]),
        case("matrix_norm", |v| v[0].matrix_norm(MatrixNorm::Frobenius).unwrap(), [any([2, 3])])
            .also([any([2, 2, 2])]),
        case("matrix_norm nuclear", |v| v[0].matrix_norm(MatrixNorm::Nuclear).unwrap(), [full_rank([2, 3])]),
        case(
            "matrix_norm spectral",
            |v| v[0].matrix_norm(MatrixNorm::Spectral).unwrap(),
            [full_rank([3, 2])],
        ),
        case(
            "matrix_norm smallest",
            |v| v[0].matrix_norm(MatrixNorm::SmallestSingularValue).unwrap(),
            [full_rank([3, 2])],
        ),
        case(
            "matrix_norm column",
            |v| v[0].matrix_norm(MatrixNorm::MaxColumnSum).unwrap(),
            [full_rank([2, 3])],
        ),
        case(
            "matrix_norm least column",
            |v| v[0].matrix_norm(MatrixNorm::MinColumnSum).unwrap(),
            [full_rank([2, 3])],
        ),
        case("matrix_norm row", |v| v[0].matrix_norm(MatrixNorm::MaxRowSum).unwrap(), [full_rank([2, 3])]),
        case(
            "matrix_norm least row",
            |v| v[0].matrix_norm(MatrixNorm::MinRowSum).unwrap(),
            [full_rank([2, 3])],
        ),
        case("cond", |v| v[0].cond().unwrap(), [full_rank([3, 2])]),
        case(
            "matrix_rank",
            |v| v[0].sum() * f64::from(v[0].matrix_rank(None).unwrap().item()),
            [full_rank([3, 2])],
        ),
    ]
}

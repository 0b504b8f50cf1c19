//! Misuse of linear algebra.

use wengert_tape::{MatrixNorm, Triangle, Var};
use wengert_tensor::Tensor;

use crate::panics::caught;

#[test]
fn shapes_that_are_no_matrices_or_do_not_fit() {
    let (vector, wide, square) =
        (Var::<f64>::zeros([3]), Var::<f64>::zeros([2, 3]), Var::<f64>::zeros([2, 2]));
    let no_matrix = "fewer than two axes";
    assert_panics!(vector.qr(), "qr: ", no_matrix);
    assert_panics!(vector.lu(), "lu: ", no_matrix);
    assert_panics!(vector.svd(), "svd: ", no_matrix);
    assert_panics!(vector.svdvals(), "svdvals: ", no_matrix);
    assert_panics!(vector.pinv(None), "pinv: ", no_matrix);
    assert_panics!(vector.matrix_rank(None), "matrix_rank: ", no_matrix);
    assert_panics!(vector.matrix_norm(MatrixNorm::Nuclear), "matrix_norm: ", no_matrix);
    let not_square = "shape [2, 3] is not that of square matrices";
    assert_panics!(wide.inv(), "inv: ", not_square);
    assert_panics!(wide.det(), "det: ", not_square);
    assert_panics!(wide.slogdet(), "slogdet: ", not_square);
    assert_panics!(wide.logdet(), "logdet: ", not_square);
    assert_panics!(wide.cholesky(), "cholesky: ", not_square);
    assert_panics!(wide.cholesky_inverse(), "cholesky_inverse: ", not_square);
    assert_panics!(wide.eigh(), "eigh: ", not_square);
    assert_panics!(wide.eigvalsh(), "eigh: ", not_square);
    assert_panics!(wide.symmetric_function(Var::exp), "symmetric_function: ", not_square);
    assert_panics!(square.symmetric_function(Var::sum), "symmetric_function: the function makes [] of [2]");
    let tracked = wengert_tape::Tape::new().var(Tensor::scalar(2.0));
    let captures = move |x: &Var<f64>| x * &tracked;
    assert_panics!(square.symmetric_function(captures), "symmetric_function: ", "captures a tracked");
    assert_panics!(wide.matrix_exp(), "matrix_exp: ", not_square);
    assert_panics!(wide.matrix_power(2), "matrix_power: ", not_square);
    let rows = "different numbers of rows";
    assert_panics!(square.solve(&vector), "solve: shapes [2, 2] and [3, 1]", rows);
    assert_panics!(square.solve_triangular(Triangle::default(), &vector), "solve_triangular: ", rows);
    assert_panics!(square.cholesky_solve(&vector), "solve_triangular: ", rows);
    assert_panics!(wide.lstsq(&vector), "lstsq: shapes [2, 3] and [3, 1]", rows);
    let (three, two) = (Var::<f64>::zeros([3, 2, 2]), Var::<f64>::zeros([2, 2, 2]));
    assert_panics!(three.solve(&two), "solve: ", "[3, 2, 2] and [2, 2, 2] do not broadcast");
    assert_panics!(square.pinv(Some(-1.0)), "pinv: the tolerance -1 is no number from 0 on");
    assert_panics!(Var::<f64>::zeros([0, 2]).cond(), "cond: matrices of shape [0, 2]");
}

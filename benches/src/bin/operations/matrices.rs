//! Products, distances and linear algebra.

use wengert::prelude::*;
use wengert::tape::MatrixError;

use super::Bench;

pub(super) fn time(bench: &mut Bench) {
    let (x, y) = (bench.normal([64, 128, 128]), bench.normal([64, 128, 128]));
    bench.time("bmm", &x, |x| x.matmul(&y));
    let (triples, more) = (bench.normal([200_000, 3]), bench.normal([200_000, 3]));
    let (points, others) = (bench.normal([512, 64]), bench.normal([512, 64]));
    bench.time("cdist 1", &points, |x| x.cdist(&others, 1.0));
    bench.time("cdist 2", &points, |x| x.cdist(&others, 2.0));
    bench.time("pdist 2", &points, |x| x.pdist(2.0));
    bench.time("pdist 1", &points, |x| x.pdist(1.0));
    bench.time("cross", &triples, |x| x.cross(&more, 1));
    let (left, right) = (bench.normal([32, 32]), bench.normal([32, 32]));
    bench.time("kron", &left, |x| x.kron(&right));

    let (square, tall) = (bench.normal([256, 256]), bench.normal([512, 256]));
    let (few, many) = (bench.normal([256, 16]), bench.normal([512, 16]));
    let identity = Var::constant(Tensor::eye(256));
    let whole = |result: Result<Var, MatrixError>| result.expect("a matrix of normal numbers has it");
    bench.time("solve", &square, |x| whole(x.solve(&few)));
    bench.time("inv", &square, |x| whole(x.inv()));
    bench.time("det", &square, |x| whole((x * 0.06).det()));
    bench.time("slogdet", &square, |x| whole(x.slogdet().map(|(_, log)| log)));
    bench.time("cholesky", &square, |x| whole((x.matmul(&x.t()) + &identity).cholesky()));
    bench.time("eigvalsh", &square, |x| whole((x + x.t()).eigvalsh()));
    bench.time("svdvals", &square, |x| whole(x.svdvals()));
    bench.time("pinv", &tall, |x| whole(x.pinv(None)));
    bench.time("lstsq", &tall, |x| whole(x.lstsq(&many)));
    bench.time("matrix_exp", &square, |x| whole((x * 0.03).matrix_exp()));
    bench.time("qr", &tall, |x| whole(x.qr().map(|(_, r)| r)));
    bench.time("eigh", &square, |x| {
        whole((x + x.t()).eigh().map(|(values, vectors)| values.sum() + vectors.square().sum()))
    });
    bench.time("matrix_power", &square, |x| whole((x * 0.06).matrix_power(5)));
    let vector = bench.normal([1024]);
    let wide = bench.normal([1024, 1024]);
    bench.time("matrix times vector", &wide, |x| x.matmul(&vector));
    bench.time("outer", &vector, |x| x.outer(x));
}

//! What orders, picks and moves elements.

use wengert::prelude::*;

use super::Bench;

pub(super) fn time(bench: &mut Bench) {
    let (x, y) = (bench.normal([1024, 1024]), bench.normal([1024, 1024]));
    for axis in [0isize, 1] {
        bench.time(&format!("sort {axis}"), &x, |x| x.sort(axis, false));
    }
    bench.time("topk 1", &x, |x| x.topk(10, 1).0);
    bench.time("median 1", &x, |x| x.median(1, false).0);
    bench.time("kthvalue 1", &x, |x| x.kthvalue(300, 1, false).0);
    bench.time("quantile 1", &x, |x| x.quantile(0.3, 1, false));

    let (picked, places) = (bench.positions([4096], 1024), bench.positions([1024, 512], 1024));
    let (rows, half) = (bench.normal([4096, 1024]), bench.normal([1024, 512]));
    for axis in [0isize, 1] {
        bench.time(&format!("index_select {axis}"), &x, |x| x.index_select(axis, &picked));
    }
    bench.time("gather 1", &x, |x| x.gather(1, &places));
    bench.time("index_add 0", &rows, |rows| x.index_add(0, &picked, rows));
    bench.time("scatter_add 1", &half, |half| x.scatter_add(1, &places, half));
    bench.time("masked_select", &x, |x| x.masked_select(x.gt(0.0)));
    let (table, tokens) = (bench.normal([10_000, 256]), bench.positions([64, 128], 10_000));
    bench.time("embedding", &table, |table| table.embedding(&tokens, None));

    bench.time("cat 1", &x, |x| Var::cat(&[x, &y], 1));
    bench.time("roll 1", &x, |x| x.roll(5, 1));
    bench.time("pad", &x, |x| x.pad(&[(3, 3), (3, 3)], 0.0));
    bench.time("tril", &x, |x| x.tril(0));
    bench.time("repeat", &x, |x| x.tile(&[2, 1]));
    bench.time("diff 1", &x, |x| x.diff(1, 1));
    bench.time("flip 1", &x, |x| x.flip(1));
    bench.time("transposed copy", &x, |x| x.t() * 2.0);
    bench.time("stack 2", &x, |x| Var::stack(&[x, &y], 2));
    bench.time("masked_fill", &x, |x| x.masked_fill(y.gt(0.0), 0.0));
    bench.time("repeat_interleave 1", &x, |x| x.repeat_interleave(2, 1));
    bench.time("diagonal", &x, |x| x.diagonal(0));
    bench.time("index_copy 0", &rows, |rows| x.index_copy(0, &picked, rows));
    bench.time("scatter 1", &half, |half| x.scatter(1, &places, half));
    bench.time("take", &x, |x| x.take(&places));
    bench.time("mode 1", &x, |x| x.mode(1, false).0);
}

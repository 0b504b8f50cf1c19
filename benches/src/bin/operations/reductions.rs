//! Sums and the like along axes, and scans.

use super::Bench;

pub(super) fn time(bench: &mut Bench) {
    let (x, y) = (bench.normal([1024, 1024]), bench.normal([1024, 1024]));
    let [gain, bias] = [(); 2].map(|()| bench.normal([1024]));
    let labels = bench.positions([1024], 1024);
    for axis in [0isize, 1] {
        bench.time(&format!("sum {axis}"), &x, |x| x.sum_axes(axis, false));
        bench.time(&format!("var {axis}"), &x, |x| x.var_axes(axis, 1, false));
        bench.time(&format!("amax {axis}"), &x, |x| x.max_axes(axis, false));
        bench.time(&format!("logsumexp {axis}"), &x, |x| x.logsumexp(axis, false));
        bench.time(&format!("softmax {axis}"), &x, |x| x.softmax(axis));
        bench.time(&format!("cumsum {axis}"), &x, |x| x.cumsum(axis));
    }
    bench.time("mean", &x, |x| x.mean());
    bench.time("std 1", &x, |x| x.std_axes(1, 1, false));
    bench.time("log_softmax 0", &x, |x| x.log_softmax(0));
    bench.time("log_softmax 1", &x, |x| x.log_softmax(1));
    bench.time("norm of order 1", &x, |x| x.norm_axes(1.0, 1, false));
    bench.time("norm of order 3", &x, |x| x.norm_axes(3.0, 1, false));
    bench.time("nansum 1", &x, |x| x.nansum(1, false));
    bench.time("cummin 1", &x, |x| x.cummin(1).0);
    bench.time("cosine_similarity", &x, |x| x.cosine_similarity(&y, 1, 1e-8));
    bench.time("prod 1", &x, |x| x.prod_axis(1, false));
    bench.time("norm 1", &x, |x| x.norm_axes(2.0, 1, false));
    bench.time("cumprod 1", &x, |x| x.cumprod(1));
    bench.time("cummax 1", &x, |x| x.cummax(1).0);
    bench.time("logcumsumexp 1", &x, |x| x.logcumsumexp(1));
    bench.time("layer_norm", &x, |x| x.layer_norm(&gain, &bias, 1e-5));
    bench.time("rms_norm", &x, |x| x.rms_norm(&gain, 1e-5));
    bench.time("cross_entropy", &x, |x| x.softmax_cross_entropy(&labels, 0.0).mean());
}

//! Products over subscripts, arrangements, scattering, order statistics.

use super::caught;
use wengert_tape::{Index, Indexing, QuantileMethod, ScatterReduce, Segments, Var};
use wengert_tensor::Tensor;

fn ones(shape: &[usize]) -> Var<f64> {
    Var::ones(shape)
}

#[test]
fn equations_that_are_none() {
    let (m, v) = (ones(&[2, 3]), ones(&[3]));
    let none: [Var<f64>; 0] = [];
    assert_panics!(Var::einsum("ij", &none), "einsum: ", "ij", "no operands");
    assert_panics!(Var::einsum("ij,j", &[&m]), "einsum: ", "2 operands", "there are 1");
    assert_panics!(Var::einsum("i", &[&m]), "einsum: ", "1 subscripts for operand 0", "[2, 3]");
    assert_panics!(Var::einsum("ijk", &[&m]), "einsum: ", "3 subscripts", "[2, 3]", "2 axes");
    assert_panics!(Var::einsum("...ijk", &[&m]), "einsum: ", "3 subscripts", "[2, 3]");
    assert_panics!(Var::einsum("i1", &[&m]), "einsum: ", "'1'", "i1", "no subscript");
    assert_panics!(Var::einsum("i.j", &[&m]), "einsum: ", "'.'");
    assert_panics!(Var::einsum("ij-k", &[&m]), "einsum: ", "'-'");
    assert_panics!(Var::einsum("ij->i->j", &[&m]), "einsum: ", "'-'");
    assert_panics!(Var::einsum("ié", &[&m]), "einsum: ", "'é'");
    assert_panics!(Var::einsum("...i...", &[&m]), "einsum: ", "2 times");
    assert_panics!(Var::einsum("ij->ik", &[&m]), "einsum: ", "'k'", "no operand");
    assert_panics!(Var::einsum("ij->ii", &[&m]), "einsum: ", "'i' twice");
    assert_panics!(Var::einsum("ii", &[&m]), "einsum: ", "'i'", "twice in operand 0", "2 and 3");
    assert_panics!(Var::einsum("ij,i", &[&m, &v]), "einsum: ", "'i'", "2 in operand 0", "3 in operand 1");
    assert_panics!(Var::einsum("...j,...", &[&m, &v]), "einsum: ", "`...`", "2 in operand 0", "3 in");
}

#[test]
fn products_of_shapes_that_do_not_fit() {
    let (m, v) = (ones(&[2, 3]), ones(&[3]));
    assert_panics!(m.tensordot(&v, &[0], &[0]), "tensordot: ", "axis 0", "[2, 3]", "[3]");
    assert_panics!(m.tensordot(&v, &[0, 1], &[0]), "tensordot: 2 axes", "[2, 3]", "1 of shape [3]");
    assert_panics!(m.tensordot(&m, &[0, -2], &[0, 1]), "tensordot: axis -2", "[2, 3]", "twice");
    assert_panics!(m.tensordot(&v, &[2], &[0]), "tensordot: axis 2", "[2, 3]");
    assert_panics!(m.inner(&ones(&[2])), "inner: ", "[2, 3]", "[2]");
    let wide = ones(&[1]).broadcast_to([1 << 31]);
    assert_panics!(wide.kron(&wide), "kron: ", "[2147483648]", "too many");
    assert_panics!(v.trace(), "trace: ", "[3]");
    assert_panics!(m.cross(&m, 0), "cross: axis 0", "[2, 3]", "length 3");
    assert_panics!(v.cross(&ones(&[2]), 0), "cross: ", "[3]", "[2]");
    assert_panics!(m.cross(&ones(&[2, 1]), 1), "cross: axis 1", "[2, 1]");
    assert_panics!(m.cdist(&v, 2.0), "cdist: ", "[2, 3]", "[3]");
    assert_panics!(m.cdist(&ones(&[2, 2]), 2.0), "cdist: ", "[2, 3]", "[2, 2]");
    assert_panics!(m.cdist(&m, -1.0), "cdist: ", "-1");
    assert_panics!(m.cdist(&m, f64::NAN), "cdist: ", "NaN");
    assert_panics!(ones(&[2, 1, 3]).cdist(&ones(&[3, 1, 3]), 2.0), "cdist: ", "[2]", "[3]");
    assert_panics!(m.pairwise_distance(&ones(&[2]), 2.0, 0.0, false), "pairwise_distance: ", "[2, 3]", "[2]");
    assert_panics!(ones(&[]).pairwise_distance(&ones(&[]), 2.0, 0.0, false), "pairwise_distance: ", "[]");
    assert_panics!(m.cosine_similarity(&ones(&[2]), 0, 0.0), "cosine_similarity: ", "[2, 3]", "[2]");
    assert_panics!(m.cosine_similarity(&m, 2, 0.0), "cosine_similarity: axis 2", "[2, 3]");
    assert_panics!(m.normalize(2.0, 2, 0.0), "normalize: axis 2", "[2, 3]");
}

#[test]
fn arrangements_that_do_not_fit() {
    let (m, v) = (ones(&[2, 3]), ones(&[3]));
    let none: [Var<f64>; 0] = [];
    assert_panics!(m.movedim(&[0], &[0, 1]), "movedim: ", "[0]", "[0, 1]", "[2, 3]");
    assert_panics!(m.movedim(&[2], &[0]), "movedim: axis 2", "[2, 3]");
    assert_panics!(m.movedim(&[0, 0], &[0, 1]), "movedim: axis 0", "twice");
    assert_panics!(m.windows(1, 4, 1), "windows: size 4", "[2, 3]");
    assert_panics!(m.windows(1, 2, 0), "windows: ", "step 0");
    assert_panics!(m.repeat_interleave(2, 2), "repeat_interleave: axis 2", "[2, 3]");
    assert_panics!(m.repeat_interleave(usize::MAX, 1), "repeat_interleave: ", "18446744073709551615");
    let two = Tensor::vector(&[1u32, 2]);
    assert_panics!(m.repeat_interleave_counts(two, 1), "repeat_interleave_counts: ", "[2]", "3", "[2, 3]");
    assert_panics!(Var::meshgrid(&none, Indexing::Ij), "meshgrid: there are no vectors");
    assert_panics!(Var::meshgrid(&[&v, &m], Indexing::Xy), "meshgrid: ", "[2, 3]");
    assert_panics!(Var::cartesian_prod(&[&m]), "meshgrid: ", "[2, 3]");
    assert_panics!(ones(&[]).diag_embed(0, 0, 1), "diag_embed: ", "[]");
    assert_panics!(v.diag_embed(0, 0, 2), "diag_embed: axis 2");
    assert_panics!(v.diag_embed(0, 1, -1), "diag_embed: axis -1", "twice");
    assert_panics!(m.unbind(2), "unbind: axis 2", "[2, 3]");
    assert_panics!(m.split_sizes(&[1, 1], 1), "split_sizes: [1, 1]", "2", "[2, 3]", "3");
    assert_panics!(m.split_sizes(&[usize::MAX, 4], 1), "split_sizes: ", "18446744073709551615");
    assert_panics!(Var::hstack(&none), "hstack: there are no variables");
    assert_panics!(Var::vstack(&none), "vstack: there are no variables");
    assert_panics!(Var::dstack(&none), "dstack: there are no variables");
    assert_panics!(Var::hstack(&[&v, &m]), "cat: ", "[3]", "[2, 3]");
    assert_panics!(Var::vstack(&[&m, &ones(&[2])]), "cat: ", "[2, 3]", "[1, 2]");
}

#[test]
fn indices_that_do_not_fit() {
    let (m, v) = (ones(&[2, 3]), ones(&[3]));
    let [two, far] = [&[0u32, 1][..], &[0, 7]].map(Tensor::vector);
    let [pair, distant] = [[[0u32, 1], [1, 0]], [[0, 1], [9, 0]]].map(Tensor::from);
    let source = ones(&[2, 2]);
    assert_panics!(m.scatter(2, &pair, &source), "scatter: axis 2", "[2, 3]");
    assert_panics!(m.scatter(1, &distant, &source), "scatter: index 9", "axis 1 of length 3");
    assert_panics!(m.scatter(1, &pair, &v), "scatter: ", "[3]", "[2, 2]");
    assert_panics!(m.scatter(1, &two, &ones(&[2])), "scatter: ", "[2]", "[2, 3]");
    assert_panics!(m.index_copy(1, &far, &source), "index_copy: index 7", "axis 1 of length 3");
    assert_panics!(m.index_copy(0, &two, &source), "index_copy: ", "[2, 2]", "[2, 3]");
    assert_panics!(m.index_fill(1, &far, 0.0), "index_fill: index 7", "axis 1 of length 3", "[2, 3]");
    assert_panics!(m.index_fill(2, &two, 0.0), "index_fill: axis 2", "[2, 3]");
    let none: [Tensor<u32>; 0] = [];
    assert_panics!(m.index(&none), "index: 0 indices", "[2, 3]");
    assert_panics!(m.index(&[&two, &two, &two]), "index: 3 indices", "[2, 3]");
    assert_panics!(m.index(&[&two, &far]), "index: index 7", "axis 1 of length 3");
    assert_panics!(m.index(&[two.clone(), Tensor::zeros([3])]), "index: ", "[2]", "[3]");
    assert_panics!(m.index_put(&[&far], &v, true), "index_put: index 7", "axis 0 of length 2");
    assert_panics!(m.index_put(&[&two], &ones(&[2]), false), "index_put: ", "[2]", "[2, 3]");
    assert_panics!(m.take(&far), "index_select: index 7", "length 6");
    assert_panics!(m.take_along_axis(&two, 1), "take_along_axis: ", "[2]", "[2, 3]");
    assert_panics!(m.take_along_axis(&distant, 1), "gather: index 9", "length 3");
    assert_panics!(m.take_along_axis(Tensor::zeros([3, 1]), 1), "take_along_axis: ", "[2, 1]", "[3, 1]");
    let mask = Tensor::full([3], true);
    assert_panics!(m.masked_scatter(&mask, &v), "masked_scatter: 6 elements", "[3]", "3");
    assert_panics!(m.masked_scatter(Tensor::full([2], true), &v), "masked_scatter: ", "[2]", "[2, 3]");
    let sum = ScatterReduce::Sum;
    assert_panics!(m.scatter_reduce(1, &distant, &source, sum, true), "scatter_reduce: index 9", "length 3");
    assert_panics!(m.scatter_reduce(1, &pair, &v, sum, true), "scatter_reduce: ", "[3]", "[2, 2]");
    assert_panics!(v.scatter_reduce(0, &pair, &source, sum, true), "scatter_reduce: ", "[2, 2]", "[3]");
}

#[test]
fn segments_that_do_not_fit() {
    let m = ones(&[2, 3]);
    let [two, far, offsets] = [&[0u32, 1][..], &[0, 7], &[0, 2, 1]].map(Tensor::vector);
    assert_panics!(Segments::<f64>::ids(&far, 3), "Segments::ids: index 7", "length 3");
    assert_panics!(Segments::<f64>::ids(Tensor::zeros([2, 2]), 3), "Segments::ids: ", "[2, 2]");
    assert_panics!(Segments::<f64>::lengths(Tensor::scalar(1)), "Segments::lengths: ", "[]");
    assert_panics!(Segments::<f64>::offsets(&offsets), "Segments::offsets: 2", "1");
    assert_panics!(Segments::<f64>::offsets(Tensor::vector(&[1])), "Segments::offsets: ", "1", "0");
    assert_panics!(Segments::<f64>::offsets(Tensor::zeros([0])), "Segments::offsets: ", "0");
    let segments = Segments::ids(&two, 3);
    assert_panics!(m.segment_sum(&segments, 1), "segment_sum: segments of 2", "axis 1", "[2, 3]");
    assert_panics!(m.segment_mean(&segments, 1), "segment_mean: segments of 2", "[2, 3]");
    assert_panics!(m.segment_max(&segments, 1), "segment_max: segments of 2", "[2, 3]");
    assert_panics!(m.segment_min(&segments, 2), "segment_min: axis 2", "[2, 3]");
    assert_panics!(m.segment_prod(&segments, 1), "segment_prod: segments of 2", "[2, 3]");
    let many = Segments::ids(&two, 1 << 62);
    assert_panics!(m.segment_sum(&many, 0), "segment_sum: ", "4611686018427387904");
}

#[test]
fn orders_and_counts_of_what_is_not_there() {
    let (m, empty) = (ones(&[2, 3]), ones(&[2, 0]));
    assert_panics!(m.cummax(2), "cummax: axis 2", "[2, 3]");
    assert_panics!(m.cummin(2), "cummin: axis 2", "[2, 3]");
    assert_panics!(m.logcumsumexp(2), "logcumsumexp: axis 2", "[2, 3]");
    assert_panics!(m.median(2, false), "median: axis 2", "[2, 3]");
    assert_panics!(empty.median(1, false), "median: ", "axis 1", "[2, 0]");
    assert_panics!(empty.nanmedian(1, true), "nanmedian: ", "axis 1", "[2, 0]");
    assert_panics!(empty.mode(1, true), "mode: ", "axis 1", "[2, 0]");
    assert_panics!(m.kthvalue(0, 1, true), "kthvalue: k = 0", "axis 1", "[2, 3]");
    assert_panics!(m.kthvalue(4, 1, true), "kthvalue: k = 4", "axis 1", "[2, 3]");
    assert_panics!(m.kthvalue(1, 2, true), "kthvalue: axis 2", "[2, 3]");
    assert_panics!(empty.aminmax(1, false), "min: ", "[2, 0]");
    assert_panics!(m.quantile(1.5, 1, false), "quantile: q = 1.5");
    assert_panics!(m.quantile(f64::NAN, 1, false), "quantile: q = NaN");
    assert_panics!(empty.quantile(0.5, 1, false), "quantile: ", "axis 1", "[2, 0]");
    let linear = QuantileMethod::Linear;
    assert_panics!(m.quantiles(&[0.5, -0.1], 1, linear, false), "quantile: q = -0.1");
    assert_panics!(m.nanquantile(0.5, 2, false), "nanquantile: axis 2", "[2, 3]");
    assert_panics!(m.nanquantiles(&[2.0], 0, linear, false), "nanquantile: q = 2");
    let wide = ones(&[1]).broadcast_to([(1 << 32) + 1]);
    assert_panics!(wide.unique(), "unique: ", "4294967297");
    assert_panics!(wide.quantile(0.5, 0, false), "quantile: ", "4294967297");
    assert_panics!(m.searchsorted(&ones(&[3, 2]), false), "searchsorted: ", "[2, 3]", "[3, 2]");
    assert_panics!(ones(&[]).searchsorted(&m, false), "searchsorted: ", "[]");
    assert_panics!(m.bucketize(&m, false), "bucketize: ", "[2, 3]");
    assert_panics!(m.histc(0, 0.0, 1.0), "histc: ", "no bins");
    assert_panics!(m.histc(3, 1.0, 0.0), "histc: 1 to 0");
    assert_panics!(m.histc(3, 0.0, f64::NAN), "histc: 0 to NaN");
    assert_panics!((&m / 0.0).histc(3, 0.0, 0.0), "histc: ", "inf");
    assert_panics!(m.histc(usize::MAX, 0.0, 1.0), "histc: ", "18446744073709551615");
    assert_panics!(m.count_nonzero(2, false), "count_nonzero: axis 2", "[2, 3]");
    assert_panics!(m.nansum(2, false), "nansum: axis 2", "[2, 3]");
    assert_panics!(m.nanmean([0, 0], false), "nansum: axis 0", "twice");
    assert_panics!(ones(&[]).cov(1), "cov: ", "[]");
    assert_panics!(ones(&[1, 1, 1]).corrcoef(), "corrcoef: ", "[1, 1, 1]");
    let labels = Index::<f64>::constant(Tensor::vector(&[1u32]));
    assert_panics!(labels.bincount(usize::MAX), "bincount: 18446744073709551615");
}

#[test]
fn parts_that_do_not_fit() {
    let (m, v) = (ones(&[2, 3]), ones(&[3]));
    assert_panics!(m.slice_scatter(1, 1.., &m), "slice_scatter: ", "[2, 3]", "[2, 2]");
    assert_panics!(m.slice_scatter(2, .., &m), "slice_scatter: axis 2", "[2, 3]");
    assert_panics!(m.select_scatter(1, 3, &ones(&[2])), "select_scatter: ", "position 3", "axis 1", "[2, 3]");
    assert_panics!(m.select_scatter(1, -4, &ones(&[2])), "select_scatter: ", "position -4");
    assert_panics!(m.select_scatter(1, 0, &v), "select_scatter: ", "[3]", "[2]");
    assert_panics!(v.diagonal_scatter(0, &v), "diagonal_scatter: ", "[3]");
    assert_panics!(m.diagonal_scatter(0, &v), "diagonal_scatter: ", "[3]", "[2]");
    assert_panics!(m.rot90(1, [0, 0]), "rot90: axis 0", "[2, 3]", "twice");
    assert_panics!(m.rot90(1, [0, 2]), "rot90: axis 2", "[2, 3]");
    assert_panics!(Var::block_diag(&[ones(&[1, 1, 1])]), "block_diag: ", "[1, 1, 1]");
    assert_panics!(m.combinations(2, false), "combinations: ", "[2, 3]");
    assert_panics!(ones(&[1000]).combinations(500, false), "combinations: ", "500 of 1000");
    assert_panics!(ones(&[]).vander(2, true), "vander: ", "[]");
    assert_panics!(v.vander(usize::MAX, true), "vander: ", "too many");
    let wide = ones(&[1]).broadcast_to([1 << 33]);
    assert_panics!(wide.unique_consecutive(), "unique_consecutive: ");
}

#[test]
fn differences_and_integrals_that_do_not_fit() {
    let (m, v) = (ones(&[2, 3]), ones(&[3]));
    assert_panics!(m.diff(1, 2), "diff: axis 2", "[2, 3]");
    assert_panics!(m.trapezoid(1.0, 2), "trapezoid: axis 2", "[2, 3]");
    assert_panics!(m.trapezoid(&v, 0), "trapezoid: ", "[3, 1]", "axis 0", "[2, 3]");
    assert_panics!(m.trapezoid(ones(&[3, 3]), 1), "trapezoid: ", "[3, 3]", "[2, 3]");
    assert_panics!(m.cumulative_trapezoid(ones(&[2]), 1), "cumulative_trapezoid: ", "[2]", "[2, 3]");
}

#[test]
fn more_products_and_distances_that_do_not_fit() {
    let (m, v) = (ones(&[2, 3]), ones(&[3]));
    assert_panics!(m.vecdot(&ones(&[2]), 0), "vecdot: ", "[2, 3]", "[2]");
    assert_panics!(m.vecdot(&v, 2), "vecdot: axis 2", "[2, 3]");
    let none: [Var<f64>; 0] = [];
    assert_panics!(Var::multi_dot(&none), "multi_dot: ", "no matrices");
    assert_panics!(Var::multi_dot(&[&m, &m]), "multi_dot: operands 0 and 1", "[2, 3]");
    assert_panics!(Var::multi_dot(&[&m, &v, &m]), "multi_dot: operand 1", "[3]");
    assert_panics!(v.pdist(2.0), "pdist: ", "[3]");
    assert_panics!(m.pdist(-1.0), "pdist: ", "-1");
    assert_panics!(m.dist(&ones(&[2]), 2.0), "dist: ", "[2, 3]", "[2]");
    assert_panics!(m.renorm(2.0, 2, 1.0), "renorm: axis 2", "[2, 3]");
    assert_panics!(m.renorm(0.0, 0, 1.0), "renorm: ", "order 0");
    assert_panics!(m.renorm(2.0, 0, -1.0), "renorm: ", "-1");
    assert_panics!(Var::polar(&v, &ones(&[2])), "polar: ", "[3]", "[2]");
    assert_panics!(v.householder_product(&v), "householder_product: ", "[3]");
    assert_panics!(m.householder_product(&v), "householder_product: ", "[3]", "[2, 3]");
    assert_panics!(m.t().householder_product(&v), "householder_product: ", "[3]", "[3, 2]");
    assert_panics!(v.multigammaln(0), "multigammaln: ", "0");
}

#[test]
fn windows_and_numbers_that_are_none() {
    let (far, key) = (usize::MAX, Index::<f64>::key(&wengert_tensor::random::Generator::seeded(0)));
    let wrong = Tensor::vector(&[0u32; 3]);
    assert_panics!(Var::<f64>::hann_window(far, true), "hann_window: ");
    assert_panics!(Var::<f64>::hamming_window(far, true), "hamming_window: ");
    assert_panics!(Var::<f64>::blackman_window(far, true), "blackman_window: ");
    assert_panics!(Var::<f64>::bartlett_window(far, true), "bartlett_window: ");
    assert_panics!(Var::<f64>::kaiser_window(far, true, 1.0), "kaiser_window: ");
    assert_panics!(Var::<f64>::kaiser_window(4, true, f64::NAN), "kaiser_window: ", "NaN");
    let (good, bad) = (ones(&[2]), Var::from([1.0, -0.5]));
    assert_panics!(bad.standard_gamma(&key), "standard_gamma: ", "-0.5");
    assert_panics!(good.standard_gamma(&wrong), "standard_gamma: ", "[3]");
    assert_panics!(good.beta(&bad, &key), "beta: ", "-0.5");
    assert_panics!(good.beta(&ones(&[3]), &key), "beta: ", "[2]", "[3]");
    assert_panics!(bad.dirichlet(&key), "dirichlet: ", "-0.5");
    assert_panics!(ones(&[]).dirichlet(&key), "dirichlet: ", "[]");
    assert_panics!(bad.chi2(&key), "chi2: ", "-0.25");
    assert_panics!(bad.student_t(&key), "student_t: ", "-0.25");
    assert_panics!(Var::<f64>::laplace([2], &wrong), "laplace: ", "[3]");
}

#[test]
fn grids_that_do_not_fit() {
    use wengert_tape::GridSampleOptions;
    let options = GridSampleOptions::default();
    let (images, grid) = (ones(&[2, 3, 4, 5]), ones(&[2, 6, 7, 2]));
    assert_panics!(ones(&[2, 3, 4]).grid_sample(&grid, options), "grid_sample: ", "[2, 3, 4]");
    assert_panics!(images.grid_sample(&ones(&[2, 6, 7, 3]), options), "grid_sample: ", "[2, 6, 7, 3]");
    assert_panics!(images.grid_sample(&ones(&[1, 6, 7, 2]), options), "grid_sample: ", "[1, 6, 7, 2]");
    assert_panics!(ones(&[2, 3, 0, 5]).grid_sample(&grid, options), "grid_sample: ", "no elements");
    assert_panics!(ones(&[2, 2, 2]).affine_grid([3, 3], false), "affine_grid: ", "[2, 2, 2]");
    assert_panics!(ones(&[2, 2, 3]).affine_grid([3, 3, 3], false), "affine_grid: ", "[2, 2, 3]");
    assert_panics!(ones(&[2, 2, 3]).affine_grid([usize::MAX, 2], false), "affine_grid: ", "too many");
}

//! Points that coincide, rows of zeros, ties and duplicates: numbers, the same in both modes, to second order.

use wengert_tape::{PoolOptions, ScatterReduce, Segments, Var, grad, hessian, hvp, jacobian_forward};
use wengert_tensor::Tensor;

/// The gradient of the sum of `f` by both modes, and that its Hessian has numbers and is symmetric.
fn slopes(f: impl Fn(&Var<f64>) -> Var<f64> + Copy, x: &Var<f64>) -> Vec<f64> {
    let total = |x: &Var<f64>| f(x).sum();
    let reverse = grad(total, x).value().to_vec();
    let forward = jacobian_forward(total, x).value().to_vec();
    let near = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-12 * (1.0 + a.abs()));
    assert!(near(&forward, &reverse), "{forward:?} and {reverse:?}");
    let curvature = hessian(total, x).reshape([x.len(), x.len()]);
    assert!(curvature.value().is_finite().all(), "{curvature}");
    assert!(near(&curvature.value().to_vec(), &curvature.t().value().to_vec()), "{curvature}");
    reverse
}

#[test]
fn distances_of_coinciding_points() {
    let x = Var::from([[1.0, 2.0], [3.0, -1.0], [1.0, 2.0]]);
    let by_differences =
        |x: &Var<f64>| (x.unsqueeze(1) - x.unsqueeze(0)).norm_axes(2.0, -1, false) * weights();
    let distances = |x: &Var<f64>| x.cdist(x, 2.0) * weights();
    let (found, expected) = (slopes(distances, &x), slopes(by_differences, &x));
    assert!(found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-14), "{found:?} {expected:?}");
    let v = Var::from([[0.3, 1.0], [-0.7, 0.2], [0.1, 0.4]]);
    let [a, b] =
        [hvp(|x: &Var<f64>| distances(x).sum(), &x, &v), hvp(|x: &Var<f64>| by_differences(x).sum(), &x, &v)];
    assert!(a.value().all_close(b.value(), 1e-13, 1e-13), "{a} {b}");
    // Alone, and in one dimension.
    assert_eq!(slopes(|x| x.cdist(&x.detach(), 2.0), &Var::from([[2.0]])), [0.0]);
    for p in [0.5, 1.0, 1.5, 3.0, f64::INFINITY] {
        assert_eq!(slopes(|x| x.cdist(&x.detach(), p), &Var::from([[2.0, 1.0]])), [0.0; 2], "p = {p}");
    }
}

/// The norm of one number is its magnitude, by whichever order: it has no curvature, and what is divided by it has no slope.
#[test]
fn one_coordinate() {
    let x = Var::from([[0.3f32], [-0.7], [1.1e-30], [2e30], [0.0]]);
    let y = Var::from([[1.7f32], [0.1], [3.3e-30], [-1.9e30], [0.7]]);
    let v = Var::from([[0.9f32], [-1.3], [0.7], [1.0], [1.0]]);
    for p in [0.5, 1.0, 1.5, 2.0, 3.0, f64::INFINITY, -1.0] {
        let curvatures = [
            hvp(|x: &Var<f32>| x.norm_axes(p, 1, false).square().sum() * 0.5, &(&x * 1e-8), &v),
            hvp(|x: &Var<f32>| x.norm_axes(p, 1, false).sum(), &x, &v),
            hvp(|x: &Var<f32>| (if p > 0.0 { x.cdist(&y, p) } else { x.clone() }).sum(), &x, &v),
            hvp(|x: &Var<f32>| (if p > 0.0 { x.pdist(p) } else { x.clone() }).sum(), &x, &v),
        ];
        let zero = &v * 0.0;
        let expected = [v.masked_fill(x.equal(0.0), 0.0), zero.clone(), zero.clone(), zero];
        assert_eq!(curvatures.map(|c| c.value().to_vec()), expected.map(|c| c.value().to_vec()), "p = {p}");
        let unit = |x: &Var<f32>| x.normalize(p, 1, 1e-38);
        assert_eq!(unit(&x).value().to_vec(), [1.0, -1.0, 1.0, 1.0, 0.0]);
        assert_eq!(grad(|x: &Var<f32>| (unit(x) * &v).slice(..4).sum(), &x).value().to_vec(), [0.0; 5]);
    }
}

fn weights() -> Var<f64> {
    Var::from([[1.0, 2.0, -0.5], [0.3, 1.0, 0.7], [1.5, -2.0, 1.0]])
}

#[test]
fn points_that_are_near_each_other() {
    let x = Var::from([[1e8, 1.0]]);
    let y = Var::from([[1e8, 1.0 + 1e-9]]);
    assert_eq!(x.cdist(&y, 2.0).item(), (1.0 + 1e-9) - 1.0);
    assert_eq!(grad(|x: &Var<f64>| x.cdist(&y, 2.0).sum(), &x).value().to_vec(), [0.0, -1.0]);
}

#[test]
fn rows_of_zeros() {
    let x = Var::from([[0.0, 0.0], [3.0, 4.0]]);
    let epsilon = 1e-12;
    let unit = slopes(|x| x.normalize(2.0, 1, epsilon) * Var::from([1.0, 2.0]), &x);
    assert_eq!(unit[..2], [1.0 / epsilon, 2.0 / epsilon]);
    let other = Var::from([[1.0, 1.0], [0.0, 2.0]]);
    assert_eq!(x.cosine_similarity(&other, 1, 1e-8).value().to_vec(), [0.0, 0.8]);
    slopes(|x| x.cosine_similarity(&other, 1, 1e-8), &x);
    assert_eq!(slopes(|x| x.cosine_similarity(x, 1, 1e-8).slice(..1), &x), [0.0; 4]);
    assert_eq!(slopes(|x| x.pairwise_distance(&x.detach(), 2.0, 0.0, false), &x), [0.0; 4]);
}

/// A target with some terms at an index.
type Way = fn(&Var<f64>, &Var<f64>, Tensor<u32>) -> Var<f64>;

/// Of several terms for one position the last stays, whatever the number of threads, and it alone has a derivative.
#[test]
fn duplicates() {
    let index = || Tensor::vector(&[1u32, 0, 1]);
    let x = Var::from([5.0, 6.0, 7.0]);
    let zeros = Var::zeros([2]);
    let ways: [Way; 3] = [
        |zeros, x, index| zeros.scatter(0, index, x),
        |zeros, x, index| zeros.index_copy(0, index, x),
        |zeros, x, index| zeros.index_put(&[index], x, false),
    ];
    for way in ways {
        assert_eq!(way(&zeros, &x, index()).value().to_vec(), [6.0, 7.0]);
        assert_eq!(slopes(|x| way(&zeros, x, index()).square(), &x), [0.0, 12.0, 14.0]);
        assert_eq!(slopes(|zeros| way(zeros, &x, index()), &zeros), [0.0; 2]);
    }
    let far = 100_000;
    let many = Tensor::from_fn([far], |i| (i[0] % 7) as u32);
    let numbers = Var::constant(Tensor::<f64>::arange(0.0, far as f64, 1.0));
    let found = Var::zeros([7]).scatter(0, many, &numbers).value().to_vec();
    assert!(found.iter().all(|&x| x >= (far - 7) as f64), "{found:?}");
}

#[test]
fn ties_and_empty_segments() {
    let x = Var::from([2.0, 5.0, 5.0, -1.0]);
    let segments = Segments::ids(Tensor::vector(&[0u32, 0, 0, 2]), 3);
    assert_eq!(x.segment_max(&segments, 0).value().to_vec(), [5.0, f64::NEG_INFINITY, -1.0]);
    assert_eq!(x.segment_min(&segments, 0).value().to_vec(), [2.0, f64::INFINITY, -1.0]);
    assert_eq!(x.segment_mean(&segments, 0).value().to_vec(), [4.0, 0.0, -1.0]);
    assert_eq!(x.segment_prod(&segments, 0).value().to_vec(), [50.0, 1.0, -1.0]);
    assert_eq!(slopes(|x| x.segment_max(&segments, 0), &x), [0.0, 0.5, 0.5, 1.0]);
    let nan = Var::from([f64::NAN, 5.0, 5.0, -1.0]);
    assert!(nan.segment_max(&segments, 0).value().at([0]).is_nan());
    // Products of zeros: the slope of each is the product of the others.
    let zeros = Var::from([0.0, 3.0, 2.0, 0.0]);
    assert_eq!(slopes(|x| x.segment_prod(&segments, 0), &zeros), [6.0, 0.0, 0.0, 1.0]);
    // A product that leaves the range is not that of the next.
    let large = Var::from([1e200, 1e200, 2.0, 3.0]);
    let pairs = Segments::lengths(Tensor::vector(&[2u32, 2]));
    assert_eq!(large.segment_prod(&pairs, 0).value().to_vec(), [f64::INFINITY, 6.0]);
    assert_eq!(slopes(|x| x.segment_prod(&pairs, 0), &large), [1e200, 1e200, 3.0, 2.0]);
    let infinite = Var::from([f64::INFINITY, 0.0, -1.0, 2.0]);
    let found = infinite.segment_prod(&pairs, 0).value().to_vec();
    assert!(found[0].is_nan() && found[1] == -2.0, "{found:?}");
    let index = || Tensor::vector(&[0u32, 0, 0, 0]);
    let product = |x: &Var<f64>| Var::from([2.0]).scatter_reduce(0, index(), x, ScatterReduce::Prod, true);
    assert_eq!(slopes(product, &Var::from([0.0, 3.0, 0.5, 1.0])), [3.0, 0.0, 0.0, 0.0]);
    assert_eq!(slopes(product, &Var::from([0.0, 3.0, 0.0, 1.0])), [0.0; 4]);
    // What nothing comes to keeps its element.
    let kept = Var::from([4.0, 9.0]).scatter_reduce(0, index(), &x, ScatterReduce::Max, false);
    assert_eq!(kept.value().to_vec(), [5.0, 9.0]);
}

#[test]
fn sums_of_nothing_and_of_the_huge() {
    const INF: f64 = f64::INFINITY;
    let x = Var::from([-INF, -1e300, 1e300, 1e300]);
    let sums = |x: &Var<f64>| x.logcumsumexp(0) * Var::from([1.0, 1.0, 1.0, 2.0]);
    assert_eq!(grad(|x: &Var<f64>| sums(x).sum(), &x).value().to_vec(), [0.0, 1.0, 2.0, 1.0]);
    let quantiles = Var::from([-INF, 1.0, INF]);
    let at = |q| quantiles.quantile(q, 0, false).item();
    assert_eq!([at(0.0), at(0.5), at(0.75), at(1.0)], [-INF, 1.0, INF, INF]);
}

/// They do not depend on the unit of a row, nor do their slopes but by that unit.
#[test]
fn correlations_of_rows_whose_squares_are_out_of_range() {
    let x = Var::from([[0.3, -0.8, 0.5, 0.1], [0.9, 0.2, -0.4, 0.7], [-0.6, 0.4, 0.8, 0.3]]);
    let weights = Var::from([[1.0, 0.5, -0.3], [0.2, 1.5, 0.7], [-0.9, 0.4, 1.2]]);
    let f = |x: &Var<f64>| (x.corrcoef() * &weights).sum();
    for powers in [[900, -1000, 0], [-560, 700, -1020], [600, 600, 600]] {
        let units = Var::from(powers.map(|power: i32| [f64::from(power).exp2()]));
        let far = &x * &units;
        assert_eq!(far.corrcoef().value(), x.corrcoef().value(), "{powers:?}");
        assert_eq!((grad(f, &far) * &units).value(), grad(f, &x).value(), "{powers:?}");
    }
    assert_eq!(Var::from([1e-200, 3e-200]).corrcoef().item(), 1.0);
    assert!(Var::from([[1.0, f64::INFINITY], [1.0, 2.0]]).corrcoef().value().at([0, 0]).is_nan());
}

/// The curvature of its norm is infinite, and nothing depends on that.
#[test]
fn what_is_not_too_long_is_linear() {
    let f = |x: &Var<f64>| x.broadcast_to([4, 3]).renorm(2.0, 0, 2.0).sum();
    let x = Var::from([-5e-324]);
    assert_eq!(grad(f, &x).item(), 12.0);
    assert_eq!(hvp(f, &x, &Var::from([1.0])).item(), 0.0);
}

/// The norm of order 1 is a sum, also where it is 0.
#[test]
fn pooling_of_order_one_has_no_kink() {
    let x = Var::from([1.0, -1.0]).reshape([1, 1, 2]);
    let slope = grad(|x: &Var<f64>| x.lp_pool(1.0, PoolOptions::new([2])).sum(), &x);
    assert_eq!(slope.value().to_vec(), [1.0, 1.0]);
}

/// What a reduction starts from does not share the derivative with an element that is as infinite.
#[test]
fn infinite_extremes_have_the_whole_slope() {
    let x = Var::from([f64::NEG_INFINITY, 0.5, f64::NEG_INFINITY, f64::NEG_INFINITY]);
    let segments = Segments::lengths(Tensor::vector(&[1u32, 1, 2]));
    let index = Tensor::from([0u32, 1, 2, 2]);
    let start = Var::from([3.0f64, 3.0, 3.0, 3.0]);
    let weights = Var::from([1.0, 2.0, 4.0]);
    let largest = |x: &Var<f64>| (x.segment_max(&segments, 0) * &weights).sum();
    assert_eq!(grad(largest, &x).value().to_vec(), [1.0, 2.0, 2.0, 2.0]);
    let smallest = |x: &Var<f64>| ((-x).segment_min(&segments, 0) * &weights).sum();
    assert_eq!(grad(smallest, &x).value().to_vec(), [-1.0, -2.0, -2.0, -2.0]);
    let scattered = |(start, x): &(Var<f64>, Var<f64>)| {
        start.scatter_reduce(0, &index, x, ScatterReduce::Max, false).square().slice(1..).sum()
    };
    let (of_start, of_x) = grad(scattered, &(start, x.slice(1..2).broadcast_to([4])));
    assert_eq!(of_start.value().to_vec(), [0.0, 0.0, 0.0, 6.0]);
    assert_eq!(of_x.value().to_vec(), [0.0, 1.0, 0.5, 0.5]);
}

#[test]
fn pools_by_norms_whose_powers_leave_the_range() {
    for p in [2.0, 3.0] {
        let pool = |x: &Var<f32>| x.reshape([1, 1, 4]).lp_pool(p, PoolOptions::new([2]));
        let x = Var::from([3.0f32, 4.0, 1.0, 2.0]);
        let (value, slope) = (pool(&x), grad(|x: &Var<f32>| pool(x).sum(), &x));
        for size in [1e-30, 1e-20, 1e20, 1e30] {
            let far = &x * size;
            assert!((pool(&far) / size).value().all_close(value.value(), 1e-6, 0.0), "{p}, {size:e}");
            let found = grad(|x: &Var<f32>| pool(x).sum(), &far);
            assert!(found.value().all_close(slope.value(), 1e-5, 0.0), "{p}, {size:e}: {found:?}");
        }
    }
    assert_eq!(Var::<f32>::zeros([1, 1, 4]).lp_pool(2.0, PoolOptions::new([2])).value().to_vec(), [0.0; 2]);
}

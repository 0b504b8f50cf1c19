//! Axes that do not exist, for everything that takes one, and reductions of huge and of empty views.

use wengert_tensor::loops::{Fold, RowFold, RowMap};
use wengert_tensor::normalise::{self, NormGeometry};
use wengert_tensor::simd::Isa;
use wengert_tensor::{Axes, Axis, OrderStatistic, Tensor};

use super::helpers::refused;
use super::panics::caught;

struct Zero;

impl Fold<f64> for Zero {
    type Partial = f64;
    type Output = f64;
    fn identity(&self) -> f64 {
        0.0
    }
    fn step<I: Isa>(&self, partial: f64, _: f64) -> f64 {
        partial
    }
    fn merge(&self, a: f64, _: f64) -> f64 {
        a
    }
    fn finish(&self, partial: f64, _: usize) -> f64 {
        partial
    }
}

impl RowMap<f64, f64> for Zero {
    fn row<I: Isa>(&self, _: usize, _: &[f64], out: &mut [f64]) {
        out.fill(0.0);
    }
}

impl RowFold<f64, f64> for Zero {
    fn row<I: Isa>(&self, _: usize, _: &[f64]) -> f64 {
        0.0
    }
}

/// A function of a tensor and an axis, with its name.
type OfAxis = (&'static str, fn(&Tensor<f64>, Axis));

fn of_axes(axis: Axis) -> Axes {
    Axes::from(axis.0)
}

/// Everything that takes an axis.
const FUNCTIONS: &[OfAxis] = &[
    ("dim", |x, a| assert!(x.dim(a) < 4)),
    ("sum", |x, a| drop(x.sum_axes(of_axes(a), true))),
    ("nansum", |x, a| drop(x.nansum_axes(of_axes(a), true))),
    ("mean", |x, a| drop(x.mean_axes(of_axes(a), true))),
    ("var", |x, a| drop(x.var_axes(of_axes(a), usize::MAX, true))),
    ("std", |x, a| drop(x.std_axes(of_axes(a), 0, true))),
    ("centred", |x, a| drop(x.centred(of_axes(a)))),
    ("prod", |x, a| drop(x.prod_axes(of_axes(a), true))),
    ("max", |x, a| drop(x.max_axes(of_axes(a), true))),
    ("min", |x, a| drop(x.min_axes(of_axes(a), true))),
    ("norm", |x, a| drop(x.norm_axes(2.0, of_axes(a), true))),
    ("logsumexp", |x, a| drop(x.logsumexp(of_axes(a), true))),
    ("count_nonzero", |x, a| drop(x.count_nonzero(of_axes(a), true))),
    ("any", |x, a| drop(x.gt(0.0).any_axes(of_axes(a), true))),
    ("all", |x, a| drop(x.gt(0.0).all_axes(of_axes(a), true))),
    ("argmax", |x, a| drop(x.argmax(a))),
    ("argmin", |x, a| drop(x.argmin(a))),
    ("softmax", |x, a| drop(x.softmax(a))),
    ("log_softmax", |x, a| drop(x.log_softmax(a))),
    ("softmax_gradient", |x, a| drop(x.softmax_gradient(x, a))),
    ("softmax_gradient_tangent", |x, a| drop(x.softmax_gradient_tangent(x, [x, x], a))),
    ("linear_recurrence", |x, a| drop(x.linear_recurrence(x, a))),
    ("linear_recurrence_slopes", |x, a| drop(x.linear_recurrence_slopes(x, x, a))),
    ("linear_recurrence_tangent", |x, a| drop(x.linear_recurrence_tangent(x, [x; 2], a))),
    ("linear_recurrence_second_tangent", |x, a| drop(x.linear_recurrence_second_tangent([x; 3], [x; 4], a))),
    ("linear_recurrence_slopes_tangent", |x, a| drop(x.linear_recurrence_slopes_tangent([x; 2], [x; 3], a))),
    ("cumsum", |x, a| drop(x.cumsum(a))),
    ("cumprod", |x, a| drop(x.cumprod(a))),
    ("sort", |x, a| drop(x.sort(a, false))),
    ("argsort", |x, a| drop(x.argsort(a, false))),
    ("topk", |x, a| drop(x.topk(0, a))),
    ("logcumsumexp", |x, a| drop(x.logcumsumexp(a))),
    ("running_extreme", |x, a| drop(x.running_extreme(a, true))),
    ("ranked", |x, a| drop(x.ranked(a, 1, &|_, ranks| ranks.fill(0)))),
    ("cumprod_gradient", |x, a| drop(x.cumprod_gradient(x, a))),
    ("prod_gradient", |x, a| drop(x.prod_gradient(&Tensor::ones([1, 3]), a))),
    ("order_statistic", |x, a| drop(x.order_statistic(OrderStatistic::Median, a))),
    ("f", |x, a| drop(x.fold("f", of_axes(a), false, Zero))),
    ("f", |x, a| drop(x.fold_rows("f", of_axes(a), false, Zero))),
    ("f", |x, a| drop(x.map_rows("f", a, Zero))),
    ("f", |x, a| drop(of_axes(a).mask("f", x.shape()))),
    ("f", |x, a| assert!(x.shape().axis("f", a) < 2)),
    ("flip", |x, a| drop(x.flip(of_axes(a)))),
    ("transpose", |x, a| drop(x.transpose(a, 0))),
    ("permute", |x, a| drop(x.permute([0, a.0]))),
    ("squeeze", |x, a| drop(x.squeeze(a))),
    ("slice", |x, a| drop(x.slice_axis(a, ..))),
    ("select", |x, a| drop(x.select(a, 0))),
    ("split", |x, a| drop(x.split(1, a))),
    ("chunk", |x, a| drop(x.chunk(1, a))),
    ("flatten", |x, a| drop(x.flatten(a, a))),
    ("cat", |x, a| drop(Tensor::cat(&[x, x], a))),
    ("repeat_interleave", |x, a| drop(x.repeat_interleave(1, a))),
    ("roll", |x, a| drop(x.roll(1, a))),
    ("index_select", |x, a| drop(x.index_select(a, &Tensor::vector(&[0])))),
    ("gather", |x, a| drop(x.gather(a, &Tensor::zeros([2, 3])))),
    ("scatter_add", |x, a| drop(x.scatter_add(a, &Tensor::zeros([2, 3]), x))),
    ("scatter_add", |x, a| x.clone().scatter_add_inplace(a, &Tensor::zeros([2, 3]), x)),
    ("index_add", |x, a| drop(x.index_add(a, &Tensor::vector(&[0; 2]), x))),
    ("index_add", |x, a| x.clone().index_add_inplace(a, &Tensor::vector(&[0; 2]), x)),
    ("slice_assign", |x, a| x.clone().slice_assign(a, .., x)),
    ("select_assign", |x, a| x.clone().select_assign(a, 0, &Tensor::scalar(0.0))),
];

#[test]
fn axes_that_do_not_exist() {
    let x = Tensor::<f64>::ones([2, 3]);
    let beyond = [usize::MAX, 1 << 63, usize::MAX - 1].map(Axis::from);
    assert!(beyond.iter().all(|&axis| axis == Axis(isize::MAX)));
    for axis in [isize::MIN, isize::MIN + 1, -(1 << 32), -3, 2, 3, 1 << 32, isize::MAX - 1, isize::MAX] {
        for &(operation, function) in FUNCTIONS {
            refused(operation, &[&axis, &"[2, 3]"], || function(&x, Axis(axis)));
        }
        // A new axis may also be the last.
        if !(-3..3).contains(&axis) {
            refused("unsqueeze", &[&axis], || x.unsqueeze(axis));
            refused("stack", &[&axis], || Tensor::stack(&[&x, &x], axis));
        }
    }
    for &(operation, function) in FUNCTIONS {
        // Those that do exist, to see that the functions work at all.
        if !["squeeze", "permute"].contains(&operation) {
            function(&x, Axis(-2));
        }
    }
    refused("squeeze", &[&"[2, 3]"], || x.squeeze(1));
    refused("permute", &[&"[2, 3]"], || x.permute([0]));
    refused("topk", &[&usize::MAX, &"[2, 3]"], || x.topk(usize::MAX, 1));
    refused("ranked", &[&usize::MAX], || x.ranked(1, usize::MAX, &|_, ranks| ranks.fill(0)));
    let last = OrderStatistic::Kth(usize::MAX);
    refused("order_statistic", &[&usize::MAX, &"[2, 3]"], || x.order_statistic(last, 1));
}

#[test]
fn reductions_of_huge_views() {
    let rows = 1 << 59;
    let empty = Tensor::<f64>::zeros([rows, 0]);
    assert_eq!(empty.sum().item(), 0.0);
    assert_eq!(empty.sum_axes(0, true).shape(), &[1, 0]);
    assert_eq!(empty.t().softmax(1).shape(), &[0, rows]);
    assert_eq!(empty.sum_to(&[1, 0].into()).shape(), &[1, 0]);
    let of_nothing = NormGeometry::last_axes(empty.shape(), &[0].into(), 0.1).unwrap();
    normalise::gain_gradient::<f64>(&of_nothing, &[], &[], &mut []);
    normalise::gradients::<f64>(&of_nothing, &[], &[], &[], &mut [], &mut []);
    // As many sums of nothing as no memory holds.
    let panic = caught(|| empty.sum_axes(1, false));
    assert!(panic.message.contains(&rows.to_string()), "{}", panic.message);
    let long = NormGeometry::last_axes(&[0, rows].into(), &[rows].into(), 0.1).unwrap();
    refused("normalise", &[&rows], || normalise::gain_gradient::<f64>(&long, &[], &[], &mut []));
    let wide = Tensor::<f64>::scalar(1.0).broadcast_to([1 << 48]);
    refused("argmax", &[&(1u64 << 48)], || wide.argmax(0));
    refused("argmin", &[&(1u64 << 48)], || wide.argmin(0));
    refused("argsort", &[&(1u64 << 48)], || wide.argsort(0, true));
    refused("topk", &[&(1u64 << 48)], || wide.topk(1, 0));
    refused("running_extreme", &[&(1u64 << 48)], || wide.running_extreme(0, true));
    refused("order_statistic", &[&(1u64 << 48)], || wide.order_statistic(OrderStatistic::Mode, 0));
    refused("ranked", &[&(1u64 << 48)], || wide.ranked(0, 1, &|_, ranks| ranks.fill(0)));
    refused("nonzero", &[&(1u64 << 48)], || wide.nonzero());
    refused("count_nonzero", &[&(1u64 << 48)], || wide.count_nonzero(.., false));
    refused("sum_to", &[&usize::MAX], || wide.sum_to(&[usize::MAX].into()));
}

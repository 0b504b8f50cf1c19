//! Sizes near the limits of `usize` and `isize`: the right value and derivative, or a panic that names the operation, the
//! sizes and the caller's line, whether nothing is recorded, or something, or put off.

use wengert_tape::{Pool2dOptions, Segments, Var, grad, hvp};
use wengert_tensor::conv::Conv2dOptions;
use wengert_tensor::{Slice, Tensor};

use crate::panics::caught;

type Function = fn(&Var<f64>) -> Var<f64>;

fn x() -> Var<f64> {
    Var::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
}

/// The image of x's elements.
fn image(x: &Var<f64>) -> Var<f64> {
    x.reshape([1, 1, 2, 3])
}

fn conv(x: &Var<f64>, options: Conv2dOptions) -> Var<f64> {
    image(x).conv2d(&Var::ones([1, 1, 2, 2]), None, options)
}

/// A pair of functions that are the same on x.
const SAME: &[[Function; 2]] = &[
    [|x| x.slice_axis(1, 0..usize::MAX), |x| x.slice_axis(1, ..)],
    [|x| x.slice_axis(1, 1..=isize::MAX), |x| x.slice_axis(1, 1..)],
    [|x| x.slice_axis(1, Slice::from(..).step(isize::MIN)), |x| x.slice_axis(1, 2..)],
    [|x| x.slice(usize::MAX..), |x| x.slice(..0)],
    [|x| x.roll(isize::MIN, 1), |x| x.roll(1, 1)],
    [|x| x.roll(isize::MAX, 1), |x| x.roll(1, 1)],
    [|x| x.tril(isize::MAX), |x| x * 1.0],
    [|x| x.tril(isize::MIN), |x| x * 0.0],
    [|x| x.triu(isize::MIN), |x| x * 1.0],
    [|x| x.triu(isize::MAX), |x| x * 0.0],
    [|x| x.diagonal(isize::MIN), |x| x.slice(..0).sum_axes(1, false)],
    [|x| x.split(usize::MAX, 1).remove(0), |x| x * 1.0],
    [|x| x.chunk(usize::MAX, 1).remove(2), |x| x.slice_axis(1, 2..)],
    [|x| x.windows(1, 2, usize::MAX), |x| x.slice_axis(1, ..2).unsqueeze(1)],
    [|x| x.diag_embed(0, 1, 2), |x| x.diag(0)],
    [
        |x| conv(x, Conv2dOptions { stride: [usize::MAX, 1 << 63], ..Default::default() }),
        |x| conv(x, Conv2dOptions { stride: [2, 3], ..Default::default() }),
    ],
    [
        |x| {
            let far = Conv2dOptions { padding: [1 << 40, 0], dilation: [1 << 41, 1], ..Default::default() };
            conv(x, far).sum() + x.sum()
        },
        |x| x.sum() * 1.0,
    ],
    [
        |x| image(x).max_pool2d(Pool2dOptions { stride: [usize::MAX; 2], ..Pool2dOptions::new([2, 2]) }),
        |x| image(x).max_pool2d(Pool2dOptions { stride: [2, 2], ..Pool2dOptions::new([2, 2]) }),
    ],
];

#[test]
fn values_and_derivatives() {
    for (i, [extreme, usual]) in SAME.iter().enumerate() {
        assert_eq!(extreme(&x()).value(), usual(&x()).value(), "function {i}");
        let [a, b] = [extreme, usual].map(|f| grad(|x: &Var<f64>| f(x).square().sum(), &x()));
        assert_eq!(a.value(), b.value(), "gradient of function {i}");
        let [a, b] = [extreme, usual].map(|f| hvp(|x: &Var<f64>| f(x).square().sum(), &x(), &x()));
        assert_eq!(a.value(), b.value(), "second derivative of function {i}");
    }
}

/// What is refused, and what the message has to name.
const REFUSED: &[(Function, &[&str])] = &[
    (|x| x.reshape([usize::MAX]), &["reshape", "18446744073709551615"]),
    (|x| x.reshape([isize::MIN, -1]), &["reshape", "-9223372036854775808"]),
    (|x| x.broadcast_to([1 << 30, 1 << 30, 2, 3]), &["broadcast_to", "[1073741824, 1073741824, 2, 3]"]),
    (|x| x.slice(..0).broadcast_to([usize::MAX, 0, 3]), &["broadcast_to", "18446744073709551615"]),
    (|x| x.pad(&[(usize::MAX - 1, 3), (0, 0)], 0.0), &["pad", "18446744073709551614 + 2 + 3"]),
    (|x| x.pad(&[(0, 1 << 62), (1 << 40, 0)], 1.0), &["pad", "4611686018427387904"]),
    (|x| x.tile(&[1 << 63, 2]), &["tile", "9223372036854775808", "[2, 3]"]),
    (|x| x.diag(isize::MAX), &["diag", "9223372036854775807", "[2, 3]"]),
    (|x| x.diag(isize::MIN), &["diag", "-9223372036854775808"]),
    (|x| x.diag(1 << 20), &["diag", "1099517919241"]),
    (|x| x.select(1, isize::MIN), &["select", "-9223372036854775808"]),
    (|x| x.sum_axes(isize::MAX, false), &["sum", "9223372036854775807", "[2, 3]"]),
    (|x| x.sum_axes(usize::MAX, false), &["sum", "[2, 3]"]),
    (|x| x.unsqueeze(isize::MIN), &["unsqueeze", "-9223372036854775808"]),
    (|x| x.flatten(0, isize::MAX), &["flatten", "9223372036854775807"]),
    (|x| x.topk(usize::MAX, 1).0, &["topk", "18446744073709551615"]),
    (|x| x.gather(1, Tensor::from([[u32::MAX], [0]])), &["gather", "4294967295"]),
    (|x| x.index_select(1, Tensor::vector(&[3])), &["index_select", "index 3"]),
    (|x| x.split(0, 1).remove(0), &["split"]),
    (|x| x.windows(1, usize::MAX, 1), &["windows", "18446744073709551615", "[2, 3]"]),
    (|x| x.repeat_interleave(usize::MAX, 0), &["repeat_interleave", "18446744073709551615"]),
    (|x| x.repeat_interleave(1 << 60, 0), &["repeat_interleave", "1152921504606846976"]),
    (|x| x.diag_embed(isize::MIN, 1, 2), &["diag", "-9223372036854775808"]),
    (|x| x.diag_embed(0, isize::MAX, 2), &["diag_embed", "9223372036854775807"]),
    (|x| x.movedim(&[isize::MIN], &[0]), &["movedim", "-9223372036854775808"]),
    (|x| x.tensordot(x, &[isize::MAX], &[0]), &["tensordot", "9223372036854775807"]),
    (|x| x.split_sizes(&[usize::MAX, 4], 1).remove(0), &["split_sizes", "18446744073709551615"]),
    (|x| x.kthvalue(usize::MAX, 1, false).0, &["kthvalue", "18446744073709551615"]),
    (|x| x.scatter(1, Tensor::from([[u32::MAX], [0]]), &Var::scalar(0.0)), &["scatter", "4294967295"]),
    (|x| x.take(Tensor::vector(&[6])), &["index 6"]),
    (|x| x.segment_sum(&Segments::ids(Tensor::vector(&[0, 1]), usize::MAX), 0), &["18446744073709551615"]),
    (|x| x * x.histc(usize::MAX, 0.0, 1.0), &["histc", "18446744073709551615"]),
    (
        |x| {
            let wide = x.sum().broadcast_to([1 << 31, 1]);
            wide.cdist(&wide, 2.0)
        },
        &["cdist", "[2147483648, 2147483648]"],
    ),
    (
        |x| {
            let wide = x.sum().broadcast_to([1 << 31]);
            Var::einsum("i,j", &[&wide, &wide])
        },
        &["mul", "[2147483648, 2147483648]"],
    ),
    (|x| x.masked_fill(Tensor::zeros([7]), 0.0), &["masked_fill", "[2, 3]", "[7]"]),
    (|x| Var::stack(&[x, &x.slice(1..)], 0), &["stack", "[1, 3]"]),
    (
        |x| {
            let wide = x.sum().broadcast_to([1 << 59, 1]);
            Var::cat(&[&wide, &wide], 0)
        },
        &["cat", "576460752303423488 + 576460752303423488"],
    ),
    (|x| x.matmul(&Var::ones([4, 2])), &["matmul", "[2, 3]", "[4, 2]"]),
    (
        |x| {
            let wide = x.sum().broadcast_to([1 << 41, 1]);
            wide.matmul(&wide.t())
        },
        &["matmul", "[2199023255552, 2199023255552]"],
    ),
    (
        |x| conv(x, Conv2dOptions { padding: [1 << 40; 2], ..Default::default() }),
        &["conv2d", "[1, 1, 2, 3]", "2199023255553"],
    ),
    (
        |x| conv(x, Conv2dOptions { padding: [1 << 63; 2], ..Default::default() }),
        &["conv2d", "9223372036854775808"],
    ),
    (
        |x| conv(x, Conv2dOptions { dilation: [usize::MAX; 2], ..Default::default() }),
        &["conv2d", "18446744073709551615"],
    ),
    (|x| image(x).max_pool2d(Pool2dOptions::new([usize::MAX; 2])), &["max_pool2d", "18446744073709551615"]),
    (
        |x| image(x).avg_pool2d(Pool2dOptions { padding: [1 << 63; 2], ..Pool2dOptions::new([2, 2]) }, true),
        &["avg_pool2d", "9223372036854775808"],
    ),
    (|x| x + Var::zeros([usize::MAX, 2]), &["zeros", "[18446744073709551615, 2]"]),
    (|x| x + Var::ones([1 << 32, 1 << 32]), &["ones", "[4294967296, 4294967296]"]),
];

#[test]
fn results_that_no_memory_holds() {
    let padded = |x: &Var<f64>| conv(x, Conv2dOptions { padding: [1 << 27; 2], ..Default::default() });
    for panic in [caught(|| padded(&x())), caught(|| grad(|x: &Var<f64>| padded(x).sum(), &x()))] {
        let message = "conv2d: shape [1, 1, 268435457, 268435458] takes 576460758745874448 bytes, more memory than the system has";
        assert_eq!(panic.message, message);
        assert!(panic.file.ends_with("extreme_sizes.rs"));
    }
}

#[test]
fn what_is_refused_and_how() {
    for (i, &(function, parts)) in REFUSED.iter().enumerate() {
        let ways: [&dyn Fn() -> Var<f64>; 3] =
            [&|| function(&x()), &|| grad(|x: &Var<f64>| function(x).sum(), &x()), &|| {
                hvp(|x: &Var<f64>| function(x).sum(), &x(), &x())
            }];
        for (way, work) in ways.iter().enumerate() {
            let panic = caught(work);
            for part in parts {
                assert!(
                    panic.message.contains(part),
                    "{i}, way {way}: {:?} does not name {part}",
                    panic.message
                );
            }
            assert!(
                panic.file.ends_with("extreme_sizes.rs"),
                "{i}, way {way}: {:?} at {}",
                panic.message,
                panic.file
            );
        }
    }
}

//! What comes from beyond a flat piece, or from a side that is not taken, does not matter: be it infinite or NaN.

use wengert_nn::{Activations, Dropout, Layer, Params};
use wengert_tape::{Elementwise, Pool2dOptions, Real, Var, grad, hvp, jvp, vjp};
use wengert_tensor::Tensor;

const INF: f64 = f64::INFINITY;

type Function = fn(&Var<f64>) -> Var<f64>;

/// |x| written by a user, with the property that it is piecewise linear.
#[derive(Clone)]
struct Distance;
impl Elementwise for Distance {
    const PIECEWISE_LINEAR: bool = true;
    fn f<A: Real>(&self, x: A) -> A {
        x.clone().select_positive(x.clone(), -x)
    }
    fn df<A: Real>(&self, x: A, _: A) -> A {
        x.select_zero(x.constant(0.0), x.sign())
    }
}

fn mask() -> Tensor<bool> {
    Tensor::from([true, false, false, true])
}

/// A function's name, the function, a point and two lists of positions.
type Flat = (&'static str, Function, [f64; 4], &'static [usize], &'static [usize]);

/// A function of four numbers, a point, which of its outputs are flat or not taken there, and which inputs.
#[rustfmt::skip]
const FLAT: &[Flat] = &[
    ("relu", |x| x.relu(), [-1.0, 2.0, 0.0, 3.0], &[0, 2], &[0, 2]),
    ("leaky_relu(0)", |x| x.leaky_relu(0.0), [-1.0, 2.0, 0.0, 3.0], &[0, 2], &[0, 2]),
    ("elu(0)", |x| x.elu(0.0), [-1.0, 2.0, 0.0, 3.0], &[0, 2], &[0, 2]),
    ("abs", |x| x.abs(), [0.0, 2.0, -0.0, -3.0], &[0, 2], &[0, 2]),
    ("a user's |x|", |x| x.apply(Distance), [0.0, 2.0, -0.0, -3.0], &[0, 2], &[0, 2]),
    ("sign", |x| x.sign(), [0.0, 2.0, -1.0, -3.0], &[0, 1, 2, 3], &[0, 1, 2, 3]),
    ("clamp", |x| x.clamp(-1.0, 1.0), [-2.0, 0.5, 3.0, -0.5], &[0, 2], &[0, 2]),
    ("powi(0)", |x| x.powi(0), [0.5, 2.0, 0.0, -0.5], &[0, 2], &[0, 1, 2, 3]),
    ("powf(0)", |x| x.powf(0.0), [0.5, 2.0, 0.0, 0.5], &[0, 2], &[0, 1, 2, 3]),
    ("std", |x| x.reshape([2, 2]).std_axes(1, 0, true), [1.0, 2.0, 0.5, 0.5], &[1], &[2, 3]),
    ("maximum", |x| x.maximum(&Var::scalar(1.0)), [0.5, 2.0, -3.0, 4.0], &[0, 2], &[0, 2]),
    ("minimum", |x| x.minimum(&Var::from([0.0, 9.0, 0.0, 9.0])), [0.5, 2.0, 3.0, 4.0], &[0, 2], &[0, 2]),
    ("max", |x| x.max(), [0.5, 2.0, -3.0, 1.0], &[], &[0, 2, 3]),
    ("max_axes", |x| x.reshape([2, 2]).max_axes(1, true), [0.5, 2.0, 3.0, 3.0], &[], &[0]),
    ("min_axes", |x| x.reshape([2, 2]).min_axes(1, false), [0.5, 2.0, 3.0, 4.0], &[], &[1, 3]),
    ("max_pool2d", |x| x.reshape([1, 1, 2, 2]).max_pool2d(Pool2dOptions::new([2, 2])), [1.0, 2.0, 4.0, 3.0], &[], &[0, 1, 3]),
    ("topk", |x| x.topk(2, 0).0, [1.0, 2.0, 4.0, 3.0], &[], &[0, 1]),
    ("sort and slice", |x| x.sort(0, true).slice(..2), [1.0, 2.0, 4.0, 3.0], &[], &[0, 1]),
    ("norm(0)", |x| x.reshape([2, 2]).norm_axes(0.0, 1, false), [1.0, 2.0, 0.0, 0.0], &[0, 1], &[0, 1, 2, 3]),
    ("norm(0.5)", |x| x.reshape([2, 2]).norm_axes(0.5, 1, false), [1.0, 2.0, 0.0, 0.0], &[1], &[2, 3]),
    ("norm(1)", |x| x.reshape([2, 2]).norm_axes(1.0, 1, false), [1.0, 2.0, 0.0, 0.0], &[1], &[2, 3]),
    ("norm(1.5)", |x| x.reshape([2, 2]).norm_axes(1.5, 1, false), [1.0, 2.0, 0.0, 0.0], &[1], &[2, 3]),
    ("norm(2)", |x| x.reshape([2, 2]).norm_axes(2.0, 1, true), [1.0, 2.0, 0.0, 0.0], &[1], &[2, 3]),
    ("norm(3)", |x| x.reshape([2, 2]).norm_axes(3.0, 1, true), [1.0, 2.0, 0.0, 0.0], &[1], &[2, 3]),
    ("norm(4)", |x| x.reshape([2, 2]).norm_axes(4.0, 1, true), [1.0, 2.0, 0.0, 0.0], &[1], &[2, 3]),
    ("norm(-1)", |x| x.reshape([2, 2]).norm_axes(-1.0, 1, true), [1.0, 2.0, 0.0, 3.0], &[1], &[2, 3]),
    ("norm(inf)", |x| x.reshape([2, 2]).norm_axes(INF, 1, true), [1.0, -2.0, 0.0, 0.0], &[1], &[0, 2, 3]),
    ("norm(-inf)", |x| x.reshape([2, 2]).norm_axes(-INF, 1, true), [1.0, -2.0, 0.0, 3.0], &[1], &[1, 2, 3]),
    ("select_where", |x| Var::select_where(mask(), x, &Var::scalar(5.0)), [1.0, 2.0, 3.0, 4.0], &[1, 2], &[1, 2]),
    ("masked_fill", |x| x.masked_fill(mask(), 5.0), [1.0, 2.0, 3.0, 4.0], &[0, 3], &[0, 3]),
    ("masked_scale", |x| x.masked_scale(&Tensor::from([0.0, 2.0, 0.0, 1.0])), [1.0, 2.0, 3.0, 4.0], &[0, 2], &[0, 2]),
    ("masked_select", |x| x.masked_select(mask()), [1.0, 2.0, 3.0, 4.0], &[], &[1, 2]),
    ("tril", |x| x.reshape([2, 2]).tril(0), [1.0, 2.0, 3.0, 4.0], &[1], &[1]),
    ("triu", |x| x.reshape([2, 2]).triu(0), [1.0, 2.0, 3.0, 4.0], &[2], &[2]),
    ("pad", |x| x.slice(1..3).pad(&[(1, 1)], 2.0), [1.0, 2.0, 3.0, 4.0], &[0, 3], &[0, 3]),
];

/// `bad` at some positions, other numbers elsewhere.
fn spoilt(length: usize, at: &[usize], bad: f64) -> Var<f64> {
    let one = |i: usize| if at.contains(&i) { bad } else { 1.0 + 0.25 * i as f64 };
    Var::constant(Tensor::vector(&(0..length).map(one).collect::<Vec<_>>()))
}

/// The same as without what is bad, and 0 where that would go.
#[track_caller]
fn same(what: &str, found: &Var<f64>, clean: &Var<f64>, zero: &[usize]) {
    let (found, clean) = (found.value().to_vec(), clean.value().to_vec());
    for (i, (f, c)) in found.iter().zip(&clean).enumerate() {
        let expected = if zero.contains(&i) { 0.0 } else { *c };
        // The modes round differently.
        let close = (f - expected).abs() <= 1e-14 * expected.abs();
        assert!(close, "{what}: {found:?} instead of {clean:?}, element {i}");
    }
}

#[test]
fn of_functions_with_flat_pieces() {
    for &(name, f, point, outputs, inputs) in FLAT {
        let flat = |x: &Var<f64>| f(x).reshape([-1]);
        let x = Var::from(point);
        let length = flat(&x).len();
        for bad in [INF, -INF, f64::NAN] {
            let what = |which: &str| format!("{name} with {bad}: {which}");
            let (weights, clean) = (spoilt(length, outputs, bad), spoilt(length, outputs, 1.0));
            let (along, even) = (spoilt(4, inputs, bad), spoilt(4, inputs, 1.0));

            let cotangent = vjp(flat, &x).1.apply(&weights);
            same(
                &what("vjp"),
                &cotangent,
                &vjp(flat, &x).1.apply(&clean),
                if outputs.is_empty() { &[] } else { inputs },
            );
            same(&what("jvp"), &jvp(flat, &x, &along).1, &jvp(flat, &x, &even).1, outputs);

            // Second order: what is bad comes from beyond, along the direction, or from both.
            let total = |w: &Var<f64>| {
                let w = w.clone();
                move |x: &Var<f64>| (flat(x) * &w).sum()
            };
            let curvature = hvp(total(&clean), &x, &even);
            same(&what("hvp"), &hvp(total(&weights), &x, &even), &curvature, &[]);
            same(&what("hvp along"), &hvp(total(&clean), &x, &along), &curvature, &[]);
            same(&what("hvp of both"), &hvp(total(&weights), &x, &along), &curvature, &[]);
            let gradient = |w: &Var<f64>, v: &Var<f64>| {
                let (w, v) = (w.clone(), v.clone());
                grad(move |x: &Var<f64>| (grad(total(&w), x) * &v).sum(), &x)
            };
            same(&what("gradient of the gradient"), &gradient(&weights, &even), &curvature, &[]);
            same(&what("gradient of the gradient along"), &gradient(&clean, &along), &curvature, &[]);
            let slope = |w: &Var<f64>, v: &Var<f64>| {
                let v = v.clone();
                let w = w.clone();
                grad(move |x: &Var<f64>| (jvp(flat, x, &v).1 * &w).sum(), &x)
            };
            same(&what("gradient of the slope"), &slope(&weights, &even), &curvature, &[]);
            same(&what("gradient of the slope along"), &slope(&clean, &along), &curvature, &[]);
        }
    }
}

/// Straight pieces of functions that are curved elsewhere have no curvature, whatever comes from beyond.
#[test]
fn of_curvature_on_straight_pieces() {
    use wengert_nn::{Huber, Reduction, SmoothL1};
    let functions: [(&str, Function, [f64; 4], &[usize]); 3] = [
        ("elu", |x| x.elu(1.5), [1.0, -1.0, 2.0, -0.5], &[0, 2]),
        (
            "huber",
            |x| Huber { reduction: Reduction::None, delta: 1.0 }.loss(x, &Var::zeros([4])),
            [3.0, 0.5, -2.0, -0.5],
            &[0, 2],
        ),
        (
            "smooth_l1",
            |x| SmoothL1 { reduction: Reduction::None, beta: 1.0 }.loss(x, &Var::zeros([4])),
            [3.0, 0.5, -2.0, -0.5],
            &[0, 2],
        ),
    ];
    for (name, f, point, straight) in functions {
        let x = Var::from(point);
        for bad in [INF, f64::NAN] {
            let (weights, even) = (spoilt(4, straight, bad), spoilt(4, &[], bad));
            let total = |w: &Var<f64>| {
                let w = w.clone();
                move |x: &Var<f64>| (f(x) * &w).sum()
            };
            let clean = hvp(total(&even), &x, &even);
            for (w, v) in [(&weights, &even), (&even, &weights), (&weights, &weights)] {
                same(name, &hvp(total(w), &x, v), &clean, straight);
                let (w, v) = (w.clone(), v.clone());
                let twice = grad(|x: &Var<f64>| (grad(total(&w), x) * &v).sum(), &x);
                same(name, &twice, &clean, straight);
            }
        }
    }
}

/// One dead unit, one clamped element, one dropped element, and a norm that is 0.
#[test]
fn of_programs() {
    let close = |found: Var<f64>, expected: &[f64]| {
        assert!(found.value().all_close(&Tensor::vector(expected), 1e-12, 0.0), "{found}");
    };
    let matrix = Var::from([[1.0, 2.0], [3.0, -4.0]]);
    let dead = |w: &Var<f64>| matrix.matmul(w).relu().sqrt().sum();
    close(grad(dead, &Var::from([1.0, 1.0])), &[1.0 / 12f64.sqrt(), 2.0 / 12f64.sqrt()]);
    let clamped = |x: &Var<f64>| x.clamp(0.0, 9.0).sqrt();
    close(grad(|x: &Var<f64>| clamped(x).sum(), &Var::from([-1.0, 4.0])), &[0.0, 0.25]);
    close(jvp(clamped, &Var::from([-1.0, 4.0]), &Var::from([1.0, 1.0])).1, &[0.0, 0.25]);
    close(
        hvp(|x: &Var<f64>| clamped(x).sum(), &Var::from([-1.0, 4.0]), &Var::ones([2])),
        &[0.0, -1.0 / 32.0],
    );
    // Curvature beside an element that is held at 0, by both ways.
    let padded = |x: &Var<f64>| x.pad(&[(1, 0)], 0.0).norm(1.5);
    let (x, v) = (Var::from([2.0, 3.0]), Var::from([1.0, -1.0]));
    let expected = hvp(|x: &Var<f64>| x.norm(1.5), &x, &v);
    assert!((expected.value().at([0]) - 0.190_585_236_8 * 5.0 / 3.0 * 0.6).abs() < 1e-9, "{expected}");
    close(hvp(padded, &x, &v), &expected.value().to_vec());
    close(grad(|x: &Var<f64>| (grad(padded, x) * &v).sum(), &x), &expected.value().to_vec());
    // The distance of equal points, under a root.
    let root = |x: &Var<f64>| (x * 5.0).norm(2.0).sqrt();
    close(grad(root, &Var::zeros([2])), &[0.0, 0.0]);
    close(hvp(root, &Var::zeros([2]), &Var::ones([2])), &[0.0, 0.0]);
    close(hvp(|x: &Var<f64>| (x * 5.0).norm(2.0), &Var::zeros([2]), &Var::ones([2])), &[0.0, 0.0]);

    let params: Params<f64> = Params::seeded(3);
    let x = Var::constant(Tensor::<f64>::linspace(1.0, 2.0, 64));
    let (_, gradient) = {
        let mut params = params;
        let weight = params.root().param("w", [64], wengert_nn::Init::Ones);
        params
            .value_and_grad(|cx| Dropout::new(0.5).forward(cx, &(cx.param(weight) * &x)).sqrt().sum())
            .unwrap()
    };
    let gradient = gradient.get("w").unwrap().to_vec();
    assert!(gradient.iter().all(|g| g.is_finite()), "{gradient:?}");
    assert!(gradient.contains(&0.0) && gradient.iter().any(|&g| g > 0.0));
}

/// Pairs that a loss does not count, with scores that are infinite there.
#[test]
fn of_losses() {
    use wengert_nn::{MultiLabelMargin, MultiMargin, Reduction};
    let scores = Var::from([[INF, 0.5, 2.0], [0.25, -INF, 0.5]]);
    let labels = Tensor::from([0u32, 2]);
    for p in [1, 2] {
        let loss = |x: &Var<f64>| {
            MultiMargin { reduction: Reduction::Sum, p, ..MultiMargin::default() }.loss(x, &labels)
        };
        // Only 1 − 0.5 + 0.25 counts, of three classes.
        let slope = if p == 1 { 1.0 } else { 1.5 };
        assert_eq!(loss(&scores).item(), slope * 0.75 / 3.0 / if p == 1 { 1.0 } else { 2.0 });
        let expected = Var::from([[0.0, 0.0, 0.0], [slope / 3.0, 0.0, -slope / 3.0]]);
        assert_eq!(grad(loss, &scores).value(), expected.value());
    }
    let right = Tensor::from([[true, false, false], [true, false, true]]);
    let loss = |x: &Var<f64>| MultiLabelMargin { reduction: Reduction::Sum }.loss(x, &right);
    let scores = Var::from([[INF, 0.5, 2.0], [-0.25, -1.0, INF]]);
    // Only 1 + 0.25 − 1 counts.
    assert_eq!(loss(&scores).item(), 0.25 / 3.0);
    let third = 1.0 / 3.0;
    assert_eq!(grad(loss, &scores).value(), Var::from([[0.0, 0.0, 0.0], [-third, third, 0.0]]).value());
}

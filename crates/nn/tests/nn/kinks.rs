//! The table of `docs/guide/kinks.md` against the library.

use wengert_nn::{Activations, Bce, Huber, L1, Reduction, SmoothL1};
use wengert_tape::{Pool2dOptions, Segments, Var, grad, hvp, jacobian_forward, jvp};
use wengert_tensor::Tensor;

type Function = fn(&Var<f64>) -> Var<f64>;

/// The functions of the table, by the text of their first column.
#[rustfmt::skip]
const FUNCTIONS: &[(&str, Function)] = &[
    ("`relu(x)`", |x| x.relu()),
    ("`leaky_relu(x, 0.1)`", |x| x.leaky_relu(0.1)),
    ("`elu(x, 2)`", |x| x.elu(2.0)),
    ("`selu(x)`", |x| x.selu()),
    ("`celu(x, 2)`", |x| x.celu(2.0)),
    ("`prelu(x, 0.1)`", |x| x.prelu(&Var::scalar(0.1))),
    ("`hardswish(x)`", |x| x.hardswish()),
    ("`hardsigmoid(x)`", |x| x.hardsigmoid()),
    ("`hardtanh(x, -1, 2)`", |x| x.hardtanh(-1.0, 2.0)),
    ("`relu6(x)`", |x| x.relu6()),
    ("`squared_relu(x)`", |x| x.squared_relu()),
    ("`hardshrink(x, 0.5)`", |x| x.hardshrink(0.5)),
    ("`softshrink(x, 0.5)`", |x| x.softshrink(0.5)),
    ("`threshold(x, 1, 7)`", |x| x.threshold(1.0, 7.0)),
    ("`softsign(x)`", |x| x.softsign()),
    ("`abs(x)`", |x| x.abs()),
    ("`sign(x)`", |x| x.sign()),
    ("`floor(x)`", |x| x.floor()),
    ("`ceil(x)`", |x| x.ceil()),
    ("`trunc(x)`", |x| x.trunc()),
    ("`round(x)`", |x| x.round()),
    ("`frac(x)`", |x| x.frac()),
    ("`clamp(x, -1, 2)`", |x| x.clamp(-1.0, 2.0)),
    ("`maximum(x, 1)`", |x| x.maximum(&Var::scalar(1.0))),
    ("`minimum(x, 1)`", |x| Var::scalar(1.0).minimum(x)),
    ("`fmax(x, 1)`", |x| x.fmax(&Var::scalar(1.0))),
    ("`clamp_to(x, 1, 2)`", |x| x.clamp_to(&Var::scalar(1.0), &Var::scalar(2.0))),
    ("`copysign(x, -1)`", |x| x.copysign(&Var::scalar(-1.0))),
    ("`heaviside(x, 0.5)`", |x| x.heaviside(&Var::scalar(0.5))),
    ("`floor_divide(x, 2)`", |x| x.floor_divide(&Var::scalar(2.0))),
    ("`remainder(x, 2)`", |x| x.remainder(&Var::scalar(2.0))),
    ("`hypot(x, 0)`", |x| x.hypot(&Var::scalar(0.0))),
    ("`atan2(x, 0)`", |x| x.atan2(&Var::scalar(0.0))),
    ("`max(x)`", |x| x.max()),
    ("`min(x)`", |x| x.min()),
    ("`max_pool2d(x)` of one window", |x| x.reshape([1, 1, 2, 2]).max_pool2d(Pool2dOptions::new([2, 2]))),
    ("`sort(x)`, the first element", |x| x.sort(0, false).slice(..1)),
    ("`topk(x, 1)`", |x| x.topk(1, 0).0),
    ("`median(x)`", |x| x.median(0, false).0),
    ("`kthvalue(1, x)`", |x| x.kthvalue(1, 0, false).0),
    ("`mode(x)`", |x| x.mode(0, false).0),
    ("`cummax(x)`, the last element", |x| x.cummax(0).0.slice(-1..)),
    ("`segment_max(x)` of one segment", |x| x.segment_max(&Segments::ids(Tensor::zeros([x.len()]), 1), 0)),
    ("`scatter(x)` to one position", |x| Var::zeros([1]).scatter(0, Tensor::zeros([x.len()]), x)),
    ("`cdist(x, 0)`", |x| x.unsqueeze(0).cdist(&zeros(&x.unsqueeze(0)), 2.0)),
    ("`normalize(x)`, the first element, ε = 0.5", |x| x.normalize(2.0, 0, 0.5).slice(..1)),
    ("`cosine_similarity(x, (3, 4))`, ε = 0.5", |x| x.cosine_similarity(&Var::from([3.0, 4.0]), 0, 0.5)),
    ("`std(x)`", |x| x.std_axes(.., 1, false)),
    ("`norm(x, 0)`", |x| x.norm(0.0)),
    ("`norm(x, 0.5)`", |x| x.norm(0.5)),
    ("`norm(x, 1)`", |x| x.norm(1.0)),
    ("`norm(x, 1.5)`", |x| x.norm(1.5)),
    ("`norm(x, 2)`", |x| x.norm(2.0)),
    ("`norm(x, 3)`", |x| x.norm(3.0)),
    ("`norm(x, 4)`", |x| x.norm(4.0)),
    ("`norm(x, inf)`", |x| x.norm(f64::INFINITY)),
    ("`norm(x, -1)`", |x| x.norm(-1.0)),
    ("`norm(x, -2)`", |x| x.norm(-2.0)),
    ("`norm(x, -inf)`", |x| x.norm(f64::NEG_INFINITY)),
    ("`l1(x, 0)`", |x| L1 { reduction: Reduction::Sum }.loss(x, &zeros(x))),
    ("`huber(x, 0)`, δ = 1", |x| Huber { reduction: Reduction::Sum, delta: 1.0 }.loss(x, &zeros(x))),
    ("`smooth_l1(x, 0)`, β = 0.5", |x| SmoothL1 { reduction: Reduction::Sum, beta: 0.5 }.loss(x, &zeros(x))),
    ("`smooth_l1(x, 0)`, β = 0", |x| SmoothL1 { reduction: Reduction::Sum, beta: 0.0 }.loss(x, &zeros(x))),
    ("`bce(x, 1)`", |x| Bce { reduction: Reduction::Sum }.loss(x, &Var::ones(x.shape()))),
    ("`bce(x, 0)`", |x| Bce { reduction: Reduction::Sum }.loss(x, &zeros(x))),
    ("`sqrt(x)`", |x| x.sqrt()),
    ("`powf(x, 0.5)`", |x| x.powf(0.5)),
    ("`powf(x, 1.5)`", |x| x.powf(1.5)),
    ("`rsqrt(x)`", |x| x.rsqrt()),
    ("`recip(x)`", |x| x.recip()),
    ("`ln(x)`", |x| x.ln()),
    ("`ln_1p(x)`", |x| x.ln_1p()),
    ("`log2(x)`", |x| x.log2()),
    ("`log10(x)`", |x| x.log10()),
    ("`entr(x)`", |x| x.entr()),
    ("`logit(x)`", |x| x.logit()),
    ("`acosh(x)`", |x| x.acosh()),
    ("`atanh(x)`", |x| x.atanh()),
    ("`erfinv(x)`", |x| x.erfinv()),
    ("`asin(x)`", |x| x.asin()),
    ("`acos(x)`", |x| x.acos()),
    ("`powi(x, -1)`", |x| x.powi(-1)),
];

fn zeros(x: &Var<f64>) -> Var<f64> {
    Var::zeros(x.shape())
}

struct Row {
    name: String,
    at: Vec<f64>,
    first: Vec<f64>,
    second: Vec<f64>,
}

/// The rows of all tables of the page that have these four columns.
fn rows() -> Vec<Row> {
    let page = include_str!("../../../../docs/guide/kinks.md");
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    let lines = page.lines().filter(|line| line.starts_with("| `")).map(cells);
    let numbers = |cell: &str| -> Vec<f64> {
        cell.split(", ").map(|n| n.parse().unwrap_or_else(|_| panic!("{n} is no number"))).collect()
    };
    lines
        .map(|cells| {
            let [name, at, first, second] = &cells[..] else { panic!("{cells:?} are not four cells") };
            Row { name: name.clone(), at: numbers(at), first: numbers(first), second: numbers(second) }
        })
        .collect()
}

#[track_caller]
fn close(what: &str, found: &Var<f64>, expected: &[f64]) {
    let found = found.value().to_vec();
    let one = |f: f64, e: f64| f == e || (f - e).abs() <= 1e-9 * e.abs().max(1e-3);
    let all = found.len() == expected.len() && found.iter().zip(expected).all(|(&f, &e)| one(f, e));
    assert!(all, "{what}: found {found:?}, the table says {expected:?}");
}

#[test]
fn the_table_is_true() {
    for Row { name, at, first, second } in rows() {
        let (_, f) =
            FUNCTIONS.iter().find(|(n, _)| *n == name).unwrap_or_else(|| panic!("{name} is unknown"));
        let f = |x: &Var<f64>| f(x).sum();
        // A zero of either sign.
        for zero in [0.0, -0.0] {
            let x: Vec<f64> = at.iter().map(|&x| if x == 0.0 { zero } else { x }).collect();
            let point = Var::constant(wengert_tensor::Tensor::vector(&x));
            let what = |mode: &str| format!("{name} at {x:?}, {mode}");
            // Where the derivative is infinite, a zero's sign is the side that it comes from.
            if zero.is_sign_negative() && first.iter().chain(&second).any(|d| d.is_infinite()) {
                continue;
            }
            close(&what("reverse"), &grad(f, &point), &first);
            close(&what("forward"), &jacobian_forward(f, &point), &first);
            let ones = Var::ones(point.shape());
            close(&what("forward over reverse"), &hvp(f, &point, &ones), &second);
            let along = |x: &Var<f64>| jvp(f, x, &ones).1.sum();
            close(&what("reverse over forward"), &grad(along, &point), &second);
            let gradient = |x: &Var<f64>| grad(f, x).sum();
            close(&what("reverse over reverse"), &grad(gradient, &point), &second);
            close(&what("forward over forward"), &jacobian_forward(along, &point), &second);
        }
    }
}

#[test]
fn the_table_is_whole() {
    let rows = rows();
    for (name, _) in FUNCTIONS {
        assert!(rows.iter().any(|row| row.name == *name), "{name} is not in the table");
    }
    assert!(rows.len() >= 46, "{} rows were read", rows.len());
}

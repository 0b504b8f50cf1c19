//! What a mask excludes is not read, and scores that are all large lose nothing.

use wengert_tape::{AttentionMask, AttentionOptions, Index, Var, grad, hvp, jvp};
use wengert_tensor::Tensor;
use wengert_tensor::random::Generator;

use super::normal;

/// Several tiles of each kind.
const QUERIES: usize = 70;
const KEYS: usize = 133;

/// Queries, keys and values, of which two heads share one.
fn operands(seed: u64) -> Vec<Var<f64>> {
    vec![
        normal([2, 2, QUERIES, 3], seed),
        normal([2, 1, KEYS, 3], seed + 1),
        normal([2, 1, KEYS, 2], seed + 2),
    ]
}

/// The rows of the batch's last member that `which` says, of all heads, filled with `x`.
fn with_rows(v: &Var<f64>, which: &dyn Fn(usize) -> bool, x: f64) -> Var<f64> {
    let rows = Tensor::from_fn(v.shape(), |i| i[0] == 1 && which(i[2]));
    Var::constant(v.value().clone()).masked_fill(rows, x)
}

type Loss<'a> = &'a dyn Fn(&Vec<Var<f64>>) -> Var<f64>;

/// The value and all derivatives to second order, in every mode.
fn derivatives(f: Loss, v: &Vec<Var<f64>>, along: &Vec<Var<f64>>) -> Vec<(&'static str, Vec<Var<f64>>)> {
    let loss = |v: &Vec<Var<f64>>| f(v).sin().sum();
    let of_gradient = |v: &Vec<Var<f64>>| {
        let parts = grad(loss, v).into_iter().map(|g| g.sin().sum());
        parts.reduce(|a, b| a + b).expect("there are three")
    };
    let tangent = |v: &Vec<Var<f64>>| jvp(f, v, along).1;
    vec![
        ("value", vec![f(v)]),
        ("gradient", grad(loss, v)),
        ("tangent", vec![tangent(v)]),
        ("Hessian product", hvp(loss, v, along)),
        ("gradient of the gradient", grad(of_gradient, v)),
        ("gradient of the tangent", grad(|v: &Vec<Var<f64>>| tangent(v).sin().sum(), v)),
        ("tangent of the tangent", vec![jvp(tangent, v, along).1]),
    ]
}

/// Compares what stands for excluded queries and keys, and for their tangents, with zeros there.
fn nothing_is_read(
    what: &str,
    options: &AttentionOptions<f64>,
    [queries, keys]: [&dyn Fn(usize) -> bool; 2],
) {
    let f = |v: &Vec<Var<f64>>| v[0].attention(&v[1], &v[2], options);
    let filled = |seed: u64, x: f64| -> Vec<Var<f64>> {
        let which = [queries, keys, keys];
        operands(seed).iter().zip(which).map(|(v, which)| with_rows(v, which, x)).collect()
    };
    let expected = derivatives(&f, &filled(1, 0.0), &filled(11, 0.0));
    for x in [f64::NAN, f64::NEG_INFINITY] {
        let found = derivatives(&f, &filled(1, x), &filled(11, x));
        for ((name, found), (_, expected)) in found.iter().zip(&expected) {
            for (operand, (found, expected)) in found.iter().zip(expected).enumerate() {
                assert!(expected.value().iter().all(f64::is_finite), "{what}: {name} of finite numbers");
                assert!(found.value() == expected.value(), "{what}: {name} {operand} where {x} is excluded");
            }
        }
    }
}

#[test]
fn what_a_mask_excludes_reaches_no_value_and_no_derivative() {
    let none: &dyn Fn(usize) -> bool = &|_| false;
    let masked = |mask: AttentionMask<f64>| AttentionOptions::masked(mask);
    nothing_is_read("causal", &masked(AttentionMask::causal_after(3)), [none, &|j| j > QUERIES + 2]);
    let lengths = || AttentionMask::lengths(Tensor::from([KEYS as u32, 20]));
    nothing_is_read("lengths", &masked(lengths()), [none, &|j| j >= 20]);
    nothing_is_read(
        "no length",
        &masked(AttentionMask::lengths(Tensor::from([5u32, 0]))),
        [&|_| true, &|_| true],
    );
    let even = Tensor::from_fn([2, 1, 1, KEYS], |i| i[0] == 0 || i[3] % 2 == 0);
    nothing_is_read("booleans", &masked(AttentionMask::takes_part(&even)), [none, &|j| j % 2 == 1]);
    let rows = Tensor::from_fn([QUERIES, 1], |i| i[0] == 3 || i[0] == 66);
    let rows = AttentionMask::masked_out(rows).and(lengths());
    nothing_is_read("queries", &masked(rows), [&|i| i == 3 || i == 66, &|j| j >= 20]);
    let bias =
        Tensor::from_fn([2, 1, 1, KEYS], |i| if i[0] == 1 && i[3] > 7 { f64::NEG_INFINITY } else { 0.5 });
    let bias = Var::constant(bias);
    nothing_is_read("−∞", &masked(AttentionMask::bias(&bias)), [none, &|j| j > 7]);
    let dropout = Some((0.3, Index::key(&Generator::seeded(3))));
    let options = AttentionOptions { dropout, ..masked(lengths().and(AttentionMask::causal_after(60))) };
    nothing_is_read("dropout", &options, [none, &|j| j >= 20]);
}

/// A key that some queries see reaches those, and no others.
#[test]
fn what_is_no_number_reaches_the_queries_that_see_it() {
    let at = 40;
    let options = AttentionOptions::masked(AttentionMask::causal());
    let f = |v: &Vec<Var<f64>>| v[0].attention(&v[1], &v[2], &options);
    let of_query = |v: &Vec<Var<f64>>| {
        let rest = [v[1].clone(), v[2].clone()];
        grad(|q: &Var<f64>| f(&vec![q.clone(), rest[0].clone(), rest[1].clone()]).sin().sum(), &v[0])
    };
    let (v, along) = (operands(1), operands(11));
    for operand in [1, 2] {
        let mut moved = v.clone();
        moved[operand] = with_rows(&v[operand], &|j| j == at, f64::NAN);
        let results = |v: &Vec<Var<f64>>| [f(v), of_query(v), jvp(f, v, &along).1];
        for (found, expected) in results(&moved).iter().zip(&results(&v)) {
            let before = |y: &Var<f64>| y.value().slice_axis(2, ..at as isize);
            assert_eq!(before(found), before(expected));
            let behind = found.value().select(0, 1).slice_axis(1, at as isize..);
            assert!(behind.iter().all(f64::is_nan));
        }
    }
    // A query that is no number reaches the keys that it sees.
    let mut moved = v.clone();
    moved[0] = with_rows(&v[0], &|i| i == at, f64::NAN);
    let gradient = grad(|v: &Vec<Var<f64>>| f(v).sin().sum(), &moved);
    for of_key in &gradient[1..] {
        let last = of_key.value().select(0, 1);
        assert!(last.slice_axis(1, ..at as isize + 1).iter().all(f64::is_nan));
        assert!(last.slice_axis(1, at as isize + 1..).iter().all(f64::is_finite));
    }
}

/// What is added to all scores changes nothing, however large, if it does not round them.
#[test]
fn scores_that_are_all_large_lose_nothing() {
    let rounded = |v: Var<f64>| (v * 8.0).round() / 8.0;
    let [v, along] = [1, 11].map(|seed| operands(seed).into_iter().map(rounded).collect::<Vec<_>>());
    let with = |bias: f64| {
        let bias = Var::scalar(bias);
        let f = |v: &Vec<Var<f64>>| {
            let mask = AttentionMask::bias(&bias).and(AttentionMask::causal_after(4));
            let options = AttentionOptions { scale: Some(1.0), ..AttentionOptions::masked(mask) };
            v[0].attention(&v[1], &v[2], &options)
        };
        derivatives(&f, &v, &along)
    };
    for ((name, found), (_, expected)) in with(f64::from(1 << 30)).iter().zip(&with(0.0)) {
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.value() == expected.value(), "{name}");
        }
    }
}

//! A key that has all the weight of a query: derivatives go by differences of its value from the query's own, which are 0, not
//! the rounding of products of large numbers.

use wengert_tape::{AttentionMask, AttentionOptions, Var, grad, hvp, jvp};

use super::{close, formula, normal, qkv};

/// Queries and keys of which one key has all the weight, with large values.
fn saturated() -> [Vec<Var<f64>>; 2] {
    let point = qkv(1, 2, 5, 4, 3);
    let along = qkv(1, 2, 5, 4, 3).into_iter().map(|v| v.flip(2)).collect();
    let [q, k, v] = [&point[0] * 3e3, &point[1] * 3e3, &point[2] * 1e9];
    [vec![q, k, v], along]
}

#[test]
fn derivatives_are_those_of_the_value_of_the_key_alone() {
    let options = AttentionOptions::default();
    let [point, along] = saturated();
    let cotangent = normal([1, 2, 5, 3], 7);
    let f = |v: &Vec<Var<f64>>| v[0].attention(&v[1], &v[2], &options);
    let loss = |v: &Vec<Var<f64>>| (f(v) * &cotangent).sum();
    let found = grad(loss, &point);
    for of in [0, 1] {
        assert_eq!(found[of].abs().max().item(), 0.0, "the gradient of operand {of}");
    }
    let weights = |v: &Vec<Var<f64>>| (v[0].matmul(&v[1].t()) / 3f64.sqrt()).softmax(-1);
    assert_eq!(found[2].value(), weights(&point).t().matmul(&cotangent).value());
    let tangent = jvp(f, &point, &along).1;
    assert_eq!(tangent.value(), weights(&point).matmul(&along[2]).value());
    let second = jvp(|v: &Vec<Var<f64>>| jvp(f, v, &along).1, &point, &along).1;
    assert_eq!(second.abs().max().item(), 0.0, "the tangent of the tangent");
    for (of, product) in hvp(loss, &point, &along).iter().enumerate() {
        assert_eq!(product.abs().max().item(), 0.0, "the Hessian product of operand {of}");
    }
}

/// Of the first query of a causal mask it is the only one.
#[test]
fn the_first_query_of_a_causal_mask_has_no_gradient() {
    let options = AttentionOptions::masked(AttentionMask::causal());
    let v = vec![normal([1, 1, 1, 3], 1), normal([1, 1, 4, 3], 2), normal([1, 1, 4, 3], 3) * 1e9];
    let loss = |v: &Vec<Var<f64>>| v[0].attention(&v[1], &v[2], &options).square().sum();
    let found = grad(loss, &v);
    assert_eq!(found[0].abs().max().item(), 0.0);
    assert_eq!(found[1].abs().max().item(), 0.0);
}

/// Weights near 1, where the others still count.
#[test]
fn nearly_saturated_queries_are_as_the_formula() {
    let options = AttentionOptions::default();
    for factor in [2.0, 4.0, 6.0] {
        let point = qkv(1, 2, 9, 7, 3).into_iter().map(|v| v * factor).collect::<Vec<_>>();
        let along = qkv(1, 2, 9, 7, 3).into_iter().map(|v| v.flip(2)).collect::<Vec<_>>();
        let nothing = Var::scalar(0.0);
        let f = |v: &Vec<Var<f64>>| v[0].attention(&v[1], &v[2], &options).sin().sum();
        let g = |v: &Vec<Var<f64>>| formula(v, &nothing).sin().sum();
        let pairs = |found: Vec<Var<f64>>, expected: Vec<Var<f64>>| {
            found.iter().zip(&expected).for_each(|(found, expected)| close(found, expected, 1e-12));
        };
        pairs(grad(f, &point), grad(g, &point));
        pairs(hvp(f, &point, &along), hvp(g, &point, &along));
        let twice = |f: &dyn Fn(&Vec<Var<f64>>) -> Var<f64>| {
            jvp(|v: &Vec<Var<f64>>| jvp(f, v, &along).1, &point, &along).1
        };
        close(&twice(&f), &twice(&g), 1e-11);
    }
}

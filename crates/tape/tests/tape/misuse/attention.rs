//! Misuse of attention and its masks.

use wengert_tape::{AttentionMask, AttentionOptions, Index, Var};
use wengert_tensor::Tensor;
use wengert_tensor::random::Generator;

use crate::panics::caught;

fn ones<const N: usize>(shape: [usize; N]) -> Var<f64> {
    Var::ones(shape)
}

#[test]
fn shapes_that_do_not_fit_together() {
    let o = AttentionOptions::default();
    let (v, q) = (ones([5]), ones([2, 4, 3, 5]));
    assert_panics!(v.attention(&v, &v, &o), "attention: queries [5], keys [5]", "at least two");
    let k = ones([4, 3, 5]);
    assert_panics!(q.attention(&k, &k, &o), "keys [4, 3, 5]", "same number of axes");
    let k = ones([1, 4, 3, 5]);
    assert_panics!(q.attention(&k, &k, &o), "keys [1, 4, 3, 5]", "not of one batch");
    assert_panics!(q.attention(&q, &ones([2, 4, 2, 5]), &o), "not as many keys as values");
    let k = ones([2, 4, 3, 4]);
    assert_panics!(q.attention(&k, &q, &o), "keys [2, 4, 3, 4] differ in their last axis");
    assert_panics!(q.attention_weights(&k, &o), "attention_weights: queries [2, 4, 3, 5] and keys");
    let k = ones([2, 3, 3, 5]);
    assert_panics!(q.attention(&k, &k, &o), "4 heads of queries cannot share 3 heads of keys");
}

#[test]
fn options_that_do_not_suit_the_operands() {
    let x = ones([2, 4, 3, 5]);
    let with = |mask: AttentionMask<f64>| AttentionOptions::masked(mask);
    let mask = with(AttentionMask::takes_part(Tensor::full([2, 3], true)));
    assert_panics!(x.attention(&x, &x, &mask), "attention: the mask of shape [2, 3]", "shape [2, 4, 3, 3]");
    let bias = with(AttentionMask::bias(&ones([3, 3, 3, 3])));
    assert_panics!(x.attention(&x, &x, &bias), "the bias of shape [3, 3, 3, 3]");
    let lengths = with(AttentionMask::lengths(Tensor::from([3u32])));
    assert_panics!(x.attention(&x, &x, &lengths), "lengths of shape [1] for a batch of shape [2]");
    let lengths = with(AttentionMask::lengths(Tensor::from([3u32, 4])));
    assert_panics!(x.attention(&x, &x, &lengths), "sequence 1 has length 4, and there are 3 keys");
    let key = Index::key(&Generator::seeded(0));
    let dropout = |p: f64, key: &Index<f64>| AttentionOptions {
        dropout: Some((p, key.clone())),
        ..AttentionOptions::default()
    };
    let more = dropout(1.5, &key);
    assert_panics!(x.attention(&x, &x, &more), "the probability 1.5 of dropout is not in [0, 1]");
    let short = Index::constant(Tensor::from([1u32]));
    assert_panics!(x.attention(&x, &x, &dropout(0.5, &short)), "attention: a key has six words");
    let scale = AttentionOptions { scale: Some(f64::NAN), ..AttentionOptions::default() };
    assert_panics!(x.attention(&x, &x, &scale), "attention: the scale is NaN");
}

#[test]
fn masks_that_do_not_go_together() {
    let mask = |shape: [usize; 2]| AttentionMask::<f64>::takes_part(Tensor::full(shape, true));
    assert_panics!(mask([2, 3]).and(mask([3, 2])), "and: shapes [2, 3] and [3, 2]");
    let bias = |shape: [usize; 2]| AttentionMask::bias(&ones(shape));
    assert_panics!(bias([2, 3]).and(bias([3, 2])), "[2, 3]", "[3, 2]");
    let lengths = || AttentionMask::<f64>::lengths(Tensor::from([1u32]));
    assert_panics!(lengths().and(lengths()), "and: both masks have lengths of the sequences");
    let scalar = Tensor::scalar(true);
    assert_panics!(AttentionMask::<f64>::padding(&scalar), "padding: the mask has no axis of keys");
    let matrix = mask([2, 3]);
    assert_panics!(matrix.with_more_keys([4, 4], 1), "with_more_keys: the mask of shape [2, 3]");
}

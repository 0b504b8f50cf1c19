//! What attention and transformers promise beside PyTorch's numbers: caches, shared heads, positions, and edges.

use wengert_nn::*;
use wengert_tape::{AttentionMask, Var};
use wengert_tensor::random::Generator;
use wengert_tensor::{Shape, Tensor};

fn normal(shape: impl Into<Shape>, seed: u64) -> Var<f64> {
    let mut tensor = Tensor::zeros(shape);
    Generator::seeded(seed).fill_normal(tensor.as_mut_slice(), 0.0, 1.0);
    Var::constant(tensor)
}

#[track_caller]
fn close(found: &Var<f64>, expected: &Var<f64>) {
    assert_eq!(found.shape(), expected.shape());
    let difference = if found.is_empty() { 0.0 } else { (found - expected).value().abs().max().item() };
    assert!(difference < 1e-13, "{difference:e}");
}

/// A sequence in parts of these lengths through a cache gives what the whole gives with a causal mask.
fn through_cache(builder: MultiheadAttentionBuilder, parts: &[usize]) {
    let mut params: Params<f64> = Params::seeded(1);
    let layer = builder.build(params.at("a"));
    let x = normal([2, parts.iter().sum(), 8], 3);
    params.infer(|cx| {
        let whole = layer.attend(cx, [&x, &x, &x], &AttentionMask::causal());
        let (mut cache, mut start) = (KeyValueCache::new(), 0);
        let mut outputs = Vec::new();
        for &length in parts {
            outputs.push(layer.decode(cx, &x.slice_axis(1, start..start + length), &mut cache));
            start += length;
            assert_eq!(cache.len(), start);
        }
        close(&Var::cat(&outputs, 1), &whole);
        // Back by some positions, as where a draft is rejected.
        cache.truncate(start - parts[parts.len() - 1]);
        let again = layer.decode(cx, &x.slice_axis(1, cache.len()..), &mut cache);
        close(&again, outputs.last().unwrap());
    });
}

#[test]
fn a_cache_gives_the_numbers_of_the_whole_sequence() {
    let plain = || MultiheadAttention::builder(8, 4);
    through_cache(plain(), &[1, 1, 1, 1, 1, 1, 1]);
    through_cache(plain(), &[4, 1, 3, 0, 2]);
    through_cache(plain().key_value_heads(2).rotary(RotaryPositions::new(2)), &[3, 1, 1, 5]);
    through_cache(plain().rotary(RotaryPositions::new(2).interleaved().base(100.0)), &[2, 2, 2]);
    through_cache(plain().bias_key_value().zero_attention().no_bias(), &[1, 4, 1]);
}

#[test]
fn a_stack_gives_the_numbers_of_the_whole_sequence() {
    let mut params: Params<f64> = Params::seeded(1);
    let options = TransformerBuilder::new(8, 2).feed_forward(12).norm_first().final_norm();
    let options = options.activation(FeedForward::SwiGlu).rotary(RotaryPositions::new(4)).no_bias();
    let stack = options.encoder(params.at("net"), 3);
    assert_eq!(params.shape(params.id("net.layers.0.linear1.weight").unwrap()), &[24, 8]);
    let x = normal([1, 70, 8], 3);
    params.infer(|cx| {
        let whole = stack.forward_masked(cx, &x, &AttentionMask::causal());
        let mut caches = stack.caches();
        let steps: Vec<Var<f64>> =
            (0..70isize).map(|t| stack.decode(cx, &x.slice_axis(1, t..t + 1), &mut caches)).collect();
        close(&Var::cat(&steps, 1), &whole);
    });
}

#[test]
fn a_clone_of_a_cache_goes_on_by_itself() {
    let mut params: Params<f64> = Params::seeded(1);
    let layer = MultiheadAttention::new(params.at("a"), 8, 4);
    let (start, a, b) = (normal([1, 3, 8], 1), normal([1, 1, 8], 2), normal([1, 1, 8], 3));
    params.infer(|cx| {
        let mut first = KeyValueCache::new();
        layer.decode(cx, &start, &mut first);
        let mut second = first.clone();
        let of_first = layer.decode(cx, &a, &mut first);
        layer.decode(cx, &b, &mut second);
        let whole = Var::cat(&[start.clone(), a.clone()], 1);
        let expected = layer.attend(cx, [&whole, &whole, &whole], &AttentionMask::causal());
        close(&of_first, &expected.slice_axis(1, 3..));
        assert!(second.len() == 4 && !second.is_empty());
    });
}

#[test]
fn shared_heads_are_heads_with_equal_keys_and_values() {
    let mut params: Params<f64> = Params::seeded(1);
    let shared = MultiheadAttention::builder(8, 4).key_value_heads(2).build(params.at("shared"));
    let each = MultiheadAttention::new(params.at("each"), 8, 4);
    // Rows of queries, then those of each head of keys twice, then those of values.
    let weight = params.tensor(params.id("shared.in_proj_weight").unwrap());
    let rows = |start: isize| {
        let head = |i: isize| weight.slice(start + 2 * i..start + 2 * i + 2);
        Tensor::cat(&[head(0), head(0), head(1), head(1)], 0)
    };
    let all = Tensor::cat(&[weight.slice(..8), rows(8), rows(12)], 0).to_vec();
    let out = params.get("shared.out_proj.weight").unwrap().to_vec();
    let id = params.id("each.in_proj_weight").unwrap();
    params.slice_mut(id).copy_from_slice(&all);
    let id = params.id("each.out_proj.weight").unwrap();
    params.slice_mut(id).copy_from_slice(&out);
    let x = normal([2, 5, 8], 3);
    params.infer(|cx| close(&shared.forward(cx, &x), &each.forward(cx, &x)));
}

#[test]
fn products_of_turned_queries_and_keys_depend_on_the_distance_alone() {
    for rotary in [RotaryPositions::new(4), RotaryPositions::new(4).interleaved().base(50.0)] {
        let (q, k) = (normal([1, 6], 1), normal([1, 6], 2));
        let product = |i: usize, j: usize| (rotary.rotate(&q, i) * rotary.rotate(&k, j)).sum().item();
        assert!((product(7, 3) - product(104, 100)).abs() < 1e-13);
        assert!((product(7, 3) - product(7, 4)).abs() > 1e-3);
        // Turned features keep their length, the others are what they were.
        let turned = rotary.rotate(&q, 9);
        assert!((turned.square().sum().item() - q.square().sum().item()).abs() < 1e-13);
        assert_eq!(turned.value().slice_axis(1, 4..).to_vec(), q.value().slice_axis(1, 4..).to_vec());
    }
}

#[test]
fn positions_go_on_where_they_stopped() {
    let mut params: Params<f64> = Params::seeded(0);
    let (sine, learned) = (SinusoidalPositions::new(5), LearnedPositions::new(params.at("p"), 9, 5));
    let x = normal([2, 7, 5], 4);
    let parts = [x.slice_axis(1, ..3), x.slice_axis(1, 3..)];
    params.infer(|cx| {
        let joined = |parts: [Var<f64>; 2]| Var::cat(&parts, 1);
        close(
            &joined([sine.forward_from(&parts[0], 0), sine.forward_from(&parts[1], 3)]),
            &sine.forward(cx, &x),
        );
        let of_parts = [learned.forward_from(cx, &parts[0], 0), learned.forward_from(cx, &parts[1], 3)];
        close(&joined(of_parts), &learned.forward(cx, &x));
    });
    let table: Tensor<f64> = sine.table(0, 4);
    assert!((table.at([3, 4]) - (3.0 * 10_000f64.powf(-0.8)).sin()).abs() < 1e-15);
}

#[test]
fn padding_does_not_matter_and_nothing_but_padding_gives_zeros_and_biases() {
    let mut params: Params<f64> = Params::seeded(0);
    let layer = MultiheadAttention::new(params.at("a"), 4, 2);
    let (x, other) = (normal([2, 5, 4], 1), normal([2, 5, 4], 2));
    let mixed = Var::cat(&[x.slice_axis(1, ..3), other.slice_axis(1, 3..)], 1);
    let mask = AttentionMask::lengths(Tensor::from([3u32, 0]));
    params.infer(|cx| {
        let of = |memory: &Var<f64>| layer.attend(cx, [&x, memory, memory], &mask);
        close(&of(&x).select(0, 0), &of(&mixed).select(0, 0));
        // The last projection's bias is 0 at the start.
        close(&of(&x).select(0, 1), &Var::zeros([5, 4]));
    });
}

#[test]
fn no_batch_no_length_and_one_of_each() {
    let mut params: Params<f64> = Params::seeded(0);
    let layer = TransformerBuilder::new(4, 2).feed_forward(3).encoder_layer(params.at("layer"));
    params.infer(|cx| {
        for shape in [[0, 3, 4], [2, 0, 4], [1, 1, 4]] {
            assert_eq!(layer.forward(cx, &Var::ones(shape)).shape(), &shape);
        }
        assert_eq!(layer.forward(cx, &Var::ones([3, 4])).shape(), &[3, 4]);
    });
    let (_, grads) = params.value_and_grad(|cx| layer.forward(cx, &Var::ones([0, 3, 4])).sum()).unwrap();
    assert!(grads.iter().all(|&g| g == 0.0));
}

#[test]
fn dropout_is_of_training_and_of_the_step() {
    let mut params: Params<f64> = Params::seeded(0);
    let layer = MultiheadAttention::builder(4, 2).dropout(0.5).build(params.at("a"));
    let x = normal([1, 6, 4], 1);
    let [a, b] = [0, 0].map(|_| params.infer(|cx| layer.forward(cx, &x)));
    assert_eq!(a.value(), b.value());
    let [a, b] = [0, 1].map(|step| {
        params.set_step(step);
        params.infer_in(Mode::Train, |cx| layer.forward(cx, &x))
    });
    assert_ne!(a.value(), b.value());
    params.set_step(0);
    assert_eq!(params.infer_in(Mode::Train, |cx| layer.forward(cx, &x)).value(), a.value());
}

/// PyTorch's: Xavier's uniform scheme for the stacked matrix, zeros for the biases, 1/√width for the last projection.
#[test]
fn parameters_start_as_pytorch_starts_them() {
    let mut params: Params<f64> = Params::seeded(0);
    MultiheadAttention::builder(64, 4).bias_key_value().build(params.at("a"));
    MultiheadAttention::builder(64, 4).key_features(32).build(params.at("b"));
    TransformerBuilder::new(64, 4).feed_forward(192).transformer(params.at("t"), [1, 1]);
    TransformerBuilder::new(64, 4).feed_forward(192).encoder_layer(params.at("e"));
    let bound = |name: &str, expected: f64| {
        let values = params.get(name).unwrap();
        let largest = values.iter().fold(0f64, |m, x| m.max(x.abs()));
        assert!(largest <= expected && largest > 0.99 * expected, "{name}: {largest} for {expected}");
        let mean_square = values.iter().map(|x| x * x).sum::<f64>() / values.len() as f64;
        assert!((mean_square * 3.0 / (expected * expected) - 1.0).abs() < 0.1, "{name}");
    };
    let xavier = |rows: f64, columns: f64| (6.0 / (rows + columns)).sqrt();
    bound("a.in_proj_weight", xavier(192.0, 64.0));
    bound("a.out_proj.weight", 1.0 / 8.0);
    bound("b.k_proj_weight", xavier(64.0, 32.0));
    bound("t.encoder.layers.0.linear1.weight", xavier(192.0, 64.0));
    bound("t.decoder.layers.0.multihead_attn.out_proj.weight", xavier(64.0, 64.0));
    bound("e.linear1.weight", 1.0 / 8.0);
    bound("e.linear2.weight", 1.0 / 192f64.sqrt());
    for name in ["a.in_proj_bias", "a.out_proj.bias", "b.in_proj_bias"] {
        assert!(params.get(name).unwrap().iter().all(|&x| x == 0.0));
    }
    let of_pair = params.get("a.bias_k").unwrap();
    let deviation = (of_pair.iter().map(|x| x * x).sum::<f64>() / of_pair.len() as f64).sqrt();
    // Xavier's normal scheme for [1, 1, 64]: fan in 64, fan out 64.
    assert!((deviation - 0.125).abs() < 0.04, "{deviation}");
}

#[test]
fn alibi_prefers_what_is_near() {
    let x = Var::<f64>::zeros([1, 3, 5, 2]);
    let options = wengert_tape::AttentionOptions::masked(alibi(3, 5));
    let weights = x.attention_weights(&x, &options);
    // No power of two: the slopes of two heads, 1/16 and 1/256, then the first of four, 1/4.
    for (head, slope) in [(0, 0.0625), (1, 0.00390625), (2, 0.25)] {
        let row = weights.value().select(0, 0).select(0, head).select(0, 3).to_vec();
        assert_eq!(row[4], 0.0);
        assert!(((row[2] / row[3]).ln() + slope).abs() < 1e-13);
        assert!(((row[0] / row[3]).ln() + 3.0 * slope).abs() < 1e-13);
    }
}

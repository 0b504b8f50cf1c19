//! Misuse of attention, positions and the layers of transformers.

use wengert_nn::*;
use wengert_tape::{AttentionMask, Var, grad};
use wengert_tensor::Tensor;

use crate::says;

fn zeros<const N: usize>(shape: [usize; N]) -> Var {
    Var::zeros(shape)
}

#[test]
fn sizes_of_layers() {
    let params: &mut Params = &mut Params::seeded(0);
    says("MultiheadAttention: a width of 6 is not to be divided among 4 heads", || {
        MultiheadAttention::new(params.at("a"), 6, 4);
    });
    says("MultiheadAttention: a width of 6 is not to be divided among 0 heads", || {
        MultiheadAttention::new(params.at("a"), 6, 0);
    });
    says("MultiheadAttention: 4 heads of queries cannot share 3 heads of keys and values", || {
        MultiheadAttention::builder(8, 4).key_value_heads(3).build(params.at("a"));
    });
    let text = "MultiheadAttention: a width of 6 is not to be divided among 4 heads";
    says(text, || drop(TransformerEncoderLayer::new(params.at("a"), 6, 4)));
    says(text, || drop(TransformerDecoderLayer::new(params.at("a"), 6, 4)));
    says(text, || drop(Transformer::new(params.at("a"), 6, 4, [1, 1])));
    let options = TransformerBuilder::new(6, 4);
    says(text, || drop(options.encoder_layer(params.at("b"))));
    says(text, || drop(options.decoder_layer(params.at("b"))));
    says(text, || drop(options.encoder(params.at("c"), 1)));
    says(text, || drop(options.decoder(params.at("c"), 1)));
    says(text, || drop(options.transformer(params.at("c"), [1, 0])));
    says("dropout: the probability -0.5 is not in [0, 1]", || drop(options.clone().dropout(-0.5)));
    says("dropout: the probability 2 is not in [0, 1]", || {
        drop(MultiheadAttention::builder(8, 4).dropout(2.0));
    });
}

#[test]
fn inputs_of_attention() {
    let mut params: Params = Params::seeded(0);
    let layer = MultiheadAttention::builder(8, 2).key_features(6).build(params.at("a"));
    let own = MultiheadAttention::new(params.at("b"), 8, 2);
    params.infer(|cx| {
        let x = zeros([2, 3, 8]);
        let none = AttentionMask::none();
        says("MultiheadAttention: keys are made of an input of shape [2, 3, 8], not of [batch, length, 6] or [length, 6]", || {
            drop(layer.attend(cx, [&x, &x, &x], &none));
        });
        says("MultiheadAttention: queries are made of an input of shape [8], not of [batch, length, 8] or [length, 8]", || {
            drop(own.forward(cx, &zeros([8])));
        });
        let text = "attention: queries [2, 2, 3, 4], keys [1, 2, 4, 4] and values [1, 2, 4, 4] are not of one batch, or not as many keys as values";
        let one = zeros([1, 4, 8]);
        says(text, || drop(own.attend(cx, [&x, &one, &one], &none)));
        let mask = AttentionMask::takes_part(Tensor::full([3, 4], true));
        let text = "attention_weights: queries [2, 2, 3, 4], keys [1, 2, 4, 4] and values [1, 2, 4, 4] are not of one batch, or not as many keys as values";
        says(text, || drop(own.attend_with_weights(cx, [&x, &one, &one], &none, true)));
        says("attention: the mask of shape [3, 4] does not broadcast to the scores' shape [2, 2, 3, 3]", || {
            drop(own.attend(cx, [&x, &x, &x], &mask));
        });
        let mut cache = KeyValueCache::new();
        drop(own.decode(cx, &x, &mut cache));
        says("decode: the cache is of batch, heads and width [2, 2, 4], and what is appended of [1, 2, 4]", || {
            drop(own.decode(cx, &one, &mut cache));
        });
    });
    let text = "decode: the cache is for inference, and something is to be differentiated with respect to what goes in";
    grad(
        |x: &Var| {
            says(text, || {
                params.infer(|cx| drop(own.decode(cx, x, &mut KeyValueCache::new())));
            });
            x.sum()
        },
        &zeros([1, 1, 8]),
    );
}

#[test]
fn inputs_of_transformers() {
    let mut params: Params = Params::seeded(0);
    let options = TransformerBuilder::new(8, 2).feed_forward(4).dropout(0.0);
    let encoder = options.encoder(params.at("e"), 1);
    let decoder = options.decoder(params.at("d"), 1);
    let model = options.transformer(params.at("m"), [1, 1]);
    let none = AttentionMask::none();
    params.infer(|cx| {
        let (x, wrong) = (zeros([2, 3, 8]), zeros([2, 3, 7]));
        let text = "decode: 0 caches for 1 layers";
        says(text, || drop(encoder.decode(cx, &x, &mut [])));
        let wrong_input = |part: &str| {
            format!("MultiheadAttention: {part} are made of an input of shape [2, 3, 7], not of [batch, length, 8] or [length, 8]")
        };
        // The lines are the layers' own where one calls the other in a closure.
        for (text, caught) in [
            (wrong_input("queries"), crate::panics::caught(|| encoder.forward(cx, &wrong))),
            (wrong_input("queries"), crate::panics::caught(|| encoder.forward_masked(cx, &wrong, &none))),
            (wrong_input("keys"), crate::panics::caught(|| decoder.forward_with(cx, &x, &wrong, [&none, &none]))),
            (
                wrong_input("queries"),
                crate::panics::caught(|| model.forward_with(cx, &wrong, &x, [&none, &none, &none])),
            ),
        ] {
            assert_eq!(caught.message, text);
        }
    });
}

#[test]
fn positions() {
    let mut params: Params = Params::seeded(0);
    says("SinusoidalPositions: the base 0 is not positive and finite", || {
        let _ = SinusoidalPositions::new(4).base(0.0);
    });
    says("RotaryPositions: the base inf is not positive and finite", || {
        let _ = RotaryPositions::new(4).base(f64::INFINITY);
    });
    says("RotaryPositions: the width 3 is odd", || {
        let _ = RotaryPositions::new(3);
    });
    says("rotate: 2 features, of which 4 are to be turned", || {
        drop(RotaryPositions::new(4).rotate(&zeros([3, 2]), 0));
    });
    says("rotate: shape [3] has no axes of positions and of features", || {
        drop(RotaryPositions::new(2).rotate(&zeros([3]), 0));
    });
    let text =
        "SinusoidalPositions: the input has shape [2, 3], which does not end with positions of 4 features";
    says(text, || drop(SinusoidalPositions::new(4).forward_from(&zeros([2, 3]), 0)));
    let learned = LearnedPositions::new(params.at("p"), 5, 4);
    says("param: there is already a parameter or buffer named `p.weight`", || {
        LearnedPositions::with_init(params.at("p"), 5, 4, Init::Zeros);
    });
    params.infer(|cx| {
        says("LearnedPositions: 5 positions have vectors, and 6 are needed", || {
            drop(learned.forward_from(cx, &zeros([3, 4]), 3));
        });
        says(
            "LearnedPositions: the input has shape [4], which does not end with positions of 4 features",
            || {
                drop(learned.forward(cx, &zeros([4])));
            },
        );
    });
}

#[test]
fn sampling() {
    let with = Sampling::new;
    says("temperature: -1 is negative or not finite", || {
        let _ = with().temperature(-1.0);
    });
    says("top_k: none of the tokens would be left", || {
        let _ = with().top_k(0);
    });
    says("top_p: the probability 0 is not in (0, 1]", || {
        let _ = with().top_p(0.0);
    });
    says("sample: one of 2 scores is NaN", || {
        with().probabilities(&[1.0, f64::NAN]);
    });
    says("sample: of 0 tokens none has a score above −∞", || {
        with().sample(&[0.0f32; 0], &mut wengert_tensor::random::Generator::seeded(0));
    });
}

//! Networks of kinds that people build, each in both precisions and at sizes of the batch at which it was not recorded.

use wengert_nn::{
    Activations, BatchNorm1d, BatchNorm2d, Conv1d, Conv2d, ConvTranspose2d, Ctx, Embedding, GroupNorm,
    Hardsigmoid, Hardswish, Init, InstanceNorm2d, Layer, LayerNorm, Linear, Lstm, MaxPool2d,
    MultiheadAttention, ParamId, Params, PixelShuffle, Prelu, RmsNorm, RotaryPositions, SpectralNorm,
    TransformerEncoderLayer, WeightNorm,
};
use wengert_onnx::{Export, Inputs};
use wengert_tape::{AttentionMask, Data, Pool2dOptions, Var};
use wengert_tensor::random::Generator;
use wengert_tensor::{Float, Tensor};

use crate::models::{float, index, normal, write};

/// Exports a network of one floating-point input and has it compared.
pub(crate) fn check<T: Float>(
    name: &str,
    params: &Params<T>,
    example: &'static [usize],
    forward: impl Fn(&Ctx<T>, &Var<T>) -> Vec<Var<T>>,
) {
    let shape: Vec<usize> = [&[1], example].concat();
    for opset in [17, 21] {
        let export = Export::new().input("x", Tensor::ones(&shape[..])).batch("batch").opset(opset);
        let model = export.model(params, |cx, i: &Inputs<T>| forward(cx, i.float(0)));
        let model = model.unwrap_or_else(|error| panic!("{name}: {error}"));
        let precision = if size_of::<T>() == 4 { "single" } else { "double" };
        let run = |cx: &Ctx<T>, x: &[Data<T>]| forward(cx, &float(&x[0]));
        write(&format!("zoo_{name}_{opset}_{precision}"), &model, params, normal(example), &run);
    }
}

/// A test of each network in both precisions.
macro_rules! networks {
    ($($name:ident)*) => {$(
        #[test]
        fn $name() {
            let single: Params<f32> = Params::seeded(1);
            let double: Params<f64> = Params::seeded(1);
            networks::$name(single);
            networks::$name(double);
        }
    )*};
}
networks! {
    mobile_net u_net inception dense_net vision_transformer shifted_windows llama conformer dilated_convolutions
    parametrized generator bidirectional conv_next point_net
}

mod networks {
    use super::*;

    pub(super) fn mobile_net<T: Float>(mut p: Params<T>) {
        let expand = Conv2d::builder(3, 8, 1).no_bias().build(p.at("expand"));
        let depth = Conv2d::builder(8, 8, 5).stride(2).padding(2).groups(8).no_bias().build(p.at("depth"));
        let norms = [BatchNorm2d::new(p.at("bn1"), 8), BatchNorm2d::builder(8).eps(1e-3).build(p.at("bn2"))];
        let (reduce, grow) = (Conv2d::new(p.at("se.fc1"), 8, 2, 1), Conv2d::new(p.at("se.fc2"), 2, 8, 1));
        let head = Linear::new(p.at("head"), 8, 4);
        check("mobile_net", &p, &[3, 9, 9], |cx, x| {
            let h = Hardswish.forward(cx, &norms[0].forward(cx, &expand.forward(cx, x)));
            let h = Hardswish.forward(cx, &norms[1].forward(cx, &depth.forward(cx, &h)));
            let s = h.adaptive_avg_pool([1, 1]);
            let s = grow.forward(cx, &reduce.forward(cx, &s).relu());
            let h = h * Hardsigmoid.forward(cx, &s);
            vec![head.forward(cx, &h.mean_axes([2, 3], false))]
        });
    }

    pub(super) fn u_net<T: Float>(mut p: Params<T>) {
        let down = Conv2d::builder(2, 4, 3).padding(1).build(p.at("down"));
        let middle = Conv2d::builder(4, 6, 3).padding(1).build(p.at("middle"));
        let up = ConvTranspose2d::builder(6, 4, 2).stride(2).build(p.at("up"));
        let out = Conv2d::new(p.at("out"), 8, 1, 1);
        let pool = MaxPool2d::new(2);
        check("u_net", &p, &[2, 8, 6], |cx, x| {
            let a = down.forward(cx, x).relu();
            let b = up.forward(cx, &middle.forward(cx, &pool.forward(cx, &a)).relu());
            vec![out.forward(cx, &Var::cat(&[b, a], 1)).sigmoid()]
        });
    }

    pub(super) fn inception<T: Float>(mut p: Params<T>) {
        let one = Conv2d::new(p.at("one"), 3, 2, 1);
        let wide = Conv2d::builder(3, 2, [1, 7]).padding([0, 3]).build(p.at("wide"));
        let tall = Conv2d::builder(2, 3, [7, 1]).padding([3, 0]).build(p.at("tall"));
        check("inception", &p, &[3, 9, 9], |cx, x| {
            let mut options = Pool2dOptions::new([3, 3]);
            (options.stride, options.padding) = ([1, 1], [1, 1]);
            let pooled = x.avg_pool2d(options, false);
            let parts = [one.forward(cx, x), tall.forward(cx, &wide.forward(cx, x)), pooled];
            let mut options = Pool2dOptions::new([3, 3]);
            (options.stride, options.ceil_mode) = ([2, 2], true);
            vec![Var::cat(&parts, 1).max_pool2d(options)]
        });
    }

    pub(super) fn dense_net<T: Float>(mut p: Params<T>) {
        let layers: Vec<(BatchNorm2d, Conv2d)> = (0..3)
            .map(|i| {
                let norm = BatchNorm2d::new(p.at(format!("layers.{i}.norm")), 3 + 2 * i);
                (norm, Conv2d::builder(3 + 2 * i, 2, 3).padding(1).build(p.at(format!("layers.{i}.conv"))))
            })
            .collect();
        check("dense_net", &p, &[3, 6, 6], |cx, x| {
            let grown = layers.iter().fold(x.clone(), |x, (norm, conv)| {
                let y = conv.forward(cx, &norm.forward(cx, &x).relu());
                Var::cat(&[x, y], 1)
            });
            vec![grown]
        });
    }

    pub(super) fn vision_transformer<T: Float>(mut p: Params<T>) {
        let patch = Conv2d::builder(3, 8, 4).stride(4).build(p.at("patch"));
        let class: ParamId = p.root().param("cls", [1, 1, 8], Init::Zeros);
        let places: ParamId = p.root().param("pos", [1, 5, 8], Init::xavier_normal());
        let blocks: Vec<TransformerEncoderLayer> =
            (0..2).map(|i| TransformerEncoderLayer::new(p.at(format!("blocks.{i}")), 8, 2)).collect();
        let head = Linear::new(p.at("head"), 8, 3);
        check("vision_transformer", &p, &[3, 8, 8], |cx, x| {
            let n = x.shape()[0];
            let h = patch.forward(cx, x).flatten(2, 3).transpose(1, 2);
            let h = Var::cat(&[cx.param(class).broadcast_to([n, 1, 8]), h], 1) + cx.param(places);
            let h = blocks.iter().fold(h, |h, block| block.forward(cx, &h));
            vec![head.forward(cx, &h.select(1, 0))]
        });
    }

    pub(super) fn shifted_windows<T: Float>(mut p: Params<T>) {
        let norm = LayerNorm::new(p.at("norm"), 6);
        let (qkv, out) = (Linear::new(p.at("qkv"), 6, 18), Linear::new(p.at("proj"), 6, 6));
        let table: ParamId = p.root().param("table", [9, 2], Init::xavier_normal());
        let relative = Tensor::from_fn([16], |at| {
            let (q, k) = (at[0] / 4, at[0] % 4);
            ((q / 2 + 1 - k / 2) * 3 + (q % 2 + 1 - k % 2)) as u32
        });
        check("shifted_windows", &p, &[4, 4, 6], |cx, x| {
            let n = x.shape()[0];
            let h = norm.forward(cx, x).roll(-1, 1).roll(-1, 2);
            let h = h.reshape([n, 2, 2, 2, 2, 6]).permute([0, 1, 3, 2, 4, 5]).reshape([n * 4, 4, 6]);
            let h = qkv.forward(cx, &h).reshape([n * 4, 4, 3, 2, 3]).permute([2, 0, 3, 1, 4]);
            let [q, k, v] = [0, 1, 2].map(|i| h.select(0, i));
            let bias = cx.param(table).index_select(0, &relative).reshape([4, 4, 2]).permute([2, 0, 1]);
            let scores = (q * 3f64.powf(-0.5)).matmul(&k.transpose(-2, -1)) + bias;
            let h = scores.softmax(-1).matmul(&v).transpose(1, 2).reshape([n * 4, 4, 6]);
            let h = out.forward(cx, &h).reshape([n, 2, 2, 2, 2, 6]).permute([0, 1, 3, 2, 4, 5]);
            vec![x + h.reshape([n, 4, 4, 6]).roll(1, 1).roll(1, 2)]
        });
    }

    pub(super) fn llama<T: Float>(mut p: Params<T>) {
        let rotary = RotaryPositions::new(4);
        let builder = MultiheadAttention::builder(16, 4).key_value_heads(2).no_bias().rotary(rotary);
        let attention = builder.build(p.at("attention"));
        let norms = [RmsNorm::new(p.at("norm1"), 16), RmsNorm::new(p.at("norm2"), 16)];
        let mut linear = |name: &str, from, to| Linear::builder(from, to).no_bias().build(p.at(name));
        let (gate, up, down) = (linear("gate", 16, 24), linear("up", 16, 24), linear("down", 24, 16));
        check("llama", &p, &[5, 16], |cx, x| {
            let h = norms[0].forward(cx, x);
            let x = x + attention.attend(cx, [&h, &h, &h], &AttentionMask::causal());
            let h = norms[1].forward(cx, &x);
            vec![&x + down.forward(cx, &(gate.forward(cx, &h).silu() * up.forward(cx, &h)))]
        });
    }

    pub(super) fn conformer<T: Float>(mut p: Params<T>) {
        let (norm, batch) = (LayerNorm::new(p.at("norm"), 4), BatchNorm1d::new(p.at("bn"), 4));
        let (a, b) = (Conv1d::new(p.at("a"), 4, 8, 1), Conv1d::new(p.at("b"), 4, 4, 1));
        let depth = Conv1d::builder(4, 4, 3).padding(1).groups(4).build(p.at("depth"));
        check("conformer", &p, &[7, 4], |cx, x| {
            let h = a.forward(cx, &norm.forward(cx, x).transpose(1, 2));
            let h = h.slice_axis(1, ..4) * h.slice_axis(1, 4..).sigmoid();
            let h = batch.forward(cx, &depth.forward(cx, &h)).silu();
            vec![x + b.forward(cx, &h).transpose(1, 2)]
        });
    }

    pub(super) fn dilated_convolutions<T: Float>(mut p: Params<T>) {
        let gates: Vec<Conv1d> = (0..3)
            .map(|i| Conv1d::builder(4, 8, 2).dilation(1 << i).build(p.at(format!("gates.{i}"))))
            .collect();
        let (start, end) = (Conv1d::new(p.at("start"), 2, 4, 1), Conv1d::new(p.at("end"), 4, 5, 1));
        check("dilated_convolutions", &p, &[2, 20], |cx, x| {
            let mut h = start.forward(cx, x);
            for (i, gate) in gates.iter().enumerate() {
                let y = gate.forward(cx, &h.pad(&[(0, 0), (0, 0), (1 << i, 0)], 0.0));
                h += y.slice_axis(1, ..4).tanh() * y.slice_axis(1, 4..).sigmoid();
            }
            vec![end.forward(cx, &h.relu())]
        });
    }

    pub(super) fn parametrized<T: Float>(mut p: Params<T>) {
        let conv = WeightNorm::of(p.at("conv"), |p| Conv1d::new(p, 2, 3, 3));
        let old = WeightNorm::builder().old_names().build(p.at("old"), |p| Conv1d::new(p, 3, 2, 1));
        let dense = SpectralNorm::of(p.at("dense"), |p| Linear::new(p, 8, 4));
        check("parametrized", &p, &[2, 10], |cx, x| {
            vec![dense.forward(cx, &old.forward(cx, &conv.forward(cx, x).tanh()))]
        });
    }

    pub(super) fn generator<T: Float>(mut p: Params<T>) {
        let first = ConvTranspose2d::builder(5, 8, 4).no_bias().build(p.at("first"));
        let (norm, slopes) = (BatchNorm2d::new(p.at("norm"), 8), Prelu::with_slopes(p.at("prelu"), 2, 0.25));
        let instance = InstanceNorm2d::builder(2).affine().build(p.at("instance"));
        let group = GroupNorm::new(p.at("group"), 2, 4);
        let last = ConvTranspose2d::builder(2, 4, 4).stride(2).padding(1).build(p.at("last"));
        let shuffle = PixelShuffle { factor: 2 };
        check("generator", &p, &[5], |cx, x| {
            let h = norm.forward(cx, &first.forward(cx, &x.reshape([x.shape()[0], 5, 1, 1]))).relu();
            let h = slopes.forward(cx, &instance.forward(cx, &shuffle.forward(cx, &h)));
            vec![group.forward(cx, &last.forward(cx, &h)).tanh()]
        });
    }

    pub(super) fn bidirectional<T: Float>(mut p: Params<T>) {
        let lstm = Lstm::builder(3, 4).layers(2).bidirectional().batch_first().build(p.at("lstm"));
        let head = Linear::new(p.at("head"), 8, 5);
        check("bidirectional", &p, &[6, 3], |cx, x| {
            let (y, state) = lstm.run(cx, x, None);
            let last = Var::cat(&[state.h.select(0, -2), state.h.select(0, -1)], 1);
            vec![head.forward(cx, &y).log_softmax(-1), last]
        });
    }

    pub(super) fn conv_next<T: Float>(mut p: Params<T>) {
        let depth = Conv2d::builder(4, 4, 7).padding(3).groups(4).build(p.at("dwconv"));
        let norm = LayerNorm::builder(4).eps(1e-6).build(p.at("norm"));
        let (a, b) = (Linear::new(p.at("pwconv1"), 4, 16), Linear::new(p.at("pwconv2"), 16, 4));
        let gamma: ParamId = p.root().param("gamma", [4], Init::Ones);
        check("conv_next", &p, &[4, 6, 5], |cx, x| {
            let h = norm.forward(cx, &depth.forward(cx, x).permute([0, 2, 3, 1]));
            let h = cx.param(gamma) * b.forward(cx, &a.forward(cx, &h).gelu());
            vec![x + h.permute([0, 3, 1, 2])]
        });
    }

    pub(super) fn point_net<T: Float>(mut p: Params<T>) {
        let (a, b) = (Conv1d::new(p.at("a"), 3, 6, 1), Conv1d::new(p.at("b"), 3, 8, 1));
        let (norm, fc) = (BatchNorm1d::new(p.at("norm"), 6), Linear::new(p.at("fc"), 6, 9));
        check("point_net", &p, &[3, 7], |cx, x| {
            let t = fc.forward(cx, &norm.forward(cx, &a.forward(cx, x).max_axes(2, false)).relu());
            let t = t.reshape([x.shape()[0], 3, 3])
                + Var::constant(Tensor::from_fn([3, 3], |at: &[usize]| {
                    T::from_f64(f64::from(u8::from(at[0] == at[1])))
                }));
            let y = Var::einsum("bic,bij->bjc", &[x, &t]);
            vec![b.forward(cx, &y).max_axes(2, false), y.logsumexp(2, false)]
        });
    }
}

/// Scores of tokens by the vectors that they are read as.
#[test]
fn tied_weights() {
    let mut p: Params = Params::seeded(3);
    let embedding = Embedding::new(p.at("embedding"), 11, 6);
    let forward = |cx: &Ctx, tokens: &wengert_tape::Index| {
        let h = embedding.forward(cx, tokens);
        let scores = h.matmul(&cx.param(embedding.weight()).t());
        vec![scores, h.mean_axes(1, false)]
    };
    let export = Export::new().index("tokens", Tensor::from([[1u32, 2, 3]])).batch("batch");
    let model = export.model(&p, |cx, i| forward(cx, i.index(0))).unwrap();
    let batch = |size: usize, generator: &mut Generator| {
        vec![Data::Index(Tensor::from_fn([size, 3], |_: &[usize]| generator.below(11) as u32))]
    };
    write("zoo_tied", &model, &p, batch, &|cx, x| forward(cx, &index(&x[0])));
}

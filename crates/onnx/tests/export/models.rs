//! Whole models with batches of any size: what they are written as, and for `compare.py` what they give at sizes at which
//! they were not recorded.

use wengert_nn::{
    Activations, BatchNorm2d, Conv2d, ConvTranspose2d, Ctx, Embedding, GroupNorm, Gru, InstanceNorm2d, Layer,
    LearnedPositions, Linear, Lstm, LstmState, MaxPool2d, Params, Prelu, RmsNorm, Transformer, Upsample,
};
use wengert_onnx::{Export, Inputs, OnnxFile};
use wengert_tape::{AttentionMask, Data, Index, Pool2dOptions, Resize, Tape, Var};
use wengert_tensor::axis_map::Interpolation;
use wengert_tensor::random::Generator;
use wengert_tensor::{Float, Tensor};

use crate::files;
use crate::names::assert_kept;

const SIZES: [usize; 4] = [1, 2, 4, 7];

/// How often an operator is used.
fn count(model: &OnnxFile, operator: &str) -> usize {
    model.operators().iter().filter(|used| **used == operator).count()
}

pub(crate) type Forward<'a, T> = &'a dyn Fn(&Ctx<T>, &[Data<T>]) -> Vec<Var<T>>;

/// What `forward` gives for tensors, at sizes other than those that were recorded.
pub(crate) fn write<T: Float>(
    name: &str,
    model: &OnnxFile,
    params: &Params<T>,
    batch: impl Fn(usize, &mut Generator) -> Vec<Data<T>>,
    forward: Forward<'_, T>,
) {
    let mut generator = Generator::seeded(7);
    let run = |size: usize| {
        let inputs = batch(size, &mut generator);
        let outputs =
            params.infer(|cx| forward(cx, &inputs)).into_iter().map(|y| Data::Float(y.into_value()));
        (inputs, outputs.collect())
    };
    let runs = SIZES.map(run);
    assert_kept(params, model);
    files::write(name, model, &runs);
    files::read_back(model, &runs).unwrap_or_else(|error| panic!("{name}, read again: {error}"));
}

pub(crate) fn float<T: Float>(data: &Data<T>) -> Var<T> {
    Var::constant(data.float().clone())
}

pub(crate) fn index<T: Float>(data: &Data<T>) -> Index<T> {
    data.index().into()
}

/// Batches of normal numbers.
pub(crate) fn normal<T: Float>(example: &'static [usize]) -> impl Fn(usize, &mut Generator) -> Vec<Data<T>> {
    move |size, generator| {
        let shape: Vec<usize> = [&[size], example].concat();
        vec![Data::Float(Tensor::normal(&shape[..], 0.0, 1.0, generator))]
    }
}

fn export<T: Float>(example: &[usize]) -> Export<T> {
    let shape: Vec<usize> = [&[1], example].concat();
    Export::new().input("x", Tensor::ones(&shape[..])).output("y").batch("batch")
}

fn lenet<T: Float>(precision: &str) {
    let mut params: Params<T> = Params::seeded(1);
    let conv1 = Conv2d::builder(1, 6, 5).padding(2).build(params.at("conv1"));
    let conv2 = Conv2d::new(params.at("conv2"), 6, 16, 5);
    let dense: Vec<Linear> = [(400, 120), (120, 84), (84, 10)]
        .iter()
        .enumerate()
        .map(|(i, &(from, to))| Linear::new(params.at(format!("fc{}", i + 1)), from, to))
        .collect();
    let pool = MaxPool2d::new(2);
    let forward = |cx: &Ctx<T>, x: &Var<T>| {
        let h = pool.forward(cx, &conv1.forward(cx, x).relu());
        let h = pool.forward(cx, &conv2.forward(cx, &h).relu()).flatten(1, -1);
        let h = dense[0].forward(cx, &h).relu();
        dense[2].forward(cx, &dense[1].forward(cx, &h).relu())
    };
    let model =
        export(&[1, 28, 28]).doc("LeNet-5").model(&params, |cx, i| vec![forward(cx, i.float(0))]).unwrap();
    let wanted = [
        "Conv", "Relu", "MaxPool", "Conv", "Relu", "MaxPool", "Reshape", "Gemm", "Relu", "Gemm", "Relu",
        "Gemm",
    ];
    assert_eq!(model.operators(), wanted);
    assert_eq!(model.parameters().len(), 10);
    let run = |cx: &Ctx<T>, x: &[Data<T>]| vec![forward(cx, &float(&x[0]))];
    write(&format!("model_lenet_{precision}"), &model, &params, normal(&[1, 28, 28]), &run);
}

#[test]
fn lenet_in_both_precisions() {
    lenet::<f32>("single");
    lenet::<f64>("double");
}

/// A residual block: two convolutions with batch normalisation, and a shortcut.
struct Block {
    conv: [Conv2d; 2],
    norm: [BatchNorm2d; 2],
    shortcut: Option<(Conv2d, BatchNorm2d)>,
}

impl Block {
    fn new(params: &mut Params, name: &str, from: usize, to: usize) -> Self {
        let stride = to / from;
        let mut conv = |part: &str, from, kernel: usize, stride: usize| {
            let place = params.at(format!("{name}.{part}"));
            Conv2d::builder(from, to, kernel).stride(stride).padding(kernel / 2).no_bias().build(place)
        };
        let convs = [conv("conv1", from, 3, stride), conv("conv2", to, 3, 1)];
        let shortcut = (from != to).then(|| conv("downsample.0", from, 1, stride));
        let mut norm = |part: &str| BatchNorm2d::new(params.at(format!("{name}.{part}")), to);
        Block {
            conv: convs,
            norm: [norm("bn1"), norm("bn2")],
            shortcut: shortcut.map(|c| (c, norm("downsample.1"))),
        }
    }

    fn forward(&self, cx: &Ctx, x: &Var) -> Var {
        let h = self.norm[0].forward(cx, &self.conv[0].forward(cx, x)).relu();
        let h = self.norm[1].forward(cx, &self.conv[1].forward(cx, &h));
        let kept = match &self.shortcut {
            Some((conv, norm)) => norm.forward(cx, &conv.forward(cx, x)),
            None => x.clone(),
        };
        (h + kept).relu()
    }
}

#[test]
fn resnet_with_batch_normalisation() {
    let mut params: Params = Params::seeded(2);
    let stem = Conv2d::builder(3, 8, 3).padding(1).no_bias().build(params.at("conv1"));
    let norm = BatchNorm2d::new(params.at("bn1"), 8);
    let blocks = [Block::new(&mut params, "layer1.0", 8, 8), Block::new(&mut params, "layer2.0", 8, 16)];
    let head = Linear::new(params.at("fc"), 16, 5);
    let forward = |cx: &Ctx, x: &Var| {
        let h = norm.forward(cx, &stem.forward(cx, x)).relu();
        let h = blocks.iter().fold(h, |h, block| block.forward(cx, &h));
        head.forward(cx, &h.adaptive_avg_pool([1, 1]).flatten(1, -1))
    };
    // Statistics that are not those of the start.
    let mut generator = Generator::seeded(3);
    for _ in 0..3 {
        let x = Var::constant(Tensor::normal([4, 3, 12, 12], 0.5, 2.0, &mut generator));
        let (_, grads) = params.value_and_grad(|cx| forward(cx, &x).square().mean()).unwrap();
        params.update_buffers(&grads);
    }
    let model = export(&[3, 12, 12]).model(&params, |cx, i| vec![forward(cx, i.float(0))]).unwrap();
    assert_eq!(count(&model, "BatchNormalization"), 6);
    let run = |cx: &Ctx, x: &[Data]| vec![forward(cx, &float(&x[0]))];
    write("model_resnet", &model, &params, normal(&[3, 12, 12]), &run);
}

#[test]
fn recurrent_networks() {
    let mut params: Params = Params::seeded(4);
    let lstm = Lstm::builder(5, 6).layers(2).bidirectional().batch_first().build(params.at("lstm"));
    let run = |cx: &Ctx, x: &Var| {
        let (y, state) = lstm.run(cx, x, None);
        vec![y, state.h, state.c]
    };
    let named = || {
        Export::new().input("x", Tensor::ones([1, 7, 5])).output("y").output("h").output("c").batch("batch")
    };
    let model = named().model(&params, |cx, i| run(cx, i.float(0))).unwrap();
    assert!(model.parameters().contains(&"lstm.weight_hh_l1_reverse"));
    assert_eq!(count(&model, "LSTM"), 4, "two layers in two directions: {:?}", model.operators());
    assert_eq!(count(&model, "Sigmoid"), 0);
    write("model_lstm", &model, &params, normal(&[7, 5]), &|cx, x| run(cx, &float(&x[0])));

    let mut params: Params = Params::seeded(5);
    let gru = Gru::builder(5, 6).batch_first().build(params.at("gru"));
    let forward = |cx: &Ctx, x: &Var| gru.forward(cx, x);
    let model = export(&[7, 5]).model(&params, |cx, i| vec![forward(cx, i.float(0))]).unwrap();
    assert_eq!((count(&model, "GRU"), count(&model, "Gemm")), (1, 0));
    assert!(model.operators().len() < 25, "{:?}", model.operators());
    write("model_gru", &model, &params, normal(&[7, 5]), &|cx, x| vec![forward(cx, &float(&x[0]))]);

    // The first output alone, and sequences that end where their lengths say: one step after the other.
    let model = Export::new()
        .input("x", Tensor::ones([1, 7, 5]))
        .index("lengths", Tensor::from([3u32]))
        .batch("batch");
    let padded = |cx: &Ctx, x: &Var, lengths: &Index| {
        let (y, h) = gru.run_padded(cx, x, lengths, None);
        vec![y, h]
    };
    let model = model.model(&params, |cx, i| padded(cx, i.float(0), i.index(1))).unwrap();
    assert_eq!(count(&model, "GRU"), 0);
    let batch = |size: usize, generator: &mut Generator| {
        let lengths: Vec<u32> = (0..size as u32).map(|i| 7 - i).collect();
        vec![
            Data::Float(Tensor::normal([size, 7, 5], 0.0, 1.0, generator)),
            Data::Index(Tensor::vector(&lengths)),
        ]
    };
    write("model_gru_padded", &model, &params, batch, &|cx, x| padded(cx, &float(&x[0]), &index(&x[1])));

    // The batch in the second axis.
    let mut params: Params = Params::seeded(6);
    let gru = Gru::new(params.at("gru"), 5, 6);
    let model = Export::new().input("x", Tensor::ones([7, 1, 5])).batch("batch").batch_axis("x", Some(1));
    let model = model.layer(&params, &gru).unwrap();
    let batch = |size: usize, generator: &mut Generator| {
        vec![Data::Float(Tensor::normal([7, size, 5], 0.0, 1.0, generator))]
    };
    write("model_gru_second_axis", &model, &params, batch, &|cx, x| vec![gru.forward(cx, &float(&x[0]))]);
}

/// From a given state, with what the cells hold at the end, and the output of one step alone.
fn lstm_from_a_state<T: Float>(precision: &str, layers: usize) {
    let mut params: Params<T> = Params::seeded(5);
    let lstm = Lstm::builder(2, 3).no_bias().build(params.at("lstm"));
    let model = Export::new().input("x", Tensor::ones([4, 1, 2])).input("h", Tensor::ones([1, 1, 3]));
    let model = model.batch("batch").batch_axis("x", Some(1)).batch_axis("h", Some(1));
    let run = |cx: &Ctx<T>, x: &Var<T>, h: &Var<T>| {
        let (y, state) = lstm.run(cx, x, Some(&LstmState { h: h.clone(), c: h * 0.5 }));
        vec![y.select(0, 1), y, state.c]
    };
    let model = model.model(&params, |cx, i| run(cx, i.float(0), i.float(1))).unwrap();
    assert_eq!(count(&model, "LSTM"), layers);
    let batch = |size: usize, generator: &mut Generator| {
        let mut normal =
            |length, width| Data::Float(Tensor::normal([length, size, width], 0.0, 1.0, generator));
        vec![normal(4, 2), normal(1, 3)]
    };
    let name = format!("model_lstm_{precision}");
    write(&name, &model, &params, batch, &|cx, x| run(cx, &float(&x[0]), &float(&x[1])));
}

/// onnxruntime has the operator in single precision only.
#[test]
fn lstm_from_a_state_in_both_precisions() {
    lstm_from_a_state::<f32>("single", 1);
    lstm_from_a_state::<f64>("double", 0);
}

/// A layer that goes on where it stopped is two operators; gates of no layer are none.
#[test]
fn sequences_in_parts_and_gates_alone() {
    let mut params: Params = Params::seeded(5);
    let lstm = Lstm::new(params.at("lstm"), 2, 3);
    let run = |cx: &Ctx, x: &Var| {
        let (first, state) = lstm.run(cx, &x.slice_axis(0, 0..2), None);
        let (second, state) = lstm.run(cx, &x.slice_axis(0, 2..4), Some(&state));
        vec![first, second, state.c]
    };
    let export = Export::new().input("x", Tensor::ones([4, 1, 2])).batch("batch").batch_axis("x", Some(1));
    let model = export.model(&params, |cx, i| run(cx, i.float(0))).unwrap();
    assert_eq!(count(&model, "LSTM"), 2, "one for each part");
    let batch = |size: usize, generator: &mut Generator| {
        vec![Data::Float(Tensor::normal([4, size, 2], 0.0, 1.0, generator))]
    };
    write("model_lstm_in_parts", &model, &params, batch, &|cx, x| run(cx, &float(&x[0])));
    let gates = |x: &Var| {
        let (a, mut state) = (x.slice_axis(1, 0..8), x.slice_axis(1, 8..10));
        let mut cells = Vec::new();
        for _ in 0..3 {
            let next = a.lstm_gates(&a, &state);
            state = next.slice_axis(1, 2..4);
            cells.push(next);
        }
        cells
    };
    let export = Export::new().input("x", Tensor::ones([1, 10])).batch("batch");
    let params: Params = Params::seeded(0);
    let model = export.model(&params, |_, i| gates(i.float(0))).unwrap();
    assert_eq!((count(&model, "LSTM"), count(&model, "Sigmoid")), (0, 9));
    write("model_of_gates", &model, &params, normal(&[10]), &|_, x| gates(&float(&x[0])));
}

/// Sentences of 6 tokens, of which some are padding.
fn tokens(size: usize, generator: &mut Generator) -> Vec<Data> {
    let mut token = |_| generator.below(11) as u32;
    let tokens: Vec<u32> = (0..size * 6).map(&mut token).collect();
    let target: Vec<u32> = (0..size * 4).map(&mut token).collect();
    let lengths: Vec<u32> = (0..size as u32).map(|i| i % 6 + 1).collect();
    vec![
        Data::Index(Tensor::vector(&tokens).reshape([size, 6])),
        Data::Index(Tensor::vector(&target).reshape([size, 4])),
        Data::Index(Tensor::vector(&lengths)),
    ]
}

#[test]
fn transformer_with_masks() {
    let mut params: Params = Params::seeded(8);
    let embedding = Embedding::new(params.at("embedding"), 11, 16);
    let positions = LearnedPositions::new(params.at("positions"), 8, 16);
    let transformer = Transformer::new(params.at("transformer"), 16, 4, [2, 2]);
    let head = Linear::new(params.at("head"), 16, 11);
    let forward = |cx: &Ctx, source: &Index, target: &Index, lengths: &Index| {
        let embed = |tokens: &Index| positions.forward(cx, &embedding.forward(cx, tokens));
        let padding = AttentionMask::lengths(lengths);
        let masks = [&padding, &AttentionMask::causal(), &padding];
        vec![head.forward(cx, &transformer.forward_with(cx, &embed(source), &embed(target), masks))]
    };
    for opset in [17, 20, 23] {
        let mut generator = Generator::seeded(0);
        let example = tokens(1, &mut generator);
        let [source, target, lengths] = [0, 1, 2].map(|i| example[i].index().clone());
        let export = Export::new().index("source", source).index("target", target).index("lengths", lengths);
        let export = export.output("logits").batch("batch").opset(opset);
        let model = export.model(&params, |cx, i| forward(cx, i.index(0), i.index(1), i.index(2))).unwrap();
        let has = |operator: &str| model.operators().contains(&operator);
        assert!(has("LayerNormalization") && has("Softmax"), "{:?}", model.operators());
        assert_eq!(has("Attention"), opset == 23, "for the causal attention without padding");
        let run = |cx: &Ctx, x: &[Data]| forward(cx, &index(&x[0]), &index(&x[1]), &index(&x[2]));
        write(&format!("model_transformer_{opset}"), &model, &params, tokens, &run);
    }
}

/// Layers that are not in the models above, one behind the other.
#[test]
fn many_layers() {
    let mut params: Params = Params::seeded(9);
    let up = ConvTranspose2d::builder(4, 3, 3).stride(2).padding(1).output_padding(1).build(params.at("up"));
    let group = GroupNorm::new(params.at("group"), 2, 4);
    let instance = InstanceNorm2d::builder(3).affine().build(params.at("instance"));
    let rms = RmsNorm::new(params.at("rms"), 8);
    let slopes = Prelu::with_slopes(params.at("slopes"), 3, 0.25);
    let up_sample = Upsample::new(Resize::Scale([2.0, 2.0]), Interpolation::Linear { align_corners: false });
    let forward = |cx: &Ctx, x: &Var| {
        let h = group.forward(cx, x).silu();
        let h = up_sample.forward(cx, &instance.forward(cx, &up.forward(cx, &h)));
        let h = slopes.forward(cx, &h);
        let h = h.avg_pool2d(Pool2dOptions::new([2, 2]), true);
        let h = rms.forward(cx, &h.gelu());
        let centre = h.mean_axes([2, 3], true);
        vec![(h - centre).softmax(-1), x.mean_axes(0, false), x.flip(0).cumsum(0)]
    };
    for opset in [17, 20, 23] {
        let model = Export::new().input("x", Tensor::ones([1, 4, 4, 4])).batch("batch").opset(opset);
        let model = model.model(&params, |cx, i| forward(cx, i.float(0))).unwrap();
        assert_eq!(model.outputs(), ["output", "output_1", "output_2"]);
        assert_eq!(
            (count(&model, "Gelu"), count(&model, "RMSNormalization")),
            ((opset >= 20).into(), (opset >= 23).into())
        );
        let run = |cx: &Ctx, x: &[Data]| forward(cx, &float(&x[0]));
        write(&format!("model_many_layers_{opset}"), &model, &params, normal(&[4, 4, 4]), &run);
    }
}

/// Numbers and shapes that the program makes of the size of the batch.
#[test]
fn what_depends_on_the_size() {
    let params: Params = Params::seeded(0);
    let forward = |x: &Var| {
        let n = x.shape()[0];
        let ends = Var::cat(&[&x.slice_axis(0, ..1), &x.slice_axis(0, -1..)], 0);
        let parts = Var::cat(&[x, &Var::zeros([n, 3]), x], 0).reshape([3, n, 3]).permute([1, 0, 2]);
        let shifted = Var::cat(&[&x.slice_axis(0, n - 1..n), &x.slice_axis(0, 0..n - 1)], 0);
        let padded = x.pad(&[(0, n), (1, 0)], 0.0);
        vec![
            x.mean(),
            ends,
            parts,
            shifted,
            padded,
            x.var_axes(0, 1, false),
            x.reshape([3, n]).softmax(1),
            x * (1.0 / n as f64),
            x.flip(0).reshape([n * 3]),
            Var::constant(Tensor::full([n, 2], 1.5)) + x.slice_axis(1, 0..2),
        ]
    };
    let model = Export::new().input("x", Tensor::ones([4, 3])).batch("batch");
    let model = model.model(&params, |_, i: &Inputs| forward(i.float(0))).unwrap();
    write("model_of_sizes", &model, &params, normal(&[3]), &|_, x| forward(&float(&x[0])));
}

/// The same program for the same tape: the file's bytes are always the same.
#[test]
fn bytes_are_the_same_every_time() {
    let bytes = || {
        let tape = Tape::complete();
        let x = tape.var(Tensor::<f32>::ones([2, 3]));
        let y = x.gelu().layer_norm(&Var::ones([3]), &Var::zeros([3]), 1e-5).logsumexp(1, false);
        Export::new().tape(&tape, &[("x", &x)], &[("y", &y)]).unwrap().to_bytes()
    };
    assert_eq!(bytes(), bytes());
}

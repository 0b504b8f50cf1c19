//! Layers with the parameters that a module of PyTorch has, by their names.

use serde_json::{Value, json};
use wengert::nn::*;
use wengert::tape::{AttentionMask, PadMode, Var};
use wengert::tensor::{Float, Tensor};

use crate::given;
use crate::program::{derivatives, flat};
use crate::wire::{self, Attrs};

/// A layer as a function of its inputs, which gives one result or several.
type Call<T> = Box<dyn Fn(&Ctx<T>, &[Var<T>]) -> Vec<Var<T>>>;

/// A layer of one input.
fn plain<T: Float>(layer: impl Layer<T> + 'static) -> Call<T> {
    Box::new(move |cx, x| vec![layer.forward(cx, &x[0])])
}

/// Applies a method of a builder where the case asks for it.
macro_rules! with {
    ($case:ident, $builder:ident, $flag:literal, $method:ident) => {
        if $case.flag($flag) {
            $builder = $builder.$method();
        }
    };
}

fn built<T: Float>(case: &Attrs, params: &mut Params<T>) -> Call<T> {
    let p = params.root();
    let size = |name: &str| case.size(name);
    match case.text("layer") {
        "Linear" => {
            let mut b = Linear::builder(size("in"), size("out"));
            with!(case, b, "no_bias", no_bias);
            plain(b.build(p))
        }
        "Bilinear" => {
            let mut b = Bilinear::builder(size("in"), size("in2"), size("out"));
            with!(case, b, "no_bias", no_bias);
            let layer = b.build(p);
            Box::new(move |cx, x| vec![layer.forward(cx, &(x[0].clone(), x[1].clone()))])
        }
        "Conv1d" => convolution::<T, 1>(case, p),
        "Conv2d" => convolution::<T, 2>(case, p),
        "Conv3d" => convolution::<T, 3>(case, p),
        "ConvTranspose1d" => transposed::<T, 1>(case, p),
        "ConvTranspose2d" => transposed::<T, 2>(case, p),
        "ConvTranspose3d" => transposed::<T, 3>(case, p),
        "BatchNorm1d" => batch_norm::<T, 1>(case, p),
        "BatchNorm2d" => batch_norm::<T, 2>(case, p),
        "BatchNorm3d" => batch_norm::<T, 3>(case, p),
        "InstanceNorm1d" => instance_norm::<T, 1>(case, p),
        "InstanceNorm2d" => instance_norm::<T, 2>(case, p),
        "InstanceNorm3d" => instance_norm::<T, 3>(case, p),
        "LayerNorm" => {
            let mut b = LayerNorm::builder(case.sizes("shape")).eps(case.number("eps"));
            with!(case, b, "no_bias", no_bias);
            with!(case, b, "no_affine", no_affine);
            plain(b.build(p))
        }
        "RMSNorm" => {
            let mut b = RmsNorm::builder(case.sizes("shape"));
            if case.has("eps") {
                b = b.eps(case.number("eps"));
            }
            with!(case, b, "no_affine", no_affine);
            plain(b.build(p))
        }
        "GroupNorm" => {
            let mut b = GroupNorm::builder(size("groups"), size("channels")).eps(case.number("eps"));
            with!(case, b, "no_affine", no_affine);
            plain(b.build(p))
        }
        "PReLU" => plain(Prelu::with_slopes(p, size("channels"), 0.25)),
        "Embedding" => {
            let mut b = Embedding::builder(size("tokens"), size("width"));
            if case.has("padding") {
                b = b.padding(case.int("padding"));
            }
            let (layer, tokens) = (b.build(p), wire::positions(case.get("index")));
            Box::new(move |cx, _| vec![layer.forward(cx, &given::index(tokens.clone()))])
        }
        "EmbeddingBag" => {
            let mode = match case.text("mode") {
                "sum" => BagMode::Sum,
                "mean" => BagMode::Mean,
                "max" => BagMode::Max,
                other => panic!("there is no mode {other}"),
            };
            let mut b = EmbeddingBag::builder(size("tokens"), size("width")).mode(mode);
            if case.has("padding") {
                b = b.padding(case.int("padding"));
            }
            let (layer, tokens) = (b.build(p), wire::positions(case.get("index")));
            let starts = wire::positions(case.get("starts"));
            Box::new(move |cx, x| vec![layer.bags(cx, &tokens, &starts, x.first())])
        }
        "RNN" => {
            let mut b = Rnn::builder(size("in"), size("hidden"));
            with!(case, b, "relu", relu);
            recurrent(case, p, b, |v: &[Var<T>]| v[0].clone(), |h| vec![h])
        }
        "GRU" => {
            let b = Gru::builder(size("in"), size("hidden"));
            recurrent(case, p, b, |v: &[Var<T>]| v[0].clone(), |h| vec![h])
        }
        "LSTM" => {
            let mut b = Lstm::builder(size("in"), size("hidden"));
            if case.has("projection") {
                b = b.projection(size("projection"));
            }
            let state = |v: &[Var<T>]| LstmState { h: v[0].clone(), c: v[1].clone() };
            recurrent(case, p, b, state, |state| vec![state.h, state.c])
        }
        "RNNCell" => {
            let mut b = RnnCell::builder(size("in"), size("hidden"));
            with!(case, b, "relu", relu);
            with!(case, b, "no_bias", no_bias);
            let cell = b.build(p);
            Box::new(move |cx, x| vec![cell.step(cx, &x[0], &x[1])])
        }
        "GRUCell" => {
            let mut b = GruCell::builder(size("in"), size("hidden"));
            with!(case, b, "no_bias", no_bias);
            let cell = b.build(p);
            Box::new(move |cx, x| vec![cell.step(cx, &x[0], &x[1])])
        }
        "LSTMCell" => {
            let mut b = LstmCell::builder(size("in"), size("hidden"));
            with!(case, b, "no_bias", no_bias);
            let cell = b.build(p);
            Box::new(move |cx, x| {
                let next = cell.step(cx, &x[0], &LstmState { h: x[1].clone(), c: x[2].clone() });
                vec![next.h, next.c]
            })
        }
        "MultiheadAttention" => {
            let mut b = MultiheadAttention::builder(size("width"), size("heads"));
            if case.has("key_width") {
                b = b.key_features(size("key_width")).value_features(size("value_width"));
            }
            with!(case, b, "no_bias", no_bias);
            with!(case, b, "bias_key_value", bias_key_value);
            with!(case, b, "zero_attention", zero_attention);
            let (layer, mask) = (b.build(p), mask::<T>(case, ""));
            Box::new(move |cx, x| {
                let (y, weights) = layer.attend_with_weights(cx, [&x[0], &x[1], &x[2]], &mask(), true);
                vec![y, weights]
            })
        }
        "TransformerEncoderLayer" => {
            let (layer, mask) = (transformer(case).encoder_layer(p), mask::<T>(case, ""));
            Box::new(move |cx, x| vec![layer.forward_masked(cx, &x[0], &mask())])
        }
        "TransformerDecoderLayer" => {
            let layer = transformer(case).decoder_layer(p);
            let (own, memory) = (mask::<T>(case, ""), mask::<T>(case, "memory_"));
            Box::new(move |cx, x| vec![layer.forward_with(cx, &x[0], &x[1], [&own(), &memory()])])
        }
        "Transformer" => {
            let model = transformer(case).final_norm().transformer(p, [size("encoders"), size("decoders")]);
            let none = AttentionMask::none();
            let causal = if case.flag("causal") { AttentionMask::causal() } else { AttentionMask::none() };
            Box::new(move |cx, x| vec![model.forward_with(cx, &x[0], &x[1], [&none, &causal, &none])])
        }
        "weight_norm" => {
            let (ins, outs) = (size("in"), size("out"));
            let layer = WeightNorm::builder().axis(size("axis")).build(p, |p| Linear::new(p, ins, outs));
            plain(layer)
        }
        "spectral_norm" => {
            let (ins, outs) = (size("in"), size("out"));
            let layer = SpectralNorm::builder().steps(size("steps")).build(p, |p| Linear::new(p, ins, outs));
            plain(layer)
        }
        "AdaptiveLogSoftmaxWithLoss" => {
            let cutoffs = case.sizes("cutoffs");
            let mut b = AdaptiveLogSoftmax::builder(size("in"), size("classes"), &cutoffs);
            b = b.div_value(case.number("div_value"));
            with!(case, b, "head_bias", head_bias);
            let (layer, labels) = (b.build(p), wire::positions(case.get("labels")));
            Box::new(move |cx, x| {
                let labels = given::index(labels.clone());
                vec![layer.of_labels(cx, &x[0], &labels), layer.loss(cx, &x[0], &labels)]
            })
        }
        "LocalResponseNorm" => plain(LocalResponseNorm {
            size: size("size"),
            alpha: case.number("alpha"),
            beta: case.number("beta"),
            k: case.number("k"),
        }),
        other => panic!("there is no layer {other}"),
    }
}

fn mode_of(name: &str) -> PadMode {
    match name {
        "zeros" => PadMode::Constant(0.0),
        "reflect" => PadMode::Reflect,
        "replicate" => PadMode::Replicate,
        "circular" => PadMode::Circular,
        other => panic!("there is no border {other}"),
    }
}

fn convolution<T: Float, const D: usize>(case: &Attrs, p: Scope<'_, T>) -> Call<T>
where
    Conv<D>: Layer<T> + 'static,
{
    let mut b = Conv::<D>::builder(case.size("in"), case.size("out"), case.fixed::<D>("kernel"))
        .stride(case.fixed::<D>("stride"))
        .dilation(case.fixed::<D>("dilation"))
        .groups(case.size("groups"))
        .padding_mode(mode_of(case.text("padding_mode")));
    b = if case.flag("same") { b.same() } else { b.padding(case.fixed::<D>("padding")) };
    with!(case, b, "no_bias", no_bias);
    plain(b.build(p))
}

fn transposed<T: Float, const D: usize>(case: &Attrs, p: Scope<'_, T>) -> Call<T>
where
    ConvTranspose<D>: Layer<T> + 'static,
{
    let mut b = ConvTranspose::<D>::builder(case.size("in"), case.size("out"), case.fixed::<D>("kernel"))
        .stride(case.fixed::<D>("stride"))
        .padding(case.fixed::<D>("padding"))
        .output_padding(case.fixed::<D>("output_padding"))
        .dilation(case.fixed::<D>("dilation"))
        .groups(case.size("groups"));
    with!(case, b, "no_bias", no_bias);
    plain(b.build(p))
}

fn batch_norm<T: Float, const D: usize>(case: &Attrs, p: Scope<'_, T>) -> Call<T>
where
    BatchNorm<D>: Layer<T> + 'static,
{
    let mut b = BatchNorm::<D>::builder(case.size("channels")).eps(case.number("eps"));
    b = if case.has("momentum") { b.momentum(case.number("momentum")) } else { b.cumulative() };
    with!(case, b, "no_affine", no_affine);
    with!(case, b, "no_running", no_running_statistics);
    plain(b.build(p))
}

fn instance_norm<T: Float, const D: usize>(case: &Attrs, p: Scope<'_, T>) -> Call<T>
where
    InstanceNorm<D>: Layer<T> + 'static,
{
    let mut b = InstanceNorm::<D>::builder(case.size("channels"))
        .eps(case.number("eps"))
        .momentum(case.number("momentum"));
    with!(case, b, "affine", affine);
    with!(case, b, "running", running_statistics);
    plain(b.build(p))
}

fn recurrent<T: Float, U: Unit + 'static>(
    case: &Attrs,
    p: Scope<'_, T>,
    mut b: RecurrentBuilder<U>,
    state: impl Fn(&[Var<T>]) -> U::State<T> + 'static,
    parts: impl Fn(U::State<T>) -> Vec<Var<T>> + 'static,
) -> Call<T> {
    b = b.layers(case.size("layers"));
    with!(case, b, "bidirectional", bidirectional);
    with!(case, b, "batch_first", batch_first);
    with!(case, b, "no_bias", no_bias);
    let layer = b.build(p);
    let lengths = case.has("lengths").then(|| wire::positions(case.get("lengths")));
    Box::new(move |cx, x| {
        let start = (x.len() > 1).then(|| state(&x[1..]));
        let (y, end) = match &lengths {
            Some(lengths) => layer.run_padded(cx, &x[0], given::index(lengths.clone()), start.as_ref()),
            None => layer.run(cx, &x[0], start.as_ref()),
        };
        [vec![y], parts(end)].concat()
    })
}

/// What takes part, as the case says for the keys of each query, and which keys are padding.
fn mask<T: Float>(case: &Attrs, prefix: &str) -> impl Fn() -> AttentionMask<T> + use<T> {
    let [out, padding] = ["mask", "padding"].map(|name| {
        let name = format!("{prefix}{name}");
        case.has(&name).then(|| wire::truth(case.get(&name)))
    });
    move || {
        let mut mask = AttentionMask::none();
        if let Some(out) = &out {
            mask = mask.and(AttentionMask::masked_out(given::mask(out.clone())));
        }
        if let Some(padding) = &padding {
            mask = mask.and(AttentionMask::padding(given::mask(padding.clone())));
        }
        mask
    }
}

fn transformer(case: &Attrs) -> TransformerBuilder {
    let mut b = TransformerBuilder::new(case.size("width"), case.size("heads"))
        .feed_forward(case.size("feed_forward"))
        .dropout(0.0)
        .eps(case.number("eps"))
        .activation(if case.flag("gelu") { FeedForward::Gelu } else { FeedForward::Relu });
    with!(case, b, "norm_first", norm_first);
    with!(case, b, "no_bias", no_bias);
    b
}

/// Output and derivatives with respect to inputs and parameters; what the buffers are after a step in train mode.
pub fn answer<T: Float>(case: &Value) -> Value {
    let attrs = Attrs(case);
    let mut params: Params<T> = Params::seeded(0);
    let call = built(&Attrs(attrs.get("config")), &mut params);
    let names: Vec<String> = params.iter().map(|(name, ..)| name.to_owned()).collect();
    let theirs: Vec<&str> =
        attrs.get("params").as_array().expect("names").iter().filter_map(Value::as_str).collect();
    let places: Vec<usize> = names
        .iter()
        .map(|name| {
            theirs
                .iter()
                .position(|n| n == name)
                .unwrap_or_else(|| panic!("PyTorch has no {name} among {theirs:?}"))
        })
        .collect();
    assert_eq!(names.len(), theirs.len(), "PyTorch has other parameters: {theirs:?} and not {names:?}");
    set_buffers(&attrs, &mut params);
    let mode = if attrs.flag("train") { Mode::Train } else { Mode::Eval };
    let count = attrs.size("count");
    let f = |v: &Vec<Var<T>>| {
        given::begin();
        let of_layer: Vec<Var<T>> = places.iter().map(|&place| v[count + place].clone()).collect();
        call(&params.context(mode, &of_layer), &v[..count])
    };
    let mut answer = derivatives(case, f);
    if attrs.flag("train") && !params.buffers().is_empty() {
        let inputs: Vec<Var<T>> = case["inputs"].as_array().expect("a list").iter().map(wire::var).collect();
        let values: Vec<T> =
            places.iter().flat_map(|&place| inputs[count + place].value().to_vec()).collect();
        let mut params = params.clone();
        params.set_values(&values);
        params.allow_unreached(true);
        let (_, grads) =
            params.value_and_grad(|cx| flat(&call(cx, &inputs[..count])).sum()).expect("a gradient");
        params.update_buffers(&grads);
        let after: Vec<T> = params.buffers().iter().flat_map(|(_, value)| value.to_vec()).collect();
        answer["buffers"] = wire::text(&Tensor::vector(&after));
        answer["order of buffers"] = json!(params.buffers().iter().map(|(name, _)| name).collect::<Vec<_>>());
    }
    answer
}

/// Takes the running statistics over, and the counts.
fn set_buffers<T: Float>(case: &Attrs, params: &mut Params<T>) {
    let given = case.get("buffers");
    let values: Vec<T> =
        params.buffers().iter().flat_map(|(name, _)| wire::var::<T>(&given[name]).value().to_vec()).collect();
    let counts: Vec<i64> =
        params.counts().iter().map(|(name, _)| given[name].as_i64().expect("a count")).collect();
    params.set_buffer_values(&values, &counts);
}

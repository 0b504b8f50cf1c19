//! Random chains of layers and operations, at sizes of the batch at which they were not recorded: 40 of them, or as many as
//! `WENGERT_NETWORKS` says.

use wengert_nn::{
    BatchNorm1d, BatchNorm2d, Conv1d, Conv2d, ConvTranspose2d, Ctx, GroupNorm, Gru, InstanceNorm2d, Layer,
    LayerNorm, Linear, Lstm, Params, RmsNorm, TransformerEncoderLayer,
};
use wengert_onnx::{Export, ExportError, Inputs};
use wengert_tape::{Data, PadMode, Pool2dOptions, Resize, Var};
use wengert_tensor::Tensor;
use wengert_tensor::axis_map::Interpolation;
use wengert_tensor::random::Generator;

use crate::files;

type Step = Box<dyn Fn(&Ctx<f64>, &Var<f64>) -> Var<f64>>;

/// What draws the network, and where its parameters are.
struct Draw {
    chance: Generator,
    params: Params<f64>,
    made: usize,
}

impl Draw {
    fn below(&mut self, limit: usize) -> usize {
        self.chance.below(limit as u64) as usize
    }

    fn place(&mut self) -> String {
        self.made += 1;
        format!("step{}", self.made)
    }

    /// An axis other than that of the batch.
    fn axis(&mut self, shape: &[usize]) -> usize {
        1 + self.below(shape.len() - 1)
    }

    fn step(&mut self, shape: &[usize]) -> Step {
        match (self.below(3), shape.len()) {
            (0, 4) => self.planes(shape),
            (0, 3) => self.series(shape),
            (0, _) => self.features(shape),
            (1, _) => self.elements(shape),
            _ => self.arrangement(shape),
        }
    }

    /// Of images.
    fn planes(&mut self, shape: &[usize]) -> Step {
        let (channels, place) = (shape[1], self.place());
        let kernel = [1 + self.below(shape[2].min(3)), 1 + self.below(shape[3].min(3))];
        let (stride, padding) = (1 + self.below(2), self.below(1 + kernel[0].min(kernel[1]) / 2));
        let (kind, of, flag) = (self.below(10), 1 + self.below(4), self.below(2) == 0);
        let p = self.params.at(place);
        let mut pool = Pool2dOptions::new(kernel);
        (pool.stride, pool.padding, pool.ceil_mode) = ([stride, 1], [padding, padding], flag);
        match kind {
            0 | 1 => {
                let groups = if flag { channels } else { 1 };
                let conv = Conv2d::builder(channels, of * channels, kernel).groups(groups).stride(stride);
                let mode = [PadMode::Constant(0.0), PadMode::Replicate][usize::from(of > 2)];
                let conv = conv.padding(padding).padding_mode(mode).build(p);
                Box::new(move |cx, x| conv.forward(cx, x))
            }
            2 => {
                let up = ConvTranspose2d::builder(channels, of, kernel).stride(stride);
                let up = up.output_padding(usize::from(flag && stride > 1)).build(p);
                Box::new(move |cx, x| up.forward(cx, x))
            }
            3 => {
                let norm = BatchNorm2d::new(p, channels);
                Box::new(move |cx, x| norm.forward(cx, x))
            }
            4 => {
                let norm = GroupNorm::new(p, if channels.is_multiple_of(2) { 2 } else { 1 }, channels);
                Box::new(move |cx, x| norm.forward(cx, x))
            }
            // Of more than one number, or there is no variance.
            5 if shape[2] * shape[3] > 1 => {
                let norm = InstanceNorm2d::builder(channels).affine().build(p);
                Box::new(move |cx, x| norm.forward(cx, x))
            }
            6 => Box::new(move |_, x| x.max_pool2d(pool)),
            7 => Box::new(move |_, x| x.avg_pool2d(pool, of > 2)),
            8 => Box::new(move |_, x| x.adaptive_avg_pool([1 + of % 2, 1])),
            _ => {
                let mode = [
                    Interpolation::Nearest,
                    Interpolation::Linear { align_corners: true },
                    Interpolation::Linear { align_corners: false },
                    Interpolation::Cubic { align_corners: false },
                ][of - 1];
                let size = [shape[2] + stride, shape[3] * 2];
                Box::new(move |_, x| x.interpolate(Resize::Size(size), mode))
            }
        }
    }

    /// Of steps in time.
    fn series(&mut self, shape: &[usize]) -> Step {
        let (width, place) = (shape[2], self.place());
        let (kind, of) = (self.below(5), 1 + self.below(4));
        let kernel = 1 + self.below(width.min(3));
        let p = self.params.at(place);
        match kind {
            0 => {
                let conv = Conv1d::builder(shape[1], of, kernel).padding(kernel - 1).build(p);
                Box::new(move |cx, x| conv.forward(cx, x))
            }
            1 => {
                let lstm = Lstm::builder(width, of).batch_first();
                let lstm = if of > 2 { lstm.bidirectional().build(p) } else { lstm.layers(of).build(p) };
                Box::new(move |cx, x| lstm.forward(cx, x))
            }
            2 => {
                let gru = Gru::builder(width, of).batch_first();
                let gru = if of > 2 { gru.no_bias().build(p) } else { gru.bidirectional().build(p) };
                Box::new(move |cx, x| gru.forward(cx, x))
            }
            3 => {
                let heads = if width.is_multiple_of(2) { 2 } else { 1 };
                let layer = TransformerEncoderLayer::new(p, width, heads);
                Box::new(move |cx, x| layer.forward(cx, x))
            }
            _ => {
                let norm = BatchNorm1d::new(p, shape[1]);
                Box::new(move |cx, x| norm.forward(cx, x))
            }
        }
    }

    /// Of the last axis.
    fn features(&mut self, shape: &[usize]) -> Step {
        let (width, place) = (shape[shape.len() - 1], self.place());
        let (kind, of) = (self.below(4), 1 + self.below(6));
        let p = self.params.at(place);
        match kind {
            0 | 1 => {
                let linear = Linear::new(p, width, of);
                Box::new(move |cx, x| linear.forward(cx, x))
            }
            2 => {
                let norm = LayerNorm::new(p, width);
                Box::new(move |cx, x| norm.forward(cx, x))
            }
            _ => {
                let norm = RmsNorm::new(p, width);
                Box::new(move |cx, x| norm.forward(cx, x))
            }
        }
    }

    /// Of each element, or over an axis.
    fn elements(&mut self, shape: &[usize]) -> Step {
        let (axis, keep) = (self.axis(shape), self.below(2) == 0 || shape.len() == 2);
        let other = Tensor::normal(&shape[axis..], 0.0, 1.0, &mut self.chance);
        let other = Var::constant(other);
        match self.below(18) {
            0 => Box::new(|_, x| x.relu()),
            1 => Box::new(|_, x| x.tanh()),
            2 => Box::new(|_, x| x.sigmoid() * x),
            3 => Box::new(|_, x| x.gelu()),
            // A root near 0 would make a rounding error visible.
            4 => Box::new(|_, x| x.sin() + (x.abs() + 0.1).sqrt()),
            5 => Box::new(|_, x| x.clamp(-0.75, 1.25)),
            6 => Box::new(|_, x| (x.square() + 1.0).ln()),
            7 => Box::new(move |_, x| x * &other),
            8 => Box::new(move |_, x| x.maximum(&other)),
            9 => Box::new(move |_, x| Var::select_where(x.gt(&other), x, &(x * 0.5))),
            10 => Box::new(move |_, x| x.softmax(axis as isize)),
            11 => Box::new(move |_, x| x.log_softmax(axis as isize)),
            12 => Box::new(move |_, x| x.cumsum(axis as isize)),
            13 => Box::new(move |_, x| x.mean_axes(axis as isize, keep)),
            14 => Box::new(move |_, x| x.max_axes(axis as isize, keep)),
            15 => Box::new(move |_, x| x.logsumexp(axis as isize, keep)),
            16 => Box::new(move |_, x| x.var_axes(axis as isize, 0, keep)),
            _ => Box::new(move |_, x| x - x.sum_axes(axis as isize, true) * 0.1),
        }
    }

    /// Of places.
    fn arrangement(&mut self, shape: &[usize]) -> Step {
        let axis = self.axis(shape);
        let (from, rank) = (self.below(shape[axis]), shape.len());
        let to = from + 1 + self.below(shape[axis] - from);
        let second = self.axis(shape);
        let widths: Vec<(usize, usize)> =
            (0..rank).map(|i| if i == 0 { (0, 0) } else { (self.below(2), self.below(3)) }).collect();
        let axis = axis as isize;
        match self.below(11) {
            0 => Box::new(move |_, x| x.slice_axis(axis, from..to)),
            1 => Box::new(move |_, x| x.flip(axis)),
            2 => Box::new(move |_, x| x.roll(from as isize - 1, axis)),
            3 => Box::new(move |_, x| x.pad(&widths, 0.5)),
            4 => Box::new(move |_, x| Var::cat(&[x, &x.slice_axis(axis, from..to)], axis)),
            5 => Box::new(move |_, x| x.transpose(axis, second as isize)),
            6 if rank > 2 => Box::new(move |_, x| x.flatten(rank as isize - 2, rank as isize - 1)),
            6 => Box::new(move |_, x| x.unsqueeze(1)),
            7 => Box::new(move |_, x| x.repeat_interleave(2, axis)),
            8 => Box::new(move |_, x| x.sort(axis, from.is_multiple_of(2))),
            9 if rank > 2 => Box::new(move |_, x| x.matmul(&x.transpose(-1, -2)) * 0.5),
            9 => Box::new(move |_, x| x.unsqueeze(2) * x.unsqueeze(1)),
            _ => {
                let counts: Vec<usize> = (0..rank).map(|i| 1 + usize::from(i as isize == axis)).collect();
                Box::new(move |_, x| x.tile(&counts))
            }
        }
    }
}

/// Draws a network of a seed: its parameters, its steps, the shape of an example.
fn network(seed: u64) -> (Params<f64>, Vec<Step>, Vec<usize>) {
    let params = Params::seeded(seed);
    let mut draw = Draw { chance: Generator::seeded(seed), params, made: 0 };
    let rank = 1 + draw.below(3);
    let example: Vec<usize> = (0..rank).map(|_| 1 + draw.below(6)).collect();
    let shape: Vec<usize> = [&[2], &example[..]].concat();
    let mut x = Var::constant(Tensor::normal(&shape[..], 0.0, 1.0, &mut draw.chance));
    let mut steps = Vec::new();
    for _ in 0..3 + draw.below(6) {
        let step = draw.step(x.shape());
        let y = draw.params.infer(|cx| step(cx, &x));
        // Neither too many numbers nor such as leave no digit of a difference.
        let values = y.value().to_vec();
        if values.len() <= 2000 && values.iter().all(|y| y.abs() < 100.0) {
            x = y;
            steps.push(step);
        }
    }
    // What was drawn and left out has parameters that nothing uses, which is as it may be.
    (draw.params, steps, example)
}

#[test]
fn random_networks() {
    let setting = |name, or| std::env::var(name).map_or(or, |text| text.parse().expect("a number"));
    let (number, first): (u64, u64) = (setting("WENGERT_NETWORKS", 40), setting("WENGERT_SEED", 0));
    let mut written = 0;
    for seed in first..first + number {
        let (params, steps, example) = network(seed);
        let forward =
            |cx: &Ctx<f64>, x: &Var<f64>| vec![steps.iter().fold(x.clone(), |x, step| step(cx, &x))];
        let shape: Vec<usize> = [&[1], &example[..]].concat();
        let opset = [17, 18, 20, 21][seed as usize % 4];
        let export = Export::new().input("x", Tensor::ones(&shape[..])).batch("batch").opset(opset);
        let model = match export.model(&params, |cx, i: &Inputs<f64>| forward(cx, i.float(0))) {
            Ok(model) => model,
            Err(ExportError::Constant { .. }) => continue,
            Err(error) => panic!("seed {seed}: {error}"),
        };
        let mut generator = Generator::seeded(seed + 1);
        let runs = [1, 2, 5].map(|size: usize| {
            let shape: Vec<usize> = [&[size], &example[..]].concat();
            let x = Tensor::normal(&shape[..], 0.0, 1.0, &mut generator);
            let y = params.infer(|cx| forward(cx, &Var::constant(x.clone()))).remove(0).into_value();
            (vec![Data::Float(x)], vec![Data::Float(y)])
        });
        let name = format!("random_{seed}_{opset}");
        files::write(&name, &model, &runs);
        files::read_back(&model, &runs).unwrap_or_else(|error| panic!("{name}, read again: {error}"));
        written += 1;
    }
    assert!(written > number / 2, "only {written} of {number} were exported");
}

/// Of two rows at every second one there is one window, which ONNX's rule for shapes says of whole windows alone.
#[test]
fn windows_that_would_begin_behind_the_image_are_none() {
    let params: Params<f64> = Params::seeded(0);
    for (rows, rounded_up) in [(2, false), (5, false), (4, true)] {
        let mut pool = Pool2dOptions::new([if rounded_up { 3 } else { 1 }, 1]);
        (pool.stride, pool.ceil_mode) = ([2, 1], true);
        let x = Tensor::normal([1, 1, rows, 3], 0.0, 1.0, &mut Generator::seeded(1));
        let export = Export::new().input("x", x.clone());
        let model = export.model(&params, |_, i: &Inputs<f64>| vec![i.float(0).max_pool2d(pool)]).unwrap();
        let y = Var::constant(x.clone()).max_pool2d(pool).into_value();
        let runs = [(vec![Data::Float(x)], vec![Data::Float(y)])];
        files::write(&format!("ceil_{rows}"), &model, &runs);
        files::read_back(&model, &runs).unwrap();
        // The attribute, its type, and the number in it.
        let has = |value: u8| {
            let wanted = [&b"ceil_mode\xa0\x01\x02\x18"[..], &[value]].concat();
            model.to_bytes().windows(wanted.len()).any(|window| window == wanted)
        };
        assert!(has(rounded_up.into()) && !has((!rounded_up).into()), "{rows} rows");
    }
}

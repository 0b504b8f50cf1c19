//! Second moments of inputs and cotangents.

use wengert_nn::Layout;
use wengert_optim::KroneckerBlock;
use wengert_tensor::conv::Conv2dGeometry;
use wengert_tensor::{Float, Tensor, parallel};

use super::capture::{Map, Use};

/// Elements of a matrix of patches that is made at once.
const PATCHES: usize = 1 << 21;

/// Σ x xᵀ and Σ x over columns x.
struct Moments<T: Float> {
    second: Tensor<T>,
    first: Tensor<T>,
    count: usize,
}

impl<T: Float> Moments<T> {
    fn new(dimension: usize) -> Self {
        let (second, first) = (Tensor::zeros([dimension, dimension]), Tensor::zeros([dimension]));
        Moments { second, first, count: 0 }
    }

    /// Adds the columns of a matrix.
    fn add(&mut self, columns: &Tensor<T>) {
        self.second.add_matmul(1.0, columns, &columns.t(), 1.0);
        self.first.axpy(1.0, &columns.sum_axes(1, false));
        self.count += columns.dim(1);
    }

    /// E[x̄ x̄ᵀ] with x̄ = (x, 1), or without the one.
    fn mean(&self, homogeneous: bool) -> Tensor<T> {
        let scale = 1.0 / self.count.max(1) as f64;
        let second = &self.second * scale;
        if !homogeneous {
            return second;
        }
        let n = self.first.len();
        let first = (&self.first * scale).reshape([n, 1]);
        let top = Tensor::cat(&[second, first.clone()], 1);
        let bottom = Tensor::cat(&[first.t(), Tensor::ones([1, 1])], 1);
        Tensor::cat(&[top, bottom], 0)
    }
}

/// Appends the blocks of one weight, given the cotangent of each of its uses.
pub(super) fn blocks<T: Float>(
    layout: &Layout,
    map: &Map<T>,
    cotangents: Vec<Option<Tensor<T>>>,
    into: &mut Vec<KroneckerBlock<T>>,
) {
    let weight = &layout.entries()[map.weight];
    let [outputs, inputs] = [weight.shape[0] / map.groups, weight.shape[1..].iter().product()];
    for group in 0..map.groups {
        let (mut a, mut g) = (Moments::new(inputs), Moments::new(outputs));
        for (used, cotangent) in map.uses.iter().zip(&cotangents) {
            add_inputs(&mut a, used, group);
            if let Some(cotangent) = cotangent {
                g.add(&positions(cotangent, used, group * outputs..(group + 1) * outputs));
            }
        }
        let start = weight.start + group * outputs * inputs;
        let bias = map.bias.map(|bias| layout.entries()[bias].start + group * outputs);
        let inputs = a.mean(bias.is_some()).to_vec();
        into.push(KroneckerBlock::new(start, bias, inputs, g.second.to_vec()));
    }
}

/// The cotangents of some channels, a column for each position.
fn positions<T: Float>(cotangent: &Tensor<T>, of: &Use<T>, channels: std::ops::Range<usize>) -> Tensor<T> {
    if of.geometry.is_none() {
        return rows(cotangent).t();
    }
    let count = channels.len();
    let slice = cotangent.slice_axis(1, channels).transpose(0, 1).contiguous();
    let positions = slice.len() / count.max(1);
    slice.reshape([count, positions])
}

/// All axes but the last as one.
fn rows<T: Float>(x: &Tensor<T>) -> Tensor<T> {
    let features = x.dim(-1);
    x.reshape([x.len() / features.max(1), features])
}

fn add_inputs<T: Float>(moments: &mut Moments<T>, used: &Use<T>, group: usize) {
    let Some(geometry) = &used.geometry else {
        return moments.add(&rows(&used.input).t());
    };
    let [_, channels, height, width] = geometry.weight_shape();
    let [images, _, rows, columns] = geometry.output_shape();
    let each = channels * height * width * rows * columns;
    let at_once = (PATCHES / each.max(1)).max(1);
    let input = used.input.contiguous();
    for first in (0..images).step_by(at_once) {
        moments.add(&patches(geometry, &input, group, first..images.min(first + at_once)));
    }
}

/// The pixels that the kernel meets: a row for each of its taps (channel, y, x), a column for each position in each image.
fn patches<T: Float>(
    geometry: &Conv2dGeometry,
    input: &Tensor<T>,
    group: usize,
    images: std::ops::Range<usize>,
) -> Tensor<T> {
    let [_, all_channels, height, width] = geometry.input_shape();
    let [_, channels, kernel_height, kernel_width] = geometry.weight_shape();
    let [_, _, rows, columns] = geometry.output_shape();
    let options = geometry.options();
    let pixels = input.as_slice().expect("made contiguous before");
    let taps = channels * kernel_height * kernel_width;
    let positions = images.len() * rows * columns;
    // The coordinate that a tap meets, if that is not in the padding.
    let meets = |axis: usize, position: usize, tap: usize, size: usize| {
        let at = position * options.stride[axis] + tap * options.dilation[axis];
        at.checked_sub(options.padding[axis]).filter(|&at| at < size)
    };
    Tensor::written([taps, positions], |out| {
        parallel::for_each_chunk(
            out,
            positions,
            taps * positions >= parallel::PARALLEL_THRESHOLD,
            |start, out| {
                let tap = start / positions;
                let (channel, tap) =
                    (tap / (kernel_height * kernel_width), tap % (kernel_height * kernel_width));
                let (tap_y, tap_x) = (tap / kernel_width, tap % kernel_width);
                for (i, line) in out.chunks_mut(columns).enumerate() {
                    let image = images.start + i / rows;
                    let Some(y) = meets(0, i % rows, tap_y, height) else {
                        line.fill(T::ZERO);
                        continue;
                    };
                    let plane = image * all_channels + group * channels + channel;
                    let source = &pixels[(plane * height + y) * width..][..width];
                    for (x, pixel) in line.iter_mut().enumerate() {
                        *pixel = meets(1, x, tap_x, width).map_or(T::ZERO, |x| source[x]);
                    }
                }
            },
        );
    })
}

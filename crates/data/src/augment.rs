//! Random changes of images that leave their classes as they are.

use wengert_tensor::random::Generator;
use wengert_tensor::{Float, Tensor, parallel};

/// How images `[batch, channels, height, width]` are changed at random: each is shifted, rotated, scaled, mirrored and
/// distorted, all in one resampling by bilinear interpolation, and then a square of it is blanked. By default nothing is
/// done.
///
/// ```
/// use wengert_data::Augment;
/// use wengert_tensor::Tensor;
/// let augment = Augment { shift: 2.0, rotate: 10.0, ..Augment::default() };
/// let images = Tensor::<f32>::ones([64, 1, 28, 28]);
/// for step in 0..3 {
///     let changed = augment.apply(&images, step);
///     assert_eq!(changed.shape(), images.shape());
/// }
/// ```
#[doc(alias = "transforms")]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Augment {
    /// Up to how many pixels each image is moved along each axis; uniform.
    pub shift: f64,
    /// Up to how many degrees it is turned about its centre, either way; uniform.
    pub rotate: f64,
    /// Up to which part it becomes larger or smaller: by a factor that is uniform in 1 ± `scale`.
    pub scale: f64,
    /// Whether half of the images are mirrored, left to right.
    pub flip: bool,
    /// A smooth random distortion.
    pub elastic: Option<Elastic>,
    /// The side of a square that is blanked, whose centre is anywhere in the image (DeVries and Taylor, "Improved
    /// regularization of convolutional neural networks with cutout", 2017).
    pub cutout: usize,
    /// What stands beyond the edges and in the blanked square: for normalised pixels, what was black.
    pub fill: f64,
}

/// A distortion by random displacements, uniform in ±1 and independent at each pixel, smoothed by a Gaussian of that
/// width and multiplied (Simard, Steinkraus and Platt, "Best practices for convolutional neural networks applied to visual
/// document analysis", 2003). For digits of 28 × 28 pixels, a strength of 34 and a width of 4 are usual.
///
/// ```
/// use wengert_data::{Augment, Elastic};
/// use wengert_tensor::Tensor;
/// let augment = Augment { elastic: Some(Elastic { strength: 34.0, width: 4.0 }), ..Augment::default() };
/// let digits = Tensor::<f32>::from_fn([1, 1, 28, 28], |i| if i[2] == i[3] { 1.0 } else { 0.0 });
/// assert_ne!(augment.apply(&digits, 0), digits);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Elastic {
    /// The factor α of the smoothed displacements, in pixels.
    pub strength: f64,
    /// The standard deviation σ of the Gaussian, in pixels.
    pub width: f64,
}

impl Default for Augment {
    fn default() -> Self {
        Augment { shift: 0.0, rotate: 0.0, scale: 0.0, flip: false, elastic: None, cutout: 0, fill: 0.0 }
    }
}

impl Augment {
    /// The images, changed by numbers that follow from the seed and from the position of each in the batch. Another seed for
    /// each step gives each epoch other images; the same gives the same bits, on any number of threads.
    ///
    /// # Panics
    /// If there are not four axes, or a setting makes no sense: a negative or infinite shift or angle, a scale that is not in
    /// [0, 1), an elastic width that is not positive.
    #[track_caller]
    pub fn apply<T: Float>(&self, images: &Tensor<T>, seed: u64) -> Tensor<T> {
        self.check();
        let [_, channels, height, width] = images.shape()[..] else {
            panic!("augment: images {} are not [batch, channels, height, width]", images.shape());
        };
        let (size, plane) = (channels * height * width, height * width);
        let images = images.contiguous();
        let pixels = images.as_slice().expect("made contiguous");
        Tensor::written_for("augment", images.shape(), |out| {
            let parallel = out.len() >= parallel::PARALLEL_THRESHOLD;
            parallel::for_each_chunk(out, size, parallel, |start, out| {
                if out.is_empty() {
                    return;
                }
                let mut generator = Generator::seeded(seed).fork((start / size) as u64);
                let map = Map::drawn(self, [height, width], &mut generator);
                let planes = pixels[start..start + size].chunks_exact(plane);
                for (out, pixels) in out.chunks_exact_mut(plane).zip(planes) {
                    map.apply(pixels, T::from_f64(self.fill), out);
                }
            });
        })
    }

    #[track_caller]
    fn check(&self) {
        let Augment { shift, rotate, scale, elastic, .. } = *self;
        assert!(shift >= 0.0 && shift.is_finite(), "augment: a shift of {shift} pixels");
        assert!(rotate >= 0.0 && rotate.is_finite(), "augment: a rotation of {rotate} degrees");
        assert!((0.0..1.0).contains(&scale), "augment: the scale {scale} is not in [0, 1)");
        if let Some(Elastic { strength, width }) = elastic {
            let fits = strength.is_finite() && width > 0.0 && width.is_finite();
            assert!(fits, "augment: an elastic distortion of strength {strength} and width {width}");
        }
    }
}

/// Where each pixel of one image comes from.
struct Map {
    size: [usize; 2],
    /// Rows of the matrix from places in the result to such in the image, both from the centre.
    turn: [[f64; 2]; 2],
    shift: [f64; 2],
    /// How far each pixel's source is displaced, down and across.
    displaced: Option<[Vec<f64>; 2]>,
    /// The first row and column of the blanked square, and those behind the last.
    blanked: [[usize; 2]; 2],
    /// Whether anything is resampled.
    moves: bool,
}

impl Map {
    fn drawn(augment: &Augment, size: [usize; 2], generator: &mut Generator) -> Self {
        let mut within = |limit: f64| (2.0 * generator.uniform() - 1.0) * limit;
        let shift = [within(augment.shift), within(augment.shift)];
        let (sin, cos) = within(augment.rotate).to_radians().sin_cos();
        let factor = 1.0 / (1.0 + within(augment.scale));
        let mirror = if generator.bernoulli(0.5) && augment.flip { -1.0 } else { 1.0 };
        let turn = [[cos * factor, sin * factor], [-sin * factor * mirror, cos * factor * mirror]];
        let displaced =
            augment.elastic.map(|elastic| [0; 2].map(|_| displacements(elastic, size, generator)));
        let blanked = size.map(|length| {
            let centre = generator.below(length as u64) as usize;
            let first = centre.saturating_sub(augment.cutout / 2);
            // The part of the square that is before the image is not made up for behind.
            let end = (centre + augment.cutout.div_ceil(2).min(length)).min(length);
            if augment.cutout == 0 { [0, 0] } else { [first, end] }
        });
        let still = shift == [0.0; 2] && turn == [[1.0, 0.0], [0.0, 1.0]] && displaced.is_none();
        Map { size, turn, shift, displaced, blanked, moves: !still }
    }

    fn apply<T: Float>(&self, pixels: &[T], fill: T, out: &mut [T]) {
        if self.moves {
            self.resample(pixels, fill, out);
        } else {
            out.copy_from_slice(pixels);
        }
        let [[top, bottom], [left, right]] = self.blanked;
        for row in out.chunks_exact_mut(self.size[1]).take(bottom).skip(top) {
            row[left..right].fill(fill);
        }
    }

    fn resample<T: Float>(&self, pixels: &[T], fill: T, out: &mut [T]) {
        let [height, width] = self.size;
        let centre = self.size.map(|length| (length as f64 - 1.0) / 2.0);
        let pixel = |y: f64, x: f64| {
            let inside = y >= 0.0 && x >= 0.0 && y < height as f64 && x < width as f64;
            if inside { pixels[y as usize * width + x as usize].to_f64() } else { fill.to_f64() }
        };
        for (i, out) in out.iter_mut().enumerate() {
            let from_centre = [(i / width) as f64, (i % width) as f64];
            let at = [0, 1].map(|axis| from_centre[axis] - centre[axis] - self.shift[axis]);
            let [y, x] = [0, 1].map(|axis| {
                let displaced = self.displaced.as_ref().map_or(0.0, |of| of[axis][i]);
                self.turn[axis][0] * at[0] + self.turn[axis][1] * at[1] + centre[axis] + displaced
            });
            let (top, left) = (y.floor(), x.floor());
            let (down, across) = (y - top, x - left);
            let row = |y: f64| {
                let [a, b] = [pixel(y, left), pixel(y, left + 1.0)];
                a + across * (b - a)
            };
            let (upper, lower) = (row(top), row(top + 1.0));
            *out = T::from_f64(upper + down * (lower - upper));
        }
    }
}

/// Smoothed displacements of all pixels along one axis.
fn displacements(elastic: Elastic, [height, width]: [usize; 2], generator: &mut Generator) -> Vec<f64> {
    let random: Vec<f64> = (0..height * width).map(|_| 2.0 * generator.uniform() - 1.0).collect();
    // The Gaussian up to three standard deviations; beyond the image it meets zeros.
    let longest = height.max(width) as f64;
    let reach = (3.0 * elastic.width).ceil().min(longest) as usize;
    let weight = |distance: usize| (-0.5 * (distance as f64 / elastic.width).powi(2)).exp();
    let weights: Vec<f64> = (0..=reach).map(weight).collect();
    let total = 2.0 * weights.iter().sum::<f64>() - weights[0];
    let smooth = |from: &[f64], length: usize, stride: usize| -> Vec<f64> {
        let smoothed = |i: usize| {
            let at = i / stride % length;
            let low = at.saturating_sub(reach);
            let high = (at + reach).min(length - 1);
            let terms = (low..=high)
                .map(|other| weights[at.abs_diff(other)] * from[i + other * stride - at * stride]);
            terms.sum::<f64>() / total
        };
        (0..from.len()).map(smoothed).collect()
    };
    let across = smooth(&random, width, 1);
    let mut both = smooth(&across, height, width);
    both.iter_mut().for_each(|x| *x *= elastic.strength);
    both
}

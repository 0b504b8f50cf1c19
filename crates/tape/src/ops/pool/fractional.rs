//! Max pooling with windows at random places.

use wengert_tensor::size::check_positions;
use wengert_tensor::{Float, Shape, Tensor, size};

use crate::class::{Decision, decision};
use crate::data::{Data, Discrete, Index};
use crate::describe::Attributes;
use crate::op::rules_compiled_here;
use crate::ops::along_axis::nothing;
use crate::ops::slice;
use crate::var::Var;

/// The positions of the largest elements, counted in row-major order over the pooled axes, from the images and the random
/// numbers.
#[derive(Clone)]
struct Maxima {
    kernel: Vec<usize>,
    size: Vec<usize>,
}

impl<T: Float> Decision<T> for Maxima {
    type Element = u32;
    fn name(&self) -> &str {
        "fractional_max_pool_positions"
    }

    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("kernel", &self.kernel[..]);
        attributes.set("to", &self.size[..]);
    }

    fn forward(&self, x: &[&Tensor<T>], _: &[&Data<T>]) -> Tensor<u32> {
        let (images, samples) = (x[0].contiguous(), x[1].contiguous());
        let sizes = &images.shape()[2..];
        let (pixels, pooled): (usize, usize) = (sizes.iter().product(), self.size.iter().product());
        let shape: Shape = images.shape()[..2].iter().chain(&self.size).copied().collect();
        Tensor::written_for("fractional_max_pool", shape, |out| {
            let planes = slice(&images).chunks_exact(pixels).zip(slice(&samples).chunks_exact(sizes.len()));
            for (out, (plane, samples)) in out.chunks_exact_mut(pooled).zip(planes) {
                let starts: Vec<Vec<usize>> = (0..sizes.len())
                    .map(|axis| {
                        starts(sizes[axis], self.size[axis], self.kernel[axis], samples[axis].to_f64())
                    })
                    .collect();
                for (i, position) in out.iter_mut().enumerate() {
                    *position = self.largest(plane, sizes, &starts, i) as u32;
                }
            }
        })
    }
    rules_compiled_here!(Maxima in DecisionOp);
}

impl Maxima {
    /// The position of the largest element of window `i`: the first of equal ones, or the last NaN.
    fn largest<T: Float>(&self, plane: &[T], sizes: &[usize], starts: &[Vec<usize>], mut i: usize) -> usize {
        let mut corner = vec![0; sizes.len()];
        for axis in (0..sizes.len()).rev() {
            corner[axis] = starts[axis][i % self.size[axis]];
            i /= self.size[axis];
        }
        let taps: usize = self.kernel.iter().product();
        let place = |mut tap: usize| {
            let (mut place, mut stride) = (0, 1);
            for axis in (0..sizes.len()).rev() {
                place += (corner[axis] + tap % self.kernel[axis]) * stride;
                stride *= sizes[axis];
                tap /= self.kernel[axis];
            }
            place
        };
        (1..taps)
            .map(place)
            .fold(place(0), |best, at| if plane[at] > plane[best] || plane[at].is_nan() { at } else { best })
    }
}

/// Where the windows along an axis begin: ⌊(i + u)·α⌋ − ⌊u·α⌋ with α = (n − kernel) / (windows − 1), the last at its end.
fn starts(length: usize, windows: usize, kernel: usize, sample: f64) -> Vec<usize> {
    let last = length - kernel;
    let step = last as f64 / windows.saturating_sub(1).max(1) as f64;
    let floor = |i: usize| ((i as f64 + sample) * step) as usize;
    let start = |i: usize| if i + 1 == windows { last } else { (floor(i) - floor(0)).min(last) };
    (0..windows).map(start).collect()
}

impl<T: Float> Var<T> {
    /// The largest elements of windows of extent `kernel` over the last `D` axes of `[batch, channels, size…]`, as many as
    /// `size` says, whose distances are random but on average as large as it takes (Graham, "Fractional max-pooling", 2014). The
    /// numbers `samples` in [0, 1), `[batch, channels, D]`, choose the windows of each channel of each image along each axis;
    /// nothing is differentiated by them. With the positions of the elements, as [`max_unpool`](Var::max_unpool) takes them.
    ///
    /// # Panics
    /// If there are not `D + 2` axes, the samples have another shape or are not in [0, 1), an extent is 0, or kernel and
    /// number of windows are together larger than the axis and one.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let x = Var::from([1.0f64, 5.0, 2.0, 3.0, 4.0]).reshape([1, 1, 5]);
    /// let (y, at) = x.fractional_max_pool([2], [3], &Var::from([[[0.4]]]));
    /// assert_eq!((y.value().to_vec(), at.value().to_vec()), (vec![5.0, 3.0, 4.0], vec![1, 3, 4]));
    /// ```
    #[doc(alias = "fractional_max_pool2d")]
    #[doc(alias = "fractional_max_pool3d")]
    #[track_caller]
    pub fn fractional_max_pool<const D: usize>(
        &self,
        kernel: [usize; D],
        size: [usize; D],
        samples: &Var<T>,
    ) -> (Var<T>, Index<T>) {
        let shape = self.shape();
        assert!(D > 0 && shape.len() == D + 2, "fractional_max_pool: {shape} does not have {} axes", D + 2);
        for axis in 0..D {
            let length = shape[axis + 2];
            let together = kernel[axis].checked_add(size[axis]);
            let fits =
                kernel[axis] > 0 && together.is_some_and(|together| together <= length.saturating_add(1));
            assert!(
                fits,
                "fractional_max_pool: {size:?} windows of extent {kernel:?} do not fit {shape}: along each axis they are together at most one more than its length"
            );
        }
        assert!(
            samples.shape() == &[shape[0], shape[1], D],
            "fractional_max_pool: samples {} for images {shape} over {D} axes",
            samples.shape()
        );
        let values = samples.value().to_vec();
        if let Some(value) = values.iter().find(|&&u| !(T::ZERO..T::ONE).contains(&u)) {
            panic!("fractional_max_pool: the sample {value} is not in [0, 1)");
        }
        let pooled: Shape = shape[..2].iter().copied().chain(size).collect();
        if let Some(nothing) = nothing(self, &pooled) {
            return (nothing, Discrete::constant(Tensor::zeros(pooled)));
        }
        // No product of a tensor's lengths overflows, nor of those of windows within it.
        let (pixels, windows) = (shape[2..].iter().product(), size::product("fractional_max_pool", &size));
        check_positions("fractional_max_pool", pixels);
        let maxima = Maxima { kernel: kernel.to_vec(), size: size.to_vec() };
        let at: Index<T> = decision(maxima, &[self, samples], &[]);
        let flat = self.reshape([shape[0], shape[1], pixels]);
        let values = flat.gather(2, at.reshape([shape[0], shape[1], windows])).reshape(pooled);
        (values, at)
    }
}

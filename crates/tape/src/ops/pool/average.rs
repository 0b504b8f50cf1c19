//! Average pooling.

use wengert_tensor::pool::{Divisor, avg_pool2d, avg_pool2d_gradient};
use wengert_tensor::{Float, Shape, Tensor};

use super::planes::{Planes, PoolOptions, Window};
use super::{Pool1dOptions, Pool2dOptions, Pool3dOptions};
use crate::class::LinearMap;
use crate::describe::Attributes;
use crate::op::rules_compiled_here;
use crate::ops::slice;
use crate::var::Var;

/// The mean of each window, or the transpose.
#[derive(Clone)]
struct AvgPool {
    window: Window,
    divisor: Divisor,
    transposed: bool,
}

impl<T: Float> LinearMap<T> for AvgPool {
    fn name(&self) -> &str {
        if self.transposed { "avg_pool2d_gradient" } else { "avg_pool2d" }
    }

    fn describe(&self, attributes: &mut Attributes) {
        self.window.describe(attributes);
        match self.divisor {
            Divisor::Taps => attributes.set("divisor", "taps"),
            Divisor::Pixels => attributes.set("divisor", "pixels"),
            Divisor::Fixed(number) => attributes.set("divisor", number),
        }
    }

    fn forward(&self, x: &Tensor<T>) -> Tensor<T> {
        let x = x.contiguous();
        let g = &self.window.geometry;
        if self.transposed {
            let back = |out: &mut [T]| avg_pool2d_gradient(g, self.divisor, slice(&x), out);
            Tensor::written_for("avg_pool2d", g.input_shape(), back)
        } else {
            let means = |out: &mut [T]| avg_pool2d(g, self.divisor, slice(&x), out);
            Tensor::written_for("avg_pool2d", g.output_shape(), means)
        }
    }

    fn transpose(&self, cotangent: &Var<T>, _: &Shape) -> Var<T> {
        cotangent.linear(AvgPool { transposed: !self.transposed, ..self.clone() })
    }

    fn output_shape(&self, _: &Shape) -> Option<Shape> {
        let g = &self.window.geometry;
        Some(if self.transposed { g.input_shape() } else { g.output_shape() }.into())
    }
    rules_compiled_here!(AvgPool in LinearOp);
}

impl<T: Float> Var<T> {
    /// The mean of each window over the last `D` axes, of which there are one, two or three, of `[batch, channels, size…]`.
    /// What the sums are divided by, a [`Divisor`] says; `true` stands for [`Divisor::Taps`], by which the zeros of the
    /// padding count as elements (PyTorch's default), `false` for [`Divisor::Pixels`], by which they do not.
    /// [`avg_pool1d`](Var::avg_pool1d), [`avg_pool2d`](Var::avg_pool2d) and [`avg_pool3d`](Var::avg_pool3d) are the same for one
    /// number of axes.
    ///
    /// # Panics
    /// If there are not `D + 2` axes, the window does not fit, or the divisor is 0.
    ///
    /// ```
    /// use wengert_tape::{PoolOptions, Var};
    /// use wengert_tensor::pool::Divisor;
    /// let means = Var::from([[[1.0f64, 3.0, 5.0, 7.0]]]).avg_pool(PoolOptions::new([2]), Divisor::Taps);
    /// assert_eq!(means.value().to_vec(), [2.0, 6.0]);
    /// ```
    #[track_caller]
    pub fn avg_pool<const D: usize>(&self, options: PoolOptions<D>, divisor: impl Into<Divisor>) -> Var<T> {
        let operation = ["avg_pool1d", "avg_pool2d", "avg_pool3d"][D - 1];
        let planes = Planes::new(operation, &options, self.shape());
        let mut divisor = divisor.into();
        assert!(divisor != Divisor::Fixed(0), "{operation}: the divisor is 0");
        let mut x = self.clone();
        for window in planes.windows {
            x = x.reshape(window.geometry.input_shape()).linear(AvgPool {
                window,
                divisor,
                transposed: false,
            });
            // A number divides once, of sums of sums.
            if let Divisor::Fixed(number) = &mut divisor {
                *number = 1;
            }
        }
        x.reshape(planes.output)
    }

    /// The mean of each window of sequences `[batch, channels, length]`: see [`avg_pool`](Var::avg_pool).
    ///
    /// # Panics
    /// If there are not three axes, the window does not fit, or the divisor is 0.
    #[track_caller]
    pub fn avg_pool1d(&self, options: Pool1dOptions, divisor: impl Into<Divisor>) -> Var<T> {
        self.avg_pool(options, divisor)
    }

    /// The mean of each window of images `[batch, channels, height, width]`: see [`avg_pool`](Var::avg_pool).
    ///
    /// # Panics
    /// If there are not four axes, the window does not fit, or the divisor is 0.
    ///
    /// ```
    /// use wengert_tape::{Pool2dOptions, Var};
    /// let image = Var::from([1.0f32, 2.0, 3.0, 4.0]).reshape([1, 1, 2, 2]);
    /// let padded = Pool2dOptions { padding: [0, 1], ..Pool2dOptions::new([2, 2]) };
    /// assert_eq!(image.avg_pool2d(padded, true).value().to_vec(), [1.0, 1.5]);
    /// assert_eq!(image.avg_pool2d(padded, false).value().to_vec(), [2.0, 3.0]);
    /// ```
    #[track_caller]
    pub fn avg_pool2d(&self, options: Pool2dOptions, divisor: impl Into<Divisor>) -> Var<T> {
        self.avg_pool(options, divisor)
    }

    /// The mean of each window of volumes `[batch, channels, depth, height, width]`: see [`avg_pool`](Var::avg_pool).
    ///
    /// # Panics
    /// If there are not five axes, the window does not fit, or the divisor is 0.
    #[track_caller]
    pub fn avg_pool3d(&self, options: Pool3dOptions, divisor: impl Into<Divisor>) -> Var<T> {
        self.avg_pool(options, divisor)
    }
}

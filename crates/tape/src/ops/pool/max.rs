//! Max pooling.

use wengert_tensor::pool::{max_pool2d, pool_gather, pool_scatter};
use wengert_tensor::size::check_positions;
use wengert_tensor::{Float, Shape, Tensor};

use super::planes::{Planes, PoolOptions, Window};
use super::{Pool1dOptions, Pool2dOptions, Pool3dOptions};
use crate::class::{Decision, DecisionOp, Routing, RoutingOp, decision, routed};
use crate::data::{Data, Discrete, Given, Index};
use crate::describe::Attributes;
use crate::op::{apply_known, decide_known, rules_compiled_here};
use crate::ops::slice;
use crate::profile::Timing;
use crate::var::Var;

/// The largest element of each window, and where it was found.
fn maxima<T: Float>(window: &Window, x: &Tensor<T>) -> (Tensor<T>, Tensor<u32>) {
    let image = x.contiguous();
    let shape = Shape::from(window.geometry.output_shape());
    let mut positions = Tensor::zeros(&shape);
    let values = Tensor::written_for("max_pool2d", shape, |values| {
        max_pool2d(&window.geometry, slice(&image), values, positions.as_mut_slice());
    });
    (values, positions)
}

/// Where the largest element of each window is: the first of equal ones, as in PyTorch.
#[derive(Clone)]
struct MaxPositions(Window);

impl<T: Float> Decision<T> for MaxPositions {
    type Element = u32;
    fn name(&self) -> &str {
        "max_pool2d_positions"
    }
    fn describe(&self, attributes: &mut Attributes) {
        self.0.describe(attributes);
    }
    fn forward(&self, x: &[&Tensor<T>], _: &[&Data<T>]) -> Tensor<u32> {
        maxima(&self.0, x[0]).1
    }
    rules_compiled_here!(MaxPositions in DecisionOp);
}

/// Reads the image at the positions of the maxima, or adds to it there.
#[derive(Clone)]
struct AtMaxima {
    window: Window,
    gather: bool,
}

impl<T: Float> Routing<T> for AtMaxima {
    fn name(&self) -> &str {
        if self.gather { "max_pool2d" } else { "max_pool2d_gradient" }
    }

    fn describe(&self, attributes: &mut Attributes) {
        self.window.describe(attributes);
    }

    fn forward(&self, x: &Tensor<T>, positions: &Data<T>) -> Tensor<T> {
        let (x, positions) = (x.contiguous(), positions.index().contiguous());
        let (geometry, positions) = (&self.window.geometry, slice(&positions));
        if self.gather {
            let gathered = |out: &mut [T]| pool_gather(geometry, positions, slice(&x), out);
            Tensor::written_for("max_pool2d", geometry.output_shape(), gathered)
        } else {
            let scattered = |out: &mut [T]| pool_scatter(geometry, positions, slice(&x), out);
            Tensor::written_for("max_pool2d", geometry.input_shape(), scattered)
        }
    }

    fn transpose(&self, cotangent: &Var<T>, positions: &Given<T>, _: &Shape) -> Var<T> {
        routed(cotangent, AtMaxima { gather: !self.gather, ..self.clone() }, positions)
    }

    fn output_shape(&self, _: &Shape) -> Option<Shape> {
        let g = &self.window.geometry;
        Some(if self.gather { g.output_shape() } else { g.input_shape() }.into())
    }
    rules_compiled_here!(AtMaxima in RoutingOp);
}

/// Positions in images of some shape, of which those of volumes are made of the positions in the slices and of those along
/// the depth in what the slices gave.
#[derive(Clone)]
struct Positions {
    /// Pixels of a slice of the volume, and of what pooling made of it.
    slices: [usize; 2],
    shape: Shape,
}

impl<T: Float> Decision<T> for Positions {
    type Element = u32;
    fn name(&self) -> &str {
        "max_pool_positions"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("slices", &self.slices[..]);
        attributes.set("shape", &self.shape);
    }
    fn forward(&self, _: &[&Tensor<T>], given: &[&Data<T>]) -> Tensor<u32> {
        let first = given[0].index().contiguous();
        let Some(along) = given.get(1) else { return first.reshape(&self.shape) };
        let (first, along) = (slice(&first), along.index().contiguous());
        let [pixels, pooled] = self.slices;
        // Of one channel of one volume: its slices' positions, and those along the depth.
        let volumes = self.shape[..2].iter().product::<usize>().max(1);
        let (firsts, depths) = (first.len() / volumes, along.len() / volumes);
        Tensor::written_for("max_pool3d", &self.shape, |out| {
            for (i, (out, &at)) in out.iter_mut().zip(slice(&along)).enumerate() {
                let at = at as usize;
                let in_slice = first[i / depths * firsts + at];
                *out = (at / pooled * pixels) as u32 + in_slice;
            }
        })
    }
    rules_compiled_here!(Positions in DecisionOp);
}

/// One pooling: the maxima, and where they are.
fn pooled<T: Float>(x: &Var<T>, window: &Window) -> (Var<T>, Given<T>) {
    let x = x.reshape(window.geometry.input_shape());
    // One pass finds both; a recording has them as two operations.
    let timing = Timing::start();
    let (values, positions) = maxima(window, x.value());
    timing.named::<T>("max_pool2d", &[x.shape()], values.shape());
    let positions =
        decide_known(DecisionOp(MaxPositions(window.clone())), &[&x], &[], Data::Index(positions));
    let gather = RoutingOp(AtMaxima { window: window.clone(), gather: true });
    let values = apply_known(gather, &[&x], &[&positions], values);
    (values, positions)
}

/// All poolings of a window.
#[track_caller]
fn pooled_by<T: Float, const D: usize>(
    x: &Var<T>,
    options: &PoolOptions<D>,
) -> (Planes, Var<T>, Vec<Given<T>>) {
    let planes = Planes::new(["max_pool1d", "max_pool2d", "max_pool3d"][D - 1], options, x.shape());
    let (mut values, mut positions) = (x.clone(), Vec::new());
    for window in &planes.windows {
        let (maxima, at) = pooled(&values, window);
        values = maxima;
        positions.push(at);
    }
    let values = values.reshape(&planes.output);
    (planes, values, positions)
}

impl<T: Float> Var<T> {
    /// The largest element of each window over the last `D` axes, of which there are one, two or three, of
    /// `[batch, channels, size…]`; NaN if there is one. The derivative goes to the first of equal elements.
    /// [`max_pool1d`](Var::max_pool1d), [`max_pool2d`](Var::max_pool2d) and [`max_pool3d`](Var::max_pool3d) are the same for one
    /// number of axes.
    ///
    /// # Panics
    /// If there are not `D + 2` axes, or the window does not fit.
    #[track_caller]
    pub fn max_pool<const D: usize>(&self, options: PoolOptions<D>) -> Var<T> {
        pooled_by(self, &options).1
    }

    /// [`max_pool`](Var::max_pool) with the positions of the largest elements, counted in row-major order over the last `D`
    /// axes (PyTorch's `return_indices`). [`max_unpool`](Var::max_unpool) takes them.
    ///
    /// # Panics
    /// If there are not `D + 2` axes, the window does not fit, or positions do not fit into `u32`.
    ///
    /// ```
    /// use wengert_tape::{PoolOptions, Var};
    /// let x = Var::from([3.0f64, 1.0, 2.0, 5.0]).reshape([1, 1, 4]);
    /// let (y, at) = x.max_pool_with_indices(PoolOptions::new([2]));
    /// assert_eq!((y.value().to_vec(), at.value().to_vec()), (vec![3.0, 5.0], vec![0, 3]));
    /// ```
    #[doc(alias = "return_indices")]
    #[track_caller]
    pub fn max_pool_with_indices<const D: usize>(&self, options: PoolOptions<D>) -> (Var<T>, Index<T>) {
        let (planes, values, positions) = pooled_by(self, &options);
        // A volume without elements may have axes of any length.
        if self.is_empty() {
            let none = Tensor::zeros(&planes.output);
            return (values, Discrete::constant(none));
        }
        check_positions("max_pool_with_indices", self.shape()[2..].iter().product());
        if D == 2 {
            return (values, Discrete::of(positions[0].clone()));
        }
        let pixels = |shape: &Shape| shape[shape.len() - 2..].iter().product();
        let slices = [pixels(self.shape()), pixels(&planes.output)];
        let given: Vec<&Given<T>> = positions.iter().collect();
        (values, decision(Positions { slices, shape: planes.output }, &[], &given))
    }

    /// The largest element of each window of sequences `[batch, channels, length]`: see [`max_pool`](Var::max_pool).
    ///
    /// # Panics
    /// If there are not three axes, or the window does not fit.
    #[track_caller]
    pub fn max_pool1d(&self, options: Pool1dOptions) -> Var<T> {
        self.max_pool(options)
    }

    /// The largest element of each window of images `[batch, channels, height, width]`; NaN if there is one. The
    /// derivative goes to the first of equal elements. See [`max_pool`](Var::max_pool).
    ///
    /// # Panics
    /// If there are not four axes, or the window does not fit.
    ///
    /// ```
    /// use wengert_tape::{Pool2dOptions, Var};
    /// let image = Var::from([1.0f32, 2.0, 3.0, 4.0]).reshape([1, 1, 2, 2]);
    /// assert_eq!(image.max_pool2d(Pool2dOptions::new([2, 2])).item(), 4.0);
    /// ```
    #[track_caller]
    pub fn max_pool2d(&self, options: Pool2dOptions) -> Var<T> {
        self.max_pool(options)
    }

    /// The largest element of each window of volumes `[batch, channels, depth, height, width]`: see
    /// [`max_pool`](Var::max_pool).
    ///
    /// # Panics
    /// If there are not five axes, or the window does not fit.
    #[track_caller]
    pub fn max_pool3d(&self, options: Pool3dOptions) -> Var<T> {
        self.max_pool(options)
    }
}

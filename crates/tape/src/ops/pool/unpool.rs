//! Max-unpooling: values put back where the maxima were.

use wengert_tensor::size::check_positions;
use wengert_tensor::{Float, Shape, Tensor};

use crate::class::{Decision, Routing, decision, routed};
use crate::data::{Data, Given, Index, Mask};
use crate::describe::Attributes;
use crate::op::rules_compiled_here;
use crate::ops::slice;
use crate::var::Var;

/// Positions within planes of `pixels`, of images of some shape.
#[derive(Clone)]
struct Places {
    /// Of the unpooled images.
    shape: Shape,
    /// Of the positions.
    positions: Shape,
    /// From positions to images, or back.
    spread: bool,
}

impl Places {
    /// Pixels of an unpooled and of a pooled plane.
    fn planes(&self) -> [usize; 2] {
        [&self.shape, &self.positions].map(|shape| shape[2..].iter().product())
    }
}

impl<T: Float> Routing<T> for Places {
    fn name(&self) -> &str {
        if self.spread { "max_unpool" } else { "max_unpool_gradient" }
    }

    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("shape", &self.shape);
        attributes.set("positions", &self.positions);
    }

    fn forward(&self, x: &Tensor<T>, positions: &Data<T>) -> Tensor<T> {
        let (x, positions) = (x.contiguous(), positions.index().contiguous());
        let (x, positions) = (slice(&x), slice(&positions));
        let [plane, pooled] = self.planes();
        // The pixel that a position means, as a place among all.
        let place = |i: usize| i / pooled * plane + positions[i] as usize;
        if self.spread {
            Tensor::written_for("max_unpool", &self.shape, |out| {
                out.fill(T::ZERO);
                x.iter().enumerate().for_each(|(i, &x)| out[place(i)] += x);
            })
        } else {
            Tensor::written_for("max_unpool", &self.positions, |out| {
                out.iter_mut().enumerate().for_each(|(i, out)| *out = x[place(i)]);
            })
        }
    }

    fn transpose(&self, cotangent: &Var<T>, positions: &Given<T>, _: &Shape) -> Var<T> {
        routed(cotangent, Places { spread: !self.spread, ..self.clone() }, positions)
    }

    fn output_shape(&self, _: &Shape) -> Option<Shape> {
        Some(if self.spread { &self.shape } else { &self.positions }.clone())
    }
    rules_compiled_here!(Places in RoutingOp);
}

/// Whether a later value of the same plane has the same position.
#[derive(Clone)]
struct Overwritten {
    pixels: usize,
}

impl<T: Float> Decision<T> for Overwritten {
    type Element = bool;
    fn name(&self) -> &str {
        "overwritten"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("pixels", self.pixels);
    }
    fn forward(&self, _: &[&Tensor<T>], given: &[&Data<T>]) -> Tensor<bool> {
        let positions = given[0].index().contiguous();
        let plane: usize = positions.shape()[2..].iter().product();
        Tensor::written_for("max_unpool", positions.shape(), |out| {
            let mut seen = vec![false; self.pixels];
            for (out, positions) in out.chunks_mut(plane.max(1)).zip(slice(&positions).chunks(plane.max(1))) {
                seen.fill(false);
                for (out, &position) in out.iter_mut().zip(positions).rev() {
                    *out = std::mem::replace(&mut seen[position as usize], true);
                }
            }
        })
    }
    rules_compiled_here!(Overwritten in DecisionOp);
}

impl<T: Float> Var<T> {
    /// The inverse of max pooling, as far as there is one: images `[batch, channels, size…]` of zeros with these values at the
    /// positions that [`max_pool_with_indices`](Var::max_pool_with_indices) gave. Where several values have one position, the last
    /// stands there; the others have the derivative 0 (PyTorch gives them that of the last).
    ///
    /// # Panics
    /// If there are not `D + 2` axes, the indices have another shape, one is outside of the images, or the result has too
    /// many elements.
    ///
    /// ```
    /// use wengert_tape::{PoolOptions, Var};
    /// let x = Var::from([3.0f64, 1.0, 2.0, 5.0]).reshape([1, 1, 4]);
    /// let (y, at) = x.max_pool_with_indices(PoolOptions::new([2]));
    /// assert_eq!(y.max_unpool(&at, [4]).value().to_vec(), [3.0, 0.0, 0.0, 5.0]);
    /// ```
    #[doc(alias = "max_unpool1d")]
    #[doc(alias = "max_unpool2d")]
    #[doc(alias = "max_unpool3d")]
    #[track_caller]
    pub fn max_unpool<const D: usize>(&self, indices: impl Into<Index<T>>, size: [usize; D]) -> Var<T> {
        let (shape, indices) = (self.shape(), indices.into());
        assert!(shape.len() == D + 2, "max_unpool: {shape} does not have {} axes", D + 2);
        assert!(
            indices.shape() == shape,
            "max_unpool: values {shape} and indices {} differ in shape",
            indices.shape()
        );
        let images: Shape = shape[..2].iter().copied().chain(size).collect();
        let images = images.checked("max_unpool");
        let pixels = images[2..].iter().product();
        if let Some(&index) = slice(&indices.value().contiguous()).iter().find(|&&at| at as usize >= pixels) {
            panic!("max_unpool: index {index} is outside of images of size {size:?}");
        }
        // Without values there are only zeros, of planes that may be of any size.
        if !self.is_empty() {
            check_positions("max_unpool", pixels);
            let overwritten: Mask<T> = decision(Overwritten { pixels }, &[], &[indices.given()]);
            let kept = self.masked_fill(&overwritten, 0.0);
            return routed(
                &kept,
                Places { shape: images, positions: shape.clone(), spread: true },
                indices.given(),
            );
        }
        routed(self, Places { shape: images, positions: shape.clone(), spread: true }, indices.given())
    }
}

//! Putting variables together.

use std::borrow::Borrow;

use smallvec::SmallVec;
use wengert_tensor::{Axis, Float, Shape, Slice, Tensor, size};

use crate::class::LinearMap;
use crate::describe::Attributes;
use crate::op::{Cotangents, Op, Point, Saves, apply, rules_compiled_here};
use crate::ops::reshape::inserted_axis;
use crate::var::Var;

/// Operands one behind the other along an axis.
struct Cat {
    axis: usize,
}

impl<T: Float> Op<T> for Cat {
    fn name(&self) -> &str {
        "cat"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("axis", self.axis);
    }

    #[track_caller]
    fn forward(&self, inputs: &[&Tensor<T>]) -> Tensor<T> {
        Tensor::cat(inputs, self.axis)
    }

    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let mut start = 0;
        for (i, input) in at.inputs().iter().enumerate() {
            let end = start + input.shape()[self.axis];
            into.add(i, || cotangent.slice_axis(self.axis, start..end));
            start = end;
        }
    }

    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        let parts: Vec<Var<T>> = tangents
            .iter()
            .zip(at.inputs())
            .map(|(t, input)| t.clone().unwrap_or_else(|| Var::zeros(input.shape())))
            .collect();
        Some(Var::cat(&parts, self.axis))
    }

    fn saves(&self) -> Saves {
        Saves::NOTHING
    }

    fn output_shape(&self, inputs: &[&Shape]) -> Option<Shape> {
        let others = inputs[0].with(self.axis, 0);
        // If the shapes do not fit, `forward` says so.
        if inputs.iter().any(|shape| shape.len() != others.len() || shape.with(self.axis, 0) != others) {
            return None;
        }
        let length = inputs.iter().try_fold(0usize, |sum, shape| sum.checked_add(shape[self.axis]))?;
        Some(others.with(self.axis, length)).filter(Shape::fits)
    }
    rules_compiled_here!(Cat);
}

/// Borders of a constant around each axis, which is affine: the derivative pads with 0.
#[derive(Clone)]
struct Pad {
    widths: Vec<(usize, usize)>,
}

impl<T: Float> LinearMap<T> for Pad {
    fn name(&self) -> &str {
        "pad"
    }
    fn describe(&self, attributes: &mut Attributes) {
        let widths = self.widths.iter().flat_map(|&(before, after)| [before, after]);
        attributes.set("widths", &widths.collect::<Vec<usize>>()[..]);
    }
    #[track_caller]
    fn forward(&self, x: &Tensor<T>) -> Tensor<T> {
        x.pad(&self.widths, T::ZERO)
    }
    fn transpose(&self, cotangent: &Var<T>, input: &Shape) -> Var<T> {
        let padded = self.widths.iter().zip(input.iter()).enumerate();
        padded.fold(cotangent.clone(), |x, (axis, (&(before, _), &length))| {
            x.slice_axis(axis, Slice::from(before..before + length))
        })
    }
    rules_compiled_here!(Pad in LinearOp);
}

/// Elements moved along an axis, round its end.
#[derive(Clone)]
struct Roll {
    /// From 1 to the axis' length − 1.
    shift: usize,
    axis: usize,
}

impl<T: Float> LinearMap<T> for Roll {
    fn name(&self) -> &str {
        "roll"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("shift", self.shift);
        attributes.set("axis", self.axis);
    }
    fn forward(&self, x: &Tensor<T>) -> Tensor<T> {
        x.roll(self.shift as isize, self.axis)
    }
    fn transpose(&self, cotangent: &Var<T>, input: &Shape) -> Var<T> {
        cotangent.linear(Roll { shift: input[self.axis] - self.shift, ..*self })
    }
    fn output_shape(&self, input: &Shape) -> Option<Shape> {
        Some(input.clone())
    }
    rules_compiled_here!(Roll in LinearOp);
}

impl<T: Float> Var<T> {
    /// Variables one behind the other along `axis`.
    ///
    /// # Panics
    /// If there are none, or their shapes differ in another axis.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let (a, b) = (Var::from([1.0f64]), Var::from([2.0, 3.0]));
    /// assert_eq!(Var::cat(&[&a, &b], 0).value().to_vec(), [1.0, 2.0, 3.0]);
    /// let parts: Vec<Var<f64>> = b.split(1, 0);
    /// assert_eq!(Var::cat(&parts, 0).value(), b.value());
    /// ```
    #[doc(alias = "concat")]
    #[doc(alias = "concatenate")]
    #[track_caller]
    pub fn cat(parts: &[impl Borrow<Var<T>>], axis: impl Into<Axis>) -> Var<T> {
        let parts: SmallVec<[&Var<T>; 2]> = parts.iter().map(Borrow::borrow).collect();
        let Some(first) = parts.first() else { panic!("cat: there are no variables") };
        apply(Cat { axis: first.shape().axis("cat", axis) }, &parts)
    }

    /// Variables of one shape along a new axis.
    ///
    /// # Panics
    /// If there are none, their shapes differ, or the axis is out of range.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let batch = Var::stack(&[Var::from([1.0f64, 2.0]), Var::from([3.0, 4.0])], 0);
    /// assert_eq!((batch.shape(), batch.value().to_vec()), (&[2, 2].into(), vec![1.0, 2.0, 3.0, 4.0]));
    /// ```
    #[track_caller]
    pub fn stack(parts: &[impl Borrow<Var<T>>], axis: impl Into<Axis>) -> Var<T> {
        let Some(first) = parts.first().map(Borrow::borrow) else { panic!("stack: there are no variables") };
        let axis = inserted_axis("stack", first.shape(), axis);
        let mut rows = Vec::with_capacity(parts.len());
        for part in parts.iter().map(Borrow::borrow) {
            assert!(
                part.shape() == first.shape(),
                "stack: shapes {} and {} differ",
                first.shape(),
                part.shape()
            );
            rows.push(part.unsqueeze(axis));
        }
        Var::cat(&rows, axis)
    }

    /// With borders of `value`: `widths` gives, for each axis, how many positions to add before and after.
    ///
    /// # Panics
    /// If `widths` does not have one pair per axis, or the result has too many elements.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let x = Var::from([1.0f64, 2.0]).pad(&[(1, 2)], 0.0);
    /// assert_eq!(x.value().to_vec(), [0.0, 1.0, 2.0, 0.0, 0.0]);
    /// ```
    #[doc(alias = "constant_pad_nd")]
    #[track_caller]
    pub fn pad(&self, widths: &[(usize, usize)], value: f64) -> Var<T> {
        let padded = self.linear(Pad { widths: widths.to_vec() });
        if value == 0.0 {
            return padded;
        }
        let inside = Tensor::full(self.shape(), true).pad(widths, false);
        Var::select_where(inside, &padded, &Var::scalar(T::from_f64(value)))
    }

    /// The whole repeated: `counts` gives how often along each axis; more counts than axes add leading ones.
    ///
    /// # Panics
    /// If there are fewer counts than axes, or the result has too many elements.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// assert_eq!(Var::from([1.0f64, 2.0]).tile(&[2]).value().to_vec(), [1.0, 2.0, 1.0, 2.0]);
    /// ```
    #[doc(alias = "repeat")]
    #[track_caller]
    pub fn tile(&self, counts: &[usize]) -> Var<T> {
        let Some(lead) = counts.len().checked_sub(self.rank()) else {
            panic!("tile: {} counts for shape {} of rank {}", counts.len(), self.shape(), self.rank())
        };
        let lengths: Shape = std::iter::repeat_n(1, lead).chain(self.shape().iter().copied()).collect();
        let interleave = |f: fn(usize, usize) -> [usize; 2]| {
            counts.iter().zip(lengths.iter()).flat_map(|(&n, &d)| f(n, d)).collect::<Shape>()
        };
        let repeated = interleave(|n, d| [n, d]);
        if !repeated.fits() {
            size::too_many("tile", &format!("{counts:?} times shape {} has", self.shape()));
        }
        let tiled: Shape = counts.iter().zip(lengths.iter()).map(|(n, d)| n * d).collect();
        self.reshape(interleave(|_, d| [1, d])).broadcast_to(repeated).reshape(tiled)
    }

    /// The positions of `axis` moved by `shift`, round the end: position `i` goes to `i + shift`.
    ///
    /// # Panics
    /// If there is no such axis.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// assert_eq!(Var::from([1.0f64, 2.0, 3.0]).roll(1, 0).value().to_vec(), [3.0, 1.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn roll(&self, shift: isize, axis: impl Into<Axis>) -> Var<T> {
        let axis = self.shape().axis("roll", axis);
        let length = self.shape()[axis];
        if length == 0 {
            return self.clone();
        }
        let shift = shift.rem_euclid(length as isize) as usize;
        if shift == 0 {
            return self.clone();
        }
        self.linear(Roll { shift, axis })
    }
}

//! Borders of any kind.

use wengert_tensor::Float;
use wengert_tensor::axis_map::{AxisMap, Border};

use super::{AlongAxis, nothing};
use crate::describe::Attributes;
use crate::var::Var;

/// What stands in a border.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PadMode {
    /// One number.
    Constant(f64),
    /// The axis mirrored at its end, which is not repeated: `c b | a b c | b a`. Narrower than the axis.
    Reflect,
    /// The end again and again: `a a | a b c | c c`.
    Replicate,
    /// The axis again: `b c | a b c | a b`. Not wider than the axis.
    Circular,
}

impl<T: Float> Var<T> {
    /// With borders of the kind that `mode` says: `widths` gives, for each axis, how many positions to add before and after.
    /// The axes are made wider one after the other, so corners are borders of borders.
    ///
    /// # Panics
    /// If `widths` does not have one pair per axis, a border is wider than its mode allows, or the result has too many
    /// elements.
    ///
    /// ```
    /// use wengert_tape::{PadMode, Var};
    /// let x = Var::from([1.0f64, 2.0, 3.0]);
    /// assert_eq!(x.pad_with(&[(2, 1)], PadMode::Reflect).value().to_vec(), [3.0, 2.0, 1.0, 2.0, 3.0, 2.0]);
    /// ```
    #[doc(alias = "F.pad")]
    #[track_caller]
    pub fn pad_with(&self, widths: &[(usize, usize)], mode: PadMode) -> Var<T> {
        let (border, text) = match mode {
            PadMode::Constant(value) => return self.pad(widths, value),
            PadMode::Reflect => (Border::Reflect, "reflect"),
            PadMode::Replicate => (Border::Replicate, "replicate"),
            PadMode::Circular => (Border::Circular, "circular"),
        };
        assert!(
            widths.len() == self.rank(),
            "pad_with: {} pairs of widths for shape {} of rank {}",
            widths.len(),
            self.shape(),
            self.rank()
        );
        let mut shape = self.shape().clone();
        for (axis, &(before, after)) in widths.iter().enumerate() {
            let length = self.shape()[axis];
            if !border.fits(length, before.max(after)) {
                panic!(
                    "pad_with: a {text} border of {before} and {after} positions does not fit axis {axis} of shape {}",
                    self.shape()
                );
            }
            shape = shape.with(axis, wengert_tensor::size::sum("pad_with", &[before, length, after]));
        }
        if let Some(nothing) = nothing(self, &shape.checked("pad_with")) {
            return nothing;
        }
        let mut x = self.clone();
        for (axis, &(before, after)) in
            widths.iter().enumerate().rev().filter(|(_, widths)| **widths != (0, 0))
        {
            let mut attributes = Attributes::default();
            attributes.set("mode", text);
            attributes.set("widths", &[before, after][..]);
            let map = AxisMap::border(self.shape()[axis], before, after, border);
            x = x.linear(AlongAxis::new(["pad_with", "pad_with_transposed"], axis, map, attributes));
        }
        x
    }
}

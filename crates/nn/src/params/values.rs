//! Writing parameters without moving those that are frozen.

use std::fmt;
use std::ops::{Deref, DerefMut};

use wengert_tensor::Float;

use super::Layout;

/// All parameters, for an optimiser to write: see [`Params::values_mut`](crate::Params::values_mut).
///
/// It is a `&mut [T]` for those who use it. When it is dropped, also by a panic, frozen parameters have the values again
/// that they had when it was made. Where nothing is frozen that costs nothing.
///
/// ```
/// use wengert_nn::{Linear, Params, ValuesMut};
/// let mut params: Params<f64> = Params::seeded(0);
/// Linear::builder(1, 1).build(params.at("out"));
/// params.set_values(&[5.0, 7.0]);
/// params.freeze("out.bias");
/// let mut values: ValuesMut<'_, f64> = params.values_mut();
/// values.fill(0.0);
/// drop(values);
/// assert_eq!(params.values(), [0.0, 7.0]);
/// ```
pub struct ValuesMut<'a, T: Float = f32> {
    layout: &'a Layout,
    values: &'a mut [T],
    /// The frozen values one after another.
    kept: &'a [T],
}

impl<'a, T: Float> ValuesMut<'a, T> {
    /// `room` is for the frozen values, so that no step of a training run allocates.
    pub(super) fn new(layout: &'a Layout, values: &'a mut [T], room: &'a mut Vec<T>) -> Self {
        room.clear();
        for range in layout.frozen() {
            room.extend_from_slice(&values[range]);
        }
        ValuesMut { layout, values, kept: room }
    }
}

impl<T: Float> Drop for ValuesMut<'_, T> {
    fn drop(&mut self) {
        let mut kept = self.kept;
        for range in self.layout.frozen() {
            let (first, rest) = kept.split_at(range.len());
            self.values[range].copy_from_slice(first);
            kept = rest;
        }
    }
}

impl<T: Float> Deref for ValuesMut<'_, T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        self.values
    }
}

impl<T: Float> DerefMut for ValuesMut<'_, T> {
    fn deref_mut(&mut self) -> &mut [T] {
        self.values
    }
}

impl<T: Float> fmt::Debug for ValuesMut<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.values.fmt(f)
    }
}

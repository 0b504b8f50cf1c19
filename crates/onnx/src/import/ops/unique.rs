//! Elements or slices that differ.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use wengert_tensor::{Float, Tensor};

use super::super::call::{Call, Produced, axis_of};
use super::super::value::{Value, truth};
use super::structure::reshaped;
use super::{Operator, operator};

pub(super) fn table<T: Float>() -> Vec<Operator<T>> {
    vec![operator("Unique", 11, (1, 1), "axis:i sorted:i", unique)]
}

/// A slice, by its numbers one after the other; NaN is equal to itself, and comes last.
struct Key(Vec<f64>);

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        let one = |(a, b): (&f64, &f64)| a.partial_cmp(b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()));
        let differs = self.0.iter().zip(&other.0).map(one).find(|order| order.is_ne());
        differs.unwrap_or_else(|| self.0.len().cmp(&other.0.len()))
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Key {}

/// Those that differ, the position where each comes first, for each of all the position of its like among them, and how often
/// each comes. The first result has the derivative of a selection.
fn unique<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let value = call.value(0)?;
    let rank = value.shape().len();
    let axis = call.attributes.given_int("axis").map(|axis| axis_of(axis, rank)).transpose()?;
    let count = value.shape().count();
    let (value, axis) = match axis {
        Some(axis) => (value.clone(), axis),
        None => (reshaped(value, &count.into()), 0),
    };
    let length = value.shape()[axis];
    let numbers = value.to_f64().movedim(&[axis as isize], &[0]).value().to_vec();
    let width = count.checked_div(length).unwrap_or(0);
    let key = |i: usize| Key(numbers[i * width..(i + 1) * width].to_vec());
    // The positions of each, in the order of their numbers.
    let mut found: BTreeMap<Key, Vec<usize>> = BTreeMap::new();
    for i in 0..length {
        found.entry(key(i)).or_default().push(i);
    }
    let mut groups: Vec<Vec<usize>> = found.into_values().collect();
    if call.attributes.int("sorted", 1) == 0 {
        groups.sort_by_key(|group| group[0]);
    }
    let mut inverse = vec![0; length];
    for (number, group) in groups.iter().enumerate() {
        group.iter().for_each(|&i| inverse[i] = number as i64);
    }
    let firsts: Vec<i64> = groups.iter().map(|group| group[0] as i64).collect();
    let counts: Vec<i64> = groups.iter().map(|group| group.len() as i64).collect();
    let places = Tensor::vector(&firsts.iter().map(|&i| i as u32).collect::<Vec<_>>());
    let list = |values: &[i64]| Value::from_ints(values, values.len());
    let differing = arranged!(&value, |x| x.index_select(axis, &places));
    Ok(vec![differing, list(&firsts)?, list(&inverse)?, list(&counts)?])
}

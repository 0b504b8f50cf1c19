//! A cotangent that is being added up.

use wengert_tensor::{Float, Slice};

use crate::ops::embedded;
use crate::profile::Timing;
use crate::var::{Value, Var};

/// The sum of the contributions to one cotangent. Contributions to ranges of an axis wait: where they turn out to be
/// the whole, as when a tensor was cut into pieces, they only have to be joined, and no contribution of a range is
/// ever embedded in zeros of the full size.
pub(crate) struct Cotangent<T: Float> {
    sum: Option<Var<T>>,
    ranges: Vec<Contribution<T>>,
}

/// A contribution to a range of an axis of this length.
struct Contribution<T: Float> {
    axis: usize,
    slice: Slice,
    length: usize,
    value: Var<T>,
}

impl<T: Float> Default for Cotangent<T> {
    fn default() -> Self {
        Cotangent { sum: None, ranges: Vec::new() }
    }
}

impl<T: Float> Cotangent<T> {
    /// One contribution.
    pub(crate) fn of(value: Var<T>) -> Self {
        Cotangent { sum: Some(value), ranges: Vec::new() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.sum.is_none() && self.ranges.is_empty()
    }

    pub(crate) fn add(&mut self, value: Var<T>) {
        self.sum = Some(match self.sum.take() {
            None => value,
            Some(sum) => accumulate(sum, value),
        });
    }

    pub(crate) fn add_range(&mut self, axis: usize, slice: Slice, length: usize, value: Var<T>) {
        self.ranges.push(Contribution { axis, slice, length, value });
    }

    /// The sum, if nothing was added to a range alone.
    pub(crate) fn only(&self) -> Option<&Var<T>> {
        self.sum.as_ref().filter(|_| self.ranges.is_empty())
    }

    /// All that was added so far, in some pieces.
    pub(crate) fn contributions(&self) -> impl Iterator<Item = &Var<T>> {
        self.sum.iter().chain(self.ranges.iter().map(|range| &range.value))
    }

    /// The sum so far, taken out, if neither it nor what is to be added is to be differentiated.
    pub(crate) fn take_sum_without_derivatives(&mut self, others: &[&Var<T>]) -> Option<Var<T>> {
        let plain = |v: &Var<T>| !v.is_tracked();
        if others.iter().all(|v| plain(v)) && self.sum.as_ref().is_some_and(plain) {
            self.sum.take()
        } else {
            None
        }
    }

    /// The sum of all contributions, if there are any.
    pub(crate) fn finish(self) -> Option<Var<T>> {
        let Cotangent { sum, ranges } = self;
        if ranges.is_empty() {
            return sum;
        }
        let joined = match partition(&ranges) {
            Some(order) => {
                let pieces: Vec<&Var<T>> = order.into_iter().map(|i| &ranges[i].value).collect();
                Some(Var::cat(&pieces, ranges[0].axis))
            }
            None => {
                ranges.into_iter().map(|r| embedded(&r.value, r.axis, r.slice, r.length)).reduce(accumulate)
            }
        };
        self::sum(sum, joined)
    }
}

/// The order in which the ranges make up one axis, if they do.
fn partition<T: Float>(ranges: &[Contribution<T>]) -> Option<Vec<usize>> {
    let Contribution { axis, length, .. } = ranges[0];
    let mut starts = Vec::with_capacity(ranges.len());
    for (i, range) in ranges.iter().enumerate() {
        let (start, count, step) = range.slice.resolve(length);
        if range.axis != axis || step != 1 || count == 0 {
            return None;
        }
        starts.push((start, count, i));
    }
    starts.sort_unstable();
    let mut end = 0;
    for &(start, count, _) in &starts {
        if start != end {
            return None;
        }
        end += count;
    }
    (end == length).then(|| starts.into_iter().map(|(_, _, i)| i).collect())
}

/// The sum of two contributions of which either may be missing.
pub(crate) fn sum<T: Float>(a: Option<Var<T>>, b: Option<Var<T>>) -> Option<Var<T>> {
    match (a, b) {
        (Some(a), Some(b)) => Some(accumulate(a, b)),
        (a, b) => a.or(b),
    }
}

/// The sum of two contributions, in the memory of one of them where nothing is recorded.
pub(crate) fn accumulate<T: Float>(old: Var<T>, new: Var<T>) -> Var<T> {
    match (old, new) {
        (
            Var { value: Value::Ready(a), place: None, .. },
            Var { value: Value::Ready(b), place: None, .. },
        ) => {
            let timing = Timing::start();
            let sum = a + b;
            timing.named::<T>("add", &[sum.shape(); 2], sum.shape());
            Var::constant(sum)
        }
        (a, b) => a + b,
    }
}

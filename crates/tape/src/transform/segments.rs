//! Scans of which the tape keeps little.

use std::cell::RefCell;
use std::rc::Rc;

use wengert_tensor::{Float, Shape};

use super::arguments::Arguments;
use super::checkpoint::checkpoint;
use super::scan::{Scan, length};
use crate::var::Var;

/// A [scan](crate::scan) that is cut into segments, of which the tape keeps inputs and outputs alone: a derivative that needs
/// a segment's inside computes it again. With as many segments as a segment has steps, the default, a scan of n steps takes
/// memory for √n carries and for what √n steps record, beside its inputs and outputs, and the time of one more forward pass
/// (Chen et al., "Training deep nets with sublinear memory cost", 2016).
///
/// ```
/// use wengert_tape::{Scan, Var, grad};
/// let logistic_map = |rate: &Var<f64>| {
///     let step = |y: &Var<f64>, _: &Var<f64>, rate: &Var<f64>| {
///         let next = rate * y * (1.0 - y);
///         (next.clone(), next)
///     };
///     // A hundred steps without inputs.
///     let (last, _) = Scan::new().recomputed().apply(step, Var::scalar(0.5), &Var::zeros([100, 0]), rate);
///     last
/// };
/// let fixed_point = grad(logistic_map, &Var::scalar(2.5)).item(); // of 1 − 1/rate
/// assert!((fixed_point - 1.0 / 6.25).abs() < 1e-9);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct RecomputedScan {
    scan: Scan,
    segment: Option<usize>,
}

impl RecomputedScan {
    pub(super) fn of(scan: Scan) -> Self {
        RecomputedScan { scan, segment: None }
    }

    /// The steps of a segment. By default ⌈√n⌉ of n.
    ///
    /// # Panics
    /// If there are none.
    ///
    /// ```
    /// use wengert_tape::{Scan, Var};
    /// let step = |sum: &Var<f64>, x: &Var<f64>, _: &Var<f64>| (sum + x, sum.clone());
    /// let scan = Scan::new().recomputed().segment(2);
    /// let (last, _) = scan.apply(step, Var::scalar(0.0), &Var::from([1.0, 2.0, 3.0]), &Var::scalar(0.0));
    /// assert_eq!(last.item(), 6.0);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn segment(mut self, steps: usize) -> Self {
        assert!(steps > 0, "segment: 0 steps");
        self.segment = Some(steps);
        self
    }

    /// As [`scan`](crate::scan), by a step that keeps no variables that are tracked: what it needs besides the carry and the
    /// inputs is in `with`, which is the same for all steps.
    ///
    /// # Panics
    /// Where [`scan`](crate::scan) does, and if the step captures a tracked variable, whose derivative would be lost.
    #[track_caller]
    pub fn apply<T: Float, C, X, Y, W>(
        &self,
        step: impl Fn(&C, &X, &W) -> (C, Y) + 'static,
        carry: C,
        xs: &X,
        with: &W,
    ) -> (C, Y)
    where
        C: Arguments<T> + 'static,
        X: Arguments<T> + 'static,
        Y: Arguments<T> + 'static,
        W: Arguments<T> + 'static,
    {
        let (step, others) = (Rc::new(step), with.to_vars());
        // What the closures keep of it are shapes.
        let like = Rc::new(with.with_vars(others.iter().map(Var::stop_gradient).collect()));
        self.by_segments(carry, xs, |segment: Segment<C, X, Y>, inputs| {
            let (step, like) = (Rc::clone(&step), Rc::clone(&like));
            let inputs: Vec<&Var<T>> = others.iter().chain(inputs).collect();
            let count = others.len();
            checkpoint(
                move |v| {
                    let with = like.with_vars(v[..count].to_vec());
                    segment.run(&|carry, x| step(carry, x, &with), &v[count..])
                },
                &inputs,
            )
        })
    }

    /// The scan, where `recomputed` computes a [segment](Segment::run) of variables in such a way that it can be computed
    /// again.
    #[doc(hidden)]
    #[track_caller]
    pub fn by_segments<T: Float, C: Arguments<T>, X: Arguments<T>, Y: Arguments<T>>(
        &self,
        mut carry: C,
        xs: &X,
        recomputed: impl Fn(Segment<C, X, Y>, &[Var<T>]) -> Var<T>,
    ) -> (C, Y) {
        let inputs = xs.to_vars();
        let steps = length(&inputs);
        let segment =
            self.segment.unwrap_or_else(|| steps.isqrt() + usize::from(steps.isqrt().pow(2) < steps)).max(1);
        let mut outputs: Vec<Vec<Var<T>>> = Vec::new();
        let (mut like, mut first) = (None, 0);
        // One segment without steps, if there are none.
        while first < steps || like.is_none() {
            let length = segment.min(steps - first);
            let start = if self.scan.reversed { steps - first - length } else { first };
            let pieces: Vec<Var<T>> = inputs.iter().map(|x| x.slice(start..start + length)).collect();
            let constant = |vars: &[Var<T>]| vars.iter().map(Var::stop_gradient).collect();
            let parts = carry.to_vars();
            let result = Rc::new(RefCell::new(None));
            let work = Segment {
                scan: self.scan,
                first,
                length,
                carry: carry.with_vars(constant(&parts)),
                xs: xs.with_vars(constant(&pieces)),
                result: Rc::clone(&result),
            };
            let all: Vec<Var<T>> = parts.into_iter().chain(pieces).collect();
            let packed = recomputed(work, &all);
            let y: Y = result.take().expect("the segment was computed");
            let shapes: Vec<Shape> =
                carry.to_vars().iter().chain(&y.to_vars()).map(|v| v.shape().clone()).collect();
            let mut unpacked = unpacked(&packed, &shapes);
            let ys = unpacked.split_off(carry.to_vars().len());
            carry = carry.with_vars(unpacked);
            outputs.resize_with(ys.len(), Vec::new);
            outputs.iter_mut().zip(ys).for_each(|(all, y)| all.push(y));
            (like, first) = (Some(y), first + length);
        }
        let joined = outputs.into_iter().map(|mut parts| {
            if self.scan.reversed {
                parts.reverse();
            }
            Var::cat(&parts, 0)
        });
        (carry, like.expect("there was a segment").with_vars(joined.collect()))
    }
}

/// Some steps of a scan.
#[doc(hidden)]
pub struct Segment<C, X, Y> {
    scan: Scan,
    first: usize,
    length: usize,
    carry: C,
    xs: X,
    /// What the outputs look like, from the first time.
    result: Rc<RefCell<Option<Y>>>,
}

impl<C, X, Y> Segment<C, X, Y> {
    /// The steps of carry and inputs, one after the other; the last carry and the outputs, packed into one vector.
    #[track_caller]
    pub fn run<T: Float>(&self, step: &dyn Fn(&C, &X) -> (C, Y), inputs: &[Var<T>]) -> Var<T>
    where
        C: Arguments<T>,
        X: Arguments<T>,
        Y: Arguments<T>,
    {
        let (carry, xs) = inputs.split_at(self.carry.to_vars().len());
        let (carry, xs) = (self.carry.with_vars(carry.to_vec()), self.xs.with_vars(xs.to_vec()));
        let (carry, y) = self.scan.piece(self.first, self.length, step, carry, &xs);
        let ys = y.to_vars();
        let flat: Vec<Var<T>> = carry.to_vars().iter().chain(&ys).map(|v| v.reshape([v.len()])).collect();
        if Rc::strong_count(&self.result) > 1 {
            // Somebody waits for it: this is the first time.
            *self.result.borrow_mut() = Some(y.with_vars(ys.iter().map(Var::stop_gradient).collect()));
        }
        if flat.is_empty() { Var::zeros([0]) } else { Var::cat(&flat, 0) }
    }
}

/// Variables of these shapes that were packed into a vector.
fn unpacked<T: Float>(packed: &Var<T>, shapes: &[Shape]) -> Vec<Var<T>> {
    let mut start = 0;
    let part = |shape: &Shape| {
        let range = start..start + shape.count();
        start = range.end;
        packed.slice(range).reshape(shape)
    };
    shapes.iter().map(part).collect()
}

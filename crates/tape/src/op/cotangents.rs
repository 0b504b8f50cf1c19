//! What derivative rules add to.

use smallvec::SmallVec;
use wengert_tensor::shape::broadcast;
use wengert_tensor::{Float, Shape, Slice, Tensor};

use super::point::no_input;
use super::{Description, Op, Point, fused, is_constant};
use crate::cotangent::{Cotangent, accumulate};
use crate::profile::Timing;
use crate::sweep::Sweep;
use crate::tape::Tape;
use crate::var::Var;

/// The inputs' cotangents, which [`Op::vjp`] adds to.
pub struct Cotangents<'a, T: Float> {
    /// What has been added up so far, from this operation and from those behind it; an input that stands twice
    /// has one slot.
    pub(crate) slots: SmallVec<[Cotangent<T>; 2]>,
    /// Each input's slot; `None` if nobody needs its cotangent.
    pub(crate) slot_of: SmallVec<[Option<u32>; 2]>,
    /// Each input's shape.
    pub(crate) shapes: SmallVec<[Shape; 2]>,
    /// Who waits for cotangents of which this operation has all.
    pub(crate) awaited: Option<Awaited<'a, T>>,
}

/// Inputs whose cotangents are complete with the operation, and who waits for them.
pub(crate) struct Awaited<'a, T: Float> {
    /// The input's node, if it is such a one.
    pub(crate) nodes: SmallVec<[Option<u32>; 2]>,
    pub(crate) by: &'a mut dyn Awaits<T>,
}

/// Who waits for cotangents.
pub(crate) trait Awaits<T: Float> {
    /// How many elements are wanted at a time.
    fn every(&self) -> usize;
    /// The cotangent of a node has these elements from `first` on; those behind them were told of before.
    fn part(&mut self, node: u32, first: usize, elements: &[T]);
    /// The cotangent of a node is complete.
    fn complete(&mut self, node: u32, cotangent: &Var<T>);
}

impl<T: Float> Cotangents<'_, T> {
    /// Adds a contribution to the cotangent of input `index`, if it is needed; otherwise `contribution` is not
    /// computed. Where the input was broadcast, the contribution is summed down to the input's shape.
    ///
    /// # Panics
    /// If there is no such input, or its shape does not broadcast to the contribution's.
    #[track_caller]
    pub fn add(&mut self, index: usize, contribution: impl FnOnce() -> Var<T>) {
        if let Some(slot) = self.slot(index) {
            self.add_needed(index, slot, contribution());
        }
    }

    /// Like [`add`](Cotangents::add), of all that the operation contributes to the input's cotangent: who
    /// [observes](crate::SweepObserver) the sweep and waits for it is told at once, and not when the operation is through with the
    /// other inputs.
    ///
    /// # Panics
    /// Where `add` does.
    ///
    /// ```
    /// use wengert_tape::{Cotangents, Op, Point, Var, apply, grad};
    /// use wengert_tensor::Tensor;
    /// struct Plus;
    /// impl Op<f64> for Plus {
    ///     fn name(&self) -> &str { "plus" }
    ///     fn forward(&self, x: &[&Tensor<f64>]) -> Tensor<f64> { x[0] + x[1] }
    ///     fn vjp(&self, _: &Point<f64>, v: &Var<f64>, into: &mut Cotangents<f64>) {
    ///         // The shift, which is broadcast, first.
    ///         into.add_all(1, || v.clone());
    ///         into.add(0, || v.clone());
    ///     }
    /// }
    /// let of_shift = grad(|shift: &Var<f64>| apply(Plus, &[&Var::ones([3]), shift]).sum(), &Var::from(2.0));
    /// assert_eq!(of_shift.item(), 3.0);
    /// ```
    #[track_caller]
    pub fn add_all(&mut self, index: usize, contribution: impl FnOnce() -> Var<T>) {
        let Some(slot) = self.slot(index) else { return };
        self.add_needed(index, slot, contribution());
        self.complete(index, slot);
    }

    /// Adds the product of two matrices that the rule makes of these variables, of all that the operation contributes, if
    /// somebody waits for it, and tells of its rows while others are computed; whether it did.
    pub(crate) fn add_product<const N: usize>(
        &mut self,
        index: usize,
        of: [&Var<T>; N],
        factors: impl FnOnce([&Tensor<T>; N]) -> Option<[Tensor<T>; 2]>,
    ) -> bool {
        let Some((awaited, node)) = self.awaited.as_mut().and_then(|a| a.nodes[index].map(|node| (a, node)))
        else {
            return false;
        };
        if !is_constant(&of, &[]) {
            return false;
        }
        let Some([left, right]) = factors(of.map(Var::value)) else { return false };
        let timing = Timing::start();
        let rows = awaited.by.every() / right.dim(1).max(1);
        let product = left.matmul_by_rows(&right, rows, |first, part| awaited.by.part(node, first, part));
        timing.named::<T>("matmul", &[left.shape(), right.shape()], product.shape());
        let slot = self.slot_of[index].expect("what is awaited is needed") as usize;
        self.add_needed(index, slot, Var::constant(product));
        self.complete(index, slot);
        true
    }

    /// Tells who waits for an input's cotangent that it is complete.
    fn complete(&mut self, index: usize, slot: usize) {
        let awaited = self.awaited.as_mut().and_then(|a| a.nodes[index].take().map(|node| (a, node)));
        if let (Some((awaited, node)), Some(cotangent)) = (awaited, self.slots[slot].only()) {
            awaited.by.complete(node, cotangent);
        }
    }

    /// Where the cotangent of input `index` is added up, if it is needed.
    #[track_caller]
    fn slot(&self, index: usize) -> Option<usize> {
        match self.slot_of.get(index) {
            Some(slot) => slot.map(|slot| slot as usize),
            None => no_input("Cotangents::add", index, self.slot_of.len()),
        }
    }

    #[track_caller]
    fn add_needed(&mut self, index: usize, slot: usize, contribution: Var<T>) {
        let shape = &self.shapes[index];
        check_contribution("Cotangents::add", index, shape, &contribution);
        self.slots[slot].add(contribution.sum_to(shape));
    }

    /// Adds a contribution to a range of one axis of the cotangent of input `index`. What comes of all its ranges is put
    /// together once, when nothing more can come.
    pub(crate) fn add_range(&mut self, index: usize, axis: usize, slice: Slice, contribution: &Var<T>) {
        let Some(slot) = self.slot_of[index] else { return };
        let length = self.shapes[index][axis];
        self.slots[slot as usize].add_range(axis, slice, length, contribution.clone());
    }

    /// Like [`add`](Cotangents::add), with a faster way for when there is already a cotangent and nothing is to be
    /// differentiated: `in_place` adds to it the contribution that comes of `others`, and is what a complete recording
    /// holds, under the description's name.
    ///
    /// # Panics
    /// Where `add` does.
    ///
    /// ```
    /// use wengert_tape::{Attributes, Cotangents, Description, Op, Point, Var, apply, grad};
    /// use wengert_tensor::Tensor;
    /// struct Half;
    /// impl Op<f64> for Half {
    ///     fn name(&self) -> &str { "half" }
    ///     fn forward(&self, x: &[&Tensor<f64>]) -> Tensor<f64> { x[0] * 0.5 }
    ///     fn vjp(&self, _: &Point<f64>, v: &Var<f64>, into: &mut Cotangents<f64>) {
    ///         let name = || Description { name: "half_gradient".into(), attributes: Attributes::default() };
    ///         into.add_in_place(0, name, [v], || v * 0.5, |sum, [v]| *sum += &(v * 0.5));
    ///     }
    /// }
    /// // Two contributions: the second is added in place.
    /// let f = |x: &Var<f64>| (apply(Half, &[x]) + apply(Half, &[x])).sum();
    /// assert_eq!(grad(f, &Var::from([1.0, 2.0])).value().to_vec(), [1.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn add_in_place<const N: usize>(
        &mut self,
        index: usize,
        description: impl FnOnce() -> Description,
        others: [&Var<T>; N],
        contribution: impl FnOnce() -> Var<T>,
        in_place: impl Fn(&mut Tensor<T>, [&Tensor<T>; N]) + 'static,
    ) {
        let Some(slot) = self.slot(index) else { return };
        match self.slots[slot].take_sum_without_derivatives(&others) {
            Some(sum) => self.slots[slot].add(fused::added(description, sum, others, in_place)),
            None => self.add_needed(index, slot, contribution()),
        }
    }
}

/// Panics unless an input's shape broadcasts to that of what is to be added to its cotangent.
#[track_caller]
pub(crate) fn check_contribution<T: Float>(operation: &str, index: usize, input: &Shape, found: &Var<T>) {
    let found = found.shape();
    assert!(
        input == found || broadcast(input, found).as_ref() == Some(found),
        "{operation}: the contribution to the cotangent of input {index} has shape {found}, to which the input's {input} does not broadcast"
    );
}

/// J·t as the transpose of the linear map u ↦ uᵀ·J that `vjp` computes (Townsend, "A new trick for calculating
/// Jacobian vector products", 2017).
pub(super) fn jvp_by_transposition<T: Float, O: Op<T> + ?Sized>(
    op: &O,
    at: &Point<T>,
    tangents: &[Option<Var<T>>],
) -> Option<Var<T>> {
    transposed(&|cotangent, into| op.vjp(at, cotangent, into), at, tangents)
}

#[inline(never)]
fn transposed<T: Float>(
    vjp: &dyn Fn(&Var<T>, &mut Cotangents<T>),
    at: &Point<T>,
    tangents: &[Option<Var<T>>],
) -> Option<Var<T>> {
    let tape = Tape::nested();
    // The map is linear, so any point will do.
    let dummy = tape.enter(&Var::zeros(at.output.shape()));
    let count = tangents.len();
    let mut transposed = Cotangents {
        slots: (0..count).map(|_| Cotangent::default()).collect(),
        slot_of: (0..count).map(|i| tangents[i].is_some().then_some(i as u32)).collect(),
        shapes: at.inputs.iter().map(|v| v.shape().clone()).collect(),
        awaited: None,
    };
    vjp(&dummy, &mut transposed);
    let mut total: Option<Var<T>> = None;
    for (contribution, tangent) in transposed.slots.into_iter().zip(tangents) {
        if let (Some(contribution), Some(tangent)) = (contribution.finish(), tangent)
            && let Some(part) =
                tape.pull_back(&contribution, tangent.clone(), &[&dummy], Sweep::Retain).remove(0)
        {
            total = Some(match total {
                None => part,
                Some(sum) => accumulate(sum, part),
            });
        }
    }
    tape.close();
    total
}

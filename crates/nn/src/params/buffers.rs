//! What is saved with the parameters but has no gradient: running statistics and counts.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU8, Ordering};

use wengert_tensor::{Float, Tensor};

use super::{Grads, Layout, Params};

/// The values of all buffers and counts.
#[derive(Clone)]
pub(crate) struct Buffers<T: Float> {
    pub(crate) tensors: Vec<Tensor<T>>,
    pub(crate) counts: Vec<i64>,
}

impl<T: Float> Default for Buffers<T> {
    fn default() -> Self {
        Buffers { tensors: Vec::new(), counts: Vec::new() }
    }
}

/// What evaluations have made of buffers and counts.
#[derive(Clone)]
pub(crate) struct Updates<T: Float> {
    /// The mean of the values that each was given, and of how many.
    tensors: BTreeMap<usize, (Tensor<T>, u64)>,
    /// The largest of the values that each was given.
    counts: BTreeMap<usize, i64>,
}

impl<T: Float> Default for Updates<T> {
    fn default() -> Self {
        Updates { tensors: BTreeMap::new(), counts: BTreeMap::new() }
    }
}

impl<T: Float> Updates<T> {
    pub(crate) fn is_empty(&self) -> bool {
        self.tensors.is_empty() && self.counts.is_empty()
    }

    pub(crate) fn tensor(&self, index: usize) -> Option<&Tensor<T>> {
        self.tensors.get(&index).map(|(value, _)| value)
    }

    /// The mean of what a buffer was given, and of how many values.
    pub(crate) fn mean(&self, index: usize) -> Option<(&Tensor<T>, u64)> {
        self.tensors.get(&index).map(|(mean, number)| (mean, *number))
    }

    pub(crate) fn set_mean(&mut self, index: usize, mean: Tensor<T>, number: u64) {
        self.tensors.insert(index, (mean, number));
    }

    pub(crate) fn set_tensor(&mut self, index: usize, value: Tensor<T>) {
        self.set_mean(index, value, 1);
    }

    pub(crate) fn count(&self, index: usize) -> Option<i64> {
        self.counts.get(&index).copied()
    }

    pub(crate) fn set_count(&mut self, index: usize, value: i64) {
        self.counts.insert(index, value);
    }

    /// Takes in those of another evaluation that started from the same values.
    fn join(&mut self, other: &Self) {
        for (&index, (value, number)) in &other.tensors {
            match self.tensors.get_mut(&index) {
                Some((mean, of)) => {
                    *of += number;
                    *mean = &*mean + (value - &*mean) * (*number as f64 / *of as f64);
                }
                None => drop(self.tensors.insert(index, (value.clone(), *number))),
            }
        }
        for (&index, &value) in &other.counts {
            self.counts.entry(index).and_modify(|largest| *largest = value.max(*largest)).or_insert(value);
        }
    }

    fn write(self, buffers: &mut Buffers<T>) {
        for (index, (value, _)) in self.tensors {
            buffers.tensors[index] = value;
        }
        for (index, value) in self.counts {
            buffers.counts[index] = value;
        }
    }
}

/// Whether the caller keeps what evaluations make of the buffers: forgotten, a model would be used with the statistics
/// that it started with.
pub(super) struct TakenOver(AtomicU8);

impl TakenOver {
    const UNUSED: u8 = 0;
    const PROPOSED: u8 = 1;
    const STEPPED: u8 = 2;
    const FORGOTTEN: u8 = 3;
    const YES: u8 = 4;

    pub(super) fn new() -> Self {
        TakenOver(AtomicU8::new(Self::UNUSED))
    }

    pub(super) fn proposed(&self) {
        for (from, to) in [(Self::UNUSED, Self::PROPOSED), (Self::STEPPED, Self::FORGOTTEN)] {
            let _ = self.0.compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    pub(super) fn stepped(&mut self) {
        let state = self.0.get_mut();
        if *state == Self::PROPOSED {
            *state = Self::STEPPED;
        }
    }

    fn yes(&mut self) {
        *self.0.get_mut() = Self::YES;
    }

    pub(super) fn forgotten(&self) -> bool {
        self.0.load(Ordering::Relaxed) == Self::FORGOTTEN
    }
}

impl Clone for TakenOver {
    fn clone(&self) -> Self {
        TakenOver(AtomicU8::new(self.0.load(Ordering::Relaxed)))
    }
}

impl<T: Float> Params<T> {
    /// Name and value of every buffer (running statistics and the like).
    pub fn buffers(&self) -> Vec<(String, Tensor<T>)> {
        self.layout.buffer_names().iter().cloned().zip(self.buffers.tensors.iter().cloned()).collect()
    }

    /// Name and value of every count.
    pub fn counts(&self) -> Vec<(String, i64)> {
        self.layout.count_names().iter().cloned().zip(self.buffers.counts.iter().copied()).collect()
    }

    /// Gives buffers and counts the values that layers have [set](crate::Ctx::set_buffer) in the evaluation that gave
    /// these gradients, for one step of an optimiser.
    ///
    /// An evaluation changes no buffer, so that the second one of SAM, the trials of a line search and objectives leave no
    /// trace: they change once for each step, by this call. A step from several evaluations [collects](Self::collect_updates)
    /// those of all but the last. `train_step`, `update` and `accumulate` of the facade's `Training` do both.
    ///
    /// ```
    /// use wengert_nn::{Ctx, Init, Params};
    /// use wengert_tensor::Tensor;
    /// let mut params: Params = Params::seeded(0);
    /// let w = params.root().param("w", [2], Init::Ones);
    /// let mean = params.root().buffer("mean", Tensor::zeros([2]));
    /// let loss = |cx: &Ctx| {
    ///     cx.set_buffer(mean, cx.buffer(mean) * 0.5 + cx.param(w).value() * 0.5);
    ///     cx.param(w).square().sum()
    /// };
    /// for _ in 0..2 {
    ///     let (_, grads) = params.value_and_grad(loss)?;
    ///     params.values_mut().iter_mut().zip(grads.iter()).for_each(|(w, g)| *w -= 0.5 * g);
    ///     params.update_buffers(&grads);
    /// }
    /// // Half of 1, then half of that: the step has taken w to 0.
    /// assert_eq!(params.buffers()[0].1.to_vec(), [0.25, 0.25]);
    /// # Ok::<(), wengert_nn::GradError>(())
    /// ```
    ///
    /// # Panics
    /// If the gradients are of another `Params`.
    #[track_caller]
    pub fn update_buffers(&mut self, grads: &Grads<T>) {
        self.collect("update_buffers", grads);
        std::mem::take(&mut self.waiting).write(&mut self.buffers);
    }

    /// Keeps what layers have set in the evaluation that gave these gradients, for the step to come: with
    /// [`update_buffers`](Self::update_buffers) a buffer gets the mean of the values of all evaluations of the step, each of which
    /// started from the stored one, and a count the largest. The order of the calls decides the order of summation.
    ///
    /// # Panics
    /// If the gradients are of another `Params`.
    #[track_caller]
    pub fn collect_updates(&mut self, grads: &Grads<T>) {
        self.collect("collect_updates", grads);
    }

    /// Drops what has been [collected](Self::collect_updates), for a step that is not taken after all, and says that
    /// the buffers are to stay as they are.
    ///
    /// ```
    /// use wengert_nn::{BatchNorm1d, Layer, Params};
    /// use wengert_tape::Var;
    /// let mut params: Params<f64> = Params::seeded(0);
    /// let norm = BatchNorm1d::new(params.at("norm"), 1);
    /// let (_, grads) = params.value_and_grad(|cx| norm.forward(cx, &Var::from([[1.0], [3.0]])).square().sum())?;
    /// params.collect_updates(&grads);
    /// params.discard_updates();
    /// assert_eq!(params.buffers()[0].1.to_vec(), [0.0]);
    /// # Ok::<(), wengert_nn::GradError>(())
    /// ```
    pub fn discard_updates(&mut self) {
        self.waiting = Updates::default();
        self.taken_over.yes();
    }

    /// An evaluation has made something of them.
    pub(crate) fn updates_proposed(&self) {
        self.taken_over.proposed();
    }

    /// The values that an evaluation reads.
    pub(crate) fn stored_buffers(&self) -> &Buffers<T> {
        &self.buffers
    }

    /// Whether these are the values that an evaluation reads, as long as somebody holds them.
    pub(crate) fn still_has(&self, buffers: &Buffers<T>) -> bool {
        let same = |(a, b): (&Tensor<T>, &Tensor<T>)| a.shares_storage(b);
        !self.taken_over.forgotten()
            && self.buffers.counts == buffers.counts
            && self.buffers.tensors.len() == buffers.tensors.len()
            && self.buffers.tensors.iter().zip(&buffers.tensors).all(same)
    }

    #[track_caller]
    fn collect(&mut self, operation: &str, grads: &Grads<T>) {
        assert!(
            Layout::same_store(&self.layout, &grads.layout),
            "{operation}: the gradients belong to another `Params`"
        );
        self.waiting.join(&grads.updates);
        self.taken_over.yes();
    }

    pub(crate) fn set_buffers(&mut self, tensors: Vec<Tensor<T>>, counts: Vec<i64>) {
        self.buffers = Buffers { tensors, counts };
        self.waiting = Updates::default();
        self.taken_over = TakenOver::new();
    }
}

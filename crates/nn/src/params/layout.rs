//! Where each parameter is in the flat vector.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use wengert_tape::Var;
use wengert_tensor::names::{PatternError, name_matches};
use wengert_tensor::{Float, Shape, Tensor};

use super::GradError;

/// One parameter tensor of a [`Params`](crate::Params): what a layer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ParamId {
    store: u64,
    index: u32,
}

/// One buffer of a [`Params`](crate::Params): a tensor that is saved with the parameters but has no gradient, such as
/// a running mean.
///
/// ```
/// use wengert_nn::{BufferId, Params};
/// use wengert_tensor::Tensor;
/// let mut params: Params<f64> = Params::seeded(0);
/// let mean: BufferId = params.at("norm").buffer("mean", Tensor::zeros([3]));
/// assert_eq!(params.infer(|cx| cx.buffer(mean)).shape(), &[3]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BufferId {
    store: u64,
    index: u32,
}

/// One count of a [`Params`](crate::Params): a whole number that is saved with the parameters, such as PyTorch's
/// `num_batches_tracked`.
///
/// ```
/// use wengert_nn::{CountId, Params};
/// let mut params: Params<f64> = Params::seeded(0);
/// let batches: CountId = params.at("norm").count("num_batches_tracked", 0);
/// assert_eq!(params.infer(|cx| cx.count(batches)), 0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CountId {
    store: u64,
    index: u32,
}

impl ParamId {
    /// The position among the parameter tensors.
    pub fn index(self) -> usize {
        self.index as usize
    }
}

/// Names, shapes and positions of parameters in the flat vector.
///
/// ```
/// use wengert_nn::{Layout, Linear, Params};
/// let mut params: Params<f64> = Params::seeded(0);
/// Linear::new(params.at("out"), 2, 1);
/// let snapshot = params.snapshot();
/// let layout: &Layout = snapshot.layout();
/// assert_eq!(layout.entries().len(), 2);
/// ```
#[derive(Clone)]
pub struct Layout {
    /// Distinguishes the ids of different stores.
    store: u64,
    entries: Vec<Entry>,
    by_name: HashMap<String, u32>,
    buffers: Vec<String>,
    counts: Vec<String>,
}

/// One parameter tensor.
///
/// ```
/// use wengert_nn::{Entry, Linear, Params};
/// let mut params: Params<f64> = Params::seeded(0);
/// Linear::new(params.at("out"), 2, 1);
/// params.infer(|cx| {
///     let Entry { name, shape, start, frozen, .. } = &cx.layout().entries()[1];
///     assert_eq!((name.as_str(), &shape[..], *start, *frozen), ("out.bias", &[1][..], 2, false));
/// });
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Entry {
    /// Its dotted name.
    pub name: String,
    /// Its shape.
    pub shape: Shape,
    /// Where it starts.
    pub start: usize,
    /// Whether it is a constant.
    pub frozen: bool,
}

impl Entry {
    /// Where it is.
    pub fn range(&self) -> Range<usize> {
        self.start..self.start + self.shape.count()
    }

    /// The part of a flat vector, in this shape, without a copy.
    pub fn view<T: Float>(&self, flat: &Tensor<T>) -> Tensor<T> {
        flat.slice(self.range()).reshape(&self.shape)
    }

    /// [`view`](Entry::view) of a variable.
    pub(crate) fn view_of<T: Float>(&self, flat: &Var<T>) -> Var<T> {
        flat.slice(self.range()).reshape(&self.shape)
    }
}

impl Layout {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let store = NEXT.fetch_add(1, Ordering::Relaxed);
        Layout {
            store,
            entries: Vec::new(),
            by_name: HashMap::new(),
            buffers: Vec::new(),
            counts: Vec::new(),
        }
    }

    /// The length of the flat vector.
    #[expect(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.entries.last().map_or(0, |e| e.range().end)
    }

    /// The parameter tensors in their order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(crate) fn buffer_names(&self) -> &[String] {
        &self.buffers
    }

    pub(crate) fn count_names(&self) -> &[String] {
        &self.counts
    }

    /// Whether ids of one are ids of the other.
    pub(crate) fn same_store(&self, other: &Self) -> bool {
        self.store == other.store
    }

    pub(crate) fn push(&mut self, name: String, shape: Shape) -> ParamId {
        let (start, index) = (self.len(), self.entries.len() as u32);
        self.by_name.insert(name.clone(), index);
        self.entries.push(Entry { name, shape, start, frozen: false });
        ParamId { store: self.store, index }
    }

    pub(crate) fn rename(&mut self, id: ParamId, name: String) {
        let old = std::mem::replace(&mut self.entries[id.index()].name, name.clone());
        self.by_name.remove(&old);
        self.by_name.insert(name, id.index);
    }

    pub(crate) fn push_buffer(&mut self, name: String) -> BufferId {
        self.buffers.push(name);
        BufferId { store: self.store, index: self.buffers.len() as u32 - 1 }
    }

    pub(crate) fn push_count(&mut self, name: String) -> CountId {
        self.counts.push(name);
        CountId { store: self.store, index: self.counts.len() as u32 - 1 }
    }

    pub(crate) fn has_name(&self, name: &str) -> bool {
        self.by_name.contains_key(name) || self.buffers.iter().chain(&self.counts).any(|b| b == name)
    }

    pub(crate) fn id(&self, name: &str) -> Option<ParamId> {
        self.by_name.get(name).map(|&index| ParamId { store: self.store, index })
    }

    #[track_caller]
    pub(crate) fn entry(&self, operation: &str, id: ParamId) -> &Entry {
        match self.entries.get(id.index()) {
            Some(entry) if id.store == self.store => entry,
            _ => foreign(operation),
        }
    }

    /// The position of a buffer among the buffers.
    #[track_caller]
    pub(crate) fn buffer(&self, operation: &str, id: BufferId) -> usize {
        match self.buffers.get(id.index as usize) {
            Some(_) if id.store == self.store => id.index as usize,
            _ => foreign(operation),
        }
    }

    /// The position of a count among the counts.
    #[track_caller]
    pub(crate) fn count(&self, operation: &str, id: CountId) -> usize {
        match self.counts.get(id.index as usize) {
            Some(_) if id.store == self.store => id.index as usize,
            _ => foreign(operation),
        }
    }

    /// The positions of the parameter tensors whose name fits.
    pub(crate) fn matching(&self, pattern: &str) -> impl Iterator<Item = usize> {
        (0..self.entries.len()).filter(move |&i| name_matches(pattern, &self.entries[i].name))
    }

    /// Panics unless the pattern fits a parameter's name.
    #[track_caller]
    pub(crate) fn expect_match(&self, operation: &str, pattern: &str) {
        if let Err(error) = PatternError::unless_fits(pattern, self.entries.iter().map(|e| e.name.as_str())) {
            panic!("{operation}: {error}");
        }
    }

    pub(crate) fn ranges(&self, pattern: &str) -> Vec<Range<usize>> {
        let mut ranges: Vec<Range<usize>> = Vec::new();
        for entry in self.matching(pattern).map(|index| &self.entries[index]) {
            match ranges.last_mut() {
                Some(last) if last.end == entry.start => last.end = entry.range().end,
                _ => ranges.push(entry.range()),
            }
        }
        ranges
    }

    /// Checks that each parameter that is not frozen was reached, going by `reached` in their order.
    ///
    /// # Errors
    /// If one was not.
    pub fn all_reached(&self, reached: impl Iterator<Item = bool>) -> Result<(), GradError> {
        let trained = self.entries.iter().filter(|e| !e.frozen);
        let names: Vec<String> =
            trained.zip(reached).filter(|(_, reached)| !reached).map(|(e, _)| e.name.clone()).collect();
        if names.is_empty() { Ok(()) } else { Err(GradError::Unreached { names }) }
    }

    pub(crate) fn set_frozen(&mut self, pattern: &str, frozen: bool) -> usize {
        let matching = self.entries.iter_mut().filter(|e| name_matches(pattern, &e.name));
        matching.map(|e| e.frozen = frozen).count()
    }

    /// Says of each parameter tensor whether it is frozen.
    pub(crate) fn freeze_each(&mut self, frozen: &[bool]) {
        self.entries.iter_mut().zip(frozen).for_each(|(entry, &frozen)| entry.frozen = frozen);
    }

    pub(crate) fn freeze(&mut self, id: ParamId) {
        self.entries[id.index()].frozen = true;
    }

    /// The places of the frozen parameters.
    pub(crate) fn frozen(&self) -> impl Iterator<Item = Range<usize>> {
        self.entries.iter().filter(|e| e.frozen).map(Entry::range)
    }
}

#[cold]
#[track_caller]
fn foreign(operation: &str) -> ! {
    panic!(
        "{operation}: the id belongs to another `Params`: build the model with the `Params` that it is evaluated with, or with a clone"
    )
}

//! A flat gradient that is shown while it grows.

use wengert_tape::{Sweep, SweepObserver, Tape, Var};
use wengert_tensor::{Float, Tensor};

use super::Layout;
use crate::ctx::Ctx;

/// Who is shown the flat vector, and the offset from which on it is final.
pub(super) type Progress<'a, T> = dyn FnMut(&[T], usize) + 'a;

/// A flat gradient to whose places derivatives are written as soon as they are final.
pub(super) struct Growing<'a, T: Float> {
    layout: &'a Layout,
    flat: Tensor<T>,
    /// The entries that are not frozen.
    trained: Vec<usize>,
    /// Whether each entry is final; frozen ones are from the beginning.
    done: Vec<bool>,
    /// The first entry of those behind which all are final.
    from: usize,
    /// The entry of which only the elements from that one on are final, if there is one.
    part: Option<(usize, usize)>,
    /// How many elements of a large entry are shown at a time.
    every: usize,
    progress: &'a mut Progress<'a, T>,
}

impl<'a, T: Float> Growing<'a, T> {
    pub(super) fn new(layout: &'a Layout, every: usize, progress: &'a mut Progress<'a, T>) -> Self {
        let entries = layout.entries();
        let trained = (0..entries.len()).filter(|&entry| !entries[entry].frozen).collect();
        let done: Vec<bool> = entries.iter().map(|entry| entry.frozen).collect();
        let len = entries.iter().map(|entry| entry.shape.count()).sum::<usize>();
        let (flat, from) = (Tensor::zeros([len]), done.len());
        Growing { layout, flat, trained, done, from, part: None, every, progress }
    }

    /// Sweeps back; for each parameter that is trained, whether the loss depends on it. Uses the recording up.
    pub(super) fn pull_back(&mut self, tape: &Tape<T>, cx: &Ctx<T>, loss: &Var<T>) -> Vec<bool> {
        let trained: Vec<&Var<T>> = cx.trained().collect();
        let found = tape.pull_back_observed(loss, Var::ones(loss.shape()), &trained, Sweep::Consume, self);
        tape.close();
        found.iter().map(Option::is_some).collect()
    }

    /// The whole gradient, after it was shown.
    pub(super) fn finish(mut self) -> Tensor<T> {
        self.passed();
        self.flat
    }
}

impl<T: Float> SweepObserver<T> for Growing<'_, T> {
    fn ready(&mut self, index: usize, derivative: Option<&Var<T>>) {
        let entry = self.trained[index];
        // What was shown in parts is there.
        let is_there = self.part.take_if(|(of, _)| *of == entry) == Some((entry, 0));
        if let Some(derivative) = derivative.filter(|_| !is_there) {
            let range = self.layout.entries()[entry].range();
            let into = &mut self.flat.as_mut_slice()[range];
            match derivative.value().as_slice() {
                Some(values) => into.copy_from_slice(values),
                None => into.copy_from_slice(&derivative.value().to_vec()),
            }
        }
        self.done[entry] = true;
    }

    fn ready_from(&mut self, index: usize, first: usize, elements: &[T]) {
        let entry = self.trained[index];
        let start = self.layout.entries()[entry].range().start + first;
        self.flat.as_mut_slice()[start..start + elements.len()].copy_from_slice(elements);
        self.part = Some((entry, first));
        self.passed();
    }

    fn every(&self) -> usize {
        self.every
    }

    fn passed(&mut self) {
        while self.from > 0 && self.done[self.from - 1] {
            self.from -= 1;
        }
        let start = |entry: usize| {
            self.layout.entries().get(entry).map_or(self.flat.len(), |entry| entry.range().start)
        };
        let offset = match self.part {
            Some((entry, first)) if entry + 1 == self.from => start(entry) + first,
            _ => start(self.from),
        };
        (self.progress)(self.flat.as_slice().expect("a new vector is contiguous"), offset);
    }
}

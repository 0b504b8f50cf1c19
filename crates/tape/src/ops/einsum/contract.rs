//! Operands with a label for each axis, and the contraction of two.

use wengert_tensor::{Float, Shape};

use crate::var::Var;

/// A variable with a different label for each of its axes.
pub(crate) struct Labelled<T: Float> {
    pub(crate) value: Var<T>,
    pub(crate) labels: Vec<usize>,
}

impl<T: Float> Labelled<T> {
    /// Takes diagonals of labels that stand twice, and drops axes of length 1 that broadcast: whatever they meet has the
    /// label.
    #[track_caller]
    pub(super) fn new(value: &Var<T>, mut labels: Vec<usize>, lengths: &[usize]) -> Self {
        let mut value = value.clone();
        while let Some((first, second)) = twice(&labels) {
            value = diagonal(&value, first, second);
            let label = labels.remove(second);
            labels.remove(first);
            labels.push(label);
        }
        let kept = |axis: &usize| value.shape()[*axis] == lengths[labels[*axis]];
        let kept: Vec<usize> = (0..labels.len()).filter(kept).collect();
        let shape: Shape = kept.iter().map(|&axis| value.shape()[axis]).collect();
        Labelled { value: value.reshape(shape), labels: kept.iter().map(|&axis| labels[axis]).collect() }
    }

    pub(super) fn count(&self) -> usize {
        self.value.len()
    }

    /// Summed over the labels that are not kept.
    #[track_caller]
    fn summed(self, kept: &dyn Fn(usize) -> bool) -> Self {
        let axes: Vec<usize> = (0..self.labels.len()).filter(|&axis| !kept(self.labels[axis])).collect();
        if axes.is_empty() {
            return self;
        }
        let labels = self.labels.into_iter().filter(|&label| kept(label)).collect();
        Labelled { value: self.value.sum_axes(&axes[..], false), labels }
    }

    /// With exactly these labels, in this order; others are summed over.
    #[track_caller]
    pub(crate) fn arranged(self, output: &[usize]) -> Var<T> {
        let summed = self.summed(&|label| output.contains(&label));
        let order: Vec<usize> = output.iter().map(|label| summed.axis(*label)).collect();
        permuted(&summed.value, &order)
    }

    fn axis(&self, label: usize) -> usize {
        self.labels.iter().position(|l| *l == label).expect("a label of this operand")
    }

    /// The axes of these groups of labels, each group merged into one axis.
    #[track_caller]
    fn grouped(&self, groups: [&[usize]; 3]) -> Var<T> {
        let order: Vec<usize> = groups.iter().flat_map(|g| g.iter()).map(|label| self.axis(*label)).collect();
        let merged: [usize; 3] =
            groups.map(|g| g.iter().map(|label| self.value.shape()[self.axis(*label)]).product());
        permuted(&self.value, &order).reshape(merged)
    }

    /// With an axis for each label, of length 1 for those that it does not have.
    #[track_caller]
    fn spread(&self, labels: &[usize]) -> Var<T> {
        let own: Vec<usize> =
            labels.iter().filter(|l| self.labels.contains(l)).map(|l| self.axis(*l)).collect();
        let length = |label: &usize| match self.labels.iter().position(|l| l == label) {
            Some(axis) => self.value.shape()[axis],
            None => 1,
        };
        permuted(&self.value, &own).reshape(labels.iter().map(length).collect::<Shape>())
    }
}

/// The first two axes with the same label.
fn twice(labels: &[usize]) -> Option<(usize, usize)> {
    (0..labels.len()).find_map(|second| {
        labels[..second].iter().position(|l| *l == labels[second]).map(|first| (first, second))
    })
}

/// The diagonal of two axes, which becomes the last one.
#[track_caller]
fn diagonal<T: Float>(value: &Var<T>, first: usize, second: usize) -> Var<T> {
    let others = (0..value.rank()).filter(|axis| *axis != first && *axis != second);
    let order: Vec<usize> = others.chain([first, second]).collect();
    permuted(value, &order).diagonal(0)
}

#[track_caller]
fn permuted<T: Float>(value: &Var<T>, order: &[usize]) -> Var<T> {
    if order.iter().copied().eq(0..value.rank()) { value.clone() } else { value.permute(order) }
}

/// The product of two operands, summed over the labels that are not kept.
#[track_caller]
pub(crate) fn contracted<T: Float>(
    a: Labelled<T>,
    b: Labelled<T>,
    kept: &dyn Fn(usize) -> bool,
) -> Labelled<T> {
    let (a, b) = {
        let (of_a, of_b) = (a.labels.clone(), b.labels.clone());
        (a.summed(&|l| kept(l) || of_b.contains(&l)), b.summed(&|l| kept(l) || of_a.contains(&l)))
    };
    // The order of the larger operand, which then has to be copied less often.
    let first = if a.count() >= b.count() { &a } else { &b };
    let shared: Vec<usize> =
        first.labels.iter().copied().filter(|l| a.labels.contains(l) && b.labels.contains(l)).collect();
    let (batch, inner): (Vec<usize>, Vec<usize>) = shared.iter().partition(|l| kept(**l));
    let free = |x: &Labelled<T>| -> Vec<usize> {
        x.labels.iter().copied().filter(|l| !shared.contains(l)).collect()
    };
    let (rows, columns) = (free(&a), free(&b));
    let labels: Vec<usize> = batch.iter().chain(&rows).chain(&columns).copied().collect();
    if inner.is_empty() {
        let value = a.spread(&labels) * b.spread(&labels);
        return Labelled { value, labels };
    }
    if rows.is_empty() && columns.is_empty() && !batch.is_empty() {
        // Many products of two vectors: nothing for a matrix product to reuse.
        let all: Vec<usize> = batch.iter().chain(&inner).copied().collect();
        let axes: Vec<usize> = (batch.len()..all.len()).collect();
        let value = (a.spread(&all) * b.spread(&all)).sum_axes(&axes[..], false);
        return Labelled { value, labels };
    }
    let lengths = |x: &Labelled<T>, labels: &[usize]| -> Vec<usize> {
        labels.iter().map(|l| x.value.shape()[x.axis(*l)]).collect()
    };
    let shape: Shape =
        [lengths(&a, &batch), lengths(&a, &rows), lengths(&b, &columns)].into_iter().flatten().collect();
    let (left, right) = (a.grouped([&batch, &rows, &inner]), b.grouped([&batch, &inner, &columns]));
    let product = if batch.is_empty() {
        // Plain matrices, whose product adds to what is there when it is differentiated.
        left.squeeze(0).matmul(&right.squeeze(0))
    } else {
        left.matmul(&right)
    };
    Labelled { value: product.reshape(shape), labels }
}

//! Products with the generalised Gauss–Newton and the Fisher matrix of a flat loss.

use std::sync::Arc;

use wengert_nn::Layout;
use wengert_optim::Operator;
use wengert_tape::{Sweep, Tape, Var};
use wengert_tensor::Float;

use crate::flat::{check_length, split, unit, write};
use crate::flat_loss::FlatLoss;
use crate::output_curvature::OutputCurvature;

/// A matrix Jᵀ·C·J at a point, J being the Jacobian of a model's outputs and C a curvature in the space of the outputs.
///
/// With C the Hessian of the loss it is the generalised Gauss–Newton matrix (Schraudolph, "Fast curvature matrix-vector
/// products for second-order gradient descent", 2002), made by [`FlatLoss`]: positive semi-definite where the
/// loss is convex in the outputs. With C the Fisher information of the outputs it is the Fisher matrix, made by
/// [`FisherInformation`](crate::FisherInformation); for [`CrossEntropy`](wengert_nn::CrossEntropy),
/// [`BceWithLogits`](wengert_nn::BceWithLogits) and [`Mse`](wengert_nn::Mse) the two are the same.
///
/// The model is recorded once; a product is one sweep forwards and one backwards, about two gradients.
///
/// ```
/// use wengert_curvature::Objectives;
/// use wengert_nn::{Init, Params};
/// use wengert_optim::{Curvatures, Operator};
/// let mut params: Params<f64> = Params::seeded(0);
/// let w = params.root().param("w", [1], Init::Ones);
/// // (w³ − 1)²/2: J = 3w², H = 1.
/// let loss = params.model_objective(|cx| cx.param(w).powi(3), |y| (y - 1.0).square().sum() * 0.5);
/// let matrix = loss.gauss_newton(&[2.0]).unwrap();
/// let mut product = [0.0];
/// matrix.apply(&[1.0], &mut product);
/// assert_eq!((product[0], matrix.diagonal()), (144.0, vec![144.0]));
/// ```
pub struct GaussNewton<T: Float> {
    model: RecordedModel<T>,
    curvature: Box<dyn OutputCurvature<T>>,
}

/// A recording of a model's outputs.
pub(crate) struct RecordedModel<T: Float> {
    tape: Tape<T>,
    pub(crate) layout: Arc<Layout>,
    pub(crate) trained: Vec<Var<T>>,
    outputs: Var<T>,
}

impl<T: Float> RecordedModel<T> {
    #[track_caller]
    pub(crate) fn new(operation: &str, of: &FlatLoss<'_, T>, x: &[T]) -> Self {
        let (tape, cx) = of.recording(operation, x);
        tape.expect_tangents();
        let outputs = (of.outputs)(&cx);
        let trained = cx.trained().cloned().collect();
        RecordedModel { tape, layout: Arc::clone(of.model.layout()), trained, outputs }
    }

    /// The outputs as constants.
    pub(crate) fn outputs(&self) -> Var<T> {
        self.tape.leave(&self.outputs)
    }

    /// J v, for the parts of v that belong to these parameters.
    pub(crate) fn push_forward(&self, wanted: &[&Var<T>], tangents: &[Var<T>]) -> Option<Var<T>> {
        self.tape.push_forward(&[&self.outputs], wanted, tangents).remove(0)
    }

    /// `out = Jᵀ u`.
    #[track_caller]
    pub(crate) fn pull_back(&self, operation: &str, u: Var<T>, out: &mut [T]) {
        let wanted: Vec<&Var<T>> = self.trained.iter().collect();
        let found = self.tape.pull_back(&self.outputs, u, &wanted, Sweep::Retain);
        write(operation, &self.layout, found, out);
    }
}

impl<T: Float> Drop for RecordedModel<T> {
    fn drop(&mut self) {
        self.tape.close();
    }
}

impl<T: Float> GaussNewton<T> {
    pub(crate) fn new(model: RecordedModel<T>, curvature: Box<dyn OutputCurvature<T>>) -> Self {
        GaussNewton { model, curvature }
    }

    fn diagonal_by_rows(&self, out: &mut [T]) {
        let nonzero = |column: Var<T>| -> Vec<(usize, f64)> {
            let column = column.value().contiguous();
            let column = column.as_slice().expect("contiguous").iter().map(|c| c.to_f64());
            column.enumerate().filter(|&(_, c)| c != 0.0).collect()
        };
        let mut columns: Vec<Vec<(usize, f64)>> = (0..self.model.outputs.len())
            .map(|i| nonzero(self.curvature.apply(&unit(&self.model.outputs, i))))
            .collect();
        link_both_ways(&mut columns);
        let mut sum = vec![0.0; out.len()];
        for block in blocks(&columns) {
            let rows: Vec<Vec<T>> = block
                .iter()
                .map(|&i| {
                    let mut row = vec![T::ZERO; out.len()];
                    self.model.pull_back("GaussNewton", unit(&self.model.outputs, i), &mut row);
                    row
                })
                .collect();
            for (position, &i) in block.iter().enumerate() {
                for &(k, c) in &columns[i] {
                    let other = block.binary_search(&k).expect("coupled outputs are in one block");
                    for ((sum, a), b) in sum.iter_mut().zip(&rows[position]).zip(&rows[other]) {
                        *sum += c * a.to_f64() * b.to_f64();
                    }
                }
            }
        }
        for (out, sum) in out.iter_mut().zip(sum) {
            *out = T::from_f64(sum);
        }
    }

    fn diagonal_by_columns(&self, out: &mut [T]) {
        out.fill(T::ZERO);
        let trained = self.model.layout.entries().iter().filter(|e| !e.frozen);
        for (entry, parameter) in trained.zip(&self.model.trained) {
            for (i, out) in out[entry.range()].iter_mut().enumerate() {
                let Some(moved) = self.model.push_forward(&[parameter], &[unit(parameter, i)]) else { break };
                *out = (self.curvature.apply(&moved) * moved).sum().item();
            }
        }
    }
}

impl<T: Float> Operator<T> for GaussNewton<T> {
    fn dimension(&self) -> usize {
        self.model.layout.len()
    }

    /// `out = Jᵀ C J v`: one sweep forwards and one backwards. Rows and columns of frozen parameters are zero, and the
    /// forward sweep skips what depends on no parameter along which `v` is not zero.
    ///
    /// # Panics
    /// If a length is not the number of parameters.
    #[track_caller]
    fn apply(&self, v: &[T], out: &mut [T]) {
        check_length("GaussNewton::apply", "slice to write to", out.len(), &self.model.layout);
        let (wanted, tangents) = split("GaussNewton::apply", &self.model.layout, &self.model.trained, v);
        match self.model.push_forward(&wanted, &tangents) {
            Some(moved) => self.model.pull_back("GaussNewton", self.curvature.apply(&moved), out),
            // The outputs do not depend on the parameters.
            None => out.fill(T::ZERO),
        }
    }

    /// The diagonal, exactly: Σ over the outputs i and k of Cᵢₖ·Jᵢ∘Jₖ by one sweep backwards an output, or, if there are
    /// fewer parameters than outputs, one sweep forwards a parameter.
    ///
    /// The rows of J are kept for as many outputs as C couples: those of one example.
    #[track_caller]
    fn diagonal(&self) -> Vec<T> {
        let mut out = vec![T::ZERO; self.model.layout.len()];
        let parameters: usize = self.model.trained.iter().map(Var::len).sum();
        if self.model.outputs.len() < parameters {
            self.diagonal_by_rows(&mut out);
        } else {
            self.diagonal_by_columns(&mut out);
        }
        out
    }
}

/// Gives element (k, i) a place wherever (i, k) has one: NaN times zero, or what underflows, can make them differ.
fn link_both_ways(columns: &mut [Vec<(usize, f64)>]) {
    for i in 0..columns.len() {
        for position in 0..columns[i].len() {
            let (k, _) = columns[i][position];
            if !columns[k].iter().any(|&(j, _)| j == i) {
                columns[k].push((i, 0.0));
            }
        }
    }
}

/// The finest division of a symmetric sparse matrix's rows into blocks that are not coupled, each in ascending order;
/// rows without any element are left out.
fn blocks(columns: &[Vec<(usize, f64)>]) -> Vec<Vec<usize>> {
    let mut seen = vec![false; columns.len()];
    let mut blocks = Vec::new();
    for start in 0..columns.len() {
        if seen[start] || columns[start].is_empty() {
            continue;
        }
        seen[start] = true;
        let mut block = vec![start];
        let mut next = 0;
        while next < block.len() {
            for &(k, _) in &columns[block[next]] {
                if !std::mem::replace(&mut seen[k], true) {
                    block.push(k);
                }
            }
            next += 1;
        }
        block.sort_unstable();
        blocks.push(block);
    }
    blocks
}

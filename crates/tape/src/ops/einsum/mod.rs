//! Sums of products over subscripts, in Einstein's notation.

mod contract;
mod equation;
mod order;

use std::borrow::Borrow;

use wengert_tensor::Float;

use crate::var::Var;
pub(super) use contract::{Labelled, contracted};
use equation::Equation;
pub(in crate::ops) use order::reduced;

impl<T: Float> Var<T> {
    /// The sum of products that `equation` says, of any number of operands: a letter for each axis of each operand, the
    /// operands separated by commas, and behind `->` the letters of the result's axes. What stands in several operands
    /// runs alike in all of them, and what does not stand in the result is summed over. A letter that one operand has
    /// twice takes its diagonal. `...` stands for axes without letters, which broadcast, aligned at the last one, and come
    /// first in the result unless it says where. Without `->` the result has the letters that stand once, in
    /// alphabetical order (capitals first). Spaces do not matter. An axis of length 1 broadcasts against the same letter of another
    /// operand, as in PyTorch.
    ///
    /// Up to eight operands are contracted in the order that takes the fewest multiplications; of more, the pair comes first
    /// whose result is smallest compared with what it takes the place of (the greedy rule of opt_einsum). Every contraction of
    /// two is one batched matrix product.
    ///
    /// | equation | is |
    /// |---|---|
    /// | `"ij,jk"` | the product of two matrices |
    /// | `"...ij,...jk->...ik"` | of two batches |
    /// | `"ii"` | the trace, `"ii->i"` the diagonal |
    /// | `"ij->ji"`, `"ij->"` | the transpose, the sum |
    /// | `"i,j->ij"` | the outer product |
    /// | `"bqhd,bkhd->bhqk"` | the scores of attention |
    /// | `"ni,oij,nj->no"` | a bilinear form |
    ///
    /// # Panics
    /// If the equation is none, does not fit the operands, or a letter has two lengths of which neither is 1.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let (a, b) = (Var::from([[1.0f64, 2.0], [3.0, 4.0]]), Var::from([[0.0, 1.0], [1.0, 0.0]]));
    /// assert_eq!(Var::einsum("ij,jk->ik", &[&a, &b]).value(), a.matmul(&b).value());
    /// assert_eq!(Var::einsum("ii", &[&a]).item(), 5.0);
    /// assert_eq!(Var::einsum("ij,ij->j", &[&a, &a]).value().to_vec(), [10.0, 20.0]);
    /// ```
    #[track_caller]
    pub fn einsum(equation: &str, operands: &[impl Borrow<Var<T>>]) -> Var<T> {
        let operands: Vec<&Var<T>> = operands.iter().map(Borrow::borrow).collect();
        let shapes: Vec<_> = operands.iter().map(|v| v.shape()).collect();
        let Equation { inputs, output, lengths } = Equation::new(equation, &shapes);
        let mut labelled = Vec::with_capacity(operands.len());
        for (operand, labels) in operands.into_iter().zip(inputs) {
            labelled.push(Labelled::new(operand, labels, &lengths));
        }
        reduced(labelled, &output, &lengths).arranged(&output)
    }
}

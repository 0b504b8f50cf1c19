//! Rows of a table by their numbers, of which one may be for padding.

use wengert_tensor::{Float, Shape, Tensor};

use crate::class::{Routing, routed};
use crate::data::{Data, Given, Index};
use crate::describe::Attributes;
use crate::op::{Cotangents, Op, Point, Saves, apply_given, rules_compiled_here};
use crate::var::Var;

/// The rows that an index names, where the row `padding` counts as a constant.
struct Embedding {
    padding: usize,
}

/// The rows that an index names, zeros in the place of the row `padding`: the derivative of [`Embedding`].
#[derive(Clone)]
struct Rows {
    padding: usize,
}

/// The sums at rows of zeros, but for the row `padding`: the transpose of [`Rows`].
#[derive(Clone)]
struct Sums {
    padding: usize,
    shape: Shape,
}

impl<T: Float> Routing<T> for Rows {
    fn name(&self) -> &str {
        "embedding_rows"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("padding", self.padding);
    }
    #[track_caller]
    fn forward(&self, x: &Tensor<T>, index: &Data<T>) -> Tensor<T> {
        let mut rows = x.index_select(0, index.index());
        let width = x.shape()[1];
        let tokens = index.index().to_vec();
        for (row, token) in rows.as_mut_slice().chunks_exact_mut(width.max(1)).zip(tokens) {
            if token as usize == self.padding {
                row.fill(T::ZERO);
            }
        }
        rows
    }
    fn transpose(&self, cotangent: &Var<T>, index: &Given<T>, input: &Shape) -> Var<T> {
        routed(cotangent, Sums { padding: self.padding, shape: input.clone() }, index)
    }
    rules_compiled_here!(Rows in RoutingOp);
}

impl<T: Float> Routing<T> for Sums {
    fn name(&self) -> &str {
        "embedding_sums"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("padding", self.padding);
        attributes.set("shape", &self.shape);
    }
    #[track_caller]
    fn forward(&self, x: &Tensor<T>, index: &Data<T>) -> Tensor<T> {
        let mut sums = Tensor::zeros(&self.shape);
        let (index, width) = (index.index(), self.shape[1]);
        sums.index_add_inplace(0, &index.reshape([index.len()]), &x.reshape([index.len(), width]));
        sums.as_mut_slice()[self.padding * width..][..width].fill(T::ZERO);
        sums
    }
    fn transpose(&self, cotangent: &Var<T>, index: &Given<T>, _: &Shape) -> Var<T> {
        routed(cotangent, Rows { padding: self.padding }, index)
    }
    rules_compiled_here!(Sums in RoutingOp);
}

impl<T: Float> Op<T> for Embedding {
    fn name(&self) -> &str {
        "embedding"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("padding", self.padding);
    }
    fn forward(&self, _: &[&Tensor<T>]) -> Tensor<T> {
        unreachable!("embedding: evaluated with its tokens")
    }
    #[track_caller]
    fn evaluate(&self, inputs: &[&Tensor<T>], given: &[&Data<T>]) -> Data<T> {
        Data::Float(inputs[0].index_select(0, given[0].index()))
    }
    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let shape = at.input(0).shape().clone();
        into.add(0, || routed(cotangent, Sums { padding: self.padding, shape }, at.given(0)));
    }
    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        let rows = Rows { padding: self.padding };
        tangents[0].as_ref().map(|t| routed(t, rows, at.given(0)))
    }
    fn saves(&self) -> Saves {
        Saves::NOTHING
    }
    rules_compiled_here!(Embedding);
}

impl<T: Float> Var<T> {
    /// The rows of this table `[rows, width]` that `tokens` name, `[…, width]`. The row `padding`, if there is one, counts as
    /// a constant, so that it gets no gradient. Without one it is [`index_select`](Var::index_select) of the first axis.
    ///
    /// # Panics
    /// If this is no matrix, or a token or the padding is not below the number of rows.
    ///
    /// ```
    /// use wengert_tape::{Var, grad};
    /// use wengert_tensor::Tensor;
    /// let tokens = Tensor::from([2u32, 1, 2]);
    /// let table = Var::from([[1.0f64], [2.0], [3.0]]);
    /// assert_eq!(table.embedding(&tokens, Some(1)).value().to_vec(), [3.0, 2.0, 3.0]);
    /// let g = grad(|table: &Var<f64>| table.embedding(&tokens, Some(1)).sum(), &table);
    /// assert_eq!(g.value().to_vec(), [0.0, 0.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn embedding(&self, tokens: impl Into<Index<T>>, padding: Option<usize>) -> Var<T> {
        let (tokens, shape) = (tokens.into(), self.shape());
        assert!(self.rank() == 2, "embedding: a table of shape {shape}, not [rows, width]");
        let rows = shape[0];
        // Here as well as in the tensor's method, which knows nothing of tokens.
        if let Some(at) = tokens.value().to_vec().into_iter().find(|&token| token as usize >= rows) {
            panic!("embedding: token {at} is not below {rows}, the number of rows");
        }
        let Some(padding) = padding else { return self.index_select(0, tokens) };
        assert!(padding < rows, "embedding: padding {padding} is not below {rows}, the number of rows");
        apply_given(Embedding { padding }, &[self], &[tokens.given()])
    }
}

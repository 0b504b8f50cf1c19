//! What makes queries, keys and values of the inputs.

use wengert_tape::Var;
use wengert_tensor::Float;

use crate::ctx::Ctx;
use crate::layer::linear::linear;
use crate::observe::Affine;
use crate::params::ParamId;

/// The weights of the three projections.
#[derive(Clone, Debug)]
pub(super) enum Weights {
    /// One below the other, for inputs of one width.
    Stacked(ParamId),
    /// Of queries, keys and values.
    Separate([ParamId; 3]),
}

/// Three affine maps, whose biases stand one below the other.
#[derive(Clone, Debug)]
pub(super) struct Projections {
    pub(super) weights: Weights,
    pub(super) bias: Option<ParamId>,
    /// The widths of queries, and of keys and values.
    pub(super) widths: [usize; 2],
}

impl Projections {
    /// Queries, keys and values of three inputs `[…, features]`. Where the inputs are one variable, by one product.
    #[track_caller]
    pub(super) fn apply<T: Float>(&self, cx: &Ctx<T>, [query, key, value]: [&Var<T>; 3]) -> [Var<T>; 3] {
        let first = match &self.weights {
            Weights::Stacked(id) | Weights::Separate([id, ..]) => *id,
        };
        let (weight, bias) = cx.weight_and_bias(OPERATION, first, self.bias);
        let bias_of = |part: usize| bias.as_ref().map(|b| b.slice_axis(0, self.range(part)));
        if let Weights::Separate([_, k, v]) = self.weights {
            let q = linear(query, &weight, bias_of(0).as_ref());
            let k = linear(key, &cx.param_of(OPERATION, k), bias_of(1).as_ref());
            return [q, k, linear(value, &cx.param_of(OPERATION, v), bias_of(2).as_ref())];
        }
        if std::ptr::eq(query, key) && std::ptr::eq(key, value) {
            let all = linear(query, &weight, bias.as_ref());
            cx.affine(Affine { weight: first, bias: self.bias, convolution: None }, query, &all);
            return [0, 1, 2].map(|part| all.slice_axis(-1, self.range(part)));
        }
        let of = |part: usize, x: &Var<T>| {
            linear(x, &weight.slice_axis(0, self.range(part)), bias_of(part).as_ref())
        };
        [of(0, query), of(1, key), of(2, value)]
    }

    /// The rows of the stacked weights that make queries (0), keys (1) and values (2).
    fn range(&self, part: usize) -> std::ops::Range<usize> {
        let [queries, keys] = self.widths;
        let start = [0, queries, queries + keys][part];
        start..start + if part == 0 { queries } else { keys }
    }
}

const OPERATION: &str = "attention";

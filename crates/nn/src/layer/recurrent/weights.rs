//! The parameters of one layer in one direction.

use wengert_tape::Var;
use wengert_tensor::Float;

use super::unit::Unit;
use crate::ctx::Ctx;
use crate::init::Init;
use crate::layer::linear::map::linear;
use crate::observe::Affine;
use crate::params::{ParamId, Scope};

/// How large the parameters are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    pub(super) input: usize,
    pub(super) hidden: usize,
    /// What the output is projected to, if it is.
    pub(super) projection: Option<usize>,
    pub(super) bias: bool,
}

impl Sizes {
    /// The numbers that a step gives out.
    pub(super) fn output(&self) -> usize {
        self.projection.unwrap_or(self.hidden)
    }

    /// The length of part number `part` of a state.
    pub(super) fn part(&self, part: usize) -> usize {
        if part == 0 { self.output() } else { self.hidden }
    }
}

/// The parameters, named as PyTorch's.
#[derive(Clone, Debug)]
pub(super) struct Weights {
    ih: ParamId,
    hh: ParamId,
    /// Of the input and of the state.
    biases: Option<[ParamId; 2]>,
    projection: Option<ParamId>,
}

impl Weights {
    /// Makes the parameters, whose names end in `suffix`.
    #[track_caller]
    pub(super) fn make<U: Unit, T: Float>(p: &mut Scope<'_, T>, sizes: Sizes, suffix: &str) -> Self {
        let Sizes { input, hidden, projection, bias } = sizes;
        let rows = wengert_tensor::size::product(U::NAME, &[U::GATES, hidden]);
        // ±1/√hidden for all of them.
        let init = Init::pytorch_bias(hidden);
        let ih = p.param(&format!("weight_ih{suffix}"), [rows, input], init.clone());
        let hh = p.param(&format!("weight_hh{suffix}"), [rows, sizes.output()], init.clone());
        let mut biases = None;
        if bias {
            let of_input = p.param(&format!("bias_ih{suffix}"), [rows], init.clone());
            biases = Some([of_input, p.param(&format!("bias_hh{suffix}"), [rows], init.clone())]);
        }
        let shape = [sizes.output(), hidden];
        let projection = p.optional(&format!("weight_hr{suffix}"), &shape, projection.map(|_| init));
        Weights { ih, hh, biases, projection }
    }

    /// All of them, in their order.
    pub(super) fn ids(&self) -> Vec<Option<ParamId>> {
        let [of_input, of_state] = self.biases.map_or([None; 2], |ids| ids.map(Some));
        vec![Some(self.ih), Some(self.hh), of_input, of_state, self.projection]
    }

    /// Their values in a forward pass.
    #[track_caller]
    pub(super) fn in_force<U: Unit, T: Float>(&self, cx: &Ctx<T>) -> InForce<T> {
        let (ih, hh) = (cx.param_of(U::NAME, self.ih), cx.param_of(U::NAME, self.hh));
        let biases = self.biases.map(|ids| ids.map(|id| cx.param(id)));
        let projection = self.projection.map(|id| cx.param(id));
        let (of_input, of_state) = match biases {
            None => (None, None),
            Some([a, b]) if U::BIASES_ADD => (Some(a + b), None),
            Some([a, b]) => (Some(a), Some(b)),
        };
        InForce { ih, hh, of_input, of_state, projection }
    }

    /// The products of all inputs `[…, input]`, which wait for no state.
    #[track_caller]
    pub(super) fn of_inputs<T: Float>(&self, cx: &Ctx<T>, weights: &InForce<T>, x: &Var<T>) -> Var<T> {
        let products = linear(x, &weights.ih, weights.of_input.as_ref());
        if x.rank() > 1 {
            let bias = self.biases.map(|[of_input, _]| of_input);
            cx.affine(Affine { weight: self.ih, bias, convolution: None }, x, &products);
        }
        products
    }
}

/// The parameters of one layer in one direction as variables.
pub struct InForce<T: Float> {
    ih: Var<T>,
    pub(super) hh: Var<T>,
    of_input: Option<Var<T>>,
    pub(super) of_state: Option<Var<T>>,
    pub(super) projection: Option<Var<T>>,
}

impl<T: Float> InForce<T> {
    /// The product of the output `[…, hidden]` of the step before.
    #[track_caller]
    pub(super) fn of_state(&self, h: &Var<T>) -> Var<T> {
        linear(h, &self.hh, self.of_state.as_ref())
    }

    /// The output, projected if it is to be.
    #[track_caller]
    pub(super) fn projected(&self, h: Var<T>) -> Var<T> {
        match &self.projection {
            Some(weight) => linear(&h, weight, None),
            None => h,
        }
    }
}

//! Whole sequences of recurrent units as one operation.

use smallvec::SmallVec;
use wengert_tensor::gates::sequence::{self, Geometry, Products, Recurrence, Saved, Unit};
use wengert_tensor::{Float, Shape, Tensor};

use crate::data::Data;
use crate::describe::Attributes;
use crate::op::{
    Cotangents, Description, Op, Point, Replays, Saves, Several, Together, Values, apply_known, fused,
    is_constant, is_tracked, rules_compiled_here, takes_single_steps,
};
use crate::ops::slice;
use crate::profile::Timing;
use crate::transform::{pull_back_through, push_forward_through};
use crate::var::Var;

/// The value: the output at each step, and for units with a cell behind it what that holds at the end. Its operands are the
/// products of the inputs, the weights, the output before, the cell before if there is one, and the bias if there is one; behind
/// them stands what is kept of the gates, which counts as a constant: the rules know how it depends on the operands.
///
/// Where derivatives are to be differentiated themselves, and in forward mode, the steps stand one by one.
#[derive(Clone, Copy)]
struct Sequence {
    unit: Unit,
    reverse: bool,
    biased: bool,
}

/// What is kept of the gates, of the same operands.
struct Kept(Sequence);

impl Sequence {
    fn label(self) -> &'static str {
        match self.unit {
            Unit::Lstm => "lstm_sequence",
            Unit::Gru => "gru_sequence",
        }
    }

    fn describe(self, attributes: &mut Attributes) {
        attributes.set("reverse", self.reverse);
        attributes.set("biased", self.biased);
    }

    /// How many operands there are.
    fn operands(self) -> usize {
        3 + usize::from(self.unit.has_cell()) + usize::from(self.biased)
    }

    fn geometry(self, products: &Shape, h: &Shape) -> Geometry {
        Geometry { steps: products[0], batch: products[1], hidden: h[1], reverse: self.reverse }
    }

    /// Panics unless the operands fit.
    #[track_caller]
    fn check(self, shapes: &[&Shape]) {
        let (products, weight, states) = (shapes[0], shapes[1], &shapes[2..self.operands()]);
        let (gates, name) = (self.unit.gates(), self.label());
        assert!(
            products.len() == 3 && weight.len() == 2,
            "{name}: products of shape {products} and weights of shape {weight}, not [steps, batch, {gates}·hidden] and [{gates}·hidden, hidden]"
        );
        let hidden = weight[1];
        let fits = weight[0] == gates.saturating_mul(hidden) && products[2] == weight[0];
        assert!(
            fits,
            "{name}: products of shape {products} and weights of shape {weight} do not have {gates} rows for each of {hidden} hidden units"
        );
        let (of_state, bias) = (Shape::from([products[1], hidden]), Shape::from([weight[0]]));
        for (i, found) in states.iter().enumerate() {
            let is_bias = self.biased && i + 1 == states.len();
            let (what, expected) = if is_bias { ("a bias", &bias) } else { ("a state", &of_state) };
            assert!(
                *found == expected,
                "{name}: {what} of shape {found}, not {expected}, for products of shape {products}"
            );
        }
    }

    /// Runs `work` on the operands.
    fn with_operands<T: Float, R>(
        self,
        operands: &[&Tensor<T>],
        work: impl FnOnce(&Geometry, &Products<'_, T>, &Recurrence<'_, T>) -> R,
    ) -> R {
        let lying: SmallVec<[Tensor<T>; 5]> = operands.iter().map(|x| x.contiguous()).collect();
        let geometry = self.geometry(lying[0].shape(), lying[2].shape());
        let bias = self.biased.then(|| slice(&lying[self.operands() - 1]));
        let products = Products { of_inputs: slice(&lying[0]), bias };
        let c = if self.unit.has_cell() { slice(&lying[3]) } else { &[] };
        let recurrence = Recurrence { weight: slice(&lying[1]), h: slice(&lying[2]), c };
        work(&geometry, &products, &recurrence)
    }

    /// The value, and what is kept of the gates, if it is to be.
    fn forward<T: Float>(self, operands: &[&Tensor<T>], keep: bool) -> (Tensor<T>, Option<Tensor<T>>) {
        self.with_operands(operands, |geometry, products, recurrence| {
            let Geometry { steps, batch, hidden, .. } = *geometry;
            let rows = steps + usize::from(self.unit.has_cell());
            let value = |kept: Option<&mut [T]>| {
                Tensor::written_for(self.label(), [rows, batch, hidden], |out| {
                    sequence::value(self.unit, geometry, products, recurrence, out, kept);
                })
            };
            if !keep {
                return (value(None), None);
            }
            let mut found = None;
            let kept = [steps, batch, self.unit.kept() * hidden];
            let kept = Tensor::written_for(self.label(), kept, |kept| found = Some(value(Some(kept))));
            (found.expect("it was written with what is kept"), Some(kept))
        })
    }

    /// The gradients of the products, of the output before and of the cell before, one behind the other, of weights, output and
    /// cell before, value, what was kept, and the cotangent.
    fn gradients<T: Float>(self, [weight, h, c, value, kept, v]: [&Tensor<T>; 6]) -> Tensor<T> {
        let lying = [weight, h, c, value, kept, v].map(Tensor::contiguous);
        let [weight, h, c, value, kept, cotangent] = lying.each_ref().map(slice);
        let [steps, batch, hidden] = [lying[4].dim(0), lying[4].dim(1), lying[1].dim(1)];
        let geometry = Geometry { steps, batch, hidden, reverse: self.reverse };
        let states = 1 + usize::from(self.unit.has_cell());
        let count = (steps * self.unit.gradients() + states) * batch * hidden;
        let c = if self.unit.has_cell() { c } else { &[] };
        Tensor::written_for(self.label(), [count], |out| {
            let saved = Saved { value, kept, cotangent };
            sequence::gradients(self.unit, &geometry, &Recurrence { weight, h, c }, &saved, out);
        })
    }

    /// The value in operations on single steps.
    fn step_by_step<T: Float>(self, operands: &[Var<T>]) -> Var<T> {
        let [products, weight, start] = [&operands[0], &operands[1], &operands[2]];
        let (steps, hidden) = (products.shape()[0], start.shape()[1]);
        let bias = self.biased.then(|| &operands[self.operands() - 1]);
        let weight = weight.t();
        let (mut h, mut c) = (start.clone(), operands.get(3).cloned());
        let mut outputs = Vec::with_capacity(steps + 1);
        for count in 0..steps {
            let step = if self.reverse { steps - 1 - count } else { count };
            let of_input = products.select(0, step as isize);
            let of_state = h.matmul(&weight);
            let of_state = match bias {
                Some(bias) => of_state + bias,
                None => of_state,
            };
            match (self.unit, &mut c) {
                (Unit::Lstm, Some(c)) => {
                    let next = of_input.lstm_gates(&of_state, c);
                    h = next.slice_axis(-1, ..hidden);
                    *c = next.slice_axis(-1, hidden..);
                }
                _ => h = of_input.gru_gates(&of_state, &h),
            }
            outputs.push(h.clone());
        }
        if self.reverse {
            outputs.reverse();
        }
        if self.unit.has_cell() {
            outputs.extend(c);
        }
        if outputs.is_empty() { Var::zeros([0, start.shape()[0], hidden]) } else { Var::stack(&outputs, 0) }
    }

    /// Applies it.
    #[track_caller]
    fn apply<T: Float>(self, operands: &[&Var<T>]) -> Var<T> {
        self.check(&operands.iter().map(|x| x.shape()).collect::<Vec<_>>());
        if takes_single_steps(operands) {
            return self.step_by_step(&operands.iter().map(|&x| x.clone()).collect::<Vec<_>>());
        }
        let timing = Timing::start();
        let values: Vec<&Tensor<T>> = operands.iter().map(|x| x.value()).collect();
        let (value, kept) = self.forward(&values, !is_constant(operands, &[]));
        let shapes: Vec<&Shape> = values.iter().map(|x| x.shape()).collect();
        timing.named::<T>(self.label(), &shapes, value.shape());
        let Some(kept) = kept else { return Var::constant(value) };
        let constants: Vec<Var<T>> = operands.iter().map(|x| x.stop_gradient()).collect();
        let kept = apply_known(Kept(self), &constants.iter().collect::<Vec<_>>(), &[], kept);
        let inputs: Vec<&Var<T>> = operands.iter().copied().chain([&kept]).collect();
        apply_known(self, &inputs, &[], value)
    }

    /// The gradient of the weights: each step's products are those of the output before.
    fn of_weight<T: Float>(self, of_products: &Var<T>, value: &Var<T>, start: &Var<T>) -> Var<T> {
        let steps = of_products.shape()[0];
        if steps == 0 {
            return Var::zeros([of_products.shape()[2], start.shape()[1]]);
        }
        let rows = |x: Var<T>| {
            let [steps, batch, width] = [0, 1, 2].map(|axis| x.shape()[axis]);
            x.reshape([steps * batch, width])
        };
        let (first, later, before) = match self.reverse {
            true => (of_products.select(0, -1), of_products.slice(..steps - 1), value.slice(1..steps)),
            false => (of_products.select(0, 0), of_products.slice(1..), value.slice(..steps - 1)),
        };
        rows(later).t().matmul(&rows(before)) + first.t().matmul(start)
    }
}

impl<T: Float> Op<T> for Sequence {
    fn name(&self) -> &str {
        self.label()
    }
    fn describe(&self, attributes: &mut Attributes) {
        Sequence::describe(*self, attributes);
    }
    fn forward(&self, inputs: &[&Tensor<T>]) -> Tensor<T> {
        Sequence::forward(*self, &inputs[..self.operands()], false).0
    }

    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let this = *self;
        let operands = &at.inputs()[..this.operands()];
        let all: Vec<&Var<T>> = operands.iter().chain([cotangent]).collect();
        if is_tracked(&all) {
            return pull_back_through(&|v| this.step_by_step(v), operands, cotangent, into);
        }
        let (weight, h) = (at.input(1), at.input(2));
        let c = if this.unit.has_cell() { at.input(3) } else { h };
        let (value, kept) = (at.output(), at.input(this.operands()));
        let gradients = fused(
            || Description::of::<T>(self, "gradients"),
            [weight, h, c, value, kept, cotangent],
            move |x| this.gradients(x),
            || unreachable!("{}: nothing is to be differentiated", this.label()),
        );
        let Geometry { steps, batch, hidden, .. } = this.geometry(at.input(0).shape(), h.shape());
        let (width, rows) = (this.unit.gradients() * hidden, this.unit.gates() * hidden);
        let part = |start: usize, shape: &[usize]| {
            gradients.slice(start..start + shape.iter().product::<usize>()).reshape(shape)
        };
        let of_steps = part(0, &[steps, batch, width]);
        let of_state =
            |number: usize| part(steps * batch * width + number * batch * hidden, &[batch, hidden]);
        // Those of the state's products stand at the end, or are the same.
        let of_products = of_steps.slice_axis(-1, width - rows..);
        into.add(0, || of_steps.slice_axis(-1, ..rows));
        into.add(1, || this.of_weight(&of_products, value, h));
        into.add(2, || of_state(0));
        if this.unit.has_cell() {
            into.add(3, || of_state(1));
        }
        if this.biased {
            into.add(this.operands() - 1, || of_products.sum_axes([0, 1], false));
        }
    }

    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        let (this, count) = (*self, self.operands());
        push_forward_through(&|v| this.step_by_step(v), &at.inputs()[..count], &tangents[..count])
    }

    fn replays(&self) -> Replays<'_, T> {
        Replays { together: Together::AndLastInput(self), ..Replays::default() }
    }
    rules_compiled_here!(Sequence);
}

/// The value and what is kept, of the operands.
impl<T: Float> Several<T> for Sequence {
    fn shared_description(&self) -> Description {
        let mut attributes = Attributes::default();
        Sequence::describe(*self, &mut attributes);
        Description { name: self.label().into(), attributes }
    }
    #[track_caller]
    fn values(&self, x: &[&Tensor<T>], _: &[&Data<T>], _: [bool; 4]) -> Values<T> {
        let (value, kept) = Sequence::forward(*self, x, true);
        [Some(value), kept].into_iter().collect()
    }
}

impl<T: Float> Op<T> for Kept {
    fn name(&self) -> &str {
        match self.0.unit {
            Unit::Lstm => "lstm_sequence_gates",
            Unit::Gru => "gru_sequence_gates",
        }
    }
    fn describe(&self, attributes: &mut Attributes) {
        self.0.describe(attributes);
    }
    fn forward(&self, inputs: &[&Tensor<T>]) -> Tensor<T> {
        self.0.forward(inputs, true).1.expect("it was to be kept")
    }
    fn vjp(&self, _: &Point<T>, _: &Var<T>, _: &mut Cotangents<T>) {}
    fn jvp(&self, _: &Point<T>, _: &[Option<Var<T>>]) -> Option<Var<T>> {
        None
    }
    fn saves(&self) -> Saves {
        Saves::NOTHING
    }
    rules_compiled_here!(Kept);
}

impl<T: Float> Var<T> {
    /// A whole sequence of units with a long short-term memory: the output at each step, `[steps, batch, hidden]`, and what the
    /// cell holds at the end, `[batch, hidden]`. At each step it is [`lstm_gates`](Var::lstm_gates) of a, this, the products of the
    /// inputs `[steps, batch, 4·hidden]` with all biases, of h·Wᵀ for the output h before and the `weight` W
    /// `[4·hidden, hidden]`, and of the cell; `state` is the output and the cell before the first step, `[batch, hidden]` each.
    /// `reverse` begins with the last step; the outputs stand where their inputs do.
    ///
    /// Threads divide the batch, and the weights are packed once, so that it takes less time than the steps one by one. In
    /// forward mode, and where derivatives are differentiated themselves, the steps are taken one by one.
    ///
    /// # Panics
    /// If the shapes do not fit.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let (a, weight, zero) = (Var::<f64>::zeros([3, 2, 4]), Var::ones([4, 1]), Var::zeros([2, 1]));
    /// let [outputs, cell] = a.lstm_sequence(&weight, [&zero, &Var::ones([2, 1])], false);
    /// // h is 0 at first: all gates are ½, and c′ = ½·c.
    /// assert_eq!(outputs.value().at([0, 0, 0]), 0.5 * 0.5f64.tanh());
    /// assert_eq!((outputs.shape(), cell.shape()), (&[3, 2, 1].into(), &[2, 1].into()));
    /// ```
    #[track_caller]
    pub fn lstm_sequence(&self, weight: &Var<T>, state: [&Var<T>; 2], reverse: bool) -> [Var<T>; 2] {
        let sequence = Sequence { unit: Unit::Lstm, reverse, biased: false };
        let value = sequence.apply(&[self, weight, state[0], state[1]]);
        [value.slice(..self.shape()[0]), value.select(0, -1)]
    }

    /// A whole sequence of gated recurrent units: the output at each step, `[steps, batch, hidden]`. At each step it is
    /// [`gru_gates`](Var::gru_gates) of a, this, the products of the inputs `[steps, batch, 3·hidden]` with their bias, of h·Wᵀ + b
    /// for the output h before, the `weight` W `[3·hidden, hidden]` and the `bias` b `[3·hidden]` if there is one, and of h; `state`
    /// is the output before the first step, `[batch, hidden]`. `reverse` begins with the last step; the outputs stand where
    /// their inputs do.
    ///
    /// It is computed as [`lstm_sequence`](Var::lstm_sequence) is.
    ///
    /// # Panics
    /// If the shapes do not fit.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let (a, weight) = (Var::<f64>::zeros([3, 2, 3]), Var::zeros([3, 1]));
    /// let outputs = a.gru_sequence(&weight, None, &Var::ones([2, 1]), false);
    /// assert_eq!(outputs.value().to_vec(), [0.5, 0.5, 0.25, 0.25, 0.125, 0.125]);
    /// ```
    #[track_caller]
    pub fn gru_sequence(
        &self,
        weight: &Var<T>,
        bias: Option<&Var<T>>,
        state: &Var<T>,
        reverse: bool,
    ) -> Var<T> {
        let sequence = Sequence { unit: Unit::Gru, reverse, biased: bias.is_some() };
        let operands: Vec<&Var<T>> = [self, weight, state].into_iter().chain(bias).collect();
        sequence.apply(&operands)
    }
}

//! The losses by operations on variables. What depends on labels and lengths are decisions, so that a recording holds for others.

use wengert_tensor::{Float, Tensor};

use crate::class::{Decision, decision};
use crate::data::{Data, Given, Index, Mask};
use crate::describe::Attributes;
use crate::op::rules_compiled_here;
use crate::var::Var;

/// In the place of −∞, which has no tame derivatives: its exponential is 0 beside any likelihood that there is.
const NEVER: f64 = -1e30;

/// The labels with blanks around them, for each sequence: `[sequences, states]`.
struct States {
    blank: u32,
}

/// Where one may not come to a state over the blank before it: `[sequences, states]`.
struct Unskippable;

/// Whether a step is behind the end, `[sequences, 1]`.
struct Over {
    step: usize,
}

/// The two states in which a sequence may end, `[sequences, 2]`, and which of them are none.
struct Ends;
struct NoEnd;

/// The label before which a state stands or, for odd ones, the label itself.
fn padded<T: Float>(given: &Data<T>) -> (Vec<u32>, usize, usize) {
    let labels = given.index();
    (labels.to_vec(), labels.dim(0), labels.dim(1))
}

impl<T: Float> Decision<T> for States {
    type Element = u32;
    fn name(&self) -> &str {
        "ctc_states"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("blank", self.blank as usize);
    }
    fn forward(&self, inputs: &[&Tensor<T>], given: &[&Data<T>]) -> Tensor<u32> {
        let (labels, sequences, most) = padded(given[0]);
        // What pads the labels need not be a class.
        let classes = inputs[0].dim(-1) as u32;
        let state = |n: usize, s: usize| match s % 2 {
            1 if labels[n * most + s / 2] < classes => labels[n * most + s / 2],
            _ => self.blank,
        };
        Tensor::from_fn([sequences, 2 * most + 1], |i| state(i[0], i[1]))
    }
    rules_compiled_here!(States in DecisionOp);
}

impl<T: Float> Decision<T> for Unskippable {
    type Element = bool;
    fn name(&self) -> &str {
        "ctc_unskippable"
    }
    fn forward(&self, _: &[&Tensor<T>], given: &[&Data<T>]) -> Tensor<bool> {
        let (labels, sequences, most) = padded(given[0]);
        let label = |n: usize, s: usize| labels[n * most + s / 2];
        Tensor::from_fn([sequences, 2 * most + 1], |i| {
            let (n, s) = (i[0], i[1]);
            s < 2 || s % 2 == 0 || label(n, s) == label(n, s - 2)
        })
    }
    rules_compiled_here!(Unskippable in DecisionOp);
}

impl<T: Float> Decision<T> for Over {
    type Element = bool;
    fn name(&self) -> &str {
        "ctc_over"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("step", self.step);
    }
    fn forward(&self, _: &[&Tensor<T>], given: &[&Data<T>]) -> Tensor<bool> {
        let over: Vec<bool> =
            given[0].index().to_vec().into_iter().map(|steps| self.step >= steps as usize).collect();
        Tensor::vector(&over).reshape([over.len(), 1])
    }
    rules_compiled_here!(Over in DecisionOp);
}

impl<T: Float> Decision<T> for Ends {
    type Element = u32;
    fn name(&self) -> &str {
        "ctc_ends"
    }
    fn forward(&self, _: &[&Tensor<T>], given: &[&Data<T>]) -> Tensor<u32> {
        let ends = given[0]
            .index()
            .to_vec()
            .into_iter()
            .flat_map(|count| [2 * count, (2 * count).saturating_sub(1)]);
        let ends: Vec<u32> = ends.collect();
        Tensor::vector(&ends).reshape([ends.len() / 2, 2])
    }
    rules_compiled_here!(Ends in DecisionOp);
}

impl<T: Float> Decision<T> for NoEnd {
    type Element = bool;
    fn name(&self) -> &str {
        "ctc_no_end"
    }
    fn forward(&self, _: &[&Tensor<T>], given: &[&Data<T>]) -> Tensor<bool> {
        let none: Vec<bool> =
            given[0].index().to_vec().into_iter().flat_map(|count| [false, count == 0]).collect();
        Tensor::vector(&none).reshape([none.len() / 2, 2])
    }
    rules_compiled_here!(NoEnd in DecisionOp);
}

/// The losses of sequences that have enough steps for their labels; of others, a large number.
pub(super) fn losses<T: Float>(x: &Var<T>, blank: u32, [labels, steps, counts]: [&Given<T>; 3]) -> Var<T> {
    let states: Index<T> = decision(States { blank }, &[x], &[labels]);
    let unskippable: Mask<T> = decision(Unskippable, &[], &[labels]);
    let (sequences, width) = (states.shape()[0], states.shape()[1]);
    let log_p = |step: usize| x.select(0, step as isize).gather(1, &states);
    let over = |step: usize| -> Mask<T> { decision(Over { step }, &[], &[steps]) };
    let shifted =
        |alpha: &Var<T>, by: usize| alpha.pad(&[(0, 0), (by, 0)], NEVER).slice_axis(1, ..width as isize);
    let mut alpha = Var::constant(Tensor::full([sequences, width], T::from_f64(NEVER)));
    for step in 0..x.shape()[0] {
        let ways = if step == 0 {
            // One begins with the first blank or the first label.
            Var::constant(Tensor::from_fn([sequences, width], |i| {
                T::from_f64(if i[1] < 2 { 0.0 } else { NEVER })
            }))
        } else {
            let two = shifted(&alpha, 2).masked_fill(&unskippable, NEVER);
            Var::stack(&[&alpha, &shifted(&alpha, 1), &two], 0).logsumexp(0, false)
        };
        alpha = Var::select_where(over(step), &alpha, &(ways + log_p(step)));
    }
    let ends: Index<T> = decision(Ends, &[], &[counts]);
    let none: Mask<T> = decision(NoEnd, &[], &[counts]);
    -alpha.gather(1, ends).masked_fill(none, NEVER).logsumexp(1, false)
}

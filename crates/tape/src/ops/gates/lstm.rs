//! The gates of a unit with a long short-term memory.

use wengert_tensor::gates::lstm::{self, Inputs};
use wengert_tensor::{Float, Shape, Tensor};

use super::{check, part, tangents, widened, written};
use crate::op::{Cotangents, Description, Op, Point, Saves, apply, fused, rules_compiled_here};
use crate::var::Var;

/// The next state, of the products of the input and of the state with the weights and of what the cell holds.
struct Lstm;

/// i, f, g, o and c′, in operations on variables.
fn gates<T: Float>([a, b, c]: [&Var<T>; 3]) -> [Var<T>; 5] {
    let hidden = c.shape()[c.rank() - 1];
    let sum = |k: usize| part(a, hidden, k, 1) + part(b, hidden, k, 1);
    let (i, f, g, o) = (sum(0).sigmoid(), sum(1).sigmoid(), sum(2).tanh(), sum(3).sigmoid());
    let cell = &f * c + &i * &g;
    [i, f, g, o, cell]
}

/// The gradients of the sums and of c, one behind the other along the last axis.
fn gradients_rule<T: Float>(inputs @ [_, _, c]: [&Var<T>; 3], v: &Var<T>) -> Var<T> {
    let hidden = c.shape()[c.rank() - 1];
    let (v_h, v_c) = (part(v, hidden, 0, 1), part(v, hidden, 1, 1));
    let [i, f, g, o, cell] = gates(inputs);
    let shown = cell.tanh();
    let of_c = v_c + &v_h * &o * (1.0 - shown.square());
    let of_i = &of_c * &g * &i * (1.0 - &i);
    let of_f = &of_c * c * &f * (1.0 - &f);
    let of_g = &of_c * i * (1.0 - g.square());
    let of_o = v_h * shown * &o * (1.0 - &o);
    Var::cat(&[&of_i, &of_f, &of_g, &of_o, &(of_c * f)], -1)
}

fn tangent_rule<T: Float>(inputs @ [_, _, c]: [&Var<T>; 3], [t_a, t_b, t_c]: [&Var<T>; 3]) -> Var<T> {
    let hidden = c.shape()[c.rank() - 1];
    let sum = |k: usize| part(t_a, hidden, k, 1) + part(t_b, hidden, k, 1);
    let [i, f, g, o, cell] = gates(inputs);
    let shown = cell.tanh();
    let along_i = sum(0) * &i * (1.0 - &i) * &g;
    let along_f = sum(1) * &f * (1.0 - &f) * c + f * t_c;
    let along_g = i * (1.0 - g.square()) * sum(2);
    let along_c = along_i + along_f + along_g;
    let along_h = sum(3) * &o * (1.0 - &o) * &shown + o * (1.0 - shown.square()) * &along_c;
    Var::cat(&[&along_h, &along_c], -1)
}

fn hidden<T: Float>(c: &Tensor<T>) -> usize {
    c.dim(-1)
}

impl<T: Float> Op<T> for Lstm {
    fn name(&self) -> &str {
        "lstm_gates"
    }

    #[track_caller]
    fn forward(&self, x: &[&Tensor<T>]) -> Tensor<T> {
        let [a, b, c] = [0, 1, 2].map(|i| x[i]);
        check("lstm_gates", 4, a.shape(), b.shape(), c.shape());
        written("lstm_gates", &widened(c.shape(), 2), [a, b, c], |[a, b, cell], out| {
            lstm::value(hidden(c), Inputs { a, b, c: cell }, out);
        })
    }

    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let inputs @ [a, b, c] = [0, 1, 2].map(|i| at.input(i));
        let gradients = fused(
            || Description::of::<T>(self, "gradients"),
            [a, b, c, cotangent],
            |[a, b, c, v]| {
                let shape = widened(c.shape(), 5);
                written("lstm_gates", &shape, [a, b, c, v], |[a, b, cell, v], out| {
                    lstm::gradients(hidden(c), Inputs { a, b, c: cell }, v, out);
                })
            },
            || gradients_rule(inputs, cotangent),
        );
        let hidden = c.shape()[c.rank() - 1];
        let of_sums = part(&gradients, hidden, 0, 4);
        into.add(0, || of_sums.clone());
        into.add(1, || of_sums);
        into.add(2, || part(&gradients, hidden, 4, 1));
    }

    fn jvp(&self, at: &Point<T>, along: &[Option<Var<T>>]) -> Option<Var<T>> {
        let inputs @ [a, b, c] = [0, 1, 2].map(|i| at.input(i));
        let [t_a, t_b, t_c] = &tangents(along, inputs);
        Some(fused(
            || Description::of::<T>(self, "tangent"),
            [a, b, c, t_a, t_b, t_c],
            |x @ [_, _, c, ..]| {
                written("lstm_gates", &widened(c.shape(), 2), x, |[a, b, cell, t_a, t_b, t_c], out| {
                    let along = Inputs { a: t_a, b: t_b, c: t_c };
                    lstm::tangent(hidden(c), Inputs { a, b, c: cell }, along, out);
                })
            },
            || tangent_rule(inputs, [t_a, t_b, t_c]),
        ))
    }

    fn saves(&self) -> Saves {
        Saves::INPUTS
    }

    #[track_caller]
    fn output_shape(&self, inputs: &[&Shape]) -> Option<Shape> {
        check("lstm_gates", 4, inputs[0], inputs[1], inputs[2]);
        Some(widened(inputs[2], 2))
    }
    rules_compiled_here!(Lstm);
}

impl<T: Float> Var<T> {
    /// The next state of a unit with a long short-term memory, h′ and then c′ along the last axis, `[…, 2·hidden]`:
    /// c′ = f·c + i·g and h′ = o·tanh(c′), where i, f and o are σ and g is tanh of the sums a + b. Here a, this, is the product
    /// of the input with the weights, b the one of the state, both `[…, 4·hidden]` in the order i, f, g, o with their biases,
    /// and c what the `cell` holds, `[…, hidden]` (Hochreiter and Schmidhuber, "Long short-term memory", 1997; Gers,
    /// Schmidhuber and Cummins, "Learning to forget", 2000).
    ///
    /// # Panics
    /// If the shapes do not fit.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let (a, b, c) = (Var::<f64>::zeros([2, 12]), Var::zeros([2, 12]), Var::ones([2, 3]));
    /// let next = a.lstm_gates(&b, &c);
    /// assert_eq!(next.slice_axis(-1, 3..).value().to_vec(), [0.5; 6]);
    /// assert_eq!(next.slice_axis(-1, ..3).value().at([0, 0]), 0.5 * 0.5f64.tanh());
    /// ```
    #[doc(alias = "lstm_cell")]
    #[track_caller]
    pub fn lstm_gates(&self, of_state: &Var<T>, cell: &Var<T>) -> Var<T> {
        apply(Lstm, &[self, of_state, cell])
    }
}

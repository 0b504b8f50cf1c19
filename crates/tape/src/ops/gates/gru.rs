//! The gates of a gated recurrent unit.

use wengert_tensor::gates::gru::{self, Inputs};
use wengert_tensor::{Float, Shape, Tensor};

use super::{check, part, tangents, widened, written};
use crate::op::{Cotangents, Description, Op, Point, Saves, apply, fused, rules_compiled_here};
use crate::var::Var;

/// The next state, of the products of the input and of the state with the weights and of the state.
struct Gru;

/// r, z and n, in operations on variables.
fn gates<T: Float>([a, b, h]: [&Var<T>; 3]) -> [Var<T>; 3] {
    let hidden = h.shape()[h.rank() - 1];
    let gate = |x: &Var<T>, k: usize| part(x, hidden, k, 1);
    let r = (gate(a, 0) + gate(b, 0)).sigmoid();
    let z = (gate(a, 1) + gate(b, 1)).sigmoid();
    let n = (gate(a, 2) + &r * gate(b, 2)).tanh();
    [r, z, n]
}

/// The gradients of a, b and h, one behind the other along the last axis.
fn gradients_rule<T: Float>(inputs @ [_, b, h]: [&Var<T>; 3], v: &Var<T>) -> Var<T> {
    let [r, z, n] = gates(inputs);
    let of_n = v * (1.0 - &z) * (1.0 - n.square());
    let of_r = &of_n * part(b, h.shape()[h.rank() - 1], 2, 1) * &r * (1.0 - &r);
    let of_z = v * (h - &n) * &z * (1.0 - &z);
    let of_b = &of_n * &r;
    Var::cat(&[&of_r, &of_z, &of_n, &of_r, &of_z, &of_b, &(v * z)], -1)
}

fn tangent_rule<T: Float>(inputs @ [_, b, h]: [&Var<T>; 3], [t_a, t_b, t_h]: [&Var<T>; 3]) -> Var<T> {
    let hidden = h.shape()[h.rank() - 1];
    let gate = |x: &Var<T>, k: usize| part(x, hidden, k, 1);
    let [r, z, n] = gates(inputs);
    let t_r = (gate(t_a, 0) + gate(t_b, 0)) * &r * (1.0 - &r);
    let t_z = (gate(t_a, 1) + gate(t_b, 1)) * &z * (1.0 - &z);
    let t_n = (gate(t_a, 2) + t_r * gate(b, 2) + r * gate(t_b, 2)) * (1.0 - n.square());
    &t_n + t_z * (h - n) + z * (t_h - &t_n)
}

fn hidden<T: Float>(h: &Tensor<T>) -> usize {
    h.dim(-1)
}

impl<T: Float> Op<T> for Gru {
    fn name(&self) -> &str {
        "gru_gates"
    }

    #[track_caller]
    fn forward(&self, x: &[&Tensor<T>]) -> Tensor<T> {
        let [a, b, h] = [0, 1, 2].map(|i| x[i]);
        check("gru_gates", 3, a.shape(), b.shape(), h.shape());
        written("gru_gates", h.shape(), [a, b, h], |[a, b, state], out| {
            gru::value(hidden(h), Inputs { a, b, h: state }, out);
        })
    }

    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let inputs @ [a, b, h] = [0, 1, 2].map(|i| at.input(i));
        let gradients = fused(
            || Description::of::<T>(self, "gradients"),
            [a, b, h, cotangent],
            |[a, b, h, v]| {
                let shape = widened(h.shape(), 7);
                written("gru_gates", &shape, [a, b, h, v], |[a, b, state, v], out| {
                    gru::gradients(hidden(h), Inputs { a, b, h: state }, v, out);
                })
            },
            || gradients_rule(inputs, cotangent),
        );
        let hidden = h.shape()[h.rank() - 1];
        into.add(0, || part(&gradients, hidden, 0, 3));
        into.add(1, || part(&gradients, hidden, 3, 3));
        into.add(2, || part(&gradients, hidden, 6, 1));
    }

    fn jvp(&self, at: &Point<T>, along: &[Option<Var<T>>]) -> Option<Var<T>> {
        let inputs @ [a, b, h] = [0, 1, 2].map(|i| at.input(i));
        let [t_a, t_b, t_h] = &tangents(along, inputs);
        Some(fused(
            || Description::of::<T>(self, "tangent"),
            [a, b, h, t_a, t_b, t_h],
            |x @ [_, _, h, ..]| {
                written("gru_gates", h.shape(), x, |[a, b, state, t_a, t_b, t_h], out| {
                    let along = Inputs { a: t_a, b: t_b, h: t_h };
                    gru::tangent(hidden(h), Inputs { a, b, h: state }, along, out);
                })
            },
            || tangent_rule(inputs, [t_a, t_b, t_h]),
        ))
    }

    fn saves(&self) -> Saves {
        Saves::INPUTS
    }

    #[track_caller]
    fn output_shape(&self, inputs: &[&Shape]) -> Option<Shape> {
        check("gru_gates", 3, inputs[0], inputs[1], inputs[2]);
        Some(inputs[2].clone())
    }
    rules_compiled_here!(Gru);
}

impl<T: Float> Var<T> {
    /// The next state of a gated recurrent unit, `[…, hidden]`: (1 − z)·n + z·h with r = σ(aᵣ + bᵣ), z = σ(a_z + b_z) and
    /// n = tanh(aₙ + r·bₙ), where a, this, is the product of the input with the weights, b the one of the state, both
    /// `[…, 3·hidden]` with their biases, and h the `state`, `[…, hidden]` (Cho et al., "Learning phrase representations using
    /// RNN encoder–decoder", 2014, with the reset gate behind the product, as in PyTorch).
    ///
    /// # Panics
    /// If the shapes do not fit.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let (a, b, h) = (Var::<f64>::zeros([2, 6]), Var::zeros([2, 6]), Var::ones([2, 2]));
    /// assert_eq!(a.gru_gates(&b, &h).value().to_vec(), [0.5; 4]);
    /// ```
    #[doc(alias = "gru_cell")]
    #[track_caller]
    pub fn gru_gates(&self, of_state: &Var<T>, state: &Var<T>) -> Var<T> {
        apply(Gru, &[self, of_state, state])
    }
}

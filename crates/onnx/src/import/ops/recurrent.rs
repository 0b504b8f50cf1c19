//! Recurrent networks, step by step.

use wengert_tape::Var;
use wengert_tensor::{Float, Shape, Tensor};

use super::super::call::{Call, Produced};
use super::super::error::Problem;
use super::super::value::Value;
use super::activation::{elu_of, hard_sigmoid_of};
use super::{Operator, operator};

const RNN: &str = "activation_alpha:ff activation_beta:ff activations:ss clip:f direction:s hidden_size:i layout:i output_sequence:i";

pub(super) fn table<T: Float>() -> Vec<Operator<T>> {
    vec![
        operator("RNN", 7, (3, 6), RNN, |call| {
            run(call, &Unit { gates: 1, cell: false, functions: &["Tanh"], step: rnn })
        }),
        operator(
            "GRU",
            7,
            (3, 6),
            "activation_alpha:ff activation_beta:ff activations:ss clip:f direction:s hidden_size:i layout:i linear_before_reset:i output_sequence:i",
            |call| run(call, &Unit { gates: 3, cell: false, functions: &["Sigmoid", "Tanh"], step: gru }),
        ),
        operator(
            "LSTM",
            7,
            (3, 8),
            "activation_alpha:ff activation_beta:ff activations:ss clip:f direction:s hidden_size:i input_forget:i layout:i output_sequence:i",
            |call| {
                run(call, &Unit { gates: 4, cell: true, functions: &["Sigmoid", "Tanh", "Tanh"], step: lstm })
            },
        ),
    ]
}

/// The new state and the new cell of the input's product, the state and the cell.
type Step<T> = fn(&Direction<'_, T>, &Var<T>, &Var<T>, &Var<T>) -> (Var<T>, Var<T>);

/// What makes the three operators differ.
struct Unit<T: Float> {
    gates: usize,
    cell: bool,
    functions: &'static [&'static str],
    step: Step<T>,
}

/// An activation with its settings.
struct Function {
    name: String,
    alpha: f64,
    beta: f64,
}

impl Function {
    const ALL: [(&'static str, f64, f64); 11] = [
        ("Affine", 1.0, 0.0),
        ("Elu", 1.0, 0.0),
        ("HardSigmoid", 0.2, 0.5),
        ("LeakyRelu", 0.01, 0.0),
        ("Relu", 0.0, 0.0),
        ("ScaledTanh", 1.0, 1.0),
        ("Sigmoid", 0.0, 0.0),
        ("Softplus", 0.0, 0.0),
        ("Softsign", 0.0, 0.0),
        ("Tanh", 0.0, 0.0),
        ("ThresholdedRelu", 1.0, 0.0),
    ];

    fn of<T: Float>(&self, x: &Var<T>) -> Var<T> {
        match self.name.as_str() {
            "Affine" => x * self.alpha + self.beta,
            "Elu" => elu_of(x, self.alpha),
            "HardSigmoid" => hard_sigmoid_of(x, self.alpha, self.beta),
            "LeakyRelu" => Var::select_where(x.lt(0.0), &(x * self.alpha), x),
            "Relu" => x.relu(),
            "ScaledTanh" => (x * self.beta).tanh() * self.alpha,
            "Sigmoid" => x.sigmoid(),
            "Softplus" => x.softplus(),
            "Softsign" => x / (x.abs() + 1.0),
            "ThresholdedRelu" => Var::select_where(x.ge(self.alpha), x, &Var::scalar(T::ZERO)),
            _ => x.tanh(),
        }
    }
}

/// One direction of a network: its weights of the state, transposed, and settings.
struct Direction<'a, T: Float> {
    recurrent: Var<T>,
    /// Of the input's and of the state's products.
    input_bias: Var<T>,
    state_bias: Var<T>,
    peepholes: Option<Var<T>>,
    functions: &'a [Function],
    clip: f64,
    hidden: usize,
    linear_before_reset: bool,
    input_forget: bool,
}

impl<T: Float> Direction<'_, T> {
    fn clipped(&self, x: Var<T>) -> Var<T> {
        if self.clip > 0.0 { x.clamp(-self.clip, self.clip) } else { x }
    }

    /// An activation of what comes to a gate.
    fn activate(&self, function: usize, x: Var<T>) -> Var<T> {
        self.functions[function].of(&self.clipped(x))
    }

    /// Part of a product with all gates.
    fn gate(&self, x: &Var<T>, gate: usize) -> Var<T> {
        x.slice_axis(-1, gate * self.hidden..(gate + 1) * self.hidden)
    }

    fn peephole(&self, at: usize, cell: &Var<T>) -> Option<Var<T>> {
        self.peepholes.as_ref().map(|all| cell * self.gate(all, at))
    }
}

fn rnn<T: Float>(of: &Direction<'_, T>, x: &Var<T>, state: &Var<T>, cell: &Var<T>) -> (Var<T>, Var<T>) {
    let sum = x + &of.input_bias + state.matmul(&of.recurrent) + &of.state_bias;
    (of.activate(0, sum), cell.clone())
}

fn gru<T: Float>(of: &Direction<'_, T>, x: &Var<T>, state: &Var<T>, cell: &Var<T>) -> (Var<T>, Var<T>) {
    let x = x + &of.input_bias;
    let product = state.matmul(&of.recurrent) + &of.state_bias;
    let update = of.activate(0, of.gate(&x, 0) + of.gate(&product, 0));
    let reset = of.activate(0, of.gate(&x, 1) + of.gate(&product, 1));
    let of_state = if of.linear_before_reset {
        &reset * of.gate(&product, 2)
    } else {
        (&reset * state).matmul(&of.gate(&of.recurrent, 2)) + of.gate(&of.state_bias, 2)
    };
    let new = of.activate(1, of.gate(&x, 2) + of_state);
    (&new + &update * (state - &new), cell.clone())
}

fn lstm<T: Float>(of: &Direction<'_, T>, x: &Var<T>, state: &Var<T>, cell: &Var<T>) -> (Var<T>, Var<T>) {
    let sum = x + &of.input_bias + state.matmul(&of.recurrent) + &of.state_bias;
    let with = |gate: usize, peephole: Option<Var<T>>| {
        let sum = of.gate(&sum, gate);
        match peephole {
            Some(peephole) => sum + peephole,
            None => sum,
        }
    };
    let input = of.activate(0, with(0, of.peephole(0, cell)));
    let forget = if of.input_forget { 1.0 - &input } else { of.activate(0, with(2, of.peephole(2, cell))) };
    let candidate = of.activate(1, with(3, None));
    let new_cell = forget * cell + input * candidate;
    let output = of.activate(0, with(1, of.peephole(1, &new_cell)));
    (output * of.functions[2].of(&new_cell), new_cell)
}

fn functions<T: Float>(
    call: &Call<'_, T>,
    unit: &Unit<T>,
    directions: usize,
) -> Result<Vec<Function>, Problem> {
    let names: Vec<String> = match call.attributes.texts("activations") {
        Some(names) => names.to_vec(),
        None => unit
            .functions
            .iter()
            .cycle()
            .take(unit.functions.len() * directions)
            .map(|&name| name.to_owned())
            .collect(),
    };
    if names.len() != unit.functions.len() * directions {
        return Err(Problem::setting("activations", format!("{names:?}")));
    }
    // Settings are listed for those functions alone that have some.
    let (alphas, betas) =
        (call.attributes.floats("activation_alpha"), call.attributes.floats("activation_beta"));
    let (mut alphas, mut betas) = (alphas.unwrap_or(&[]).iter(), betas.unwrap_or(&[]).iter());
    let mut functions = Vec::new();
    for name in names {
        let known = Function::ALL.iter().find(|(other, ..)| other.eq_ignore_ascii_case(&name));
        let Some(&(known, alpha, beta)) = known else { return Err(Problem::setting("activations", name)) };
        let has_alpha = !matches!(known, "Relu" | "Sigmoid" | "Softplus" | "Softsign" | "Tanh");
        let has_beta = matches!(known, "Affine" | "HardSigmoid" | "ScaledTanh");
        let alpha = if has_alpha { alphas.next().copied().unwrap_or(alpha) } else { alpha };
        let beta = if has_beta { betas.next().copied().unwrap_or(beta) } else { beta };
        functions.push(Function { name: known.to_owned(), alpha, beta });
    }
    Ok(functions)
}

fn run<T: Float>(call: &Call<'_, T>, unit: &Unit<T>) -> Produced<T> {
    (0..3).try_for_each(|input| call.exactly(input, 3))?;
    let by_batch = call.attributes.int("layout", 0) != 0;
    let turned = |x: &Var<T>| if by_batch { x.transpose(0, 1) } else { x.clone() };
    let x = turned(call.float(0)?);
    let (weight, recurrent) = (call.float(1)?, call.float(2)?);
    let [steps, batch, features] = [0, 1, 2].map(|axis| x.shape()[axis]);
    let (directions, hidden) = (recurrent.shape()[0], recurrent.shape()[2]);
    let reversed: &[bool] = match call.attributes.text("direction").unwrap_or("forward") {
        "forward" => &[false],
        "reverse" => &[true],
        "bidirectional" => &[false, true],
        other => return Err(Problem::setting("direction", other)),
    };
    let rows = unit.gates * hidden;
    if reversed.len() != directions || hidden == 0 || steps == 0 || batch == 0 {
        return Err(call.unlike(
            2,
            format!(
                "[{}, {}·hidden, hidden], for at least one step and sequence",
                reversed.len(),
                unit.gates
            ),
        ));
    }
    call.of_shape(1, &[directions, rows, features])?;
    call.of_shape(2, &[directions, rows, hidden])?;
    let bias = call
        .given_float(3)?
        .map(|bias| call.of_shape(3, &[directions, 2 * rows]).map(|()| bias))
        .transpose()?;
    let lengths = match call.given(4) {
        Some(_) => {
            call.of_shape(4, &[batch])?;
            let lengths = call.ints(4)?.to_vec();
            if let Some(&index) = lengths.iter().find(|&&n| n < 0 || n > steps as i64) {
                return Err(Problem::Index { index, length: steps + 1 });
            }
            Some(lengths).filter(|lengths| lengths.iter().any(|&n| n != steps as i64))
        }
        None => None,
    };
    let of_state = if by_batch { [batch, directions, hidden] } else { [directions, batch, hidden] };
    let start = |input: usize| match call.given_float(input)? {
        Some(state) => call.of_shape(input, &of_state).map(|()| turned(state)),
        None => Ok(Var::zeros([directions, batch, hidden])),
    };
    let states = start(5)?;
    let cells = if unit.cell { start(6)? } else { Var::zeros([directions, batch, hidden]) };
    let peepholes = if unit.cell { call.given_float(7)? } else { None };
    if peepholes.is_some() {
        call.of_shape(7, &[directions, 3 * hidden])?;
    }
    call.sized([steps, directions, batch, hidden])?;
    let functions = functions(call, unit, directions)?;
    let (mut outputs, mut last_states, mut last_cells) = (Vec::new(), Vec::new(), Vec::new());
    for (d, &reverse) in reversed.iter().enumerate() {
        let at = d as isize;
        let half = |from: usize| match bias {
            Some(bias) => bias.select(0, at).slice_axis(0, from..from + rows),
            None => Var::zeros([rows]),
        };
        let direction = Direction {
            recurrent: recurrent.select(0, at).t(),
            input_bias: half(0),
            state_bias: half(rows),
            peepholes: peepholes.map(|all| all.select(0, at)),
            functions: &functions[d * unit.functions.len()..],
            clip: call.attributes.float("clip", 0.0),
            hidden,
            linear_before_reset: call.attributes.int("linear_before_reset", 0) != 0,
            input_forget: call.attributes.int("input_forget", 0) != 0,
        };
        // The input's part of all steps at once.
        let products = x.matmul(&weight.select(0, at).t());
        let (mut state, mut cell) = (states.select(0, at), cells.select(0, at));
        let mut of_steps = Vec::with_capacity(steps);
        for i in 0..steps {
            let t = if reverse { steps - 1 - i } else { i };
            let (new_state, new_cell) =
                (unit.step)(&direction, &products.select(0, t as isize), &state, &cell);
            let Some(lengths) = &lengths else {
                (state, cell) = (new_state, new_cell);
                of_steps.push(state.clone());
                continue;
            };
            // Beyond its end a sequence keeps its state, and gives zeros.
            let ends: Vec<bool> = lengths.iter().map(|&length| t as i64 >= length).collect();
            let ended = Tensor::from_vec(ends, Shape::from([batch, 1])).expect("one for each sequence");
            of_steps.push(new_state.masked_fill(&ended, 0.0));
            state = Var::select_where(&ended, &state, &new_state);
            cell = Var::select_where(&ended, &cell, &new_cell);
        }
        if reverse {
            of_steps.reverse();
        }
        outputs.push(Var::stack(&of_steps, 0));
        last_states.push(state);
        last_cells.push(cell);
    }
    let (state, cell) = (turned(&Var::stack(&last_states, 0)), turned(&Var::stack(&last_cells, 0)));
    let y = Var::stack(&outputs, 1);
    let y = if by_batch { y.permute([2, 0, 1, 3]) } else { y };
    let mut results = vec![Value::Float(y), Value::Float(state)];
    if unit.cell {
        results.push(Value::Float(cell));
    }
    Ok(results)
}

//! Whole sequences of recurrent units against their steps, in every way in which derivatives are taken.

use wengert_tape::{Tape, Var, grad, hvp, jvp};
use wengert_tensor::Tensor;
use wengert_tensor::parallel::with_threads;

const STEPS: usize = 4;
const HIDDEN: usize = 3;

fn wave(shape: &[usize], salt: f64) -> Var<f64> {
    let count: usize = shape.iter().product();
    let elements = (0..count).map(|i| (1.3 * i as f64 + salt).sin()).collect();
    Tensor::from_vec(elements, shape.to_vec()).unwrap().into()
}

/// Products of the inputs, weights, outputs and cells before, and a bias.
type Operands = [Var<f64>; 5];

fn operands(gates: usize, batch: usize) -> Operands {
    [
        wave(&[STEPS, batch, gates * HIDDEN], 0.1),
        wave(&[gates * HIDDEN, HIDDEN], 0.7),
        wave(&[batch, HIDDEN], 2.0),
        wave(&[batch, HIDDEN], 3.0),
        wave(&[gates * HIDDEN], 4.0),
    ]
}

/// A number that depends on every output, and on the cell at the end if there is one.
fn total(outputs: &Var<f64>, cell: Option<&Var<f64>>) -> Var<f64> {
    let sum = (outputs * wave(outputs.shape(), 5.0)).sum();
    match cell {
        Some(cell) => sum + (cell * wave(cell.shape(), 6.0)).sum(),
        None => sum,
    }
}

fn lstm([a, weight, h, c, _]: &Operands, reverse: bool) -> Var<f64> {
    let [outputs, cell] = a.lstm_sequence(weight, [h, c], reverse);
    total(&outputs, Some(&cell))
}

fn lstm_by_steps([a, weight, h, c, _]: &Operands, reverse: bool) -> Var<f64> {
    let (mut h, mut c, mut outputs) = (h.clone(), c.clone(), vec![Var::zeros([0]); STEPS]);
    for count in 0..STEPS {
        let step = if reverse { STEPS - 1 - count } else { count };
        let next = a.select(0, step as isize).lstm_gates(&h.matmul(&weight.t()), &c);
        (h, c) = (next.slice_axis(-1, ..HIDDEN), next.slice_axis(-1, HIDDEN..));
        outputs[step] = h.clone();
    }
    total(&Var::stack(&outputs, 0), Some(&c))
}

fn gru([a, weight, h, _, bias]: &Operands, reverse: bool) -> Var<f64> {
    total(&a.gru_sequence(weight, Some(bias), h, reverse), None)
}

fn gru_by_steps([a, weight, h, _, bias]: &Operands, reverse: bool) -> Var<f64> {
    let (mut h, mut outputs) = (h.clone(), vec![Var::zeros([0]); STEPS]);
    for count in 0..STEPS {
        let step = if reverse { STEPS - 1 - count } else { count };
        h = a.select(0, step as isize).gru_gates(&(h.matmul(&weight.t()) + bias), &h);
        outputs[step] = h.clone();
    }
    total(&Var::stack(&outputs, 0), None)
}

type Function = fn(&Operands, bool) -> Var<f64>;

const UNITS: [(usize, Function, Function); 2] = [(4, lstm, lstm_by_steps), (3, gru, gru_by_steps)];

#[track_caller]
fn close(found: &Var<f64>, expected: &Var<f64>) {
    let difference = (found - expected).abs().max().item();
    assert!(difference <= 1e-13 * (1.0 + expected.abs().max().item()), "{difference}");
}

#[track_caller]
fn all_close(found: &Operands, expected: &Operands) {
    found.iter().zip(expected).for_each(|(found, expected)| close(found, expected));
}

#[test]
fn derivatives_are_those_of_the_steps() {
    for ((gates, sequence, by_steps), reverse) in UNITS.into_iter().flat_map(|u| [(u, false), (u, true)]) {
        for batch in [2, 5] {
            let at = operands(gates, batch);
            let along: Operands = at.each_ref().map(|x| wave(x.shape(), 7.0));
            close(&sequence(&at, reverse), &by_steps(&at, reverse));
            let gradient = |f: Function, at: &Operands| grad(|x: &Operands| f(x, reverse), at);
            all_close(&gradient(sequence, &at), &gradient(by_steps, &at));
            // Forwards, forwards over backwards, and backwards over backwards.
            let tangent = |f: Function| jvp(|x: &Operands| f(x, reverse), &at, &along).1;
            close(&tangent(sequence), &tangent(by_steps));
            let product = hvp(|x: &Operands| by_steps(x, reverse), &at, &along);
            all_close(&hvp(|x: &Operands| sequence(x, reverse), &at, &along), &product);
            let slope = |x: &Operands| {
                let gradient = gradient(sequence, x);
                gradient.iter().zip(&along).map(|(g, t)| (g * t).sum()).reduce(|a, b| a + b).unwrap()
            };
            all_close(&grad(slope, &at), &product);
        }
    }
}

#[test]
fn tangents_on_a_tape_that_does_not_expect_them() {
    for (gates, sequence, by_steps) in UNITS {
        let at = operands(gates, 5);
        let along: Vec<Var<f64>> = at.iter().map(|x| wave(x.shape(), 7.0)).collect();
        let tape = Tape::nested();
        let inputs = at.each_ref().map(|x| tape.enter(x));
        let output = sequence(&inputs, false);
        let wrt: Vec<&Var<f64>> = inputs.iter().collect();
        let found = tape.push_forward(&[&output], &wrt, &along).remove(0).unwrap();
        let along: Operands = along.try_into().unwrap();
        close(&found, &jvp(|x: &Operands| by_steps(x, false), &at, &along).1);
    }
}

#[test]
fn the_same_bits_for_any_number_of_threads_and_where_nothing_is_recorded() {
    for (gates, sequence, _) in UNITS {
        // Enough for threads to divide the rows.
        let (batch, hidden) = (40, 48);
        let at: Operands = [
            wave(&[6, batch, gates * hidden], 0.1),
            wave(&[gates * hidden, hidden], 0.7),
            wave(&[batch, hidden], 2.0),
            wave(&[batch, hidden], 3.0),
            wave(&[gates * hidden], 4.0),
        ];
        let run = || wengert_tape::value_and_grad(|x: &Operands| sequence(x, true), &at);
        let bits =
            |(value, gradient): (Var<f64>, Operands)| (value.item(), gradient.map(|g| g.value().to_vec()));
        let expected = bits(with_threads(1, run));
        for threads in [2, 3, 8] {
            assert!(bits(with_threads(threads, run)) == expected);
        }
        assert_eq!(sequence(&at, true).item(), expected.0);
    }
}

//! What is recorded and what is not: nodes are counted.

use wengert_tape::{Sweep, SweepObserver, Tape, Var, grad, hvp, jvp, vjp};
use wengert_tensor::Tensor;

fn tracked(tape: &Tape<f64>, shape: &[usize]) -> Var<f64> {
    let count = shape.iter().product::<usize>() as f64;
    tape.var(Tensor::linspace(-1.0, 1.0, count as usize).reshape(shape))
}

#[test]
fn sweeps_of_the_first_order_record_nothing() {
    let tape = Tape::new();
    let x = tracked(&tape, &[3]);
    let y = (x.tanh() * &x / (x.square() + 1.0)).softmax(0);
    let length = tape.len();
    tape.pull_back(&y, Var::ones([3]), &[&x], Sweep::Retain);
    tape.push_forward(&[&y], &[&x], &[Var::ones([3])]);
    assert_eq!(tape.len(), length);
}

#[test]
fn inner_transforms_of_constants_record_nothing_outside() {
    let tape = Tape::new();
    let x = tracked(&tape, &[3]);
    let length = tape.len();
    let point = Var::from([1.0, 2.0, 3.0]);
    let inner = |y: &Var<f64>| (y.tanh() * y).sum();
    let found = [grad(inner, &point), hvp(inner, &point, &point), jvp(inner, &point, &point).1];
    assert!(found.iter().all(|v| !v.is_tracked()));
    // A function of constants alone, though a variable is in scope.
    let (y, _) = vjp(|y: &Var<f64>| y * x.stop_gradient(), &point);
    assert!(!y.is_tracked());
    assert_eq!(tape.len(), length);
}

#[test]
fn an_inner_gradient_records_only_what_depends_on_the_outer_variable() {
    let tape = Tape::new();
    let x = tracked(&tape, &[3]);
    let length = tape.len();
    // The gradient of Σ x·y with respect to y: one product forwards, one broadcast product with the cotangent back.
    let g = grad(|y: &Var<f64>| (&x * y.exp()).sum(), &Var::from([0.0, 1.0, 2.0]));
    assert!(g.is_tracked());
    // Forwards mul and sum; backwards cotangent · x, and that · eʸ.
    assert_eq!(tape.len() - length, 4);
}

#[test]
fn constants_and_unneeded_inputs_record_nothing() {
    let tape = Tape::new();
    let x = tracked(&tape, &[2, 3]);
    let length = tape.len();
    let same = [x.reshape([2, 3]), x.broadcast_to([2, 3]), x.sum_to(x.shape()), x.stop_gradient(), x.clone()];
    assert_eq!((same.len(), tape.len()), (5, length), "an operation that does nothing is recorded");
    let constant = Var::<f64>::ones([3]).exp() * 2.0;
    assert!(!constant.is_tracked());
    assert_eq!(tape.len(), length);
}

/// A network of two layers with a squared error, forwards: matmul, add, tanh, matmul, add, sub, square, sum.
fn network(tape: &Tape<f64>) -> (Vec<Var<f64>>, Var<f64>) {
    let parameters =
        vec![tracked(tape, &[3, 5]), tracked(tape, &[5]), tracked(tape, &[5, 2]), tracked(tape, &[2])];
    let images = Var::constant(Tensor::linspace(0.0, 1.0, 12).reshape([4, 3]));
    let hidden = (images.matmul(&parameters[0]) + &parameters[1]).tanh();
    let error = (hidden.matmul(&parameters[2]) + &parameters[3]) - Var::ones([4, 2]);
    let loss = error.square().sum();
    (parameters, loss)
}

#[test]
fn a_recorded_gradient_has_no_redundant_nodes() {
    let tape = Tape::new();
    let (parameters, loss) = network(&tape);
    assert_eq!(tape.len(), 4 + 8);
    let wrt: Vec<&Var<f64>> = parameters.iter().collect();
    let before = tape.len();
    let gradient = tape.recorded_gradients(&loss, &wrt);
    assert!(gradient.iter().all(Var::is_tracked));
    // square: the cotangent times 2·e; the second layer's bias: one sum; its weights: transpose and matmul; hidden:
    // transpose and matmul; tanh: the cotangent times 1 − y²; the first bias: one sum; its weights: matmul.
    assert_eq!(tape.len() - before, 1 + 1 + 2 + 2 + 1 + 1 + 1);
}

#[test]
fn unreached_inputs_get_zeros() {
    let f = |v: &Vec<Var<f64>>| v[0].square().sum();
    let point = vec![Var::from([1.0, 2.0]), Var::from([[3.0], [4.0]])];
    let g = grad(f, &point);
    assert_eq!((g[1].shape().to_vec(), g[1].value().to_vec()), (vec![2, 1], vec![0.0; 2]));
    let hv = hvp(f, &point, &vec![Var::ones([2]), Var::ones([2, 1])]);
    assert_eq!(hv[1].value().to_vec(), [0.0; 2]);
    let constant = |_: &Var<f64>| Var::scalar(3.0);
    assert_eq!(grad(constant, &point[0]).value().to_vec(), [0.0; 2]);
    assert_eq!(hvp(constant, &point[0], &point[0]).value().to_vec(), [0.0; 2]);
    let (y, dy) = jvp(constant, &point[0], &point[0]);
    assert_eq!((y.item(), dy.item()), (3.0, 0.0));
    let tape = Tape::new();
    let (a, b) = (tracked(&tape, &[2]), tracked(&tape, &[2]));
    let y = a.square();
    // Without filling in: nothing depends on `b`.
    assert!(tape.pull_back(&y, Var::ones([2]), &[&b], Sweep::Retain)[0].is_none());
    assert!(tape.push_forward(&[&y], &[&b], &[Var::ones([2])])[0].is_none());
}

/// The same variable asked for twice, and the output itself.
#[test]
fn repeated_and_trivial_requests() {
    let tape = Tape::new();
    let x = tracked(&tape, &[2]);
    let y = &x * 3.0;
    let found = tape.pull_back(&y, Var::ones([2]), &[&x, &y, &x], Sweep::Retain);
    let found: Vec<Vec<f64>> = found.iter().map(|v| v.as_ref().unwrap().value().to_vec()).collect();
    assert_eq!(found, [[3.0; 2], [1.0; 2], [3.0; 2]]);
    // A variable given twice gets the sum of the tangents.
    let along = tape.push_forward(&[&y, &x], &[&x, &x], &[Var::ones([2]), Var::ones([2])]);
    let along: Vec<Vec<f64>> = along.iter().map(|v| v.as_ref().unwrap().value().to_vec()).collect();
    assert_eq!(along, [[6.0; 2], [2.0; 2]]);
    // An intermediate result as a variable: both what it is computed from and what is computed from it.
    let z = y.square().sum();
    let found = tape.gradients(&z, &[&y, &x]);
    let y = y.value().to_vec();
    assert_eq!(found[0].value().to_vec(), [2.0 * y[0], 2.0 * y[1]]);
    assert_eq!(found[1].value().to_vec(), [6.0 * y[0], 6.0 * y[1]]);
}

/// What an observer is told: after how many operations, of which variable, and the derivative.
#[derive(Default)]
pub(crate) struct Told {
    passed: usize,
    ready: Vec<(usize, usize, Option<Vec<f64>>)>,
}

impl SweepObserver<f64> for Told {
    fn ready(&mut self, index: usize, derivative: Option<&Var<f64>>) {
        self.ready.push((self.passed, index, derivative.map(|slope| slope.value().to_vec())));
    }

    fn passed(&mut self) {
        self.passed += 1;
    }
}

/// Each variable once, when nothing is left that uses it, with what is returned.
#[test]
fn observers_are_told_of_final_derivatives() {
    for mode in [Sweep::Retain, Sweep::Record, Sweep::Consume] {
        let tape = Tape::new();
        let [a, b, c, d] = [2, 2, 2, 2].map(|length| tracked(&tape, &[length]));
        let e = a.square();
        // `b` and the result `e` are used early and late, `c` late alone, and `d` never.
        let y = (((&e * &b).sin() + &e) * &c).exp() * &b;
        let late = tracked(&tape, &[2]);
        let all = [&a, &b, &c, &d, &e, &a, &y, &late];
        let expected = tape.pull_back(&y, Var::ones([2]), &all, Sweep::Retain);
        let mut told = Told::default();
        let found = tape.pull_back_observed(&y, Var::ones([2]), &all, mode, &mut told);
        let values = |found: &[Option<Var<f64>>]| -> Vec<Option<Vec<f64>>> {
            found.iter().map(|slope| slope.as_ref().map(|slope| slope.value().to_vec())).collect()
        };
        assert_eq!(values(&found), values(&expected));
        let mut by_variable = told.ready.clone();
        by_variable.sort_by_key(|(_, index, _)| *index);
        assert_eq!(
            by_variable.iter().map(|(_, index, _)| *index).collect::<Vec<_>>(),
            (0..8).collect::<Vec<_>>()
        );
        let of: Vec<usize> = by_variable.iter().map(|(passed, ..)| *passed).collect();
        assert_eq!(by_variable.into_iter().map(|(_, _, value)| value).collect::<Vec<_>>(), values(&expected));
        // What is not used, or is the output, before anything else; then as the sweep goes.
        assert!(of[3] == 0 && of[7] == 0 && of[6] <= of[2], "{of:?}");
        assert!(of[2] < of[1] && of[1] <= of[4] && of[4] < of[0] && of[0] == of[5], "{of:?}");
    }
    // An output that depends on nothing.
    let tape = Tape::new();
    let x = tracked(&tape, &[2]);
    let mut told = Told::default();
    tape.pull_back_observed(&Var::ones([2]), Var::ones([2]), &[&x], Sweep::Retain, &mut told);
    assert_eq!(told.ready, [(0, 0, None)]);
}

/// What an observer that wants so many elements at a time is told of each variable, joined; and the parts' first elements.
struct Parts {
    every: usize,
    tails: Vec<Vec<f64>>,
    firsts: Vec<Vec<usize>>,
    /// Which variables are ready, in that order.
    ready: Vec<usize>,
}

impl SweepObserver<f64> for Parts {
    fn ready(&mut self, index: usize, derivative: Option<&Var<f64>>) {
        let whole = derivative.unwrap().value().to_vec();
        // What was told of in parts is all of it, and the same.
        assert!(self.firsts[index].last().is_none_or(|&first| first == 0 && self.tails[index] == whole));
        self.tails[index] = whole;
        self.ready.push(index);
    }

    fn ready_from(&mut self, index: usize, first: usize, elements: &[f64]) {
        assert!(!self.ready.contains(&index));
        assert!(self.firsts[index].last().is_none_or(|&end| first + elements.len() == end));
        self.tails[index].splice(..0, elements.iter().copied());
        self.firsts[index].push(first);
    }

    fn every(&self) -> usize {
        self.every
    }
}

/// The derivatives for matrices come row by row where nothing else adds to them, with the bits that they have as a whole.
#[test]
fn observers_have_the_rows_of_products_one_after_the_other() {
    let observed = |every: usize, mode: Sweep| {
        let tape = Tape::new();
        let [a, b, c, d] = [[20, 50], [50, 40], [40, 40], [40, 20]].map(|shape| tracked(&tape, &shape));
        // `c` is used twice, and `d` is small.
        let y = a.matmul(&b).tanh().matmul(&c).sin().matmul(&c).matmul(&d).sin().sum();
        let all = [&a, &b, &c, &d];
        let mut parts =
            Parts { every, tails: vec![Vec::new(); 4], firsts: vec![Vec::new(); 4], ready: Vec::new() };
        let found = tape.pull_back_observed(&y, Var::ones([]), &all, mode, &mut parts);
        let found: Vec<_> = found.into_iter().map(|found| found.unwrap().value().to_vec()).collect();
        assert_eq!(found, parts.tails);
        (found, parts.firsts, parts.ready)
    };
    let (whole, told, ready) = observed(usize::MAX, Sweep::Consume);
    // As a whole: one part, of which nothing is left to be told.
    assert_eq!(told, [vec![], vec![0], vec![], vec![0]]);
    assert_eq!(ready, [3, 2, 1, 0]);
    for (every, firsts) in
        [(1, vec![34, 18, 0]), (17 * 40 + 3, vec![33, 16, 0]), (30 * 40, vec![20, 0]), (5000, vec![0])]
    {
        let (found, told, ready) = observed(every, Sweep::Consume);
        assert_eq!(found, whole);
        let firsts: Vec<usize> = firsts.into_iter().map(|row| row * 40).collect();
        assert_eq!((&told[1], &told[0], &told[2]), (&firsts, &vec![], &vec![]), "{every}");
        assert_eq!(ready, [3, 2, 1, 0]);
    }
    // What is swept again, or to be differentiated, comes as a whole.
    for mode in [Sweep::Retain, Sweep::Record] {
        let (found, told, _) = observed(1, mode);
        assert_eq!((found, told), (whole.clone(), vec![Vec::new(); 4]));
    }
}

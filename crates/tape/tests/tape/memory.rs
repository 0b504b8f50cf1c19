//! Buffers are given back when they are no longer needed.

use crate::panics::caught;
use wengert_tape::{HessianOperator, Tape, Var, grad, hvp, jvp, linearize, vjp};
use wengert_tensor::{Tensor, memory};

/// Asserts that `work` leaves as many buffers as it found, when it is done for the first and for the third time.
#[track_caller]
fn gives_back(work: impl Fn()) {
    for _ in 0..3 {
        let before = memory::stats();
        work();
        let after = memory::stats();
        assert_eq!(after.live_buffers, before.live_buffers);
        assert_eq!(after.live_bytes, before.live_bytes);
    }
}

fn x() -> Var<f64> {
    Var::constant(Tensor::linspace(0.5, 1.5, 100))
}

fn f(x: &Var<f64>) -> Var<f64> {
    (x.tanh() * x.exp() / x).softmax(0).square().sum()
}

#[test]
fn transforms_give_everything_back() {
    gives_back(|| drop(grad(f, &x())));
    gives_back(|| drop(hvp(f, &x(), &x())));
    gives_back(|| drop(jvp(f, &x(), &x())));
    gives_back(|| drop(grad(|x: &Var<f64>| hvp(f, x, x).sum(), &x())));
    gives_back(|| drop(vjp(f, &x()).1.apply(&Var::scalar(1.0))));
    gives_back(|| drop(linearize(f, &x()).1.apply(&x())));
    gives_back(|| {
        let operator = HessianOperator::new(f, &x());
        drop((operator.apply(&x()), operator.apply(&x())));
    });
}

#[test]
fn results_outlive_their_recording_alone() {
    let point = x();
    let before = memory::stats().live_buffers;
    let g = grad(f, &point);
    assert_eq!(memory::stats().live_buffers, before + 1);
    drop(g);
    assert_eq!(memory::stats().live_buffers, before);
}

#[test]
fn explicit_tapes_give_everything_back() {
    gives_back(|| {
        let tape = Tape::new();
        let x = tape.var(x().into_value());
        let g = tape.recorded_gradients(&f(&x), &[&x]).remove(0);
        let _ = tape.gradients(&g.sum(), &[&x]);
    });
    gives_back(|| {
        let tape = Tape::new();
        let _unused = f(&tape.var(x().into_value()));
    });
}

#[test]
fn a_panic_gives_everything_back() {
    let broken = |x: &Var<f64>| -> Var<f64> {
        let y = f(x);
        assert!(y.is_empty(), "on purpose");
        y
    };
    gives_back(|| drop(caught(|| grad(broken, &x()))));
    gives_back(|| drop(caught(|| hvp(broken, &x(), &x()))));
    gives_back(|| drop(caught(|| grad(|x: &Var<f64>| hvp(broken, x, x).sum(), &x()))));
    gives_back(|| drop(caught(|| grad(|x: &Var<f64>| x.exp() * x.sin(), &x()))));
}

/// The backward sweep frees what it has passed, and so never holds all cotangents.
#[test]
fn a_gradient_peaks_near_its_forward_pass() {
    use std::cell::Cell;
    use std::rc::Rc;
    use wengert_tape::{Cotangents, Op, Point, apply};

    /// The identity, which notes how much memory is in use when the backward sweep passes it.
    struct Gauge(Rc<Cell<isize>>);
    impl Op<f64> for Gauge {
        fn name(&self) -> &str {
            "gauge"
        }
        fn forward(&self, x: &[&Tensor<f64>]) -> Tensor<f64> {
            x[0].clone()
        }
        fn vjp(&self, _: &Point<f64>, cotangent: &Var<f64>, into: &mut Cotangents<f64>) {
            self.0.set(self.0.get().max(memory::stats().live_bytes));
            into.add(0, || cotangent.clone());
        }
    }

    let point = Var::constant(Tensor::linspace(0.1, 0.9, 10_000));
    let start = memory::stats().live_bytes;
    let peak = Rc::new(Cell::new(0));
    let forward = Cell::new(0);
    grad(
        |x: &Var<f64>| {
            let y = (0..50).fold(x.clone(), |y, _| apply(Gauge(peak.clone()), &[&y.sin()]));
            forward.set(memory::stats().live_bytes);
            y.sum()
        },
        &point,
    );
    let (forward, peak) = (forward.get() - start, peak.get() - start);
    let buffer = 80_000;
    assert!(forward <= 52 * buffer, "forwards: {forward} bytes");
    assert!(peak <= forward + 4 * buffer, "forwards {forward} bytes, at the peak {peak}");
}

/// One product holds less than an operator does that is there for more.
#[test]
fn a_single_hessian_product_frees_what_it_has_passed() {
    let point = Var::constant(Tensor::linspace(0.1, 0.9, 10_000));
    let f = |x: &Var<f64>| (0..50).fold(x.clone(), |y, _| y.sin()).sum();
    let peak = |work: &dyn Fn() -> Var<f64>| {
        memory::reset_peak();
        let before = memory::stats().live_bytes;
        let product = work();
        (product, memory::stats().peak_bytes - before)
    };
    let (gradient, of_gradient) = peak(&|| grad(f, &point));
    let (kept, of_operator) = peak(&|| HessianOperator::new(f, &point).apply(&gradient));
    let (once, of_product) = peak(&|| hvp(f, &point, &gradient));
    assert_eq!(once.value().to_vec(), kept.value().to_vec());
    // Forwards 50 results, and of the recorded backward sweep 50 cotangents.
    assert!(of_product <= 2 * of_gradient + 8 * 80_000, "{of_product} bytes, the gradient {of_gradient}");
    assert!(of_product <= of_operator, "{of_product} bytes once, {of_operator} for more");
}

#[test]
fn a_tape_swept_forward_once_is_used_up() {
    let tape = Tape::new();
    let x = tape.var(x().into_value());
    let y = x.tanh() * x.exp();
    let expected = tape.push_forward(&[&y], &[&x], &[Var::ones([100])]).remove(0);
    let found = tape.push_forward_once(vec![y.clone()], &[&x], &[Var::ones([100])]).remove(0);
    assert_eq!(found.unwrap().value().to_vec(), expected.unwrap().value().to_vec());
    assert!(tape.is_empty());
    let again = caught(|| tape.push_forward(&[&y], &[&x], &[Var::ones([100])]));
    assert!(again.message.contains("used up"), "{}", again.message);
}

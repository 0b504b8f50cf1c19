//! Long chains, on a small stack: nothing that walks or frees a recording may recurse.

use std::thread;

use wengert_tape::{Sweep, Tape, Var};
use wengert_tensor::Tensor;

const STACK: usize = 256 << 10;

fn on_a_small_stack(work: impl FnOnce() + Send + 'static) {
    thread::Builder::new().stack_size(STACK).spawn(work).unwrap().join().unwrap();
}

/// A chain of `length` operations by turns · 2 and · ½.
fn chain(x: &Var<f64>, length: usize) -> Var<f64> {
    let mut y = x.clone();
    for i in 0..length {
        y *= if i % 2 == 0 { 2.0 } else { 0.5 };
    }
    y
}

#[test]
fn ten_million_operations_in_both_directions() {
    on_a_small_stack(|| {
        let length = 10_000_001;
        let tape = Tape::new();
        let x = tape.var(Tensor::scalar(3.0f64));
        let y = chain(&x, length);
        assert_eq!((y.item(), tape.len()), (6.0, length + 1));
        let forward = tape.push_forward(&[&y], &[&x], &[Var::scalar(1.0)]);
        assert_eq!(forward[0].as_ref().unwrap().item(), 2.0);
        let kept = tape.pull_back(&y, Var::scalar(1.0), &[&x], Sweep::Retain);
        assert_eq!(kept[0].as_ref().unwrap().item(), 2.0);
        assert_eq!(tape.gradients(&y, &[&x])[0].item(), 2.0);
    });
}

#[test]
fn a_million_operations_dropped_as_they_are() {
    on_a_small_stack(|| {
        let tape = Tape::new();
        let mut y = tape.var(Tensor::scalar(0.5f64));
        for _ in 0..1_000_000 {
            // Each node keeps its output, and the next one keeps it as an input.
            y = y.sin();
        }
        drop(tape);
        drop(y);
    });
}

#[test]
fn a_recorded_gradient_of_a_long_chain() {
    on_a_small_stack(|| {
        let tape = Tape::new();
        let x = tape.var(Tensor::scalar(1.0f64));
        let y = (0..100_000).fold(x.clone(), |y, _| &y * &x);
        let g = tape.recorded_gradients(&y, &[&x]).remove(0);
        let n = 100_001.0;
        assert_eq!(g.item(), n);
        assert_eq!(tape.gradients(&g, &[&x])[0].item(), n * (n - 1.0));
    });
}

#[test]
fn a_million_deferred_operations() {
    on_a_small_stack(|| {
        let length = 1_000_001;
        let tape = Tape::new();
        let x = tape.var(Tensor::scalar(3.0f64));
        // Dropped without having been computed.
        let never = tape.deferring(|| chain(&x, length));
        assert!(format!("{never:?}").contains("not computed"));
        drop(never);
        // Computed at the end, from the start.
        let late = tape.deferring(|| chain(&x, length));
        assert_eq!(late.item(), 6.0);
        drop(tape);
        drop(late);
    });
}

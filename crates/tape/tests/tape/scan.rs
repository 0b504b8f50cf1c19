//! Scans against loops written by hand, in all their forms, and how much memory they take.

use wengert_tape::{Scan, Var, check_grads, grad, scan};
use wengert_tensor::{Tensor, memory};

fn wave(shape: &[usize], salt: f64) -> Var<f64> {
    let count: usize = shape.iter().product();
    let values: Vec<f64> = (0..count).map(|i| (1.7 * i as f64 + salt).sin()).collect();
    Var::constant(Tensor::vector(&values).reshape(shape))
}

type Carry = (Var<f64>, Var<f64>);

/// A step with two carries, two inputs and two outputs.
fn step((a, b): &Carry, [x, y]: &[Var<f64>; 2], w: &Var<f64>) -> (Carry, Vec<Var<f64>>) {
    let a_next = (w.matmul(a) + x).tanh();
    let b_next = (b * 0.9 + a.sum() * y).sin();
    ((a_next.clone(), b_next.clone()), vec![a_next * &b_next, b_next])
}

fn inputs(steps: usize) -> Vec<Var<f64>> {
    vec![
        wave(&[3], 0.1),
        Var::scalar(0.3),
        wave(&[steps, 3], 0.5),
        wave(&[steps], 0.7),
        wave(&[3, 3], 0.9) * 0.5,
    ]
}

fn weigh(((a, b), ys): (Carry, Vec<Var<f64>>)) -> Var<f64> {
    let ends = (a * wave(&[3], 1.0)).sum() + b * 2.0;
    ys.iter().fold(ends, |sum, y| sum + (y * wave(y.shape(), 2.0)).sum())
}

/// How a scan goes: the segment, if it is computed again.
fn scanned(scan: Scan, segment: Option<usize>, v: &[Var<f64>]) -> Var<f64> {
    let (carry, xs) = ((v[0].clone(), v[1].clone()), [v[2].clone(), v[3].clone()]);
    weigh(match segment {
        None => scan.apply(|c: &Carry, x: &[Var<f64>; 2]| step(c, x, &v[4]), carry, &xs),
        Some(0) => scan.recomputed().apply(step, carry, &xs, &v[4]),
        Some(n) => scan.recomputed().segment(n).apply(step, carry, &xs, &v[4]),
    })
}

fn by_hand(v: &[Var<f64>], reversed: bool, truncated: Option<usize>) -> Var<f64> {
    let steps = v[2].shape()[0] as isize;
    let (mut carry, mut all) = ((v[0].clone(), v[1].clone()), Vec::new());
    for count in 0..steps {
        if truncated.is_some_and(|n| count > 0 && (count as usize).is_multiple_of(n)) {
            carry = (carry.0.stop_gradient(), carry.1.stop_gradient());
        }
        let at = if reversed { steps - 1 - count } else { count };
        let (next, ys) = step(&carry, &[v[2].select(0, at), v[3].select(0, at)], &v[4]);
        carry = next;
        all.push(ys);
    }
    if reversed {
        all.reverse();
    }
    let stacked = |k: usize| Var::stack(&all.iter().map(|ys| ys[k].clone()).collect::<Vec<_>>(), 0);
    weigh((carry, vec![stacked(0), stacked(1)]))
}

#[test]
fn a_scan_is_a_loop() {
    for steps in [1, 2, 7] {
        for reversed in [false, true] {
            for truncated in [None, Some(1), Some(3)] {
                let scan = if reversed { Scan::new().reversed() } else { Scan::new() };
                let scan = truncated.map_or(scan, |n| scan.truncated(n));
                let inputs = inputs(steps);
                let expected = by_hand(&inputs, reversed, truncated).item();
                let gradient = grad(|v: &Vec<Var<f64>>| by_hand(v, reversed, truncated), &inputs);
                for segment in [None, Some(0), Some(1), Some(2), Some(100)] {
                    assert_eq!(scanned(scan, segment, &inputs).item(), expected);
                    let found = grad(|v: &Vec<Var<f64>>| scanned(scan, segment, v), &inputs);
                    for (found, expected) in found.iter().zip(&gradient) {
                        for (f, e) in found.value().to_vec().into_iter().zip(expected.value().to_vec()) {
                            assert!((f - e).abs() < 1e-14, "{f} {e}");
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn derivatives_of_any_order_in_both_modes() {
    for segment in [None, Some(0), Some(2)] {
        check_grads(|v| scanned(Scan::new(), segment, v), &inputs(5), 2).unwrap();
        check_grads(|v| scanned(Scan::new().reversed(), segment, v), &inputs(3), 2).unwrap();
    }
}

#[test]
fn no_steps_give_the_carry_and_nothing() {
    let inputs = inputs(0);
    let carry = || (inputs[0].clone(), inputs[1].clone());
    let xs = [inputs[2].clone(), inputs[3].clone()];
    let plain = scan(|c: &Carry, x: &[Var<f64>; 2]| step(c, x, &inputs[4]), carry(), &xs);
    let again = Scan::new().recomputed().apply(step, carry(), &xs, &inputs[4]);
    for ((a, b), ys) in [plain, again] {
        assert_eq!((a.value(), b.item()), (inputs[0].value(), 0.3));
        assert_eq!((ys[0].shape(), ys[1].shape()), (&[0, 3].into(), &[0].into()));
    }
}

/// The most memory that a gradient takes beyond its inputs and its outputs.
fn peak(steps: usize, recomputed: bool) -> isize {
    let (w, start) = (Var::scalar(0.7), Var::<f64>::ones([64]));
    let xs = Var::zeros([steps, 0]);
    let f = |w: &Var<f64>| {
        let step = |h: &Var<f64>, _: &Var<f64>, w: &Var<f64>| ((h * w).sin() + 0.1, h.slice(..0));
        let end = if recomputed {
            Scan::new().recomputed().apply(step, start.clone(), &xs, w).0
        } else {
            scan(|h: &Var<f64>, x: &Var<f64>| step(h, x, w), start.clone(), &xs).0
        };
        end.sum()
    };
    memory::reset_peak();
    let before = memory::stats().live_bytes;
    let gradient = grad(f, &w);
    assert!(gradient.item().is_finite());
    memory::stats().peak_bytes - before
}

#[test]
fn recomputed_scans_take_memory_by_the_square_root() {
    let (plain, small, large) = (peak(900, false), peak(900, true), peak(14_400, true));
    // Sixteen times as many steps take four times as much.
    assert!(large < 5 * small, "{small} bytes, then {large}");
    assert!(plain > 6 * small, "{plain} bytes kept, {small} computed again");
}

#[test]
fn a_million_steps_take_memory_by_the_square_root() {
    let (small, large) = (peak(10_000, true), peak(1_000_000, true));
    // A hundred times as many steps take ten times as much, less than two thousand of a million carries.
    assert!(large < 12 * small, "{small} bytes, then {large}");
    assert!(large < 2000 * 64 * 8 * 2, "{large} bytes");
}

/// The gradient by a factor and by all inputs of a long scan, against the recursion written by hand. It takes memory for
/// that gradient, and for its pieces until they are joined.
#[test]
fn the_gradient_by_many_inputs() {
    let steps = 50_000;
    let numbers: Vec<f64> = (0..steps).map(|i| (1.7 * i as f64).sin()).collect();
    let (w, xs) = (Var::scalar(0.7), Var::constant(Tensor::vector(&numbers)));
    let end = |(w, xs): &(Var<f64>, Var<f64>)| {
        let step = |h: &Var<f64>, x: &Var<f64>, w: &Var<f64>| ((h * w + x).tanh(), Vec::<Var<f64>>::new());
        Scan::new().recomputed().apply(step, Var::scalar(0.0), xs, w).0
    };
    memory::reset_peak();
    let before = memory::stats().live_bytes;
    let (of_w, of_xs) = grad(end, &(w, xs));
    let taken = (memory::stats().peak_bytes - before) as usize;
    assert!(taken < 5 * steps * size_of::<f64>() / 2, "{taken} bytes");

    let mut h = vec![0.0];
    numbers.iter().for_each(|x| h.push((h[h.len() - 1] * 0.7 + x).tanh()));
    let (mut cotangent, mut expected) = (1.0, 0.0);
    for (i, found) in of_xs.value().to_vec().into_iter().enumerate().rev() {
        cotangent *= 1.0 - h[i + 1] * h[i + 1];
        assert!((found - cotangent).abs() < 1e-12, "input {i}: {found:e}, not {cotangent:e}");
        expected += cotangent * h[i];
        cotangent *= 0.7;
    }
    assert!((of_w.item() - expected).abs() < 1e-12);
}

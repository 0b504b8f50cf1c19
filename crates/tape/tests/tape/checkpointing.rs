//! Recomputing instead of storing gives the same derivatives with less memory.

use std::cell::Cell;
use std::rc::Rc;

use wengert_tape::{Var, check_grads, checkpoint, grad, hvp, jvp};
use wengert_tensor::{Tensor, memory};

fn block(v: &[Var<f64>]) -> Var<f64> {
    (v[0].tanh() * &v[1]).softmax(-1) + &v[0]
}

fn direct((x, w): &(Var<f64>, Var<f64>)) -> Var<f64> {
    let y = block(&[x.clone(), w.clone()]);
    block(&[y, w.clone()]).square().sum()
}

fn recomputed((x, w): &(Var<f64>, Var<f64>)) -> Var<f64> {
    let y = checkpoint(block, &[x, w]);
    checkpoint(block, &[&y, w]).square().sum()
}

#[test]
fn the_same_derivatives() {
    let point = (Var::from([[0.5, -1.0, 2.0], [1.5, 0.25, -0.5]]), Var::from([1.0, -2.0, 0.5]));
    let along = (Var::from([[1.0, 0.5, -2.0], [0.0, 1.0, 1.0]]), Var::from([0.5, 1.0, -1.0]));
    let bits = |(a, b): &(Var<f64>, Var<f64>)| [a.value().to_vec(), b.value().to_vec()].concat();
    assert_eq!(bits(&grad(recomputed, &point)), bits(&grad(direct, &point)));
    let (y, dy) = jvp(recomputed, &point, &along);
    let (z, dz) = jvp(direct, &point, &along);
    assert_eq!((y.item(), dy.item()), (z.item(), dz.item()));
    let (h, k) = (bits(&hvp(recomputed, &point, &along)), bits(&hvp(direct, &point, &along)));
    assert!(h.iter().zip(&k).all(|(a, b)| (a - b).abs() < 1e-13), "{h:?} {k:?}");
    check_grads(|v| checkpoint(block, &[&v[0], &v[1]]), &[point.0, point.1], 3).unwrap();
}

#[test]
fn nested_and_repeated() {
    let twice = |v: &[Var<f64>]| checkpoint(block, &[&checkpoint(block, &[&v[0], &v[0]]), &v[0]]);
    let outer = |v: &[Var<f64>]| checkpoint(twice, &[&v[0]]);
    check_grads(outer, &[Var::from([0.5, -0.25, 1.0])], 2).unwrap();
}

#[test]
fn untracked_inputs_record_nothing() {
    assert!(!checkpoint(block, &[&Var::from([1.0, 2.0]), &Var::from([0.5, 0.25])]).is_tracked());
}

#[test]
fn less_memory() {
    const LENGTH: usize = 10_000;
    const SEGMENTS: usize = 16;
    let peak = Rc::new(Cell::new(0));
    let measured = peak.clone();
    // Eight operations that each keep a buffer.
    let segment = move |v: &[Var<f64>]| {
        let y = (0..8).fold(v[0].clone(), |y, _| y.sin());
        measured.set(measured.get().max(memory::stats().live_bytes));
        y
    };
    let point = Var::constant(Tensor::linspace(0.1, 0.9, LENGTH));
    let mut peaks = Vec::new();
    let mut gradients = Vec::new();
    for recompute in [false, true] {
        let start = memory::stats().live_bytes;
        peak.set(start);
        let g = grad(
            |x: &Var<f64>| {
                let step =
                    |y: Var<f64>| if recompute { checkpoint(segment.clone(), &[&y]) } else { segment(&[y]) };
                (0..SEGMENTS).fold(x.clone(), |y, _| step(y)).sum()
            },
            &point,
        );
        gradients.push(g.value().to_vec());
        peaks.push((peak.get() - start) as usize / (8 * LENGTH));
    }
    assert_eq!(gradients[0], gradients[1]);
    assert!(peaks[0] >= 8 * SEGMENTS, "direct: {} buffers", peaks[0]);
    assert!(peaks[1] <= SEGMENTS + 8 + 4, "recomputing: {} buffers", peaks[1]);
}

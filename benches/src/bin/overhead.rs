//! What the tape itself costs: time per operation on one element, a long chain, and the memory of derivatives.
//!
//! `cargo run --release -p wengert-benches --bin overhead`

use std::hint::black_box;
use std::time::Instant;

use wengert::prelude::*;
use wengert::tape::{HessianOperator, Tape};
use wengert::tensor::memory;

fn main() {
    let (x, y) = (Var::<f32>::scalar(1.5), Var::<f32>::scalar(0.5));
    println!("one element, nanoseconds per operation (median of 31 runs):");
    let rows: [(&str, &dyn Fn()); 4] = [
        ("tensor a + b", &|| drop(black_box(x.value() + y.value()))),
        ("untracked a + b", &|| drop(black_box(&x + &y))),
        ("untracked a · 2", &|| drop(black_box(&x * 2.0))),
        ("untracked tanh a", &|| drop(black_box(x.tanh()))),
    ];
    for (name, work) in rows {
        println!("  {name:24} {:6.0}", nanoseconds(20_000, work));
    }
    for (name, operation) in [("a + b", (|z, y| z + y) as fn(&Var, &Var) -> Var), ("tanh a", |z, _| z.tanh())]
    {
        let (forward, backward) = chain(1_000_000, &y, operation);
        println!(
            "  tracked {name:16} {forward:6.0} forward, {backward:.0} backward, in a chain of 1,000,000"
        );
    }
    memory_of_derivatives();
}

fn nanoseconds(count: usize, work: &dyn Fn()) -> f64 {
    let mut times: Vec<f64> = (0..31)
        .map(|_| {
            let start = Instant::now();
            (0..count).for_each(|_| work());
            start.elapsed().as_secs_f64() * 1e9 / count as f64
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn chain(count: usize, y: &Var, operation: fn(&Var, &Var) -> Var) -> (f64, f64) {
    let tape = Tape::new();
    let x = tape.var(0.5f32);
    let start = Instant::now();
    let z = (0..count).fold(x.clone(), |z, _| operation(&z, y));
    let forward = start.elapsed().as_secs_f64() * 1e9 / count as f64;
    let start = Instant::now();
    black_box(tape.gradients(&z, &[&x]));
    (forward, start.elapsed().as_secs_f64() * 1e9 / count as f64)
}

/// Bytes of tensors that are alive for the loss of a 784-128-10 network on 256 examples, besides its inputs.
fn memory_of_derivatives() {
    let mut generator = Generator::seeded(0);
    let mut random =
        |shape: [usize; 2]| Var::constant(Tensor::<f32>::normal(shape, 0.0, 0.05, &mut generator));
    let (images, weights) = (random([256, 784]), [random([784, 128]), random([128, 10])]);
    let direction = [random([784, 128]), random([128, 10])];
    let labels = Tensor::from_fn([256], |i| (i[0] % 10) as u32);
    let loss =
        |[a, b]: &[Var; 2]| images.matmul(a).relu().matmul(b).softmax_cross_entropy(&labels, 0.0).mean();

    let live = || memory::stats().live_bytes as f64 / 1024.0;
    let before = live();
    let tape = Tape::new();
    let inputs = weights.each_ref().map(|w| tape.enter(w));
    let output = loss(&inputs);
    let forward = live() - before;
    drop((tape, inputs, output));

    let before = live();
    let (_, gradient) = value_and_grad(loss, &weights);
    let kept = live() - before;
    drop(gradient);

    let before = live();
    let hessian = HessianOperator::new(loss, &weights);
    let recorded = live() - before;
    let product = hessian.apply(&direction);
    let after = live() - before;
    drop(product);
    println!("784-128-10, batch 256, KiB of tensors alive:");
    println!("  the recorded loss        {forward:8.0}");
    println!("  its gradient             {kept:8.0}");
    println!("  the recorded gradient    {recorded:8.0}  ({:.2} of the recorded loss)", recorded / forward);
    println!("  … after one H·v          {after:8.0}");
}

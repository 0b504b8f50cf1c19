//! After the first runs, a run asks nobody for memory.

use crate::counting::allocations;
use wengert_tape::{Feed, Program, Tape, Var, grad, hvp, value_and_grad};
use wengert_tensor::Tensor;
use wengert_tensor::parallel::with_threads;
use wengert_tensor::random::Generator;

fn normal(shape: &[usize], seed: u64) -> Tensor<f32> {
    Tensor::normal(shape, 0.0, 0.5, &mut Generator::seeded(seed))
}

/// How often each of four runs asks for memory.
fn counts(program: &mut Program<f32>, inputs: &[Tensor<f32>]) -> [usize; 4] {
    let feeds: Vec<Feed<'_, f32>> = inputs.iter().map(Feed::from).collect();
    [(); 4].map(|()| {
        allocations(|| {
            program.run(&feeds).expect("the shapes that were recorded");
        })
    })
}

fn program(inputs: &[Tensor<f32>], outputs: impl Fn(&[Var<f32>]) -> Vec<Var<f32>>) -> Program<f32> {
    let tape = Tape::complete();
    let vars: Vec<Var<f32>> = inputs.iter().map(|input| tape.var(input.clone())).collect();
    let entered: Vec<&dyn wengert_tape::Recorded<f32>> = vars.iter().map(|v| v as _).collect();
    let outputs = outputs(&vars);
    tape.compile(&entered, &outputs.iter().collect::<Vec<_>>())
}

/// Two layers; the hidden one is large enough for blocks.
fn loss([x, y]: [&Var<f32>; 2], w: &[Var<f32>]) -> Var<f32> {
    let h = x.matmul(&w[0]) + &w[1];
    let h = (&h.tanh() * 0.5 + h.sigmoid() * &h).square() + h.exp();
    (h.matmul(&w[2]) - y).square().mean()
}

#[test]
fn runs_take_no_memory_from_the_system() {
    let shapes: [&[usize]; 5] = [&[128, 24], &[128, 3], &[24, 200], &[200], &[200, 3]];
    let inputs: Vec<Tensor<f32>> = (0..5).map(|i| normal(shapes[i], i as u64)).collect();
    let mut step = program(&inputs, |v| {
        let weights = v[2..].to_vec();
        let (value, slopes) = value_and_grad(|w: &Vec<Var<f32>>| loss([&v[0], &v[1]], w), &weights);
        std::iter::once(value).chain(slopes).collect()
    });
    let along: Vec<Tensor<f32>> = (2..5).map(|i| normal(shapes[i], 20 + i as u64)).collect();
    let with_direction: Vec<Tensor<f32>> = inputs.iter().chain(&along).cloned().collect();
    let mut product = program(&with_direction, |v| {
        let (weights, along) = (v[2..5].to_vec(), v[5..].to_vec());
        hvp(|w: &Vec<Var<f32>>| loss([&v[0], &v[1]], w), &weights, &along)
    });
    let mut forward = program(&inputs, |v| vec![loss([&v[0], &v[1]], &v[2..])]);
    for threads in [1, 2] {
        with_threads(threads, || {
            for (name, program, inputs) in [
                ("step", &mut step, &inputs),
                ("product", &mut product, &with_direction),
                ("forward", &mut forward, &inputs),
            ] {
                let [_, _, third, fourth] = counts(program, inputs);
                assert_eq!((third, fourth), (0, 0), "{name} with {threads} threads");
            }
        });
    }
}

#[test]
fn memory_goes_from_value_to_value() {
    // A chain of 60 values of 64 KB, each too large for blocks to be worth it with the next, which is a product.
    let inputs = [normal(&[128, 128], 1), normal(&[128, 128], 2)];
    let mut chain = program(&inputs, |v| {
        let f = |x: &Var<f32>| (0..20).fold(x.clone(), |x, _| x.matmul(&v[1]).tanh()).sum();
        vec![grad(f, &v[0])]
    });
    let feeds: Vec<Feed<'_, f32>> = inputs.iter().map(Feed::from).collect();
    chain.run(&feeds).unwrap();
    wengert_tensor::memory::reset_peak();
    let before = wengert_tensor::memory::stats();
    chain.run(&feeds).unwrap();
    let after = wengert_tensor::memory::stats();
    // The 20 values that the slopes read, and a few that come and go.
    let most = (after.peak_bytes - before.live_bytes) / (128 * 128 * 4);
    assert!((20..26).contains(&most), "{most} values at once");
    assert_eq!(after.system_allocations, before.system_allocations);
    assert_eq!(after.live_bytes, before.live_bytes);
}

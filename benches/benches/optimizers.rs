//! Every first-order optimiser at ten million parameters against its floor: the bytes that it must move over the
//! bandwidth of a triad a ← b + s·c of the same size, which runs before every timed step. b and c are one vector, so that
//! the triad moves 12 bytes an element: a is brought into the cache before it is written. Muon and
//! Shampoo, whose work is products of matrices, stand against their arithmetic at the rate of such a product.
//!
//! `cargo bench -p wengert-benches --bench optimizers -- --threads 2` prints two tables in Markdown.

use std::hint::black_box;
use std::time::Instant;

use clap::Parser;
use wengert::optim::first::{self, Convention, ElasticNet, NesterovConfig, ShampooConfig};
use wengert::optim::{Average, Averaged, Layout, Nesterov, Optimizer, Shampoo, State, clip_by_global_norm};
use wengert::prelude::*;
use wengert::tensor::gemm::{MatrixMut, MatrixRef, gemm};
use wengert::tensor::parallel::with_threads;
use wengert_benches::workload::triad_of;

/// What to measure.
#[derive(Parser)]
struct Arguments {
    /// Threads.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Times that each step is timed; the median counts.
    #[arg(long, default_value_t = 15)]
    rounds: usize,
    /// Parameters.
    #[arg(long, default_value_t = 10_000_000)]
    parameters: usize,
    /// Only what has this in its name.
    #[arg(default_value = "")]
    filter: String,
    /// Cargo gives this to every bench.
    #[arg(long, hide = true)]
    bench: bool,
}

/// The side of the weights of Muon and Shampoo, and how many there are.
const SIDE: usize = 1024;
const WEIGHTS: usize = 3;

/// Bytes of f32 that a step must move for each parameter: parameters and state are read and written, gradients read. More
/// than one pass cannot be avoided where a norm over a tensor decides how far it moves.
fn bytes(name: &str, state: usize) -> (f64, &'static str) {
    match name {
        "adafactor" => (24.0, "‖θ‖ 4; R and C 4; RMS(u) 4; step 12"),
        "adafactor, vector" => (32.0, "‖θ‖ 4; V and RMS(u) 12; step 16"),
        "lamb" => (40.0, "averages and norms 24; step 16"),
        "lars" => (28.0, "norms 8; step 20"),
        "lookahead" => ((6.0 * 28.0 + 16.0) / 6.0, "Adam 28; every sixth step 16 more"),
        "sam" => (48.0, "‖g‖ 4; ascent 16; return 8; momentum 20"),
        _ => (12.0 + 8.0 * state as f64, ""),
    }
}

fn normal(seed: u64, len: usize) -> Vec<f32> {
    let mut x = vec![0.0; len];
    Generator::seeded(seed).fill_normal(&mut x, 0.0, 1.0);
    x
}

fn seconds(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64()
}

fn median(mut x: Vec<f64>) -> f64 {
    x.sort_by(f64::total_cmp);
    x[x.len() / 2]
}

/// Times `work`, which makes `calls` steps, and the yardstick before it, in turn; returns the median time of a step, and
/// the median of the ratio of neighbours.
fn alternate(rounds: usize, calls: usize, mut yardstick: impl FnMut(), mut work: impl FnMut()) -> (f64, f64) {
    yardstick();
    work();
    let calls = calls as f64;
    let (mut times, mut ratios) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let unit = seconds(&mut yardstick);
        let time = seconds(&mut work) / calls;
        times.push(time);
        ratios.push(time / unit);
    }
    (median(times), median(ratios))
}

/// The vectors of the measurements in memory's speed.
struct Memory {
    arguments: Arguments,
    params: Vec<f32>,
    grads: Vec<f32>,
    other: Vec<f32>,
}

impl Memory {
    /// Prints a line of the table; `calls` steps make one round.
    fn line(
        &mut self,
        name: &str,
        bytes: f64,
        how: &str,
        calls: usize,
        mut step: impl FnMut(&mut [f32], &mut [f32]),
    ) {
        if !name.contains(&self.arguments.filter) {
            return;
        }
        let out = &mut vec![0.0; self.params.len()];
        let (params, grads, other) = (&mut self.params, &mut self.grads, &self.other);
        let floor = bytes / 12.0;
        let (time, ratio) = alternate(
            self.arguments.rounds,
            calls,
            || {
                triad_of(out, other, other);
                black_box(&out);
            },
            || {
                for _ in 0..calls {
                    step(params, grads);
                }
                black_box(&params);
            },
        );
        println!("| {name} | {bytes:.1} | {:.1} | {:.2} | {how} |", 1e3 * time, ratio / floor);
    }
}

fn passes(arguments: Arguments) {
    let n = arguments.parameters;
    println!("| method | bytes per parameter | ms | time / floor | passes |\n|---|---|---|---|---|");
    let mut memory = Memory { arguments, params: normal(0, n), grads: normal(1, n), other: normal(2, n) };
    let flat = Layout::flat(n);
    let columns = 4000.min(n);
    let matrix = Layout::new([("weight", vec![n / columns, columns]), ("bias", vec![n % columns])]);
    for method in first::methods::<f32>() {
        let (layouts, calls): (&[(&str, &Layout)], usize) = match method.name {
            "muon" | "shampoo" => continue,
            "adafactor" => (&[("adafactor", &matrix), ("adafactor, vector", &flat)], 1),
            "lookahead" => (&[("lookahead", &flat)], 6),
            name => (&[(name, &flat)], 1),
        };
        for (name, layout) in layouts {
            let mut optimizer = method.build(method.learning_rate, layout).expect("its own learning rate");
            // The first step allocates the state.
            if name.contains(&memory.arguments.filter) {
                optimizer.step(&mut memory.params, &memory.grads);
            }
            let state = optimizer.state().vectors.values().filter(|v| v.len() == n).count();
            let (bytes, how) = bytes(name, state);
            memory.line(name, bytes, how, calls, |p, g| {
                optimizer.step(p, g);
                if *name == "sam" {
                    // The first took the parameters to where the second wants its gradient.
                    optimizer.step(p, g);
                }
            });
        }
    }
    helpers(&mut memory);
}

/// What goes with an optimiser: writing the parameters to evaluate, averages, penalties, clipping.
fn helpers(memory: &mut Memory) {
    let config = NesterovConfig { convention: Convention::Paper, ..Default::default() };
    let mut nesterov = Nesterov::with_config(1e-3, config).expect("defaults");
    memory.line(
        "write_evaluation of Nesterov",
        16.0,
        "the result is fetched before it is written",
        1,
        |p, g| {
            if nesterov.steps() == 0 {
                nesterov.step(p, g);
            }
            nesterov.write_evaluation(p, g);
        },
    );
    let mut mean = Averaged::new(Average::Uniform);
    memory.line("weight averaging", 12.0, "", 1, |p, _| mean.update(p));
    let net = ElasticNet::new(1e-9, 1e-9);
    memory.line("gradient of the elastic net", 12.0, "", 1, |p, g| net.add_gradient(p, g));
    memory.line("soft threshold", 8.0, "", 1, |p, _| net.proximal(p, 1e-9));
    let mut limit = (memory.params.len() as f64).sqrt();
    memory.line("clipping by global norm", 12.0, "norm 4; scaling 8", 1, |_, g| {
        limit *= 0.99;
        clip_by_global_norm(g, limit);
    });
}

/// Muon and Shampoo: floating-point operations over the rate of a product of matrices of f32 of the same size.
fn products(arguments: &Arguments) {
    let cube = 2.0 * (SIDE as f64).powi(3);
    let len = WEIGHTS * SIDE * SIDE;
    let layout = Layout::new((0..WEIGHTS).map(|i| (format!("{i}.weight"), vec![SIDE, SIDE])));
    let (mut params, grads) = (normal(0, len), normal(1, len));
    let (a, mut c) = (normal(2, SIDE * SIDE), vec![0.0; SIDE * SIDE]);
    println!("\n| method | GFLOP per weight | ms per weight | time / floor |\n|---|---|---|---|");
    let mut line = |name: &str, products: f64, optimizer: &mut dyn Optimizer<f32>| {
        let view = |x| MatrixRef::new(x, 0, [SIDE, SIDE], [SIDE as isize, 1]);
        let (time, ratio) = alternate(
            // Renewals take seconds.
            if products > 100.0 { 3 } else { arguments.rounds },
            WEIGHTS,
            || {
                gemm(
                    1.0,
                    view(&a),
                    view(&a),
                    0.0,
                    MatrixMut::new(&mut c, 0, [SIDE, SIDE], [SIDE as isize, 1]),
                );
                black_box(&c);
            },
            || optimizer.step(&mut params, &grads),
        );
        println!("| {name} | {:.1} | {:.0} | {:.2} |", products * cube * 1e-9, 1e3 * time, ratio / products);
    };
    // Five times three products of square matrices.
    let mut muon = first::by_name("muon", None, &layout).expect("a method");
    line("muon", 15.0, &mut muon);
    // Both moments and both roots applied; the roots are not renewed between steps 11 and 1001.
    let config = ShampooConfig { interval: 1000, ..Default::default() };
    let mut shampoo = Shampoo::with_layout(1e-3, config, &layout).expect("defaults");
    let sides = vec![1e-3f32; 2 * len];
    shampoo.load_state(&after_a_thousand_steps(len, &sides)).expect("its own state");
    line("shampoo between renewals of its roots", 4.0, &mut shampoo);
    // Besides, 41 products for each of two roots, in f64, which counts twice.
    let mut shampoo =
        Shampoo::with_layout(1e-3, ShampooConfig { interval: 1, ..config }, &layout).expect("defaults");
    shampoo.load_state(&after_a_thousand_steps(len, &sides)).expect("its own state");
    line("shampoo renewing its roots", 4.0 + 2.0 * 2.0 * 41.0, &mut shampoo);
}

/// Shampoo's state as if after 1001 steps: reaching it would take a thousand roots.
fn after_a_thousand_steps(len: usize, sides: &[f32]) -> State {
    let state = State::new("shampoo", len).with_count("step", 1001).with_real("learning_rate", 1e-3);
    let state = state.with_vector("moments", sides).with_vector("roots", sides);
    state.with_vector::<f32>("squares", &[])
}

fn main() {
    let arguments = Arguments::parse();
    let threads = arguments.threads;
    with_threads(threads, move || {
        println!("{threads} threads, {} parameters\n", arguments.parameters);
        if ["muon", "shampoo"].iter().any(|n| n.contains(&arguments.filter)) {
            products(&arguments);
        }
        passes(arguments);
    });
}

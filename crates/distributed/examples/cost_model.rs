//! The cost model beside measurements: what a step, a message and an update take on this machine; the seconds of a step that follow
//! for ranks that are threads, and those measured; and a prediction to 1,024 ranks on a network of 10 Gbit/s:
//! `cargo run --release -p wengert-distributed --example cost_model`

use std::hint::black_box;
use std::rc::Rc;
use std::time::Instant;

use wengert_data::{Dataset, synthetic};
use wengert_distributed::local::{LocalSgd, average};
use wengert_distributed::server::{Consistency, ParameterServer, ServerSettings};
use wengert_distributed::simulate::{Cluster, Mode, Workload, simulate};
use wengert_distributed::{Communicator, Failure, threads};
use wengert_nn::{Grads, Layer, Linear, Losses, Params};
use wengert_optim::{Adam, Optimizer};
use wengert_tape::Var;
use wengert_tensor::Tensor;
use wengert_tensor::parallel::with_threads;
use wengert_train::Training;

/// Examples of a rank's batch.
const BATCH: usize = 256;
const STEPS: usize = 40;
/// How often each mode is measured; the fastest counts, as what else the machine does makes them slower alone.
const ROUNDS: usize = 7;

struct Net {
    params: Params,
    hidden: Linear,
    out: Linear,
}

impl Net {
    fn build() -> Net {
        let mut params = Params::seeded(0);
        let hidden = Linear::new(params.at("hidden"), 784, 128);
        let out = Linear::new(params.at("out"), 128, 10);
        Net { params, hidden, out }
    }

    fn gradient(&self, images: &Var, labels: &Tensor<u32>) -> Grads {
        let loss = self.params.value_and_grad(|cx| {
            self.out.forward(cx, &self.hidden.forward(cx, images).relu()).cross_entropy(labels)
        });
        loss.expect("the loss reaches all parameters").1
    }
}

/// Seconds of `work`, the smallest of several, on one thread, as ranks have.
fn seconds(times: usize, mut work: impl FnMut()) -> f64 {
    let once = |_| {
        let begun = Instant::now();
        work();
        begun.elapsed().as_secs_f64()
    };
    with_threads(1, || (0..times).map(once).fold(f64::INFINITY, f64::min))
}

/// Seconds of a step of each worker, by running it: the smallest of several rounds.
fn measured(mode: Mode, ranks: usize, data: &Dataset) -> Result<f64, Failure> {
    let rounds = (0..ROUNDS).map(|_| round(mode, ranks, data));
    rounds.reduce(|best, found| Ok(best?.min(found?))).unwrap_or(Ok(f64::NAN))
}

/// Those of one round.
fn round(mode: Mode, ranks: usize, data: &Dataset) -> Result<f64, Failure> {
    let run = |communicator: Rc<dyn Communicator>| {
        let mut net = Net::build();
        let (images, labels) = data.batches(BATCH).next().ok_or("no data")?;
        let mut adam = Adam::new(1e-3);
        net.gradient(&images, &labels);
        communicator.barrier()?;
        let begun = Instant::now();
        match mode {
            Mode::Server { servers, bound } => {
                let consistency = match bound {
                    Some(staleness) => Consistency::Bounded { staleness },
                    None => Consistency::Asynchronous,
                };
                let settings = ServerSettings { servers, consistency, ..Default::default() };
                let server = ParameterServer::new(settings, |_| Adam::new(1e-3))?;
                let start = net.params.values().to_vec();
                server.run(&*communicator, &start, |worker| {
                    for _ in 0..STEPS {
                        worker.pull(&mut net.params)?;
                        let grads = net.gradient(&images, &labels);
                        worker.push(&grads, BATCH)?;
                    }
                    Ok::<(), Failure>(())
                })?;
            }
            Mode::Local { every } => {
                let mut local = LocalSgd::new(&*communicator, &net.params, every)?;
                for _ in 0..STEPS {
                    let grads = net.gradient(&images, &labels);
                    net.params.update(&mut adam, &grads);
                    local.after_step(&mut net.params)?;
                }
            }
            _ => {
                for _ in 0..STEPS {
                    let mut grads = net.gradient(&images, &labels);
                    average(&*communicator, &mut grads)?;
                    net.params.update(&mut adam, &grads);
                }
            }
        }
        communicator.barrier()?;
        Ok(begun.elapsed().as_secs_f64() / STEPS as f64)
    };
    Ok(threads::run(ranks, |communicator| with_threads(1, || run(communicator)))?[0])
}

/// Latency and bandwidth between two threads.
fn links() -> Result<(f64, f64), Failure> {
    let there_and_back = |bytes: usize| -> Result<f64, Failure> {
        let run = |communicator: Rc<dyn Communicator>| {
            let message = vec![0; bytes];
            let other = 1 - communicator.rank();
            let turn = |_| -> Result<f64, Failure> {
                let begun = Instant::now();
                if communicator.rank() == 0 {
                    communicator.send(other, 1, &message)?;
                    black_box(communicator.receive(Some(other), Some(1))?);
                } else {
                    let message = communicator.receive(Some(other), Some(1))?;
                    communicator.send(other, 1, &message.bytes)?;
                }
                Ok(begun.elapsed().as_secs_f64())
            };
            let mut times = (0..200).map(turn).collect::<Result<Vec<f64>, _>>()?;
            times.sort_by(f64::total_cmp);
            Ok(times[100])
        };
        Ok(threads::run(2, run)?[0] / 2.0)
    };
    let (latency, large) = (there_and_back(8)?, 4_000_000);
    Ok((latency, large as f64 / (there_and_back(large)? - latency).max(1e-9)))
}

fn main() -> Result<(), Failure> {
    let data = synthetic::digits(BATCH, 0);
    let net = Net::build();
    let (images, labels) = data.batches(BATCH).next().ok_or("no data")?;
    let compute = seconds(30, || drop(black_box(net.gradient(&images, &labels))));
    let (mut values, grads) = (net.params.values().to_vec(), net.gradient(&images, &labels));
    let mut adam = Adam::new(1e-3);
    let update = seconds(30, || adam.step(&mut values, &grads));
    let (latency, bandwidth) = links()?;
    let bytes = 4.0 * values.len() as f64;
    let cores = std::thread::available_parallelism()?.get();
    let work = Workload { compute, jitter: 0.05, bytes, update, examples: BATCH as f64 };
    println!(
        "a gradient {:.2} ms, an update {:.3} ms, latency {:.1} µs, bandwidth {:.2} GB/s, {cores} cores",
        1e3 * compute,
        1e3 * update,
        1e6 * latency,
        1e-9 * bandwidth
    );
    let modes = |ranks: usize| {
        [
            ("synchronous, tree", Mode::Tree),
            ("synchronous, ring", Mode::Ring),
            ("server", Mode::Server { servers: (ranks / 32).max(1), bound: None }),
            ("server, staleness ≤ 2", Mode::Server { servers: (ranks / 32).max(1), bound: Some(2) }),
            ("local, every 16", Mode::Local { every: 16 }),
        ]
    };
    println!("\nranks  mode                    predicted  measured  ratio  (ms a step)");
    let machine = Cluster { latency, bandwidth, cores: Some(cores) };
    for ranks in [2, 4] {
        for (name, mode) in modes(ranks) {
            // The threads' average is taken by no ring.
            if mode == Mode::Ring {
                continue;
            }
            let predicted = simulate(&machine, &work, mode, ranks, STEPS as u64, 0)?.step;
            let found = measured(mode, ranks, &data)?;
            println!(
                "{ranks:>5}  {name:<22} {:>10.2} {:>9.2} {:>6.2}",
                1e3 * predicted,
                1e3 * found,
                found / predicted
            );
        }
    }
    println!(
        "\nranks  mode                    images/s  efficiency  bottleneck  staleness  (10 Gbit/s, 20 µs)"
    );
    let network = Cluster { latency: 20e-6, bandwidth: 1.25e9, cores: None };
    for ranks in [4, 16, 64, 256, 1024] {
        for (name, mode) in modes(ranks) {
            let found = simulate(&network, &work, mode, ranks, 16, 0)?;
            println!(
                "{ranks:>5}  {name:<22} {:>9.0} {:>11.2}  {:<10} {:>10.1}",
                found.examples_per_second,
                found.efficiency,
                found.bottleneck.to_string(),
                found.staleness
            );
        }
    }
    Ok(())
}

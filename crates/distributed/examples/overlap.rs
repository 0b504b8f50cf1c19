//! How much of the gradients' sum is hidden behind the backward sweep, for 784-1024-1024-10 and 256 images on each rank:
//!
//! `WENGERT_NUM_THREADS=1 mpirun -n 2 --bind-to core target/release/examples/overlap`
//!
//! Steps without communication, with the sum behind the sweep, and with it in buckets of several sizes are made in turn, so that what else
//! the machine does meets all. Times are medians of the slowest rank's. `--bandwidth` adds a wire, on which a sum takes its time and no
//! core: there the sum is what a network makes of it, and not copies by the cores that compute.
//!
//! What no wire but a core does, copying, adding and looking for what has come, cannot be hidden where all cores compute. So it is measured
//! too: the time of the cores for a sum that goes on while this rank sleeps (Linux).

use std::cell::Cell;
use std::fs::{self, DirEntry};
use std::io;
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use wengert_data::{Division, synthetic};
use wengert_distributed::{Buffer, Communicator, DataParallel, Failure, Reduction, Values, launch, threads};
use wengert_nn::{Layer, Linear, Losses, Params, Relu, Sequential};
use wengert_optim::Sgd;
use wengert_train::{Parallel, PendingSum, Run, Trainer, Workers, WorkersError};

/// Hides the sum of gradients behind the backward sweep, and measures how much of it.
#[derive(Parser)]
struct Arguments {
    /// Rounds, in each of which every way makes a step.
    #[arg(long, default_value_t = 31)]
    rounds: usize,
    /// Hidden layers.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..))]
    layers: u16,
    /// Units of each of them.
    #[arg(long, default_value_t = 1024)]
    width: usize,
    /// Images on each rank.
    #[arg(long, default_value_t = 256)]
    batch: usize,
    /// Ranks that are threads, where no launcher has started some.
    #[arg(long, default_value_t = 2)]
    ranks: usize,
    /// Shards of the deterministic way instead of the fast one: one for each rank.
    #[arg(long)]
    deterministic: bool,
    /// Megabytes a second of a wire that a sum takes on top, and nobody's core with it; none if 0.
    #[arg(long, default_value_t = 0.0)]
    bandwidth: f64,
}

/// Bytes of a bucket of the sum that is made while the rank sleeps.
const BUCKET: usize = 1 << 20;

/// How a step's sum is made.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    None,
    Behind,
    Buckets(usize),
}

/// Workers that add up in a way, over a wire of some bandwidth.
struct Wire {
    inner: DataParallel,
    way: Way,
    seconds_for_byte: f64,
    /// When the wire is free again.
    free: Rc<Cell<Option<Instant>>>,
}

impl Wire {
    /// When `length` numbers are through.
    fn through(&self, length: usize) -> Instant {
        let now = Instant::now();
        let start = self.free.get().filter(|free| *free > now).unwrap_or(now);
        let ranks = self.inner.workers() as f64;
        // As of a ring: all but one part twice.
        let bytes = 4.0 * length as f64 * 2.0 * (ranks - 1.0) / ranks;
        let end = start + Duration::from_secs_f64(bytes * self.seconds_for_byte);
        self.free.set(Some(end));
        end
    }
}

fn wait(until: Instant) {
    thread::sleep(until.saturating_duration_since(Instant::now()));
}

/// A sum that is through at some time.
struct OnWire(Box<dyn PendingSum<f32>>, Instant);

impl PendingSum<f32> for OnWire {
    fn progress(&mut self) -> Result<bool, WorkersError> {
        Ok(self.0.progress()? && Instant::now() >= self.1)
    }

    fn finish(self: Box<Self>) -> Result<Vec<f32>, WorkersError> {
        let sum = self.0.finish()?;
        wait(self.1);
        Ok(sum)
    }
}

impl Workers for Wire {
    fn rank(&self) -> usize {
        self.inner.rank()
    }

    fn workers(&self) -> usize {
        self.inner.workers()
    }

    fn division(&self) -> Division {
        self.inner.division()
    }

    fn exchange(&self, mine: &[u8]) -> Result<Vec<Vec<u8>>, WorkersError> {
        self.inner.exchange(mine)
    }

    fn message_of_first(&self, message: Vec<u8>) -> Result<Vec<u8>, WorkersError> {
        self.inner.message_of_first(message)
    }

    fn bucket(&self) -> Option<usize> {
        match self.way {
            Way::Buckets(bytes) => Some(bytes),
            _ => None,
        }
    }
}

impl Parallel<f32> for Wire {
    fn sum(&self, mut shards: Vec<Vec<f32>>) -> Result<Vec<f32>, WorkersError> {
        if self.way == Way::None {
            return Ok(shards.swap_remove(0));
        }
        let through = self.through(shards[0].len());
        let sum = self.inner.sum(shards)?;
        wait(through);
        Ok(sum)
    }

    fn start_sum(&self, shards: Vec<Vec<f32>>) -> Result<Box<dyn PendingSum<f32>>, WorkersError> {
        let through = self.through(shards[0].len());
        Ok(Box::new(OnWire(self.inner.start_sum(shards)?, through)))
    }

    fn numbers_of_first(&self, values: &mut [f32]) -> Result<(), WorkersError> {
        self.inner.numbers_of_first(values)
    }
}

/// Seconds that the cores have spent on this process, in all its threads; none where the system does not tell.
fn time_of_cores() -> Option<f64> {
    let of_task = |task: io::Result<DirEntry>| -> Option<f64> {
        let told = fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        told.split(' ').next()?.parse().ok()
    };
    let nanoseconds: Option<f64> = fs::read_dir("/proc/self/task").ok()?.map(of_task).sum();
    Some(1e-9 * nanoseconds?)
}

/// A sum of `length` numbers in buckets while this rank sleeps: seconds of the cores.
fn asleep(ranks: &dyn Communicator, length: usize) -> Result<Option<f64>, Failure> {
    let before = time_of_cores();
    let buckets = (0..length).step_by(BUCKET / 4).map(|start| (BUCKET / 4).min(length - start));
    let start = |len| ranks.start_all_reduce(Values::F32(vec![1.0; len]), Reduction::Sum);
    let pending: Vec<_> = buckets.map(start).collect::<Result<_, _>>()?;
    for mut sum in pending {
        while !sum.progress()? {
            thread::sleep(Duration::from_millis(1));
        }
        sum.finish()?;
    }
    Ok(before.and_then(|before| Some(time_of_cores()? - before)))
}

fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    launch::run(|ranks| match ranks.size() {
        1 => Ok(threads::run(arguments.ranks, |ranks| measure(&arguments, ranks)).map(drop)?),
        _ => measure(&arguments, ranks),
    })
}

fn measure(arguments: &Arguments, ranks: Rc<dyn Communicator>) -> Result<(), Failure> {
    let width = arguments.width;
    let mut ways = vec![Way::None, Way::Behind];
    ways.extend([1 << 17, 1 << 18, 1 << 19, 1 << 20, 1 << 21, 1 << 22].map(Way::Buckets));
    let mut stores: Vec<Params> = ways.iter().map(|_| Params::seeded(1)).collect();
    let models: Vec<Sequential> = stores
        .iter_mut()
        .map(|params| {
            let first = Sequential::builder(params.root()).with(|p| Linear::new(p, 784, width)).then(Relu);
            let hidden = (1..arguments.layers)
                .fold(first, |net, _| net.with(|p| Linear::new(p, width, width)).then(Relu));
            hidden.with(|p| Linear::new(p, width, 10)).build()
        })
        .collect();
    let length = stores[0].len();
    let mut runs = Vec::new();
    for (params, &way) in stores.iter_mut().zip(&ways) {
        let inner = match arguments.deterministic {
            true => DataParallel::deterministic(ranks.clone(), ranks.size())?,
            false => DataParallel::new(ranks.clone()),
        };
        let seconds_for_byte = if arguments.bandwidth > 0.0 { 1e-6 / arguments.bandwidth } else { 0.0 };
        let wire = Wire { inner, way, seconds_for_byte, free: Rc::default() };
        runs.push(Trainer::new(params, Sgd::new(1e-3)).parallel(wire).start()?);
    }
    let batch = synthetic::digits(arguments.batch, ranks.rank() as u64).batches(arguments.batch).next();
    let (images, labels) = batch.ok_or("no batch")?;
    // The slowest rank's time, in milliseconds.
    let time = |work: &mut dyn FnMut() -> Result<(), Failure>| -> Result<f64, Failure> {
        ranks.barrier()?;
        let started = Instant::now();
        work()?;
        let mut seconds = [started.elapsed().as_secs_f64()];
        ranks.all_reduce(Buffer::F64(&mut seconds), Reduction::Max)?;
        Ok(1e3 * seconds[0])
    };
    let mut times: Vec<Vec<f64>> = vec![Vec::new(); ways.len() + 3];
    for round in 0..arguments.rounds + 2 {
        for ((run, model), times) in runs.iter_mut().zip(&models).zip(&mut times) {
            let run: &mut Run<'_> = run;
            let took = time(&mut || {
                run.step(|cx| model.forward(cx, &images).cross_entropy(&labels))?;
                Ok(())
            })?;
            // The first rounds warm up.
            if round >= 2 {
                times.push(took);
            }
        }
        let mut gradient = vec![1.0f32; length];
        let alone = time(&mut || Ok(ranks.all_reduce(Buffer::F32(&mut gradient), Reduction::Sum)?))?;
        times[ways.len()].push(alone);
        let mut of_cores = None;
        let slept = time(&mut || {
            of_cores = asleep(&*ranks, length)?;
            Ok(())
        })?;
        // The slowest rank's.
        if let Some(seconds) = of_cores {
            let mut both = [1e3 * seconds];
            ranks.all_reduce(Buffer::F64(&mut both), Reduction::Max)?;
            times[ways.len() + 1].push(slept);
            times[ways.len() + 2].push(both[0]);
        }
    }
    let medians: Vec<f64> = times
        .iter_mut()
        .map(|times| {
            times.sort_by(f64::total_cmp);
            times.get(times.len() / 2).copied().unwrap_or(f64::NAN)
        })
        .collect();
    if ranks.rank() == 0 {
        let hidden = format!("-{width}").repeat(arguments.layers.into());
        let (none, behind, alone) = (medians[0], medians[1], medians[ways.len()]);
        println!(
            "784{hidden}-10 ({length} parameters), {} images a rank, {} ranks over {}",
            arguments.batch,
            ranks.size(),
            ranks.transport()
        );
        println!("an all-reduce alone                 {alone:8.2} ms");
        let (slept, of_cores) = (medians[ways.len() + 1], medians[ways.len() + 2]);
        if of_cores.is_finite() {
            let most = 100.0 * (1.0 - of_cores / slept).max(0.0);
            println!("in buckets, while the rank sleeps   {slept:8.2} ms");
            println!(
                "of it a core's work                 {of_cores:8.2} ms: at most {most:.0} % can be hidden"
            );
        }
        println!("a step without communication        {none:8.2} ms");
        println!("with the sum behind the sweep       {behind:8.2} ms");
        for (way, took) in ways.iter().zip(&medians).skip(2) {
            if let Way::Buckets(bytes) = way {
                let hidden = 100.0 * (behind - took) / (behind - none);
                println!(
                    "in buckets of {:6} KiB            {took:8.2} ms, {hidden:4.0} % hidden",
                    bytes >> 10
                );
            }
        }
    }
    Ok(())
}

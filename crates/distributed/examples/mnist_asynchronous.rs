//! MNIST in the modes that are not synchronous, on ranks that are threads:
//! `cargo run --release -p wengert-distributed --example mnist_asynchronous -- --ranks 4 --epochs 6 server-async local`
//!
//! Without names of modes it runs all. `--quick` learns from fewer digits.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Instant;

use wengert_data::{Dataset, Mnist};
use wengert_distributed::compress::Compression;
use wengert_distributed::hogwild::{self, SharedVector, Stopped};
use wengert_distributed::local::{ElasticAveraging, Gossip, LocalSgd};
use wengert_distributed::server::{Consistency, ParameterServer, ServerSettings};
use wengert_distributed::{Communicator, Failure, threads};
use wengert_nn::{Ctx, Layer, Linear, Losses, Params};
use wengert_optim::first::SgdConfig;
use wengert_optim::{Adam, Sgd};
use wengert_tape::Var;
use wengert_train::{Training, accuracy};

const MODES: [&str; 10] = [
    "server-sync",
    "server-async",
    "server-ssp",
    "server-top-k",
    "server-bf16",
    "local",
    "diloco",
    "elastic",
    "gossip",
    "hogwild",
];

/// Examples of a worker's batch.
const BATCH: usize = 64;

struct Mlp {
    hidden: Linear,
    out: Linear,
}

impl Mlp {
    fn build() -> (Params, Mlp) {
        let mut params = Params::seeded(0);
        let hidden = Linear::new(params.at("hidden"), 784, 128);
        let out = Linear::new(params.at("out"), 128, 10);
        (params, Mlp { hidden, out })
    }
}

impl Layer for Mlp {
    fn forward(&self, cx: &Ctx, x: &Var) -> Var {
        self.out.forward(cx, &self.hidden.forward(cx, x).relu())
    }
}

/// What a mode has to show in the end.
struct Shown {
    values: Vec<f32>,
    bytes: u64,
    staleness: String,
}

fn server(ranks: &dyn Communicator, mode: &str, data: &Dataset, epochs: u64) -> Result<Shown, Failure> {
    let (mut params, model) = Mlp::build();
    let (consistency, compression) = match mode {
        "server-sync" => (Consistency::Synchronous, Compression::None),
        "server-ssp" => (Consistency::Bounded { staleness: 2 }, Compression::None),
        "server-top-k" => (Consistency::Asynchronous, Compression::TopK { fraction: 0.05 }),
        "server-bf16" => (Consistency::Asynchronous, Compression::Bf16),
        _ => (Consistency::Asynchronous, Compression::None),
    };
    let settings = ServerSettings { consistency, compression, ..Default::default() };
    let server = ParameterServer::new(settings, |_| Adam::new(1e-3))?;
    let start = params.values().to_vec();
    let served = server.run(ranks, &start, |worker| {
        for epoch in 0..epochs {
            let batches = data.batches(BATCH).shuffled(0).epoch(epoch);
            for (images, labels) in batches.sharded(worker.index(), worker.workers()) {
                worker.pull(&mut params)?;
                let (_, grads) =
                    params.value_and_grad(|cx| model.forward(cx, &images).cross_entropy(&labels))?;
                worker.update(&mut params, &grads, labels.len())?;
            }
        }
        Ok::<(), Failure>(())
    })?;
    let staleness = format!("mean {:.2}, {}", served.report.staleness.mean(), served.report.staleness);
    Ok(Shown { values: served.values, bytes: ranks.bytes_sent(), staleness })
}

fn local(ranks: &dyn Communicator, mode: &str, data: &Dataset, epochs: u64) -> Result<Shown, Failure> {
    let (mut params, model) = Mlp::build();
    let mut adam = Adam::new(1e-3);
    let batches = data.batches(BATCH).shuffled(0);
    let rounds = batches.clone().sharded(0, ranks.size()).len() as u64;
    let mut train = |params: &mut Params, after: &mut dyn FnMut(&mut Params) -> Result<(), Failure>| {
        for epoch in 0..epochs {
            for (images, labels) in batches.clone().epoch(epoch).sharded(ranks.rank(), ranks.size()) {
                params.train_step(&mut adam, |cx| model.forward(cx, &images).cross_entropy(&labels))?;
                after(params)?;
            }
        }
        Ok::<(), Failure>(())
    };
    match mode {
        "elastic" => {
            let elastic = RefCell::new(ElasticAveraging::new(ranks, &params, 16, 0.9)?);
            train(&mut params, &mut |params| Ok(elastic.borrow_mut().after_step(params).map(drop)?))?;
            elastic.borrow_mut().finish(&mut params)?;
        }
        "gossip" => {
            let gossip = RefCell::new(Gossip::new(ranks, 1, 0)?);
            train(&mut params, &mut |params| Ok(gossip.borrow_mut().after_step(params).map(drop)?))?;
            gossip.borrow_mut().catch_up(&mut params, epochs * rounds)?;
            gossip.borrow_mut().finish(&mut params)?;
        }
        _ => {
            let mut local = LocalSgd::new(ranks, &params, 16)?;
            if mode == "diloco" {
                let config = SgdConfig { momentum: 0.9, nesterov: true, ..Default::default() };
                local = local.outer(Sgd::with_config(0.7, config)?);
            }
            let local = RefCell::new(local);
            train(&mut params, &mut |params| Ok(local.borrow_mut().after_step(params).map(drop)?))?;
            local.borrow_mut().finish(&mut params)?;
        }
    }
    Ok(Shown { values: params.values().to_vec(), bytes: ranks.bytes_sent(), staleness: "–".to_owned() })
}

fn without_locks(threads: usize, data: &Dataset, epochs: u64) -> Result<Shown, Failure> {
    let shared = SharedVector::new(Mlp::build().0.values());
    let outcome = hogwild::run(&shared, threads, |worker| {
        let ((mut params, model), mut adam) = (Mlp::build(), Adam::new(1e-3));
        for epoch in 0..epochs {
            let batches = data.batches(BATCH).shuffled(0).epoch(epoch);
            for (images, labels) in batches.sharded(worker.index(), worker.workers()) {
                worker.pull(&mut params)?;
                let loss = params.value_and_grad(|cx| model.forward(cx, &images).cross_entropy(&labels));
                worker.push(&mut params, &mut adam, &loss.expect("the loss reaches all parameters").1);
            }
        }
        Ok::<(), Stopped>(())
    })?;
    let staleness = format!("mean {:.2}, {}", outcome.staleness.mean(), outcome.staleness);
    Ok(Shown { values: shared.to_vec(), bytes: 0, staleness })
}

fn main() -> Result<(), Failure> {
    let (mut ranks, mut epochs, mut quick, mut modes) = (4, 6, false, Vec::new());
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next().ok_or(format!("{argument} needs a number"));
        match argument.as_str() {
            "--ranks" => ranks = number()?.parse()?,
            "--epochs" => epochs = number()?.parse()?,
            "--quick" => quick = true,
            mode if MODES.contains(&mode) => modes.push(mode.to_owned()),
            other => return Err(format!("there is no mode {other}; there are {}", MODES.join(", ")).into()),
        }
    }
    if modes.is_empty() {
        modes.extend(MODES.map(str::to_owned));
    }
    let data = Mnist::load()?.normalised();
    println!("digits {}, {ranks} ranks, {epochs} epochs, batches of {BATCH} a worker", data.origin);
    let train = if quick { data.train.take(3000)? } else { data.train };
    println!("mode          accuracy  seconds  images/s  MB sent by a rank  staleness");
    for mode in &modes {
        let begun = Instant::now();
        let run = |communicator: Rc<dyn Communicator>| match mode.as_str() {
            mode if mode.starts_with("server") => server(&*communicator, mode, &train, epochs),
            mode => local(&*communicator, mode, &train, epochs),
        };
        let shown = match mode.as_str() {
            "hogwild" => without_locks(ranks, &train, epochs)?,
            _ => threads::run(ranks, run)?.swap_remove(0),
        };
        let seconds = begun.elapsed().as_secs_f64();
        let (mut params, model) = Mlp::build();
        params.set_values(&shown.values);
        let reached = 100.0 * accuracy(&model, &params, &data.test);
        let throughput = epochs as f64 * train.len() as f64 / seconds;
        let sent = shown.bytes as f64 / 1e6;
        println!(
            "{mode:<13} {reached:>7.2}% {seconds:>8.1} {throughput:>9.0} {sent:>18.1}  {}",
            shown.staleness
        );
    }
    Ok(())
}

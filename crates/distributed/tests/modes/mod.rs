//! Parameter servers, local steps, elastic averaging and gossip, by ranks that are processes.

#[path = "../distributed/asynchronous/common.rs"]
mod common;
#[path = "../distributed/asynchronous/methods.rs"]
mod methods;
#[path = "../distributed/asynchronous/serving.rs"]
mod serving;

use std::time::Duration;

use wengert_data::synthetic;
use wengert_distributed::compress::Compression;
use wengert_distributed::server::{Consistency, ParameterServer, ServerSettings};
use wengert_distributed::{Buffer, Communicated, Communicator, Failure, Reduction, threads};
use wengert_nn::Params;
use wengert_optim::{Adam, Sgd};

use super::{Ranks, faults, play, text};
use crate::processes::{has_mpirun, kill};
use common::{Net, bits, reached, serial};
use methods::method;
use serving::{epochs, settings, trained};

/// Plays a scenario that is to come to its end.
fn ends_well(size: usize, scenario: &str) {
    if has_mpirun() {
        let output = play(size, scenario);
        assert!(output.status.success(), "{scenario} on {size} ranks: {}", text(&output));
    }
}

/// Whether the numbers of all ranks have the same bits.
fn alike(ranks: &dyn Communicator, own: &[u32]) -> Communicated<bool> {
    let mut first: Vec<u64> = own.iter().map(|&bits| bits.into()).collect();
    ranks.broadcast(Buffer::U64(&mut first), 0)?;
    let mut same = [u64::from(first.iter().zip(own).all(|(first, own)| *first == u64::from(*own)))];
    ranks.all_reduce(Buffer::U64(&mut same), Reduction::Min)?;
    Ok(same == [1])
}

pub(super) fn averages(ranks: &Ranks) -> Result<(), Failure> {
    let data = synthetic::digits(600, 1);
    // Two learn; more than the machine has cores, which wait for each other long, are only to agree.
    let learns = ranks.size() == 2;
    let epochs = if learns { 10 } else { 2 };
    for name in ["local", "diloco", "elastic", "gossip"] {
        let params = method(&**ranks, name, &data, epochs)?;
        assert!(alike(&**ranks, &bits(&params))?, "{name}");
        if ranks.rank() > 0 {
            continue;
        }
        let found = reached(&params, &data);
        assert!(found > 0.85 || !learns, "{name}: {found}");
        // The sum of two numbers does not depend on their order, which the transport chooses.
        if learns {
            let threads = threads::run(2, |ranks| Ok(bits(&method(&*ranks, name, &data, epochs)?)))?;
            assert!(threads[0] == bits(&params), "{name}");
        }
    }
    Ok(())
}

#[test]
fn ranks_that_meet_now_and_then_end_with_the_same_parameters() {
    for size in [2, 4, 7] {
        ends_well(size, "averages");
    }
}

pub(super) fn servers(ranks: &Ranks) -> Result<(), Failure> {
    let data = synthetic::digits(600, 1);
    let bounded = Consistency::Bounded { staleness: 1 };
    let learns = ranks.size() == 2;
    let epochs = if learns { 6 } else { 2 };
    for consistency in [Consistency::Synchronous, Consistency::Asynchronous, bounded] {
        for servers in 1..ranks.size().min(3) {
            let workers = (ranks.size() - servers) as u64;
            let server = || ParameterServer::new(settings(servers, consistency), |_| Adam::new(3e-3));
            let (params, served) = trained(&**ranks, &server()?, &data, epochs)?;
            assert!(alike(&**ranks, &params.values().iter().map(|x| x.to_bits()).collect::<Vec<_>>())?);
            let report = &served.report;
            // Each worker has its part of the examples, in batches of 20.
            let pushes = epochs * workers * (600 / workers).div_ceil(20);
            assert_eq!((report.pushes, report.staleness.total()), (pushes, pushes * servers as u64));
            if consistency == bounded {
                assert!(report.lead.max() <= 1, "{}", report.lead);
                assert!(report.staleness.max() <= 3 * (workers - 1), "{}", report.staleness);
            }
            if ranks.rank() > 0 {
                continue;
            }
            let found = reached(&params, &data);
            assert!(found > 0.85 || !learns, "{consistency:?}: {found}");
            if workers == 1 {
                let alone = serial(&data, epochs, Box::new(Adam::new(3e-3)), None);
                assert!(bits(&params) == bits(&alone), "{consistency:?}");
            }
            if consistency == Consistency::Synchronous {
                let run = |ranks: Ranks| Ok(bits(&trained(&*ranks, &server()?, &data, epochs)?.0));
                let threads = threads::run(ranks.size(), run)?;
                assert!(threads[0] == bits(&params), "{servers} servers");
            }
        }
    }
    let compression = Compression::TopK { fraction: 0.05 };
    let settings = ServerSettings { compression, ..settings(1, Consistency::Asynchronous) };
    let (params, _) =
        trained(&**ranks, &ParameterServer::new(settings, |_| Adam::new(3e-3))?, &data, epochs + 2)?;
    let found = reached(&params, &data);
    assert!(ranks.rank() > 0 || !learns || found > 0.8, "{found}");
    Ok(())
}

#[test]
fn servers_are_processes() {
    for size in [2, 4, 5] {
        ends_well(size, "servers");
    }
}

/// Without a pull between them, as fast as they can, by three workers.
pub(super) fn pushes(ranks: &Ranks) -> Result<(), Failure> {
    let counts = [33_334, 33_333, 33_333];
    let server = ParameterServer::new(settings(1, Consistency::Asynchronous), |_| Sgd::new(1.0))?;
    let served = server.run(&**ranks, &[0.0f64; 7], |worker| {
        let mine = -10f64.powi(worker.index() as i32);
        (0..counts[worker.index()]).try_for_each(|_| worker.push(&[mine; 7], 1))
    })?;
    assert_eq!(served.values, [33_334.0 + 333_330.0 + 3_333_300.0; 7]);
    assert_eq!((served.report.updates, served.report.pushes), (100_000, 100_000));
    Ok(())
}

#[test]
fn no_push_of_100_000_from_processes_is_lost() {
    ends_well(4, "pushes");
}

/// Training that would go on for ever, if the given rank did not fail.
pub(super) fn fail(ranks: &Ranks, scenario: &str) -> Result<(), Failure> {
    let words: Vec<&str> = scenario.split_whitespace().collect();
    let &[_, mode, fault, victim] = &words[..] else { return Err(format!("no scenario {scenario}").into()) };
    let victim: usize = victim.parse()?;
    let mut steps = 0;
    let mut step = |rank: usize| {
        steps += 1;
        match (rank == victim && steps == 20, fault) {
            (true, "error") => Err(Failure::from("disk full")),
            (true, "panic") => panic!("index 7"),
            (true, _) => kill(&std::process::id().to_string()),
            _ => Ok(()),
        }
    };
    if mode != "server" {
        return meet_for_ever(&**ranks, mode, step);
    }
    let consistency = Consistency::Bounded { staleness: 0 };
    let server = ParameterServer::new(settings(1, consistency), |_| Sgd::new(1.0))?;
    // A server does nothing of its own that could fail: it is killed from outside.
    if ranks.rank() == victim && victim == ranks.size() - 1 {
        std::thread::spawn(|| {
            std::thread::sleep(Duration::from_millis(300));
            kill(&std::process::id().to_string()).unwrap();
        });
    }
    let endless = server.run(&**ranks, &[0.0f64; 3], |worker| {
        loop {
            worker.pull_range(0..3, &mut [0.0; 3])?;
            step(worker.index())?;
            worker.push(&[1.0; 3], 1)?;
        }
    });
    endless.map(|_: wengert_distributed::server::Served<(), f64>| ())
}

/// Meetings after every step.
fn meet_for_ever(
    ranks: &dyn Communicator,
    mode: &str,
    mut step: impl FnMut(usize) -> Result<(), Failure>,
) -> Result<(), Failure> {
    use wengert_distributed::local::{ElasticAveraging, Gossip, LocalSgd};
    let mut params: Params = Net::build().0;
    let mut local = LocalSgd::new(ranks, &params, 1)?;
    let mut elastic = ElasticAveraging::new(ranks, &params, 1, 0.9)?;
    let mut gossip = Gossip::new(ranks, 1, 0)?;
    loop {
        step(ranks.rank())?;
        match mode {
            "local" => local.after_step(&mut params)?,
            "elastic" => elastic.after_step(&mut params)?,
            _ => gossip.after_step(&mut params)?,
        };
    }
}

#[test]
fn a_rank_that_fails_in_the_middle_of_training_ends_the_job() {
    for (scenario, message) in [
        ("training server error 1", "disk full"),
        ("training server panic 0", "index 7"),
        ("training server kill 1", "process rank 1"),
        ("training server kill 2", "process rank 2"),
        ("training local error 2", "rank 2 of 3 ends all: disk full"),
        ("training elastic panic 1", "rank 1 of 3 ends all: index 7"),
        ("training gossip kill 0", "process rank 0"),
        ("training gossip error 1", "rank 1 of 3 ends all: disk full"),
    ] {
        if has_mpirun() {
            let output = play(3, scenario);
            let text = text(&output);
            assert!(!output.status.success(), "{scenario}: {text}");
            assert!(text.contains(message), "{scenario}: {text}");
        }
    }
}

/// The training of `faults`, in the given way, with the given fault of the given rank.
pub(super) fn fault(ranks: &Ranks, scenario: &str) -> Result<(), Failure> {
    let words: Vec<&str> = scenario.split_whitespace().collect();
    let &[_, way, fault, victim] = &words[..] else { return Err(format!("no scenario {scenario}").into()) };
    faults::train(ranks, way, fault, victim.parse()?)
}

#[test]
fn a_fault_of_one_rank_ends_the_job_with_its_message() {
    // Every fault in a way, every way with a fault.
    for ((fault, message), way) in faults::FAULTS.into_iter().zip(faults::WAYS.into_iter().cycle().skip(2)) {
        if has_mpirun() {
            let victim = if fault.starts_with("observer") { 0 } else { 2 };
            let output = play(3, &format!("fault {way} {fault} {victim}"));
            let text = text(&output);
            assert!(!output.status.success(), "{fault}, {way}: {text}");
            assert!(text.contains(" of 3 ends all: ") && text.contains(message), "{fault}, {way}: {text}");
        }
    }
}

/// The end of an epoch over MPI: all meet, and what the first worker saves goes on with another number of ranks.
#[test]
fn a_checkpoint_of_processes_goes_on_in_threads() {
    ends_well(3, "checkpoint");
}

pub(super) fn checkpoint(ranks: &Ranks) -> Result<(), Failure> {
    let data = synthetic::digits(90, 0);
    let server = || ParameterServer::new(settings(2, Consistency::Synchronous), |_| Adam::new(3e-3));
    let (mut params, net) = Net::build();
    let start = params.values().to_vec();
    let served = server()?.run(&**ranks, &start, |worker| {
        epochs(worker, (&mut params, &net), &data, 0..2)?;
        worker.checkpoint(&mut params)
    })?;
    let Some(state) = served.result else { return Ok(()) };
    let model = params.state();
    let rest = threads::run(1, |ranks| {
        let (mut params, net) = Net::build();
        params.load_state(&model)?;
        let start = params.values().to_vec();
        server()?
            .resume(state.clone())
            .run(&*ranks, &start, |worker| epochs(worker, (&mut params, &net), &data, 2..3))?;
        Ok::<_, Failure>(bits(&params))
    })?;
    // One worker and two servers are a serial program.
    assert!(rest[0] == bits(&serial(&data, 3, Box::new(Adam::new(3e-3)), None)));
    Ok(())
}

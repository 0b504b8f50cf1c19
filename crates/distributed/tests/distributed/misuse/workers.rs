//! Workers of a parameter server, and ranks that meet now and then, with models that are not those they began with.

use wengert_distributed::local::{ElasticAveraging, Gossip, LocalSgd};
use wengert_distributed::server::{ParameterServer, ServerError, ServerSettings, Worker};
use wengert_distributed::{Communicator, Failure, Single, threads};
use wengert_optim::Sgd;
use wengert_optim::schedule::Exponential;

use super::says;
use super::vectors::{gradient, model};

/// Runs `work` on the worker of a rank alone, and on one beside a server, with three parameters.
fn on_workers(work: impl Fn(&mut Worker<'_, f64>) + Sync) {
    let settings = || ServerSettings { cuts: vec![1], ..Default::default() };
    let serve = |ranks: &dyn Communicator| -> Result<(), Failure> {
        let server = ParameterServer::new(settings(), |_| Sgd::new(0.1))?;
        let served = server.run(ranks, &[0.0; 3], |worker| {
            work(worker);
            Ok::<(), ServerError>(())
        })?;
        assert_eq!((served.report.pushes, served.values), (0, vec![0.0; 3]));
        Ok(())
    };
    serve(&Single::new()).unwrap();
    threads::run(2, |ranks| serve(&*ranks)).unwrap();
}

#[test]
fn models_and_gradients_of_other_lengths() {
    on_workers(|worker| {
        let parameters = |operation: &str| format!("{operation}: 2 parameters, but the servers have 3");
        says(&parameters("pull"), || drop(worker.pull(&mut model(2))));
        says(&parameters("meet"), || drop(worker.meet(&mut model(2))));
        says(&parameters("checkpoint"), || drop(worker.checkpoint(&mut model(2))));
        says("pull_range: 2 parameters for 3 elements", || drop(worker.pull_range(1..3, &mut [0.0; 3])));
        says("push: a gradient of 2 for 3 parameters", || drop(worker.push(&[0.0; 2], 1)));
        says("push_range: a gradient of 3 for 2 parameters", || drop(worker.push_range(1..3, &[0.0; 3], 1)));
        says("update: a gradient of 2 for 3 parameters", || {
            drop(worker.update(&mut model(3), &gradient(2), 1));
        });
        says("update: 2 parameters, but the servers have 3", || {
            drop(worker.update(&mut model(2), &gradient(3), 1));
        });
    });
}

#[test]
fn ranges_that_there_are_not() {
    on_workers(|worker| {
        let none = |start, end| ServerError::Range { start, end, len: 3 }.to_string();
        let mut room = [0.0; 3];
        #[allow(clippy::reversed_empty_ranges)] // that is the misuse
        for (start, end, range) in
            [(1, 4, 1..4), (usize::MAX - 2, usize::MAX, usize::MAX - 2..usize::MAX), (3, 1, 3..1)]
        {
            let length = range.len();
            let pulled = worker.pull_range(range.clone(), &mut room[..length]);
            assert_eq!(pulled.unwrap_err().to_string(), none(start, end));
            let pushed = worker.push_range(range, &room[..length], 1);
            assert_eq!(pushed.unwrap_err().to_string(), none(start, end));
        }
        // Not at the cut.
        assert!(matches!(worker.push_range(0..2, &[1.0; 2], 1), Err(ServerError::Range { .. })));
        let infinite = worker.push_range(1..3, &[1.0, f64::INFINITY], 1).unwrap_err();
        assert!(matches!(infinite, ServerError::NonFinite { index: 2, .. }), "{infinite}");
        // What is empty is there.
        worker.pull_range(3..3, &mut []).unwrap();
    });
}

#[test]
fn ranks_that_meet_have_the_model_they_began_with() {
    let ranks = Single::new();
    let parameters = |operation: &str| format!("{operation}: 2 parameters, but the training began with 3");
    let mut local = LocalSgd::new(&ranks, &model(3), 1).unwrap();
    says(&parameters("after_step"), || drop(local.after_step(&mut model(2))));
    says(&parameters("finish"), || drop(local.finish(&mut model(2))));
    let mut elastic = ElasticAveraging::new(&ranks, &model(3), 1, 0.5).unwrap();
    says(&parameters("after_step"), || drop(elastic.after_step(&mut model(2))));
    says(&parameters("finish"), || drop(elastic.finish(&mut model(2))));
    assert_eq!(elastic.centre(), [1.0; 3]);
}

/// What two ranks say that meet with these.
pub(crate) fn differ(work: impl Fn(&dyn Communicator, usize) -> Result<(), Failure> + Sync) -> String {
    threads::run(2, |ranks| work(&*ranks, ranks.rank())).unwrap_err().message
}

fn local(ranks: &dyn Communicator, count: usize, every: u64, outer: Option<f64>) -> Result<(), Failure> {
    let mut params = model(count);
    let mut local = LocalSgd::new(ranks, &params, every)?;
    if let Some(rate) = outer {
        local = local.outer(Sgd::new(rate));
    }
    local.finish(&mut params)?;
    Ok(())
}

#[test]
fn ranks_that_meet_and_are_not_alike() {
    let says = |expected: &str, message: String| {
        assert_eq!(message, format!("{expected}; all ranks need the same program, settings and data"));
    };
    says(
        "local_sgd: rank 1 differs from rank 0 in number of parameters: 4, not 3",
        differ(|ranks, rank| local(ranks, 3 + rank, 1, None)),
    );
    says(
        "local_sgd: rank 1 differs from rank 0 in number of steps between meetings: 3, not 2",
        differ(|ranks, rank| local(ranks, 3, 2 + rank as u64, None)),
    );
    says(
        "local_sgd: rank 1 differs from rank 0 in outer optimizer: sgd, not none",
        differ(|ranks, rank| local(ranks, 3, 1, [None, Some(0.5)][rank])),
    );
    says(
        "local_sgd: rank 1 differs from rank 0 in rate of the outer optimizer: 0.7, not 0.5",
        differ(|ranks, rank| local(ranks, 3, 1, [Some(0.5), Some(0.7)][rank])),
    );
    let astray = differ(|ranks, rank| {
        let mut params = model(3);
        params.values_mut()[0] = rank as f64;
        LocalSgd::new(ranks, &params, 1)?.after_step(&mut params)?;
        Ok(())
    });
    assert!(astray.contains("in parameters at the start: fingerprint"), "{astray}");
    let elastic = |ranks: &dyn Communicator, count, every, moving| -> Result<(), Failure> {
        let mut params = model(count);
        ElasticAveraging::new(ranks, &params, every, moving)?.finish(&mut params)?;
        Ok(())
    };
    says(
        "elastic_averaging: rank 1 differs from rank 0 in number of parameters: 4, not 3",
        differ(|ranks, rank| elastic(ranks, 3 + rank, 1, 0.5)),
    );
    says(
        "elastic_averaging: rank 1 differs from rank 0 in part of the way to the centre: 0.5, not 0.25",
        differ(|ranks, rank| elastic(ranks, 3, 1, 0.5 + 0.5 * rank as f64)),
    );
    let gossip = |ranks: &dyn Communicator, count, seed| -> Result<(), Failure> {
        Gossip::new(ranks, 1, seed)?.after_step(&mut model(count))?;
        Ok(())
    };
    says(
        "gossip: rank 1 differs from rank 0 in number of parameters: 4, not 3",
        differ(|ranks, rank| gossip(ranks, 3 + rank, 0)),
    );
    says(
        "gossip: rank 1 differs from rank 0 in seed: 1, not 0",
        differ(|ranks, rank| gossip(ranks, 3, rank as u64)),
    );
}

#[test]
fn servers_and_workers_that_are_not_alike() {
    let serve = |ranks: &dyn Communicator,
                 settings: ServerSettings,
                 rate: f64,
                 count: usize,
                 schedule: Option<f64>| {
        let mut server = ParameterServer::new(settings, |_| Sgd::new(rate))?;
        if let Some(decay) = schedule {
            server = server.schedule(Exponential::new(1.0, decay));
        }
        server.run(ranks, &vec![0.0f32; count], |_| Ok::<(), ServerError>(()))?;
        Ok::<(), Failure>(())
    };
    let plain = ServerSettings::default;
    let says = |expected: &str, message: String| {
        let start = format!("parameter_server: rank 1 differs from rank 0 in {expected}");
        assert!(message.starts_with(&start), "{message}");
    };
    says("number of parameters: 4, not 3", differ(|ranks, rank| serve(ranks, plain(), 0.1, 3 + rank, None)));
    says(
        "learning rate: 1.1, not 0.1",
        differ(|ranks, rank| serve(ranks, plain(), 0.1 + rank as f64, 3, None)),
    );
    says("schedule: ", differ(|ranks, rank| serve(ranks, plain(), 0.1, 3, Some(0.9 - 0.1 * rank as f64))));
    says("schedule: ", differ(|ranks, rank| serve(ranks, plain(), 0.1, 3, [None, Some(0.9)][rank])));
    says(
        "settings: ",
        differ(|ranks, rank| serve(ranks, ServerSettings { cuts: vec![1 + rank], ..plain() }, 0.1, 3, None)),
    );
    let resumed = differ(|ranks, rank| {
        let mut server = ParameterServer::new(plain(), |_| Sgd::new(0.1))?;
        if rank == 0 {
            server = server.resume(wengert_state::State::new("parameter_server", 3));
        }
        server.run(ranks, &[0.0f32; 3], |_| Ok::<(), ServerError>(()))?;
        Ok(())
    });
    says("state to go on from: ", resumed);
}

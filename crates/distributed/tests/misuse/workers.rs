//! Workers of a parameter server, and ranks that meet now and then, with models that are not those they began with.

use wengert_distributed::local::{ElasticAveraging, Gossip, LocalSgd};
use wengert_distributed::server::{ParameterServer, ServerError, ServerSettings, Worker};
use wengert_distributed::{Single, threads};
use wengert_optim::Sgd;

use crate::says;
use crate::vectors::{gradient, model};

/// Runs `work` on the worker of a rank alone, and on one beside a server, with three parameters.
fn on_workers(work: impl Fn(&mut Worker<'_, f64>) + Sync) {
    let settings = || ServerSettings { cuts: vec![1], ..Default::default() };
    let server = ParameterServer::new(settings(), |_| Sgd::new(0.1)).unwrap();
    let run = |ranks: &dyn wengert_distributed::Communicator| {
        server.run(ranks, &[0.0; 3], |worker| Ok::<(), ServerError>(work(worker))).unwrap().report.pushes
    };
    assert_eq!(run(&Single::new()), 0);
    threads::run(2, |ranks| {
        let server = ParameterServer::new(settings(), |_| Sgd::new(0.1))?;
        let served = server.run(&*ranks, &[0.0; 3], |worker| Ok::<(), ServerError>(work(worker)))?;
        assert_eq!((served.report.pushes, served.values), (0, vec![0.0; 3]));
        Ok(())
    })
    .unwrap();
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

/// Ranks whose models differ are told so by the first communication, in words.
#[test]
fn ranks_that_meet_with_other_models() {
    let message = threads::run(2, |ranks| {
        let mut params = model(3 + ranks.rank());
        let mut gossip = Gossip::new(&*ranks, 1, 0).unwrap();
        gossip.after_step(&mut params)?;
        Ok(())
    });
    let message = message.unwrap_err().message;
    assert!(message.contains("elements of f64 were sent, and there is room for"), "{message}");
    let message = threads::run(2, |ranks| {
        let mut params = model(3 + ranks.rank());
        LocalSgd::new(&*ranks, &params, 1)?.after_step(&mut params)?;
        Ok(())
    });
    let message = message.unwrap_err().message;
    assert!(message.contains("all_reduce (Sum) of 3 f64") && message.contains("of 4 f64"), "{message}");
}

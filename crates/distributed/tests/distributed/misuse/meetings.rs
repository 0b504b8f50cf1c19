//! What ranks bring to a meeting, or a worker to its server, that would be everybody's loss: other models, and numbers that are not finite.

use wengert_distributed::local::{ElasticAveraging, Gossip, LocalSgd};
use wengert_distributed::server::{Consistency, ParameterServer, ServerError, ServerSettings};
use wengert_distributed::{Communicator, CommunicatorError, Failure, Single, threads};
use wengert_nn::{BatchNorm1d, Linear, Params};
use wengert_optim::Sgd;

use super::vectors::model;
use super::workers::differ;

/// Steps of all ways to meet now and then.
type Meets = fn(&dyn Communicator, &mut Params<f64>, &mut dyn FnMut(&mut Params<f64>)) -> Result<(), Failure>;

const METHODS: [(&str, Meets); 4] = [
    ("local_sgd", |ranks, params, step| {
        let mut local = LocalSgd::new(ranks, params, 1)?;
        step(params);
        local.after_step(params)?;
        Ok(())
    }),
    ("elastic_averaging", |ranks, params, step| {
        let mut elastic = ElasticAveraging::new(ranks, params, 1, 0.5)?;
        step(params);
        elastic.after_step(params)?;
        Ok(())
    }),
    ("gossip", |ranks, params, step| {
        let mut gossip = Gossip::new(ranks, 1, 0)?;
        step(params);
        gossip.after_step(params)?;
        Ok(())
    }),
    ("gossip", |ranks, params, step| {
        let mut gossip = Gossip::new(ranks, 7, 0)?;
        step(params);
        Ok(gossip.finish(params)?)
    }),
];

/// A model of twelve parameters, in which one of two ranks has statistics of its own.
fn with_statistics(of_rank: usize) -> Params<f64> {
    let mut params: Params<f64> = Params::seeded(0);
    Linear::new(params.at("line"), 2, 2);
    let builder = BatchNorm1d::builder(3);
    let builder = if of_rank == 0 { builder } else { builder.no_running_statistics() };
    builder.build(params.at("norm"));
    params
}

/// Over MPI one rank would wait for statistics that the other does not send.
#[test]
fn models_with_other_statistics_or_shapes_do_not_meet() {
    for (name, meets) in &METHODS[..3] {
        let message = differ(|ranks, rank| meets(ranks, &mut with_statistics(rank), &mut |_| ()));
        let expected = format!(
            "{name}: rank 1 differs from rank 0 in shape of the buffer `norm.running_mean`: nothing, not [3]"
        );
        assert!(message.starts_with(&expected), "{message}");
        // As many parameters, all of the same value.
        let message = differ(|ranks, rank| {
            let mut params: Params<f64> = Params::seeded(0);
            params.root().param("x", [[2, 3], [3, 2]][rank], wengert_nn::Init::Ones);
            meets(ranks, &mut params, &mut |_| ())
        });
        assert!(message.contains("in shape of the parameter `x`: [3, 2], not [2, 3]"), "{name}: {message}");
    }
}

#[test]
fn workers_with_other_statistics_do_not_meet() {
    for servers in [1, 2] {
        let found = threads::run(2 + servers, |ranks| {
            let mut params = with_statistics(ranks.rank());
            let settings = ServerSettings { servers, ..Default::default() };
            let server = ParameterServer::new(settings, |_| Sgd::new(0.1))?;
            let start = params.values().to_vec();
            let outcome = server.run(&*ranks, &start, |worker| worker.meet(&mut params));
            Ok(outcome.unwrap_err().to_string())
        });
        let reason = "meet: worker 1 has 0 numbers and 0 counts of running statistics, worker 0 6 and 1";
        // The other servers, which are not told of statistics, are told that the workers have failed.
        for (rank, message) in found.unwrap().iter().enumerate() {
            assert!(message.contains(reason), "rank {rank} of {servers} servers: {message}");
        }
    }
}

#[test]
fn what_is_not_finite_on_one_rank_stays_there() {
    for (number, (name, meets)) in METHODS.iter().enumerate() {
        for astray in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            // Means of all are refused where a rank has NaN; where it has infinity, only if that is new.
            if number == 3 && !astray.is_nan() {
                continue;
            }
            let found = threads::run(2, |ranks| {
                let rank = ranks.rank();
                let mut params = model(3);
                let mut step = |params: &mut Params<f64>| {
                    if rank == 1 {
                        params.values_mut()[2] = astray;
                    }
                };
                let error = meets(&*ranks, &mut params, &mut step).unwrap_err();
                Ok((error.downcast::<CommunicatorError>().ok(), params.values().to_vec()))
            })
            .unwrap();
            for (error, _) in &found {
                let expected = CommunicatorError::NonFinite { operation: name, rank: 1 };
                assert_eq!(error.as_deref(), Some(&expected), "{name}, {astray}");
            }
            assert_eq!(found[0].1, [1.0; 3], "{name}, {astray}");
        }
    }
}

/// What is infinite from the beginning, as a mask, is no reason to end.
#[test]
fn what_was_infinite_before_may_stay() {
    for (name, meets) in METHODS {
        let found = threads::run(3, |ranks| {
            let mut params = model(3);
            params.values_mut()[0] = f64::NEG_INFINITY;
            for _ in 0..2 {
                meets(&*ranks, &mut params, &mut |params| params.values_mut()[1] += 1.0)?;
            }
            Ok(params.values().to_vec())
        });
        for values in found.unwrap() {
            assert!(
                values[0] == f64::NEG_INFINITY && values[1..].iter().all(|x| x.is_finite()),
                "{name}: {values:?}"
            );
        }
    }
}

#[test]
fn cuts_behind_the_parameters() {
    let settings = |consistency| ServerSettings { consistency, cuts: vec![1, 5], ..Default::default() };
    let serve = |ranks: &dyn Communicator, len: usize| {
        let server = ParameterServer::new(settings(Consistency::Asynchronous), |_| Sgd::new(0.1))?;
        server.run(ranks, &vec![0.0f64; len], |worker| worker.push_range(1..5, &[1.0; 4], 1)).map(drop)
    };
    for len in [3, 4] {
        let expected = format!("a cut at 5, where there are {len} parameters");
        let alone = serve(&Single::new(), len).unwrap_err();
        assert!(matches!(alone, ServerError::Cut { cut: 5, .. }) && alone.to_string() == expected, "{alone}");
        let together = threads::run(3, |ranks| Ok(serve(&*ranks, len).unwrap_err().to_string()));
        assert_eq!(together.unwrap(), vec![expected; 3]);
    }
    // At the end it is one, and no block is behind it.
    serve(&Single::new(), 5).unwrap();
    threads::run(3, |ranks| Ok(serve(&*ranks, 5)?)).unwrap();
}

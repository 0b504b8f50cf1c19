//! The parameter server.

use wengert_data::synthetic;
use wengert_distributed::compress::Compression;
use wengert_distributed::server::{Consistency, ParameterServer, ServerError, ServerSettings};
use wengert_distributed::{Communicator, Failure, threads};
use wengert_nn::Params;
use wengert_optim::first::{by_name, methods};
use wengert_optim::schedule::{Cosine, Schedule};
use wengert_optim::{Layout, Sgd};
use wengert_state::State;

use super::common::{Net, bits, reached, serial};
use super::serving::{epochs, settings, trained};

const MODES: [Consistency; 3] =
    [Consistency::Synchronous, Consistency::Asynchronous, Consistency::Bounded { staleness: 1 }];

#[test]
fn one_worker_gives_the_bits_of_the_serial_program() {
    let data = synthetic::digits(90, 0);
    for name in ["adam", "schedule_free_adamw", "nesterov", "lion"] {
        let build = |len| by_name::<f32>(name, None, &Layout::flat(len)).unwrap();
        let reference = bits(&serial(&data, 2, build(Net::build().0.len()), None));
        for (ranks, servers) in [(1, 1), (2, 1), (4, 3)] {
            for mode in MODES {
                let server = || ParameterServer::new(settings(servers, mode), build).unwrap();
                let run = |ranks: std::rc::Rc<dyn Communicator>| {
                    Ok(bits(&trained(&*ranks, &server(), &data, 2)?.0))
                };
                let found = threads::run(ranks, run).unwrap();
                assert!(found[0] == reference, "{name}, {ranks} ranks, {mode:?}");
            }
        }
    }
}

#[test]
fn the_schedule_goes_by_the_steps_of_the_server() {
    let data = synthetic::digits(90, 0);
    let schedule = || Cosine::new(0.1, 10);
    let reference = bits(&serial(&data, 2, Box::new(Sgd::new(0.5)), Some(&|step| schedule().at(step))));
    for ranks in [1, 3] {
        let found = threads::run(ranks, |communicator| {
            let settings = settings(ranks.saturating_sub(1).max(1), Consistency::Asynchronous);
            let server = ParameterServer::new(settings, |_| Sgd::new(0.5))?.schedule(schedule());
            Ok(bits(&trained(&*communicator, &server, &data, 2)?.0))
        });
        assert!(found.unwrap()[0] == reference, "{ranks} ranks");
    }
}

#[test]
fn the_synchronous_server_repeats_its_bits_and_all_modes_learn() {
    let data = synthetic::digits(600, 1);
    for mode in MODES {
        let run = || {
            threads::run(4, |ranks| {
                let server = ParameterServer::new(settings(1, mode), |len| {
                    by_name::<f32>("adam", Some(3e-3), &Layout::flat(len)).unwrap()
                })?;
                let (params, served) = trained(&*ranks, &server, &data, 9)?;
                Ok((bits(&params), reached(&params, &data), served.report))
            })
            .unwrap()
        };
        let (first, second) = (run(), run());
        let (values, reached, report) = &first[0];
        assert!(*reached > 0.9, "{mode:?}: {reached}");
        assert_eq!((report.pushes, report.staleness.total()), (270, 270), "{mode:?}");
        assert!(first.iter().all(|(_, _, other)| other == report));
        match mode {
            Consistency::Synchronous => {
                assert!(*values == second[0].0);
                assert_eq!((report.updates, report.staleness.max()), (90, 0));
            }
            Consistency::Bounded { staleness } => {
                assert!(report.lead.max() <= staleness, "{}", report.lead);
                // Each of two others makes at most 2s + 1 updates between a pull and its push.
                assert!(report.staleness.max() <= 2 * (2 * staleness + 1), "{}", report.staleness);
            }
            _ => assert_eq!(report.updates, 270),
        }
    }
}

#[test]
fn workers_with_unequal_work_wait_for_each_other_within_the_bound() {
    for staleness in [0, 1, 3] {
        let reports = threads::run(4, |ranks| {
            let server =
                ParameterServer::new(settings(1, Consistency::Bounded { staleness }), |_| Sgd::new(1.0))?;
            let served = server.run(&*ranks, &[0.0f64; 5], |worker| {
                // The last worker is slow, and the first has most to do.
                for _ in 0..[200, 50, 30][worker.index()] {
                    let mut x = [0.0; 5];
                    worker.pull_range(0..5, &mut x)?;
                    if worker.index() == 2 {
                        std::thread::sleep(std::time::Duration::from_micros(300));
                    }
                    worker.push(&[-1.0; 5], 1)?;
                }
                Ok::<(), ServerError>(())
            })?;
            Ok((served.values, served.report))
        });
        for (values, report) in reports.unwrap() {
            assert_eq!(values, [280.0; 5]);
            assert!(report.lead.max() <= staleness, "{}", report.lead);
        }
    }
}

/// Without a pull between them, as fast as they can.
#[test]
fn no_push_of_100_000_is_lost() {
    let counts = [33_334, 33_333, 33_333];
    let outcomes = threads::run(5, |ranks| {
        let server = ParameterServer::new(settings(2, Consistency::Asynchronous), |_| Sgd::new(1.0))?;
        let served = server.run(&*ranks, &[0.0f64; 7], |worker| {
            for _ in 0..counts[worker.index()] {
                let mine = -10f64.powi(worker.index() as i32);
                worker.push(&[mine; 7], 1)?;
            }
            Ok::<(), ServerError>(())
        })?;
        Ok((served.values, served.report))
    });
    for (values, report) in outcomes.unwrap() {
        assert_eq!(values, [33_334.0 + 333_330.0 + 3_333_300.0; 7]);
        assert_eq!((report.updates, report.pushes, report.staleness.total()), (100_000, 100_000, 200_000));
    }
}

#[test]
fn the_mean_is_weighted_by_examples() {
    let values = threads::run(3, |ranks| {
        let server = ParameterServer::new(settings(1, Consistency::Synchronous), |_| Sgd::new(1.0))?;
        let served = server.run(&*ranks, &[0.0f64], |worker| {
            // 30 examples with a gradient of 1 and 10 with one of 5; then the second has ended.
            let (gradient, examples) = [(1.0, 30), (5.0, 10)][worker.index()];
            worker.push(&[gradient], examples)?;
            if worker.index() == 0 {
                worker.push(&[gradient], examples)?;
            }
            Ok::<(), ServerError>(())
        })?;
        Ok(served.values[0])
    });
    assert_eq!(values.unwrap(), [-3.0; 3]);
}

#[test]
fn an_old_gradient_makes_a_smaller_step() {
    let values = threads::run(3, |ranks| {
        let settings = ServerSettings { staleness_power: 1.0, ..settings(1, Consistency::Asynchronous) };
        let server = ParameterServer::new(settings, |_| Sgd::new(1.0))?;
        let served = server.run(&*ranks, &[0.0f64], |worker| {
            let mut x = [0.0];
            let mut empty: Params<f64> = Params::seeded(0);
            empty.root().param("x", [1], wengert_nn::Init::Zeros);
            worker.pull_range(0..1, &mut x)?;
            worker.meet(&mut empty)?;
            if worker.index() == 0 {
                worker.push(&[1.0], 1)?;
            }
            worker.meet(&mut empty)?;
            if worker.index() == 1 {
                // Of the start, one update ago: half a step.
                worker.push(&[1.0], 1)?;
            }
            Ok::<(), ServerError>(())
        })?;
        Ok((served.values[0], served.report.staleness.counts()[..2].to_vec()))
    });
    assert_eq!(values.unwrap(), vec![(-1.5, vec![1, 1]); 3]);
}

#[test]
fn ranges_have_steps_of_their_own() {
    let outcome = threads::run(3, |ranks| {
        // The cut at 4 is within the part of the first server (0..5).
        let settings = ServerSettings { cuts: vec![4], ..settings(2, Consistency::Asynchronous) };
        let server = ParameterServer::new(settings, |len| {
            by_name::<f64>("adam", Some(0.5), &Layout::flat(len)).unwrap()
        })?;
        let served = server.run(&*ranks, &[0.0; 10], |worker| {
            worker.push_range(0..4, &[1.0; 4], 1)?;
            worker.push_range(4..10, &[1.0; 6], 1)?;
            worker.push_range(4..10, &[1.0; 6], 1)?;
            let mut some = [0.0; 3];
            worker.pull_range(3..6, &mut some)?;
            let refused = worker.push_range(3..10, &[1.0; 7], 1).unwrap_err();
            Ok::<_, ServerError>((some, refused.to_string()))
        })?;
        Ok((served.result, served.values))
    });
    let (result, values) = outcome.unwrap().swap_remove(0);
    let (some, refused) = result.unwrap();
    // Steps of Adam with a constant gradient are the rate.
    let near = |x: f64, y: f64| (x - y).abs() < 1e-6;
    assert!(near(some[0], -0.5) && near(some[1], -1.0) && some == values[3..6], "{some:?} {values:?}");
    assert_eq!(refused, "3..10 of 10 parameters does not begin and end at a cut");
}

#[test]
fn training_goes_on_from_a_checkpoint_with_another_number_of_servers() {
    let data = synthetic::digits(90, 0);
    let build = |len| by_name::<f32>("adam", None, &Layout::flat(len)).unwrap();
    let reference = bits(&serial(&data, 4, build(Net::build().0.len()), None));
    let server = |servers| ParameterServer::new(settings(servers, Consistency::Asynchronous), build).unwrap();
    // One worker and three servers for two epochs, one server then, and none at last.
    let first = threads::run(4, |ranks| {
        let (mut params, net) = Net::build();
        let start = params.values().to_vec();
        let served = server(3).run(&*ranks, &start, |worker| {
            epochs(worker, (&mut params, &net), &data, 0..2)?;
            worker.checkpoint(&mut params)
        })?;
        Ok((served.result, params.state()))
    });
    let (state, model) = first.unwrap().swap_remove(0);
    let text = serde_json::to_string(&state.unwrap()).unwrap();
    let goes_on = |ranks: usize, text: &str, model: &State, from: std::ops::Range<u64>| {
        let outcome = threads::run(ranks, |ranks| {
            let (mut params, net) = Net::build();
            params.load_state(model).unwrap();
            let start = params.values().to_vec();
            let server = server(1).resume(serde_json::from_str(text).unwrap());
            let served = server.run(&*ranks, &start, |worker| {
                epochs(worker, (&mut params, &net), &data, from.clone())?;
                worker.checkpoint(&mut params)
            })?;
            Ok((served.result, params.state(), bits(&params), served.report))
        });
        outcome.unwrap().swap_remove(0)
    };
    let (state, model, _, _) = goes_on(2, &text, &model, 2..3);
    let (_, _, found, report) = goes_on(1, &serde_json::to_string(&state.unwrap()).unwrap(), &model, 3..4);
    assert!(found == reference);
    assert_eq!((report.updates, report.pushes), (20, 5));
}

#[test]
fn failures_end_all_ranks_with_the_reason() {
    // A worker's error, a panic, a gradient that is not finite, on the way of others that would wait for ever.
    let run = |fault: usize| {
        threads::run(4, |ranks| {
            let server =
                ParameterServer::new(settings(1, Consistency::Bounded { staleness: 0 }), |_| Sgd::new(1.0))?;
            server.run(&*ranks, &[0.0f64; 3], |worker| {
                for step in 0.. {
                    let mut x = [0.0; 3];
                    worker.pull_range(0..3, &mut x)?;
                    match (worker.index() == 1 && step == 20, fault) {
                        (true, 0) => return Err(Failure::from("no data")),
                        (true, 1) => panic!("out of luck"),
                        (true, _) => worker.push(&[0.0, f64::NAN, 0.0], 1)?,
                        _ => worker.push(&[1.0; 3], 1)?,
                    }
                }
                Ok::<(), Failure>(())
            })?;
            Ok(())
        })
        .unwrap_err()
        .message
    };
    assert!(run(0).contains("no data"), "{}", run(0));
    assert!(run(1).contains("out of luck"), "{}", run(1));
    assert!(run(2).contains("element 1 of the gradient is NaN"), "{}", run(2));
}

#[test]
fn what_makes_no_sense_is_refused() {
    let refused = threads::run(2, |ranks| {
        let server = ParameterServer::new(settings(2, Consistency::Synchronous), |_| Sgd::new(1.0))?;
        let outcome = server.run(&*ranks, &[0.0f64; 3], |_| Ok::<(), ServerError>(()));
        Ok(outcome.unwrap_err().to_string())
    });
    assert_eq!(
        refused.unwrap()[1],
        "2 servers and at least one worker among 2 ranks: start more ranks, or take fewer servers"
    );
    for method in methods::<f32>() {
        let build = |len| method.build(0.1, &Layout::flat(len)).unwrap();
        match ParameterServer::new(ServerSettings::default(), build) {
            Ok(_) => assert!(wengert_distributed::server::is_elementwise(method.name)),
            Err(error) => assert!(error.to_string().starts_with(method.name), "{error}"),
        }
    }
    let part = threads::run(2, |ranks| {
        let settings = ServerSettings { cuts: vec![1], ..settings(1, Consistency::Synchronous) };
        let server = ParameterServer::new(settings, |_| Sgd::new(1.0))?;
        let served = server.run(&*ranks, &[0.0f64; 3], |worker| {
            Ok::<_, ServerError>(worker.push_range(0..1, &[1.0], 1).unwrap_err().to_string())
        })?;
        Ok(served.result)
    });
    let says = "the synchronous server takes whole gradients, not 0..1 of 3";
    assert_eq!(part.unwrap()[0].as_deref(), Some(says));
}

#[test]
fn compressed_gradients_train_as_well() {
    let data = synthetic::digits(600, 1);
    let mut sent = Vec::new();
    for compression in
        [Compression::None, Compression::Bf16, Compression::F16, Compression::TopK { fraction: 0.05 }]
    {
        let outcome = threads::run(3, |ranks| {
            let settings = ServerSettings { compression, ..settings(1, Consistency::Asynchronous) };
            let server = ParameterServer::new(settings, |len| {
                by_name::<f32>("momentum", Some(0.01), &Layout::flat(len)).unwrap()
            })?;
            let (params, _) = trained(&*ranks, &server, &data, 8)?;
            Ok((reached(&params, &data), ranks.bytes_sent()))
        });
        let (reached, bytes) = outcome.unwrap()[0];
        assert!(reached > 0.9, "{compression:?}: {reached}");
        sent.push(bytes as f64);
    }
    // Half of the bytes, and a twentieth of the elements with a byte or so for each position; beside the gradients there is more.
    assert!((sent[1] / sent[0] - 0.5).abs() < 0.02, "{sent:?}");
    // The names of the two, which ranks compare at the start, have a letter more and less; each passes on those of two ranks.
    assert_eq!(sent[1] - sent[2], 2.0);
    let others = 2.0 * sent[1] - sent[0];
    assert!((sent[3] - others) / (sent[0] - others) < 0.065, "{sent:?}");
}

//! What ranks have to agree on: the program, when to end, who writes, and where to go on.

use std::path::Path;
use std::rc::Rc;

use wengert_data::{Dataset, Features, Source, synthetic};
use wengert_distributed::communicator::Failure;
use wengert_distributed::threads::RankFailed;
use wengert_distributed::{Communicator, DataParallel, agree_on_data, threads};
use wengert_nn::{BatchNorm1d, Ctx, Layer, Linear, Losses, Params};
use wengert_optim::{Adam, EarlyStopping, Sam, Sgd};
use wengert_tape::Var;
use wengert_tensor::Tensor;
use wengert_train::Trainer;
use wengert_train::checkpoint::Checkpoints;
use wengert_train::metric::{Accuracy, Metrics};

use crate::ends::Ends;

type Digits = Dataset<(Features, Tensor<u32>)>;

struct Net(Linear, BatchNorm1d);

impl Net {
    fn new(params: &mut Params) -> Self {
        Net(Linear::new(params.at("out"), 784, 10), BatchNorm1d::new(params.at("norm"), 10))
    }

    fn loss(&self, cx: &Ctx, (images, labels): &(Var, Tensor<u32>)) -> Var {
        self.1.forward(cx, &self.0.forward(cx, images)).cross_entropy(labels)
    }
}

fn on<R: Send>(
    ranks: usize,
    work: impl Fn(Rc<dyn Communicator>, &mut Params, &Digits) -> Result<R, Failure> + Sync,
) -> Result<Vec<R>, RankFailed> {
    threads::run(ranks, |communicator| work(communicator, &mut Params::seeded(0), &synthetic::digits(96, 0)))
}

fn refused(
    work: impl Fn(Rc<dyn Communicator>, &mut Params, &Digits) -> Result<(), Failure> + Sync,
) -> String {
    on(2, work).unwrap_err().message
}

#[test]
fn another_model_is_refused_with_what_differs_and_the_rank() {
    let message = refused(|ranks, params, data| {
        let model = Linear::new(params.at("out"), 784, 10 + ranks.rank());
        Trainer::new(params, Sgd::new(0.1)).parallel(DataParallel::new(ranks)).fit(
            data,
            1,
            |cx, (images, labels)| model.forward(cx, images).cross_entropy(labels),
        )?;
        Ok(())
    });
    assert!(message.contains("worker 1 differs from worker 0 in "), "{message}");
    assert!(message.contains("parameters: 8635, not 7850"), "{message}");
}

#[test]
fn other_settings_seeds_and_data_are_refused() {
    let refused = |rate: fn(usize) -> f64, seed: fn(usize) -> u64, examples: fn(usize) -> usize| {
        let error = threads::run(2, |ranks| {
            let rank = ranks.rank();
            let mut params: Params = Params::seeded(seed(rank));
            let net = Net::new(&mut params);
            Trainer::new(&mut params, Sgd::new(rate(rank))).parallel(DataParallel::new(ranks)).fit(
                &synthetic::digits(examples(rank), 0),
                1,
                |cx, batch| net.loss(cx, batch),
            )?;
            Ok(())
        });
        error.unwrap_err().message
    };
    let same = |_| 0.1;
    let message = refused(|rank| 0.1 + rank as f64, |_| 0, |_| 96);
    assert!(message.contains("in learning_rate: 1.1, not 0.1"), "{message}");
    let message = refused(same, |rank| rank as u64, |_| 96);
    assert!(message.contains("in seed of the parameters"), "{message}");
    let message = refused(same, |_| 0, |rank| 96 + rank);
    assert!(message.contains("examples: 97, not 96"), "{message}");
    let message = refused(same, |_| 0, |_| 1);
    assert!(message.contains("1 examples for 2 workers"), "{message}");
}

#[test]
fn data_with_other_contents_are_refused() {
    let refused = |train: fn(usize) -> Digits, test: fn(usize) -> Digits| {
        let error = threads::run(2, |ranks| {
            let rank = ranks.rank();
            let mut params: Params = Params::seeded(0);
            let net = Net::new(&mut params);
            let mut metrics = Metrics::new().with(Accuracy::new());
            Trainer::new(&mut params, Sgd::new(0.1))
                .measures("test", &metrics)
                .parallel(DataParallel::new(ranks))
                .fit_with(
                    &train(rank),
                    1,
                    |cx, batch| net.loss(cx, batch),
                    |run| {
                        let test = test(rank).batches(20);
                        run.validate("test", test, &mut metrics, |cx, (images, labels)| {
                            (net.1.forward(cx, &net.0.forward(cx, &images)), labels)
                        })?;
                        Ok(())
                    },
                )?;
            Ok(())
        });
        error.unwrap_err().message
    };
    // As many images of the same shape: drawn with another seed, or with one label exchanged.
    let same = |_| synthetic::digits(96, 0);
    let relabelled = |rank: usize| {
        let (images, labels) = synthetic::digits(96, 0).all();
        let mut labels = labels.to_vec();
        labels[17] = (labels[17] + rank as u32) % 10;
        Dataset::new((Features::new(images.value()), Tensor::vector(&labels))).unwrap()
    };
    for train in [|rank: usize| synthetic::digits(96, rank as u64), relabelled] {
        let message = refused(train, same);
        assert!(
            message.contains("worker 1 differs from worker 0 in contents of the data: fingerprint"),
            "{message}"
        );
    }
    let message = refused(same, |rank| synthetic::digits(60, rank as u64));
    assert!(message.contains("in contents of test: fingerprint"), "{message}");
}

#[test]
fn loops_without_a_trainer_compare_their_data() {
    /// Examples that nothing is known of but their number.
    struct Numbers(u32);

    impl Source for Numbers {
        type Batch = Tensor<u32>;

        fn count(&self) -> usize {
            8
        }

        fn batch(&self, positions: &[u32]) -> Self::Batch {
            Tensor::vector(&positions.iter().map(|position| position + self.0).collect::<Vec<_>>())
        }
    }

    let compare = |ranks: usize, data: fn(usize) -> Digits| {
        threads::run(ranks, |ranks| Ok(agree_on_data(&*ranks, "digits", &data(ranks.rank()))))
    };
    for ranks in [1, 3] {
        assert_eq!(compare(ranks, |_| synthetic::digits(96, 0)).unwrap(), vec![Ok(()); ranks]);
    }
    for (differs, data) in [
        (
            "contents of the data: fingerprint",
            (|rank| synthetic::digits(96, rank as u64 / 2)) as fn(usize) -> Digits,
        ),
        ("number of examples: 97, not 96", |rank| synthetic::digits(96 + rank / 2, 0)),
    ] {
        // All ranks are told of the one.
        for found in compare(3, data).unwrap() {
            let error = found.unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("digits: rank 2 differs from rank 0 in {differs}")),
                "{error}"
            );
        }
    }
    let unknown = threads::run(2, |ranks| {
        let data = Dataset::new(Numbers(ranks.rank() as u32))?;
        Ok(agree_on_data(&*ranks, "numbers", &data)?)
    });
    assert_eq!(unknown.unwrap(), [(), ()]);
}

#[test]
fn all_start_from_the_first_and_a_model_that_goes_astray_is_found() {
    let values = on(3, |ranks, params, data| {
        let net = Net::new(params);
        // As after a file that only one has read.
        params.slice_mut(params.id("out.bias").unwrap()).fill(ranks.rank() as f32);
        let run = Trainer::new(params, Sgd::new(0.1)).parallel(DataParallel::new(ranks)).start()?;
        let _ = (net, data);
        Ok(run.params().get("out.bias").unwrap().to_vec())
    });
    assert_eq!(values.unwrap(), vec![vec![0.0; 10]; 3]);

    let message = refused(|ranks, params, data| {
        let net = Net::new(params);
        let rank = ranks.rank();
        let mut run = Trainer::new(params, Sgd::new(0.1)).parallel(DataParallel::new(ranks)).start()?;
        for epoch in run.epochs(2)? {
            for batch in epoch.batches(data.batches(32))? {
                run.step(|cx| net.loss(cx, &batch))?;
            }
            let bias = run.params().id("out.bias").unwrap();
            run.params_mut().slice_mut(bias)[0] += rank as f32;
        }
        Ok(())
    });
    assert!(message.contains("in parameters: fingerprint"), "{message}");
}

#[test]
fn an_observer_of_the_first_ends_all_after_the_same_step() {
    let ended = on(3, |ranks, params, data| {
        let net = Net::new(params);
        let mut steps = 0;
        let finished = Trainer::new(params, Sgd::new(0.1))
            .batch_size(24)
            .parallel(DataParallel::new(ranks))
            .observe(Ends(6))
            .fit_with(
                data,
                5,
                |cx, batch| net.loss(cx, batch),
                |run| {
                    steps = run.now().step;
                    Ok(())
                },
            )?;
        Ok((steps, finished.reason.to_string()))
    })
    .unwrap();
    // Told in the sixth step, the ranks agree in the seventh.
    assert!(ended.iter().all(|(steps, _)| *steps == 7), "{ended:?}");
    assert!(ended[0].1.contains("that will do") && ended[1].1.contains("observer of the first"), "{ended:?}");
}

#[test]
fn what_a_program_records_decides_alike() {
    let ended = on(2, |ranks, params, data| {
        let net = Net::new(params);
        let rank = ranks.rank();
        let finished = Trainer::new(params, Sgd::new(0.1))
            .parallel(DataParallel::new(ranks))
            .records("test.cost", wengert_optim::first::Goal::Min)
            .early_stopping("test.cost", EarlyStopping::new(2, 0.0))
            .fit_with(
                data,
                9,
                |cx, batch| net.loss(cx, batch),
                |run| {
                    // Worse and worse by the first, better and better by the other.
                    let cost = run.now().epoch as f64 * if rank == 0 { 1.0 } else { -1.0 };
                    run.record("test", &[("cost".to_owned(), cost)])?;
                    Ok(())
                },
            )?;
        Ok(finished.history.rows.len())
    })
    .unwrap();
    assert!(ended[0] == ended[1] && ended[0] < 2 * 9, "{ended:?}");
}

/// Trains into the folder for so many epochs; what the parameters are then.
fn go_on(folder: &Path, ranks: usize, epochs: u64, ending: u64) -> Vec<Vec<u32>> {
    on(ranks, |ranks, params, data| {
        let net = Net::new(params);
        Trainer::new(params, Adam::new(0.01))
            .batch_size(20)
            .parallel(DataParallel::deterministic(ranks, 4)?)
            .checkpoints(Checkpoints::new(folder).every_steps(1))
            .resume()
            .observe(Ends(ending))
            .fit(data, epochs, |cx, batch| net.loss(cx, batch))?;
        Ok(params.values().iter().chain(&params.buffer_values()).map(|x| x.to_bits()).collect())
    })
    .unwrap()
}

#[test]
fn a_run_goes_on_with_another_number_of_ranks_in_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let whole = go_on(&folder.path().join("whole"), 1, 4, u64::MAX).remove(0);
    let parts = folder.path().join("parts");
    // In the middle of the second epoch, and then of the third.
    go_on(&parts, 2, 4, 6);
    go_on(&parts, 4, 4, 11);
    for found in go_on(&parts, 3, 4, u64::MAX) {
        assert_eq!(found, whole);
    }
}

#[test]
fn what_ranks_cannot_do_is_refused_by_name() {
    let message = refused(|ranks, params, data| {
        let net = Net::new(params);
        Trainer::new(params, Sam::new(Sgd::new(0.1), 0.05)).parallel(DataParallel::new(ranks)).fit(
            data,
            1,
            |cx, batch| net.loss(cx, batch),
        )?;
        Ok(())
    });
    assert!(message.contains("sam takes several gradients a step"), "{message}");
    let message = refused(|ranks, params, data| {
        let net = Net::new(params);
        let sharded = data.batches(16).sharded(ranks.rank(), ranks.size());
        let mut run = Trainer::new(params, Sgd::new(0.1)).parallel(DataParallel::new(ranks)).start()?;
        for epoch in run.epochs(1)? {
            for batch in epoch.batches(sharded.clone())? {
                run.step(|cx| net.loss(cx, &batch))?;
            }
        }
        Ok(())
    });
    assert!(message.contains("sharded already"), "{message}");
    let message = refused(|ranks, _, _| {
        DataParallel::deterministic(ranks, 1)?;
        Ok(())
    });
    assert!(message.contains("1 shards for 2 ranks"), "{message}");
}

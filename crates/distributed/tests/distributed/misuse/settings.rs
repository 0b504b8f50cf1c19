//! Ranks that are to train together, and differ in one thing: all are told at the start which it is, with both values.

use wengert_data::synthetic;
use wengert_distributed::threads::{self, RankFailed};
use wengert_distributed::{Communicator, DataParallel};
use wengert_nn::{BatchNorm1d, Layer, Linear, Losses, Params};
use wengert_optim::first::{AdamConfig, AdaptiveClip, NonFinite, SgdConfig};
use wengert_optim::schedule::{Cosine, Exponential, ReduceOnPlateau, Warmup};
use wengert_optim::{Adam, AdamW, Average, EarlyStopping, Optimizer, Sgd};
use wengert_tensor::Tensor;
use wengert_train::checkpoint::Checkpoints;
use wengert_train::metric::{Accuracy, Metrics};
use wengert_train::{Learner, Trainer};

use std::rc::Rc;

/// Trains on two ranks with the settings that each is given; why that is refused.
fn refused(
    optimizer: impl Fn(usize) -> Box<dyn Optimizer<f32>> + Sync,
    settings: impl Fn(Trainer<'_>, usize) -> Trainer<'_> + Sync,
) -> RankFailed {
    let trained = threads::run(2, |ranks| {
        let rank = ranks.rank();
        let mut params: Params = Params::seeded(0);
        let model = Linear::new(params.root(), 784, 10);
        let trainer = Trainer::new(&mut params, optimizer(rank)).batch_size(10);
        let trainer = settings(trainer, rank).parallel(DataParallel::new(ranks));
        let data = synthetic::digits(20, 0);
        trainer.fit(&data, 1, |cx, (images, labels)| model.forward(cx, images).cross_entropy(labels))?;
        Ok(())
    });
    trained.unwrap_err()
}

#[track_caller]
fn says(failed: &RankFailed, difference: &str) {
    let message = &failed.message;
    assert!(
        message.contains("worker 1 differs from worker 0 in ") && message.contains(difference),
        "{message}"
    );
}

fn sgd(_: usize) -> Box<dyn Optimizer<f32>> {
    Box::new(Sgd::new(0.1))
}

#[test]
fn other_optimisers() {
    let of = |optimizer: fn(usize) -> Box<dyn Optimizer<f32>>| refused(optimizer, |trainer, _| trainer);
    says(
        &of(|rank| if rank == 0 { sgd(0) } else { Box::new(Adam::new(0.1)) }),
        "in optimizer: adam, not sgd",
    );
    says(&of(|rank| Box::new(Sgd::new(0.1 + rank as f64))), "in learning_rate: 1.1, not 0.1");
    says(
        &of(|rank| {
            let config = SgdConfig { momentum: 0.5 * rank as f64, ..Default::default() };
            Box::new(Sgd::with_config(0.1, config).unwrap())
        }),
        "optimizer.momentum",
    );
    says(
        &of(|rank| {
            let config = AdamConfig { beta2: 0.9 + 0.05 * rank as f64, ..Default::default() };
            Box::new(Adam::with_config(0.1, config).unwrap())
        }),
        "optimizer.beta2",
    );
    says(
        &of(|rank| if rank == 0 { Box::new(Adam::new(0.1)) } else { Box::new(AdamW::new(0.1)) }),
        "adamw, not adam",
    );
}

#[test]
fn other_schedules_and_clipping() {
    let of = |settings: fn(Trainer<'_>, usize) -> Trainer<'_>| refused(sgd, settings);
    // Their first rates are the same.
    says(&of(|trainer, rank| trainer.schedule(Exponential::new(0.1, 0.9 + 0.05 * rank as f64))), "schedule.");
    says(
        &of(|trainer, rank| match rank {
            0 => trainer.schedule(Exponential::new(0.1, 0.9)),
            _ => trainer.schedule(Cosine::new(0.1, 10)),
        }),
        "schedule",
    );
    says(
        &of(|trainer, rank| if rank == 0 { trainer } else { trainer.schedule(Exponential::new(0.1, 0.9)) }),
        "schedule",
    );
    says(
        &of(|trainer, rank| trainer.schedule(Warmup::new(5, Exponential::new(0.1, 0.9 - 0.1 * rank as f64)))),
        "schedule",
    );
    says(&of(|trainer, rank| trainer.clip_norm(1.0 + rank as f64)), "clip");
    says(&of(|trainer, rank| if rank == 0 { trainer } else { trainer.clip_norm(1.0) }), "clip");
    says(&of(|trainer, rank| trainer.clip_value(1.0 + rank as f64)), "clip");
    says(
        &of(|trainer, rank| if rank == 0 { trainer.clip_value(1.0) } else { trainer.clip_norm(1.0) }),
        "clip",
    );
    says(
        &of(|trainer, rank| {
            if rank == 0 {
                trainer
            } else {
                trainer.clip_units(AdaptiveClip::new(0.01, 1e-3, &wengert_optim::Layout::flat(7850)))
            }
        }),
        "clip",
    );
    says(&of(|trainer, rank| trainer.accumulate(1 + rank as u64)), "accumulat");
    says(
        &of(|trainer, rank| if rank == 0 { trainer } else { trainer.non_finite(NonFinite::Skip) }),
        "non_finite",
    );
}

#[test]
fn other_averages_and_rules_of_ending() {
    let of = |settings: fn(Trainer<'_>, usize) -> Trainer<'_>| refused(sgd, settings);
    says(&of(|trainer, rank| if rank == 0 { trainer } else { trainer.average(Average::Uniform) }), "average");
    says(
        &of(|trainer, rank| trainer.average(Average::Exponential { decay: 0.9 + 0.05 * rank as f64 })),
        "average.decay",
    );
    says(&of(|trainer, rank| trainer.average_from(Average::Uniform, 1 + rank as u64, 1)), "average.start");
    says(
        &of(|trainer, rank| trainer.early_stopping("train.loss", EarlyStopping::new(2 + rank as u64, 0.0))),
        "patience",
    );
    says(
        &of(|trainer, rank| match rank {
            0 => trainer,
            _ => trainer.reduce_on_plateau("train.loss", ReduceOnPlateau::new(0.1)),
        }),
        "plateau",
    );
    says(&of(|trainer, rank| trainer.setting("temperature", rank)), "in temperature: 1, not 0");
    says(&of(|trainer, rank| trainer.seed(rank as u64)), "seed");
    says(&of(|trainer, rank| trainer.batch_size(10 + rank)), "batch_size: 11, not 10");
}

#[test]
fn other_values_and_checkpoints() {
    says(
        &refused(sgd, |trainer, rank| match rank {
            0 => trainer,
            _ => trainer.measures("validation", &Metrics::<f32, Tensor<u32>>::new().with(Accuracy::new())),
        }),
        "in measured values: train.loss, validation.accuracy, not train.loss",
    );
    let folder = tempfile::tempdir().unwrap();
    let keep = || Checkpoints::new(folder.path()).every_steps(1);
    // The others communicate where the first writes, so all say that they keep them.
    let first = refused(sgd, |trainer, rank| if rank == 0 { trainer.checkpoints(keep()) } else { trainer });
    says(&first, "in checkpoints: not kept, not kept");
    let resumes = refused(sgd, |trainer, rank| {
        let trainer = trainer.checkpoints(keep());
        if rank == 0 { trainer.resume() } else { trainer }
    });
    says(&resumes, "in checkpoints: kept, not kept, and gone on from");
}

/// Trains with loops of the ranks' own.
fn looped(
    work: impl Fn(&mut Params, Rc<dyn Communicator>) -> Result<(), wengert_distributed::Failure> + Sync,
) -> RankFailed {
    threads::run(2, |ranks| work(&mut Params::seeded(0), ranks)).unwrap_err()
}

#[test]
fn other_models() {
    let failed = looped(|params, ranks| {
        BatchNorm1d::new(params.at(if ranks.rank() == 0 { "norm" } else { "normal" }), 3);
        Trainer::new(params, Sgd::new(0.1)).parallel(DataParallel::new(ranks)).start()?;
        Ok(())
    });
    says(&failed, "in shape of the parameter `norm.weight`: nothing, not [3]");
    let failed = looped(|params, ranks| {
        let builder = BatchNorm1d::builder(3);
        let builder = if ranks.rank() == 0 { builder } else { builder.no_running_statistics() };
        builder.build(params.at("norm"));
        Trainer::new(params, Sgd::new(0.1)).parallel(DataParallel::new(ranks)).start()?;
        Ok(())
    });
    says(&failed, "in shape of the buffer `norm.running_mean`: nothing, not [3]");
    let failed = looped(|params, ranks| {
        for name in if ranks.rank() == 0 { ["a", "b"] } else { ["b", "a"] } {
            Linear::new(params.at(name), 2, 2);
        }
        Trainer::new(params, Sgd::new(0.1)).parallel(DataParallel::new(ranks)).start()?;
        Ok(())
    });
    says(&failed, "order of what it declares");
    let failed = looped(|params, ranks| {
        Linear::new(params.at("a"), 2, 2);
        if ranks.rank() == 1 {
            params.freeze("a.bias");
        }
        Trainer::new(params, Sgd::new(0.1)).parallel(DataParallel::new(ranks)).start()?;
        Ok(())
    });
    says(&failed, "in frozen: [a.bias], not nothing");
}

#[test]
fn other_numbers_of_epochs_data_and_shards() {
    let failed = looped(|params, ranks| {
        Linear::new(params.at("a"), 2, 2);
        let epochs = 2 + ranks.rank() as u64;
        let mut run = Trainer::new(params, Sgd::new(0.1)).parallel(DataParallel::new(ranks)).start()?;
        run.epochs(epochs)?;
        Ok(())
    });
    says(&failed, "in number of epochs: 3, not 2");
    let validated = |size: fn(usize) -> usize, examples: fn(usize) -> usize| {
        looped(move |params, ranks| {
            let rank = ranks.rank();
            let model = Linear::new(params.root(), 784, 10);
            let mut metrics = Metrics::new().with(Accuracy::new());
            let mut run = Trainer::new(params, Sgd::new(0.1)).parallel(DataParallel::new(ranks)).start()?;
            let data = synthetic::digits(examples(rank), 0);
            run.validate("test", data.batches(size(rank)), &mut metrics, |cx, (images, labels)| {
                (model.forward(cx, &images), labels)
            })?;
            Ok(())
        })
    };
    says(&validated(|_| 10, |rank| 20 + rank), "in number of examples of test: 21, not 20");
    says(&validated(|rank| 10 + rank, |_| 20), "in batch size of test: 11, not 10");
    let failed = looped(|params, ranks| {
        Linear::new(params.at("a"), 2, 2);
        let shards = 2 + ranks.rank();
        let group = DataParallel::deterministic(ranks, shards)?;
        Trainer::new(params, Sgd::new(0.1)).parallel(group).start()?;
        Ok(())
    });
    says(&failed, "in number of shards: 3, not 2");
}

#[test]
fn other_further_networks() {
    let failed = looped(|params, ranks| {
        Linear::new(params.at("a"), 2, 2);
        let mut judge: Params = Params::seeded(1);
        Linear::new(judge.at("b"), 2, 1 + ranks.rank());
        let learner = Learner::new(&mut judge, Sgd::new(0.1));
        Trainer::new(params, Sgd::new(0.1))
            .also("judge", learner)
            .parallel(DataParallel::new(ranks))
            .start()?;
        Ok(())
    });
    says(&failed, "judge");
    let failed = looped(|params, ranks| {
        Linear::new(params.at("a"), 2, 2);
        let mut judge: Params = Params::seeded(1);
        Linear::new(judge.at("b"), 2, 1);
        let learner = Learner::new(&mut judge, Sgd::new(0.1)).clip_norm(1.0 + ranks.rank() as f64);
        Trainer::new(params, Sgd::new(0.1))
            .also("judge", learner)
            .parallel(DataParallel::new(ranks))
            .start()?;
        Ok(())
    });
    says(&failed, "judge");
}

/// Each network of a run takes a step of its own on a batch, of which a rank has one piece at a time.
#[test]
fn several_networks_with_several_shards_of_a_rank() {
    let start = |ranks: usize, shards: usize| {
        threads::run(ranks, |communicator| {
            let (mut params, mut judge): (Params, Params) = (Params::seeded(0), Params::seeded(1));
            Linear::new(params.at("a"), 2, 2);
            Linear::new(judge.at("b"), 2, 1);
            let learner = Learner::new(&mut judge, Sgd::new(0.1));
            let group = DataParallel::deterministic(communicator, shards)?;
            Trainer::new(&mut params, Sgd::new(0.1)).also("judge", learner).parallel(group).start()?;
            Ok(())
        })
    };
    start(2, 2).unwrap();
    let message = start(2, 4).unwrap_err().message;
    assert!(message.contains("need a worker for each shard of a batch: there are 2 for 4"), "{message}");
}

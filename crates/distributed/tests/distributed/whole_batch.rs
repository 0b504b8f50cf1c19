//! Statistics of the whole batch: ranks have the values, the derivatives and the running statistics of one program.

use crate::statistics::{of_the_whole_batch, train};
use wengert_data::{Dataset, synthetic};
use wengert_distributed::{BatchShards, DataParallel, ParallelError, Single, threads};
use wengert_nn::{BatchNorm1d, Ctx, Init, Layer, Linear, Losses, Params};
use wengert_optim::Sgd;
use wengert_tape::Var;
use wengert_train::{TrainError, Trainer};

use std::rc::Rc;

#[test]
fn ranks_have_the_statistics_of_one_program() {
    for ranks in [1, 2, 3, 4, 6] {
        threads::run(ranks, |communicator| of_the_whole_batch(&communicator))
            .unwrap_or_else(|error| panic!("{ranks} ranks: {error}"));
    }
}

/// By default a rank's shard is a batch of its own.
#[test]
fn without_the_setting_statistics_are_those_of_shards() {
    let alone = train(None, 44).unwrap();
    let found = threads::run(2, |ranks| train(Some(DataParallel::new(ranks)), 44)).unwrap();
    assert_eq!(found[0], found[1]);
    let apart = found[0].values.iter().zip(&alone.values).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(apart > 1e-3, "{apart}");
}

#[test]
fn shards_that_are_evaluated_one_after_the_other_are_refused() {
    let several = ParallelError::SeveralShards { shards: 4, ranks: 1 };
    let group = DataParallel::deterministic(Rc::new(Single::new()), 4).unwrap();
    assert_eq!(group.synchronised_statistics().unwrap_err(), several);
    let message = threads::run(3, |ranks| {
        DataParallel::deterministic(ranks, 8)?.synchronised_statistics()?;
        Ok(())
    });
    let message = message.unwrap_err().message;
    assert!(message.contains("there are 3 for 8"), "{message}");
}

#[test]
fn ranks_with_and_without_it_are_told_apart_at_the_start() {
    let message = threads::run(2, |ranks| {
        let mut group = DataParallel::new(ranks.clone());
        if ranks.rank() == 1 {
            group = group.synchronised_statistics()?;
        }
        let mut params: Params = Params::seeded(0);
        let model = Linear::new(params.root(), 784, 10);
        let data: Dataset<_> = synthetic::digits(20, 0);
        Trainer::new(&mut params, Sgd::new(0.1))
            .parallel(group)
            .fit(&data, 1, |cx, (images, labels)| model.forward(cx, images).cross_entropy(labels))?;
        Ok(())
    });
    let message = message.unwrap_err().message;
    assert!(
        message.contains("in statistics of a batch are those of its: whole batch, not shard"),
        "{message}"
    );
}

/// What becomes of two ranks whose forward passes are not alike.
fn unlike(work: impl Fn(&Ctx<f64>, usize) -> Var<f64> + Sync) -> threads::RankFailed {
    let ran = threads::run(2, |ranks| {
        let rank = ranks.rank();
        let mut params: Params<f64> = Params::seeded(0);
        params.root().param("x", [3], Init::Ones);
        let shards = Rc::new(BatchShards::new(ranks, 1 + rank)?);
        params.value_and_grad(|cx| {
            cx.set_shards(shards.clone());
            work(cx, rank)
        })?;
        Ok(())
    });
    ran.unwrap_err()
}

#[test]
fn forward_passes_that_are_not_alike_end_all() {
    let panics = unlike(|cx, rank| {
        assert_ne!(rank, 1, "out of luck");
        cx.sum_over_shards(cx.leaf(0)).sum()
    });
    assert!(panics.rank == 1 && panics.message.contains("out of luck"), "{panics}");
    let other = unlike(|cx, rank| cx.mean_over_shards(&cx.leaf(0).slice(..2 + rank)).sum());
    assert!(other.message.starts_with("sum over the shards of a batch: "), "{other}");
    assert!(other.message.contains("elements of f64 were sent, and there is room for"), "{other}");
    let more = unlike(|cx, rank| {
        let sum = cx.sum_over_shards(cx.leaf(0)).sum();
        if rank == 0 { cx.sum_over_shards(&sum) } else { sum }
    });
    // Met by the backward pass of the other, or by its end.
    assert!(more.message.contains("sum over the shards of a batch"), "{more}");
}

/// What is not finite on one rank is so on all, and the search for where it comes from does not wait for others.
#[test]
fn what_is_not_finite_is_an_error_of_all() {
    let failed = threads::run(3, |ranks| {
        let rank = ranks.rank();
        let mut params: Params = Params::seeded(0);
        let (line, norm) = (Linear::new(params.at("line"), 784, 10), BatchNorm1d::new(params.at("norm"), 10));
        let trained = Trainer::new(&mut params, Sgd::new(0.1))
            .batch_size(20)
            .parallel(DataParallel::new(ranks).synchronised_statistics()?)
            .fit(&synthetic::digits(20, 0), 1, |cx, (images, labels)| {
                let loss = norm.forward(cx, &line.forward(cx, images)).cross_entropy(labels);
                if rank == 1 { loss.ln() * f32::NEG_INFINITY * 0.0 } else { loss }
            });
        let error = trained.err().unwrap();
        assert!(matches!(error, TrainError::Loss { .. }), "{error}");
        Ok(())
    });
    failed.unwrap();
}

//! Statistics of the whole batch: ranks have the values, the derivatives and the running statistics of one program.

mod statistics;

use statistics::{of_the_whole_batch, train};
use wengert_data::{Dataset, synthetic};
use wengert_distributed::{DataParallel, ParallelError, Single, threads};
use wengert_nn::{Layer, Linear, Losses, Params};
use wengert_optim::Sgd;
use wengert_train::Trainer;

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

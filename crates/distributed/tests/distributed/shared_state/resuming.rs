//! Runs that go on from a checkpoint, on another number of ranks and between two batches of an update.

use std::path::Path;

use wengert_data::Dataset;
use wengert_distributed::{DataParallel, threads};
use wengert_nn::{Layer, Linear, Losses, Params};
use wengert_optim::AdamW;
use wengert_tensor::Tensor;
use wengert_train::Trainer;
use wengert_train::checkpoint::Checkpoints;

use super::{Net, digits, groups, left, on};
use crate::ends::Ends;

/// Goes on in the folder until an observer has enough; what the parameters are then.
fn go_on(
    folder: &Path,
    ranks: usize,
    shared: bool,
    accumulate: u64,
    epochs: u64,
    ending: u64,
) -> Vec<(Vec<u32>, Vec<u64>)> {
    on(ranks, |communicator| {
        let mut params: Params = Params::seeded(0);
        let net = Net::new(&mut params);
        let optimizer = groups(&params);
        let workers = DataParallel::deterministic(communicator, 4)?;
        let finished = Trainer::new(&mut params, optimizer)
            .batch_size(16)
            .clip_norm(0.3)
            .accumulate(accumulate)
            .parallel(if shared { workers.shared_state() } else { workers })
            .checkpoints(Checkpoints::new(folder).every_steps(4))
            .resume()
            .observe(Ends(ending))
            .fit(&digits(), epochs, |cx, batch| net.loss(cx, batch))?;
        Ok(left(&params, &finished.history))
    })
}

#[test]
fn a_run_goes_on_with_the_state_of_all_on_another_number_of_ranks() {
    let folder = tempfile::tempdir().unwrap();
    let whole = go_on(&folder.path().join("whole"), 1, false, 1, 3, u64::MAX).remove(0);
    let parts = folder.path().join("parts");
    // In the middle of the first epoch, and then of the second; the state is shared out, whole, and shared out again.
    go_on(&parts, 2, true, 1, 3, 4);
    go_on(&parts, 3, false, 1, 3, 8);
    go_on(&parts, 4, true, 1, 3, 12);
    for found in go_on(&parts, 2, true, 1, 3, u64::MAX) {
        assert!(found == whole);
    }
}

#[test]
fn a_run_that_ends_between_two_batches_of_an_update_goes_on_there() {
    for shared in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        // Six batches an epoch, four an update: epochs end in the middle of one.
        let whole = go_on(&folder.path().join("whole"), 1, false, 4, 4, u64::MAX).remove(0);
        let parts = folder.path().join("parts");
        go_on(&parts, 2, shared, 4, 1, u64::MAX);
        go_on(&parts, 3, shared, 4, 3, u64::MAX);
        for found in go_on(&parts, 4, shared, 4, 4, u64::MAX) {
            assert!(found == whole, "shared out: {shared}");
        }
    }
}

/// The checkpoint that several ranks wrote is that of a program without any.
#[test]
fn a_program_without_ranks_goes_on_from_shared_state() {
    let folder = tempfile::tempdir().unwrap();
    go_on(folder.path(), 3, true, 1, 1, u64::MAX);
    let mut params: Params = Params::seeded(0);
    let net = Net::new(&mut params);
    let optimizer = groups(&params);
    let mut run = Trainer::new(&mut params, optimizer)
        .batch_size(16)
        .clip_norm(0.3)
        .checkpoints(Checkpoints::new(folder.path()))
        .resume()
        .allow_other_settings()
        .start()
        .unwrap();
    assert_eq!(run.now().step, 6);
    let batch = digits().batches(16).next().unwrap();
    assert!(run.step(|cx| net.loss(cx, &batch)).unwrap().is_finite());
}

/// A line of f64 without anything random, trained so many epochs of three batches, two to an update.
fn line(
    folder: &Path,
    epochs: u64,
    workers: Option<DataParallel>,
) -> Result<Vec<f64>, wengert_train::TrainError> {
    let mut params: Params<f64> = Params::seeded(1);
    let line = Linear::new(params.root(), 3, 2);
    let inputs = Tensor::from_fn([37, 3], |i| ((i[0] * 7 + i[1] * 5) % 11) as f64 - 5.0);
    let targets = Tensor::from_fn([37, 2], |i| ((i[0] * 3 + i[1]) % 5) as f64);
    let data = Dataset::new((inputs, targets)).unwrap();
    let trainer = Trainer::new(&mut params, AdamW::new(0.05))
        .batch_size(13)
        .accumulate(2)
        .checkpoints(Checkpoints::new(folder))
        .resume();
    let trainer = match workers {
        Some(workers) => trainer.parallel(workers),
        None => trainer,
    };
    trainer.fit(&data, epochs, |cx, (x, y)| line.forward(cx, x).mse(y))?;
    Ok(params.values().to_vec())
}

#[test]
fn the_fast_way_goes_on_between_two_batches_up_to_rounding() {
    let folder = tempfile::tempdir().unwrap();
    let serial = line(&folder.path().join("serial"), 4, None).unwrap();
    let parts = folder.path().join("parts");
    let with = |ranks: usize, epochs: u64| {
        threads::run(ranks, |communicator| Ok(line(&parts, epochs, Some(DataParallel::new(communicator)))?))
    };
    with(2, 1).unwrap();
    // A program alone has none of the shards that wait for an update.
    let refused = line(&parts, 4, None).unwrap_err().to_string();
    assert!(refused.contains("saved by several workers between two batches of an update"), "{refused}");
    for found in with(3, 4).unwrap() {
        assert!(found.iter().zip(&serial).all(|(a, b)| (a - b).abs() < 1e-9), "{found:?}, not {serial:?}");
    }
    let alone = folder.path().join("alone");
    line(&alone, 1, None).unwrap();
    let refused = threads::run(2, |communicator| Ok(line(&alone, 4, Some(DataParallel::new(communicator)))?));
    let refused = refused.unwrap_err().message;
    assert!(refused.contains("saved by one program between two batches of an update"), "{refused}");
}

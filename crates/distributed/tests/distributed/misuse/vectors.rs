//! Vectors of other lengths, shards and ranks that there are not.

use std::convert::Infallible;
use std::rc::Rc;

use wengert_curvature::Objectives;
use wengert_distributed::compress::{Compression, Compressor};
use wengert_distributed::hogwild::{self, SharedVector, Stopped};
use wengert_distributed::{
    CommunicatorError, DataParallel, ShardedObjective, ShardedResiduals, Single, threads, tree,
};
use wengert_nn::{Init, Params};
use wengert_optim::Sgd;
use wengert_train::Trainer;

use super::says;

#[test]
fn ranks_that_there_are_not() {
    says("threads::run: no ranks (0)", || drop(threads::run(0, |_| Ok(()))));
    says("tree::owned: there is no rank 3 among 3", || {
        tree::owned(8, 3, 3);
    });
    says("tree::owned: there is no rank 0 among 0", || {
        tree::owned(8, 0, 0);
    });
}

#[test]
fn shards_of_other_lengths() {
    let vector = |shard: usize| Ok::<_, Infallible>(vec![0.0f32; if shard == 2 { 4 } else { 3 }]);
    says("tree::sum: vectors of shards have 4 and 3 elements", || drop(tree::sum(4, vector)));
    says("tree::all_reduce: the vector of a shard has 3 elements instead of 5", || {
        let of = |_| Ok::<_, CommunicatorError>(vec![0.0f32; 3]);
        drop(tree::all_reduce(&Single::new(), 2, 5, of));
    });
    says("tree::reduce_scatter: the vector of a shard has 3 elements instead of 5", || {
        let of = |_| Ok::<_, CommunicatorError>(vec![0.0f32; 3]);
        drop(tree::reduce_scatter(&Single::new(), 2, &[5], of));
    });
}

#[test]
fn more_shards_than_there_is_memory_for() {
    let many = usize::MAX / 2;
    let alone = || Rc::new(Single::new());
    let text = |operation: &str| format!("{operation}: {many} parts take more memory than the system has");
    says(&text("ShardedObjective"), || {
        drop(ShardedObjective::mean(alone(), many, |_| ((), 1)));
    });
    says(&text("ShardedResiduals"), || {
        let params = model(1);
        let make = |_| params.least_squares(|cx| cx.leaf(0).clone());
        drop(ShardedResiduals::<_, f64>::new(alone(), many, make));
    });
    // Of a run, which is not started there.
    let started = std::panic::catch_unwind(|| {
        let mut params = model(1);
        let workers = DataParallel::deterministic(alone(), many).unwrap();
        drop(Trainer::new(&mut params, Sgd::new(0.1)).parallel(workers).start());
    });
    let message = started.unwrap_err();
    assert_eq!(message.downcast_ref::<String>(), Some(&text("Trainer")));
}

#[test]
fn buckets_have_bytes() {
    says("buckets: a bucket must have at least 1 byte, not 0", || {
        drop(DataParallel::new(Rc::new(Single::new())).buckets(Some(0)));
    });
}

#[test]
fn what_shared_vectors_refuse() {
    let shared = SharedVector::new(&[0.0f64; 3]);
    let text = |operation: &str, len: usize| format!("{operation}: {len} numbers for a shared vector of 3");
    says(&text("read", 2), || shared.read(&mut [0.0; 2]));
    says(&text("write", 4), || shared.write(&[0.0; 4]));
    says(&text("advance", 2), || shared.advance(&[0.0; 2], &[0.0; 3]));
    says(&text("advance", 4), || shared.advance(&[0.0; 3], &[0.0; 4]));
}

/// `count` parameters in one tensor.
pub(crate) fn model(count: usize) -> Params<f64> {
    let mut params: Params<f64> = Params::seeded(0);
    params.root().param("x", [count], Init::Ones);
    params
}

/// The gradient of a model of so many parameters.
pub(crate) fn gradient(count: usize) -> wengert_nn::Grads<f64> {
    let params = model(count);
    params.value_and_grad(|cx| cx.leaf(0).square().sum()).unwrap().1
}

#[test]
fn what_threads_on_shared_parameters_refuse() {
    let shared = SharedVector::new(&[0.0f64; 3]);
    says("hogwild::run: there must be at least 1 thread", || {
        drop(hogwild::run(&shared, 0, |_| Ok::<(), Stopped>(())));
    });
    // The work runs on a thread of its own, which hands the panic on.
    let outcome = hogwild::run(&shared, 1, |worker| {
        says("pull: 2 parameters, but the threads share 3", || {
            let _ = worker.pull(&mut model(2));
        });
        says("push: a gradient of 2 for 3 parameters", || {
            worker.push(&mut model(3), &mut Sgd::new(0.1), &gradient(2));
        });
        says("push: 2 parameters, but the threads share 3", || {
            worker.push(&mut model(2), &mut Sgd::new(0.1), &gradient(2));
        });
        Ok::<(), Stopped>(())
    });
    // Nothing was added.
    assert_eq!(outcome.unwrap().updates, 0);
    assert_eq!(shared.to_vec(), [0.0; 3]);
}

#[test]
fn a_panic_of_a_thread_is_handed_on() {
    let shared = SharedVector::new(&[0.0f64; 3]);
    let panic = std::panic::catch_unwind(|| {
        hogwild::run(&shared, 2, |worker| -> Result<(), Stopped> {
            assert_ne!(worker.index(), 1, "out of luck");
            Ok(())
        })
    });
    let message = panic.unwrap_err();
    assert!(message.downcast_ref::<String>().is_some_and(|message| message.contains("out of luck")));
}

#[test]
fn what_a_compressor_refuses() {
    let mut compressor = Compressor::<f32>::new(Compression::Bf16, 3).unwrap();
    says("compress: 2 elements from 2 on of a gradient of 3", || drop(compressor.compress(2, &[1.0, 2.0])));
    says(&format!("compress: 1 elements from {} on of a gradient of 3", usize::MAX), || {
        drop(compressor.compress(usize::MAX, &[1.0]));
    });
    let mut plain = Compressor::<f32>::new(Compression::None, 3).unwrap();
    says("compress: 4 elements from 0 on of a gradient of 3", || drop(plain.compress(0, &[1.0; 4])));
    // Nothing is kept of what was refused.
    assert_eq!(compressor.residual(), [0.0; 3]);
}

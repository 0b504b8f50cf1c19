//! Sums of gradients that go on during the backward sweep have the bits of those behind it.

use std::cell::Cell;
use std::rc::Rc;

use wengert_data::synthetic;
use wengert_distributed::{Communicator, DataParallel, threads};
use wengert_nn::{BatchNorm1d, Ctx, Dropout, Layer, Linear, Losses, Params};
use wengert_optim::Adam;
use wengert_tape::{Cotangents, Op, Point, Var, apply};
use wengert_tensor::Tensor;
use wengert_train::{Parallel, PendingSum, Trainer, Workers, WorkersError};

/// 784-48-48-10 with normalisation over the batch and dropout, and a layer that is used twice and made before those behind it.
struct Net(Linear, Linear, BatchNorm1d, Linear);

impl Net {
    fn new(params: &mut Params) -> Self {
        Net(
            Linear::new(params.at("first"), 784, 48),
            Linear::new(params.at("twice"), 48, 48),
            BatchNorm1d::new(params.at("norm"), 48),
            Linear::new(params.at("out"), 48, 10),
        )
    }

    fn scores(&self, cx: &Ctx, images: &Var) -> Var {
        let hidden = self.1.forward(cx, &self.0.forward(cx, images).relu()).relu();
        let hidden = self.2.forward(cx, &self.1.forward(cx, &hidden)).relu();
        self.3.forward(cx, &Dropout::new(0.2).forward(cx, &hidden))
    }
}

fn trained(
    ranks: usize,
    examples: usize,
    accumulate: u64,
    batch: usize,
    workers: impl Fn(Rc<dyn Communicator>) -> DataParallel + Sync,
) -> Vec<(Vec<u32>, Vec<u64>)> {
    let found = threads::run(ranks, |communicator| {
        let mut params: Params = Params::seeded(3);
        let net = Net::new(&mut params);
        params.freeze("norm.weight");
        let finished = Trainer::new(&mut params, Adam::new(3e-3))
            .batch_size(batch)
            .seed(5)
            .clip_norm(0.5)
            .accumulate(accumulate)
            .parallel(workers(communicator))
            .fit(&synthetic::digits(examples, 0), 2, |cx, (images, labels)| {
                net.scores(cx, images).cross_entropy(labels)
            })?;
        let bits = params.values().iter().chain(&params.buffer_values()).map(|x| x.to_bits()).collect();
        Ok((bits, finished.history.rows.iter().map(|row| row.value.to_bits()).collect()))
    });
    found.unwrap()
}

#[test]
fn buckets_of_any_size_have_the_bits_of_one_rank() {
    for (accumulate, batch) in [(1, 50), (2, 50)] {
        let with = |ranks, bytes| {
            trained(ranks, 100, accumulate, batch, move |ranks| {
                DataParallel::deterministic(ranks, 8).unwrap().buckets(bytes)
            })
        };
        let alone = &with(1, None)[0];
        // Buckets of 70 bytes are 17 elements each: 2,400 sums under way, tried once.
        let least = if accumulate == 1 { 70 } else { 700 };
        for (ranks, bytes) in [(2, 1000), (2, 40_000), (3, 5000), (4, least), (4, 1 << 20), (8, 3000)] {
            assert!(
                with(ranks, Some(bytes)).iter().all(|left| left == alone),
                "{ranks} ranks, {bytes} bytes"
            );
        }
    }
}

/// Without normalisation over few examples: a last batch of 6 in eight shards, so that ranks have nothing to evaluate.
#[test]
fn a_rank_without_examples_takes_part() {
    let with = |ranks: usize, bytes: Option<usize>| {
        threads::run(ranks, |communicator| {
            let mut params: Params = Params::seeded(3);
            let model = Linear::new(params.root(), 784, 10);
            Trainer::new(&mut params, Adam::new(3e-3))
                .batch_size(16)
                .accumulate(2)
                .parallel(DataParallel::deterministic(communicator, 8)?.buckets(bytes))
                .fit(&synthetic::digits(38, 0), 1, |cx, (images, labels)| {
                    model.forward(cx, images).cross_entropy(labels)
                })?;
            Ok(params.values().to_vec())
        })
        .unwrap()
    };
    let alone = &with(1, None)[0];
    // Buckets of a byte are an element each: 7,850 sums under way, more than there are tags for.
    for (ranks, bytes) in [(3, 4000), (8, 4000), (2, 1), (3, usize::MAX)] {
        let found = with(ranks, Some(bytes));
        assert!(found.iter().all(|values| values == alone), "{ranks} ranks, {bytes} bytes");
    }
}

/// As threads add, sums of two are the same in any order.
#[test]
fn the_fast_way_has_the_same_sums_on_threads() {
    let whole = trained(3, 150, 2, 48, |ranks| DataParallel::new(ranks).buckets(None));
    assert_eq!(trained(3, 150, 2, 48, |ranks| DataParallel::new(ranks).buckets(Some(2000))), whole);
}

/// Notes which sums are begun, and whether that is before the gradient is complete.
struct Noted {
    inner: DataParallel,
    /// The elements that were begun with before the sweep came to the first layer.
    early: Rc<Cell<usize>>,
    sweeping: Rc<Cell<bool>>,
}

impl Workers for Noted {
    fn rank(&self) -> usize {
        self.inner.rank()
    }
    fn workers(&self) -> usize {
        self.inner.workers()
    }
    fn division(&self) -> wengert_data::Division {
        self.inner.division()
    }
    fn exchange(&self, mine: &[u8]) -> Result<Vec<Vec<u8>>, WorkersError> {
        self.inner.exchange(mine)
    }
    fn message_of_first(&self, message: Vec<u8>) -> Result<Vec<u8>, WorkersError> {
        self.inner.message_of_first(message)
    }
    fn bucket(&self) -> Option<usize> {
        self.inner.bucket()
    }
}

impl Parallel<f32> for Noted {
    fn sum(&self, shards: Vec<Vec<f32>>) -> Result<Vec<f32>, WorkersError> {
        self.inner.sum(shards)
    }
    fn numbers_of_first(&self, values: &mut [f32]) -> Result<(), WorkersError> {
        self.inner.numbers_of_first(values)
    }
    fn start_sum(&self, shards: Vec<Vec<f32>>) -> Result<Box<dyn PendingSum<f32>>, WorkersError> {
        if self.sweeping.get() {
            self.early.set(self.early.get() + shards[0].len());
        }
        self.inner.start_sum(shards)
    }
}

/// Its input, which notes that the sweep comes by.
struct Passed(Rc<Cell<bool>>);

impl Op<f32> for Passed {
    fn name(&self) -> &str {
        "passed"
    }

    fn forward(&self, inputs: &[&Tensor<f32>]) -> Tensor<f32> {
        inputs[0].clone()
    }

    fn vjp(&self, _: &Point<f32>, cotangent: &Var, into: &mut Cotangents<f32>) {
        self.0.set(false);
        into.add(0, || cotangent.clone());
    }
}

#[test]
fn the_last_layers_are_under_way_while_the_first_is_swept() {
    let early = threads::run(2, |communicator| {
        let mut params: Params = Params::seeded(3);
        let (first, second) =
            (Linear::new(params.at("first"), 784, 32), Linear::new(params.at("second"), 32, 10));
        let (early, sweeping) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(false)));
        let inner = DataParallel::new(communicator).buckets(Some(4 * 330));
        let mut run = Trainer::new(&mut params, Adam::new(3e-3))
            .parallel(Noted { inner, early: early.clone(), sweeping: sweeping.clone() })
            .start()?;
        let batch = synthetic::digits(20, 0).batches(20).next().expect("a batch");
        run.step(|cx| {
            let hidden = first.forward(cx, &batch.0).relu();
            sweeping.set(true);
            let hidden = apply(Passed(sweeping.clone()), &[&hidden]);
            second.forward(cx, &hidden).cross_entropy(&batch.1)
        })?;
        Ok(early.get())
    })
    .unwrap();
    // The second layer, 330 parameters.
    assert_eq!(early, [330, 330]);
}

//! What ranks that see the whole batch find, beside one program that has all of it.

use std::rc::Rc;

use wengert_curvature::Objectives;
use wengert_data::Dataset;
use wengert_distributed::{BatchShards, Communicator, DataParallel, Failure, ShardedObjective};
use wengert_nn::{
    BatchNorm1d, BatchNorm2d, Checkpoint, Conv2d, Ctx, Layer, Linear, Losses, Params, Sequential, Shards,
};
use wengert_optim::{Curvatures, Objective, Operator, Sgd};
use wengert_tape::Var;
use wengert_tensor::Tensor;
use wengert_train::Trainer;

/// What rounding may make of numbers about 1.
const ROUNDING: f64 = 1e-12;

#[track_caller]
pub(crate) fn assert_close(found: &[f64], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let far = found.iter().zip(expected).find(|(a, b)| (*a - *b).abs() > ROUNDING * b.abs().max(1.0));
    assert!(far.is_none(), "{what}: {far:?}");
}

/// 3-4-2 with normalisation twice.
struct Net {
    hidden: Linear,
    norms: [BatchNorm1d; 2],
    out: Linear,
}

impl Net {
    fn new(params: &mut Params<f64>) -> Self {
        Net {
            hidden: Linear::new(params.at("hidden"), 3, 4),
            norms: [
                BatchNorm1d::new(params.at("norm"), 4),
                BatchNorm1d::builder(2).cumulative().build(params.at("last")),
            ],
            out: Linear::new(params.at("out"), 4, 2),
        }
    }

    fn forward(&self, cx: &Ctx<f64>, x: &Var<f64>) -> Var<f64> {
        let hidden = self.norms[0].forward(cx, &self.hidden.forward(cx, x)).tanh();
        self.norms[1].forward(cx, &self.out.forward(cx, &hidden))
    }
}

/// What a training leaves: parameters, running statistics and counts, losses, and the model's values in evaluation.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Left {
    pub(crate) values: Vec<f64>,
    pub(crate) buffers: Vec<f64>,
    pub(crate) counts: Vec<(String, i64)>,
    pub(crate) losses: Vec<f64>,
    pub(crate) scores: Vec<f64>,
}

/// Trains on so many examples in batches of 10.
pub(crate) fn train(group: Option<DataParallel>, examples: usize) -> Result<Left, Failure> {
    let mut params: Params<f64> = Params::seeded(1);
    let net = Net::new(&mut params);
    let x = Tensor::from_fn([examples, 3], |i| ((i[0] * 7 + i[1] * 5) % 11) as f64 / 2.0 - 2.5);
    let y = Tensor::from_fn([examples, 2], |i| ((i[0] * 3 + i[1]) % 5) as f64);
    let data = Dataset::new((x.clone(), y))?;
    let trainer = Trainer::new(&mut params, Sgd::new(0.05)).batch_size(10);
    let trainer = match group {
        Some(group) => trainer.parallel(group),
        None => trainer,
    };
    let finished = trainer.fit(&data, 2, |cx, (x, y)| net.forward(cx, x).mse(y))?;
    Ok(Left {
        values: params.values().to_vec(),
        buffers: params.buffer_values(),
        counts: params.counts(),
        losses: finished.history.rows.iter().map(|row| row.value).collect(),
        scores: params.infer(|cx| net.forward(cx, &Var::constant(x)).value().to_vec()),
    })
}

fn training(ranks: &Rc<dyn Communicator>) -> Result<(), Failure> {
    // The last batch has 3: less than one for each of four ranks.
    let alone = train(None, 43)?;
    let size = ranks.size();
    let groups = [DataParallel::new(ranks.clone()), DataParallel::deterministic(ranks.clone(), size)?];
    for group in groups {
        let found = train(Some(group.synchronised_statistics()?), 43)?;
        assert_close(&found.values, &alone.values, "parameters");
        assert_close(&found.buffers, &alone.buffers, "running statistics");
        assert_close(&found.losses, &alone.losses, "losses");
        assert_close(&found.scores, &alone.scores, "evaluation");
        assert_eq!(found.counts, alone.counts);
        // To the bit the same on all ranks.
        let mut first = found.buffers.clone();
        ranks.broadcast(wengert_distributed::Buffer::F64(&mut first), 0)?;
        assert!(first.iter().zip(&found.buffers).all(|(a, b)| a.to_bits() == b.to_bits()));
    }
    Ok(())
}

/// A convolution, normalised, recomputed in derivatives, and normalised again by a layer of the program's own.
struct Images(Checkpoint<Sequential<f64>>, Linear);

impl Images {
    fn new(params: &mut Params<f64>) -> Self {
        let block = Sequential::builder(params.at("block"))
            .with(|p| Conv2d::new(p, 2, 3, 2))
            .with(|p| BatchNorm2d::new(p, 3))
            .build();
        Images(Checkpoint::new(block), Linear::new(params.at("out"), 12, 3))
    }

    fn forward(&self, cx: &Ctx<f64>, x: &Var<f64>) -> Var<f64> {
        let y = self.0.forward(cx, x).tanh();
        let y = self.1.forward(cx, &y.reshape([y.shape()[0], 12]));
        // By the root of the mean square of the whole batch.
        let count = cx.sum_over_shards(&Var::scalar(y.len() as f64));
        let mean_square = cx.sum_over_shards(&y.square().sum()) / count;
        // And away from the mean of examples' means, which the shares weigh.
        (&y / mean_square.sqrt()) - cx.mean_over_shards(&y.mean())
    }
}

/// The examples of a shard of so many, of eleven in all.
fn examples(shard: usize, shards: usize) -> (Var<f64>, Tensor<u32>) {
    let own: Vec<usize> = (shard..11).step_by(shards).collect();
    let x = Tensor::from_fn([own.len(), 2, 3, 3], |i| {
        ((own[i[0]] * 31 + i[1] * 17 + i[2] * 5 + i[3] * 3) % 23) as f64 / 8.0 - 1.0
    });
    let labels = Tensor::from_fn([own.len()], |i| (own[i[0]] * 5 % 7 % 3) as u32);
    (Var::constant(x), labels)
}

/// Value, gradient, and products with the Hessian and the Gauss–Newton matrix.
fn derivatives(objective: &dyn Objective<f64>, at: &[f64]) -> [Vec<f64>; 4] {
    let n = at.len();
    let mut gradient = vec![0.0; n];
    let value = objective.value_and_gradient(at, &mut gradient);
    let along: Vec<f64> = (0..n).map(|i| (i as f64 * 0.7).sin()).collect();
    let apply = |operator: &dyn Operator<f64>| {
        let mut product = vec![0.0; n];
        operator.apply(&along, &mut product);
        product
    };
    let hessian = apply(&*objective.hessian(at).expect("the loss has one"));
    let gauss_newton = apply(&*objective.gauss_newton(at).expect("the loss has one"));
    [vec![value], gradient, hessian, gauss_newton]
}

fn second_order(ranks: &Rc<dyn Communicator>) -> Result<(), Failure> {
    let mut params: Params<f64> = Params::seeded(2);
    let model = &Images::new(&mut params);
    let objective = |(x, labels): (Var<f64>, Tensor<u32>), shards: Option<Rc<BatchShards>>| {
        let scores = move |cx: &Ctx<f64>| {
            shards.iter().for_each(|shards| cx.set_shards(shards.clone() as Rc<dyn Shards<f64>>));
            model.forward(cx, &x)
        };
        params.model_objective(scores, move |scores| scores.cross_entropy(&labels))
    };
    let expected = derivatives(&objective(examples(0, 1), None), params.values());
    let size = ranks.size();
    let own = examples(ranks.rank(), size);
    let count = own.1.len();
    let shards = Rc::new(BatchShards::new(ranks.clone(), count)?);
    let mut own = Some((own, Some(shards)));
    let sharded = ShardedObjective::mean(ranks.clone(), size, |_| {
        let (own, shards) = own.take().expect("one shard for each rank");
        (objective(own, shards), count)
    })?;
    let found = derivatives(&sharded, params.values());
    for (i, what) in ["value", "gradient", "Hessian", "Gauss–Newton"].into_iter().enumerate() {
        assert_close(&found[i], &expected[i], what);
    }
    Ok(())
}

/// All of it, on ranks over any transport.
pub(crate) fn of_the_whole_batch(ranks: &Rc<dyn Communicator>) -> Result<(), Failure> {
    training(ranks)?;
    second_order(ranks)
}

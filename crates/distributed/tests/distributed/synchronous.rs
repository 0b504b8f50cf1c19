//! Synchronous training on ranks that are threads: the same bits on any number of them, and the course of one program.

use wengert_data::{Dataset, Features, synthetic};
use wengert_distributed::communicator::Failure;
use wengert_distributed::threads::RankFailed;
use wengert_distributed::{Communicator, DataParallel, threads};
use wengert_nn::{BatchNorm1d, Ctx, Dropout, Layer, Linear, Losses, Params};
use wengert_optim::Adam;
use wengert_tape::Var;
use wengert_tensor::Tensor;
use wengert_train::metric::{Accuracy, Metrics, RocAuc};
use wengert_train::{Finished, Trainer};

use std::rc::Rc;

type Digits = Dataset<(Features, Tensor<u32>)>;

/// 784-16-10 with normalisation over the batch and dropout.
struct Net {
    hidden: Linear,
    norm: Option<BatchNorm1d>,
    out: Linear,
}

impl Net {
    fn new(params: &mut Params, normalised: bool) -> Self {
        Net {
            hidden: Linear::new(params.at("hidden"), 784, 16),
            norm: normalised.then(|| BatchNorm1d::new(params.at("norm"), 16)),
            out: Linear::new(params.at("out"), 16, 10),
        }
    }

    fn scores(&self, cx: &Ctx, images: &Var) -> Var {
        let hidden = self.hidden.forward(cx, images);
        let hidden = self.norm.as_ref().map_or_else(|| hidden.clone(), |norm| norm.forward(cx, &hidden));
        self.out.forward(cx, &Dropout::new(0.2).forward(cx, &hidden.relu()))
    }
}

/// Everything that a run leaves: parameters, buffers, counts, evaluations, history.
#[derive(Clone, Debug, PartialEq)]
struct Left {
    params: Vec<u32>,
    buffers: Vec<u32>,
    counts: Vec<(String, i64)>,
    step: u64,
    history: Vec<(String, u64, u64)>,
}

fn left(params: &Params, finished: &Finished) -> Left {
    let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    let rows = finished.history.rows.iter();
    Left {
        params: bits(params.values()),
        buffers: bits(&params.buffer_values()),
        counts: params.counts(),
        step: params.step(),
        history: rows
            .map(|row| (format!("{}.{}", row.set, row.name), row.step, row.value.to_bits()))
            .collect(),
    }
}

/// A batch of 32 examples and a net with normalisation, of which no shard has a single example, or one of 16 and a net without: of 150
/// examples the last batch then has 6, and of eight shards two are empty.
#[derive(Clone, Copy)]
enum Kind {
    Normalised,
    WithEmptyShards,
}

fn train(
    kind: Kind,
    ranks: usize,
    settings: impl Fn(Trainer<'_>) -> Trainer<'_> + Sync,
    group: impl Fn(Rc<dyn Communicator>) -> Result<DataParallel, Failure> + Sync,
) -> Result<Vec<Left>, RankFailed> {
    threads::run(ranks, |communicator| {
        let mut params: Params = Params::seeded(3);
        let finished = fit(kind, &mut params, &synthetic::digits(150, 0), |trainer| {
            Ok(settings(trainer.parallel(group(communicator.clone())?)))
        })?;
        Ok(left(&params, &finished))
    })
}

fn fit<'p>(
    kind: Kind,
    params: &'p mut Params,
    data: &Digits,
    settings: impl FnOnce(Trainer<'p>) -> Result<Trainer<'p>, Failure>,
) -> Result<Finished, Failure> {
    let normalised = matches!(kind, Kind::Normalised);
    let net = Net::new(params, normalised);
    let validation = synthetic::digits(70, 1);
    let mut metrics = Metrics::new().with(Accuracy::new()).with(RocAuc::new());
    let trainer =
        settings(Trainer::new(params, Adam::new(3e-3)).batch_size(if normalised { 32 } else { 16 }).seed(5))?;
    let finished = trainer.measures("validation", &metrics).fit_with(
        data,
        3,
        |cx, (images, labels)| net.scores(cx, images).cross_entropy(labels),
        |run| {
            run.validate("validation", validation.batches(20), &mut metrics, |cx, (images, labels)| {
                (net.scores(cx, &images), labels)
            })
        },
    )?;
    Ok(finished)
}

fn accumulating(trainer: Trainer<'_>) -> Trainer<'_> {
    trainer.accumulate(3).clip_norm(0.5)
}

fn plain(trainer: Trainer<'_>) -> Trainer<'_> {
    trainer
}

#[test]
fn eight_shards_give_the_same_bits_on_any_number_of_ranks() {
    for kind in [Kind::Normalised, Kind::WithEmptyShards] {
        let train =
            |ranks| train(kind, ranks, plain, |ranks| Ok(DataParallel::deterministic(ranks, 8)?)).unwrap();
        let alone = &train(1)[0];
        assert_eq!(alone.history.len(), 3 * 3);
        for ranks in [2, 3, 4, 5, 7, 8] {
            for (rank, left) in train(ranks).iter().enumerate() {
                assert_eq!(left, alone, "rank {rank} of {ranks}");
            }
        }
    }
}

#[test]
fn accumulation_and_clipping_keep_the_bits_too() {
    let group = |ranks| Ok(DataParallel::deterministic(ranks, 6)?);
    let train = |ranks| train(Kind::Normalised, ranks, accumulating, group).unwrap();
    let alone = &train(1)[0];
    for ranks in [2, 3, 4] {
        assert!(train(ranks).iter().all(|left| left == alone), "{ranks} ranks");
    }
}

#[test]
fn one_rank_has_the_bits_of_the_program_without_ranks() {
    let mut params: Params = Params::seeded(3);
    let finished = fit(Kind::Normalised, &mut params, &synthetic::digits(150, 0), Ok).unwrap();
    let serial = left(&params, &finished);
    let fast = train(Kind::Normalised, 1, plain, |ranks| Ok(DataParallel::new(ranks))).unwrap();
    assert_eq!(fast, std::slice::from_ref(&serial));
    let deterministic =
        train(Kind::Normalised, 1, plain, |ranks| Ok(DataParallel::deterministic(ranks, 1)?)).unwrap();
    assert_eq!(deterministic, [serial]);
}

/// The fast way differs from one program by rounding alone: without dropout, whose masks are others.
#[test]
fn ranks_have_the_course_of_one_program() {
    let run = |ranks: usize| {
        threads::run(ranks, |communicator| {
            let mut params: Params<f64> = Params::seeded(1);
            let line = Linear::new(params.root(), 3, 2);
            let inputs = Tensor::from_fn([37, 3], |i| ((i[0] * 7 + i[1] * 5) % 11) as f64 - 5.0);
            let targets = Tensor::from_fn([37, 2], |i| ((i[0] * 3 + i[1]) % 5) as f64);
            let data = Dataset::new((inputs, targets))?;
            let finished = Trainer::new(&mut params, Adam::new(0.05))
                .batch_size(10)
                .parallel(DataParallel::new(communicator))
                .fit(&data, 4, |cx, (x, y)| line.forward(cx, x).mse(y))?;
            let losses: Vec<f64> = finished.history.rows.iter().map(|row| row.value).collect();
            Ok((params.values().to_vec(), losses))
        })
        .unwrap()
    };
    let (alone, losses) = &run(1)[0];
    // Of the last batch's 7 examples, ranks have unequal shares.
    for ranks in [2, 3, 4] {
        for (values, found) in run(ranks) {
            let close = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-9);
            assert!(
                close(&values, alone) && close(&found, losses),
                "{ranks} ranks: {found:?}, not {losses:?}"
            );
        }
    }
}

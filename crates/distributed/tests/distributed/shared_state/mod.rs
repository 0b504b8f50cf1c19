//! Optimiser's state that is shared out among ranks, and gradients that are accumulated without communication.

mod resuming;

use std::ops::ControlFlow;
use std::rc::Rc;

use wengert_data::{Dataset, Features, synthetic};
use wengert_distributed::communicator::Failure;
use wengert_distributed::threads::RankFailed;
use wengert_distributed::{Communicator, DataParallel, threads};
use wengert_nn::{BatchNorm1d, Ctx, Dropout, Layer, Linear, Losses, Params};
use wengert_optim::first::{AdamWConfig, NonFinite, Share, is_elementwise, methods};
use wengert_optim::schedule::Cosine;
use wengert_optim::{AdamW, AdaptiveClip, Groups, Optimizer, by_name};
use wengert_state::State;
use wengert_tape::Var;
use wengert_tensor::Tensor;
use wengert_train::{Event, Moment, RunObserver, Segments, Trainer};

type Digits = Dataset<(Features, Tensor<u32>)>;

/// 784-64-10 with normalisation over the batch and dropout: 50,954 parameters, of which up to four ranks have a part.
struct Net(Linear, BatchNorm1d, Linear);

impl Net {
    fn new(params: &mut Params) -> Self {
        Net(
            Linear::new(params.at("hidden"), 784, 64),
            BatchNorm1d::new(params.at("norm"), 64),
            Linear::new(params.at("out"), 64, 10),
        )
    }

    fn loss(&self, cx: &Ctx, (images, labels): &(Var, Tensor<u32>)) -> Var {
        let hidden = self.1.forward(cx, &self.0.forward(cx, images)).relu();
        self.2.forward(cx, &Dropout::new(0.2).forward(cx, &hidden)).cross_entropy(labels)
    }
}

fn digits() -> Digits {
    synthetic::digits(96, 0)
}

fn on<R: Send>(ranks: usize, work: impl Fn(Rc<dyn Communicator>) -> Result<R, Failure> + Sync) -> Vec<R> {
    let found: Result<Vec<R>, RankFailed> = threads::run(ranks, work);
    found.unwrap()
}

/// Decay on matrices alone, a frozen layer between them, and rates of their own.
fn groups(params: &Params) -> Groups {
    let layout = params.segments();
    let groups = Groups::of(&layout).frozen("norm.weight").group("*.bias", |_| {
        AdamW::with_config(6e-3, AdamWConfig { weight_decay: 0.0, ..AdamWConfig::default() })
    });
    groups.rest(|_| Ok(AdamW::new(3e-3))).unwrap()
}

/// Everything that a run leaves: parameters, buffers, and the values of its history.
fn left(params: &Params, history: &wengert_train::History) -> (Vec<u32>, Vec<u64>) {
    let numbers = params.values().iter().chain(&params.buffer_values()).map(|x| x.to_bits()).collect();
    (numbers, history.rows.iter().map(|row| row.value.to_bits()).collect())
}

/// What three epochs leave, of six batches each, so that some updates have batches of two epochs if four make one.
fn trained(ranks: usize, accumulate: u64, shared: bool) -> Vec<(Vec<u32>, Vec<u64>)> {
    on(ranks, |communicator| {
        let mut params: Params = Params::seeded(3);
        let net = Net::new(&mut params);
        let optimizer = groups(&params);
        let workers = DataParallel::deterministic(communicator, 8)?;
        let finished = Trainer::new(&mut params, optimizer)
            .batch_size(16)
            .seed(5)
            .schedule(Cosine::new(3e-3, 10))
            .clip_value(0.02)
            .clip_norm(0.3)
            .accumulate(accumulate)
            .parallel(if shared { workers.shared_state() } else { workers })
            .fit(&digits(), 3, |cx, batch| net.loss(cx, batch))?;
        Ok(left(&params, &finished.history))
    })
}

#[test]
fn shared_state_has_the_bits_of_one_rank_with_all_of_it() {
    for accumulate in [1, 4] {
        let alone = &trained(1, accumulate, false)[0];
        assert_eq!(alone.1.len(), 3);
        for ranks in [1, 2, 3, 4, 8] {
            let found = trained(ranks, accumulate, true);
            assert!(found.iter().all(|left| left == alone), "{ranks} ranks, {accumulate} batches an update");
        }
    }
}

#[test]
fn batches_of_an_update_have_the_bits_of_one_rank() {
    let alone = &trained(1, 4, false)[0];
    for ranks in [2, 3, 4, 8] {
        assert!(trained(ranks, 4, false).iter().all(|left| left == alone), "{ranks} ranks");
    }
}

/// Every elementwise optimiser, also those that are evaluated elsewhere than where they take gradients.
#[test]
fn every_elementwise_optimiser_can_share_its_state() {
    let trained = |name: &str, ranks: usize, shared: bool| {
        on(ranks, |communicator| {
            let mut params: Params = Params::seeded(0);
            let model = Linear::new(params.root(), 784, 30);
            let optimizer = by_name(name, None, &params.segments())?;
            let workers = DataParallel::deterministic(communicator, 3)?;
            Trainer::new(&mut params, optimizer)
                .batch_size(48)
                .clip_norm(1.0)
                .parallel(if shared { workers.shared_state() } else { workers })
                .fit(&digits(), 2, |cx, (images, labels)| model.forward(cx, images).cross_entropy(labels))?;
            Ok(params.values().iter().map(|x| x.to_bits()).collect::<Vec<_>>())
        })
    };
    let mut tried = 0;
    for method in methods::<f32>().iter().filter(|method| is_elementwise(method.name)) {
        let alone = &trained(method.name, 1, false)[0];
        assert!(trained(method.name, 3, true).iter().all(|values| values == alone), "{}", method.name);
        tried += 1;
    }
    assert!(tried > 10);
}

/// Elements in all vectors of a state.
fn elements(state: &State) -> usize {
    let own: usize = state.vectors.values().map(|values| values.len()).sum();
    own + state.children.values().map(elements).sum::<usize>()
}

#[test]
fn each_rank_keeps_the_state_of_its_part() {
    for ranks in [2, 3, 4] {
        let kept = on(ranks, |communicator| {
            let mut params: Params = Params::seeded(0);
            let net = Net::new(&mut params);
            let len = params.len();
            let mut run = Trainer::new(&mut params, AdamW::new(1e-3))
                .parallel(DataParallel::new(communicator.clone()).shared_state())
                .start()?;
            for epoch in run.epochs(1)? {
                for batch in epoch.batches(digits().batches(32))? {
                    run.step(|cx| net.loss(cx, &batch))?;
                }
            }
            let optimizer = run.state().child("optimizer")?.clone();
            assert_eq!(optimizer.count("step")?, 3);
            Ok((elements(&optimizer), Share::of(len, communicator.rank(), ranks).range().len(), len))
        });
        for (elements, share, _) in &kept {
            assert_eq!(*elements, 2 * share, "{kept:?}");
        }
        assert_eq!(kept.iter().map(|(elements, ..)| elements).sum::<usize>(), 2 * kept[0].2, "{kept:?}");
        assert!(kept.iter().all(|(_, share, len)| *share > 0 && *share <= len / ranks + 16_384), "{kept:?}");
    }
}

/// The bytes that a rank sends do not grow with the number of batches that make an update.
#[test]
fn ranks_talk_once_an_update() {
    let sent = |accumulate: u64| {
        on(2, |communicator| {
            let mut params: Params = Params::seeded(0);
            let model = Linear::new(params.root(), 784, 10);
            let mut run = Trainer::new(&mut params, AdamW::new(1e-3))
                .accumulate(accumulate)
                .parallel(DataParallel::deterministic(communicator.clone(), 4)?)
                .start()?;
            let mut each = Vec::new();
            for epoch in run.epochs(1)? {
                for (images, labels) in epoch.batches(digits().batches(8))? {
                    let before = communicator.bytes_sent();
                    run.step(|cx| model.forward(cx, &images).cross_entropy(&labels))?;
                    each.push(communicator.bytes_sent() - before);
                }
            }
            Ok(each)
        })
    };
    let (each, fourth) = (sent(1).swap_remove(0), sent(4).swap_remove(0));
    // Two pieces a batch, twelve batches. Before the first of an epoch the ranks compare their parameters.
    assert_eq!(each.len(), 24);
    let gradient = 7850 * 4;
    for (piece, (&one, &four)) in each.iter().zip(&fourth).enumerate().skip(1) {
        let ends = |batches: usize| (piece + 1).is_multiple_of(2 * batches);
        assert_eq!(one >= gradient, ends(1), "{each:?}");
        assert_eq!(four >= gradient, ends(4), "{fourth:?}");
        assert!(ends(4) || four == 0, "{fourth:?}");
        assert!(four < gradient + 200, "{fourth:?}");
    }
}

/// The losses and outcomes that observers are told.
struct Told(Vec<(u64, u64, String)>);

impl RunObserver for Told {
    fn on(&mut self, event: &Event<'_>, now: &Moment) -> ControlFlow<String> {
        if let Event::Step(step) = event {
            let outcome = format!("{:?} of {}", step.outcome, step.examples);
            self.0.push((now.step, step.loss.to_bits(), outcome));
        }
        ControlFlow::Continue(())
    }
}

#[test]
fn observers_are_told_of_every_batch() {
    let told = |ranks: usize| {
        on(ranks, |communicator| {
            let mut params: Params = Params::seeded(0);
            let net = Net::new(&mut params);
            let mut told = Told(Vec::new());
            Trainer::new(&mut params, AdamW::new(1e-3))
                .batch_size(16)
                .accumulate(4)
                .parallel(DataParallel::deterministic(communicator, 4)?)
                .observe(&mut told)
                .fit(&digits(), 2, |cx, batch| net.loss(cx, batch))?;
            Ok(told.0)
        })
        .remove(0)
    };
    let alone = told(1);
    assert_eq!(alone.iter().map(|(step, ..)| *step).collect::<Vec<_>>(), (1..=12).collect::<Vec<_>>());
    assert!(
        alone[0].2.contains("Accumulated { gradients: 1 } of 16") && alone[3].2.contains("Updated"),
        "{alone:?}"
    );
    for ranks in [2, 3] {
        assert_eq!(told(ranks), alone);
    }
}

/// A loss of one rank, in one batch of an update, that is not finite.
#[test]
fn what_is_not_finite_on_one_rank_is_refused_or_skipped_by_all() {
    let trained = |policy: NonFinite, shared: bool| {
        on(2, |communicator| {
            let mut params: Params = Params::seeded(0);
            let model = Linear::new(params.root(), 784, 30);
            let rank = communicator.rank();
            let workers = DataParallel::new(communicator);
            let mut run = Trainer::new(&mut params, AdamW::new(1e-3))
                .accumulate(2)
                .non_finite(policy)
                .parallel(if shared { workers.shared_state() } else { workers })
                .start()?;
            let (mut batch, mut errors) = (0, Vec::new());
            let start = run.params().values().to_vec();
            for epoch in run.epochs(1)? {
                for (images, labels) in epoch.batches(digits().batches(24))? {
                    let scale = if rank == 1 && batch == 0 { f64::INFINITY } else { 1.0 };
                    let stepped = run.step(|cx| model.forward(cx, &images).cross_entropy(&labels) * scale);
                    errors.extend(stepped.err().map(|error| error.to_string()));
                    if batch == 1 {
                        assert!(run.params().values() == start);
                    }
                    batch += 1;
                }
            }
            assert!(run.params().values() != start && run.params().values().iter().all(|x| x.is_finite()));
            Ok(errors)
        })
    };
    for shared in [false, true] {
        assert_eq!(trained(NonFinite::Skip, shared), [const { Vec::<String>::new() }; 2]);
        let errors = trained(NonFinite::Error, shared);
        assert!(
            errors.iter().all(|errors| errors.len() == 1 && errors[0].contains("the loss is inf in step 2")),
            "{errors:?}"
        );
    }
}

#[test]
fn what_cannot_be_shared_out_is_refused_by_name() {
    let refused = |optimizer: fn(&Params) -> Box<dyn Optimizer>, units: bool| {
        let failed = threads::run(2, |communicator| {
            let mut params: Params = Params::seeded(0);
            Linear::new(params.root(), 784, 10);
            let optimizer = optimizer(&params);
            let clip = AdaptiveClip::new(0.1, 1e-3, &params.segments());
            let trainer = Trainer::new(&mut params, optimizer);
            let trainer = if units { trainer.clip_units(clip) } else { trainer };
            trainer.parallel(DataParallel::new(communicator).shared_state()).start()?;
            Ok(())
        });
        failed.unwrap_err().message
    };
    for name in ["lamb", "muon", "shampoo", "adafactor", "lookahead"] {
        let optimizer = match name {
            "lamb" => |params: &Params| by_name("lamb", None, &params.segments()).unwrap(),
            "muon" => |params: &Params| by_name("muon", None, &params.segments()).unwrap(),
            "shampoo" => |params: &Params| by_name("shampoo", None, &params.segments()).unwrap(),
            "adafactor" => |params: &Params| by_name("adafactor", None, &params.segments()).unwrap(),
            _ => |params: &Params| by_name("lookahead", None, &params.segments()).unwrap(),
        };
        let message = refused(optimizer, false);
        assert!(message.contains(&format!("{name} is not elementwise")), "{message}");
    }
    let message = refused(|_| Box::new(AdamW::new(0.1)), true);
    assert!(message.contains("clip_units"), "{message}");
}

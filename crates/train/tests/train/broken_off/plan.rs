//! Runs drawn at random.

use wengert_data::Dataset;
use wengert_nn::{BatchNorm1d, Ctx, Dropout, Init, Layer, Linear, ParamId, Params};
use wengert_optim::first::{AdaptiveClip, Goal, NonFinite, by_name, methods};
use wengert_optim::schedule::{
    AnySchedule, Constant, Cosine, CosineRestarts, Exponential, OneCycle, ReduceOnPlateau, StepDecay, Warmup,
};
use wengert_optim::{Average, EarlyStopping};
use wengert_tape::Var;
use wengert_tensor::Tensor;
use wengert_tensor::random::Generator;
use wengert_train::checkpoint::Checkpoints;
use wengert_train::metric::{Accuracy, ConfusionMatrix, LogLoss, Metrics};
use wengert_train::{Learner, Segments, Trainer};

/// Numbers of an example, and classes.
const WIDTH: usize = 6;
const CLASSES: u64 = 3;

pub(crate) type Examples = Dataset<(Tensor<f32>, Tensor<u32>)>;

/// What a run is, all of it drawn from one seed.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    seed: u64,
    examples: u64,
    pub(crate) batch_size: usize,
    pub(crate) drop_last: bool,
    pub(crate) epochs: u64,
    normalised: bool,
    dropout: f64,
    tied: bool,
    frozen: Option<&'static str>,
    optimizer: &'static str,
    schedule: u64,
    clip: u64,
    accumulate: u64,
    average: u64,
    stopping: Option<(&'static str, u64)>,
    plateau: Option<&'static str>,
    /// Losses that are not finite are skipped, and some are.
    pub(crate) skips: bool,
    /// A second network steps in every so many batches, in front of the first or behind it.
    pub(crate) critic: Option<(u64, bool)>,
    pub(crate) critic_optimizer: &'static str,
    pub(crate) prefetch: usize,
    /// Epochs from one validation to the next.
    pub(crate) validate_every: u64,
    /// Changes parameters in front of every step.
    pub(crate) changes_params: bool,
    /// Draws numbers of its own, and keeps the generator with the run.
    pub(crate) draws: bool,
    /// Notes a value of its own: behind epochs, in front of their batches, in front of steps and behind them.
    pub(crate) notes: [bool; 4],
    every_steps: Option<u64>,
    every_epochs: Option<u64>,
    keep: usize,
    best: Option<&'static str>,
}

/// Whether something with this chance happens.
fn chance(random: &mut Generator, p: f64) -> bool {
    random.bernoulli(p)
}

fn one_of<T: Copy>(random: &mut Generator, of: &[T]) -> T {
    of[random.below(of.len() as u64) as usize]
}

impl Plan {
    pub(crate) fn drawn(seed: u64) -> Self {
        let mut random = Generator::seeded(seed);
        let names: Vec<&'static str> = methods::<f32>().iter().map(|method| method.name).collect();
        let random = &mut random;
        let values = ["train.loss", "validation.accuracy", "validation.log_loss"];
        let optimizer = one_of(random, &names);
        // It takes several gradients a step, which nothing may look at.
        let plain = optimizer == "sam";
        let mut plan = Plan {
            seed,
            examples: 6 + random.below(30),
            batch_size: 2 + random.below(9) as usize,
            drop_last: chance(random, 0.3),
            epochs: 1 + random.below(5),
            normalised: chance(random, 0.5),
            dropout: one_of(random, &[0.0, 0.3]),
            tied: chance(random, 0.4),
            frozen: one_of(random, &[None, None, Some("hidden.bias"), Some("square.weight")]),
            optimizer,
            schedule: random.below(9),
            clip: if plain { 0 } else { random.below(5) },
            accumulate: if plain { 1 } else { one_of(random, &[1, 1, 2, 3]) },
            average: random.below(6),
            stopping: chance(random, 0.4).then(|| (one_of(random, &values), 1 + random.below(2))),
            plateau: chance(random, 0.4).then(|| one_of(random, &values)),
            skips: !plain && chance(random, 0.2),
            critic: chance(random, 0.4).then(|| (1 + random.below(3), chance(random, 0.5))),
            critic_optimizer: one_of(random, &names),
            prefetch: one_of(random, &[0, 0, 1, 3]),
            validate_every: 1 + random.below(2),
            changes_params: chance(random, 0.2),
            draws: chance(random, 0.5),
            notes: [0.3, 0.2, 0.2, 0.2].map(|p| chance(random, p)),
            every_steps: chance(random, 0.6).then(|| 1 + random.below(5)),
            every_epochs: chance(random, 0.3).then(|| 1 + random.below(2)),
            keep: 1 + random.below(3) as usize,
            best: chance(random, 0.4).then(|| one_of(random, &values)),
        };
        if plan.plateau.is_some() {
            plan.schedule = 0;
        }
        // Batch normalisation needs two examples, and every epoch a batch.
        if plan.examples % plan.batch_size as u64 == 1 {
            plan.examples += 1;
        }
        plan.drop_last &= plan.examples >= plan.batch_size as u64;
        // Losses that are skipped are drawn; and what is watched is to be measured.
        plan.skips &= plan.draws;
        plan.validate_every = plan.validate_every.min(plan.epochs);
        plan
    }

    /// Whether a loss that is not finite is an error, wherever it is taken: SAM does not look at its second one.
    pub(crate) fn looks_at_losses(&self) -> bool {
        !self.skips && self.optimizer != "sam"
    }

    /// Examples to learn from and to measure on.
    pub(crate) fn data(&self) -> (Examples, Examples) {
        let mut random = Generator::seeded(self.seed).fork(1);
        let mut of = |count: usize| {
            let mut values = vec![0.0; count * WIDTH];
            random.fill_normal(&mut values, 0.0, 1.0);
            let labels: Vec<u32> = (0..count).map(|_| random.below(CLASSES) as u32).collect();
            let features = Tensor::from_vec(values, [count, WIDTH]).unwrap();
            Dataset::new((features, Tensor::vector(&labels))).unwrap()
        };
        (of(self.examples as usize), of(7))
    }

    pub(crate) fn model(&self) -> (Params, Model) {
        let mut params = Params::seeded(self.seed);
        let model = Model {
            hidden: Linear::new(params.at("hidden"), WIDTH, 8),
            norm: self.normalised.then(|| BatchNorm1d::new(params.at("norm"), 8)),
            dropout: Dropout::new(self.dropout),
            square: params.at("square").param("weight", [8, 8], Init::xavier_uniform()),
            tied: self.tied,
            out: Linear::new(params.at("out"), 8, CLASSES as usize),
        };
        if let Some(name) = self.frozen {
            params.freeze(name);
        }
        (params, model)
    }

    pub(crate) fn critic(&self) -> (Params, Critic) {
        let mut params = Params::seeded(self.seed + 1);
        let critic = Critic {
            norm: BatchNorm1d::new(params.at("norm"), 8),
            dropout: Dropout::new(self.dropout),
            out: Linear::new(params.at("out"), 8, 1),
        };
        (params, critic)
    }

    pub(crate) fn metrics(&self) -> Metrics<f32, Tensor<u32>> {
        Metrics::new().with(Accuracy::new()).with(LogLoss::new()).with(ConfusionMatrix::new())
    }

    /// The run's settings.
    pub(crate) fn trainer<'p>(&self, params: &'p mut Params, critic: &'p mut Params) -> Trainer<'p> {
        let layout = params.segments();
        let clip = AdaptiveClip::new(0.1, 1e-3, &layout);
        let mut trainer = Trainer::new(params, by_name(self.optimizer, None, &layout).unwrap());
        trainer = match self.schedule {
            0..=1 => trainer,
            schedule => trainer.schedule(schedule_of(schedule)),
        };
        trainer = match self.clip {
            1 => trainer.clip_norm(0.5),
            2 => trainer.clip_value(0.1),
            3 => trainer.clip_units(clip),
            _ => trainer,
        };
        if self.accumulate > 1 {
            trainer = trainer.accumulate(self.accumulate);
        }
        trainer = match self.average {
            1 => trainer.average(Average::Exponential { decay: 0.8 }),
            2 => trainer.average(Average::Unbiased { decay: 0.8 }),
            3 => trainer.average_from(Average::Uniform, 3, 2),
            _ => trainer,
        };
        if self.skips {
            trainer = trainer.non_finite(NonFinite::Skip);
        }
        trainer = trainer.measures("validation", &self.metrics()).records("own.noise", Goal::Min);
        trainer = (0..self.notes.len())
            .fold(trainer, |trainer, place| trainer.records(&format!("own.sum{place}"), Goal::Min));
        if let Some((value, patience)) = self.stopping {
            trainer = trainer.early_stopping(value, EarlyStopping::new(patience, 0.01));
        }
        if let Some(value) = self.plateau {
            let mut plateau = ReduceOnPlateau::new(0.05);
            plateau.patience = 0;
            trainer = trainer.reduce_on_plateau(value, plateau);
        }
        if self.critic.is_some() {
            let optimizer = by_name(self.critic_optimizer, None, &critic.segments()).unwrap();
            let mut learner = Learner::new(critic, optimizer);
            if self.average == 1 {
                learner = learner.average(Average::Exponential { decay: 0.5 });
            }
            trainer = trainer.also("critic", learner);
        }
        trainer
    }

    pub(crate) fn checkpoints(&self, folder: &std::path::Path) -> Checkpoints {
        let mut rules = Checkpoints::new(folder).keep(self.keep);
        if let Some(steps) = self.every_steps {
            rules = rules.every_steps(steps);
        }
        if let Some(epochs) = self.every_epochs {
            rules = rules.every_epochs(epochs);
        }
        match self.best {
            Some(value) => rules.best(value),
            None => rules,
        }
    }
}

fn schedule_of(number: u64) -> AnySchedule {
    match number {
        2 => Constant::new(0.01).into(),
        3 => Cosine::new(0.02, 12).into(),
        4 => CosineRestarts::new(0.02, 3, 2).into(),
        5 => Exponential::new(0.02, 0.9).into(),
        6 => OneCycle::new(0.02, 15).into(),
        7 => StepDecay::new(0.02, 3, 0.5).into(),
        _ => AnySchedule::Warmup(Box::new(Warmup::new(4, Cosine::new(0.02, 8).into()))),
    }
}

/// Linear, batch normalisation, dropout, a matrix and (tied) its transposed, linear.
pub(crate) struct Model {
    hidden: Linear,
    norm: Option<BatchNorm1d>,
    dropout: Dropout,
    square: ParamId,
    tied: bool,
    out: Linear,
}

impl Model {
    pub(crate) fn features(&self, cx: &Ctx, x: &Var) -> Var {
        let mut hidden = self.hidden.forward(cx, x);
        if let Some(norm) = &self.norm {
            hidden = norm.forward(cx, &hidden);
        }
        let hidden = self.dropout.forward(cx, &hidden.relu());
        let square = cx.param(self.square);
        let hidden = hidden.matmul(&square).tanh();
        if self.tied { hidden.matmul(&square.t()) } else { hidden }
    }

    pub(crate) fn forward(&self, cx: &Ctx, x: &Var) -> Var {
        self.out.forward(cx, &self.features(cx, x))
    }
}

/// Tells features from noise.
pub(crate) struct Critic {
    norm: BatchNorm1d,
    dropout: Dropout,
    out: Linear,
}

impl Critic {
    pub(crate) fn forward(&self, cx: &Ctx, features: &Var) -> Var {
        self.out.forward(cx, &self.dropout.forward(cx, &self.norm.forward(cx, features)))
    }
}

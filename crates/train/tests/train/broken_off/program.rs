//! The program that trains, and breaks off where it is told to.

use std::cell::Cell;
use std::panic::resume_unwind;
use std::path::Path;

use wengert_nn::{Losses, Mode, Params};
use wengert_state::State;
use wengert_tape::Var;
use wengert_tensor::Tensor;
use wengert_tensor::random::Generator;
use wengert_train::{History, Run, StopReason, TrainError};

use super::plan::{Critic, Model, Plan};

/// How a program breaks off.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Break {
    /// A panic of the program; in a loss, too.
    Panic,
    /// An error that the program returns; in a loss, one that is not finite.
    Error,
    /// The program ends the run behind a batch.
    Stop,
}

/// Counts the places where a program can break off, and says whether this is the one.
#[derive(Debug, Default)]
pub(crate) struct Ticks {
    pub(crate) passed: Cell<u64>,
    pub(crate) at: Option<(u64, Break)>,
}

impl Ticks {
    fn now(&self) -> Option<Break> {
        let passed = self.passed.replace(self.passed.get() + 1);
        self.at.filter(|(at, _)| *at == passed).map(|(_, how)| how)
    }

    /// A place between the calls of a run.
    fn tick(&self) -> Result<(), TrainError> {
        match self.now() {
            Some(Break::Panic) => resume_unwind(Box::new("broken off")),
            Some(_) => Err(TrainError::Settings("broken off".to_owned())),
            None => Ok(()),
        }
    }

    /// A place in a loss.
    fn loss(&self, loss: Var, may_be_infinite: bool) -> Var {
        match self.now() {
            None => loss,
            Some(Break::Error) if may_be_infinite => loss * f32::NAN,
            Some(_) => resume_unwind(Box::new("broken off")),
        }
    }

    /// Whether the run is to be stopped behind this batch.
    fn stops(&self) -> bool {
        let passed = self.passed.get();
        self.at == Some((passed, Break::Stop)) && self.now().is_some()
    }
}

/// All that can be seen of how a run ended.
#[derive(Debug, PartialEq)]
pub(crate) struct End {
    pub(crate) params: State,
    pub(crate) critic: State,
    pub(crate) history: Vec<(u64, u64, String, u64)>,
    pub(crate) reason: Option<StopReason>,
}

fn rows(history: &History) -> Vec<(u64, u64, String, u64)> {
    let row = |row: &wengert_train::Row| {
        (row.epoch, row.step, format!("{}.{}", row.set, row.name), row.value.to_bits())
    };
    history.rows.iter().map(row).collect()
}

/// Trains by a plan, from the newest checkpoint of the folder if there is one; nothing if it was stopped.
pub(crate) fn train(plan: &Plan, folder: Option<&Path>, ticks: &Ticks) -> Result<Option<End>, TrainError> {
    let (examples, measured) = plan.data();
    let (mut params, model) = plan.model();
    let (mut others, critic) = plan.critic();
    let mut trainer = plan.trainer(&mut params, &mut others);
    if let Some(folder) = folder {
        trainer = trainer.checkpoints(plan.checkpoints(folder)).resume();
    }
    let mut metrics = plan.metrics();
    let mut noise = plan.draws.then(|| Generator::seeded(9));
    let mut run = trainer.start()?;
    if let Some(kept) = run.kept("noise") {
        noise = Some(Generator::try_from(kept)?);
    }
    let mut stopped = false;
    for epoch in run.epochs(plan.epochs)? {
        ticks.tick()?;
        note(plan, &mut run, 1, ticks)?;
        let mut batches = examples.batches(plan.batch_size).shuffled(7);
        if plan.drop_last {
            batches = batches.drop_last();
        }
        let batches = epoch.batches(batches)?;
        let batches: Box<dyn Iterator<Item = (Var, Tensor<u32>)>> = match plan.prefetch {
            0 => Box::new(batches),
            depth => Box::new(batches.prefetch(depth)),
        };
        for (x, labels) in batches {
            ticks.tick()?;
            batch(plan, &mut run, (&model, &critic), (&x, &labels), &mut noise, ticks)?;
            if ticks.stops() {
                run.stop("enough");
                stopped = true;
                break;
            }
            ticks.tick()?;
        }
        if stopped {
            break;
        }
        if epoch.number().is_multiple_of(plan.validate_every) {
            run.validate("validation", measured.batches(3), &mut metrics, |cx, (x, labels)| {
                if ticks.now().is_some() {
                    resume_unwind(Box::new("broken off"));
                }
                (model.forward(cx, &x), labels)
            })?;
            ticks.tick()?;
        }
        note(plan, &mut run, 0, ticks)?;
        if noise.is_some() {
            let drawn = draw(&mut run, &mut noise, ticks)?;
            run.record("own", &[("noise".to_owned(), drawn)])?;
        }
        ticks.tick()?;
    }
    let finished = run.finish()?;
    Ok((!stopped).then(|| End {
        params: params.state(),
        critic: others.state(),
        history: rows(&finished.history),
        reason: Some(finished.reason),
    }))
}

/// What is done with a batch: a step of the model, and one of the critic before or behind it in some of them.
fn batch(
    plan: &Plan,
    run: &mut Run<'_>,
    (model, critic): (&Model, &Critic),
    (x, labels): (&Var, &Tensor<u32>),
    noise: &mut Option<Generator>,
    ticks: &Ticks,
) -> Result<(), TrainError> {
    let number = run.now().batch;
    let judged = |run: &mut Run<'_>, noise: &mut Option<Generator>| {
        let made = run.params().infer_in(Mode::Train, |cx| model.features(cx, x));
        ticks.tick()?;
        let real = &made * 0.5 + draw(run, noise, ticks)? as f32;
        run.step_of("critic", |cx| {
            let loss = critic.forward(cx, &made).softplus().mean() - critic.forward(cx, &real).mean();
            ticks.loss(loss, plan.critic_optimizer != "sam")
        })?;
        ticks.tick()
    };
    let turn = plan.critic.filter(|(every, _)| number.is_multiple_of(*every));
    if turn.is_some_and(|(_, first)| first) {
        judged(run, noise)?;
    }
    let scale = 1.0 + 0.1 * draw(run, noise, ticks)? as f32;
    note(plan, run, 2, ticks)?;
    if plan.changes_params {
        shrink(run.params_mut());
        ticks.tick()?;
    }
    // One in ten is skipped.
    let skipped = plan.skips && draw(run, noise, ticks)? < 0.1;
    run.step(|cx| {
        let loss = model.forward(cx, &(x * scale)).cross_entropy(labels);
        let loss = if skipped { loss * f32::NAN } else { loss };
        ticks.loss(loss, plan.looks_at_losses())
    })?;
    ticks.tick()?;
    note(plan, run, 3, ticks)?;
    if turn.is_some_and(|(_, first)| !first) {
        judged(run, noise)?;
    }
    Ok(())
}

/// A number that the program draws, if it does; the generator is kept.
fn draw(run: &mut Run<'_>, noise: &mut Option<Generator>, ticks: &Ticks) -> Result<f64, TrainError> {
    let Some(noise) = noise else { return Ok(0.5) };
    let drawn = noise.uniform();
    ticks.tick()?;
    run.keep("noise", &*noise);
    ticks.tick()?;
    Ok(drawn)
}

/// A value that the program measures at such a place, if it does.
fn note(plan: &Plan, run: &mut Run<'_>, place: usize, ticks: &Ticks) -> Result<(), TrainError> {
    if plan.notes[place] {
        let size = run.params().values().iter().map(|x| f64::from(*x)).sum();
        run.record("own", &[(format!("sum{place}"), size)])?;
        ticks.tick()?;
    }
    Ok(())
}

/// A change of the program's own.
fn shrink(params: &mut Params) {
    params.values_mut().iter_mut().for_each(|value| *value *= 0.99);
}

//! Runs that are stopped anywhere, saved as text and gone on from end in the bits of those that were not, whatever numbers their
//! states have.

use std::ops::ControlFlow;

use crate::methods::{Rosenbrock, START, Visit, every_method};
use wengert_optim::first::{self, Scalar, Values};
use wengert_optim::minimize::{Counted, Iterate};
use wengert_optim::*;
use wengert_tensor::Float;

fn through_text(state: &State) -> State {
    let read = serde_json::from_str(&serde_json::to_string(state).unwrap()).unwrap();
    assert_eq!(&read, state);
    read
}

/// Interrupts each method everywhere, sends its state through text, and expects the bits of the uninterrupted run.
#[derive(Default)]
struct Resume {
    /// States with numbers that are not finite, which plain JSON does not have.
    not_finite: u64,
}

fn has_infinite(state: &State) -> bool {
    let vector = |values: &Values| matches!(values, Values::F64(v) if !vector::all_finite(v));
    state.scalars.values().any(|scalar| matches!(scalar, Scalar::Real(x) if !x.is_finite()))
        || state.vectors.values().any(vector)
        || state.children.values().any(has_infinite)
}

/// Steepest descent by fixed steps, which remembers numbers that are none.
struct Remembering(Stopping);

#[derive(serde::Serialize, serde::Deserialize)]
struct Memory {
    rate: f64,
    quotient: f32,
    bounds: Vec<f64>,
    last: Option<f64>,
}

impl Method<f64> for Remembering {
    type State = Memory;

    fn stopping(&self) -> &Stopping {
        &self.0
    }
    fn stopping_mut(&mut self) -> &mut Stopping {
        &mut self.0
    }
    fn check(&self, _: &Memory, _: usize) -> Result<(), MinimizeError> {
        Ok(())
    }
    fn begin(&self, _: &Counted<'_, f64>, _: &mut Iterate<f64>) -> Result<Memory, MinimizeError> {
        let bounds = vec![f64::NEG_INFINITY, f64::INFINITY];
        Ok(Memory { rate: 1e-3, quotient: f32::NAN, bounds, last: None })
    }
    fn advance(
        &self,
        problem: &Counted<'_, f64>,
        at: &mut Iterate<f64>,
        memory: &mut Memory,
    ) -> Result<f64, Reason> {
        // Shrinks once the bounds hold a number, and only a NaN is unlike itself.
        let unknown = memory.quotient.is_nan() && memory.bounds[1] == f64::INFINITY;
        memory.rate *= if unknown { 1.01 } else { 0.9 };
        memory.bounds[0] = memory.bounds[0].max(at.value);
        memory.last = Some(f64::NAN);
        let point: Vec<f64> = at.point.iter().zip(&at.gradient).map(|(x, g)| x - memory.rate * g).collect();
        let next = Iterate::at(problem, point);
        let step = memory.rate * vector::norm(&at.gradient);
        *at = next;
        Ok(step)
    }
}

/// What of a trace is the same in every run: all but the seconds.
fn steps(outcome: &Outcome<f64>) -> Vec<[u64; 6]> {
    let record = |r: &Record| {
        let Counts { values, gradients, products } = r.counts;
        [r.value.to_bits(), r.gradient_norm.to_bits(), r.step.to_bits(), values, gradients, products]
    };
    outcome.trace.iter().map(record).collect()
}

impl Visit for Resume {
    fn visit<M: Method<f64>>(&mut self, name: &str, method: &M) {
        let f = Rosenbrock::new(1.0);
        let whole = method.minimize(&f, &START).unwrap();
        for stop_at in 0..=whole.iterations {
            let mut saved = None;
            let stopped = method.minimize_with(&f, &START, |run| {
                if run.iterations < stop_at {
                    return ControlFlow::Continue(());
                }
                let state = run.to_state().unwrap();
                self.not_finite += u64::from(has_infinite(&state));
                saved = Some(through_text(&state));
                ControlFlow::Break(())
            });
            let stopped = stopped.unwrap();
            assert_eq!((stopped.reason, stopped.iterations), (Reason::Callback, stop_at), "{name}");
            let resumed = method.run_from(&f, &saved.unwrap(), &mut |_| ControlFlow::Continue(())).unwrap();
            let bits = |o: &Outcome<f64>| o.point.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&resumed), bits(&whole), "{name} at {stop_at}: {resumed}, whole {whole}");
            assert_eq!((resumed.reason, resumed.counts), (whole.reason, whole.counts), "{name} at {stop_at}");
            assert_eq!(resumed.iterations, whole.iterations, "{name} at {stop_at}");
            assert_eq!(steps(&resumed), steps(&whole), "{name} at {stop_at}");
            assert_eq!(resumed.multipliers, whole.multipliers, "{name} at {stop_at}");
        }
    }
}

#[test]
fn a_callback_stops_and_a_checkpoint_resumes_with_the_same_bits() {
    let mut resume = Resume::default();
    every_method(&Stopping { max_iterations: 60, ..Stopping::gradient(1e-6) }, 1.0, &mut resume);
    assert_eq!(resume.not_finite, 0);
    resume.visit("remembering", &Remembering(Stopping { max_iterations: 20, ..Stopping::default() }));
    assert_eq!(resume.not_finite, 21);
}

fn bits<T: Float>(x: &[T]) -> Vec<u64> {
    x.iter().map(|x| x.to_f64().to_bits()).collect()
}

const STEPS: usize = 12;

/// A gradient, in which one parameter's is not finite from the fourth step on if it is `poisoned`.
fn gradient<T: Float>(step: usize, poisoned: bool) -> Vec<T> {
    let mut gradient: Vec<T> =
        (0..8).map(|i| T::from_f64((0.7 * step as f64 + i as f64).sin() / 3.0)).collect();
    if poisoned && step >= 3 {
        gradient[5] = [T::from_f64(f64::NAN), T::INFINITY, -T::INFINITY][step % 3];
    }
    gradient
}

/// Goes on from every step of a run in another optimiser of the same settings.
fn every_step_resumes<T: Float>(name: &str, build: &dyn Fn() -> Box<dyn Optimizer<T>>, poisoned: bool) {
    let (mut whole, mut params) = (build(), vec![T::ONE; 8]);
    let mut saved = Vec::new();
    for step in 0..STEPS {
        saved.push((through_text(&whole.state()), params.clone()));
        whole.step(&mut params, &gradient(step, poisoned));
    }
    for (start, (state, mut theta)) in saved.into_iter().enumerate() {
        let mut resumed = build();
        resumed.load_state(&state).unwrap_or_else(|error| panic!("{name} before step {start}: {error}"));
        assert_eq!(resumed.state(), state, "{name} before step {start}");
        (start..STEPS).for_each(|step| resumed.step(&mut theta, &gradient(step, poisoned)));
        assert_eq!(bits(&theta), bits(&params), "{name} from step {start}");
        assert_eq!(resumed.state(), whole.state(), "{name} from step {start}");
    }
}

fn layout() -> Layout {
    Layout::new([("weight", vec![2, 3]), ("bias", vec![2])])
}

fn every_optimizer_resumes<T: Float + 'static>(poisoned: bool) {
    let methods = first::methods::<T>();
    assert!(methods.len() >= 20);
    for method in &methods {
        let plain = || method.build(method.learning_rate, &layout()).unwrap();
        every_step_resumes(method.name, &plain, poisoned);
        let ahead = || Box::new(Lookahead::new(plain(), 3, 0.5)) as Box<dyn Optimizer<T>>;
        every_step_resumes(&format!("lookahead of {}", method.name), &ahead, poisoned);
    }
}

#[test]
fn every_optimizer_goes_on_from_anywhere() {
    every_optimizer_resumes::<f32>(false);
    every_optimizer_resumes::<f64>(false);
}

#[test]
fn every_optimizer_goes_on_with_numbers_that_are_none() {
    every_optimizer_resumes::<f32>(true);
    every_optimizer_resumes::<f64>(true);
}

#[test]
fn averages_and_early_stopping_go_on_with_numbers_that_are_none() {
    for average in [Average::Uniform, Average::Exponential { decay: 0.9 }, Average::Unbiased { decay: 0.9 }] {
        let mut whole = Averaged::<f32>::new(average);
        for step in 0..STEPS {
            let mut resumed = Averaged::<f32>::new(average);
            resumed.load_state(&through_text(&whole.state())).unwrap();
            whole.update(&gradient(step, true));
            resumed.update(&gradient(step, true));
            assert_eq!(resumed.state(), whole.state(), "{average:?} at {step}");
        }
    }
    let mut whole = EarlyStopping::<f64>::new(3, 0.0);
    for (step, loss) in [f64::NAN, f64::INFINITY, 1.0, 2.0, f64::NEG_INFINITY, 0.0].into_iter().enumerate() {
        let mut resumed = EarlyStopping::<f64>::new(3, 0.0);
        resumed.load_state(&through_text(&whole.state())).unwrap();
        let params = gradient(step, true);
        assert_eq!(resumed.observe(loss, &params), whole.observe(loss, &params), "{step}");
        assert_eq!(resumed.state(), whole.state(), "{step}");
    }
}

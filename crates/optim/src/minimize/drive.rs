//! The loop around the methods: iterates, and says why it stopped.

use std::ops::ControlFlow;
use std::time::Instant;

use super::method::Method;
use super::noise::Noise;
use super::objective::{Counted, Objective};
use super::outcome::{Outcome, Reason};
use super::run::Run;
use super::vector::{self, Float};

pub(super) fn counted<'a, T: Float, M: Method<T> + ?Sized>(
    method: &M,
    objective: &'a dyn Objective<T>,
) -> Counted<'a, T> {
    let problem = Counted::new(objective);
    if method.reads_hessian() {
        problem.expecting_hessians()
    } else if method.reads_residuals() {
        problem.expecting_residuals()
    } else {
        problem
    }
}

/// Iterates until there is a reason not to. `clock` began when the run had taken `earlier` seconds.
pub(super) fn drive<T: Float, M: Method<T> + ?Sized>(
    method: &M,
    problem: &Counted<'_, T>,
    mut run: Run<T, M::State>,
    clock: Instant,
    earlier: f64,
    mut callback: impl FnMut(&Run<T, M::State>) -> ControlFlow<()>,
) -> Outcome<T> {
    let stopping = method.stopping();
    let tolerance = stopping.tolerance(run.initial_norm);
    problem.begin_run(tolerance, stopping.limits(clock, earlier));
    let seconds = || earlier + clock.elapsed().as_secs_f64();
    // What is used up, or was too little for a matrix.
    let spent = |iterations| {
        let used_up = stopping.exhausted(iterations, problem.counts(), seconds());
        used_up.or_else(|| problem.granted().err())
    };
    let mut before = run.current.clone();
    let mut curvature = None;
    let reason = loop {
        let norm = method.optimality(&run.current, &run.state);
        if callback(&run).is_break() {
            break Reason::Callback;
        }
        if stopping.target_value.is_some_and(|target| run.current.value <= target) {
            break Reason::TargetReached;
        }
        let escaped = if norm <= tolerance {
            let last = run.iterations >= stopping.max_iterations;
            let saddle = last.then(|| run.current.clone());
            let escape = method.escape(problem, &mut run.current, &mut run.state);
            if escape.step.is_none() {
                curvature = escape.curvature;
                break Reason::Converged;
            }
            // The way down would be an iteration too many.
            if let Some(saddle) = saddle {
                run.current = saddle;
                break Reason::MaxIterations;
            }
            escape.step
        } else {
            None
        };
        if escaped.is_none()
            && let Some(reason) = spent(run.iterations)
        {
            break reason;
        }
        let step = match escaped {
            Some(step) => step,
            None => match method.advance(problem, &mut run.current, &mut run.state) {
                Ok(step) => step,
                // Evaluations refused in the middle of an iteration may have looked like trouble to the method.
                Err(reason) => break spent(run.iterations).unwrap_or(reason),
            },
        };
        run.iterations = run.iterations.saturating_add(1);
        run.counts = problem.counts();
        if M::KEEPS_BEST {
            run.keep_best(&mut before);
        }
        let norm = method.optimality(&run.current, &run.state);
        run.record(norm, step, seconds());
    };
    Outcome { curvature, ..conclude(method, problem, run, reason, seconds()) }
}

/// The part of its value at the start to which a gradient has fallen where rounding may be all that is left.
const SMALL: f64 = 1e-4;

fn conclude<T: Float, M: Method<T> + ?Sized>(
    method: &M,
    problem: &Counted<'_, T>,
    mut run: Run<T, M::State>,
    mut reason: Reason,
    seconds: f64,
) -> Outcome<T> {
    let tolerance = method.stopping().tolerance(run.initial_norm);
    if reason != Reason::Converged
        && let Some(best) = run.best.take()
    {
        run.current = best;
    }
    let gradient_norm = method.optimality(&run.current, &run.state);
    // The last word: nothing is called converged, or left uncalled, but by the test at the returned point.
    match reason {
        _ if gradient_norm <= tolerance => {
            if let Reason::PrecisionLimit | Reason::NoProgress | Reason::NonFinite = reason {
                reason = Reason::Converged;
            }
        }
        Reason::Converged => reason = Reason::NoProgress,
        // Steps that are as short as rounding although the gradient is as large as ever: a kink.
        Reason::PrecisionLimit if gradient_norm > SMALL * run.initial_norm => {
            let noise = Noise::of::<T>(run.current.value);
            if !noise.hides(&run.current.point, vector::norm(&run.current.gradient)) {
                reason = Reason::NoProgress;
            }
        }
        _ => {}
    }
    let mut outcome = Outcome {
        point: run.current.point,
        value: run.current.value,
        gradient: run.current.gradient,
        gradient_norm,
        tolerance,
        reason,
        iterations: run.iterations,
        counts: problem.counts(),
        seconds,
        trace: run.trace,
        multipliers: None,
        curvature: None,
    };
    method.finish(&run.state, &mut outcome);
    outcome
}

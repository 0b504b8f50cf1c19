//! Connectionist temporal classification (Graves et al., 2006): how likely a sequence of labels is, summed over all ways to
//! spread it over the steps of a longer sequence with blanks between.
//!
//! Sums of probabilities are sums in the logarithm, in double precision.

use crate::array::element::Float;
use crate::compiled_here;
use crate::machine::parallel::for_each_chunk;

/// The sizes of a batch, and its labels.
#[derive(Clone, Copy, Debug)]
pub struct CtcBatch<'a> {
    /// Steps, sequences and classes: the shape of the logarithms of probabilities.
    pub shape: [usize; 3],
    /// The labels of each sequence, padded to the same number; below the number of classes.
    pub labels: &'a [u32],
    /// How many steps each sequence has, at most those of `shape`.
    pub steps: &'a [u32],
    /// How many labels each sequence has, at most as many as there are.
    pub counts: &'a [u32],
    /// The class that stands for no label.
    pub blank: u32,
}

/// A sequence of the batch.
struct Sequence<'a, T> {
    log_p: &'a [T],
    batch: &'a CtcBatch<'a>,
    n: usize,
    labels: &'a [u32],
    steps: usize,
}

impl<'a, T: Float> Sequence<'a, T> {
    fn of(log_p: &'a [T], batch: &'a CtcBatch<'a>, n: usize) -> Self {
        let most = batch.labels.len() / batch.shape[1].max(1);
        let labels = &batch.labels[n * most..][..batch.counts[n] as usize];
        Sequence { log_p, batch, n, labels, steps: batch.steps[n] as usize }
    }

    /// Labels with a blank before, between and behind them.
    fn states(&self) -> usize {
        2 * self.labels.len() + 1
    }

    fn class(&self, state: usize) -> u32 {
        if state.is_multiple_of(2) { self.batch.blank } else { self.labels[state / 2] }
    }

    /// Whether one may come to a state from the label before, over the blank between.
    fn skips(&self, state: usize) -> bool {
        state >= 2 && state % 2 == 1 && self.class(state) != self.class(state - 2)
    }

    fn at(&self, step: usize, state: usize) -> f64 {
        let [_, sequences, classes] = self.batch.shape;
        self.log_p[(step * sequences + self.n) * classes + self.class(state) as usize].to_f64()
    }

    /// For each step and state the logarithm of the probability of all ways there.
    fn forwards(&self) -> Vec<f64> {
        let states = self.states();
        let mut alpha = vec![f64::NEG_INFINITY; self.steps * states];
        for t in 0..self.steps {
            for s in 0..states {
                let ways = match t {
                    0 if s < 2 => 0.0,
                    0 => f64::NEG_INFINITY,
                    _ => {
                        let before = &alpha[(t - 1) * states..][..states];
                        let one = if s >= 1 { before[s - 1] } else { f64::NEG_INFINITY };
                        let two = if self.skips(s) { before[s - 2] } else { f64::NEG_INFINITY };
                        log_sum([before[s], one, two])
                    }
                };
                alpha[t * states + s] = ways + self.at(t, s);
            }
        }
        alpha
    }

    /// For each step and state the logarithm of the probability of all ways from there to the end, without the step itself.
    fn backwards(&self) -> Vec<f64> {
        let states = self.states();
        let mut beta = vec![f64::NEG_INFINITY; self.steps * states];
        for t in (0..self.steps).rev() {
            for s in 0..states {
                beta[t * states + s] = if t + 1 == self.steps {
                    if s + 2 >= states { 0.0 } else { f64::NEG_INFINITY }
                } else {
                    let next = |ahead: usize| beta[(t + 1) * states + s + ahead] + self.at(t + 1, s + ahead);
                    let one = if s + 1 < states { next(1) } else { f64::NEG_INFINITY };
                    let two = if s + 2 < states && self.skips(s + 2) { next(2) } else { f64::NEG_INFINITY };
                    log_sum([next(0), one, two])
                };
            }
        }
        beta
    }

    fn log_likelihood(&self, alpha: &[f64]) -> f64 {
        let states = self.states();
        if self.steps == 0 {
            return if self.labels.is_empty() { 0.0 } else { f64::NEG_INFINITY };
        }
        let last = &alpha[(self.steps - 1) * states..];
        let label = if states > 1 { last[states - 2] } else { f64::NEG_INFINITY };
        log_sum([last[states - 1], label, f64::NEG_INFINITY])
    }
}

/// ln Σ eˣ.
fn log_sum(x: [f64; 3]) -> f64 {
    let largest = x.into_iter().fold(f64::NEG_INFINITY, f64::max);
    if largest == f64::NEG_INFINITY {
        // All are, or NaN.
        return x.into_iter().sum();
    }
    largest + x.iter().map(|x| (x - largest).exp()).sum::<f64>().ln()
}

compiled_here! {
    /// −ln of the likelihood of each sequence's labels; infinite where there are too few steps for them.
    pub fn losses<T: Float>(log_p: &[T], batch: &CtcBatch<'_>, out: &mut [T]) {
        for_each_chunk(out, 1, batch.shape[1] > 1, |n, out| {
            let sequence = Sequence::of(log_p, batch, n);
            out[0] = T::from_f64(-sequence.log_likelihood(&sequence.forwards()));
        });
    }
}

compiled_here! {
    /// The gradients of the losses, each times its `scale`, as `[sequences, steps, classes]`: minus the probability, given the
    /// labels, of being at each step in each class.
    pub fn gradient<T: Float>(log_p: &[T], batch: &CtcBatch<'_>, scale: &[T], out: &mut [T]) {
        let [steps, sequences, classes] = batch.shape;
        if steps * classes == 0 {
            return;
        }
        for_each_chunk(out, steps * classes, sequences > 1, |start, out| {
            let n = start / (steps * classes);
            out.fill(T::ZERO);
            // What does not count has no gradient, also where the loss is infinite.
            if scale[n] == T::ZERO {
                return;
            }
            let sequence = Sequence::of(log_p, batch, n);
            let (alpha, beta, states) = (sequence.forwards(), sequence.backwards(), sequence.states());
            let total = sequence.log_likelihood(&alpha);
            for t in 0..sequence.steps {
                for s in 0..states {
                    let part = (alpha[t * states + s] + beta[t * states + s] - total).exp();
                    out[t * classes + sequence.class(s) as usize] -= scale[n] * T::from_f64(part);
                }
            }
        });
    }
}

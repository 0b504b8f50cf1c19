//! Drawing positions by weights.

use super::Generator;
use crate::array::element::Float;
use crate::array::size;
use crate::array::tensor::Tensor;
use crate::compiled_here;
use crate::machine::simd::Baseline;
use crate::math::Transcendental;

/// Panics unless each row, along the last axis, is one of weights: finite, not negative, and at least `positive` of them
/// above 0.
#[track_caller]
pub fn check_weights<T: Float>(operation: &str, weights: &Tensor<T>, positive: usize) {
    compiled_here! {
        fn fault<T: Float>(weights: &Tensor<T>, positive: usize) -> Option<String> {
            let classes = classes(weights);
            let weights = weights.to_vec();
            if let Some(bad) = weights.iter().find(|w| !(**w >= T::ZERO && w.is_finite())) {
                return Some(format!("the weight {bad} is not a finite number of at least 0"));
            }
            let count = |row: &[T]| row.iter().filter(|w| **w > T::ZERO).count();
            let row = weights.chunks(classes.max(1)).position(|row| count(row) < positive)?;
            let found = count(&weights[row * classes..][..classes]);
            Some(format!("row {row} has {found} positive weights, {positive} are needed"))
        }
    }
    check_axis(operation, weights, positive);
    if let Some(fault) = fault(weights, positive) {
        panic!("{operation}: {fault}");
    }
}

/// Panics unless each row, along the last axis, is one of unnormalised log-probabilities: neither NaN nor +∞, and not all −∞.
#[track_caller]
pub fn check_logits<T: Float>(operation: &str, logits: &Tensor<T>) {
    compiled_here! {
        fn fault<T: Float>(logits: &Tensor<T>) -> Option<String> {
            let classes = classes(logits);
            let logits = logits.to_vec();
            if let Some(bad) = logits.iter().find(|x| x.is_nan() || **x == T::INFINITY) {
                return Some(format!("the logit {bad} is no log-probability"));
            }
            let empty = |row: &[T]| row.iter().all(|x| *x == T::NEG_INFINITY);
            let row = logits.chunks(classes.max(1)).position(empty)?;
            Some(format!("all logits of row {row} are -inf"))
        }
    }
    check_axis(operation, logits, 1);
    if let Some(fault) = fault(logits) {
        panic!("{operation}: {fault}");
    }
}

#[track_caller]
fn check_axis<T: Float>(operation: &str, x: &Tensor<T>, needed: usize) {
    assert!(x.rank() > 0, "{operation}: a tensor of shape [] has no axis of classes");
    let rows = !x.is_empty() || x.shape()[..x.rank() - 1].iter().all(|&length| length > 0);
    let classes = classes(x);
    assert!(
        !rows || classes >= needed.min(1),
        "{operation}: shape {} has no classes to draw from",
        x.shape()
    );
    assert!(classes as u64 <= 1 << 32, "{operation}: {classes} classes do not fit into u32");
}

/// The length of the last axis.
fn classes<T: Float>(x: &Tensor<T>) -> usize {
    x.shape()[x.rank() - 1]
}

/// The number of rows along the last axis.
fn rows<T: Float>(x: &Tensor<T>) -> usize {
    x.shape()[..x.rank() - 1].iter().product()
}

impl Generator {
    /// For each row of weights, along the last axis, `count` positions with probabilities proportional to the weights, in
    /// the order in which they are drawn; row after row. With replacement each draw is by the sums of the weights so far;
    /// without, the positions are those of the `count` smallest of exponential times divided by the weights, which is
    /// the same as drawing one after another (P. S. Efraimidis and P. G. Spirakis, "Weighted random sampling with a
    /// reservoir", 2006). The numbers do not depend on the number of threads; this generator moves on by one block.
    ///
    /// # Panics
    /// If a weight is negative, infinite or NaN, a row has no positive one (without replacement, not `count` of them), or
    /// there is no axis or no memory for the result.
    ///
    /// ```
    /// # use wengert_tensor::{Tensor, random::Generator};
    /// let weights = Tensor::from([[0.0f32, 1.0, 1.0], [5.0, 0.0, 0.0]]);
    /// let mut generator = Generator::seeded(0);
    /// assert_eq!(generator.choose(&weights, 3, true)[3..], [0, 0, 0]);
    /// ```
    #[track_caller]
    pub fn choose<T: Float>(&mut self, weights: &Tensor<T>, count: usize, replacement: bool) -> Vec<u32> {
        compiled_here! {
            fn draw<T: Float>(g: &mut Generator, weights: &Tensor<T>, count: usize, replacement: bool) -> Vec<u32> {
                let (rows, classes) = (rows(weights), classes(weights));
                let weights = weights.to_vec();
                let mut drawn = vec![Vec::new(); rows];
                g.fill_each(&mut drawn, |own, row| {
                    let row = &weights[row * classes..][..classes];
                    if replacement { with_replacement(own, row, count) } else { races(own, row, count) }
                });
                drawn.concat()
            }
        }
        let needed = if replacement { count.min(1) } else { count };
        check_weights("choose", weights, needed);
        // Whether there is memory for the result.
        drop(size::list::<u32>("choose", size::product("choose", &[rows(weights), count])));
        draw(self, weights, count, replacement)
    }
}

fn with_replacement<T: Float>(generator: &mut Generator, weights: &[T], count: usize) -> Vec<u32> {
    // Scaled, lest the sum leave the range.
    let largest = weights.iter().map(|w| w.to_f64()).fold(0.0, f64::max);
    let mut sum = 0.0;
    let sums: Vec<f64> = weights
        .iter()
        .map(|w| {
            sum += w.to_f64() / largest;
            sum
        })
        .collect();
    let draw = || {
        let place = generator.uniform() * sum;
        // The first whose sum is above: one of a positive weight. Rounding may give `sum` itself.
        let i = sums.partition_point(|&s| s <= place);
        if i < sums.len() { i } else { sums.partition_point(|&s| s < sum) }
    };
    std::iter::repeat_with(draw).take(count).map(|i| i as u32).collect()
}

fn races<T: Float>(generator: &mut Generator, weights: &[T], count: usize) -> Vec<u32> {
    let mut times: Vec<(f64, u32)> = Vec::new();
    for (i, w) in weights.iter().enumerate().filter(|(_, w)| **w > T::ZERO) {
        let exponential = -Transcendental::ln::<Baseline>(1.0 - generator.uniform());
        // As logarithms, which the quotient of neither large nor small weights leaves.
        let time = Transcendental::ln::<Baseline>(exponential) - Transcendental::ln::<Baseline>(w.to_f64());
        times.push((time, i as u32));
    }
    times.sort_by(|a, b| a.0.total_cmp(&b.0));
    times.truncate(count);
    times.into_iter().map(|(_, i)| i).collect()
}

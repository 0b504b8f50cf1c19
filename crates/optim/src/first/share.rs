//! The parameters that one of several workers steps.

use std::ops::Range;

use wengert_tensor::Float;
use wengert_tensor::parallel::CHUNK;

use super::clip::root_of;
use super::loops::{piece_len, sum_of_squares};

/// Optimisers whose rule for an element of the parameters needs that element of the gradient and of their state alone.
const ELEMENTWISE: [&str; 18] = [
    "adadelta",
    "adagrad",
    "adam",
    "adamax",
    "adamw",
    "adan",
    "amsgrad",
    "gradient_descent",
    "lion",
    "momentum",
    "nadam",
    "nesterov",
    "radam",
    "rmsprop",
    "rprop",
    "schedule_free_adamw",
    "schedule_free_sgd",
    "sgd",
];

/// Whether the optimiser of this name gives the same bits when parts of the parameters have one each.
///
/// ```
/// use wengert_optim::first::is_elementwise;
/// assert!(is_elementwise("adam") && !is_elementwise("muon"));
/// ```
pub fn is_elementwise(optimizer: &str) -> bool {
    ELEMENTWISE.contains(&optimizer)
}

/// The part of a flat vector of parameters that one of several workers steps, so that the optimiser's state is shared out among them
/// ([`Optimizer::restrict`](super::Optimizer::restrict)).
///
/// Parts are consecutive, and end where the pieces do whose sums of squares are added for the
/// [global norm](super::global_norm): so the norm has the same bits however many workers bring [parts](Share::square_sums) of
/// it. There are at most 64 pieces, of at least 16,384 elements; with few of them some workers have no parameters.
///
/// Source: Rajbhandari et al., *ZeRO: memory optimizations toward training trillion parameter models*, 2020, stage 1.
///
/// ```
/// use wengert_optim::first::Share;
/// use wengert_optim::global_norm;
/// let gradient: Vec<f32> = (0..100_000).map(|i| (i as f32).sin()).collect();
/// let shares: Vec<Share> = (0..2).map(|worker| Share::of(100_000, worker, 2)).collect();
/// assert_eq!(shares[0].range(), 0..49_152);
/// let sums: Vec<f64> = shares.iter().flat_map(|share| share.square_sums(&gradient)).collect();
/// assert_eq!(Share::norm(&sums), Some(global_norm(&gradient)));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    range: Range<usize>,
    len: usize,
}

impl Share {
    /// The part of worker `worker` of `workers` of a vector of `len` elements.
    ///
    /// # Panics
    /// If `worker` is not below `workers`.
    #[track_caller]
    pub fn of(len: usize, worker: usize, workers: usize) -> Self {
        assert!(worker < workers, "Share::of: there is no worker {worker} of {workers}");
        let size = piece_len(len, CHUNK);
        let pieces = len.div_ceil(size);
        // In u128, as the product may not fit; of at most 64 pieces the first `len / size` are whole.
        let border = |worker: usize| {
            ((worker as u128 * pieces as u128 / workers as u128) as usize).saturating_mul(size).min(len)
        };
        Share { range: border(worker)..border(worker + 1), len }
    }

    /// Where it stands in the flat vector.
    pub fn range(&self) -> Range<usize> {
        self.range.clone()
    }

    /// The sums of squares of its pieces, of a vector of which its own part is looked at alone.
    ///
    /// # Panics
    /// If the vector does not have the length that it is a part of.
    #[track_caller]
    pub fn square_sums<T: Float>(&self, whole: &[T]) -> Vec<f64> {
        assert!(
            whole.len() == self.len,
            "Share::square_sums: {} elements, but it is a part of {}",
            whole.len(),
            self.len
        );
        let size = piece_len(self.len, CHUNK);
        whole[self.range.clone()].chunks(size).map(sum_of_squares).collect()
    }

    /// The global norm from the sums of all workers, in their order; none where that is left to
    /// [`global_norm`](super::global_norm) of the whole vector: if it is 0 or not finite, or squares have left the range of numbers.
    pub fn norm(sums: &[f64]) -> Option<f64> {
        root_of(sums.iter().sum())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Layout, NamedMethod, Optimizer, global_norm, methods};
    use super::*;

    #[test]
    fn shares_make_up_the_whole_and_its_norm() {
        for len in [0, 1, 16_384, 16_385, 100_000, 64 * 16_384, 64 * 16_384 + 1, 3_000_001] {
            let gradient: Vec<f32> = (0..len).map(|i| ((i * 7919) % 1009) as f32 - 504.0).collect();
            for workers in [1, 2, 3, 4, 7, 64, 100] {
                let shares: Vec<Share> = (0..workers).map(|worker| Share::of(len, worker, workers)).collect();
                let ends: Vec<usize> =
                    shares.iter().flat_map(|share| [share.range.start, share.range.end]).collect();
                assert!(ends.is_sorted() && ends[0] == 0 && ends.last() == Some(&len), "{len}: {ends:?}");
                assert!(ends[1..ends.len() - 1].chunks(2).all(|pair| pair[0] == pair[1]), "{len}: {ends:?}");
                let sums: Vec<f64> = shares.iter().flat_map(|share| share.square_sums(&gradient)).collect();
                let norm = Share::norm(&sums).unwrap_or_else(|| global_norm(&gradient));
                assert_eq!(norm.to_bits(), global_norm(&gradient).to_bits(), "{len} for {workers}");
            }
        }
    }

    /// 12 steps with gradients that differ by element and step.
    fn trained(optimizers: &mut [Box<dyn Optimizer<f32>>], lens: &[usize]) -> Vec<f32> {
        let mut theta: Vec<f32> = (0..lens.iter().sum()).map(|i| (i as f32).sin()).collect();
        for step in 0..12 {
            let slope = |i: usize| ((i * 7 + step * 3) as f32).cos() * 0.3;
            let grads: Vec<f32> = (0..theta.len()).map(slope).collect();
            let mut start = 0;
            for (optimizer, &len) in optimizers.iter_mut().zip(lens) {
                optimizer.step(&mut theta[start..start + len], &grads[start..start + len]);
                start += len;
            }
        }
        theta
    }

    #[test]
    fn the_names_are_those_that_can_be_divided() {
        let build =
            |method: &NamedMethod, layout: &Layout| method.build(method.learning_rate, layout).unwrap();
        for method in methods::<f32>() {
            let whole = Layout::new([("w", vec![6, 15])]);
            let optimizer = build(&method, &whole);
            assert_eq!(optimizer.is_elementwise(), is_elementwise(method.name), "{}", method.name);
            let whole = trained(&mut [optimizer], &[90]);
            let lens = [37, 53];
            let mut parts = lens.map(|len| build(&method, &Layout::flat(len)));
            let same = trained(&mut parts, &lens) == whole;
            // A step of SAM takes two gradients, and Lookahead has weights apart from those that are trained.
            let wraps = ["sam", "lookahead"].contains(&method.name);
            assert_eq!(same && !wraps, is_elementwise(method.name), "{}", method.name);
        }
    }
}

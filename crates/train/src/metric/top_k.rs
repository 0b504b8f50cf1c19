//! How often the right class is among the best.

use wengert_optim::first::Goal;
use wengert_state::State;
use wengert_tensor::{Float, Tensor};

use super::Metric;
use super::kept::{Share, kept_in, named};
use super::outputs::{Examples, refusal};

/// The fraction of examples whose label is among the `k` classes of the largest outputs; of equal outputs the first ones
/// count, as in [`Accuracy`](super::Accuracy).
///
/// Labels of [`IGNORED`](wengert_nn::IGNORED) do not count. An example with a NaN among its outputs is wrong.
///
/// ```
/// use wengert_tensor::Tensor;
/// use wengert_train::metric::{Metric, TopK};
/// let mut top_2 = TopK::new(2);
/// top_2.update(&Tensor::from([[0.2f32, 0.5, 0.3], [0.6, 0.1, 0.3]]), &Tensor::from([2, 1]));
/// assert_eq!((top_2.name(), top_2.value()), ("top_2_accuracy", 0.5));
/// ```
#[derive(Clone, Debug)]
pub struct TopK {
    name: String,
    k: usize,
    kept: Share,
}

impl TopK {
    /// Nothing taken in yet.
    ///
    /// # Panics
    /// If `k` is 0.
    #[track_caller]
    pub fn new(k: usize) -> Self {
        assert!(k > 0, "top_k: k is 0, but no class is among the best 0");
        TopK { name: format!("top_{k}_accuracy"), k, kept: Share::default() }
    }

    named!();

    /// The value over all that was taken in; NaN if that is nothing.
    pub fn value(&self) -> f64 {
        self.kept.value()
    }

    fn settings(&self) -> State {
        State::new("top_k", 0).with_count("k", self.k as u64)
    }
}

impl<T: Float> Metric<T> for TopK {
    kept_in!(kept);

    fn goal(&self) -> Goal {
        Goal::Max
    }

    fn refuses(&self, outputs: &Tensor<T>, labels: &Tensor<u32>) -> Option<String> {
        refusal(&self.name, outputs, labels).or_else(|| {
            let classes = Examples::new(outputs, labels).columns;
            (classes < self.k).then(|| {
                let shape = outputs.shape();
                format!("{}: outputs of shape {shape} have fewer than {} classes", self.name, self.k)
            })
        })
    }

    #[track_caller]
    fn update(&mut self, outputs: &Tensor<T>, labels: &Tensor<u32>) {
        super::expect_fit(self.refuses(outputs, labels));
        for (scores, label) in Examples::new(outputs, labels).iter() {
            let before = |(class, &score): (usize, &T)| {
                score > scores[label] || (score == scores[label] && class < label)
            };
            let rank = scores.iter().enumerate().filter(|&entry| before(entry)).count();
            self.kept.count(rank < self.k && !scores.iter().any(|score| score.is_nan()));
        }
    }
}

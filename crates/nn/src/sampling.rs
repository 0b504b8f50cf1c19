//! Drawing a token from a model's scores.

use wengert_tensor::Float;
use wengert_tensor::random::Generator;

/// How the next token is drawn from the scores (logits) that a model gives all of them: by the softmax of the scores divided
/// by a temperature, among the likeliest alone. The restrictions apply in the order of the methods here, as in other libraries.
///
/// ```
/// use wengert_nn::Sampling;
/// use wengert_tensor::random::Generator;
/// let logits = [0.0f32, 3.0, 2.0, -1.0];
/// let mut generator = Generator::seeded(0);
/// assert_eq!(Sampling::greedy().sample(&logits, &mut generator), 1);
/// let sampling = Sampling::new().temperature(0.8).top_k(3).top_p(0.9);
/// assert!([1, 2].contains(&sampling.sample(&logits, &mut generator)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampling {
    temperature: f64,
    top_k: Option<usize>,
    top_p: Option<f64>,
}

impl Default for Sampling {
    fn default() -> Self {
        Sampling::new()
    }
}

impl Sampling {
    /// By the softmax of the scores, without restriction.
    pub fn new() -> Self {
        Sampling { temperature: 1.0, top_k: None, top_p: None }
    }

    /// Always the token with the highest score, the first of equal ones.
    pub fn greedy() -> Self {
        Sampling { temperature: 0.0, ..Sampling::new() }
    }

    /// What the scores are divided by: below 1 the likely tokens become likelier, at 0 only the likeliest is left.
    ///
    /// # Panics
    /// If it is negative or not finite.
    #[must_use]
    #[track_caller]
    pub fn temperature(self, temperature: f64) -> Self {
        let sensible = temperature >= 0.0 && temperature.is_finite();
        assert!(sensible, "temperature: {temperature} is negative or not finite");
        Sampling { temperature, ..self }
    }

    /// Only the `k` tokens with the highest scores (Fan, Lewis and Dauphin, "Hierarchical neural story generation", 2018).
    ///
    /// # Panics
    /// If `k` is 0.
    #[must_use]
    #[track_caller]
    pub fn top_k(self, k: usize) -> Self {
        assert!(k > 0, "top_k: none of the tokens would be left");
        Sampling { top_k: Some(k), ..self }
    }

    /// Only the fewest likeliest tokens whose probabilities add up to `p` at least (Holtzman et al., "The curious case of neural
    /// text degeneration", 2020).
    ///
    /// # Panics
    /// If `p` is not in (0, 1].
    #[doc(alias = "nucleus")]
    #[must_use]
    #[track_caller]
    pub fn top_p(self, p: f64) -> Self {
        assert!(p > 0.0 && p <= 1.0, "top_p: the probability {p} is not in (0, 1]");
        Sampling { top_p: Some(p), ..self }
    }

    /// The probability of each token.
    ///
    /// # Panics
    /// If there are no tokens, a score is NaN or +∞, or all are −∞.
    ///
    /// ```
    /// use wengert_nn::Sampling;
    /// assert_eq!(Sampling::new().top_k(1).probabilities(&[1.0f64, 3.0, 2.0]), [0.0, 1.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn probabilities<T: Float>(&self, logits: &[T]) -> Vec<f64> {
        let logits: Vec<f64> = logits.iter().map(|x| x.to_f64()).collect();
        let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let faulty = logits.iter().find(|x| x.is_nan() || **x == f64::INFINITY);
        assert!(faulty.is_none(), "sample: one of {} scores is {}", logits.len(), faulty.unwrap_or(&0.0));
        assert!(largest > f64::NEG_INFINITY, "sample: of {} tokens none has a score above −∞", logits.len());
        // Likeliest first, of equal ones the first.
        let mut order: Vec<usize> = (0..logits.len()).collect();
        order.sort_by(|&a, &b| logits[b].total_cmp(&logits[a]));
        order.truncate(if self.temperature == 0.0 { 1 } else { self.top_k.unwrap_or(usize::MAX) });
        let scale = if self.temperature == 0.0 { 1.0 } else { self.temperature };
        let weight = |i: usize| ((logits[i] - largest) / scale).exp();
        let total: f64 = order.iter().map(|&i| weight(i)).sum();
        if let Some(p) = self.top_p {
            let mut sum = 0.0;
            let enough = order.iter().position(|&i| {
                sum += weight(i) / total;
                sum >= p
            });
            order.truncate(enough.map_or(order.len(), |last| last + 1));
        }
        let total: f64 = order.iter().map(|&i| weight(i)).sum();
        let mut probabilities = vec![0.0; logits.len()];
        for i in order {
            probabilities[i] = weight(i) / total;
        }
        probabilities
    }

    /// A token, drawn with its probability.
    ///
    /// # Panics
    /// Where [`probabilities`](Self::probabilities) does.
    #[doc(alias = "multinomial")]
    #[track_caller]
    pub fn sample<T: Float>(&self, logits: &[T], generator: &mut Generator) -> u32 {
        let probabilities = self.probabilities(logits);
        let mut left = generator.uniform();
        let mut drawn = 0;
        for (i, &p) in probabilities.iter().enumerate().filter(|(_, p)| **p > 0.0) {
            drawn = i;
            left -= p;
            if left < 0.0 {
                break;
            }
        }
        drawn as u32
    }
}

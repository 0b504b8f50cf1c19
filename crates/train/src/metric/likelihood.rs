//! How unexpected the labels are: log loss, perplexity, bits per character.

use wengert_state::{Scalar, State};
use wengert_tensor::{Float, Tensor};

use super::Metric;
use super::kept::{Total, kept_in, named};
use super::outputs::{Examples, Scale, small_by_scale};

/// Declares a metric that is a function of the mean of minus the logarithm of the labels' probabilities.
macro_rules! of_log_loss {
    ($(#[$doc:meta])* $Name:ident, $name:literal, $of:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $Name {
            name: String,
            scale: Scale,
            kept: Total,
        }

        impl $Name {
            /// Nothing taken in yet.
            #[allow(clippy::new_without_default, reason = "as the other metrics")]
            pub fn new() -> Self {
                $Name { name: $name.into(), scale: Scale::Logits, kept: Total::NOTHING }
            }

            /// Takes outputs for probabilities, not for logits of which they are the softmax. They are then kept 2⁻⁵² away from 0
            /// and 1, as scikit-learn does.
            pub fn probabilities(mut self) -> Self {
                self.scale = Scale::Probabilities;
                self
            }

            named!();

            /// The value over all that was taken in; NaN if that is nothing.
            pub fn value(&self) -> f64 {
                let of: fn(f64) -> f64 = $of;
                of(self.kept.mean())
            }

            fn settings(&self) -> State {
                State::new($name, 0).with_scalar("scale", Scalar::Text(self.scale.word().into()))
            }
        }

        impl<T: Float> Metric<T> for $Name {
            kept_in!(kept);

            small_by_scale!();

            #[track_caller]
            fn update(&mut self, outputs: &Tensor<T>, labels: &Tensor<u32>) {
                super::expect_fit(self.refuses(outputs, labels));
                for (scores, label) in Examples::new(outputs, labels).iter() {
                    self.kept.count(self.scale.surprise(scores, label));
                }
            }
        }
    };
}

of_log_loss! {
    /// The mean of minus the logarithm of the labels' probabilities: the cross-entropy, in nats.
    ///
    /// Labels of [`IGNORED`](wengert_nn::IGNORED) do not count. NaN if an output is.
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// use wengert_train::metric::{LogLoss, Metric};
    /// let mut loss = LogLoss::new();
    /// loss.update(&Tensor::from([[0.0f32; 4]; 3]), &Tensor::from([0, 3, 2]));
    /// assert_eq!(loss.value(), 4f64.ln());
    /// ```
    LogLoss, "log_loss", |mean| mean
}

of_log_loss! {
    /// How many equally likely tokens a model is as undecided as between: the exponential of [`LogLoss`], which see.
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// use wengert_train::metric::{Metric, Perplexity};
    /// let mut perplexity = Perplexity::new();
    /// perplexity.update(&Tensor::from([[[0.0f32; 4]; 3]]), &Tensor::from([[0, 3, 2]]));
    /// assert!((perplexity.value() - 4.0).abs() < 1e-12);
    /// ```
    Perplexity, "perplexity", f64::exp
}

of_log_loss! {
    /// [`LogLoss`] in bits, for each label that counts: of a model of characters, the bits that each character needs.
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// use wengert_train::metric::{BitsPerCharacter, Metric};
    /// let mut bits = BitsPerCharacter::new();
    /// bits.update(&Tensor::from([[[0.0f32; 4]; 3]]), &Tensor::from([[0, 3, 2]]));
    /// assert!((bits.value() - 2.0).abs() < 1e-12);
    /// ```
    BitsPerCharacter, "bits_per_character", |mean| mean / std::f64::consts::LN_2
}

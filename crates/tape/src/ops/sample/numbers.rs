//! Random numbers of a distribution, and those whose distribution is an element's.

use wengert_tensor::random::Generator;
use wengert_tensor::{Float, Shape, Tensor};

use crate::data::{Data, Index};
use crate::describe::Attributes;
use crate::op::{Cotangents, Op, Point, Saves, apply_given, rules_compiled_here};
use crate::ops::dropout::{check_key, generator};
use crate::var::Var;

/// A distribution of numbers.
#[derive(Clone, Copy)]
enum Distribution {
    Uniform { low: f64, high: f64 },
    Normal { mean: f64, std: f64 },
    Exponential { rate: f64 },
    Gumbel,
}

impl Distribution {
    fn name(self) -> &'static str {
        match self {
            Distribution::Uniform { .. } => "uniform",
            Distribution::Normal { .. } => "normal",
            Distribution::Exponential { .. } => "exponential",
            Distribution::Gumbel => "gumbel",
        }
    }

    #[track_caller]
    fn draw<T: Float>(self, shape: &Shape, generator: &mut Generator) -> Tensor<T> {
        // In double precision, which reaches further into the tail. 1 − u is in (0, 1].
        let exponential = |generator| -(1.0 - Tensor::<f64>::uniform(shape, 0.0, 1.0, generator)).ln();
        match self {
            Distribution::Uniform { low, high } => Tensor::uniform(shape, low, high, generator),
            Distribution::Normal { mean, std } => Tensor::normal(shape, mean, std, generator),
            Distribution::Exponential { rate } => (exponential(generator) / rate).cast(),
            Distribution::Gumbel => {
                // The next exponential number to 0, of which the logarithm is infinite, is 2⁻⁵³.
                let times = exponential(generator).clamp(f64::EPSILON * 0.25, f64::INFINITY);
                (-times.ln()).cast()
            }
        }
    }
}

/// Numbers of a distribution, by a generator in the given state.
struct Drawn {
    distribution: Distribution,
    shape: Shape,
}

impl<T: Float> Op<T> for Drawn {
    fn name(&self) -> &str {
        self.distribution.name()
    }
    fn describe(&self, attributes: &mut Attributes) {
        match self.distribution {
            Distribution::Uniform { low, high } => {
                attributes.set("low", low);
                attributes.set("high", high);
            }
            Distribution::Normal { mean, std } => {
                attributes.set("mean", mean);
                attributes.set("std", std);
            }
            Distribution::Exponential { rate } => attributes.set("rate", rate),
            Distribution::Gumbel => {}
        }
        attributes.set("shape", &self.shape);
    }
    fn forward(&self, _: &[&Tensor<T>]) -> Tensor<T> {
        unreachable!("{}: evaluated with its key", self.distribution.name())
    }
    fn evaluate(&self, _: &[&Tensor<T>], given: &[&Data<T>]) -> Data<T> {
        Data::Float(self.distribution.draw(&self.shape, &mut generator(given[0].index())))
    }
    fn vjp(&self, _: &Point<T>, _: &Var<T>, _: &mut Cotangents<T>) {}
    fn saves(&self) -> Saves {
        Saves::NOTHING
    }
    rules_compiled_here!(Drawn);
}

/// Numbers whose distribution an element says.
#[derive(Clone, Copy)]
enum Counts {
    /// 1 with the element as probability, else 0.
    Bernoulli,
    /// Of that mean.
    Poisson,
}

#[track_caller]
fn check_probabilities<T: Float>(p: &Tensor<T>) {
    let bad = p.to_vec().into_iter().find(|p| !(*p >= T::ZERO && *p <= T::ONE));
    if let Some(bad) = bad {
        panic!("bernoulli: the probability {bad} is not in [0, 1]");
    }
}

#[track_caller]
fn check_rates<T: Float>(rates: &Tensor<T>) {
    if let Some(bad) = rates.to_vec().into_iter().find(|r| !(0.0..=1.8e19).contains(&r.to_f64())) {
        panic!("poisson: the rate {bad} is not in [0, 1.8e19]");
    }
}

impl<T: Float> Op<T> for Counts {
    fn name(&self) -> &str {
        match self {
            Counts::Bernoulli => "bernoulli",
            Counts::Poisson => "poisson",
        }
    }
    fn forward(&self, _: &[&Tensor<T>]) -> Tensor<T> {
        unreachable!("{}: evaluated with its key", Op::<T>::name(self))
    }
    fn evaluate(&self, x: &[&Tensor<T>], given: &[&Data<T>]) -> Data<T> {
        let mut generator = generator(given[0].index());
        Data::Float(match self {
            Counts::Bernoulli => {
                check_probabilities(x[0]);
                let uniform = Tensor::uniform(x[0].shape(), 0.0, 1.0, &mut generator);
                uniform.lt(x[0]).cast()
            }
            Counts::Poisson => {
                let mut rates = x[0].clone();
                generator.poisson(rates.as_mut_slice());
                rates
            }
        })
    }
    fn vjp(&self, _: &Point<T>, _: &Var<T>, _: &mut Cotangents<T>) {}
    fn saves(&self) -> Saves {
        Saves::NOTHING
    }
    rules_compiled_here!(Counts);
}

#[track_caller]
fn drawn<T: Float>(distribution: Distribution, shape: Shape, key: Index<T>) -> Var<T> {
    check_key(distribution.name(), key.shape());
    shape.clone().checked(distribution.name());
    apply_given(Drawn { distribution, shape }, &[], &[key.given()])
}

impl<T: Float> Var<T> {
    /// Numbers uniform in [`low`, `high`). The `key`, made by [`Index::key`], is an operand, so a recording can be replayed
    /// with another one; the same key gives the same numbers on any number of threads. So it is for all that are drawn.
    ///
    /// ```
    /// use wengert_tape::{Index, Var};
    /// use wengert_tensor::random::Generator;
    /// let key = Index::key(&Generator::seeded(0));
    /// let x = Var::<f64>::uniform([1000], -1.0, 3.0, &key.fork(0));
    /// assert!((x.mean().item() - 1.0).abs() < 0.1);
    /// // Of another mean and deviation by arithmetic, through which derivatives go (D. P. Kingma and M. Welling, 2013).
    /// let (mean, std) = (Var::from([5.0]), Var::from([0.5]));
    /// let y = &mean + &std * Var::normal([1000], 0.0, 1.0, &key.fork(1));
    /// assert!((y.mean().item() - 5.0).abs() < 0.1);
    /// ```
    ///
    /// # Panics
    /// If a limit or their difference is not finite, `low` exceeds `high`, or the key does not consist of six words.
    #[doc(alias = "rand")]
    #[track_caller]
    pub fn uniform(shape: impl Into<Shape>, low: f64, high: f64, key: impl Into<Index<T>>) -> Var<T> {
        let [first, last] = [low, high].map(|x| T::from_f64(x));
        assert!(
            first <= last && (last - first).is_finite(),
            "uniform: [{low}, {high}) is not a finite interval of {}",
            T::NAME
        );
        drawn(Distribution::Uniform { low, high }, shape.into(), key.into())
    }

    /// Normal numbers of a mean and a standard deviation.
    ///
    /// # Panics
    /// If `mean` is not finite, `std` not finite or negative, or the key does not consist of six words.
    #[doc(alias = "randn")]
    #[track_caller]
    pub fn normal(shape: impl Into<Shape>, mean: f64, std: f64, key: impl Into<Index<T>>) -> Var<T> {
        let finite = T::from_f64(mean).is_finite() && T::from_f64(std).is_finite();
        assert!(
            finite && std >= 0.0,
            "normal: mean {mean} and standard deviation {std} must be finite, the latter not negative"
        );
        drawn(Distribution::Normal { mean, std }, shape.into(), key.into())
    }

    /// Exponential numbers of mean 1/`rate`.
    ///
    /// # Panics
    /// If `rate` is not positive and finite, or the key does not consist of six words.
    ///
    /// ```
    /// use wengert_tape::{Index, Var};
    /// use wengert_tensor::random::Generator;
    /// let x = Var::<f64>::exponential([4000], 2.0, &Index::key(&Generator::seeded(0)));
    /// assert!((x.mean().item() - 0.5).abs() < 0.05);
    /// ```
    #[track_caller]
    pub fn exponential(shape: impl Into<Shape>, rate: f64, key: impl Into<Index<T>>) -> Var<T> {
        let rated = T::from_f64(rate);
        assert!(
            rated > T::ZERO && rated.is_finite(),
            "exponential: the rate {rate} is not positive and finite"
        );
        drawn(Distribution::Exponential { rate }, shape.into(), key.into())
    }

    /// Numbers of the standard Gumbel distribution, −ln of exponential ones: where such are added to logits, the largest sum
    /// is at each position with the softmax's probability (E. J. Gumbel, 1954).
    ///
    /// # Panics
    /// If the key does not consist of six words.
    #[track_caller]
    pub fn gumbel(shape: impl Into<Shape>, key: impl Into<Index<T>>) -> Var<T> {
        drawn(Distribution::Gumbel, shape.into(), key.into())
    }

    /// 1 with the element as probability, else 0; the derivative is 0.
    ///
    /// # Panics
    /// If a probability is not in [0, 1], or the key does not consist of six words.
    ///
    /// ```
    /// use wengert_tape::{Index, Var};
    /// use wengert_tensor::random::Generator;
    /// let coins = Var::from([0.0f64, 1.0]).bernoulli(&Index::key(&Generator::seeded(0)));
    /// assert_eq!(coins.value().to_vec(), [0.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn bernoulli(&self, key: impl Into<Index<T>>) -> Var<T> {
        let key = key.into();
        check_key("bernoulli", key.shape());
        check_probabilities(self.value());
        apply_given(Counts::Bernoulli, &[self], &[key.given()])
    }

    /// Numbers of the Poisson distribution whose mean is the element; the derivative is 0.
    ///
    /// # Panics
    /// If a mean is negative, above 1.8·10¹⁹ or NaN, or the key does not consist of six words.
    ///
    /// ```
    /// use wengert_tape::{Index, Var};
    /// use wengert_tensor::random::Generator;
    /// let counts = (Var::<f64>::ones([4000]) * 3.0).poisson(&Index::key(&Generator::seeded(0)));
    /// assert!((counts.mean().item() - 3.0).abs() < 0.2);
    /// ```
    #[track_caller]
    pub fn poisson(&self, key: impl Into<Index<T>>) -> Var<T> {
        let key = key.into();
        check_key("poisson", key.shape());
        check_rates(self.value());
        apply_given(Counts::Poisson, &[self], &[key.given()])
    }
}

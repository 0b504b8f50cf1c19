//! Tensors of random numbers, drawn from a [`Generator`].

use crate::array::element::Float;
use crate::array::shape::Shape;
use crate::array::tensor::Tensor;
use crate::random::{self, Generator};

impl<T: Float> Tensor<T> {
    /// Numbers uniform in [`low`, `high`).
    ///
    /// # Panics
    /// If a limit or their difference is not finite, or `low` exceeds `high`.
    ///
    /// ```
    /// # use wengert_tensor::{Tensor, random::Generator};
    /// let x = Tensor::<f32>::uniform([2, 3], -1.0, 1.0, &mut Generator::seeded(0));
    /// assert!(x.ge(-1.0).all() && x.lt(1.0).all());
    /// ```
    #[track_caller]
    pub fn uniform(shape: impl Into<Shape>, low: f64, high: f64, generator: &mut Generator) -> Self {
        let distribution = random::Uniform::new("uniform", T::from_f64(low), T::from_f64(high));
        Tensor::filled_by("uniform", shape.into(), |out| random::fill_uniform(generator, out, distribution))
    }

    /// Normal numbers of the given mean and standard deviation.
    ///
    /// # Panics
    /// If `mean` is not finite, or `std` not finite or negative.
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// use wengert_tensor::random::Generator;
    /// let x = Tensor::<f64>::normal([4000], 5.0, 2.0, &mut Generator::seeded(0));
    /// assert!((x.mean().item() - 5.0).abs() < 0.15);
    /// ```
    #[track_caller]
    pub fn normal(shape: impl Into<Shape>, mean: f64, std: f64, generator: &mut Generator) -> Self {
        let distribution = random::Normal::new("normal", T::from_f64(mean), T::from_f64(std));
        Tensor::filled_by("normal", shape.into(), |out| random::fill_normal(generator, out, distribution))
    }

    /// Numbers of the normal distribution restricted to [`low`, `high`].
    ///
    /// # Panics
    /// If `mean` is not finite, `std` not positive and finite, `low` not below `high`, or the interval has no
    /// probability to working precision.
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// use wengert_tensor::random::Generator;
    /// let x = Tensor::<f64>::truncated_normal([1000], 0.0, 1.0, (-0.5, 2.0), &mut Generator::seeded(0));
    /// assert!(x.iter().all(|x| (-0.5..=2.0).contains(&x)));
    /// ```
    #[track_caller]
    pub fn truncated_normal(
        shape: impl Into<Shape>,
        mean: f64,
        std: f64,
        (low, high): (f64, f64),
        generator: &mut Generator,
    ) -> Self {
        let [mean, std, low, high] = [mean, std, low, high].map(T::from_f64);
        let distribution = random::TruncatedNormal::new("truncated_normal", mean, std, [low, high]);
        Tensor::filled_by("truncated_normal", shape.into(), |out| {
            random::fill_truncated_normal(generator, out, distribution);
        })
    }

    /// 1 with probability `p`, else 0.
    ///
    /// # Panics
    /// If `p` is not in [0, 1].
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// use wengert_tensor::random::Generator;
    /// let x = Tensor::<f64>::bernoulli([4000], 0.25, &mut Generator::seeded(0));
    /// assert!((x.mean().item() - 0.25).abs() < 0.05);
    /// ```
    #[track_caller]
    pub fn bernoulli(shape: impl Into<Shape>, p: f64, generator: &mut Generator) -> Self {
        let distribution = random::Bernoulli::new("bernoulli", p, [T::ZERO, T::ONE]);
        Tensor::filled_by("bernoulli", shape.into(), |out| {
            random::fill_bernoulli(generator, out, distribution)
        })
    }
}

impl Tensor<bool> {
    /// `true` with probability `p`: where [`bernoulli`](Tensor::bernoulli) gives 1.
    ///
    /// # Panics
    /// If `p` is not in [0, 1].
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// use wengert_tensor::random::Generator;
    /// let mask = Tensor::bernoulli_mask([3], 1.0, &mut Generator::seeded(0));
    /// assert_eq!(mask.to_vec(), [true; 3]);
    /// ```
    #[track_caller]
    pub fn bernoulli_mask(shape: impl Into<Shape>, p: f64, generator: &mut Generator) -> Self {
        let distribution = random::Bernoulli::new("bernoulli_mask", p, [false, true]);
        Tensor::filled_by("bernoulli_mask", shape.into(), |out| {
            random::fill_bernoulli_mask(generator, out, distribution);
        })
    }
}

impl Tensor<u32> {
    /// 0, 1, …, n − 1 in a uniformly random order.
    ///
    /// # Panics
    /// If `n` exceeds 2³².
    ///
    /// ```
    /// # use wengert_tensor::{Tensor, random::Generator};
    /// let order = Tensor::permutation(5, &mut Generator::seeded(0));
    /// assert_eq!(order.sort(0, false).to_vec(), [0, 1, 2, 3, 4]);
    /// ```
    #[track_caller]
    pub fn permutation(n: usize, generator: &mut Generator) -> Self {
        Tensor::from(generator.permutation(n))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensors_hold_what_the_generator_draws() {
        let mut a = Generator::seeded(1);
        let mut b = a.clone();
        let mut expected = vec![0f64; 600];
        b.fill_normal(&mut expected, 3.0, 0.5);
        assert_eq!(Tensor::<f64>::normal([20, 30], 3.0, 0.5, &mut a).to_vec(), expected);
        let ones = Tensor::<f32>::bernoulli([20, 30], 0.3, &mut a);
        assert_eq!(Tensor::bernoulli_mask([20, 30], 0.3, &mut b), ones.equal(1.0));
        assert_eq!(a, b);
        let cut = Tensor::<f32>::truncated_normal([1000], 0.0, 1.0, (-0.5, 2.0), &mut a);
        assert!(cut.ge(-0.5).all() && cut.le(2.0).all() && cut.var().item() > 0.1);
    }
}

//! Random masks.

use wengert_tensor::random::Generator;
use wengert_tensor::{Float, Shape, Tensor};

use crate::data::{Data, Index};
use crate::describe::Attributes;
use crate::op::{Cotangents, Op, Point, Saves, apply_given, rules_compiled_here};
use crate::ops::select::gated;
use crate::var::Var;

/// 0 with probability p, else 1 / (1 − p), drawn by a generator in the given state.
struct DropoutFactors {
    p: f64,
    shape: Shape,
}

impl<T: Float> Op<T> for DropoutFactors {
    fn name(&self) -> &str {
        "dropout_factors"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("p", self.p);
        attributes.set("shape", &self.shape);
    }
    fn forward(&self, _: &[&Tensor<T>]) -> Tensor<T> {
        unreachable!("dropout: evaluated with its key")
    }
    fn evaluate(&self, _: &[&Tensor<T>], given: &[&Data<T>]) -> Data<T> {
        let mut factors = Tensor::zeros(&self.shape);
        generator(given[0].index()).fill_bernoulli(factors.as_mut_slice(), 1.0 - self.p);
        if self.p < 1.0 {
            factors *= 1.0 / (1.0 - self.p);
        }
        Data::Float(factors)
    }
    fn vjp(&self, _: &Point<T>, _: &Var<T>, _: &mut Cotangents<T>) {}
    fn saves(&self) -> Saves {
        Saves::NOTHING
    }
    rules_compiled_here!(DropoutFactors);
}

/// The generator whose state the six words of a key are.
fn generator(key: &Tensor<u32>) -> Generator {
    let words = key.to_vec();
    let word = |i: usize| u64::from(words[2 * i]) | u64::from(words[2 * i + 1]) << 32;
    Generator::from_state([word(0), word(1), word(2)])
}

impl<T: Float> Index<T> {
    /// A generator's state as an operand, for operations that draw random numbers: six words, the low one of each number
    /// first.
    pub fn key(generator: &Generator) -> Self {
        let words = generator.state().into_iter().flat_map(|x| [x as u32, (x >> 32) as u32]);
        Index::constant(Tensor::vector(&words.collect::<Vec<u32>>()))
    }
}

impl<T: Float> Var<T> {
    /// Every element 0 with probability `p`, the others divided by 1 − p (Srivastava et al., "Dropout: a simple way to
    /// prevent neural networks from overfitting", 2014). The `key`, made by [`Index::key`], is an operand, so a recording
    /// can be replayed with another one.
    ///
    /// ```
    /// use wengert_tape::{Index, Var};
    /// use wengert_tensor::random::Generator;
    /// let key = Index::key(&Generator::seeded(0));
    /// let y = Var::<f64>::ones([1000]).dropout(0.2, &key);
    /// assert!(y.value().to_vec().iter().all(|&y| y == 0.0 || y == 1.25));
    /// assert!((y.mean().item() - 1.0).abs() < 0.1);
    /// ```
    ///
    /// # Panics
    /// If `p` is not in [0, 1], or the key does not consist of six words.
    #[track_caller]
    pub fn dropout(&self, p: f64, key: impl Into<Index<T>>) -> Var<T> {
        let key = key.into();
        assert!((0.0..=1.0).contains(&p), "dropout: the probability {p} is not in [0, 1]");
        assert!(key.shape() == &[6], "dropout: a key has six words, this one has shape {}", key.shape());
        let factors = DropoutFactors { p, shape: self.shape().clone() };
        gated(self, &apply_given(factors, &[], &[key.given()]))
    }
}

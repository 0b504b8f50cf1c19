//! Random masks.

use wengert_tensor::random::Generator;
use wengert_tensor::{Axes, Float, Shape, Tensor};

use crate::class::{Decision, decision};
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

/// The key of an independent generator.
struct Fork {
    number: u64,
}

impl<T: Float> Decision<T> for Fork {
    type Element = u32;
    fn name(&self) -> &str {
        "fork"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("number", self.number.to_string().as_str());
    }
    fn forward(&self, _: &[&Tensor<T>], given: &[&Data<T>]) -> Tensor<u32> {
        words(&generator(given[0].index()).fork(self.number))
    }
    rules_compiled_here!(Fork in DecisionOp);
}

/// The generator whose state the six words of a key are.
pub(super) fn generator(key: &Tensor<u32>) -> Generator {
    let word = |i: usize| u64::from(key.at([2 * i])) | u64::from(key.at([2 * i + 1])) << 32;
    Generator::from_state([word(0), word(1), word(2)])
}

fn words(generator: &Generator) -> Tensor<u32> {
    Tensor::written_for("key", [6], |words| {
        for (words, x) in words.chunks_exact_mut(2).zip(generator.state()) {
            words.copy_from_slice(&[x as u32, (x >> 32) as u32]);
        }
    })
}

#[track_caller]
pub(super) fn check_key(operation: &str, key: &Shape) {
    assert!(key == &[6], "{operation}: a key has six words, this one has shape {key}");
}

impl<T: Float> Index<T> {
    /// A generator's state as an operand, for operations that draw random numbers: six words, the low one of each number
    /// first.
    pub fn key(generator: &Generator) -> Self {
        Index::constant(words(generator))
    }

    /// The generator in the state that this key is.
    ///
    /// # Panics
    /// If it does not consist of six words.
    #[track_caller]
    pub fn generator(&self) -> Generator {
        check_key("generator", self.shape());
        generator(self.value())
    }

    /// The key of an independent generator: see [`Generator::fork`].
    ///
    /// ```
    /// use wengert_tape::Index;
    /// use wengert_tensor::random::Generator;
    /// let generator = Generator::seeded(3);
    /// assert_eq!(Index::<f32>::key(&generator).fork(1).generator(), generator.fork(1));
    /// ```
    ///
    /// # Panics
    /// If it does not consist of six words.
    #[must_use]
    #[track_caller]
    pub fn fork(&self, number: u64) -> Self {
        check_key("fork", self.shape());
        decision(Fork { number }, &[], &[self.given()])
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
        self.dropout_shared(p, &[] as &[usize], key)
    }

    /// [`dropout`](Var::dropout) of whole parts of x: what differs only along these axes becomes 0 together or stays
    /// together. Of images `[batch, channels, height, width]` the axes 2 and 3 make it one of whole channels (Tompson et
    /// al., "Efficient object localization using convolutional networks", 2015), the axes 1 to 3 of whole examples.
    ///
    /// ```
    /// use wengert_tape::{Index, Var};
    /// use wengert_tensor::random::Generator;
    /// let y = Var::<f64>::ones([50, 3]).dropout_shared(0.5, 1, Index::key(&Generator::seeded(0)));
    /// assert!(y.value().to_vec().chunks(3).all(|row| row == [0.0; 3] || row == [2.0; 3]));
    /// ```
    ///
    /// # Panics
    /// If `p` is not in [0, 1], an axis does not exist or is given twice, or the key does not consist of six words.
    #[track_caller]
    pub fn dropout_shared(&self, p: f64, axes: impl Into<Axes>, key: impl Into<Index<T>>) -> Var<T> {
        let (shared, key) = (axes.into().mask("dropout", self.shape()), key.into());
        assert!((0.0..=1.0).contains(&p), "dropout: the probability {p} is not in [0, 1]");
        check_key("dropout", key.shape());
        let shape = self.shape().iter().zip(shared).map(|(&length, shared)| if shared { 1 } else { length });
        let factors = DropoutFactors { p, shape: shape.collect() };
        gated(self, &apply_given(factors, &[], &[key.given()]))
    }
}

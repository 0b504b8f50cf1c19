//! Random slopes.

use wengert_tensor::{Float, Shape, Tensor};

use super::dropout::{check_key, generator};
use crate::data::{Data, Index};
use crate::describe::Attributes;
use crate::op::{Cotangents, Op, Point, Saves, apply_given, rules_compiled_here};
use crate::ops::select::gated;
use crate::var::Var;

/// 1 where x is positive, elsewhere uniform between two slopes, drawn by a generator in the given state.
struct Slopes {
    low: f64,
    high: f64,
}

impl<T: Float> Op<T> for Slopes {
    fn name(&self) -> &str {
        "rrelu_slopes"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("low", self.low);
        attributes.set("high", self.high);
    }
    fn forward(&self, _: &[&Tensor<T>]) -> Tensor<T> {
        unreachable!("rrelu: evaluated with its key")
    }
    fn evaluate(&self, x: &[&Tensor<T>], given: &[&Data<T>]) -> Data<T> {
        let mut slopes = Tensor::zeros(x[0].shape());
        let [low, high] = [self.low, self.high].map(T::from_f64);
        generator(given[0].index()).fill_uniform(slopes.as_mut_slice(), low, high);
        Data::Float(Tensor::select_where(&x[0].gt(0.0), &Tensor::ones([]), &slopes))
    }
    fn vjp(&self, _: &Point<T>, _: &Var<T>, _: &mut Cotangents<T>) {}
    fn jvp(&self, _: &Point<T>, _: &[Option<Var<T>>]) -> Option<Var<T>> {
        None
    }
    fn saves(&self) -> Saves {
        Saves::NOTHING
    }
    fn output_shape(&self, inputs: &[&Shape]) -> Option<Shape> {
        Some(inputs[0].clone())
    }
    rules_compiled_here!(Slopes);
}

impl<T: Float> Var<T> {
    /// x where it is positive, elsewhere x times a slope that is drawn for each element, uniformly in [low, high), from the
    /// `key` (Xu et al., "Empirical evaluation of rectified activations in convolutional network", 2015). The key is
    /// an operand, as in [`dropout`](Var::dropout).
    ///
    /// ```
    /// use wengert_tape::{Index, Var};
    /// use wengert_tensor::random::Generator;
    /// let y = Var::from([-1.0f64, 2.0]).rrelu(0.1, 0.3, Index::key(&Generator::seeded(0)));
    /// assert!((-0.3..=-0.1).contains(&y.value().at([0])) && y.value().at([1]) == 2.0);
    /// ```
    ///
    /// # Panics
    /// If `low > high`, either is not finite, or the key does not consist of six words.
    #[doc(alias = "RReLU")]
    #[track_caller]
    pub fn rrelu(&self, low: f64, high: f64, key: impl Into<Index<T>>) -> Var<T> {
        let key = key.into();
        assert!(low <= high && (high - low).is_finite(), "rrelu: slopes between {low} and {high}");
        check_key("rrelu", key.shape());
        gated(self, &apply_given(Slopes { low, high }, &[self], &[key.given()]))
    }
}

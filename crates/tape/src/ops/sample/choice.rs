//! Random positions and orders.

use wengert_tensor::random::{check_logits, check_weights};
use wengert_tensor::{Axis, Float, Tensor, size};

use crate::class::{Decision, decision};
use crate::data::{Data, Index};
use crate::describe::Attributes;
use crate::op::rules_compiled_here;
use crate::ops::dropout::{check_key, generator};
use crate::var::Var;

/// Positions along the last axis, by weights.
struct Multinomial {
    count: usize,
    replacement: bool,
}

impl<T: Float> Decision<T> for Multinomial {
    type Element = u32;
    fn name(&self) -> &str {
        "multinomial"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("count", self.count);
        attributes.set("replacement", self.replacement);
    }
    #[track_caller]
    fn forward(&self, x: &[&Tensor<T>], given: &[&Data<T>]) -> Tensor<u32> {
        let drawn = generator(given[0].index()).choose(x[0], self.count, self.replacement);
        let mut shape = x[0].shape().to_vec();
        *shape.last_mut().expect("checked to have an axis") = self.count;
        Tensor::from_vec(drawn, shape).expect("as many as were asked for")
    }
    rules_compiled_here!(Multinomial in DecisionOp);
}

/// A position along the last axis, by logits.
struct Categorical;

impl<T: Float> Decision<T> for Categorical {
    type Element = u32;
    fn name(&self) -> &str {
        "categorical"
    }
    #[track_caller]
    fn forward(&self, x: &[&Tensor<T>], given: &[&Data<T>]) -> Tensor<u32> {
        check_logits("categorical", x[0]);
        let (axes, _) = x[0].shape().split_at(x[0].rank() - 1);
        let probabilities = x[0].softmax(-1);
        let drawn = generator(given[0].index()).choose(&probabilities, 1, true);
        Tensor::from_vec(drawn, axes.to_vec()).expect("one of each row")
    }
    rules_compiled_here!(Categorical in DecisionOp);
}

/// The numbers from 0 in random order.
struct Permutation {
    count: usize,
}

impl<T: Float> Decision<T> for Permutation {
    type Element = u32;
    fn name(&self) -> &str {
        "permutation"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("count", self.count);
    }
    fn forward(&self, _: &[&Tensor<T>], given: &[&Data<T>]) -> Tensor<u32> {
        Tensor::permutation(self.count, &mut generator(given[0].index()))
    }
    rules_compiled_here!(Permutation in DecisionOp);
}

impl<T: Float> Index<T> {
    /// 0, 1, …, n − 1 in a random order that depends on the key.
    ///
    /// ```
    /// use wengert_tape::Index;
    /// use wengert_tensor::random::Generator;
    /// let order = Index::<f32>::permutation(5, &Index::key(&Generator::seeded(0)));
    /// assert_eq!(order.value().sort(0, false).to_vec(), [0, 1, 2, 3, 4]);
    /// ```
    ///
    /// # Panics
    /// If `n` exceeds 2³², or the key does not consist of six words.
    #[doc(alias = "randperm")]
    #[track_caller]
    pub fn permutation(n: usize, key: &Index<T>) -> Self {
        check_key("permutation", key.shape());
        size::check_positions("permutation", n);
        decision(Permutation { count: n }, &[], &[key.given()])
    }
}

impl<T: Float> Var<T> {
    /// For each row along the last axis, which goes away, a position drawn with the probabilities that are the softmax of
    /// its logits. Logits of −∞ are never drawn.
    ///
    /// ```
    /// use wengert_tape::{Index, Var};
    /// use wengert_tensor::random::Generator;
    /// let logits = Var::from([[0.0f64, f64::NEG_INFINITY], [f64::NEG_INFINITY, 0.0]]);
    /// let drawn: Index<f64> = logits.categorical(&Index::key(&Generator::seeded(0)));
    /// assert_eq!(drawn.value().to_vec(), [0, 1]);
    /// ```
    ///
    /// # Panics
    /// If there is no axis, a logit is NaN or +∞, all logits of a row are −∞, or the key does not consist of six words.
    #[track_caller]
    pub fn categorical(&self, key: impl Into<Index<T>>) -> Index<T> {
        let key = key.into();
        check_key("categorical", key.shape());
        check_logits("categorical", self.value());
        decision(Categorical, &[self], &[key.given()])
    }

    /// For each row along the last axis, `count` positions drawn with probabilities proportional to its weights, which need
    /// not have the sum 1. Without replacement none comes twice, and the order is that of drawing one after another.
    ///
    /// # Panics
    /// If there is no axis, a weight is negative, infinite or NaN, a row has no positive weight, or not `count` of them
    /// without replacement, or the key does not consist of six words.
    ///
    /// ```
    /// use wengert_tape::{Index, Var};
    /// use wengert_tensor::random::Generator;
    /// let key: Index<f64> = Index::key(&Generator::seeded(0));
    /// let drawn = Var::from([0.0f64, 1.0, 3.0]).multinomial(2, false, &key);
    /// assert_eq!(drawn.value().sort(0, false).to_vec(), [1, 2]);
    /// ```
    #[track_caller]
    pub fn multinomial(&self, count: usize, replacement: bool, key: impl Into<Index<T>>) -> Index<T> {
        let key = key.into();
        check_key("multinomial", key.shape());
        check_weights("multinomial", self.value(), if replacement { count.min(1) } else { count });
        decision(Multinomial { count, replacement }, &[self], &[key.given()])
    }

    /// softmax((logits + g)/`temperature`) along `axis` for Gumbel noise g: nearly the one-hot vectors of
    /// [`categorical`](Var::categorical) samples, and differentiable (E. Jang, S. Gu and B. Poole, "Categorical
    /// reparameterization with Gumbel-softmax", 2016). If `hard`, the values are one-hot vectors and the derivatives those of
    /// the softmax, straight through.
    ///
    /// ```
    /// use wengert_tape::{Index, Var, grad};
    /// use wengert_tensor::random::Generator;
    /// let (logits, key) = (Var::from([[1.0f64, 2.0, 0.5]]), Index::key(&Generator::seeded(1)));
    /// let sample = logits.gumbel_softmax(0.5, true, -1, &key);
    /// assert_eq!((sample.sum().item(), sample.max().item()), (1.0, 1.0));
    /// let slope = grad(|x: &Var<f64>| x.gumbel_softmax(0.5, true, -1, &key).slice_axis(1, ..1).sum(), &logits);
    /// assert!(slope.abs().sum().item() > 0.0);
    /// ```
    ///
    /// # Panics
    /// If `temperature` is not positive and finite, there is no such axis, or the key does not consist of six words.
    #[track_caller]
    pub fn gumbel_softmax(
        &self,
        temperature: f64,
        hard: bool,
        axis: impl Into<Axis>,
        key: impl Into<Index<T>>,
    ) -> Var<T> {
        assert!(
            temperature > 0.0 && temperature.is_finite(),
            "gumbel_softmax: the temperature {temperature} is not positive and finite"
        );
        let axis = self.shape().axis("gumbel_softmax", axis);
        let key = key.into();
        check_key("gumbel_softmax", key.shape());
        let soft = ((self + Var::gumbel(self.shape(), key)) / temperature).softmax(axis);
        if !hard || soft.is_empty() {
            return soft;
        }
        let classes = self.shape()[axis];
        let last = self.rank() - 1;
        let hot = soft.argmax(axis).one_hot(classes);
        // The classes of one-hot vectors are the last axis: back to their place.
        let mut order: Vec<i32> = (0..last as i32).collect();
        order.insert(axis, last as i32);
        hot.permute(&order[..]) + (&soft - soft.stop_gradient())
    }
}

//! Comparisons, the positions of the largest and smallest elements, and what is made of masks and labels.

use std::marker::PhantomData;

use wengert_tensor::{Axis, Float, Shape, Tensor};

use crate::class::{Decision, decision};
use crate::data::{Data, Discrete, DiscreteElement, Index, Mask};
use crate::describe::Attributes;
use crate::op::{Cotangents, Op, Point, Saves, apply_given, rules_compiled_here};
use crate::ops::arithmetic::{Operand, Side};
use crate::var::Var;

/// A comparison of two inputs, or of one with a number.
struct Comparison {
    relation: Relation,
    number: Option<f64>,
}

#[derive(Clone, Copy)]
enum Relation {
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Equal,
    NotEqual,
}

impl Relation {
    #[track_caller]
    fn of<T: Float>(self, a: &Tensor<T>, b: impl wengert_tensor::Operand<T>) -> Tensor<bool> {
        match self {
            Relation::Greater => a.gt(b),
            Relation::GreaterOrEqual => a.ge(b),
            Relation::Less => a.lt(b),
            Relation::LessOrEqual => a.le(b),
            Relation::Equal => a.equal(b),
            Relation::NotEqual => a.not_equal(b),
        }
    }

    #[track_caller]
    fn decide<T: Float>(self, x: &Var<T>, other: impl Operand<T>) -> Mask<T> {
        let side = other.side();
        let other = match &side {
            Side::Number(number) => {
                let comparison = Comparison { relation: self, number: Some(*number) };
                return decision(comparison, &[x], &[]);
            }
            Side::Variable(other) => *other,
            Side::Constant(other) => other,
        };
        decision(Comparison { relation: self, number: None }, &[x, other], &[])
    }
}

impl<T: Float> Decision<T> for Comparison {
    type Element = bool;
    fn name(&self) -> &str {
        match self.relation {
            Relation::Greater => "gt",
            Relation::GreaterOrEqual => "ge",
            Relation::Less => "lt",
            Relation::LessOrEqual => "le",
            Relation::Equal => "equal",
            Relation::NotEqual => "not_equal",
        }
    }
    fn describe(&self, attributes: &mut Attributes) {
        if let Some(number) = self.number {
            attributes.set("number", number);
        }
    }
    #[track_caller]
    fn forward(&self, inputs: &[&Tensor<T>], _: &[&Data<T>]) -> Tensor<bool> {
        match self.number {
            Some(number) => self.relation.of(inputs[0], number),
            None => self.relation.of(inputs[0], inputs[1]),
        }
    }
    rules_compiled_here!(Comparison in DecisionOp);
}

/// The position of the largest or smallest element along an axis.
struct ExtremePosition {
    largest: bool,
    axis: usize,
}

impl<T: Float> Decision<T> for ExtremePosition {
    type Element = u32;
    fn name(&self) -> &str {
        if self.largest { "argmax" } else { "argmin" }
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("axis", self.axis);
    }
    #[track_caller]
    fn forward(&self, inputs: &[&Tensor<T>], _: &[&Data<T>]) -> Tensor<u32> {
        if self.largest { inputs[0].argmax(self.axis) } else { inputs[0].argmin(self.axis) }
    }
    rules_compiled_here!(ExtremePosition in DecisionOp);
}

/// The positions of the true elements in row-major order.
pub(super) struct Nonzero;

impl<T: Float> Decision<T> for Nonzero {
    type Element = u32;
    fn name(&self) -> &str {
        "nonzero"
    }
    fn forward(&self, _: &[&Tensor<T>], given: &[&Data<T>]) -> Tensor<u32> {
        let chosen = given[0].mask().to_vec().into_iter().enumerate().filter(|(_, m)| *m);
        Tensor::vector(&chosen.map(|(i, _)| i as u32).collect::<Vec<u32>>())
    }
    rules_compiled_here!(Nonzero in DecisionOp);
}

/// The same elements under another shape.
struct Reshaped<E>(Shape, PhantomData<E>);

impl<E: DiscreteElement, T: Float> Decision<T> for Reshaped<E> {
    type Element = E;
    fn name(&self) -> &str {
        "reshape"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("shape", &self.0);
    }
    #[track_caller]
    fn forward(&self, _: &[&Tensor<T>], given: &[&Data<T>]) -> Tensor<E> {
        E::of_data(given[0]).reshape(&self.0)
    }
}

impl<E: DiscreteElement, T: Float> Discrete<E, T> {
    /// The elements in row-major order under another shape.
    ///
    /// # Panics
    /// If the number of elements differs.
    #[track_caller]
    pub fn reshape(&self, shape: impl Into<Shape>) -> Self {
        let shape = shape.into();
        if &shape == self.shape() {
            return self.clone();
        }
        decision(Reshaped(shape, PhantomData), &[], &[self.given()])
    }
}

/// Whether elements are among those of the second input.
struct IsIn;

impl<T: Float> Decision<T> for IsIn {
    type Element = bool;
    fn name(&self) -> &str {
        "is_in"
    }
    fn forward(&self, x: &[&Tensor<T>], _: &[&Data<T>]) -> Tensor<bool> {
        let mut set: Vec<T> = x[1].to_vec().into_iter().filter(|x| !x.is_nan()).collect();
        let order = |a: &T, b: &T| a.partial_cmp(b).expect("no NaN");
        set.sort_unstable_by(order);
        let found = |x: &T| !x.is_nan() && set.binary_search_by(|s| order(s, x)).is_ok();
        let found: Vec<bool> = x[0].to_vec().iter().map(found).collect();
        Tensor::vector(&found).reshape(x[0].shape())
    }
    rules_compiled_here!(IsIn in DecisionOp);
}

/// A row for each label, with 1 at the label's position.
struct OneHot {
    classes: usize,
}

impl<T: Float> Op<T> for OneHot {
    fn name(&self) -> &str {
        "one_hot"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("classes", self.classes);
    }
    fn forward(&self, _: &[&Tensor<T>]) -> Tensor<T> {
        unreachable!("one_hot: evaluated with its labels")
    }
    #[track_caller]
    fn evaluate(&self, _: &[&Tensor<T>], given: &[&Data<T>]) -> Data<T> {
        Data::Float(Tensor::one_hot(given[0].index(), self.classes))
    }
    fn vjp(&self, _: &Point<T>, _: &Var<T>, _: &mut Cotangents<T>) {}
    fn saves(&self) -> Saves {
        Saves::NOTHING
    }
    rules_compiled_here!(OneHot);
}

impl<T: Float> Index<T> {
    /// One row per label, 1 at the label's position and 0 elsewhere: shape `labels.shape() + [classes]`.
    ///
    /// # Panics
    /// If a label is not below `classes`.
    ///
    /// ```
    /// use wengert_tape::{Index, Var};
    /// use wengert_tensor::Tensor;
    /// let labels: Index<f64> = Tensor::vector(&[2u32, 0]).into();
    /// assert_eq!(labels.one_hot(3).value().to_vec(), [0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn one_hot(&self, classes: usize) -> Var<T> {
        apply_given(OneHot { classes }, &[], &[self.given()])
    }
}

impl<T: Float> Var<T> {
    /// Where elements are greater than those of `other`; false for NaN.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let x = Var::from([1.0f64, 2.0, 3.0]);
    /// assert_eq!(x.gt(2.0).value().to_vec(), [false, false, true]);
    /// assert_eq!(x.gt(x.flip(0)).value().to_vec(), [false, false, true]);
    /// ```
    #[doc(alias = "greater")]
    #[track_caller]
    pub fn gt(&self, other: impl Operand<T>) -> Mask<T> {
        Relation::Greater.decide(self, other)
    }

    /// Where elements are greater than or equal to those of `other`; false for NaN.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[doc(alias = "greater_equal")]
    #[track_caller]
    pub fn ge(&self, other: impl Operand<T>) -> Mask<T> {
        Relation::GreaterOrEqual.decide(self, other)
    }

    /// Where elements are less than those of `other`; false for NaN.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[doc(alias = "less")]
    #[track_caller]
    pub fn lt(&self, other: impl Operand<T>) -> Mask<T> {
        Relation::Less.decide(self, other)
    }

    /// Where elements are less than or equal to those of `other`; false for NaN.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[doc(alias = "less_equal")]
    #[track_caller]
    pub fn le(&self, other: impl Operand<T>) -> Mask<T> {
        Relation::LessOrEqual.decide(self, other)
    }

    /// Where elements are equal to those of `other`; false for NaN.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn equal(&self, other: impl Operand<T>) -> Mask<T> {
        Relation::Equal.decide(self, other)
    }

    /// Where elements differ from those of `other`; true for NaN.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[doc(alias = "ne")]
    #[track_caller]
    pub fn not_equal(&self, other: impl Operand<T>) -> Mask<T> {
        Relation::NotEqual.decide(self, other)
    }

    /// Where elements are equal to one of those of `set`; false for NaN.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let x = Var::from([1.0f64, 2.0, 3.0]);
    /// assert_eq!(x.is_in(&Var::from([3.0, 1.0])).value().to_vec(), [true, false, true]);
    /// ```
    #[doc(alias = "isin")]
    #[track_caller]
    pub fn is_in(&self, set: &Var<T>) -> Mask<T> {
        decision(IsIn, &[self, set], &[])
    }

    /// The position of the largest element along `axis`, which goes away: the first one of equals. NaN counts as larger
    /// than every number.
    ///
    /// # Panics
    /// If there is no such axis, or it has length 0.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let scores = Var::from([[0.1f64, 0.7, 0.2], [0.5, 0.4, 0.1]]);
    /// assert_eq!(scores.argmax(-1).value().to_vec(), [1, 0]);
    /// ```
    #[track_caller]
    pub fn argmax(&self, axis: impl Into<Axis>) -> Index<T> {
        let axis = self.shape().axis("argmax", axis);
        decision(ExtremePosition { largest: true, axis }, &[self], &[])
    }

    /// The position of the smallest element along `axis`, which goes away: the first one of equals. NaN counts as smaller
    /// than every number.
    ///
    /// # Panics
    /// If there is no such axis, or it has length 0.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let distances = Var::from([[3.0f64, 1.0], [0.0, 2.0]]);
    /// assert_eq!(distances.argmin(1).value().to_vec(), [1, 0]);
    /// ```
    #[track_caller]
    pub fn argmin(&self, axis: impl Into<Axis>) -> Index<T> {
        let axis = self.shape().axis("argmin", axis);
        decision(ExtremePosition { largest: false, axis }, &[self], &[])
    }
}

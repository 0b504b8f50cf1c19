//! Numbers of the gamma distribution and of those that are made of it, differentiable with respect to their shapes.

use wengert_tensor::math::log_gamma_sample_derivative;
use wengert_tensor::shape::broadcast_or_panic;
use wengert_tensor::{Float, Shape, Tensor, parallel, size};

use crate::data::{Data, Index};
use crate::describe::Attributes;
use crate::op::{Cotangents, Op, Point, Saves, apply_given, rules_compiled_here};
use crate::ops::dropout::{check_key, generator};
use crate::ops::slice;
use crate::var::Var;

/// How many numbers a thread makes at once.
const CHUNK: usize = 256;

/// The logarithm of a number of the gamma distribution of each shape, or a derivative of it along the shape: with the
/// probability that it has held fast, as a function of the shape.
#[derive(Clone, Copy)]
struct LogGamma {
    derivative: u32,
}

impl LogGamma {
    fn next<T: Float>(self, at: &Point<T>) -> Var<T> {
        apply_given(LogGamma { derivative: self.derivative + 1 }, &[at.input(0)], &[at.given(0)])
    }
}

impl<T: Float> Op<T> for LogGamma {
    fn name(&self) -> &str {
        "log_gamma_sample"
    }

    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("derivative", self.derivative as usize);
    }

    fn forward(&self, _: &[&Tensor<T>]) -> Tensor<T> {
        unreachable!("log_gamma_sample: evaluated with its key")
    }

    fn evaluate(&self, x: &[&Tensor<T>], given: &[&Data<T>]) -> Data<T> {
        let shapes = x[0].contiguous();
        let normal = Tensor::<f64>::normal(shapes.shape(), 0.0, 1.0, &mut generator(given[0].index()));
        let (shapes_of, normal) = (slice(&shapes), slice(&normal));
        Data::Float(Tensor::written_for("log_gamma_sample", shapes.shape(), |out| {
            let is_large = out.len() > CHUNK;
            parallel::for_each_chunk(out, CHUNK, is_large, |start, out| {
                for (i, out) in (start..).zip(out) {
                    let number =
                        log_gamma_sample_derivative(self.derivative, shapes_of[i].to_f64(), normal[i]);
                    *out = T::from_f64(number);
                }
            });
        }))
    }

    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        into.add(0, || cotangent * self.next(at));
    }

    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        tangents[0].as_ref().map(|t| t * self.next(at))
    }

    fn saves(&self) -> Saves {
        Saves::INPUTS
    }
    rules_compiled_here!(LogGamma);
}

/// The logarithm of a number of the gamma distribution of each shape.
#[track_caller]
fn log_gamma<T: Float>(operation: &str, shapes: &Var<T>, key: &Index<T>) -> Var<T> {
    let bad = shapes.value().to_vec().into_iter().find(|a| !(*a > T::ZERO && a.is_finite()));
    if let Some(bad) = bad {
        panic!("{operation}: the parameter {bad} is not positive and finite");
    }
    apply_given(LogGamma { derivative: 0 }, &[shapes], &[key.given()])
}

impl<T: Float> Var<T> {
    /// Numbers of the gamma distribution whose shape (concentration) is the element, of rate 1: divide by a rate for another.
    /// They have a derivative with respect to the shape, to the seventh order: that of the quantile of a random probability,
    /// which is what PyTorch's `rsample` has to first order (M. Figurnov, S. Mohamed and A. Mnih, "Implicit reparameterization
    /// gradients", 2018). At least the smallest normal number.
    ///
    /// ```
    /// use wengert_tape::{Index, Var, grad};
    /// use wengert_tensor::random::Generator;
    /// let key = Index::key(&Generator::seeded(0));
    /// let mean = |a: &Var<f64>| a.broadcast_to([1000]).standard_gamma(&key).mean();
    /// let a = Var::scalar(3.0);
    /// // The mean is the shape, so its derivative is 1.
    /// assert!((mean(&a).item() - 3.0).abs() < 0.2 && (grad(mean, &a).item() - 1.0).abs() < 0.05);
    /// ```
    ///
    /// # Panics
    /// If a shape is not positive and finite, or the key does not consist of six words.
    #[doc(alias = "Gamma")]
    #[doc(alias = "rsample")]
    #[track_caller]
    pub fn standard_gamma(&self, key: impl Into<Index<T>>) -> Var<T> {
        let key = key.into();
        check_key("standard_gamma", key.shape());
        let least = T::MIN_POSITIVE.to_f64();
        log_gamma("standard_gamma", self, &key).exp().clamp(least, f64::INFINITY)
    }

    /// Numbers of the beta distribution whose two parameters are the elements of `self` and `other`, after broadcasting, with
    /// derivatives as those of [`standard_gamma`](Var::standard_gamma), of which they are made.
    ///
    /// ```
    /// use wengert_tape::{Index, Var};
    /// use wengert_tensor::random::Generator;
    /// let (a, b) = (Var::full([1000], 2.0f64), Var::scalar(6.0));
    /// let mean = a.beta(&b, &Index::key(&Generator::seeded(0))).mean();
    /// assert!((mean.item() - 0.25).abs() < 0.02);
    /// ```
    ///
    /// # Panics
    /// If the shapes do not broadcast, a parameter is not positive and finite, or the key does not consist of six words.
    #[doc(alias = "Beta")]
    #[track_caller]
    pub fn beta(&self, other: &Var<T>, key: impl Into<Index<T>>) -> Var<T> {
        let key = key.into();
        check_key("beta", key.shape());
        let shape = broadcast_or_panic("beta", self.shape(), other.shape()).checked("beta");
        let first = log_gamma("beta", &self.broadcast_to(&shape), &key.fork(0));
        let second = log_gamma("beta", &other.broadcast_to(&shape), &key.fork(1));
        (first - second).sigmoid()
    }

    /// Numbers of the Dirichlet distribution, whose parameters are along the last axis: positive, of the sum 1, with derivatives
    /// as those of [`standard_gamma`](Var::standard_gamma), of which they are made. Small parameters make small numbers, not
    /// 0/0.
    ///
    /// ```
    /// use wengert_tape::{Index, Var};
    /// use wengert_tensor::random::Generator;
    /// let x = Var::from([[1e-3f64, 1e-3], [5.0, 5.0]]).dirichlet(&Index::key(&Generator::seeded(0)));
    /// assert!((x.sum_axes(-1, false).value() - 1.0).abs().max().item() < 1e-15);
    /// ```
    ///
    /// # Panics
    /// If there is no axis, a parameter is not positive and finite, or the key does not consist of six words.
    #[doc(alias = "Dirichlet")]
    #[track_caller]
    pub fn dirichlet(&self, key: impl Into<Index<T>>) -> Var<T> {
        let key = key.into();
        check_key("dirichlet", key.shape());
        self.shape().axis("dirichlet", -1);
        log_gamma("dirichlet", self, &key).softmax(-1)
    }

    /// Numbers of the χ² distribution whose degrees of freedom are the element.
    ///
    /// # Panics
    /// If an element is not positive and finite, or the key does not consist of six words.
    ///
    /// ```
    /// use wengert_tape::{Index, Var};
    /// use wengert_tensor::random::Generator;
    /// let x = (Var::<f64>::ones([4000]) * 5.0).chi2(&Index::key(&Generator::seeded(0)));
    /// // The mean is the number of degrees of freedom.
    /// assert!((x.mean().item() - 5.0).abs() < 0.3);
    /// ```
    #[doc(alias = "Chi2")]
    #[track_caller]
    pub fn chi2(&self, key: impl Into<Index<T>>) -> Var<T> {
        let key = key.into();
        check_key("chi2", key.shape());
        log_gamma("chi2", &(self * 0.5), &key).exp() * 2.0
    }

    /// Numbers of Student's t distribution whose degrees of freedom are the element.
    ///
    /// # Panics
    /// If an element is not positive and finite, or the key does not consist of six words.
    ///
    /// ```
    /// use wengert_tape::{Index, Var};
    /// use wengert_tensor::random::Generator;
    /// let x = (Var::<f64>::ones([4000]) * 10.0).student_t(&Index::key(&Generator::seeded(0)));
    /// assert!(x.mean().item().abs() < 0.15 && x.square().mean().item() > 1.0);
    /// ```
    #[doc(alias = "StudentT")]
    #[track_caller]
    pub fn student_t(&self, key: impl Into<Index<T>>) -> Var<T> {
        let key = key.into();
        check_key("student_t", key.shape());
        let normal = Var::normal(self.shape(), 0.0, 1.0, key.fork(0));
        // √(n/χ²) by the logarithm of half of χ².
        let half = self * 0.5;
        normal * ((half.ln() - log_gamma("student_t", &half, &key.fork(1))) * 0.5).exp()
    }

    /// Numbers of Laplace's distribution of mean 0 and scale 1.
    ///
    /// # Panics
    /// If the key does not consist of six words.
    ///
    /// ```
    /// use wengert_tape::{Index, Var};
    /// use wengert_tensor::random::Generator;
    /// let x = Var::<f64>::laplace([4000], &Index::key(&Generator::seeded(0)));
    /// // The mean distance from the middle is the scale.
    /// assert!((x.abs().mean().item() - 1.0).abs() < 0.1);
    /// ```
    #[doc(alias = "Laplace")]
    #[track_caller]
    pub fn laplace(shape: impl Into<Shape>, key: impl Into<Index<T>>) -> Var<T> {
        let (shape, key) = (shape.into(), key.into());
        check_key("laplace", key.shape());
        size::product("laplace", &shape);
        Var::exponential(&shape, 1.0, key.fork(0)) - Var::exponential(&shape, 1.0, key.fork(1))
    }
}

//! Functions of one element.

use std::sync::Arc;

use wengert_tensor::{Float, Shape, Tensor};

use crate::algebra::{Real, evaluate};
use crate::class::code::{Code, Function, Moves, by_formula};
use crate::class::slope::{self, times_slope};
use crate::describe::Attributes;
use crate::op::{
    ByElement, Cotangents, Op, Point, Replays, Saves, apply, fused_by_element, rules_compiled_here,
};
use crate::var::Var;

/// A differentiable function of one number, applied to every element.
///
/// Both formulas are generic over the algebra: with numbers they become one vectorised loop, with variables they
/// are recorded and differentiated again, to any order.
///
/// ```
/// use wengert_tape::{Elementwise, Real, Var, check_grads, grad};
///
/// #[derive(Clone)]
/// struct Cube;
/// impl Elementwise for Cube {
///     const NAME: &'static str = "cube";
///     fn f<A: Real>(&self, x: A) -> A { x.clone() * x.clone() * x }
///     fn df<A: Real>(&self, x: A, _y: A) -> A { x.clone() * x * 3.0 }
/// }
///
/// let x = Var::from([1.0f64, 2.0]);
/// assert_eq!(grad(|x: &Var<f64>| x.apply(Cube).sum(), &x).value().to_vec(), [3.0, 12.0]);
/// check_grads(|v| v[0].apply(Cube), &[x], 2).unwrap();
/// ```
pub trait Elementwise: Clone + Send + Sync + 'static {
    /// The name in messages.
    const NAME: &'static str = "elementwise";
    /// What `df` reads: what it does not read is not kept.
    const READS: Reads = Reads::Both;
    /// Whether the derivative is constant between jumps, as of max(x, 0) and |x|. Second derivatives are zero then,
    /// and where the derivative is 0, so is its product with anything: see [`times_df`](Elementwise::times_df).
    const PIECEWISE_LINEAR: bool = Self::FLAT;
    /// Whether the derivative is 0 everywhere, as of the sign: what it is multiplied by then never matters.
    const FLAT: bool = false;
    /// Whether the derivative is never infinite, unlike that of √x at 0. Where it may be, a tangent of 0 needs a test, by
    /// which nothing comes of it; right in either case, and a little faster if set.
    const BOUNDED_SLOPE: bool = false;
    /// What distinguishes this function from others of its name: see [`Op::describe`].
    fn describe(&self, _attributes: &mut Attributes) {}
    /// The value at `x`.
    fn f<A: Real>(&self, x: A) -> A;
    /// The derivative at `x`, where `y` is the value.
    fn df<A: Real>(&self, x: A, y: A) -> A;
    /// `v · df(x, y)` for a cotangent or a tangent `v`. By default that product, but for functions that are piecewise
    /// linear 0 where the derivative is: what comes from beyond a flat piece does not matter, be it infinite or NaN.
    ///
    /// A function whose pieces are curved chooses between products here, or the curvature of the piece that is not taken,
    /// which is 0, would meet such a `v`:
    ///
    /// ```
    /// use wengert_tape::{Elementwise, Real, Var, grad};
    ///
    /// /// max(x, 0)².
    /// #[derive(Clone)]
    /// struct SquaredRelu;
    /// impl Elementwise for SquaredRelu {
    ///     fn f<A: Real>(&self, x: A) -> A { x.select_positive(x.clone() * x.clone(), x.constant(0.0)) }
    ///     fn df<A: Real>(&self, x: A, y: A) -> A { self.times_df(x.constant(1.0), x, y) }
    ///     fn times_df<A: Real>(&self, v: A, x: A, _y: A) -> A {
    ///         x.select_positive(v * x.clone() * 2.0, x.constant(0.0))
    ///     }
    /// }
    ///
    /// let f = |x: &Var<f64>| x.apply(SquaredRelu).sqrt().sum();
    /// assert_eq!(grad(f, &Var::from([-1.0, 2.0])).value().to_vec(), [0.0, 1.0]);
    /// ```
    #[inline(always)]
    fn times_df<A: Real>(&self, v: A, x: A, y: A) -> A {
        let slope = self.df(x, y);
        if Self::PIECEWISE_LINEAR {
            let zero = slope.constant(0.0);
            slope.clone().select_zero(zero, v * slope)
        } else {
            v * slope
        }
    }
    /// `f` of every element of a tensor: the loop that comes of the formula, if there is not one already.
    #[doc(hidden)]
    #[track_caller]
    fn value<T: Float>(&self, x: &Tensor<T>) -> Tensor<T>
    where
        Self: Sized,
    {
        by_formula(self, x)
    }
    /// The code that comes of the formulas; [`code_compiled_here`](crate::code_compiled_here) has it compiled in the
    /// function's own crate.
    #[doc(hidden)]
    fn code<T: Float>(self) -> Code<T>
    where
        Self: Sized,
    {
        Code::of_formulas(self)
    }
}

/// Which of its two arguments a derivative formula reads. One that is not read is not passed either: the formula
/// then gets the other one in its place.
///
/// ```
/// use wengert_tape::{Elementwise, Reads, Real, Var, grad};
/// /// eˣ, whose derivative is its own value: the input need not be kept.
/// #[derive(Clone)]
/// struct Exp;
/// impl Elementwise for Exp {
///     const READS: Reads = Reads::Output;
///     fn f<A: Real>(&self, x: A) -> A { x.exp() }
///     fn df<A: Real>(&self, _x: A, y: A) -> A { y }
/// }
/// assert_eq!(grad(|x: &Var<f64>| x.apply(Exp).sum(), &Var::from([0.0])).item(), 1.0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// Only the input x.
    Input,
    /// Only the output y.
    Output,
    /// Both.
    Both,
}

impl<T: Float> Var<T> {
    /// Applies a function of one number to every element.
    #[track_caller]
    pub fn apply<E: Elementwise>(&self, function: E) -> Var<T> {
        apply(ElementwiseOp(function.code().0), &[self])
    }
}

/// A function as an operation.
struct ElementwiseOp<T: Float>(Arc<dyn Function<T>>);

impl<T: Float> Op<T> for ElementwiseOp<T> {
    fn name(&self) -> &str {
        self.0.facts().name
    }

    fn describe(&self, attributes: &mut Attributes) {
        self.0.describe(attributes);
    }

    #[track_caller]
    fn forward(&self, inputs: &[&Tensor<T>]) -> Tensor<T> {
        self.0.value(inputs[0])
    }

    // Nothing comes of a flat function, not even a zero that would be differentiated again: its product with an infinite
    // cotangent depends on that, and a 0 on the way back to it would meet the infinity.
    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        if !self.0.facts().flat {
            into.add(0, || self.scaled_slope(Moves::Output, at, cotangent));
        }
    }

    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        if self.0.facts().flat {
            return None;
        }
        tangents[0].as_ref().map(|t| self.scaled_slope(Moves::Input, at, t))
    }

    fn saves(&self) -> Saves {
        match self.0.facts().reads {
            _ if self.0.facts().flat => Saves::NOTHING,
            Reads::Input => Saves::INPUTS,
            Reads::Output => Saves::OUTPUT,
            Reads::Both => Saves::ALL,
        }
    }

    fn output_shape(&self, inputs: &[&Shape]) -> Option<Shape> {
        Some(inputs[0].clone())
    }

    fn replays(&self) -> Replays<'_, T> {
        Replays { by_element: Some(ByElement::Function(&*self.0)), ..Replays::default() }
    }

    rules_compiled_here!(ElementwiseOp<T>);
}

impl<T: Float> ElementwiseOp<T> {
    /// `v · df(x, y)`: for the cotangent and for the tangent alike.
    fn scaled_slope(&self, moves: Moves, at: &Point<T>, v: &Var<T>) -> Var<T> {
        let (x, y) = match self.0.facts().reads {
            Reads::Input => return times_slope(&self.0, moves, v, at.input(0)),
            Reads::Output => return times_slope(&self.0, moves, v, at.output()),
            Reads::Both => (at.input(0), at.output()),
        };
        let function = Arc::clone(&self.0);
        fused_by_element(
            || slope::part(&*self.0, "slope", moves),
            [v, x, y],
            move |of| function.times_slope_of_both(moves, of),
            || {
                let inputs = [v.clone(), x.clone(), y.clone()];
                let product = evaluate(inputs, &|of| self.0.slope_formula(of));
                moves.select(self.0.facts(), v, product)
            },
        )
    }
}

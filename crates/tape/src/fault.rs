//! The search for the first operation that made a NaN or an infinity.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic::Location;
use std::rc::Rc;

use wengert_tensor::{Float, Shape, Tensor};

use crate::cotangent::Cotangent;
use crate::op::Op;
use crate::var::{Value, Var};

/// Runs `work`, and finds the first operation whose value is not finite among those that are recorded meanwhile, on tapes that
/// are made meanwhile by any transform; if all are, the first whose rule makes a derivative that is not, from one that
/// is. Operations on constants alone are not recorded: what they made is seen as an input.
///
/// While nobody searches, it costs nothing.
///
/// ```
/// use wengert_tape::{Pass, Var, find_fault, grad};
/// let loss = |x: &Var| ((x - 1.0).sqrt() * 3.0).sum();
/// let (_, fault) = find_fault(|| grad(loss, &Var::from([2.0f32, 1.0])));
/// let fault = fault.unwrap(); // the slope of √x is infinite at 0
/// assert_eq!((fault.operation.as_str(), fault.pass), ("sqrt", Pass::Backward));
/// assert_eq!(fault.derivative.unwrap().infinite, 1);
/// assert_eq!(fault.inputs[0].least, 0.0);
/// ```
pub fn find_fault<R>(work: impl FnOnce() -> R) -> (R, Option<Fault>) {
    /// Puts back who searched before, also when `work` panics.
    struct Restore(Option<Rc<Search>>);
    impl Drop for Restore {
        fn drop(&mut self) {
            SEARCH.set(self.0.take());
        }
    }
    let search = Rc::new(Search::default());
    let restore = Restore(SEARCH.replace(Some(Rc::clone(&search))));
    let result = work();
    drop(restore);
    (result, search.fault.take())
}

thread_local! {
    static SEARCH: RefCell<Option<Rc<Search>>> = const { RefCell::new(None) };
}

/// An operation that made a NaN or an infinity.
///
/// ```
/// use wengert_tape::{Fault, Pass, Var, find_fault, grad};
/// let loss = |x: &Var| x.ln().sum();
/// let (_, fault) = find_fault(|| grad(loss, &Var::from([1.0f32, 0.0])));
/// let fault: Fault = fault.unwrap();
/// assert_eq!((fault.operation.as_str(), fault.pass, fault.output.infinite), ("ln", Pass::Forward, 1));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Fault {
    /// Its name.
    pub operation: String,
    /// Where in its program it was applied.
    pub location: &'static Location<'static>,
    /// Whether it was its value, or what its rule made of a derivative.
    pub pass: Pass,
    /// The numbers that it was applied to.
    pub inputs: Vec<Extent>,
    /// Its value.
    pub output: Extent,
    /// In a backward pass, the derivative with respect to the output that its rule was given.
    pub cotangent: Option<Extent>,
    /// In a backward pass, what its rule made of that, the first that is not finite.
    pub derivative: Option<Extent>,
}

/// The directions in which a recording is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// Values.
    Forward,
    /// Derivatives of one output.
    Backward,
}

/// What numbers there are in a tensor.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Extent {
    /// The tensor's shape.
    pub shape: Shape,
    /// The smallest finite number; NaN if there is none.
    pub least: f64,
    /// The largest finite number; NaN if there is none.
    pub largest: f64,
    /// The elements that are NaN.
    pub nan: usize,
    /// The elements that are infinite.
    pub infinite: usize,
}

impl Extent {
    /// That of a tensor.
    ///
    /// ```
    /// use wengert_tape::Extent;
    /// use wengert_tensor::Tensor;
    /// let extent = Extent::of(&Tensor::from([1.0f32, f32::NAN, -2.0]));
    /// assert_eq!(extent.to_string(), "[3] from -2 to 1, 1 NaN");
    /// ```
    pub fn of<T: Float>(tensor: &Tensor<T>) -> Self {
        let (mut least, mut largest, mut nan, mut infinite) = (f64::NAN, f64::NAN, 0, 0);
        for x in tensor.iter().map(Float::to_f64) {
            if x.is_finite() {
                // `min` and `max` of std take the number where the other is NaN.
                (least, largest) = (least.min(x), largest.max(x));
            } else if x.is_nan() {
                nan += 1;
            } else {
                infinite += 1;
            }
        }
        Extent { shape: tensor.shape().clone(), least, largest, nan, infinite }
    }

    /// Whether all elements are finite.
    pub fn is_finite(&self) -> bool {
        self.nan + self.infinite == 0
    }
}

impl fmt::Display for Extent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.shape)?;
        if !self.least.is_nan() {
            write!(f, " from {} to {}", self.least as f32, self.largest as f32)?;
        }
        for (count, what) in [(self.nan, "NaN"), (self.infinite, "infinite")] {
            if count > 0 {
                write!(f, ", {count} {what}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.derivative {
            None => write!(f, "`{}` at {} made {}", self.operation, self.location, self.output)?,
            Some(made) => {
                write!(f, "the derivative of `{}` at {} is {made}", self.operation, self.location)?;
            }
        }
        for (i, input) in self.inputs.iter().enumerate() {
            write!(f, "\n  input {i}: {input}")?;
        }
        if let Some(cotangent) = &self.cotangent {
            write!(f, "\n  output: {}\n  derivative that it was given: {cotangent}", self.output)?;
        }
        Ok(())
    }
}

/// A search under way.
#[derive(Default)]
struct Search {
    fault: RefCell<Option<Fault>>,
    /// A rule is being run: what it records is judged by what comes out.
    in_rule: Cell<bool>,
}

/// A tape on which is searched, and what is known of its nodes.
pub(crate) struct Watched {
    search: Rc<Search>,
    /// By node.
    origins: RefCell<Vec<Option<Origin>>>,
}

struct Origin {
    location: &'static Location<'static>,
    inputs: Vec<Extent>,
    output: Extent,
}

impl Watched {
    /// For a tape that is being made, if somebody searches.
    pub(crate) fn if_searching() -> Option<Box<Watched>> {
        let search = SEARCH.with_borrow(Clone::clone)?;
        Some(Box::new(Watched { search, origins: RefCell::default() }))
    }

    fn is_over(&self) -> bool {
        self.search.in_rule.get() || self.search.fault.borrow().is_some()
    }

    /// An operation was recorded as that node.
    #[track_caller]
    pub(crate) fn recorded<T: Float>(
        &self,
        op: &dyn Op<T>,
        inputs: &[&Var<T>],
        output: &Value<T>,
        node: u32,
    ) {
        if self.is_over() {
            return;
        }
        let location = Location::caller();
        let inputs = inputs.iter().map(|input| Extent::of(input.value())).collect();
        let output = Extent::of(output.tensor());
        if !output.is_finite() {
            let (operation, pass) = (op.name().to_owned(), Pass::Forward);
            let fault =
                Fault { operation, location, pass, inputs, output, cotangent: None, derivative: None };
            self.search.fault.replace(Some(fault));
            return;
        }
        let mut origins = self.origins.borrow_mut();
        origins.resize_with(node as usize, || None);
        origins.push(Some(Origin { location, inputs, output }));
    }

    /// Runs a rule of an operation.
    pub(crate) fn in_rule<R>(&self, rule: impl FnOnce() -> R) -> R {
        /// Puts the flag back, also when the rule panics.
        struct Restore<'a>(&'a Cell<bool>, bool);
        impl Drop for Restore<'_> {
            fn drop(&mut self) {
                self.0.set(self.1);
            }
        }
        let flag = &self.search.in_rule;
        let _restore = Restore(flag, flag.replace(true));
        rule()
    }

    /// The rule of the operation at a node made these of a cotangent.
    pub(crate) fn pulled_back<T: Float>(
        &self,
        op: &dyn Op<T>,
        node: u32,
        cotangent: &Var<T>,
        made: &[Cotangent<T>],
    ) {
        if self.is_over() {
            return;
        }
        let extents = made.iter().flat_map(Cotangent::contributions).map(|made| Extent::of(made.value()));
        let Some(derivative) = extents.into_iter().find(|made| !made.is_finite()) else { return };
        let cotangent = Extent::of(cotangent.value());
        let mut origins = self.origins.borrow_mut();
        let Some(origin) = origins.get_mut(node as usize).and_then(Option::take) else { return };
        let Origin { location, inputs, output } = origin;
        if cotangent.is_finite() {
            let (operation, pass) = (op.name().to_owned(), Pass::Backward);
            let (cotangent, derivative) = (Some(cotangent), Some(derivative));
            self.search.fault.replace(Some(Fault {
                operation,
                location,
                pass,
                inputs,
                output,
                cotangent,
                derivative,
            }));
        }
    }
}

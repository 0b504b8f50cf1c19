//! Functions that are recorded once and run again.

use std::fmt::{self, Display, Formatter};
use std::marker::PhantomData;

use smallvec::SmallVec;
use wengert_tensor::Float;

use super::feed::{Feed, Inputs};
use super::mismatch::Mismatch;
use super::program::Program;
use crate::tape::Tape;
use crate::transform::Arguments;
use crate::var::Var;

/// How many programs a compiled function keeps: one for each shape of its inputs.
const MOST_PROGRAMS: usize = 8;

/// Makes a function of variables, indices and masks one that is recorded at its first call and replayed at the others, with the
/// same bits: without recording anything, without memory from the system, and with elementwise operations in one loop. Derivatives
/// inside of the function are part of the recording.
///
/// ```
/// use wengert_tape::{Ran, Var, compile, value_and_grad};
/// let loss = |(x, w): &(Var<f64>, Var<f64>)| {
///     let (value, slope) = value_and_grad(|w| (x.matmul(w)).tanh().square().sum(), w);
///     (value, slope)
/// };
/// let mut step = compile(loss);
/// let (x, mut w) = (Var::from([[1.0, 2.0], [0.5, -1.0]]), Var::from([[0.3], [0.1]]));
/// for count in 0..3 {
///     let (value, slope) = step.call(&(x.clone(), w.clone()));
///     assert_eq!(value.item(), loss(&(x.clone(), w.clone())).0.item());
///     assert_eq!(step.ran() == &Ran::Replayed, count > 0);
///     w = w - slope * 0.1;
/// }
/// ```
///
/// What the function does besides applying operations is done at the first call and not again: values that it reads
/// ([`item`](Var::item), [`value`](Var::value)) are those of the first call, and branches of Rust go the way they went. So does what it
/// captures: a variable that is to change is an argument. Inputs of other shapes are recorded anew, for up to eight sets of shapes;
/// beyond that, and for inputs that are being recorded themselves, the function is simply called. [`Compiled::ran`] says which it was.
pub fn compile<T: Float, I: Inputs<T>, R: Arguments<T>, F: Fn(&I) -> R>(function: F) -> Compiled<F, I, R, T> {
    Compiled { function, programs: Vec::new(), ran: Ran::NotYet, takes: PhantomData }
}

/// A function with the programs that it was recorded as: see [`compile`].
///
/// ```
/// use wengert_tape::{Compiled, Var, compile};
/// struct Model<F> {
///     forward: Compiled<F, Var<f64>, Var<f64>, f64>,
/// }
/// let mut model = Model { forward: compile(|x: &Var<f64>| x.sigmoid() * 2.0) };
/// assert_eq!(model.forward.call(&Var::from([0.0])).item(), 1.0);
/// assert_eq!(model.forward.call(&Var::from([0.0])).item(), 1.0);
/// ```
pub struct Compiled<F, I, R, T: Float = f32> {
    function: F,
    programs: Vec<Recording<R, T>>,
    ran: Ran,
    takes: PhantomData<fn(&I)>,
}

/// A program, and the structure of its results.
struct Recording<R, T: Float> {
    program: Program<T>,
    structure: R,
}

/// How the last call of a compiled function came to its result.
///
/// ```
/// use wengert_tape::{Mismatch, Ran, Var, compile};
/// let mut double = compile(|x: &Var<f64>| x * 2.0);
/// assert_eq!(double.ran(), &Ran::NotYet);
/// double.call(&Var::from([1.0]));
/// assert_eq!(double.ran(), &Ran::Recorded(None));
/// double.call(&Var::from([3.0]));
/// assert_eq!(double.ran(), &Ran::Replayed);
/// double.call(&Var::from([3.0, 4.0]));
/// assert!(matches!(double.ran(), Ran::Recorded(Some(Mismatch::Shape { input: 0, .. }))));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ran {
    /// There was no call.
    NotYet,
    /// It was recorded, as nothing was before, or as the inputs did not fit what had been.
    Recorded(Option<Mismatch>),
    /// A recording was run.
    Replayed,
    /// The function was called.
    Directly(Reason),
}

/// Why something was not replayed.
///
/// ```
/// use wengert_tape::{Ran, Reason, Var, compile, grad};
/// use std::cell::RefCell;
/// let cube = RefCell::new(compile(|x: &Var<f64>| x.powi(3)));
/// // What is differentiated must be recorded there.
/// let slope = grad(|x: &Var<f64>| cube.borrow_mut().call(x), &Var::scalar(2.0));
/// assert_eq!((slope.item(), cube.borrow().ran()), (12.0, &Ran::Directly(Reason::IsRecorded)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The inputs, or what the function captures, are being recorded: their derivatives would be lost.
    IsRecorded,
    /// As many recordings as are kept do not fit the inputs; this is why the last does not.
    TooManyShapes(Mismatch),
    /// The function did what a recording does not hold.
    NotRecorded(&'static str),
}

impl Display for Reason {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Reason::IsRecorded => f.write_str("what it is computed from is being recorded"),
            Reason::TooManyShapes(mismatch) => {
                write!(f, "there are {MOST_PROGRAMS} recordings for other shapes: {mismatch}")
            }
            Reason::NotRecorded(what) => f.write_str(what),
        }
    }
}

impl<T: Float, I: Inputs<T>, R: Arguments<T>, F: Fn(&I) -> R> Compiled<F, I, R, T> {
    /// The function's result, which is not tracked unless the inputs are.
    ///
    /// # Panics
    /// If the function does, or one of its operations.
    #[track_caller]
    pub fn call(&mut self, inputs: &I) -> R {
        if inputs.is_recorded() {
            return self.directly(inputs, Reason::IsRecorded);
        }
        let mut feeds: SmallVec<[Feed<'_, T>; 8]> = SmallVec::new();
        inputs.feed(&mut |feed| feeds.push(feed));
        let mut mismatch = None;
        for recording in &mut self.programs {
            match recording.program.run(&feeds) {
                Ok(results) => {
                    self.ran = Ran::Replayed;
                    let results = results.iter().map(|result| Var::constant(result.clone())).collect();
                    return recording.structure.with_vars(results);
                }
                Err(found) => mismatch = Some(found),
            }
        }
        match mismatch {
            Some(mismatch) if self.programs.len() == MOST_PROGRAMS => {
                self.directly(inputs, Reason::TooManyShapes(mismatch))
            }
            mismatch => self.record(inputs, mismatch),
        }
    }

    fn directly(&mut self, inputs: &I, reason: Reason) -> R {
        self.ran = Ran::Directly(reason);
        (self.function)(inputs)
    }

    #[track_caller]
    fn record(&mut self, inputs: &I, mismatch: Option<Mismatch>) -> R {
        let tape = Tape::complete();
        let result = (self.function)(&inputs.entered(&tape));
        let vars = result.to_vars();
        let left: Vec<Var<T>> = vars.iter().map(|var| tape.leave(var)).collect();
        if left.iter().any(|var| var.place.is_some()) {
            self.ran = Ran::Directly(Reason::IsRecorded);
            return result.with_vars(left);
        }
        let program = tape.compile_entered(&vars);
        let structure = result.with_vars(vec![Var::scalar(T::ZERO); vars.len()]);
        self.programs.push(Recording { program, structure });
        self.ran = Ran::Recorded(mismatch);
        result.with_vars(left)
    }

    /// How the last call came to its result.
    pub fn ran(&self) -> &Ran {
        &self.ran
    }

    /// Forgets what was recorded, as after a change of something that the function captures.
    ///
    /// ```
    /// use std::cell::Cell;
    /// use wengert_tape::{Var, compile};
    /// let factor = Cell::new(2.0);
    /// let mut scaled = compile(|x: &Var<f64>| x * factor.get());
    /// assert_eq!(scaled.call(&Var::scalar(1.0)).item(), 2.0);
    /// factor.set(3.0);
    /// assert_eq!(scaled.call(&Var::scalar(1.0)).item(), 2.0);
    /// scaled.forget();
    /// assert_eq!(scaled.call(&Var::scalar(1.0)).item(), 3.0);
    /// ```
    pub fn forget(&mut self) {
        self.programs.clear();
    }
}

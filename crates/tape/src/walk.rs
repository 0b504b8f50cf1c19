//! A recording as a list of steps.

use std::panic::Location;
use std::rc::Rc;

use wengert_tensor::{Float, Shape};

use crate::data::{Data, Discrete, DiscreteElement, Kind};
use crate::describe::Attributes;
use crate::op::Op;
use crate::tape::{Node, Tape};
use crate::var::Var;

/// One entry of a recording: an operation, a variable that was entered, or a constant.
///
/// ```
/// use wengert_tape::{Step, Tape};
/// let tape = Tape::complete();
/// let x = tape.var([[1.0f64, 2.0]]);
/// x.transpose(0, 1).exp();
/// let names: Vec<String> = tape.steps().iter().map(|step: &Step<f64>| step.name().to_string()).collect();
/// assert_eq!(names.first().unwrap(), "input");
/// assert_eq!(names.last().unwrap(), "exp");
/// ```
pub struct Step<T: Float = f32> {
    pub(crate) op: Option<Rc<dyn Op<T>>>,
    constant: Option<Data<T>>,
    inputs: Vec<Option<usize>>,
    /// How many of the inputs are floating-point numbers.
    pub(crate) floats: usize,
    shape: Shape,
    kind: Kind,
    location: Option<&'static Location<'static>>,
}

impl<T: Float> Step<T> {
    fn of(node: &Node<T>) -> Self {
        let extra = node.extra.as_deref();
        let given = extra.iter().flat_map(|extra| extra.given.iter().map(|g| g.parent));
        let inputs = node.inputs.iter().map(|x| x.parent).chain(given);
        Step {
            op: node.op.clone(),
            constant: extra.and_then(|extra| extra.constant.clone()),
            inputs: inputs.map(|parent| parent.map(|p| p as usize)).collect(),
            floats: node.inputs.len(),
            shape: node.output.shape().clone(),
            kind: extra.map_or(Kind::Float, |extra| extra.kind),
            location: extra.and_then(|extra| extra.location),
        }
    }

    /// The operation's name; `"constant"`, or `"input"` for a variable that was entered.
    pub fn name(&self) -> &str {
        match (&self.op, &self.constant) {
            (Some(op), _) => op.name(),
            (None, Some(_)) => "constant",
            (None, None) => "input",
        }
    }

    /// What distinguishes the operation from others of its name.
    pub fn attributes(&self) -> Attributes {
        let mut attributes = Attributes::default();
        if let Some(op) = &self.op {
            op.describe(&mut attributes);
        }
        attributes
    }

    /// The steps that the operation reads: first those of floating-point numbers, then the others. `None` is a constant of
    /// which the recording holds nothing; on a [complete](Tape::complete) tape there are none such.
    pub fn inputs(&self) -> &[Option<usize>] {
        &self.inputs
    }

    /// The shape of the value at the time of recording.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// What the value's elements are.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The value, if this is a constant.
    pub fn constant(&self) -> Option<&Data<T>> {
        self.constant.as_ref()
    }

    /// The line of the program that recorded it; only [complete](Tape::complete) tapes know.
    ///
    /// ```
    /// use wengert_tape::Tape;
    /// let tape = Tape::complete();
    /// let x = tape.var([1.0f64]);
    /// let line = line!() + 1;
    /// x.exp();
    /// assert_eq!(tape.steps()[1].location().unwrap().line(), line);
    /// ```
    pub fn location(&self) -> Option<&'static Location<'static>> {
        self.location
    }

    /// Whether this is an operation.
    pub fn is_operation(&self) -> bool {
        self.op.is_some()
    }

    /// The operation's value for values of its inputs, in the order of [`inputs`](Step::inputs).
    ///
    /// # Panics
    /// If this is no operation, or the number, kinds or shapes of the values are not those that it takes.
    #[track_caller]
    pub fn run(&self, inputs: &[&Data<T>]) -> Data<T> {
        let Some(op) = &self.op else { panic!("run: a step `{}` is no operation", self.name()) };
        assert!(
            inputs.len() == self.inputs.len(),
            "run: `{}` takes {} inputs, not {}",
            self.name(),
            self.inputs.len(),
            inputs.len()
        );
        let (floats, given) = inputs.split_at(self.floats);
        let mut tensors = Vec::with_capacity(floats.len());
        for float in floats {
            tensors.push(float.float());
        }
        op.evaluate(&tensors, given)
    }
}

impl<T: Float> Tape<T> {
    /// What has been recorded so far, in order: each step reads steps before it.
    ///
    /// Two train steps of a linear model by one recording, the second on other numbers:
    ///
    /// ```
    /// use wengert_tape::{Data, Tape, Var, grad};
    /// use wengert_tensor::Tensor;
    /// let tape = Tape::complete();
    /// let (x, w) = (tape.var([1.0f64, 2.0]), tape.var([0.5, 0.5]));
    /// let g = grad(|w: &Var<f64>| (w * &x).tanh().sum(), &w);
    ///
    /// let (new_x, new_w) = (Tensor::from([0.3, -1.0]), Tensor::from([2.0, 0.1]));
    /// let mut values: Vec<Data<f64>> = Vec::new();
    /// for (number, step) in tape.steps().iter().enumerate() {
    ///     let value = match step.constant() {
    ///         Some(constant) => constant.clone(),
    ///         None if Some(number) == tape.position(&x) => Data::Float(new_x.clone()),
    ///         None if Some(number) == tape.position(&w) => Data::Float(new_w.clone()),
    ///         None => step.run(&step.inputs().iter().map(|i| &values[i.unwrap()]).collect::<Vec<_>>()),
    ///     };
    ///     values.push(value);
    /// }
    /// let replayed = &values[tape.position(&g).unwrap()];
    /// let direct = grad(|w: &Var<f64>| (w * Var::constant(new_x.clone())).tanh().sum(), &Var::constant(new_w.clone()));
    /// assert_eq!(replayed.float(), direct.value());
    /// ```
    pub fn steps(&self) -> Vec<Step<T>> {
        self.arena.nodes.borrow().iter().map(Step::of).collect()
    }

    /// The number of the step whose value a variable is, if it is on this tape.
    pub fn position(&self, recorded: &impl Recorded<T>) -> Option<usize> {
        recorded.node_on(self).map(|node| node as usize)
    }
}

/// What may be on a tape: a [`Var`] or a [`Discrete`].
///
/// ```
/// use wengert_tape::{Recorded, Tape};
/// /// The number of the step that made a variable or a mask.
/// fn place(tape: &Tape<f64>, value: &impl Recorded<f64>) -> Option<usize> { tape.position(value) }
/// let tape = Tape::complete();
/// let x = tape.var([1.0f64]);
/// assert_eq!((place(&tape, &x), place(&tape, &x.gt(0.0)).is_some()), (Some(0), true));
/// ```
pub trait Recorded<T: Float> {
    /// Its node on the tape.
    #[doc(hidden)]
    fn node_on(&self, tape: &Tape<T>) -> Option<u32>;
}

impl<T: Float> Recorded<T> for Var<T> {
    fn node_on(&self, tape: &Tape<T>) -> Option<u32> {
        tape.arena.node_of(self.place.as_ref())
    }
}

impl<E: DiscreteElement, T: Float> Recorded<T> for Discrete<E, T> {
    fn node_on(&self, tape: &Tape<T>) -> Option<u32> {
        tape.arena.node_of(self.given().place.as_ref())
    }
}

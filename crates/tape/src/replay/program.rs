//! A recording that is run again and again.

use std::rc::Rc;

use smallvec::SmallVec;
use wengert_tensor::{Float, Shape, Tensor};

use super::feed::Feed;
use super::groups::BLOCK_BYTES;
use super::mismatch::Mismatch;
use super::plan::{How, Plan, Slot, Work};
use crate::data::{Data, Kind};
use crate::op::{Op, Together, ValueOf};
use crate::profile::{Stated, Timing};
use crate::tape::Tape;
use crate::var::Var;
use crate::walk::Recorded;

/// A [complete](Tape::complete) recording made ready to be run on other values of the same shapes: see [`Tape::compile`].
///
/// What the outputs do not depend on is left out; elementwise operations that follow each other are computed block by block,
/// so that what lies between them stays in the processor's cache; loops that give several values run once for all of them; and
/// the memory of a value is given to the next as soon as nobody needs it. After the first run a run asks the system for no memory.
/// The results have the bits that the operations give when they are applied one by one.
///
/// ```
/// use wengert_tape::{Feed, Program, Tape, Var, grad};
/// use wengert_tensor::Tensor;
/// let tape = Tape::complete();
/// let (x, w) = (tape.var([1.0f64, 2.0]), tape.var([0.5, 0.5]));
/// let slope = grad(|w: &Var<f64>| (w * &x).tanh().sum(), &w);
/// let mut program: Program<f64> = tape.compile(&[&x, &w], &[&slope]);
///
/// let (x, w) = (Tensor::from([0.3, -1.0]), Tensor::from([2.0, 0.1]));
/// let direct = grad(|w: &Var<f64>| (w * Var::constant(x.clone())).tanh().sum(), &Var::constant(w.clone()));
/// let replayed = program.run(&[Feed::from(&x), Feed::from(&w)])?;
/// assert_eq!(&replayed[0], direct.value());
/// # Ok::<(), wengert_tape::Mismatch>(())
/// ```
pub struct Program<T: Float = f32> {
    works: Vec<Work<T>>,
    inputs: Vec<Input>,
    outputs: Vec<Slot>,
    /// By their slots; constants are there all the time.
    values: Vec<Option<Data<T>>>,
    /// Whether a slot holds a constant.
    is_constant: Vec<bool>,
    results: Vec<Tensor<T>>,
    lists: Lists<T>,
    /// Whether a run has not come to its end.
    broken: bool,
}

/// What an input must be.
struct Input {
    /// If it is needed.
    slot: Option<Slot>,
    shape: Shape,
    kind: Kind,
}

impl<T: Float> Tape<T> {
    /// Makes the recording a program from variables, indices and masks that were entered to variables that were computed. An output
    /// that depends on none of what was entered is a constant.
    ///
    /// # Panics
    /// If this is no [complete](Tape::complete) tape, an input was not entered on it, or an output depends on something that was
    /// entered and is not among the inputs.
    ///
    /// ```
    /// use wengert_tape::{Index, Feed, Tape};
    /// use wengert_tensor::Tensor;
    /// let tape = Tape::complete();
    /// let (x, order) = (tape.var([[5.0f64, 6.0, 7.0]]), tape.discrete(Tensor::from([0u32, 1])));
    /// let mut program = tape.compile(&[&x, &order], &[&x.exp().index_select(1, &order)]);
    /// let (x, order) = (Tensor::from([[0.0, 1.0, 2.0]]), Tensor::from([2u32, 0]));
    /// assert_eq!(program.run(&[Feed::from(&x), Feed::from(&order)])?[0].to_vec(), [2f64.exp(), 1.0]);
    /// # Ok::<(), wengert_tape::Mismatch>(())
    /// ```
    #[track_caller]
    pub fn compile(&self, inputs: &[&dyn Recorded<T>], outputs: &[&Var<T>]) -> Program<T> {
        self.compile_by_blocks(inputs, outputs, BLOCK_BYTES)
    }

    /// [`compile`](Tape::compile) with elementwise operations in blocks of that many bytes, for tests.
    #[doc(hidden)]
    #[track_caller]
    pub fn compile_by_blocks(
        &self,
        inputs: &[&dyn Recorded<T>],
        outputs: &[&Var<T>],
        block_bytes: usize,
    ) -> Program<T> {
        assert!(
            self.arena.is_complete(),
            "compile: not a complete tape, which alone holds all that is computed"
        );
        let steps = self.steps();
        let mut places = Vec::with_capacity(inputs.len());
        for (number, input) in inputs.iter().enumerate() {
            let place = input.node_on(self).map(|node| node as usize);
            let entered =
                place.filter(|&place| steps[place].name() == "input" && !steps[place].is_operation());
            let Some(place) = entered else { panic!("compile: input {number} was not entered on this tape") };
            places.push(place);
        }
        Program::new(self, &places, outputs, block_bytes)
    }

    /// All that was entered, in that order, as the inputs of a program.
    #[doc(hidden)]
    #[track_caller]
    pub fn compile_entered(&self, outputs: &[Var<T>]) -> Program<T> {
        let nodes = self.arena.nodes.borrow();
        let is_entered = |&number: &usize| {
            let node = &nodes[number];
            node.op.is_none() && node.extra.as_ref().is_none_or(|extra| extra.constant.is_none())
        };
        let entered: Vec<usize> = (0..nodes.len()).filter(is_entered).collect();
        drop(nodes);
        Program::new(self, &entered, &outputs.iter().collect::<Vec<_>>(), BLOCK_BYTES)
    }
}

impl<T: Float> Program<T> {
    #[track_caller]
    fn new(tape: &Tape<T>, inputs: &[usize], outputs: &[&Var<T>], block_bytes: usize) -> Self {
        let steps = tape.steps();
        let places: Vec<Option<usize>> = outputs.iter().map(|output| tape.position(*output)).collect();
        let computed: Vec<usize> = places.iter().copied().flatten().collect();
        let Plan { works, mut constants, slots, inputs: slot_of, outputs: computed } =
            Plan::new(&steps, inputs, &computed, block_bytes);
        let mut count = slots;
        let mut computed = computed.into_iter();
        let outputs = places.iter().zip(outputs).map(|(place, output)| match place {
            Some(_) => computed.next().expect("one for each that is recorded"),
            None => {
                constants.push((count as Slot, Data::Float(output.value().clone())));
                count += 1;
                count as Slot - 1
            }
        });
        let outputs = outputs.collect();
        let mut values = vec![None; count];
        let mut is_constant = vec![false; count];
        for (slot, constant) in constants {
            (values[slot as usize], is_constant[slot as usize]) = (Some(constant), true);
        }
        let inputs = inputs.iter().zip(slot_of).map(|(&step, slot)| {
            let (shape, kind) = (steps[step].shape().clone(), steps[step].kind());
            Input { slot, shape, kind }
        });
        Program {
            works,
            inputs: inputs.collect(),
            outputs,
            values,
            is_constant,
            results: Vec::new(),
            lists: Lists::default(),
            broken: false,
        }
    }

    /// The number of operations that a run applies; those that are computed block by block count one by one.
    ///
    /// ```
    /// use wengert_tape::Tape;
    /// let tape = Tape::complete();
    /// let x = tape.var([1.0f64, 2.0]);
    /// let (y, unused) = (x.exp(), x.sin());
    /// assert_eq!(tape.compile(&[&x], &[&y]).operations(), 1);
    /// assert!(unused.is_tracked() || unused.len() == 2);
    /// ```
    pub fn operations(&self) -> usize {
        let count = |work: &Work<T>| match &work.how {
            How::One(_) => 1,
            How::Several(_) => work.outputs.len(),
            How::Group(group) => group.operations(),
        };
        self.works.iter().map(count).sum()
    }

    /// Whether the outputs depend on input number `index`.
    ///
    /// # Panics
    /// If there is no such input.
    ///
    /// ```
    /// use wengert_tape::Tape;
    /// let tape = Tape::complete();
    /// let (x, y) = (tape.var([1.0f64]), tape.var([2.0]));
    /// let program = tape.compile(&[&x, &y], &[&x.exp()]);
    /// assert!(program.needs(0) && !program.needs(1));
    /// ```
    #[track_caller]
    pub fn needs(&self, index: usize) -> bool {
        assert!(index < self.inputs.len(), "needs: there is no input {index} of {}", self.inputs.len());
        self.inputs[index].slot.is_some()
    }

    /// Whether there are as many inputs, of the shapes and kinds that were recorded.
    ///
    /// # Errors
    /// What does not fit.
    ///
    /// ```
    /// use wengert_tape::{Feed, Tape};
    /// use wengert_tensor::Tensor;
    /// let tape = Tape::complete();
    /// let x = tape.var([1.0f64, 2.0]);
    /// let program = tape.compile(&[&x], &[&x.exp()]);
    /// let longer = Tensor::from([1.0, 2.0, 3.0]);
    /// let mismatch = program.check(&[Feed::from(&longer)]).unwrap_err();
    /// assert_eq!(mismatch.to_string(), "input 0 was recorded with shape [2], this one has shape [3]");
    /// ```
    pub fn check(&self, inputs: &[Feed<'_, T>]) -> Result<(), Mismatch> {
        if inputs.len() != self.inputs.len() {
            return Err(Mismatch::Count { recorded: self.inputs.len(), given: inputs.len() });
        }
        for (index, (input, feed)) in self.inputs.iter().zip(inputs).enumerate() {
            if input.kind != feed.kind() {
                return Err(Mismatch::Kind { input: index, recorded: input.kind, given: feed.kind() });
            }
            if input.shape != *feed.shape() {
                let (recorded, given) = (input.shape.clone(), feed.shape().clone());
                return Err(Mismatch::Shape { input: index, recorded, given });
            }
        }
        Ok(())
    }

    /// The outputs for these inputs. They are the program's until it runs again; a clone of one is not overwritten by that.
    ///
    /// # Errors
    /// If there are not as many inputs as were recorded, or one has another shape or kind of elements.
    ///
    /// # Panics
    /// If an operation does, as it would for these values if it were applied directly: an index that is out of range, a
    /// matrix that cannot be factored.
    #[track_caller]
    pub fn run(&mut self, inputs: &[Feed<'_, T>]) -> Result<&[Tensor<T>], Mismatch> {
        self.check(inputs)?;
        self.results.clear();
        if std::mem::replace(&mut self.broken, true) {
            let variable = self.values.iter_mut().zip(&self.is_constant).filter(|(_, constant)| !**constant);
            variable.for_each(|(value, _)| *value = None);
        }
        for (input, feed) in self.inputs.iter().zip(inputs) {
            if let Some(slot) = input.slot {
                self.values[slot as usize] = Some(feed.data());
            }
        }
        for work in &self.works {
            apply(work, &mut self.values, &mut self.lists);
        }
        for &output in &self.outputs {
            self.results.push(value(&self.values, output).float().clone());
        }
        // The caller's values are his again, and the results nobody else's.
        let held = self.inputs.iter().filter_map(|input| input.slot).chain(self.outputs.iter().copied());
        for slot in held.map(|slot| slot as usize).filter(|&slot| !self.is_constant[slot]) {
            self.values[slot] = None;
        }
        self.broken = false;
        Ok(&self.results)
    }
}

#[inline]
fn value<T: Float>(values: &[Option<Data<T>>], slot: Slot) -> &Data<T> {
    values[slot as usize].as_ref().expect("computed before, and still needed")
}

/// Computes the values of one work. Without closures round the operations, which would lose the caller's line.
#[track_caller]
fn apply<T: Float>(work: &Work<T>, values: &mut [Option<Data<T>>], lists: &mut Lists<T>) {
    match &work.how {
        How::One(op) if work.frees_first && op.replays().in_place.is_some() => {
            let first = values[work.inputs[0] as usize].take().expect("computed before").into_float();
            let mut others = lists.floats();
            others.extend(work.inputs[1..].iter().map(|&input| value(values, input).float()));
            let timing = Timing::start();
            let kernel = op.replays().in_place.expect("it was there");
            let written = kernel.in_place(first, &others);
            if timing.is_on() {
                timing.operation(&ValueOf(&**op), &others, &[], written.shape(), Kind::Float);
            }
            lists.take_back(others, Vec::new());
            values[work.outputs[0].slot as usize] = Some(Data::Float(written));
        }
        How::One(op) => {
            let (floats, given) = lists.inputs(work, values);
            let timing = Timing::start();
            let result = op.evaluate(&floats, &given);
            if timing.is_on() {
                timing.operation(&ValueOf(&**op), &floats, &given, result.shape(), result.kind());
            }
            lists.take_back(floats, given);
            values[work.outputs[0].slot as usize] = Some(result);
        }
        How::Several(op) => {
            let (floats, given) = lists.inputs(work, values);
            let results = several(work, op, &floats, &given);
            lists.take_back(floats, given);
            for (output, result) in work.outputs.iter().zip(results) {
                values[output.slot as usize] = Some(Data::Float(result));
            }
        }
        How::Group(group) => {
            let (floats, given) = lists.inputs(work, values);
            let results = group.values(&floats);
            lists.take_back(floats, given);
            for (output, result) in work.outputs.iter().zip(results) {
                values[output.slot as usize] = Some(Data::Float(result));
            }
        }
    }
    for &slot in &work.last {
        values[slot as usize] = None;
    }
}

/// The values of one loop that a work has, in the order of its outputs.
#[track_caller]
fn several<T: Float>(
    work: &Work<T>,
    op: &Rc<dyn Op<T>>,
    floats: &[&Tensor<T>],
    given: &[&Data<T>],
) -> SmallVec<[Tensor<T>; 4]> {
    let (Together::OneOf(_, several) | Together::AndLastInput(several)) = op.replays().together else {
        unreachable!("planned so")
    };
    let mut wanted = [false; 4];
    work.outputs.iter().for_each(|output| wanted[output.number] = true);
    let timing = Timing::start();
    let mut all = several.values(floats, given, wanted);
    if timing.is_on() {
        let output = all.iter().flatten().next().expect("something is wanted").shape();
        timing.operation(&several.shared_description() as &dyn Stated<T>, floats, given, output, Kind::Float);
    }
    let taken = |output: &super::plan::Output| all[output.number].take().expect("it was wanted");
    work.outputs.iter().map(taken).collect()
}

/// Lists of references, whose memory goes from work to work.
struct Lists<T: Float> {
    floats: Vec<&'static Tensor<T>>,
    given: Vec<&'static Data<T>>,
}

impl<T: Float> Default for Lists<T> {
    fn default() -> Self {
        Lists { floats: Vec::new(), given: Vec::new() }
    }
}

impl<T: Float> Lists<T> {
    fn floats<'a>(&mut self) -> Vec<&'a Tensor<T>> {
        std::mem::take(&mut self.floats)
    }

    /// A work's inputs: floating-point numbers, and the others.
    fn inputs<'a>(
        &mut self,
        work: &Work<T>,
        values: &'a [Option<Data<T>>],
    ) -> (Vec<&'a Tensor<T>>, Vec<&'a Data<T>>) {
        let (mut floats, mut given): (Vec<&'a Tensor<T>>, Vec<&'a Data<T>>) =
            (self.floats(), std::mem::take(&mut self.given));
        let (of_floats, others) = work.inputs.split_at(work.floats);
        floats.extend(of_floats.iter().map(|&input| value(values, input).float()));
        given.extend(others.iter().map(|&input| value(values, input)));
        (floats, given)
    }

    fn take_back(&mut self, floats: Vec<&Tensor<T>>, given: Vec<&Data<T>>) {
        self.floats = emptied(floats);
        if given.capacity() > 0 {
            self.given = emptied(given);
        }
    }
}

/// The list's memory, for references that live as long as they like: the standard library collects into the memory of a `Vec` that
/// is used up.
fn emptied<'b, X: ?Sized>(mut list: Vec<&X>) -> Vec<&'b X> {
    list.clear();
    list.into_iter().map(|_| unreachable!("the list is empty")).collect()
}

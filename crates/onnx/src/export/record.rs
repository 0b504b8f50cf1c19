//! Running a forward pass on the recording tape.

use wengert_nn::{Ctx, Mode, Params};
use wengert_tape::{Data, Index, Mask, Tape, Var};
use wengert_tensor::{Element, Float, Slice, Tensor};

use super::error::ExportError;
use super::program::Recording;

/// An input of the model, as the forward pass reads it.
///
/// ```
/// use wengert_nn::Params;
/// use wengert_onnx::{Entry, Export};
/// use wengert_tensor::Tensor;
/// let params: Params = Params::seeded(0);
/// let export = Export::new().input("x", Tensor::ones([2, 3])).index("labels", Tensor::from([0u32, 2]));
/// let model = export.model(&params, |_, inputs| {
///     assert!(matches!(inputs.get(1), Entry::Index(_)));
///     vec![inputs.float(0).softmax_cross_entropy(inputs.index(1), 0.0)]
/// })?;
/// assert_eq!(model.inputs(), ["x", "labels"]);
/// # Ok::<(), wengert_onnx::ExportError>(())
/// ```
#[derive(Clone, Debug)]
pub enum Entry<T: Float = f32> {
    /// Floating-point numbers.
    Float(Var<T>),
    /// Labels or positions.
    Index(Index<T>),
    /// Truth values.
    Mask(Mask<T>),
}

/// The inputs of a model, in the order in which the [`Export`](super::Export) names them.
///
/// ```
/// use wengert_nn::Params;
/// use wengert_onnx::{Export, Inputs};
/// use wengert_tape::Var;
/// use wengert_tensor::Tensor;
/// /// Which of two are taken where.
/// fn forward(inputs: &Inputs) -> Vec<Var> {
///     vec![Var::select_where(inputs.mask(0), inputs.float(1), inputs.float(2))]
/// }
/// let export = Export::new().mask("which", Tensor::from([true, false]));
/// let export = export.input("a", Tensor::ones([2])).input("b", Tensor::zeros([2]));
/// let params: Params = Params::seeded(0);
/// assert_eq!(export.model(&params, |_, inputs| forward(inputs))?.operators(), ["Where"]);
/// # Ok::<(), wengert_onnx::ExportError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Inputs<T: Float = f32>(Vec<Entry<T>>);

impl<T: Float> Inputs<T> {
    /// The input of that number.
    ///
    /// # Panics
    /// If there are not so many.
    #[track_caller]
    pub fn get(&self, number: usize) -> &Entry<T> {
        match self.0.get(number) {
            Some(entry) => entry,
            None => panic!("inputs: number {number} of {}", self.0.len()),
        }
    }

    /// The floating-point numbers that are that input.
    ///
    /// # Panics
    /// If there are not so many inputs, or it is of another kind.
    #[track_caller]
    pub fn float(&self, number: usize) -> &Var<T> {
        match self.get(number) {
            Entry::Float(var) => var,
            _ => panic!("inputs: number {number} holds no floating-point numbers"),
        }
    }

    /// The indices that are that input.
    ///
    /// # Panics
    /// If there are not so many inputs, or it is of another kind.
    #[allow(clippy::should_implement_trait, reason = "one of the kinds of inputs, as in `Data`")]
    #[track_caller]
    pub fn index(&self, number: usize) -> &Index<T> {
        match self.get(number) {
            Entry::Index(index) => index,
            _ => panic!("inputs: number {number} holds no indices"),
        }
    }

    /// The truth values that are that input.
    ///
    /// # Panics
    /// If there are not so many inputs, or it is of another kind.
    #[track_caller]
    pub fn mask(&self, number: usize) -> &Mask<T> {
        match self.get(number) {
            Entry::Mask(mask) => mask,
            _ => panic!("inputs: number {number} holds no truth values"),
        }
    }
}

/// A forward pass.
pub(super) type Forward<'a, T> = &'a dyn Fn(&Ctx<T>, &Inputs<T>) -> Vec<Var<T>>;

/// The forward pass on these inputs, in evaluation mode, with the parameters as variables behind them.
pub(super) fn record<T: Float>(
    params: &Params<T>,
    inputs: &[Data<T>],
    forward: Forward<'_, T>,
) -> Recording<T> {
    let tape = Tape::complete();
    let mut named = Vec::new();
    let mut entries = Vec::with_capacity(inputs.len());
    for input in inputs {
        let (entry, position) = match input {
            Data::Float(tensor) => {
                let var = tape.var(tensor.clone());
                let position = tape.position(&var);
                (Entry::Float(var), position)
            }
            Data::Index(tensor) => {
                let index = tape.discrete(tensor.clone());
                let position = tape.position(&index);
                (Entry::Index(index), position)
            }
            Data::Mask(tensor) => {
                let mask = tape.discrete(tensor.clone());
                let position = tape.position(&mask);
                (Entry::Mask(mask), position)
            }
        };
        entries.push(entry);
        named.push(position);
    }
    let vars: Vec<Var<T>> = params.vars().iter().map(|var| tape.enter(var)).collect();
    named.extend(vars.iter().map(|var| tape.position(var)));
    let outputs = forward(&params.context(Mode::Eval, &vars), &Inputs(entries));
    let outputs = outputs.iter().map(|output| tape.position(output)).collect();
    Recording::new(&tape, named, outputs)
}

/// An example with so many elements along the axis of the batch: its own, over and over again.
///
/// # Errors
/// If it has no such axis, or no elements there.
pub(super) fn resized<T: Float>(
    name: &str,
    example: &Data<T>,
    axis: usize,
    size: usize,
) -> Result<Data<T>, ExportError> {
    fn of<E: Element>(tensor: &Tensor<E>, axis: usize, size: usize) -> Tensor<E> {
        let length = tensor.shape()[axis];
        let parts: Vec<Tensor<E>> =
            (0..size).map(|i| tensor.slice_axis(axis, Slice::from(i % length..i % length + 1))).collect();
        Tensor::cat(&parts.iter().collect::<Vec<_>>(), axis)
    }
    if example.shape().get(axis).is_none_or(|&length| length == 0) {
        return Err(ExportError::NoBatch { name: name.to_owned(), shape: example.shape().to_vec(), axis });
    }
    Ok(match example {
        Data::Float(tensor) => Data::Float(of(tensor, axis, size)),
        Data::Index(tensor) => Data::Index(of(tensor, axis, size)),
        Data::Mask(tensor) => Data::Mask(of(tensor, axis, size)),
    })
}

//! What is exported, and how it is named.

use std::collections::HashSet;

use wengert_nn::{Ctx, Layer, Params};
use wengert_tape::{Data, Recorded, Tape, Var};
use wengert_tensor::{Float, Tensor};

use super::OnnxFile;
use super::error::ExportError;
use super::length::Sizes;
use super::program::{Program, Recording};
use super::record::{Inputs, record, resized};
use super::recurrence;
use super::write::{self, Header, Named, Role};

/// Sizes of the batch at which a forward pass is recorded: what grows by the same number for each example at all of them is
/// taken to do so at every size. None is 1, to which other lengths broadcast.
const SIZES: [usize; 3] = [2, 3, 5];

/// The operator sets that are written.
const OPSETS: std::ops::RangeInclusive<i64> = 17..=23;

/// How a model is written: its inputs, of which examples are needed, the names of its outputs, the version of the operators.
///
/// The model is run once, in [evaluation mode](wengert_nn::Mode::Eval), on a recording tape; what was recorded is written,
/// with parameters and buffers under their own names. With a [`batch`](Export::batch) it is run at three sizes, and lengths
/// that grow with the size are computed by the file from the size that it is given.
///
/// ```
/// use wengert_nn::{Conv2d, Layer, Linear, Params};
/// use wengert_onnx::Export;
/// use wengert_tensor::Tensor;
/// let mut params: Params = Params::seeded(0);
/// let conv = Conv2d::new(params.at("conv"), 1, 4, 3);
/// let head = Linear::new(params.at("head"), 4 * 6 * 6, 10);
/// let export = Export::new().input("image", Tensor::zeros([1, 1, 8, 8])).output("logits").batch("batch");
/// let model = export.model(&params, |cx, inputs| {
///     let h = conv.forward(cx, inputs.float(0)).relu();
///     vec![head.forward(cx, &h.flatten(1, -1))]
/// })?;
/// assert_eq!(model.operators(), ["Conv", "Relu", "Reshape", "Gemm"]);
/// assert_eq!(model.outputs(), ["logits"]);
/// # Ok::<(), wengert_onnx::ExportError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Export<T: Float = f32> {
    inputs: Vec<(String, Data<T>)>,
    outputs: Vec<String>,
    batch: Option<String>,
    /// The axes of the batch of inputs where that is not the first.
    axes: Vec<(String, Option<usize>)>,
    opset: i64,
    doc: String,
}

impl<T: Float> Default for Export<T> {
    fn default() -> Self {
        Export {
            inputs: Vec::new(),
            outputs: Vec::new(),
            batch: None,
            axes: Vec::new(),
            opset: *OPSETS.start(),
            doc: String::new(),
        }
    }
}

impl<T: Float> Export<T> {
    /// No inputs yet, operator set 17.
    pub fn new() -> Self {
        Self::default()
    }

    /// An input of floating-point numbers, with an example: `float` in the file if `T` is `f32`, `double` if it is `f64`.
    #[must_use]
    pub fn input(mut self, name: &str, example: impl Into<Tensor<T>>) -> Self {
        self.inputs.push((name.to_owned(), Data::Float(example.into())));
        self
    }

    /// An input of indices such as tokens and labels, with an example; `int64` in the file.
    #[must_use]
    pub fn index(mut self, name: &str, example: impl Into<Tensor<u32>>) -> Self {
        self.inputs.push((name.to_owned(), Data::Index(example.into())));
        self
    }

    /// An input of truth values, with an example; `bool` in the file.
    #[must_use]
    pub fn mask(mut self, name: &str, example: impl Into<Tensor<bool>>) -> Self {
        self.inputs.push((name.to_owned(), Data::Mask(example.into())));
        self
    }

    /// The name of the next output. Without names they are `output`, `output_1`, ….
    #[must_use]
    pub fn output(mut self, name: &str) -> Self {
        self.outputs.push(name.to_owned());
        self
    }

    /// Batches of any size: the first axis of every input is as long as the batch, which has this name in the file.
    #[doc(alias = "dynamic_axes")]
    #[must_use]
    pub fn batch(mut self, name: &str) -> Self {
        self.batch = Some(name.to_owned());
        self
    }

    /// The axis of an input that is as long as the batch, if that is not the first; `None` if it has none.
    ///
    /// ```
    /// use wengert_nn::Params;
    /// use wengert_onnx::Export;
    /// use wengert_tensor::Tensor;
    /// let params: Params = Params::seeded(0);
    /// // Sequences of 4 vectors, the batch in the second axis.
    /// let export = Export::new().input("x", Tensor::ones([4, 1, 3])).batch("batch").batch_axis("x", Some(1));
    /// let model = export.model(&params, |_, inputs| vec![inputs.float(0).mean_axes(0, false)])?;
    /// assert_eq!(model.operators(), ["ReduceSum", "Div"]);
    /// # Ok::<(), wengert_onnx::ExportError>(())
    /// ```
    #[must_use]
    pub fn batch_axis(mut self, input: &str, axis: Option<usize>) -> Self {
        self.axes.push((input.to_owned(), axis));
        self
    }

    /// The version of ONNX's operators, 17 to 23. From 20 on GELU is one operator, from 21 on group normalisation is, from 23 on
    /// attention and RMS normalisation are. Default 17.
    #[must_use]
    pub fn opset(mut self, version: i64) -> Self {
        self.opset = version;
        self
    }

    /// What the file says of the model.
    #[must_use]
    pub fn doc(mut self, text: &str) -> Self {
        text.clone_into(&mut self.doc);
        self
    }

    /// A layer of one input.
    ///
    /// # Errors
    /// Those of [`model`](Export::model).
    pub fn layer(&self, params: &Params<T>, layer: &impl Layer<T>) -> Result<OnnxFile, ExportError> {
        self.model(params, |cx, inputs| vec![layer.forward(cx, inputs.float(0))])
    }

    /// A forward pass of the inputs and with the parameters.
    ///
    /// # Errors
    /// If there are no inputs or outputs, an output depends on none of the inputs, names are used twice, an operation cannot
    /// be exported, or its shape does not grow by the same number for each example of a [`batch`](Export::batch).
    pub fn model(
        &self,
        params: &Params<T>,
        forward: impl Fn(&Ctx<T>, &Inputs<T>) -> Vec<Var<T>>,
    ) -> Result<OnnxFile, ExportError> {
        self.check()?;
        let sizes: &[usize] = if self.batch.is_some() { &SIZES } else { &[] };
        let examples = |size: Option<usize>| -> Result<Vec<Data<T>>, ExportError> {
            let each = self.inputs.iter().map(|(name, example)| match (size, self.axis(name)) {
                (Some(size), Some(axis)) => resized(name, example, axis, size),
                _ => Ok(example.clone()),
            });
            each.collect()
        };
        let mut recordings = Vec::with_capacity(sizes.len().max(1));
        if sizes.is_empty() {
            recordings.push(record(params, &examples(None)?, &forward));
        }
        for &size in sizes {
            recordings.push(record(params, &examples(Some(size))?, &forward));
        }
        let mut named: Vec<Named<T>> = Vec::new();
        named.extend(self.inputs.iter().map(|(name, _)| Named { name: name.clone(), role: Role::Input }));
        for ((name, ..), var) in params.iter().zip(params.vars()) {
            named.push(Named { name: name.to_owned(), role: Role::Held(var.into_value()) });
        }
        self.write(recordings, Sizes(sizes.to_vec()), &named, &params.buffers())
    }

    /// Outputs of a complete tape as functions of some of what was entered on it, at the sizes that were recorded. Names of
    /// inputs and outputs are those given here. What else was entered is an error: give parameters as inputs, or record
    /// them as constants.
    ///
    /// # Errors
    /// If an input was not entered on the tape, and where [`model`](Export::model) fails.
    ///
    /// ```
    /// use wengert_onnx::Export;
    /// use wengert_tape::Tape;
    /// let tape = Tape::complete();
    /// let x = tape.var([1.0f32, 2.0]);
    /// let y = x.exp();
    /// let model = Export::new().tape(&tape, &[("x", &x)], &[("y", &y)])?;
    /// assert_eq!((model.inputs(), model.operators()), (vec!["x"], vec!["Exp"]));
    /// # Ok::<(), wengert_onnx::ExportError>(())
    /// ```
    pub fn tape(
        &self,
        tape: &Tape<T>,
        inputs: &[(&str, &dyn Position<T>)],
        outputs: &[(&str, &dyn Position<T>)],
    ) -> Result<OnnxFile, ExportError> {
        if inputs.is_empty() {
            return Err(ExportError::NoInputs);
        }
        let steps = tape.steps();
        let mut places = Vec::with_capacity(inputs.len());
        for (name, input) in inputs {
            let place = input.on(tape).filter(|&place| steps[place].name() == "input");
            places.push(Some(place.ok_or_else(|| ExportError::NotEntered { name: (*name).to_owned() })?));
        }
        let named: Vec<Named<T>> =
            inputs.iter().map(|(name, _)| Named { name: (*name).to_owned(), role: Role::Input }).collect();
        let found = outputs.iter().map(|(_, output)| output.on(tape)).collect();
        let mut export = self.clone();
        export.outputs = outputs.iter().map(|(name, _)| (*name).to_owned()).collect();
        export.write(vec![Recording::new(tape, places, found)], Sizes(Vec::new()), &named, &[])
    }

    /// The axis of an input that is as long as the batch.
    fn axis(&self, input: &str) -> Option<usize> {
        self.axes.iter().rev().find(|(name, _)| name == input).map_or(Some(0), |(_, axis)| *axis)
    }

    fn check(&self) -> Result<(), ExportError> {
        if self.inputs.is_empty() {
            return Err(ExportError::NoInputs);
        }
        match self.axes.iter().find(|(name, _)| self.inputs.iter().all(|(input, _)| input != name)) {
            Some((name, _)) => Err(ExportError::NotEntered { name: name.clone() }),
            None => Ok(()),
        }
    }

    fn write(
        &self,
        recordings: Vec<Recording<T>>,
        sizes: Sizes,
        named: &[Named<T>],
        buffers: &[(String, Tensor<T>)],
    ) -> Result<OnnxFile, ExportError> {
        if !OPSETS.contains(&self.opset) {
            return Err(ExportError::Opset(self.opset));
        }
        let count = recordings[0].outputs.len();
        if count == 0 {
            return Err(ExportError::NoOutputs);
        }
        let numbered = |i: usize| if i == 0 { "output".to_owned() } else { format!("output_{i}") };
        let outputs =
            if self.outputs.is_empty() { (0..count).map(numbered).collect() } else { self.outputs.clone() };
        if outputs.len() != count {
            return Err(ExportError::Outputs { names: outputs.len(), outputs: count });
        }
        let mut names = HashSet::new();
        let all = named.iter().map(|value| &value.name).chain(&outputs);
        for name in all.chain(buffers.iter().map(|(name, _)| name)) {
            if !names.insert(name) {
                return Err(ExportError::Twice { name: name.clone() });
            }
        }
        let sized = self.inputs.iter().find_map(|(name, _)| Some((name.clone(), self.axis(name)?)));
        let batch = self.batch.clone().filter(|_| !sizes.0.is_empty()).zip(sized);
        let header = Header {
            opset: self.opset,
            doc: self.doc.clone(),
            batch: batch.map(|(batch, (input, axis))| (batch, input, axis)),
        };
        let mut program = Program::new(&recordings, sizes, &outputs)?;
        // onnxruntime has these operators in single precision alone.
        if std::mem::size_of::<T>() == 4 {
            recurrence::fuse(&mut program);
        }
        let model = write::model(&program, named, buffers, &outputs, &header)?;
        Ok(OnnxFile { model })
    }
}

/// A [`Var`], an [`Index`](wengert_tape::Index) or a [`Mask`](wengert_tape::Mask) of a tape.
///
/// ```
/// use wengert_onnx::{Export, Position};
/// use wengert_tape::Tape;
/// use wengert_tensor::Tensor;
/// let tape = Tape::complete();
/// let (x, i) = (tape.var([5.0f32, 6.0]), tape.discrete(Tensor::from([1u32])));
/// let inputs: [(&str, &dyn Position<f32>); 2] = [("x", &x), ("i", &i)];
/// let model = Export::new().tape(&tape, &inputs, &[("y", &x.gather(0, &i))])?;
/// assert_eq!(model.operators(), ["GatherElements"]);
/// # Ok::<(), wengert_onnx::ExportError>(())
/// ```
pub trait Position<T: Float> {
    /// The number of its step, if it is on the tape.
    fn on(&self, tape: &Tape<T>) -> Option<usize>;
}

impl<T: Float, R: Recorded<T>> Position<T> for R {
    fn on(&self, tape: &Tape<T>) -> Option<usize> {
        tape.position(self)
    }
}

//! The model that a user has.

use std::collections::{BTreeMap, HashSet};
use std::io::Read;
use std::path::Path;

use wengert_nn::{BufferId, Ctx, Layer, ParamId, Scope};
use wengert_tape::Var;
use wengert_tensor::{Float, file, size};

use super::build::Builder;
use super::error::{ReadError, RunError};
use super::graph::{Graph, Place, Stored};
use super::inputs::Input;
use super::names::Names;
use super::ops::{self, Role};
use super::roles::roles;
use super::run::Frame;
use super::value::Value;
use crate::proto::{BUFFERS, External, Message, ModelProto};

/// A model of an ONNX file: what it computes is recorded like any other, so it can be run, differentiated to any order and
/// trained further.
///
/// Its initialisers of floating-point numbers are parameters under their names, in the scope it is read into, and start with the
/// file's values. The running statistics of batch normalisations are buffers under theirs, so that files of weights with these names fit
/// the model. Initialisers that only say how something is computed (limits of a clip, factors of a resize …) are constants, as are
/// whole numbers and truth values. Lengths of axes may be others at each run.
///
/// Operators of the sets 1 to 28 are known, those of [`operators`](Model::operators); a model with others is refused when it is read.
///
/// ```
/// use wengert_nn::Params;
/// use wengert_onnx::Model;
/// use wengert_tape::Var;
/// let mut params: Params<f32> = Params::seeded(0);
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/mlp.onnx");
/// let model = Model::read(params.at("net"), path)?;
/// assert!(params.id("net.fc1.weight").is_some());
/// let x = Var::from([[1.0f32, -1.0, 0.5]]);
/// let (loss, grads) = params.value_and_grad(|cx| {
///     let y = model.forward(cx, &[("x", (&x).into())]).unwrap();
///     y.float("y").unwrap().square().sum()
/// })?;
/// assert!(loss > 0.0 && grads.get("net.fc1.weight").is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Model<T: Float = f32> {
    graph: Graph<T>,
    inputs: Vec<Input>,
    outputs: Vec<String>,
    /// The values that are there before anything runs.
    constants: Vec<(Place, Stored<T>)>,
    params: Vec<(Place, ParamId)>,
    buffers: Vec<(Place, BufferId)>,
    places: usize,
    limit: usize,
}

impl<T: Float> std::fmt::Debug for Model<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let inputs: Vec<String> = self.inputs.iter().map(ToString::to_string).collect();
        f.debug_struct("Model")
            .field("inputs", &inputs)
            .field("outputs", &self.outputs)
            .field("nodes", &self.graph.nodes.len())
            .finish_non_exhaustive()
    }
}

impl<T: Float> Model<T> {
    /// Reads a model, and makes its parameters in `scope`. Numbers that stand in other files are looked for in the model's
    /// folder and below it, and nowhere else.
    ///
    /// # Errors
    /// If the file cannot be read or is no model; if operators are not known, with all of them; if the nodes are no
    /// graph; if an operator of constants cannot be computed; or if a parameter's name is taken in the scope. No parameter is
    /// made then.
    pub fn read(scope: Scope<'_, T>, path: impl AsRef<Path>) -> Result<Self, ReadError> {
        let path = path.as_ref();
        let failed = |source: std::io::Error| ReadError::Io { path: path.to_owned(), source };
        let mut bytes = Vec::new();
        let mut opened = file::open(path).map_err(|error| failed(error.into()))?;
        opened.read_to_end(&mut bytes).map_err(failed)?;
        let model = ModelProto::decode(&bytes).map_err(|error| ReadError::format(error).of_file(path))?;
        drop(bytes);
        Self::build(scope, model, &External::beside(path)).map_err(|error| error.of_file(path))
    }

    /// As [`read`](Model::read), of a file's bytes. There is no folder for numbers that stand in other files.
    ///
    /// # Errors
    /// As [`read`](Model::read).
    ///
    /// ```
    /// use wengert_nn::Params;
    /// use wengert_onnx::Model;
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/mlp.onnx");
    /// let mut params: Params<f64> = Params::seeded(0);
    /// let model = Model::from_bytes(params.root(), &std::fs::read(path)?)?;
    /// assert_eq!(model.outputs(), ["y"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_bytes(scope: Scope<'_, T>, bytes: &[u8]) -> Result<Self, ReadError> {
        let model = ModelProto::decode(bytes).map_err(ReadError::format)?;
        Self::build(scope, model, &External::default())
    }

    fn build(mut scope: Scope<'_, T>, model: ModelProto, external: &External) -> Result<Self, ReadError> {
        let Some(graph) = model.graph else {
            return Err(ReadError::graph("there is no graph in it"));
        };
        let mut graph = *graph;
        if !graph.sparse_initializer.is_empty() {
            return Err(ReadError::graph("sparse initialisers are not read"));
        }
        let mut builder = Builder::new(&model.functions, external);
        let mut names = Names::default();
        let mut weights = Vec::new();
        for tensor in std::mem::take(&mut graph.initializer) {
            let name = tensor.name.clone();
            let value = Value::of_tensor(tensor, external).map_err(|e| ReadError::tensor(&name, e))?;
            // What may be trained is no constant, of which others could be computed.
            let constant = Stored::of(&value);
            let place = builder.place(None);
            match constant {
                Stored::Float(_) => weights.push((place, name.clone(), constant)),
                other => builder.constants[place] = Some(other),
            }
            names.bind(&name, place)?;
        }
        let buffers = model.metadata_props.iter().filter(|property| property.key == BUFFERS);
        let roles = roles(&graph, buffers.flat_map(|property| property.value.lines()));
        let role = |name: &str| roles.get(name).copied().unwrap_or(Role::Trained);
        let weights_by_name: HashSet<&str> = weights.iter().map(|(_, name, _)| name.as_str()).collect();
        for (place, name, value) in &weights {
            if role(name) == Role::Setting {
                builder.constants[*place] = Some(value.clone());
            }
        }
        let initialised = |name: &str| weights_by_name.contains(name) || names.is_bound(name);
        let given = graph.input.iter().filter(|info| !initialised(&info.name));
        let declared = given.map(Input::of).collect::<Result<Vec<_>, _>>();
        drop(weights_by_name);
        let declared = declared?;
        let mut places = Vec::new();
        for input in &declared {
            let place = builder.place(None);
            names.bind(input.name(), place)?;
            places.push(place);
        }
        let mut built = builder.main(&graph, &model.opset_import, names, places)?;
        let places = std::mem::take(&mut builder.constants);
        let count = places.len();
        let constants = places.into_iter().enumerate();
        let mut constants: Vec<(Place, Stored<T>)> =
            constants.filter_map(|(place, constant)| Some((place, constant?))).collect();
        // Only what some node takes, or an output is.
        let mut used = vec![false; count];
        built.uses(&mut |place| used[place] = true);
        constants.retain(|(place, _)| used[*place]);
        weights.retain(|(place, name, _)| used[*place] && role(name) != Role::Setting);
        for (_, name, _) in &weights {
            if let Some(problem) = scope.name_problem(name) {
                return Err(ReadError::tensor(name, problem));
            }
        }
        let (mut params, mut buffers) = (Vec::new(), Vec::new());
        for (place, name, value) in weights {
            if let Stored::Float(tensor) = value {
                if role(&name) == Role::Statistic {
                    buffers.push((place, scope.buffer(&name, tensor)));
                } else {
                    params.push((place, scope.param_from(&name, &tensor)));
                }
            }
        }
        let stays: HashSet<Place> = constants.iter().map(|&(place, _)| place).collect();
        built.find_last_uses(count, |place| stays.contains(&place));
        Ok(Model {
            graph: built,
            inputs: declared,
            outputs: graph.output.into_iter().map(|output| output.name).collect(),
            constants,
            params,
            buffers,
            places: count,
            limit: size::MAX_ELEMENTS,
        })
    }

    /// The inputs that a run needs.
    pub fn inputs(&self) -> &[Input] {
        &self.inputs
    }

    /// The names of the outputs.
    pub fn outputs(&self) -> &[String] {
        &self.outputs
    }

    /// The most elements that a value within the model may have: a model from a source that is not trusted may ask for any
    /// number. Loops and scans go round no more often than that, all of a run together, nor do they collect more elements. By default
    /// as many as a tensor can have.
    ///
    /// ```
    /// use wengert_nn::Params;
    /// use wengert_onnx::Model;
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/mlp.onnx");
    /// let mut params: Params<f32> = Params::seeded(0);
    /// let model = Model::read(params.root(), path)?.with_limit(1 << 24);
    /// # Ok::<(), wengert_onnx::ReadError>(())
    /// ```
    #[must_use]
    pub fn with_limit(mut self, elements: usize) -> Self {
        self.limit = elements.min(size::MAX_ELEMENTS);
        self
    }

    /// The names of the operators that are known.
    ///
    /// ```
    /// assert!(wengert_onnx::Model::<f32>::operators().contains(&"LayerNormalization"));
    /// ```
    pub fn operators() -> Vec<&'static str> {
        let mut names: Vec<&str> = ops::table::<T>().iter().map(|operator| operator.name).collect();
        names.extend(["If", "Loop", "Scan", "SequenceMap"]);
        names.sort_unstable();
        names
    }

    /// The model's outputs for inputs by name. Dropout and batch normalisation do what the file says, which is what the mode
    /// of `cx` has no influence on, except that a dropout whose file says nothing drops in training. Where the file says that
    /// a batch is normalised by its own statistics, the running ones move in training, by
    /// [`update_buffers`](wengert_nn::Params::update_buffers).
    ///
    /// # Errors
    /// If an input is missing, not known, or of another kind or shape than declared; or if values within the model do not go
    /// together, with the node and both shapes.
    ///
    /// # Panics
    /// If `cx` is of other parameters than the model's, or the system has no memory for a value.
    #[track_caller]
    pub fn forward(&self, cx: &Ctx<T>, inputs: &[(&str, Value<T>)]) -> Result<Outputs<T>, RunError> {
        let names = || self.inputs.iter().map(|input| input.name().to_owned()).collect();
        let mut values = vec![None; self.places];
        let mut named = BTreeMap::new();
        for (name, value) in inputs {
            let at = self.inputs.iter().position(|input| input.name() == *name);
            match at.map(|at| (at, self.graph.inputs[at])) {
                Some((at, place)) if values[place].is_none() => {
                    self.inputs[at].check(value, &mut named)?;
                    values[place] = Some(value.clone().checked().map_err(|_| RunError::Input {
                        name: (*name).to_owned(),
                        expected: "whole numbers up to 2⁵³".to_owned(),
                        found: "larger ones".to_owned(),
                    })?);
                }
                _ => return Err(RunError::UnknownInput { name: (*name).to_owned(), inputs: names() }),
            }
        }
        for (input, &place) in self.inputs.iter().zip(&self.graph.inputs) {
            if values[place].is_none() {
                return Err(RunError::MissingInput { name: input.name().to_owned(), inputs: names() });
            }
        }
        for &(place, id) in &self.params {
            values[place] = Some(Value::Float(cx.param(id)));
        }
        for &(place, id) in &self.buffers {
            values[place] = Some(Value::Float(Var::constant(cx.buffer(id))));
        }
        for (place, constant) in &self.constants {
            values[*place] = Some(constant.value());
        }
        let mut frame = Frame { values, cx: Some(cx), buffers: &self.buffers, limit: self.limit, rounds: 0 };
        frame.run(&self.graph)?;
        let values = self.graph.outputs.iter().map(|&place| frame.get(place).clone());
        Ok(Outputs { values: self.outputs.iter().cloned().zip(values).collect() })
    }
}

/// A model of one input and one output of floating-point numbers is a layer.
///
/// # Panics
/// With the error of [`forward`](Model::forward), or if the model has other inputs or outputs.
impl<T: Float> Layer<T> for Model<T> {
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        let ([input], [_]) = (&self.inputs[..], &self.outputs[..]) else {
            panic!(
                "forward: the model has {} inputs and {} outputs, and a layer has one of each",
                self.inputs.len(),
                self.outputs.len()
            );
        };
        let outputs = match Model::forward(self, cx, &[(input.name(), x.into())]) {
            Ok(outputs) => outputs,
            Err(error) => panic!("forward: {error}"),
        };
        match outputs.into_values().pop() {
            Some(Value::Float(y)) => y,
            _ => panic!("forward: the model's output does not consist of floating-point numbers"),
        }
    }
}

/// What a model computed, by name and in the model's order.
///
/// ```
/// use wengert_nn::Params;
/// use wengert_onnx::Model;
/// use wengert_tape::Var;
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/mlp.onnx");
/// let mut params: Params<f32> = Params::seeded(0);
/// let model = Model::read(params.root(), path)?;
/// let outputs = params.infer(|cx| model.forward(cx, &[("x", Var::zeros([4, 3]).into())]))?;
/// assert_eq!(outputs.float("y").unwrap().shape()[0], 4);
/// assert!(outputs.get("z").is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Outputs<T: Float = f32> {
    values: Vec<(String, Value<T>)>,
}

impl<T: Float> Outputs<T> {
    /// The output of that name.
    pub fn get(&self, name: &str) -> Option<&Value<T>> {
        self.values.iter().find(|(other, _)| other == name).map(|(_, value)| value)
    }

    /// The output of that name if it consists of floating-point numbers.
    pub fn float(&self, name: &str) -> Option<&Var<T>> {
        self.get(name).and_then(Value::float)
    }

    /// The outputs in the model's order.
    ///
    /// ```
    /// # use wengert_nn::Params;
    /// # use wengert_tape::Var;
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/mlp.onnx");
    /// # let mut params: Params<f32> = Params::seeded(0);
    /// # let model = wengert_onnx::Model::read(params.root(), path)?;
    /// let outputs = params.infer(|cx| model.forward(cx, &[("x", Var::zeros([4, 3]).into())]))?;
    /// assert_eq!(outputs.into_values().len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn into_values(self) -> Vec<Value<T>> {
        self.values.into_iter().map(|(_, value)| value).collect()
    }
}

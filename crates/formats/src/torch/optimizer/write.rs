//! Checkpoints as programs of PyTorch keep them, with ours in them.

use std::collections::HashSet;
use std::io::Write;
use std::path::Path;

use wengert_nn::Params;
use wengert_state::{Scalar, State, StateError};
use wengert_tensor::file::write_atomically;
use wengert_tensor::{Float, Shape};

use super::error::{OptimizerError, OptimizerProblem};
use super::method::{Method, Setting};
use crate::torch::error::{Error, Problem};
use crate::torch::write::pickle::Object;
use crate::torch::write::{Stored, archive, with_tensors};

/// A checkpoint with a model, the state of its optimiser and what a program adds, for `torch.load(path, weights_only=True)`: a dict of
/// `model`, which `model.load_state_dict` takes, `optimizer`, which `optimizer.load_state_dict` does, and further numbers and texts.
///
/// ```
/// use wengert_formats::torch::{Checkpoint, File};
/// use wengert_nn::{Linear, Params};
/// use wengert_optim::{Adam, Optimizer};
/// use wengert_state::Scalar;
/// let path = std::env::temp_dir().join("wengert-torch-checkpoint.pt");
/// let mut params: Params = Params::seeded(0);
/// Linear::new(params.at("out"), 3, 2);
/// let mut adam = Adam::new(1e-3);
/// adam.step(&mut params.values_mut(), &[0.5; 8]);
///
/// let settings = Optimizer::<f32>::settings(&adam);
/// Checkpoint::new(&params).optimizer(&adam.state(), &settings).with("epoch", Scalar::Count(3)).save(&path)?;
/// // checkpoint = torch.load(path)
/// // model.load_state_dict(checkpoint["model"]); optimizer.load_state_dict(checkpoint["optimizer"])
/// let file = File::open(&path)?;
/// assert_eq!(file.root().get("epoch").and_then(|epoch| epoch.int()), Some(3));
/// # Ok::<(), wengert_formats::torch::OptimizerError>(())
/// ```
#[derive(Debug)]
pub struct Checkpoint<'a, T: Float = f32> {
    params: &'a Params<T>,
    optimizer: Option<(&'a State, &'a State)>,
    others: Vec<(&'a str, Scalar)>,
}

/// What is to be written of an optimiser, under PyTorch's names.
struct Kept<T> {
    /// The steps of each parameter, in single precision as PyTorch has them.
    step: Option<[f32; 1]>,
    /// Another number that is the same for all parameters.
    real: Option<(&'static str, [T; 1])>,
    /// Numbers for each element of each.
    vectors: Vec<(&'static str, Vec<T>)>,
    /// What is said of all parameters.
    group: Group,
}

type Group = Vec<(&'static str, Object<'static>)>;

impl<'a, T: Float> Checkpoint<'a, T> {
    /// Of this model, whose parameters PyTorch's optimiser must have in the same order, as it has with `model.parameters()` of a model
    /// whose layers are made in the same order.
    pub fn new(params: &'a Params<T>) -> Self {
        Checkpoint { params, optimizer: None, others: Vec::new() }
    }

    /// With the optimiser of this [state] and these [settings], of one of the methods of [`OptimizerState`](super::OptimizerState).
    /// PyTorch takes its settings out of the file, the learning rate among them.
    ///
    /// Squares whose roots are kept here are those of the type: infinite where PyTorch's own would be.
    ///
    /// [state]: https://docs.rs/wengert-optim/latest/wengert_optim/trait.Optimizer.html#tymethod.state
    /// [settings]: https://docs.rs/wengert-optim/latest/wengert_optim/trait.Optimizer.html#method.settings
    pub fn optimizer(mut self, state: &'a State, settings: &'a State) -> Self {
        self.optimizer = Some((state, settings));
        self
    }

    /// With a number or a text under this key.
    pub fn with(mut self, key: &'a str, value: Scalar) -> Self {
        self.others.push((key, value));
        self
    }

    /// Writes the file, which appears whole or not at all.
    ///
    /// # Errors
    /// If the file cannot be written, a key is there twice, the state is of a method that PyTorch has not
    /// ([`OptimizerProblem::Method`]) or at odds with the method or the parameters, or a setting has no counterpart there
    /// ([`OptimizerProblem::Setting`]).
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), OptimizerError> {
        let path = path.as_ref();
        let kept = self.kept(Some(path))?;
        let written = with_tensors(self.params, |model| {
            write_atomically(path, |file| self.write(model, kept.as_ref(), file))
        });
        written.map_err(|problem| Error::new(Some(path), problem).into())
    }

    /// What [`save`](Self::save) writes.
    ///
    /// # Errors
    /// As [`save`](Self::save), apart from writing.
    ///
    /// ```
    /// use wengert_formats::torch::Checkpoint;
    /// let params: wengert_nn::Params = wengert_nn::Params::seeded(0);
    /// assert!(Checkpoint::new(&params).to_bytes()?.starts_with(b"PK"));
    /// # Ok::<(), wengert_formats::torch::OptimizerError>(())
    /// ```
    pub fn to_bytes(&self) -> Result<Vec<u8>, OptimizerError> {
        let (kept, mut bytes) = (self.kept(None)?, Vec::new());
        let written = with_tensors(self.params, |model| self.write(model, kept.as_ref(), &mut bytes));
        written.map_err(|problem| Error::new(None, problem))?;
        Ok(bytes)
    }

    /// What is to be written of the optimiser.
    fn kept(&self, path: Option<&Path>) -> Result<Option<Kept<T>>, OptimizerError> {
        let Some((state, settings)) = self.optimizer else { return Ok(None) };
        let method = Method::of(&state.kind).map_err(|problem| OptimizerError::new(path, problem))?;
        let names: Vec<&str> = method.vectors.iter().map(|vector| vector.here).collect();
        let mut scalars = vec!["step", "learning_rate"];
        scalars.extend(method.real.map(|(here, _)| here));
        state.expect(method.kind, &scalars, &names, &[])?;
        if settings.kind != method.kind {
            settings.expect(method.kind, &[], &[], &[])?;
        }
        check_settings(method, settings).map_err(|problem| OptimizerError::new(path, problem))?;
        let (step, len) = (state.count("step")?, self.params.len());
        let mut vectors = Vec::new();
        // PyTorch's Adagrad has its sums before the first step.
        if step == 0 && method.kind == "adagrad" {
            let start = T::from_f64(settings.finite("initial_accumulator")?);
            vectors.push(("sum", vec![start; len]));
        }
        if step > 0 {
            for vector in method.vectors {
                if vector.optional && !state.vectors.contains_key(vector.here) {
                    continue;
                }
                let mut values: Vec<T> = state.vector(vector.here, len)?;
                if vector.root {
                    values.iter_mut().for_each(|root| *root = *root * *root);
                }
                vectors.push((vector.there, values));
            }
        }
        let is_kept = !vectors.is_empty();
        let real = match method.real.filter(|_| is_kept) {
            Some((here, there)) => Some((there, [T::from_f64(state.finite(here)?)])),
            None => None,
        };
        let step = (is_kept && method.counted).then_some([step as f32]);
        Ok(Some(Kept { step, real, vectors, group: group(method, state, settings)? }))
    }

    fn write(
        &self,
        model: Vec<Stored<'_>>,
        kept: Option<&Kept<T>>,
        out: &mut impl Write,
    ) -> Result<(), Problem> {
        let shapes: Vec<_> = self.params.iter().map(|(_, shape, values)| (shape, values.len())).collect();
        let mut parts = vec![(Object::Text("model"), Object::StateDict(model.len()))];
        let mut tensors = model;
        if let Some(kept) = kept {
            parts.push((Object::Text("optimizer"), optimizer(kept, &shapes, &mut tensors)));
        }
        parts.extend(self.others.iter().map(|(key, value)| (Object::Text(key), plain(value))));
        let mut keys = HashSet::from(["model", "optimizer"]);
        if let Some((twice, _)) = self.others.iter().find(|(key, _)| !keys.insert(key)) {
            let (name, reason) = ((*twice).to_owned(), String::from("is there twice"));
            return Err(Problem::Tensor { name, reason });
        }
        archive(&Object::Dict(parts), &tensors, out)
    }
}

/// An optimiser's state dict, of parameters of these shapes and numbers of elements; its tensors come behind those that are there.
fn optimizer<'a, T: Float>(
    kept: &'a Kept<T>,
    shapes: &[(&'a Shape, usize)],
    tensors: &mut Vec<Stored<'a>>,
) -> Object<'a> {
    let (mut entries, mut start) = (Vec::new(), 0);
    for (number, &(shape, count)) in (0..).zip(shapes) {
        let step = kept.step.iter().map(|step| ("step", Stored::of("", &[], step)));
        let real = kept.real.iter().map(|(name, real)| (*name, Stored::of("", &[], real)));
        let vectors = kept
            .vectors
            .iter()
            .map(|(name, values)| (*name, Stored::of("", &shape[..], &values[start..start + count])));
        let mut entry = Vec::new();
        for (name, tensor) in step.chain(real).chain(vectors) {
            entry.push((Object::Text(name), Object::Tensor(tensors.len())));
            tensors.push(tensor);
        }
        if !entry.is_empty() {
            entries.push((Object::Count(number), Object::Dict(entry)));
        }
        start += count;
    }
    let mut group: Vec<_> =
        kept.group.iter().map(|(name, value)| (Object::Text(name), value.clone())).collect();
    let numbers = (0..shapes.len() as u64).map(Object::Count).collect();
    group.push((Object::Text("params"), Object::List(numbers)));
    Object::Dict(vec![
        (Object::Text("state"), Object::Dict(entries)),
        (Object::Text("param_groups"), Object::List(vec![Object::Dict(group)])),
    ])
}

fn plain(value: &Scalar) -> Object<'_> {
    match value {
        Scalar::Count(number) => Object::Count(*number),
        Scalar::Integer(number) => Object::Int(*number),
        Scalar::Real(number) => Object::Float(*number),
        Scalar::Flag(flag) => Object::Bool(*flag),
        Scalar::Text(text) => Object::Text(text),
        Scalar::None => Object::None,
    }
}

/// The entries of the group of parameters, but for its parameters.
fn group(method: &Method, state: &State, settings: &State) -> Result<Group, StateError> {
    let mut group = vec![("lr", Object::Float(state.learning_rate()?))];
    for &(name, setting) in method.settings {
        let value = match setting {
            Setting::Of(own) => match settings.scalar(own)? {
                Scalar::Flag(flag) => Object::Bool(*flag),
                _ => Object::Float(settings.finite(own)?),
            },
            Setting::Betas => Object::Pair(settings.finite("beta1")?, settings.finite("beta2")?),
            Setting::Always(flag) => Object::Bool(flag),
            Setting::Zero => Object::Float(0.0),
            Setting::Nothing => Object::None,
        };
        group.push((name, value));
    }
    Ok(group)
}

/// All settings that PyTorch does not have must be as if they were not there.
fn check_settings(method: &'static Method, settings: &State) -> Result<(), OptimizerProblem> {
    for (name, value) in &settings.scalars {
        let is_known = method.settings.iter().any(|(_, setting)| match setting {
            Setting::Of(own) => own == name,
            Setting::Betas => name == "beta1" || name == "beta2",
            Setting::Always(_) | Setting::Zero | Setting::Nothing => false,
        });
        let is_neutral = match value {
            Scalar::Real(x) => *x == 0.0,
            // Of Adagrad the publication has the same formula.
            Scalar::Text(convention) => {
                convention == "torch" || (convention == "paper" && method.kind == "adagrad")
            }
            _ => false,
        };
        if !is_known && !is_neutral {
            let (name, found) = (name.clone(), value.to_string());
            return Err(OptimizerProblem::Setting { kind: method.kind, name, found });
        }
    }
    Ok(())
}

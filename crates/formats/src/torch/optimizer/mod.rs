//! The state of optimisers: PyTorch's as ours, and ours as PyTorch's.

mod error;
mod known;
mod method;
mod write;

pub use error::{OptimizerError, OptimizerProblem};
pub use write::Checkpoint;

use std::collections::{HashMap, HashSet};

use wengert_nn::{Init, Loading, Params};
use wengert_state::State;
use wengert_tensor::{Float, text};

use super::file::File;
use super::state_dict::StateDict;
use super::value::{Dict, Value};
use known::{Known, counts, has, number};
use method::{Method, Vector};

/// What PyTorch's optimiser remembers, `optimizer.state_dict()`, from which one of ours goes on.
///
/// Of the methods `adam`, `adamw`, `amsgrad` (Adam with `amsgrad=True`), `sgd`, `momentum`, `nesterov`, `rmsprop`, `adagrad`, `adadelta`,
/// `adamax`, `nadam` and `radam`, in PyTorch's convention. Their settings are those of the program, here as everywhere; what the file says
/// of them is in [`setting`](OptimizerState::setting).
///
/// ```
/// use wengert_formats::torch::{Checkpoint, File};
/// use wengert_nn::{Linear, Params};
/// use wengert_optim::{Adam, Optimizer};
/// let mut params: Params = Params::seeded(0);
/// Linear::new(params.at("out"), 3, 2);
/// let mut adam = Adam::new(1e-3);
/// adam.step(&mut params.values_mut(), &[0.5; 8]);
/// // As torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, path) writes it.
/// let bytes = Checkpoint::new(&params).optimizer(&adam.state(), &Optimizer::<f32>::settings(&adam)).to_bytes()?;
///
/// let mut state = File::from_bytes(bytes)?.optimizer_state()?;
/// let mut again: Adam = Adam::new(1e-2);
/// again.load_state(&state.state("adam", &params)?)?;
/// assert_eq!((again.learning_rate(), again.steps()), (1e-3, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct OptimizerState {
    dict: StateDict,
    keys: Vec<String>,
}

/// Whether it looks like what an optimiser's `state_dict()` gives.
fn is_optimizer(value: Value<'_>) -> bool {
    value.get("state").is_some_and(|state| state.dict().is_some())
        && value.get("param_groups").is_some_and(|groups| groups.items().is_some())
}

impl File {
    /// The state of the optimiser in a checkpoint, under whatever key it stands, or that is the file.
    ///
    /// # Errors
    /// [`OptimizerProblem::None`] if there is none, [`OptimizerProblem::Several`] with their keys if there are several, of which
    /// [`optimizer_state_at`](File::optimizer_state_at) takes one.
    ///
    /// ```
    /// use wengert_formats::torch::File;
    /// // torch.save({"optimizer": torch.optim.SGD([], lr=1).state_dict()}, …), without the other settings, of PyTorch 1.5.
    /// let bytes = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}.\x80\x02}X\x09\0\0\0optimizer}(\
    ///     X\x05\0\0\0state}X\x0c\0\0\0param_groups]}(X\x02\0\0\0lrK\x01X\x06\0\0\0params]uaus.\x80\x02].";
    /// let mut state = File::from_bytes(*bytes)?.optimizer_state()?;
    /// assert_eq!(state.setting("lr").and_then(|rate| rate.float()), Some(1.0));
    /// let params: wengert_nn::Params = wengert_nn::Params::seeded(0);
    /// assert_eq!(state.state("sgd", &params)?.learning_rate()?, 1.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn optimizer_state(self) -> Result<OptimizerState, OptimizerError> {
        if is_optimizer(self.root()) {
            return self.optimizer_state_at(&[]);
        }
        let entries = self.root().dict().map(Dict::iter).into_iter().flatten();
        let found = entries.filter(|&(_, value)| is_optimizer(value));
        let mut keys: Vec<String> = found.filter_map(|(key, _)| key.text()).map(str::to_owned).collect();
        match keys.len() {
            0 => Err(self.no_optimizer(self.root())),
            1 => self.optimizer_state_at(&[&keys.remove(0)]),
            _ => {
                keys.truncate(16);
                let keys = keys.iter().map(|key| text::shortened(key)).collect();
                Err(OptimizerError::new(self.path(), OptimizerProblem::Several { keys }))
            }
        }
    }

    /// The state of the optimiser under these keys, one within the other; under none, the whole of what was saved.
    ///
    /// # Errors
    /// If there is no such key, or [`OptimizerProblem::None`] if it is no optimiser's state.
    ///
    /// ```
    /// # use wengert_formats::torch;
    /// # let params: wengert_nn::Params = wengert_nn::Params::seeded(0);
    /// let file = torch::File::from_bytes(torch::to_bytes(&params)?)?;
    /// assert!(file.optimizer_state_at(&["generator", "optimizer"]).is_err());
    /// # Ok::<(), torch::Error>(())
    /// ```
    pub fn optimizer_state_at(self, keys: &[&str]) -> Result<OptimizerState, OptimizerError> {
        let found = keys.iter().try_fold(self.root(), |value, key| value.get(key));
        if let Some(value) = found.filter(|&value| !is_optimizer(value)) {
            return Err(self.no_optimizer(value));
        }
        let keys_here = keys.iter().map(|&key| key.to_owned()).collect();
        Ok(OptimizerState { dict: self.state_dict_at(keys)?, keys: keys_here })
    }

    fn no_optimizer(&self, value: Value<'_>) -> OptimizerError {
        OptimizerError::new(self.path(), OptimizerProblem::None { found: format!("{value:?}") })
    }
}

impl OptimizerState {
    /// What the first group of parameters says of a setting: `lr`, `betas`, `weight_decay` …
    pub fn setting(&self, name: &str) -> Option<Value<'_>> {
        self.groups().next()?.get(name)
    }

    /// The names that PyTorch's optimiser knows its parameters by, if it was given names (from PyTorch 2.6 on, by
    /// `model.named_parameters()`).
    ///
    /// ```
    /// # use wengert_formats::torch::{Checkpoint, File};
    /// # use wengert_optim::{Optimizer, Sgd};
    /// # let (params, sgd) = (wengert_nn::Params::<f32>::seeded(0), Sgd::<f32>::new(0.1));
    /// let file = File::from_bytes(Checkpoint::new(&params).optimizer(&sgd.state(), &sgd.settings()).to_bytes()?)?;
    /// assert_eq!(file.optimizer_state()?.names(), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn names(&self) -> Option<Vec<&str>> {
        let mut names = Vec::new();
        for group in self.groups() {
            for name in group.get("param_names")?.items()?.iter() {
                names.push(name.text()?);
            }
        }
        Some(names).filter(|names| !names.is_empty())
    }

    /// What an optimiser of this kind ([`Optimizer::name`]) remembers, for [`Optimizer::load_state`]: the parameters are known by the
    /// file's own [names](Self::names) if it has them, and else by their order, which is that of `model.parameters()`.
    ///
    /// Floating-point numbers are converted as weights are. Where squares are averaged, their roots are kept here. SGD counts no steps, so that
    /// 1 stands for any number of them. A parameter for which PyTorch keeps no state, as it was never stepped, begins with none.
    ///
    /// [`Optimizer::name`]: https://docs.rs/wengert-optim/latest/wengert_optim/trait.Optimizer.html#tymethod.name
    /// [`Optimizer::load_state`]: https://docs.rs/wengert-optim/latest/wengert_optim/trait.Optimizer.html#tymethod.load_state
    ///
    /// # Errors
    /// [`OptimizerError`]: the method is another than the file's, the parameters are not those of the model by number, name or shape, or
    /// what is kept for them cannot be said by one state, as if they have made different numbers of steps.
    pub fn state<T: Float>(&mut self, kind: &str, params: &Params<T>) -> Result<State, OptimizerError> {
        let names: Option<Vec<String>> =
            self.names().map(|names| names.into_iter().map(str::to_owned).collect());
        let names = names.unwrap_or_else(|| params.iter().map(|(name, ..)| name.to_owned()).collect());
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        self.state_of(kind, params, &names)
    }

    /// Like [`state`](Self::state), of the parameters of these names, in the order in which PyTorch's optimiser was given them; others of the
    /// model begin without a state.
    ///
    /// ```
    /// use wengert_formats::torch::{Checkpoint, File};
    /// use wengert_nn::{Linear, Params};
    /// use wengert_optim::{Momentum, Optimizer};
    /// let model = |names: &[&str]| {
    ///     let mut params: Params = Params::seeded(0);
    ///     names.iter().for_each(|name| drop(Linear::new(params.at(name), 3, 2)));
    ///     params
    /// };
    /// let mut momentum = Momentum::new(0.1);
    /// let mut head = model(&["head"]);
    /// momentum.step(&mut head.values_mut(), &[0.5; 8]);
    /// let bytes = Checkpoint::new(&head).optimizer(&momentum.state(), &Optimizer::<f32>::settings(&momentum)).to_bytes()?;
    ///
    /// let mut state = File::from_bytes(bytes)?.optimizer_state()?;
    /// let state = state.state_of("momentum", &model(&["body", "head"]), &["head.weight", "head.bias"])?;
    /// assert_eq!(state.vector::<f32>("momentum", 16)?, [[0.0; 8], [0.5; 8]].concat());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`state`](Self::state).
    pub fn state_of<T: Float>(
        &mut self,
        kind: &str,
        params: &Params<T>,
        names: &[&str],
    ) -> Result<State, OptimizerError> {
        let wrong = |this: &Self, problem| OptimizerError::new(this.dict.file().path(), problem);
        let method = Method::of(kind).map_err(|problem| wrong(self, problem))?;
        let rate = self.rate().map_err(|problem| wrong(self, problem))?;
        let known = self.known(params, names).map_err(|problem| wrong(self, problem))?;
        let (step, real) = counts(method, &known).map_err(|problem| wrong(self, problem))?;
        let state = State::new(kind, params.len()).with_count("step", step).with_real("learning_rate", rate);
        if step == 0 {
            return Ok(state);
        }
        let of_state = known.iter().filter_map(|known| Some((known.number, known.name, known.state?)));
        let of_state: Vec<(i64, String, Dict<'_>)> =
            of_state.map(|(number, name, dict)| (number, name.to_owned(), dict)).collect();
        let is_there = |vector: &Vector| of_state.iter().any(|(_, _, own)| has(own, vector));
        // If there are none of the method's, all are missing.
        let none = !method.vectors.iter().any(is_there);
        let wanted = method.vectors.iter().filter(|vector| none || !vector.optional || is_there(vector));
        let vectors: Vec<&Vector> = wanted.collect();
        let of_state: Vec<(i64, String)> =
            of_state.into_iter().map(|(number, name, _)| (number, name)).collect();
        let mut found = self.read(params, method, &vectors, &of_state)?;
        let mut state = match (method.real, real) {
            (Some((name, _)), Some(real)) => state.with_real(name, real),
            _ => state,
        };
        for (vector, values) in vectors.into_iter().zip(&mut found) {
            if vector.root {
                if values.iter().any(|&square| square < T::ZERO) {
                    let (name, reason) =
                        (vector.there.to_owned(), "has a negative number, and is of squares");
                    return Err(wrong(self, OptimizerProblem::Value { name, reason }));
                }
                values.iter_mut().for_each(|square| *square = square.sqrt());
            }
            state = state.with_vector(vector.here, values);
        }
        Ok(state)
    }

    /// Reads the vectors of these parameters, each in the order of all of the model's.
    fn read<T: Float>(
        &mut self,
        params: &Params<T>,
        method: &Method,
        vectors: &[&Vector],
        names: &[(i64, String)],
    ) -> Result<Vec<Vec<T>>, OptimizerError> {
        // As parameters of a model of their own, whose loading finds and checks them.
        let mut slots: Params<T> = Params::seeded(0);
        for vector in vectors {
            for (_, name) in names {
                let shape = params.shape(params.id(name).expect("it was looked for")).clone();
                slots.root().param(&format!("{name}.{}", vector.there), shape, Init::Zeros);
            }
        }
        let of_number: HashMap<i64, &str> =
            names.iter().map(|(number, name)| (*number, name.as_str())).collect();
        let aside = |what: &str| what == "step" || method.real.is_some_and(|(_, there)| there == what);
        let loading = Loading::new().rename(|name| {
            let (number, what) = name.strip_prefix("state.")?.split_once('.')?;
            let name = of_number.get(&number.parse().ok()?)?;
            (!aside(what)).then(|| format!("{name}.{what}"))
        });
        slots.load_from(&mut self.dict, &loading)?;
        let (mut places, mut end) = (HashMap::new(), 0);
        for (name, _, values) in params.iter() {
            places.insert(name, end..end + values.len());
            end += values.len();
        }
        let mut rest = slots.values();
        let of_vector = vectors.iter().map(|_| {
            let mut all = vec![T::ZERO; params.len()];
            for (_, name) in names {
                let place = places[name.as_str()].clone();
                let (own, others) = rest.split_at(place.len());
                rest = others;
                all[place].copy_from_slice(own);
            }
            all
        });
        Ok(of_vector.collect())
    }

    fn value(&self) -> Value<'_> {
        let root = self.dict.file().root();
        self.keys.iter().try_fold(root, |value, key| value.get(key)).unwrap_or(root)
    }

    fn groups(&self) -> impl Iterator<Item = Value<'_>> {
        self.value().get("param_groups").and_then(Value::items).into_iter().flat_map(|groups| groups.iter())
    }

    /// The learning rate of all groups.
    fn rate(&self) -> Result<f64, OptimizerProblem> {
        let wrong = |reason| OptimizerProblem::Value { name: "lr".into(), reason };
        let mut rate = None;
        for group in self.groups() {
            let own = group.get("lr").ok_or_else(|| wrong("is missing"))?;
            let own = number(own).filter(|rate| rate.is_finite() && *rate >= 0.0);
            let own = own.ok_or_else(|| wrong("is no finite number from 0 on"))?;
            match rate {
                Some(rate) if rate != own => return Err(OptimizerProblem::Rates { rates: [rate, own] }),
                _ => rate = Some(own),
            }
        }
        rate.ok_or_else(|| wrong("is missing, as there is no group of parameters"))
    }

    /// The parameters of all groups, with these names.
    fn known<'a, T: Float>(
        &'a self,
        params: &Params<T>,
        names: &[&'a str],
    ) -> Result<Vec<Known<'a>>, OptimizerProblem> {
        let wrong = |name: &str, reason| OptimizerProblem::Value { name: name.into(), reason };
        let mut numbers = Vec::new();
        for group in self.groups() {
            let own =
                group.get("params").and_then(Value::items).ok_or_else(|| wrong("params", "is no list"))?;
            for number in own.iter() {
                numbers.push(number.int().ok_or_else(|| wrong("params", "has something that is no number"))?);
            }
        }
        if numbers.len() != names.len() {
            return Err(OptimizerProblem::Parameters { file: numbers.len(), model: names.len() });
        }
        let state =
            self.value().get("state").and_then(Value::dict).ok_or_else(|| wrong("state", "is no dict"))?;
        let mut of_number = HashMap::new();
        for (key, own) in state.iter() {
            let number =
                key.int().ok_or_else(|| wrong("state", "has a key that is no parameter's number"))?;
            of_number
                .insert(number, own.dict().ok_or_else(|| wrong("state", "has something that is no dict"))?);
        }
        let mut seen = HashSet::new();
        let mut known = Vec::with_capacity(names.len());
        for (number, &name) in numbers.into_iter().zip(names) {
            if params.id(name).is_none() || !seen.insert(name) {
                return Err(OptimizerProblem::Unknown { name: text::shortened(name) });
            }
            // There may be an entry for what was never stepped, with nothing in it.
            let is_kept = |state: &Dict<'_>| state.iter().any(|(_, value)| value.tensor().is_some());
            let state = of_number.get(&number).copied().filter(is_kept);
            known.push(Known { number, name, state });
        }
        Ok(known)
    }
}

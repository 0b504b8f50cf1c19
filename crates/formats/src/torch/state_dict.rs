//! Which dict of a file is the state dict, and its tensors by name.

use std::collections::HashSet;
use std::io::Error as IoError;
use std::path::Path;

use wengert_nn::tensor_file::{TensorEntry, TensorSource};
use wengert_tensor::text;

use super::error::{Error, Problem};
use super::file::File;
use super::layout;
use super::pickle::{Content, Id, Node};
use super::value::Value;

/// What programs call the state dict of a checkpoint.
const KEYS: [&str; 10] = [
    "state_dict",
    "model_state_dict",
    "model",
    "model_state",
    "module",
    "net",
    "network",
    "weights",
    "params",
    "state",
];
/// How deep dicts may stand in each other.
const DEPTH: usize = 32;
/// Keys that an error tells.
const TOLD: usize = 16;
/// Memory of an entry, beside its name's.
const ENTRY: usize = 128;

/// The tensors of a state dict by their dotted names. Nested dicts are joined by dots, and what is no tensor is passed
/// over.
///
/// ```
/// use wengert_formats::torch;
/// use wengert_nn::{Linear, Params};
/// let mut params: Params = Params::seeded(0);
/// Linear::new(params.at("out"), 3, 2);
/// let dict = torch::File::from_bytes(torch::to_bytes(&params)?)?.state_dict()?;
/// assert_eq!(dict.names().collect::<Vec<_>>(), ["out.weight", "out.bias"]);
/// # Ok::<(), torch::Error>(())
/// ```
///
/// A model is loaded from it by [`Params::load_from`](wengert_nn::Params::load_from), a single tensor by
/// [`read_tensor`](wengert_nn::tensor_file::read_tensor).
#[derive(Debug)]
pub struct StateDict {
    pub(super) file: File,
    pub(super) entries: Vec<(String, u32)>,
}

impl File {
    /// The state dict of the file: the dict that was saved, or of a checkpoint the one under `state_dict`, `model_state_dict`,
    /// `model`, `model_state`, `module`, `net`, `network`, `weights`, `params` or `state`, or the only one that has tensors.
    ///
    /// # Errors
    /// [`Problem::Ambiguous`] with their keys if there are several, of which [`state_dict_at`](File::state_dict_at) takes
    /// one; [`Problem::NoStateDict`] if there is none.
    ///
    /// ```
    /// use wengert_formats::torch;
    /// use wengert_nn::tensor_file::read_tensor;
    /// use wengert_nn::{Init, Params};
    /// let mut params: Params = Params::seeded(0);
    /// params.root().param("scale", 2, Init::Ones);
    /// let mut dict = torch::File::from_bytes(torch::to_bytes(&params)?)?.state_dict()?;
    /// assert_eq!(read_tensor::<f64>(&mut dict, "scale")?.to_vec(), [1.0, 1.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn state_dict(self) -> Result<StateDict, Error> {
        match self.find(self.root_id(), DEPTH) {
            Ok(id) => self.entries(id),
            Err(problem) => Err(self.error(problem)),
        }
    }

    /// The state dict under these keys, one within the other; under none, the whole of what was saved.
    ///
    /// # Errors
    /// [`Problem::NoKey`] if there is no such key, [`Problem::NoStateDict`] if it is no dict.
    ///
    /// ```
    /// use wengert_formats::torch::{File, Problem};
    /// # use wengert_formats::torch;
    /// # let params: wengert_nn::Params = wengert_nn::Params::seeded(0);
    /// let file = File::from_bytes(torch::to_bytes(&params)?)?;
    /// let error = file.state_dict_at(&["generator"]).unwrap_err();
    /// assert!(matches!(error.problem(), Problem::NoKey { key, .. } if key == "generator"), "{error}");
    /// # Ok::<(), torch::Error>(())
    /// ```
    pub fn state_dict_at(self, keys: &[&str]) -> Result<StateDict, Error> {
        let mut id = self.root_id();
        for &key in keys {
            let pairs = self.pairs(id).unwrap_or_default();
            let found = pairs.iter().rev().find(|(own, _)| self.heap.text(*own) == Some(key));
            let Some(&(_, value)) = found else {
                let (key, count) = (key.to_owned(), pairs.len());
                let keys = pairs.iter().take(TOLD).filter_map(|(own, _)| self.heap.text(*own));
                let keys = keys.map(text::shortened).collect();
                return Err(self.error(Problem::NoKey { key, keys, count }));
            };
            id = value;
        }
        self.entries(id)
    }

    fn pairs(&self, id: Id) -> Option<&[(Id, Id)]> {
        match self.heap.node(id) {
            Node::Dict(pairs) => Some(pairs),
            _ => None,
        }
    }

    fn find(&self, id: Id, depth: usize) -> Result<Id, Problem> {
        let none = || Problem::NoStateDict { found: format!("{:?}", Value::new(self, id)) };
        let pairs = self.pairs(id).filter(|_| depth > 0).ok_or_else(none)?;
        let dicts: Vec<(&str, Id)> = pairs
            .iter()
            .filter_map(|&(key, value)| Some((self.heap.text(key)?, value)))
            .filter(|&(_, value)| self.pairs(value).is_some() && self.has_tensors(value))
            .collect();
        let known: Vec<_> = dicts.iter().filter(|(key, _)| KEYS.contains(key)).collect();
        let tensors = pairs.iter().any(|&(_, value)| matches!(self.heap.node(value), Node::Tensor(_)));
        match (&known[..], &dicts[..]) {
            ([(_, inner)], _) => self.find(*inner, depth - 1),
            // Tensors beside it are the loss, a best metric.
            ([], _) if tensors => Ok(id),
            ([], [(_, inner)]) => self.find(*inner, depth - 1),
            ([], []) if pairs.is_empty() => Ok(id),
            ([], []) => Err(none()),
            _ => {
                let keys = dicts.iter().take(TOLD).map(|(key, _)| text::shortened(key)).collect();
                Err(Problem::Ambiguous { keys })
            }
        }
    }

    /// Whether a dict has a tensor, at any depth.
    fn has_tensors(&self, id: Id) -> bool {
        let (mut seen, mut todo) = (HashSet::from([id]), vec![id]);
        while let Some(id) = todo.pop() {
            for &(_, value) in self.pairs(id).unwrap_or_default() {
                match self.heap.node(value) {
                    Node::Tensor(_) => return true,
                    Node::Dict(_) if seen.insert(value) => todo.push(value),
                    _ => {}
                }
            }
        }
        false
    }

    fn entries(mut self, id: Id) -> Result<StateDict, Error> {
        if self.pairs(id).is_none() {
            let found = format!("{:?}", Value::new(&self, id));
            return Err(self.error(Problem::NoStateDict { found }));
        }
        let mut entries = Vec::new();
        // The dicts that are being walked through, with what stands before their names and the next of their entries.
        let mut open = vec![(String::new(), id, 0)];
        while let Some((prefix, id, next)) = open.last_mut() {
            let Some(&(key, value)) = self.pairs(*id).and_then(|pairs| pairs.get(*next)) else {
                open.pop();
                continue;
            };
            *next += 1;
            let name = match *self.heap.node(key) {
                Node::Int(number) => format!("{prefix}{number}"),
                _ => match self.heap.text(key) {
                    Some(key) => format!("{prefix}{key}"),
                    None => continue,
                },
            };
            if let Err(problem) = self.heap.charge(name.len() + ENTRY) {
                return Err(self.error(problem));
            }
            match *self.heap.node(value) {
                Node::Tensor(index) => entries.push((name, index)),
                Node::Dict(_) if open.len() < DEPTH => open.push((name + ".", value, 0)),
                Node::Dict(_) => {
                    let reason = format!("stands in more than {DEPTH} dicts");
                    return Err(self.error(Problem::Tensor { name, reason }));
                }
                _ => {}
            }
        }
        Ok(StateDict { file: self, entries })
    }

    /// The name of a tensor, as far as dicts have one for it.
    pub(super) fn name_of(&self, tensor: u32) -> Option<String> {
        let mut seen = HashSet::from([self.root_id()]);
        let mut todo = vec![(String::new(), self.root_id())];
        while let Some((prefix, id)) = todo.pop() {
            for &(key, value) in self.pairs(id).unwrap_or_default() {
                let name =
                    || format!("{prefix}{}", self.heap.text(key).map_or(String::from("?"), text::shortened));
                match self.heap.node(value) {
                    Node::Tensor(index) if *index == tensor => return Some(name()),
                    Node::Dict(_) if seen.insert(value) && prefix.len() < 256 => {
                        todo.push((name() + ".", value))
                    }
                    _ => {}
                }
            }
        }
        None
    }
}

impl StateDict {
    /// The names of its tensors, in their order.
    ///
    /// ```
    /// # use wengert_formats::torch;
    /// # let params: wengert_nn::Params = wengert_nn::Params::seeded(0);
    /// let dict = torch::File::from_bytes(torch::to_bytes(&params)?)?.state_dict()?;
    /// assert_eq!(dict.names().count(), 0);
    /// # Ok::<(), torch::Error>(())
    /// ```
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.entries.iter().map(|(name, _)| name.as_str())
    }

    /// The file that it is of.
    ///
    /// ```
    /// # use wengert_formats::torch;
    /// # let params: wengert_nn::Params = wengert_nn::Params::seeded(0);
    /// let dict = torch::File::from_bytes(torch::to_bytes(&params)?)?.state_dict()?;
    /// assert!(dict.file().root().get("epoch").is_none());
    /// # Ok::<(), torch::Error>(())
    /// ```
    pub fn file(&self) -> &File {
        &self.file
    }
}

/// Tensors of a kind that cannot be read, such as sparse ones, are there with that in the place of a type: those that the
/// model does not have are no matter.
impl TensorSource for StateDict {
    fn each(&self, visit: &mut dyn FnMut(usize, &TensorEntry<'_>)) {
        for (place, (name, tensor)) in self.entries.iter().enumerate() {
            let raw = &self.file.heap.tensors[*tensor as usize];
            let dtype = match raw.content {
                Content::Strided { dtype, .. } => dtype.name,
                Content::Foreign(name) => name,
            };
            let shape = layout::shape(&raw.size).expect("it was checked when the file was opened");
            visit(place, &TensorEntry::new(name.as_str(), dtype, shape));
        }
    }

    fn read(
        &mut self,
        place: usize,
        take: &mut dyn FnMut(&[u8]) -> Result<(), IoError>,
    ) -> Result<(), IoError> {
        match self.file.layout(self.entries[place].1) {
            Some(layout) => self.file.read_layout(&layout, take),
            None => Err(IoError::other("a tensor of a kind that cannot be read")),
        }
    }

    fn path(&self) -> Option<&Path> {
        self.file.path()
    }
}

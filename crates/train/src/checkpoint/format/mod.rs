//! One state, one file.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{BufReader, Error, ErrorKind, Write};
use std::path::Path;

use crc32fast::Hasher;
use wengert_nn::FormatError;
use wengert_nn::tensor_file::{BUFFERS, CHECKPOINT, MODEL, NamedTensor, Numbers, ReadError, Reader, Writer};
use wengert_state::{Scalar, State, Values};
use wengert_tensor::file::{AccessError, open, write_atomically};
use wengert_tensor::{Shape, text};

use super::{CheckpointError, differences};

/// The version of the format that is written, and the only one that is read.
const VERSION: u32 = 1;
/// The other entries of the metadata.
const LIBRARY: &str = "wengert.version";
const STATE: &str = "wengert.state";
const CHECKSUM: &str = "wengert.crc32";
/// What the format's own writer has there.
const FORMAT: (&str, &str) = ("format", "pt");

/// Where a state has the model, and the parts of that.
const PARAMS: &str = "params";
const PARAMETERS: &str = "parameters";
const IN_MODEL: &str = "params.parameters.";
const IN_BUFFERS: &str = "params.buffers.";
/// Whole numbers up to here stay in the text: those of generators and counters.
const FEW: usize = 16;
/// States within states: JSON is read to a depth of 128, and each takes two.
const DEEPEST: usize = 50;

/// Writes a state to a checkpoint, which appears whole or not at all: see [`write_atomically`].
///
/// ```
/// use wengert_state::State;
/// use wengert_train::checkpoint::{read, write};
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("search.safetensors");
/// let state = State::new("search", 2).with_count("tries", 7).with_vector("best", &[0.1f64, f64::NAN]);
/// write(&path, &state)?;
/// assert_eq!(read(&path)?.count("tries")?, 7);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the file cannot be written, the path leads to something that is no regular file, or the state is too deep, or takes
/// more than 100 MB without its vectors. What was at the path is then still there.
pub fn write(path: impl AsRef<Path>, state: &State) -> Result<(), CheckpointError> {
    let path = path.as_ref();
    let file = compose(path, state)?;
    write_atomically(path, |out| Ok(file.write(out)?)).map_err(|error| CheckpointError::access(path, error))
}

/// The state that [`write()`] wrote, to the bit.
///
/// ```
/// use wengert_state::State;
/// use wengert_train::checkpoint::{read, write};
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("search.safetensors");
/// write(&path, &State::new("search", 1).with_vector("best", &[0.1f32]))?;
/// assert_eq!(read(&path)?.vector::<f32>("best", 1)?, [0.1]);
/// assert!(read(folder.path().join("other.safetensors")).is_err()); // there is none
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the file cannot be read, is none that [`write()`] wrote, of another version, or was changed since.
pub fn read(path: impl AsRef<Path>) -> Result<State, CheckpointError> {
    let path = path.as_ref();
    let file = open(path).map_err(|error| CheckpointError::access(path, error))?;
    let failed = |error| match error {
        ReadError::Format(error) => CheckpointError::Format { path: path.to_owned(), error },
        ReadError::Io(error) => CheckpointError::io(path, error),
        other => CheckpointError::content(path, other.to_string()),
    };
    let mut reader = Reader::new(BufReader::new(file)).map_err(failed)?;
    check_version(path, reader.texts())?;

    let mut checksum = checksum_of(reader.texts().iter().map(|(key, text)| (key.as_str(), text.as_str())));
    let mut held = BTreeMap::new();
    for index in 0..reader.tensors().len() {
        let entry = &reader.tensors()[index];
        let (name, shape) = (entry.name().to_owned(), entry.shape().clone());
        add_tensor(&mut checksum, &name, entry.dtype(), &shape);
        let numbers = reader.numbers(index, |bytes| checksum.update(bytes));
        let Some(numbers) = numbers.map_err(|error| CheckpointError::io(path, error))? else {
            let dtype = text::shortened(reader.tensors()[index].dtype());
            let reason = format!("{} has elements of type {dtype}", text::quoted(&name));
            return Err(CheckpointError::content(path, reason));
        };
        held.insert(name, (shape, numbers));
    }
    let (found, texts) = (written(checksum), reader.texts());
    let expected = texts.get(CHECKSUM).map_or("", String::as_str);
    if found != expected {
        let expected = text::shortened(expected);
        return Err(CheckpointError::Damaged { path: path.to_owned(), expected, found });
    }
    let Some(rest) = texts.get(STATE) else {
        return Err(CheckpointError::content(path, "the metadata have no state"));
    };
    let rest = serde_json::from_str(rest);
    let rest = rest.map_err(|error| CheckpointError::content(path, text::line(&error.to_string(), 160)))?;
    assemble(rest, held).map_err(|reason| CheckpointError::content(path, reason))
}

/// The state of a checkpoint that is to go on as `here`, which is the state of the same run before.
///
/// ```
/// use wengert_nn::{Linear, Params};
/// use wengert_optim::{Adam, Optimizer, Sgd};
/// use wengert_state::State;
/// use wengert_train::checkpoint::{read_like, write};
///
/// let run = |width, optimizer: &dyn Optimizer<f32>| {
///     let mut params: Params = Params::seeded(0);
///     Linear::new(params.at("out"), 3, width);
///     State::new("run", 0).with_child("params", params.state()).with_child("optimizer", optimizer.state())
/// };
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("run.safetensors");
/// write(&path, &run(2, &Adam::new(1e-3)))?;
/// let error = read_like(&path, &run(4, &Sgd::new(0.1))).unwrap_err().to_string();
/// assert!(error.contains("`optimizer` is `adam` in the file, `sgd` here"), "{error}");
/// assert!(error.contains("`out.weight` has shape [2, 3] in the file, [4, 3] here"), "{error}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// As [`read`], and [`CheckpointError::Other`] if [`differences`] finds some.
pub fn read_like(path: impl AsRef<Path>, here: &State) -> Result<State, CheckpointError> {
    let path = path.as_ref();
    let there = read(path)?;
    let differences = differences(here, &there);
    match differences.is_empty() {
        true => Ok(there),
        false => Err(CheckpointError::Other { path: path.to_owned(), differences }),
    }
}

/// Whether there is a file that does not say of itself that it is a checkpoint, of whatever version.
pub(super) fn is_foreign(path: &Path) -> bool {
    match open(path) {
        // Somebody else has removed it.
        Err(AccessError::Io(error)) if error.kind() == ErrorKind::NotFound => false,
        Err(_) => true,
        Ok(file) => {
            let reader = Reader::new(BufReader::new(file));
            !reader.is_ok_and(|reader| reader.texts().contains_key(CHECKPOINT))
        }
    }
}

/// All that is to be written.
struct File<'a>(Writer<'a>);

impl File<'_> {
    fn write(&self, out: &mut impl Write) -> Result<(), Error> {
        self.0.write(out)
    }
}

fn compose<'a>(path: &Path, state: &'a State) -> Result<File<'a>, CheckpointError> {
    if !is_shallow(state, DEEPEST) {
        let reason = format!("the state has states within states, more than {DEEPEST} deep");
        return Err(CheckpointError::content(path, reason));
    }
    let (mut rest, vectors) = state.parts(goes_outside);
    let shapes = shapes(state);
    let mut tensors: Vec<NamedTensor<'_>> = Vec::new();
    for (path, values) in &vectors {
        let numbers = match *values {
            Values::F32(v) => Numbers::from(&v[..]),
            Values::F64(v) => Numbers::from(&v[..]),
            Values::U64(v) => Numbers::from(&v[..]),
        };
        // A shape that is at odds with the numbers is not believed.
        let shape = shapes.get(path).filter(|shape| shape.checked_count() == Some(numbers.len()));
        let shape = shape.cloned().unwrap_or_else(|| Shape::from([numbers.len()]));
        tensors.push(NamedTensor::new(name_of(path), shape, numbers));
    }
    for (name, count) in take_counts(&mut rest, &vectors) {
        tensors.push(NamedTensor::new(name, Shape::from([0usize; 0]), Numbers::I64(Cow::Owned(vec![count]))));
    }
    tensors.sort_by(|a, b| a.name().cmp(b.name()));

    let json =
        serde_json::to_string(&rest).map_err(|error| CheckpointError::content(path, error.to_string()))?;
    let version = VERSION.to_string();
    let mut texts =
        vec![FORMAT, (CHECKPOINT, &*version), (STATE, &*json), (LIBRARY, env!("CARGO_PKG_VERSION"))];
    texts.sort_unstable();
    let mut checksum = checksum_of(texts.iter().copied());
    for tensor in &tensors {
        add_tensor(&mut checksum, tensor.name(), tensor.numbers().dtype(), tensor.shape());
        let add = |bytes: &[u8]| {
            checksum.update(bytes);
            Ok(())
        };
        tensor.numbers().each_piece(add).map_err(|error| CheckpointError::io(path, error))?;
    }
    let checksum = written(checksum);
    texts.push((CHECKSUM, &checksum));
    texts.retain(|text| *text != FORMAT);
    let failed = |error: FormatError| CheckpointError::Format { path: path.to_owned(), error };
    Writer::new(&texts, tensors).map(File).map_err(failed)
}

fn is_shallow(state: &State, deepest: usize) -> bool {
    deepest > 0 && state.children.values().all(|child| is_shallow(child, deepest - 1))
}

/// Whether the vector becomes a tensor. Names that begin as those of the model do would be taken for it.
fn goes_outside(path: &str, values: &Values) -> bool {
    let few = matches!(values, Values::U64(words) if words.len() <= FEW);
    !few && !path.starts_with(MODEL) && !path.starts_with(BUFFERS) && path != "__metadata__"
}

/// The name of the tensor of a vector.
fn name_of(path: &str) -> String {
    match (path.strip_prefix(IN_MODEL), path.strip_prefix(IN_BUFFERS)) {
        (Some(name), _) => format!("{MODEL}{name}"),
        (_, Some(name)) => format!("{BUFFERS}{name}"),
        _ => path.to_owned(),
    }
}

/// The shapes that states of parameters have, by the paths of the vectors.
fn shapes(state: &State) -> BTreeMap<String, Shape> {
    fn visit(state: &State, prefix: &str, found: &mut BTreeMap<String, Shape>) {
        if let (PARAMS, Some(shapes)) = (&*state.kind, state.children.get("shapes")) {
            for (name, shape) in &shapes.scalars {
                if let Scalar::Text(shape) = shape
                    && let Some(shape) = shape_of(shape)
                {
                    for part in [PARAMETERS, "buffers"] {
                        found.insert(format!("{prefix}{part}.{name}"), shape.clone());
                    }
                }
            }
        }
        for (name, child) in &state.children {
            visit(child, &format!("{prefix}{name}."), found);
        }
    }
    let mut found = BTreeMap::new();
    visit(state, "", &mut found);
    found
}

/// The shape that is written so: `[2, 3]`.
fn shape_of(text: &str) -> Option<Shape> {
    let lengths = text.strip_prefix('[')?.strip_suffix(']')?;
    if lengths.is_empty() {
        return Some(Shape::from([0usize; 0]));
    }
    let lengths: Option<Vec<usize>> = lengths.split(", ").map(|length| length.parse().ok()).collect();
    lengths.filter(|lengths| lengths.len() <= 64).map(|lengths| lengths.into_iter().collect())
}

/// The model's counts, which are taken out of the state, under the names of their tensors.
fn take_counts(rest: &mut State, vectors: &BTreeMap<String, &Values>) -> Vec<(String, i64)> {
    let Some(buffers) = rest.children.get_mut(PARAMS).and_then(|params| params.children.get_mut("buffers"))
    else {
        return Vec::new();
    };
    let mut taken = Vec::new();
    buffers.scalars.retain(|name, scalar| match *scalar {
        Scalar::Integer(count) if !vectors.contains_key(&format!("{IN_BUFFERS}{name}")) => {
            taken.push((format!("{BUFFERS}{name}"), count));
            false
        }
        _ => true,
    });
    taken
}

/// The state of these parts; or why there is none.
fn assemble(mut rest: State, mut held: BTreeMap<String, (Shape, Numbers<'static>)>) -> Result<State, String> {
    rest.join(|path| {
        let name = name_of(path);
        let values = match &mut held.get_mut(&name)?.1 {
            Numbers::F32(v) => Values::F32(std::mem::take(v.to_mut())),
            Numbers::F64(v) => Values::F64(std::mem::take(v.to_mut())),
            Numbers::U64(v) => Values::U64(std::mem::take(v.to_mut())),
            _ => return None,
        };
        held.remove(&name);
        Some(values)
    });
    let mut buffers = rest.children.get_mut(PARAMS).and_then(|params| params.children.get_mut("buffers"));
    for (name, (_, numbers)) in held {
        match (&numbers, name.strip_prefix(BUFFERS), &mut buffers) {
            (Numbers::I64(count), Some(own), Some(buffers))
                if count.len() == 1 && !buffers.scalars.contains_key(own) =>
            {
                buffers.scalars.insert(own.to_owned(), Scalar::Integer(count[0]));
            }
            _ => return Err(format!("there is no place in the state for {}", text::quoted(&name))),
        }
    }
    Ok(rest)
}

fn check_version(path: &Path, texts: &BTreeMap<String, String>) -> Result<(), CheckpointError> {
    let Some(found) = texts.get(CHECKPOINT) else {
        return Err(CheckpointError::NotACheckpoint { path: path.to_owned() });
    };
    if *found == VERSION.to_string() {
        return Ok(());
    }
    let library = texts.get(LIBRARY).map_or("of unknown version", String::as_str);
    Err(CheckpointError::Version {
        path: path.to_owned(),
        found: text::shortened(found),
        library: text::shortened(library),
        supported: VERSION,
    })
}

/// The checksum over the metadata, but for the checksum itself.
fn checksum_of<'a>(texts: impl Iterator<Item = (&'a str, &'a str)>) -> Hasher {
    let mut checksum = Hasher::new();
    for (key, text) in texts.filter(|(key, _)| *key != CHECKSUM) {
        add(&mut checksum, key);
        add(&mut checksum, text);
    }
    checksum
}

/// Adds what is to be known of a tensor before its numbers.
fn add_tensor(checksum: &mut Hasher, name: &str, dtype: &str, shape: &Shape) {
    add(checksum, name);
    add(checksum, dtype);
    checksum.update(&(shape.len() as u64).to_le_bytes());
    for &length in shape.iter() {
        checksum.update(&(length as u64).to_le_bytes());
    }
}

/// Adds a text, with its length so that no two texts are taken for others.
fn add(checksum: &mut Hasher, text: &str) {
    checksum.update(&(text.len() as u64).to_le_bytes());
    checksum.update(text.as_bytes());
}

fn written(checksum: Hasher) -> String {
    format!("{:08x}", checksum.finalize())
}

#[cfg(test)]
mod tests;

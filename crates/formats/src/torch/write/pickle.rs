//! Pickles in protocol 2, of instructions that `weights_only=True` has.

use std::collections::HashSet;

use super::Stored;

/// Entries that are set at a time, as Python's pickler does.
const BATCH: usize = 1000;

/// What a pickle is made of.
#[derive(Clone)]
pub(in super::super) enum Object<'a> {
    None,
    Bool(bool),
    Int(i64),
    Count(u64),
    Float(f64),
    Text(&'a str),
    /// Two numbers.
    Pair(f64, f64),
    List(Vec<Object<'a>>),
    Dict(Vec<(Object<'a>, Object<'a>)>),
    /// A tensor, by its place.
    Tensor(usize),
    /// The state dict of the first so many tensors.
    StateDict(usize),
}

/// The pickle of an object.
pub(in super::super) fn pickle(object: &Object<'_>, tensors: &[Stored<'_>]) -> Vec<u8> {
    let mut pickle = Pickle { bytes: b"\x80\x02".to_vec(), shared: Vec::new() };
    pickle.object(object, tensors);
    pickle.code(b'.');
    pickle.bytes
}

/// All modules, from the names, and their versions: 2 for those that count batches.
fn modules<'a>(tensors: &[Stored<'a>]) -> Vec<(&'a str, u64)> {
    let counting: HashSet<&str> =
        tensors.iter().filter_map(|tensor| tensor.name.strip_suffix("num_batches_tracked")).collect();
    let mut seen = HashSet::from([""]);
    let mut modules = vec![""];
    for tensor in tensors {
        let ends = tensor.name.match_indices('.').map(|(end, _)| &tensor.name[..end]);
        modules.extend(ends.filter(|&module| seen.insert(module)));
    }
    let counts = |module: &str| match module {
        "" => counting.contains(""),
        _ => counting.iter().any(|own| own.strip_suffix('.') == Some(module)),
    };
    modules.into_iter().map(|module| (module, if counts(module) { 2 } else { 1 })).collect()
}

struct Pickle {
    bytes: Vec<u8>,
    /// What can be referred to, in the order in which it was written.
    shared: Vec<&'static str>,
}

impl Pickle {
    fn object(&mut self, object: &Object<'_>, tensors: &[Stored<'_>]) {
        match object {
            Object::None => self.code(b'N'),
            Object::Bool(value) => self.code(if *value { 0x88 } else { 0x89 }),
            Object::Int(number) => self.signed(*number),
            Object::Count(number) => self.int(*number),
            Object::Float(number) => self.float(*number),
            Object::Text(text) => self.text(text),
            Object::Pair(first, second) => {
                self.float(*first);
                self.float(*second);
                self.code(0x86);
            }
            Object::List(items) => {
                self.bytes.extend(b"](");
                items.iter().for_each(|item| self.object(item, tensors));
                self.code(b'e');
            }
            Object::Dict(pairs) => {
                self.bytes.extend(b"}(");
                for (key, value) in pairs {
                    self.object(key, tensors);
                    self.object(value, tensors);
                }
                self.code(b'u');
            }
            Object::Tensor(key) => self.tensor(&tensors[*key], *key),
            Object::StateDict(count) => self.state_dict(&tensors[..*count]),
        }
    }

    /// An `OrderedDict` of tensors, each with a storage whose key is its place, and of `_metadata`: the versions of the modules
    /// by which PyTorch knows what their state has.
    fn state_dict(&mut self, tensors: &[Stored<'_>]) {
        self.ordered_dict();
        for (batch, first) in tensors.chunks(BATCH).zip((0..).step_by(BATCH)) {
            self.code(b'(');
            for (tensor, key) in batch.iter().zip(first..) {
                self.text(tensor.name);
                self.tensor(tensor, key);
            }
            self.code(b'u');
        }
        self.code(b'}');
        self.text("_metadata");
        self.ordered_dict();
        for batch in modules(tensors).chunks(BATCH) {
            self.code(b'(');
            for &(module, version) in batch {
                self.text(module);
                self.code(b'}');
                self.text("version");
                self.int(version);
                self.code(b's');
            }
            self.code(b'u');
        }
        self.bytes.extend(b"sb");
    }

    fn float(&mut self, number: f64) {
        self.code(b'G');
        self.bytes.extend(number.to_be_bytes());
    }

    fn signed(&mut self, number: i64) {
        match u64::try_from(number) {
            Ok(number) => self.int(number),
            Err(_) => {
                self.bytes.extend([0x8a, 8]);
                self.bytes.extend(number.to_le_bytes());
            }
        }
    }

    fn tensor(&mut self, tensor: &Stored<'_>, key: usize) {
        self.shared("ctorch._utils\n_rebuild_tensor_v2\n");
        self.code(b'(');
        self.code(b'(');
        self.shared("X\x07\0\0\0storage");
        self.bytes.extend(b"ctorch\n");
        self.bytes.extend(tensor.dtype.storage.as_bytes());
        self.code(b'\n');
        self.text(&key.to_string());
        self.shared("X\x03\0\0\0cpu");
        self.int(tensor.count as u64);
        self.bytes.extend(b"tQK\0");
        self.ints(tensor.shape.iter().map(|&length| length as u64));
        let mut stride = 1;
        let mut strides: Vec<u64> = Vec::new();
        for &length in tensor.shape.iter().rev() {
            strides.push(stride);
            stride *= length.max(1) as u64;
        }
        self.ints(strides.into_iter().rev());
        // It requires no gradient, and has no hooks.
        self.code(0x89);
        self.ordered_dict();
        self.bytes.extend(b"tR");
    }

    fn ordered_dict(&mut self) {
        self.shared("ccollections\nOrderedDict\n");
        self.bytes.extend(b")R");
    }

    /// What these instructions make, which are written once.
    fn shared(&mut self, instructions: &'static str) {
        match self.shared.iter().position(|&own| own == instructions) {
            Some(place) => self.bytes.extend([b'h', place as u8]),
            None => {
                self.bytes.extend(instructions.as_bytes());
                self.bytes.extend([b'q', self.shared.len() as u8]);
                self.shared.push(instructions);
            }
        }
    }

    fn code(&mut self, code: u8) {
        self.bytes.push(code);
    }

    fn text(&mut self, text: &str) {
        self.code(b'X');
        self.bytes.extend((text.len() as u32).to_le_bytes());
        self.bytes.extend(text.as_bytes());
    }

    fn ints(&mut self, numbers: impl Iterator<Item = u64>) {
        self.code(b'(');
        numbers.for_each(|number| self.int(number));
        self.code(b't');
    }

    fn int(&mut self, number: u64) {
        if let Ok(number) = u8::try_from(number) {
            self.bytes.extend([b'K', number]);
        } else if let Ok(number) = i32::try_from(number) {
            self.code(b'J');
            self.bytes.extend(number.to_le_bytes());
        } else {
            // With a byte for the sign.
            self.bytes.extend([0x8a, 9]);
            self.bytes.extend(number.to_le_bytes());
            self.code(0);
        }
    }
}

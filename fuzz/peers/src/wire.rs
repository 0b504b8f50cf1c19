//! What goes over the pipe: one line of JSON each way, in which numbers stand as the hexadecimal bytes of an `f64`, so that NaN,
//! infinities and the last bit arrive.

use serde_json::Value;
use wengert::tape::{Index, Mask, Var};
use wengert::tensor::{Axes, Element, Float, Tensor};

use crate::given;

/// The numbers that hexadecimal text stands for.
pub fn numbers(text: &Value) -> Vec<f64> {
    let digit = |byte: u8| (byte as char).to_digit(16).expect("a hexadecimal digit") as u8;
    let bytes: Vec<u8> = text
        .as_str()
        .expect("a text")
        .as_bytes()
        .chunks(2)
        .map(|pair| digit(pair[0]) << 4 | digit(pair[1]))
        .collect();
    bytes.chunks(8).map(|chunk| f64::from_le_bytes(chunk.try_into().expect("eight bytes"))).collect()
}

/// The text that stands for numbers.
pub fn text<T: Element>(tensor: &Tensor<T>) -> Value {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(16 * tensor.shape().count());
    for x in tensor.cast::<f64>().to_vec() {
        for byte in x.to_le_bytes() {
            text.push(DIGITS[usize::from(byte >> 4)] as char);
            text.push(DIGITS[usize::from(byte & 15)] as char);
        }
    }
    Value::String(text)
}

/// A variable from `[shape, numbers]`, or from `[shape, numbers, layout]`.
pub fn var<T: Float>(value: &Value) -> Var<T> {
    Var::from(tensor::<T>(value))
}

/// The same as a tensor.
pub fn tensor<T: Element>(value: &Value) -> Tensor<T> {
    let numbers: Tensor<f64> =
        Tensor::from_vec(numbers(&value[1]), sizes(&value[0])).expect("as many numbers as the shape says");
    laid_out(numbers.cast::<T>(), value[2].as_u64().unwrap_or(0))
}

/// The same tensor as a view of memory with the axes in the other order (1), backwards (2) and with gaps that are NaN (4).
fn laid_out<T: Element>(tensor: Tensor<T>, layout: u64) -> Tensor<T> {
    let order: Vec<isize> = (0..tensor.shape().len() as isize).rev().collect();
    let turned = |t: Tensor<T>| if layout & 1 == 0 { t } else { t.permute(&order[..]) };
    let flipped = |t: Tensor<T>| if layout & 2 == 0 { t } else { t.flip(..) };
    let stored = flipped(turned(tensor)).contiguous();
    let with_gaps = |t: Tensor<T>| {
        let numbers = t.to_vec().into_iter().flat_map(|x| [x, T::narrow(f64::NAN)]).collect();
        let shape = [&t.shape()[..], &[2]].concat();
        Tensor::from_vec(numbers, shape).expect("twice as many").select(-1, 0)
    };
    turned(flipped(if layout & 4 == 0 { stored } else { with_gaps(stored) }))
}

/// A list of lengths or positions.
pub fn sizes(value: &Value) -> Vec<usize> {
    let entry = |v: &Value| v.as_u64().unwrap_or_else(|| panic!("{v} is no length")) as usize;
    value.as_array().unwrap_or_else(|| panic!("{value} is no list")).iter().map(entry).collect()
}

/// The attributes of an operation, read by name: one that is missing is a fault of the sender.
pub struct Attrs<'a>(pub &'a Value);

impl Attrs<'_> {
    pub fn get(&self, name: &str) -> &Value {
        let value = &self.0[name];
        assert!(!value.is_null(), "the attribute {name} is missing in {}", self.0);
        value
    }
    pub fn has(&self, name: &str) -> bool {
        !self.0[name].is_null()
    }
    pub fn int(&self, name: &str) -> isize {
        self.get(name).as_i64().unwrap_or_else(|| panic!("{name} is no whole number")) as isize
    }
    pub fn size(&self, name: &str) -> usize {
        self.int(name).try_into().unwrap_or_else(|_| panic!("{name} is negative"))
    }
    /// Numbers stand as JSON has them, or as the texts `inf`, `-inf` and `nan`.
    pub fn number(&self, name: &str) -> f64 {
        let value = self.get(name);
        value
            .as_f64()
            .or_else(|| value.as_str()?.parse().ok())
            .unwrap_or_else(|| panic!("{name} is no number"))
    }
    pub fn flag(&self, name: &str) -> bool {
        self.get(name).as_bool().unwrap_or_else(|| panic!("{name} is no truth value"))
    }
    pub fn text(&self, name: &str) -> &str {
        self.get(name).as_str().unwrap_or_else(|| panic!("{name} is no text"))
    }
    pub fn sizes(&self, name: &str) -> Vec<usize> {
        sizes(self.get(name))
    }
    pub fn ints(&self, name: &str) -> Vec<isize> {
        let entry = |v: &Value| v.as_i64().expect("a whole number") as isize;
        self.get(name).as_array().expect("a list").iter().map(entry).collect()
    }
    pub fn floats(&self, name: &str) -> Vec<f64> {
        self.get(name).as_array().expect("a list").iter().map(|v| v.as_f64().expect("a number")).collect()
    }
    pub fn fixed<const N: usize>(&self, name: &str) -> [usize; N] {
        self.sizes(name).try_into().unwrap_or_else(|_| panic!("{name} does not have {N} entries"))
    }
    /// Pairs of widths.
    pub fn pairs(&self, name: &str) -> Vec<(usize, usize)> {
        self.sizes(name).chunks(2).map(|pair| (pair[0], pair[1])).collect()
    }
    /// Some axes, or `"all"`.
    pub fn axes(&self, name: &str) -> Axes {
        if self.get(name) == "all" { Axes::from(..) } else { Axes::from(&self.ints(name)[..]) }
    }
    /// Positions, as `[shape, list]`.
    pub fn index<T: Float>(&self, name: &str) -> Index<T> {
        given::index(positions(self.get(name)))
    }
    pub fn indices<T: Float>(&self, name: &str) -> Vec<Index<T>> {
        self.get(name).as_array().expect("a list").iter().map(|v| given::index(positions(v))).collect()
    }
    pub fn mask<T: Float>(&self, name: &str) -> Mask<T> {
        given::mask(truth(self.get(name)))
    }
}

/// Positions, as `[shape, list]`.
pub fn positions(value: &Value) -> Tensor<u32> {
    let list = sizes(&value[1]).iter().map(|&i| u32::try_from(i).expect("a position")).collect();
    Tensor::from_vec(list, sizes(&value[0])).expect("as many positions as the shape says")
}

/// Truth values, as positions that are 0 or 1.
pub fn truth(value: &Value) -> Tensor<bool> {
    let flags = positions(value);
    Tensor::from_vec(flags.to_vec().iter().map(|&flag| flag != 0).collect(), flags.shape()).expect("as many")
}

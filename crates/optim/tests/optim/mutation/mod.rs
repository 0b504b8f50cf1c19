//! Random changes of states as JSON, for what reads files.

use serde_json::{Number, Value, json};
use wengert_tensor::random::Generator;

/// Draws from a seeded sequence.
pub(crate) struct Draws(Generator, u64);

impl Draws {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(Generator::seeded(seed), 0)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.1 += 1;
        let mut out = [0.0f64];
        self.0.fork(self.1).fill_uniform(&mut out, 0.0, 1.0);
        (out[0] * n as f64) as usize % n
    }

    pub(crate) fn of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }
}

/// The places of a value and of all within it.
fn places(value: &Value, path: &str, out: &mut Vec<String>) {
    out.push(path.to_owned());
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(i, v)| places(v, &format!("{path}/{i}"), out));
        }
        Value::Object(fields) => fields.iter().for_each(|(k, v)| places(v, &format!("{path}/{k}"), out)),
        _ => {}
    }
}

/// The bits of numbers that are not what was there, as far as they are any.
const NUMBERS: [&str; 14] = [
    "7ff8000000000000", // NaN
    "7ff0000000000000", // infinity
    "fff0000000000000",
    "0000000000000000", // 0, and as a whole number
    "8000000000000000",
    "3ff0000000000000", // 1
    "bff0000000000000",
    "3fe0000000000000",
    "7e37e43c8800759c", // 1e300
    "fe37e43c8800759c",
    "7fefffffffffffff", // the largest
    "0000000000000001", // the smallest, and 1
    "ffffffffffffffff",
    "zzzzzzzzzzzzzzzz",
];

/// Digits of numbers of 64 bits with one of them another, gone, or there twice, fewer or more, or none. In a third of cases only
/// the sign or the exponent of one changes.
fn mutate_digits(digits: &str, draws: &mut Draws) -> String {
    let count = digits.len() / 16;
    let (before, rest) = digits.split_at(16 * draws.below(count));
    let (number, after) = rest.split_at(16);
    match draws.below(9) {
        0 => String::new(),
        1 => format!("{before}{after}"),
        2 => format!("{before}{number}{number}{after}"),
        3 => format!("{digits}{digits}"),
        4 => digits[1..].to_owned(),
        5 => {
            let bits = u64::from_str_radix(number, 16).unwrap_or(0);
            let changed = bits ^ (1 << *draws.of(&[63, 52, 53, 62]));
            format!("{before}{changed:016x}{after}")
        }
        _ => format!("{before}{}{after}", draws.of(&NUMBERS)),
    }
}

/// Changes one place: a number becomes another, a vector or list longer, shorter, empty or nested, a field of a record goes or
/// comes twice, anything becomes nothing.
pub(crate) fn mutate(value: &mut Value, draws: &mut Draws) {
    let mut all = Vec::new();
    places(value, "", &mut all);
    // Mostly values, as there are more records of one value than values.
    if draws.below(4) > 0 {
        let is_value = |place: &String| {
            let there = value.pointer(place).expect("the place was found there");
            !there.is_object() && !place.ends_with("/kind")
        };
        if all.iter().any(is_value) {
            all.retain(is_value);
        }
    }
    let place = draws.of(&all).clone();
    let target = value.pointer_mut(&place).expect("the place was found there");
    match target {
        Value::Number(number) => {
            let x = number.as_f64().unwrap_or(0.0);
            *target = draws
                .of(&[
                    json!(0),
                    json!(1),
                    json!(3),
                    json!(u64::MAX),
                    json!(u64::MAX - 1),
                    json!(1u64 << 32),
                    json!(i64::MIN),
                    json!(-1),
                    json!(-x),
                    json!(2.0 * x),
                    json!(x + 1.0),
                    json!(0.5),
                    json!(1e300),
                    json!(-1e300),
                    json!(5e-324),
                    json!(1e-200),
                    Value::Number(Number::from_f64(f64::MAX).expect("finite")),
                    Value::Null,
                    json!("NaN"),
                ])
                .clone();
        }
        Value::Array(items) => match draws.below(6) {
            0 => items.clear(),
            1 => drop(items.pop()),
            2 => items.push(items.last().cloned().unwrap_or(json!(1.0))),
            3 => items.extend(items.clone()),
            4 if !items.is_empty() => drop(items.remove(0)),
            _ => *target = json!([[1.0]]),
        },
        Value::Object(fields) if !fields.is_empty() => {
            let names: Vec<String> = fields.keys().cloned().collect();
            let (from, to) = (draws.of(&names).clone(), draws.of(&names).clone());
            if draws.below(2) == 0 {
                fields.remove(&from);
            } else {
                let moved = fields[&from].clone();
                fields.insert(to, moved);
            }
        }
        Value::Bool(flag) => *flag = !*flag,
        Value::String(digits)
            if digits.len() >= 16 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()) =>
        {
            *target = json!(mutate_digits(digits, draws));
        }
        _ => *target = draws.of(&[json!(1.0), json!([0.5, 0.5]), json!({}), json!(7)]).clone(),
    }
}

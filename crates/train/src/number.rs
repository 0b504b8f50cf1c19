//! Numbers as texts.

use std::fmt::{Display, Formatter};

/// A value for people: four decimals near 1, else an exponent.
pub(crate) fn short(value: f64) -> String {
    Short(value).to_string()
}

/// As [`short`], without a string of its own.
pub(crate) struct Short(pub(crate) f64);

impl Display for Short {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let size = self.0.abs();
        if self.0.is_finite() && size != 0.0 && !(1e-3..1e6).contains(&size) {
            write!(f, "{:.3e}", self.0)
        } else if size >= 1e3 && self.0 == self.0.trunc() {
            write!(f, "{:.0}", self.0)
        } else {
            write!(f, "{:.4}", self.0)
        }
    }
}

/// A time for people, as `"1 h 02 min"`, `"3 min 20 s"` or `"12.3 s"`.
pub(crate) fn duration(time: std::time::Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{:.1} s", time.as_secs_f64()),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
    }
}

/// A number in formats that have no NaN and no infinity: those are texts.
pub(crate) mod serde_number {
    use serde::de::{Error, Visitor};
    use serde::{Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        match value {
            v if v.is_nan() => serializer.serialize_str("NaN"),
            v if v.is_infinite() => serializer.serialize_str(if *v > 0.0 { "Infinity" } else { "-Infinity" }),
            v => serializer.serialize_f64(*v),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        struct Number;

        impl Visitor<'_> for Number {
            type Value = f64;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a number, \"NaN\", \"Infinity\" or \"-Infinity\"")
            }

            fn visit_f64<E: Error>(self, value: f64) -> Result<f64, E> {
                Ok(value)
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<f64, E> {
                Ok(value as f64)
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<f64, E> {
                Ok(value as f64)
            }

            fn visit_str<E: Error>(self, value: &str) -> Result<f64, E> {
                match value {
                    "NaN" => Ok(f64::NAN),
                    "Infinity" => Ok(f64::INFINITY),
                    "-Infinity" => Ok(f64::NEG_INFINITY),
                    other => Err(E::custom(format!("{other:?} is no number"))),
                }
            }
        }

        deserializer.deserialize_any(Number)
    }
}

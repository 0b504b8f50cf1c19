//! Numbers serialised as their bit patterns, so that every format gives back the same bits, NaN and infinity
//! included (JSON has neither, and rounds unless asked not to).

/// For `#[serde(with = "crate::bits::real")]` on an `f64`.
pub(crate) mod real {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(x: &f64, s: S) -> Result<S::Ok, S::Error> {
        x.to_bits().serialize(s)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<f64, D::Error> {
        Ok(f64::from_bits(u64::deserialize(d)?))
    }
}

/// For `#[serde(with = "crate::bits::optional")]` on an `Option<f64>`.
pub(crate) mod optional {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(x: &Option<f64>, s: S) -> Result<S::Ok, S::Error> {
        x.map(f64::to_bits).serialize(s)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Option<f64>, D::Error> {
        Ok(Option::<u64>::deserialize(d)?.map(f64::from_bits))
    }
}

/// For `#[serde(with = "crate::bits::f32s")]` on a `Vec<f32>`.
pub(crate) mod f32s {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(x: &[f32], s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(x.iter().map(|v| v.to_bits()))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<f32>, D::Error> {
        Ok(Vec::<u32>::deserialize(d)?.into_iter().map(f32::from_bits).collect())
    }
}

/// For `#[serde(with = "crate::bits::f64s")]` on a `Vec<f64>`.
pub(crate) mod f64s {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(x: &[f64], s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(x.iter().map(|v| v.to_bits()))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<f64>, D::Error> {
        Ok(Vec::<u64>::deserialize(d)?.into_iter().map(f64::from_bits).collect())
    }
}

/// For `#[serde(with = "crate::bits::floats")]` on a `Vec<T>` of either precision.
pub(crate) mod floats {
    use serde::{Deserializer, Serializer};
    use wengert_tensor::Float;

    pub(crate) fn serialize<T: Float, S: Serializer>(x: &[T], s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(x.iter().map(|v| v.to_f64().to_bits()))
    }

    pub(crate) fn deserialize<'de, T: Float, D: Deserializer<'de>>(d: D) -> Result<Vec<T>, D::Error> {
        Ok(super::f64s::deserialize(d)?.into_iter().map(T::from_f64).collect())
    }
}

/// For `#[serde(with = "crate::bits::pairs")]` on a `Vec<(f64, f64)>`.
pub(crate) mod pairs {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(x: &[(f64, f64)], s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(x.iter().map(|(a, b)| (a.to_bits(), b.to_bits())))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<(f64, f64)>, D::Error> {
        let pairs = Vec::<(u64, u64)>::deserialize(d)?;
        Ok(pairs.into_iter().map(|(a, b)| (f64::from_bits(a), f64::from_bits(b))).collect())
    }
}

/// For `#[serde(with = "crate::bits::optional_pair")]` on an `Option<(f64, f64)>`.
pub(crate) mod optional_pair {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(x: &Option<(f64, f64)>, s: S) -> Result<S::Ok, S::Error> {
        x.map(|(a, b)| (a.to_bits(), b.to_bits())).serialize(s)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Option<(f64, f64)>, D::Error> {
        let pair = Option::<(u64, u64)>::deserialize(d)?;
        Ok(pair.map(|(a, b)| (f64::from_bits(a), f64::from_bits(b))))
    }
}

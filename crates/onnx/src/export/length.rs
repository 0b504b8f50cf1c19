//! Numbers that depend on the size of the batch.

use wengert_tape::{Attribute, Attributes};

/// A whole number that grows with the size N of the batch: `fixed` + `each`·N.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Length {
    pub(super) fixed: i64,
    pub(super) each: i64,
}

impl From<i64> for Length {
    fn from(fixed: i64) -> Self {
        Length { fixed, each: 0 }
    }
}

impl From<usize> for Length {
    fn from(fixed: usize) -> Self {
        Length::from(fixed as i64)
    }
}

impl Length {
    /// The size of the batch itself.
    pub(super) const BATCH: Length = Length { fixed: 0, each: 1 };

    /// The number, if it is the same for every batch.
    pub(super) fn known(self) -> Option<i64> {
        (self.each == 0).then_some(self.fixed)
    }
}

/// A floating-point number that may be made from a length.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Quantity {
    Fixed(f64),
    /// The length itself, as the divisor of a mean is.
    Of(Length),
    /// 1 over the length.
    Inverse(Length),
}

/// One of an operation's attributes, for every size of the batch.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Flag(bool),
    Integer(Length),
    Integers(Vec<Length>),
    Number(Quantity),
    Text(String),
    /// Texts that differ between the recordings: ranges with lengths in them.
    Texts(Vec<String>),
}

/// What `part` gives of each; `None` if it gives nothing of one, which is then of another kind than the first.
pub(super) fn each<'a, A, B>(all: &[&'a A], part: impl Fn(&'a A) -> Option<B>) -> Option<Vec<B>> {
    all.iter().map(|&one| part(one)).collect()
}

/// The sizes of the batch at which a program was recorded.
#[derive(Clone, Debug)]
pub(super) struct Sizes(pub(super) Vec<usize>);

impl Sizes {
    /// The length that has these values at the sizes.
    pub(super) fn length(&self, values: &[i64]) -> Option<Length> {
        let first = values[0];
        if values.iter().all(|&value| value == first) {
            return Some(first.into());
        }
        let batch: Vec<i64> = self.0.iter().map(|&size| size as i64).collect();
        let (rise, run) = (values[1].checked_sub(first)?, batch[1] - batch[0]);
        if rise % run != 0 {
            return None;
        }
        let each = rise / run;
        let fixed = first.checked_sub(each.checked_mul(batch[0])?)?;
        let fits = |(&value, &size): (&i64, &i64)| {
            each.checked_mul(size).and_then(|x| x.checked_add(fixed)) == Some(value)
        };
        values.iter().zip(&batch).all(fits).then_some(Length { fixed, each })
    }

    pub(super) fn lengths<'a>(&self, lists: &[impl AsRef<[i64]> + 'a]) -> Option<Vec<Length>> {
        let count = lists[0].as_ref().len();
        if lists.iter().any(|list| list.as_ref().len() != count) {
            return None;
        }
        (0..count)
            .map(|i| self.length(&lists.iter().map(|list| list.as_ref()[i]).collect::<Vec<_>>()))
            .collect()
    }

    /// The quantity that has these values at the sizes.
    pub(super) fn quantity(&self, values: &[f64]) -> Option<Quantity> {
        let first = values[0];
        if values.iter().all(|value| value.to_bits() == first.to_bits()) {
            return Some(Quantity::Fixed(first));
        }
        let whole = |x: f64| (x.is_finite() && x.fract() == 0.0 && x.abs() < 9e15).then_some(x as i64);
        let length = |of: &dyn Fn(f64) -> f64| {
            let whole = values.iter().map(|&x| whole(of(x))).collect::<Option<Vec<i64>>>()?;
            self.length(&whole)
        };
        if let Some(length) = length(&|x| x) {
            return Some(Quantity::Of(length));
        }
        // The inverse of an inverse is rarely the number itself.
        let length = length(&|x| x.recip().round())?;
        let inverse = |size: usize| ((length.fixed + length.each * size as i64) as f64).recip();
        // What was rounded to single precision is one of its numbers.
        let same = |(&value, &size): (&f64, &usize)| {
            value == inverse(size) || value == f64::from(inverse(size) as f32)
        };
        values.iter().zip(&self.0).all(same).then_some(Quantity::Inverse(length))
    }

    /// The attribute that is each of these at the sizes.
    pub(super) fn value(&self, all: &[&Attribute]) -> Option<Value> {
        Some(match all[0] {
            Attribute::Flag(flag) => Value::Flag(all.iter().all(|one| *one == all[0]).then_some(*flag)?),
            Attribute::Integer(_) => {
                let numbers = each(all, |one| if let Attribute::Integer(x) = one { Some(*x) } else { None })?;
                Value::Integer(self.length(&numbers)?)
            }
            Attribute::Integers(_) => {
                let lists = each(all, |one| if let Attribute::Integers(x) = one { Some(x) } else { None })?;
                Value::Integers(self.lengths(&lists)?)
            }
            Attribute::Number(_) => {
                let numbers = each(all, |one| if let Attribute::Number(x) = one { Some(*x) } else { None })?;
                Value::Number(self.quantity(&numbers)?)
            }
            Attribute::Text(first) if all.iter().all(|one| *one == all[0]) => Value::Text(first.clone()),
            Attribute::Text(_) => {
                let texts =
                    each(all, |one| if let Attribute::Text(x) = one { Some(x.clone()) } else { None })?;
                Value::Texts(texts)
            }
            _ => return None,
        })
    }

    /// The attributes that are these at the sizes, or the name of the one that is none.
    pub(super) fn values(&self, all: &[Attributes]) -> Result<Vec<(&'static str, Value)>, &'static str> {
        let first: Vec<(&'static str, &Attribute)> = all[0].iter().collect();
        let mut values = Vec::with_capacity(first.len());
        for (i, (name, _)) in first.into_iter().enumerate() {
            let same = |attributes: &'_ Attributes| -> Option<Attribute> {
                let (other, value) = attributes.iter().nth(i)?;
                (other == name).then(|| value.clone())
            };
            let each = all.iter().map(same).collect::<Option<Vec<_>>>().ok_or(name)?;
            values.push((name, self.value(&each.iter().collect::<Vec<_>>()).ok_or(name)?));
        }
        Ok(values)
    }
}

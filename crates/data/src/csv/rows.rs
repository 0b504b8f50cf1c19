//! The numbers of a table while it is read.

use std::str::FromStr;

use wengert_tensor::{Element, Float, Shape, Tensor, text};

use super::label::label;
use super::{BadLabel, CsvError, Target};

/// What has been read of the rows.
pub(super) struct Rows<T> {
    /// The position of the target column.
    pub(super) target: Option<usize>,
    features: Chunks<T>,
    targets: Chunks<f64>,
    bad_label: Option<BadLabel>,
}

impl<T: Float + FromStr> Rows<T> {
    pub(super) fn new(target: Option<usize>) -> Self {
        Rows { target, features: Chunks::default(), targets: Chunks::default(), bad_label: None }
    }

    /// Takes the field of the column at `position`.
    pub(super) fn push(
        &mut self,
        field: &[u8],
        line: u64,
        position: usize,
        column: impl Fn() -> String,
    ) -> Result<(), CsvError> {
        let (value, text) = number::<T>(field, line, &column)?;
        if self.target != Some(position) {
            self.features.push(value);
            return Ok(());
        }
        if self.bad_label.is_none() && label(text).is_none() {
            self.bad_label = Some(BadLabel { line, column: column(), text: text::shortened(text) });
        }
        self.targets.push(text.parse().expect("what is a number in one precision is one in the other"));
        Ok(())
    }

    /// The features, `[rows, columns]`, and the target.
    pub(super) fn finish(self, columns: usize) -> Result<(Tensor<T>, Option<Target>), CsvError> {
        let features = columns - usize::from(self.target.is_some());
        // Every row has a target or a feature, as there is no row without a field.
        let rows = if self.target.is_some() { self.targets.len } else { self.features.len / features };
        if rows == 0 {
            return Err(CsvError::Empty);
        }
        let bad_label = self.bad_label;
        let target =
            self.target.map(|_| Target { values: self.targets.into_tensor([rows].into()), bad_label });
        Ok((self.features.into_tensor([rows, features].into()), target))
    }
}

/// A field as a number that `T` can hold, and as a text.
pub(super) fn number<T: Float + FromStr>(
    field: &[u8],
    line: u64,
    column: impl Fn() -> String,
) -> Result<(T, &str), CsvError> {
    if field.is_empty() {
        return Err(CsvError::Missing { line, column: column() });
    }
    let text = std::str::from_utf8(field).ok();
    let value = text.and_then(|text| Some((text.parse::<T>().ok()?, text)));
    value.filter(|(value, _)| Float::is_finite(*value)).ok_or_else(|| CsvError::NotANumber {
        line,
        column: column(),
        text: text::shortened(&String::from_utf8_lossy(&field[..field.len().min(256)])),
    })
}

/// A list that grows without being copied, so that it takes no more than its elements do.
struct Chunks<T> {
    chunks: Vec<Vec<T>>,
    len: usize,
}

impl<T> Default for Chunks<T> {
    fn default() -> Self {
        Chunks { chunks: Vec::new(), len: 0 }
    }
}

impl<T: Element> Chunks<T> {
    const SMALLEST: usize = 1 << 8;
    const LARGEST: usize = 1 << 18;

    fn push(&mut self, value: T) {
        if self.chunks.last().is_none_or(|chunk| chunk.len() == chunk.capacity()) {
            self.chunks.push(Vec::with_capacity(self.len.clamp(Self::SMALLEST, Self::LARGEST)));
        }
        if let Some(chunk) = self.chunks.last_mut() {
            chunk.push(value);
        }
        self.len += 1;
    }

    fn into_tensor(self, shape: Shape) -> Tensor<T> {
        let mut tensor = Tensor::zeros(shape);
        let mut rest = tensor.as_mut_slice();
        for chunk in self.chunks {
            let (place, after) = rest.split_at_mut(chunk.len());
            place.copy_from_slice(&chunk);
            rest = after;
        }
        tensor
    }
}

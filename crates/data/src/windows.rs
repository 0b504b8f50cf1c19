//! Windows of a series.

use wengert_tensor::{Element, Tensor};

use crate::error::DataError;
use crate::rows;
use crate::source::{Fingerprint, IntoVars, Source};

/// Windows of a series `[steps, …]` of numbers, of vectors or of tokens: each example is a piece of the series and what is to
/// be told from it, both `[length, …]`.
///
/// Cloning shares the series.
///
/// ```
/// use wengert_data::{DataError, Dataset, Windows};
/// use wengert_tape::Var;
/// use wengert_tensor::Tensor;
///
/// let series = Tensor::<f32>::arange(0.0, 10.0, 1.0);
/// // Three steps, and the two after them; a window at every second step.
/// let data = Dataset::new(Windows::forecast(&series, 3, 2)?.stride(2)?)?;
/// let (past, future): (Var, Var) = data.select(&[0, 2])?;
/// assert_eq!(past.value(), &Tensor::from([[0.0, 1.0, 2.0], [4.0, 5.0, 6.0]]));
/// assert_eq!(future.value(), &Tensor::from([[3.0, 4.0], [7.0, 8.0]]));
/// // Tokens, and for each the next one.
/// let data = Dataset::new(Windows::next(&Tensor::from([5u32, 6, 7, 8]), 2)?)?;
/// let (tokens, next) = data.select(&[1])?;
/// assert_eq!((tokens, next), (Tensor::from([[6u32, 7]]), Tensor::from([[7, 8]])));
/// # Ok::<(), DataError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Windows<E: Element> {
    /// Contiguous.
    series: Tensor<E>,
    input: usize,
    /// Where the target starts, from the start of the input, and its length.
    target: [usize; 2],
    stride: usize,
}

impl<E: Element> Windows<E> {
    /// `input` steps, and as the target the `horizon` steps after them.
    ///
    /// # Errors
    /// [`DataError::SeriesTooShort`] if the series has not as many steps, or no axis.
    pub fn forecast(series: &Tensor<E>, input: usize, horizon: usize) -> Result<Self, DataError> {
        Windows::new(series, input, [input, horizon])
    }

    /// `length` steps, and as the target of each step the next one, as language models are trained.
    ///
    /// # Errors
    /// [`DataError::SeriesTooShort`] if the series has not one step more, or no axis.
    pub fn next(series: &Tensor<E>, length: usize) -> Result<Self, DataError> {
        Windows::new(series, length, [1, length])
    }

    fn new(series: &Tensor<E>, input: usize, target: [usize; 2]) -> Result<Self, DataError> {
        let steps = series.shape().first().copied().unwrap_or(0);
        let windows = Windows { series: series.contiguous(), input, target, stride: 1 };
        match windows.span() {
            Some(needed) if series.rank() > 0 && needed <= steps && input > 0 && target[1] > 0 => Ok(windows),
            needed => Err(DataError::SeriesTooShort { steps, needed: needed.unwrap_or(usize::MAX).max(1) }),
        }
    }

    /// With a window at every `stride`-th step. Default 1.
    ///
    /// # Errors
    /// [`DataError::ZeroStride`] if it is 0.
    pub fn stride(mut self, stride: usize) -> Result<Self, DataError> {
        if stride == 0 {
            return Err(DataError::ZeroStride);
        }
        self.stride = stride;
        Ok(self)
    }

    /// The steps that a window needs with its target.
    fn span(&self) -> Option<usize> {
        let [start, length] = self.target;
        Some(start.checked_add(length)?.max(self.input))
    }

    /// The steps from `offset` on of the windows at some positions.
    fn pieces(&self, positions: &[u32], offset: usize, length: usize) -> Tensor<E> {
        let step = &self.series.shape()[1..];
        let width: usize = step.iter().product();
        let elements = self.series.as_slice().expect("a series is stored contiguously");
        let shape = [positions.len(), length].iter().chain(step).copied().collect::<wengert_tensor::Shape>();
        Tensor::written_for("batch", shape, |out| {
            rows::fill(out, length * width, positions, |position, row| {
                let start = (position * self.stride + offset) * width;
                row.copy_from_slice(&elements[start..][..length * width]);
            });
        })
    }
}

impl<E: Element> Source for Windows<E>
where
    Tensor<E>: IntoVars,
{
    type Batch = (Tensor<E>, Tensor<E>);

    fn count(&self) -> usize {
        let span = self.span().expect("checked when it was made");
        (self.series.shape()[0] - span) / self.stride + 1
    }

    fn fingerprint(&self, positions: &[u32]) -> Option<u64> {
        let (inputs, targets) = self.batch(positions);
        Some(Fingerprint::new().tensor(&inputs).tensor(&targets).value())
    }

    fn batch(&self, positions: &[u32]) -> Self::Batch {
        let [start, length] = self.target;
        (self.pieces(positions, 0, self.input), self.pieces(positions, start, length))
    }
}

//! Reading the elements of tensors.

use std::io::{Error, ErrorKind};
use std::path::Path;

use wengert_tensor::{Element, Shape, Tensor, names, text};

use super::dtype::{Readable, Take};
use super::source::{TensorSource, not_whole};
use super::{FileError, StoredTensor};

/// The tensor of this name in a file of any format, converted by value: floating-point numbers are rounded to the nearest, others must be
/// among those of `T` (for `bool` 0 and 1).
///
/// ```
/// use std::io::Cursor;
/// use wengert_nn::tensor_file::{Safetensors, read_tensor};
/// use wengert_nn::{Linear, Params};
/// let mut params: Params = Params::seeded(0);
/// Linear::new(params.at("out"), 2, 3);
/// params.root().count("steps", 7);
/// let mut file = Safetensors::new(Cursor::new(params.to_safetensors()?))?;
/// assert_eq!(read_tensor::<f64>(&mut file, "out.weight")?.shape()[..], [3, 2]);
/// assert_eq!(read_tensor::<u32>(&mut file, "steps")?.item(), 7);
/// assert!(read_tensor::<u32>(&mut file, "out.weight").is_err()); // no whole numbers
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`FileError::Missing`] if there is none, with the nearest; [`FileError::Dtype`] if its elements are no numbers of 8 to 64 bits,
/// [`FileError::OutOfRange`] if `T` does not have one of them; and if the file cannot be read.
pub fn read_tensor<T: Element>(source: &mut dyn TensorSource, name: &str) -> Result<Tensor<T>, FileError> {
    let path = source.path().map(Path::to_owned);
    let (mut found, mut held, mut nearest) = (None, 0, None);
    source.each(&mut |place, entry| {
        held += 1;
        if entry.name() == name {
            found = found.take().or_else(|| Some((place, entry.shape().clone(), entry.dtype().to_owned())));
            return;
        }
        let distance = names::edit_distance(name, entry.name());
        if nearest.as_ref().is_none_or(|(least, _)| distance < *least) {
            let (name, dtype) = (text::shortened(entry.name()), text::shortened(entry.dtype()));
            nearest = Some((distance, StoredTensor { name, shape: entry.shape().clone(), dtype }));
        }
    });
    let Some((place, shape, dtype)) = found else {
        let nearest = nearest.into_iter().map(|(_, tensor)| tensor).collect();
        return Err(FileError::Missing { path, names: vec![name.to_owned()], held, nearest, prefix: None });
    };
    let name = name.to_owned();
    let Some(readable) = Readable::from_name(&dtype) else {
        let (dtype, expected) = (text::shortened(&dtype), "a type of numbers that can be converted");
        return Err(FileError::Dtype { path, name, dtype, expected });
    };
    if !shape.fits() {
        let source =
            Error::new(ErrorKind::OutOfMemory, format!("{} has too many elements", text::quoted(&name)));
        return Err(FileError::io(path.as_deref(), source));
    }
    try_written(shape, |values| read_into(source, (place, readable), &name, values))
}

/// A tensor that `write` fills, unless it fails.
pub(super) fn try_written<T: Element>(
    shape: Shape,
    write: impl FnOnce(&mut [T]) -> Result<(), FileError>,
) -> Result<Tensor<T>, FileError> {
    let mut written = Ok(());
    let tensor = Tensor::written(shape, |values| written = write(values));
    written.map(|()| tensor)
}

/// Reads as many numbers as there are values.
pub(super) fn read_into<T: Element>(
    source: &mut dyn TensorSource,
    (place, dtype): (usize, Readable),
    name: &str,
    values: &mut [T],
) -> Result<(), FileError> {
    if dtype.is_of(T::KIND)
        && let Some(bytes) = T::memory_as_le_bytes(values)
    {
        return source.read_whole(place, bytes).map_err(|error| FileError::io(source.path(), error));
    }
    let mut done = 0;
    read_elements(source, (place, dtype, values.len()), (name, T::NAME), &mut |piece, dtype| {
        let next = done + piece.len() / dtype.width();
        let held = dtype.decode(piece, &mut values[done..next]);
        done = next;
        held
    })
}

/// Shows so many elements, some at a time, to `take`, whose error is a number that it cannot hold, and holds the source to what it
/// promised of pieces.
pub(super) fn read_elements(
    source: &mut dyn TensorSource,
    (place, dtype, elements): (usize, Readable, usize),
    (name, kind): (&str, &'static str),
    take: &mut Take<'_>,
) -> Result<(), FileError> {
    let width = dtype.width();
    let (mut left, mut refused) = (elements as u64 * width as u64, None);
    let read = source.read(place, &mut |piece| {
        let rest = left.checked_sub(piece.len() as u64).filter(|_| piece.len().is_multiple_of(width));
        left = rest.ok_or_else(not_whole)?;
        take(piece, dtype).map_err(|number| {
            refused = Some(number);
            Error::from(ErrorKind::InvalidData)
        })
    });
    if let Some(number) = refused {
        let path = source.path().map(Path::to_owned);
        return Err(FileError::OutOfRange { path, name: name.into(), kind, number });
    }
    match read {
        Err(error) => Err(FileError::io(source.path(), error)),
        Ok(()) if left > 0 => Err(FileError::io(source.path(), ErrorKind::UnexpectedEof.into())),
        Ok(()) => Ok(()),
    }
}

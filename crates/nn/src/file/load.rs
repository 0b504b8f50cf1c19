//! Loading: what the model wants is found, checked and read; all else is passed over.

use std::collections::HashMap;
use std::io::{Error, Read, Seek, SeekFrom};
use std::path::Path;

use wengert_tensor::{Float, Shape, Tensor, names, text};

use super::dtype::Readable;
use super::entry::Entry;
use super::header::Header;
use super::{FileError, FormatError, StoredTensor};
use crate::params::Params;

/// Bytes that are read at a time.
const CHUNK: usize = 1 << 16;
/// Names of tensors that a file has and the model has not, for a message.
const NAMED: usize = 8;
/// Missing parameters for which the nearest tensor is looked for, and tensors that are looked at.
const SOUGHT: usize = 3;
const COMPARED: usize = 10_000;
/// How much another shape counts against a tensor, in letters of its name.
const OTHER_SHAPE: usize = 8;

/// A parameter or buffer, and where it is in the file.
struct Wanted<'a> {
    name: &'a str,
    shape: &'a Shape,
    found: Option<Found>,
}

struct Found {
    dtype: Readable,
    start: u64,
    bytes: u64,
}

/// Replaces all parameters and buffers by those in a file.
pub(super) fn load<T: Float>(
    params: &mut Params<T>,
    file: &mut (impl Read + Seek),
    path: Option<&Path>,
) -> Result<(), FileError> {
    let io = |source: Error| FileError::Io { path: path.map(Path::to_owned).unwrap_or_default(), source };
    let buffers = params.buffers();
    let mut wanted: Vec<Wanted<'_>> = params
        .iter()
        .map(|(name, shape, _)| (name, shape))
        .chain(buffers.iter().map(|(name, buffer)| (name.as_str(), buffer.shape())))
        .map(|(name, shape)| Wanted { name, shape, found: None })
        .collect();
    let length = file.seek(SeekFrom::End(0)).map_err(io)?;
    let header = Header::read(file, length).map_err(io)?.map_err(|source| format(path, source))?;
    find(&header, &mut wanted, path)?;

    let mut chunk = vec![0; CHUNK];
    let mut read = |wanted: &Wanted<'_>, values: &mut Vec<T>| -> Result<(), FileError> {
        let Some(Found { dtype, start, bytes }) = wanted.found else { return Ok(()) };
        file.seek(SeekFrom::Start(header.start + start)).map_err(io)?;
        let mut left = bytes;
        while left > 0 {
            let part = &mut chunk[..left.min(CHUNK as u64) as usize];
            file.read_exact(part).map_err(io)?;
            if !dtype.decode(part, values) {
                return Err(FileError::OutOfRange {
                    path: path.map(Path::to_owned),
                    name: wanted.name.into(),
                });
            }
            left -= part.len() as u64;
        }
        Ok(())
    };
    let (parameters, rest) = wanted.split_at(wanted.len() - buffers.len());
    let mut values = Vec::with_capacity(params.len());
    for wanted in parameters {
        read(wanted, &mut values)?;
    }
    let mut tensors = Vec::with_capacity(rest.len());
    for wanted in rest {
        let mut values = Vec::with_capacity(wanted.shape.count());
        read(wanted, &mut values)?;
        tensors.push(Tensor::vector(&values).reshape(wanted.shape));
    }
    params.set_values(&values);
    params.set_buffers(tensors);
    Ok(())
}

/// Finds all that is wanted, and checks it; there must be nothing else that could be a parameter.
fn find(header: &Header, wanted: &mut [Wanted<'_>], path: Option<&Path>) -> Result<(), FileError> {
    let places: HashMap<&str, usize> = wanted.iter().enumerate().map(|(i, w)| (w.name, i)).collect();
    // The first in the model's order is the one to tell.
    let mut wrong: Option<(usize, FileError)> = None;
    let (mut held, mut others, mut unexpected) = (0, Vec::new(), 0);
    header
        .each(|name, entry| {
            held += 1;
            if let Some(&i) = places.get(name) {
                match check(&wanted[i], &entry, path) {
                    Ok(found) => wanted[i].found = Some(found),
                    Err(error) if wrong.as_ref().is_none_or(|(first, _)| i < *first) => {
                        wrong = Some((i, error))
                    }
                    Err(_) => {}
                }
            } else if Readable::from_name(&entry.dtype).is_some() {
                unexpected += 1;
                if others.len() < NAMED {
                    others.push(text::shortened(name));
                }
            }
        })
        .map_err(|source| format(path, source))?;
    if let Some((_, error)) = wrong {
        return Err(error);
    }
    let missing: Vec<&Wanted<'_>> = wanted.iter().filter(|w| w.found.is_none()).collect();
    let path = path.map(Path::to_owned);
    if !missing.is_empty() {
        let nearest = nearest(header, &places, &missing[..missing.len().min(SOUGHT)]);
        let names = missing.iter().map(|w| w.name.to_owned()).collect();
        return Err(FileError::Missing { path, names, held, nearest });
    }
    if unexpected > 0 {
        return Err(FileError::Unexpected { path, names: others, count: unexpected });
    }
    Ok(())
}

/// What the file has under the name of a parameter.
fn check(wanted: &Wanted<'_>, entry: &Entry<'_>, path: Option<&Path>) -> Result<Found, FileError> {
    let (own, name) = (path.map(Path::to_owned), wanted.name.to_owned());
    if wanted.found.is_some() {
        return Err(format(
            path,
            FormatError::Tensor { name: text::shortened(&name), reason: "is there twice" },
        ));
    }
    if !entry.shape.is(wanted.shape) {
        let (found, expected) = (entry.shape.shape().into(), wanted.shape.clone().into());
        return Err(FileError::Shape { path: own, name, found, expected });
    }
    let Some(dtype) = Readable::from_name(&entry.dtype) else {
        return Err(FileError::Dtype { path: own, name, dtype: text::shortened(&entry.dtype) });
    };
    let (start, end) = entry.data_offsets;
    Ok(Found { dtype, start, bytes: end - start })
}

/// For each of the missing parameters the tensor in the file that is most like it, and no other parameter's.
fn nearest(header: &Header, places: &HashMap<&str, usize>, missing: &[&Wanted<'_>]) -> Vec<StoredTensor> {
    let mut best: Vec<Option<(usize, StoredTensor)>> = vec![None; missing.len()];
    let mut compared = 0;
    // It was read without an error before.
    let _ = header.each(|name, entry| {
        if compared == COMPARED || places.contains_key(name) {
            return;
        }
        compared += 1;
        for (wanted, best) in missing.iter().zip(&mut best) {
            let other = if entry.shape.is(wanted.shape) { 0 } else { OTHER_SHAPE };
            let distance = names::edit_distance(wanted.name, name) + other;
            if best.as_ref().is_none_or(|(least, _)| distance < *least) {
                let (name, dtype) = (text::shortened(name), text::shortened(&entry.dtype));
                *best = Some((distance, StoredTensor { name, shape: entry.shape.shape(), dtype }));
            }
        }
    });
    let mut found: Vec<StoredTensor> = Vec::new();
    for (_, tensor) in best.into_iter().flatten() {
        if !found.contains(&tensor) {
            found.push(tensor);
        }
    }
    found
}

fn format(path: Option<&Path>, source: FormatError) -> FileError {
    FileError::Format { path: path.map(Path::to_owned), source }
}

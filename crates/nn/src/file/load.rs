//! Loading: what the model wants is found, checked and read; all else is passed over.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{Error, Read, Seek, SeekFrom};
use std::path::Path;

use wengert_tensor::{Float, Shape, Tensor, names, text};

use super::dtype::Readable;
use super::entry::{Axes, Entry};
use super::header::Header;
use super::loading::{LoadReport, Loading, MisshapenTensor};
use super::tensor_file::CHECKPOINT;
use super::{FileError, FormatError, StoredTensor, count};
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

/// A parameter, buffer or count, and where it is in the file.
struct Wanted<'a> {
    name: &'a str,
    /// `None` for a count.
    shape: Option<&'a Shape>,
    found: Option<Found>,
}

impl Wanted<'_> {
    /// Whether a tensor of this shape would do. Some write a single number with one axis.
    fn fits(&self, axes: &Axes) -> bool {
        match self.shape {
            Some(shape) => axes.is(shape),
            None => axes.is(&count::shape()) || axes.is(&[1].into()),
        }
    }
}

struct Found {
    elements: Elements,
    start: u64,
    bytes: u64,
}

#[derive(Clone, Copy)]
enum Elements {
    Float(Readable),
    Whole(count::Readable),
}

/// Replaces parameters and buffers by those in a file.
pub(super) fn load<T: Float>(
    params: &mut Params<T>,
    file: &mut (impl Read + Seek),
    path: Option<&Path>,
    loading: &Loading<'_>,
) -> Result<LoadReport, FileError> {
    let io = |source: Error| FileError::Io { path: path.map(Path::to_owned).unwrap_or_default(), source };
    let (buffers, counts) = (params.buffers(), params.counts());
    let mut wanted: Vec<Wanted<'_>> = params
        .iter()
        .map(|(name, shape, _)| (name, shape))
        .chain(buffers.iter().map(|(name, buffer)| (name.as_str(), buffer.shape())))
        .map(|(name, shape)| (name, Some(shape)))
        .chain(counts.iter().map(|(name, _)| (name.as_str(), None)))
        .map(|(name, shape)| Wanted { name, shape, found: None })
        .collect();
    let length = file.seek(SeekFrom::End(0)).map_err(io)?;
    let header = Header::read(file, length).map_err(io)?.map_err(|source| format(path, source))?;
    let report = find(&header, &mut wanted, path, loading)?;

    let mut chunk = vec![0; CHUNK];
    let mut read = |wanted: &Wanted<'_>, take: &mut dyn FnMut(&[u8], Elements) -> bool| {
        let Some(Found { elements, start, bytes }) = wanted.found else { return Ok(()) };
        file.seek(SeekFrom::Start(header.start + start)).map_err(io)?;
        let mut left = bytes;
        while left > 0 {
            let part = &mut chunk[..left.min(CHUNK as u64) as usize];
            file.read_exact(part).map_err(io)?;
            if !take(part, elements) {
                let (path, name) = (path.map(Path::to_owned), wanted.name.into());
                return Err(FileError::OutOfRange { path, name });
            }
            left -= part.len() as u64;
        }
        Ok(())
    };
    let mut numbers = |wanted: &Wanted<'_>, values: &mut Vec<T>| {
        read(wanted, &mut |part, elements| match elements {
            Elements::Float(dtype) => dtype.decode(part, values),
            Elements::Whole(_) => false,
        })
    };
    let (parameters, rest) = wanted.split_at(wanted.len() - buffers.len() - counts.len());
    let (rest, whole) = rest.split_at(buffers.len());
    let mut values = Vec::with_capacity(params.len());
    for (wanted, (_, _, old)) in parameters.iter().zip(params.iter()) {
        match wanted.found {
            Some(_) => numbers(wanted, &mut values)?,
            None => values.extend_from_slice(old),
        }
    }
    let mut tensors = Vec::with_capacity(buffers.len());
    for (wanted, (_, old)) in rest.iter().zip(&buffers) {
        if wanted.found.is_none() {
            tensors.push(old.clone());
            continue;
        }
        let mut values = Vec::with_capacity(old.len());
        numbers(wanted, &mut values)?;
        tensors.push(Tensor::vector(&values).reshape(old.shape()));
    }
    let mut totals = Vec::with_capacity(counts.len());
    for (wanted, (_, old)) in whole.iter().zip(&counts) {
        if wanted.found.is_none() {
            totals.push(*old);
        }
        read(wanted, &mut |part, elements| {
            if let Elements::Whole(dtype) = elements {
                totals.push(dtype.decode(part));
            }
            true
        })?;
    }
    params.set_values(&values);
    params.set_buffers(tensors, totals);
    Ok(report)
}

/// Finds all that is wanted, and checks it; there must be nothing else that could be a parameter, unless a part will do.
fn find(
    header: &Header,
    wanted: &mut [Wanted<'_>],
    path: Option<&Path>,
    loading: &Loading<'_>,
) -> Result<LoadReport, FileError> {
    let places: HashMap<&str, usize> = wanted.iter().enumerate().map(|(i, w)| (w.name, i)).collect();
    // The first in the model's order is the one to tell.
    let mut wrong: Option<(usize, FileError)> = None;
    let (mut held, mut others, mut unexpected) = (0, Vec::new(), 0);
    let mut misshaped: Vec<Option<MisshapenTensor>> =
        vec![None; if loading.partial { wanted.len() } else { 0 }];
    let mut checkpoint = false;
    // What is wrong with the metadata is nothing to a model.
    let _ = header.each_text(|key, _| checkpoint |= key == CHECKPOINT);
    header
        .each(|name, entry| {
            let Some((own, should_be)) = loading.name(name, checkpoint) else { return };
            held += usize::from(should_be);
            if let Some(&i) = places.get(&*own) {
                match check(&wanted[i], &entry, path) {
                    Ok(found) => wanted[i].found = Some(found),
                    Err(FileError::Shape { name, found, expected, .. }) if loading.partial => {
                        let (found, expected) = (*found, *expected);
                        misshaped[i] = Some(MisshapenTensor { name, found, expected });
                    }
                    Err(error) if wrong.as_ref().is_none_or(|(first, _)| i < *first) => {
                        wrong = Some((i, error))
                    }
                    Err(_) => {}
                }
            } else if should_be && Readable::from_name(&entry.dtype).is_some() {
                unexpected += 1;
                if loading.partial {
                    others.push(name.to_owned());
                } else if others.len() < NAMED {
                    others.push(text::shortened(name));
                }
            }
        })
        .map_err(|source| format(path, source))?;
    if let Some((_, error)) = wrong {
        return Err(error);
    }
    let applied = wanted.iter().filter(|w| w.found.is_some()).map(|w| w.name.to_owned()).collect();
    let mut report = LoadReport { applied, ..LoadReport::default() };
    if loading.partial {
        let missing = wanted.iter().zip(&misshaped).filter(|(w, other)| w.found.is_none() && other.is_none());
        let missing = missing.map(|(w, _)| w.name.to_owned()).collect();
        report.unexpected = others;
        report.add_missing(missing);
        report.misshaped = misshaped.into_iter().flatten().collect();
        return Ok(report);
    }
    let missing: Vec<&Wanted<'_>> = wanted.iter().filter(|w| w.found.is_none()).collect();
    let path = path.map(Path::to_owned);
    if !missing.is_empty() {
        let missing_first = &missing[..missing.len().min(SOUGHT)];
        let nearest = nearest(header, &places, missing_first, |name| loading.name(name, checkpoint));
        let names = missing.iter().map(|w| w.name.to_owned()).collect();
        return Err(FileError::Missing { path, names, held, nearest });
    }
    if unexpected > 0 {
        return Err(FileError::Unexpected { path, names: others, count: unexpected });
    }
    Ok(report)
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
    if !wanted.fits(&entry.shape) {
        let expected = wanted.shape.cloned().unwrap_or_else(count::shape);
        let (found, expected) = (entry.shape.shape().into(), expected.into());
        return Err(FileError::Shape { path: own, name, found, expected });
    }
    let (elements, expected) = match wanted.shape {
        Some(_) => (Readable::from_name(&entry.dtype).map(Elements::Float), "F16, BF16, F32 or F64"),
        None => (count::Readable::from_name(&entry.dtype).map(Elements::Whole), "I32 or I64"),
    };
    let Some(elements) = elements else {
        return Err(FileError::Dtype { path: own, name, dtype: text::shortened(&entry.dtype), expected });
    };
    let (start, end) = entry.data_offsets;
    Ok(Found { elements, start, bytes: end - start })
}

/// For each of the missing parameters the tensor in the file that is most like it, and no other parameter's.
fn nearest(
    header: &Header,
    places: &HashMap<&str, usize>,
    missing: &[&Wanted<'_>],
    own: impl for<'n> Fn(&'n str) -> Option<(Cow<'n, str>, bool)>,
) -> Vec<StoredTensor> {
    let mut best: Vec<Option<(usize, StoredTensor)>> = vec![None; missing.len()];
    let mut compared = 0;
    // It was read without an error before.
    let _ = header.each(|name, entry| {
        let Some((own, true)) = own(name).filter(|_| compared < COMPARED) else { return };
        if places.contains_key(&*own) {
            return;
        }
        compared += 1;
        for (wanted, best) in missing.iter().zip(&mut best) {
            let other = if wanted.fits(&entry.shape) { 0 } else { OTHER_SHAPE };
            let distance = names::edit_distance(wanted.name, &own) + other;
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

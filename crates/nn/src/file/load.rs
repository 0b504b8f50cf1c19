//! Loading: what the model wants is found, checked and read; all else is passed over.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use wengert_tensor::{Float, Shape, names, text};

use super::dtype::{Readable, Take};
use super::loading::{LoadReport, Loading, MisshapenTensor};
use super::prefix::Prefixes;
use super::source::{TensorEntry, TensorSource};
use super::tensors::{read_elements, read_into, try_written};
use super::{FileError, FormatError, StoredTensor};
use crate::params::Params;

/// Names of tensors that a file has and the model has not, for a message.
const NAMED: usize = 8;
/// Missing parameters for which the nearest tensor is looked for, and tensors that are looked at.
const SOUGHT: usize = 3;
const COMPARED: usize = 10_000;
/// How much another shape counts against a tensor, in letters of its name.
const OTHER_SHAPE: usize = 8;

/// The shape that counts are written in.
pub(super) fn count_shape() -> Shape {
    Shape::from([0usize; 0])
}

/// A parameter, buffer or count, and where it is in the file.
struct Wanted<'a> {
    name: &'a str,
    /// `None` for a count.
    shape: Option<&'a Shape>,
    found: Option<Found>,
}

struct Found {
    place: usize,
    dtype: Readable,
    /// Its name in the file.
    name: Box<str>,
}

impl Wanted<'_> {
    /// Whether a tensor of this shape would do. Some write a single number with one axis.
    fn fits(&self, shape: &Shape) -> bool {
        match self.shape {
            Some(own) => own == shape,
            None => shape.is_empty() || shape[..] == [1],
        }
    }

    /// Shows its bytes in the file, whole elements at a time, to `take`, whose error is a number that it cannot hold.
    fn read(
        &self,
        source: &mut dyn TensorSource,
        kind: &'static str,
        take: &mut Take<'_>,
    ) -> Result<bool, FileError> {
        let Some(Found { place, dtype, .. }) = self.found else { return Ok(false) };
        let elements = self.shape.map_or(1, |shape| shape.count());
        read_elements(source, (place, dtype, elements), (self.name, kind), take)?;
        Ok(true)
    }

    /// Reads its numbers; `false` if the file does not have them.
    fn read_into<T: Float>(
        &self,
        source: &mut dyn TensorSource,
        values: &mut [T],
    ) -> Result<bool, FileError> {
        let Some(Found { place, dtype, .. }) = self.found else { return Ok(false) };
        read_into(source, (place, dtype), self.name, values)?;
        Ok(true)
    }
}

/// Replaces parameters and buffers by those in a file.
pub(super) fn load<T: Float>(
    params: &mut Params<T>,
    source: &mut dyn TensorSource,
    loading: &Loading<'_>,
) -> Result<LoadReport, FileError> {
    let (buffers, counts) = (params.buffers(), params.counts());
    let mut wanted: Vec<Wanted<'_>> = params
        .iter()
        .map(|(name, shape, _)| (name, shape))
        .chain(buffers.iter().map(|(name, buffer)| (name.as_str(), buffer.shape())))
        .map(|(name, shape)| (name, Some(shape)))
        .chain(counts.iter().map(|(name, _)| (name.as_str(), None)))
        .map(|(name, shape)| Wanted { name, shape, found: None })
        .collect();
    let report = find(&*source, &mut wanted, loading)?;

    let (parameters, rest) = wanted.split_at(wanted.len() - buffers.len() - counts.len());
    let (rest, whole) = rest.split_at(buffers.len());
    // Beside those that are there, as nothing changes if one cannot be read.
    let values = try_written([params.len()].into(), |mut left| {
        for (wanted, (_, _, old)) in parameters.iter().zip(params.iter()) {
            let (own, others) = left.split_at_mut(old.len());
            left = others;
            if !wanted.read_into(source, own)? {
                own.copy_from_slice(old);
            }
        }
        Ok(())
    })?;
    let mut tensors = Vec::with_capacity(buffers.len());
    for (wanted, (_, old)) in rest.iter().zip(&buffers) {
        let mut found = false;
        let tensor = try_written(old.shape().clone(), |values| {
            found = wanted.read_into(source, values)?;
            Ok(())
        })?;
        tensors.push(if found { tensor } else { old.clone() });
    }
    let mut totals = Vec::with_capacity(counts.len());
    for (wanted, (_, old)) in whole.iter().zip(&counts) {
        let mut total = *old;
        wanted.read(source, "i64", &mut |piece, dtype| {
            total = dtype.decode_whole(piece)?;
            Ok(())
        })?;
        totals.push(total);
    }
    params.take_values(values);
    params.set_buffers(tensors, totals);
    Ok(report)
}

/// Finds all that is wanted, and checks it; there must be nothing else that could be a parameter, unless a part will do.
fn find(
    source: &dyn TensorSource,
    wanted: &mut [Wanted<'_>],
    loading: &Loading<'_>,
) -> Result<LoadReport, FileError> {
    let places: HashMap<&str, usize> = wanted.iter().enumerate().map(|(i, w)| (w.name, i)).collect();
    // The first in the model's order is the one to tell.
    let mut wrong: Option<(usize, FileError)> = None;
    let (mut held, mut others, mut unexpected) = (0, Vec::new(), 0);
    let mut misshaped: Vec<Option<MisshapenTensor>> =
        vec![None; if loading.partial { wanted.len() } else { 0 }];
    let checkpoint = source.is_checkpoint();
    source.each(&mut |place, entry| {
        let name = entry.name();
        let Some((own, should_be)) = loading.name(name, checkpoint) else { return };
        held += usize::from(should_be);
        if let Some(&i) = places.get(&*own) {
            match check(&wanted[i], place, entry, loading, source) {
                Ok(found) => wanted[i].found = Some(found),
                Err(FileError::Shape { name, found, expected, .. }) if loading.partial => {
                    let (found, expected) = (*found, *expected);
                    misshaped[i] = Some(MisshapenTensor { name, found, expected });
                }
                Err(error) if wrong.as_ref().is_none_or(|(first, _)| i < *first) => wrong = Some((i, error)),
                Err(_) => {}
            }
        } else if should_be && Readable::from_name(entry.dtype()).is_some_and(Readable::is_float) {
            unexpected += 1;
            if loading.partial {
                others.push(name.to_owned());
            } else if others.len() < NAMED {
                others.push(text::shortened(name));
            }
        }
    });
    if let Some((_, error)) = wrong {
        return Err(error);
    }
    let applied = wanted.iter().filter(|w| w.found.is_some()).map(|w| w.name.to_owned()).collect();
    let mut report = LoadReport { applied, ..LoadReport::default() };
    if loading.partial {
        let missing = wanted.iter().zip(&misshaped).filter(|(w, other)| w.found.is_none() && other.is_none());
        let missing: Vec<&Wanted<'_>> = missing.map(|(w, _)| w).collect();
        if !missing.is_empty() {
            report.prefix = prefix(source, &missing, |name| loading.name(name, checkpoint));
        }
        let missing = missing.into_iter().map(|w| w.name.to_owned()).collect();
        report.unexpected = others;
        report.add_missing(missing);
        report.misshaped = misshaped.into_iter().flatten().collect();
        return Ok(report);
    }
    let missing: Vec<&Wanted<'_>> = wanted.iter().filter(|w| w.found.is_none()).collect();
    let path = path_of(source);
    if wanted.is_empty() && held > 0 {
        return Err(FileError::NoModel { path, held });
    }
    if !missing.is_empty() {
        let missing_first = &missing[..missing.len().min(SOUGHT)];
        let nearest = nearest(source, &places, missing_first, |name| loading.name(name, checkpoint));
        let prefix = prefix(source, &missing, |name| loading.name(name, checkpoint));
        let names = missing.iter().map(|w| w.name.to_owned()).collect();
        return Err(FileError::Missing { path, names, held, nearest, prefix });
    }
    if unexpected > 0 {
        return Err(FileError::Unexpected { path, names: others, count: unexpected });
    }
    Ok(report)
}

/// What the file has under the name of a parameter.
fn check(
    wanted: &Wanted<'_>,
    place: usize,
    entry: &TensorEntry<'_>,
    loading: &Loading<'_>,
    source: &dyn TensorSource,
) -> Result<Found, FileError> {
    let (path, name) = (path_of(source), wanted.name.to_owned());
    if let Some(first) = &wanted.found {
        if *first.name == *entry.name() {
            let source = FormatError::Tensor { name: text::shortened(&name), reason: "is there twice" };
            return Err(FileError::Format { path, source });
        }
        let files = [&first.name, entry.name()].map(text::shortened);
        return Err(FileError::Twice { path, name, files });
    }
    if !wanted.fits(entry.shape()) {
        let expected = wanted.shape.cloned().unwrap_or_else(count_shape);
        let (found, expected) = (entry.shape().clone().into(), expected.into());
        return Err(FileError::Shape { path, name, found, expected });
    }
    let whole = wanted.shape.is_none();
    let suits = |dtype: &Readable| match (whole, loading.convert) {
        (true, true) => !dtype.is_float(),
        (true, false) => dtype.is_count(),
        (false, convert) => convert || dtype.is_float(),
    };
    let Some(dtype) = Readable::from_name(entry.dtype()).filter(suits) else {
        let expected = match (whole, loading.convert) {
            (true, true) => "a type of whole numbers",
            (true, false) => "I32 or I64",
            (false, true) => "a type of numbers that can be converted",
            (false, false) => "F16, BF16, F32 or F64",
        };
        return Err(FileError::Dtype { path, name, dtype: text::shortened(entry.dtype()), expected });
    };
    Ok(Found { place, dtype, name: entry.name().into() })
}

/// For each of the missing parameters the tensor in the file that is most like it, and no other parameter's.
fn nearest(
    source: &dyn TensorSource,
    places: &HashMap<&str, usize>,
    missing: &[&Wanted<'_>],
    own: impl for<'n> Fn(&'n str) -> Option<(Cow<'n, str>, bool)>,
) -> Vec<StoredTensor> {
    let mut best: Vec<Option<(usize, StoredTensor)>> = vec![None; missing.len()];
    let mut compared = 0;
    source.each(&mut |_, entry| {
        let Some((own, true)) = own(entry.name()).filter(|_| compared < COMPARED) else { return };
        if places.contains_key(&*own) {
            return;
        }
        compared += 1;
        for (wanted, best) in missing.iter().zip(&mut best) {
            let other = if wanted.fits(entry.shape()) { 0 } else { OTHER_SHAPE };
            let distance = names::edit_distance(wanted.name, &own) + other;
            if best.as_ref().is_none_or(|(least, _)| distance < *least) {
                let (name, dtype) = (text::shortened(entry.name()), text::shortened(entry.dtype()));
                *best = Some((distance, StoredTensor { name, shape: entry.shape().clone(), dtype }));
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

/// What the names in the file begin with, if most of those that are missing stand behind it, in their shapes.
fn prefix(
    source: &dyn TensorSource,
    missing: &[&Wanted<'_>],
    own: impl for<'n> Fn(&'n str) -> Option<(Cow<'n, str>, bool)>,
) -> Option<String> {
    let places: HashMap<&str, &Wanted<'_>> = missing.iter().map(|&wanted| (wanted.name, wanted)).collect();
    let mut prefixes = Prefixes::default();
    source.each(&mut |_, entry| {
        if let Some((name, true)) = own(entry.name()) {
            prefixes.add(&name, |rest| places.get(rest).is_some_and(|wanted| wanted.fits(entry.shape())));
        }
    });
    prefixes.common(missing.len())
}

fn path_of(source: &dyn TensorSource) -> Option<PathBuf> {
    source.path().map(Path::to_owned)
}

//! Where the elements of tensors are in a file, and reading them.

use std::io::{Error, Read, Seek, SeekFrom};

use wengert_tensor::Shape;

use super::archive::Record;
use super::dtype::Dtype;
use super::pickle::{Chunked, Content, RawStorage, RawTensor};

/// Bytes that are read, or handed on, at a time: a whole number of elements of any type.
const CHUNK: usize = 1 << 16;

/// The elements of a tensor: `offset + Σ i·stride`, in elements from the start of its storage.
#[derive(Debug)]
pub(super) struct Layout<'a> {
    shape: Shape,
    stride: &'a [u64],
    dtype: &'static Dtype,
    offset: u64,
    /// Elements that it can reach.
    highest: u64,
    storage: Record,
    count: usize,
}

/// The tensor's shape, if it is one that a tensor can have here.
pub(super) fn shape(size: &[u64]) -> Option<Shape> {
    let shape = size.iter().map(|&length| usize::try_from(length).ok()).collect::<Option<Vec<usize>>>()?;
    let shape = Shape::from(&shape[..]);
    shape.checked_count().map(|_| shape)
}

/// What is wrong with a storage that its record is not of the size that the pickle says.
pub(super) fn check_storage(storage: &RawStorage, record: Record) -> Result<(), &'static str> {
    let width = storage.dtype.map_or(1, |dtype| u64::from(dtype.width));
    if storage.count.checked_mul(width) != Some(record.length) {
        return Err("is of another size than the pickle says");
    }
    match storage.view {
        Some((first, count)) if first.checked_add(count).is_none_or(|end| end > storage.count) => {
            Err("has a view that does not lie within it")
        }
        _ => Ok(()),
    }
}

impl<'a> Layout<'a> {
    /// That of a tensor whose storage has been checked; `None` if it is of a kind that is not read.
    pub(super) fn new(
        tensor: &'a RawTensor,
        storages: &Chunked<RawStorage>,
        records: &[Record],
    ) -> Result<Option<Self>, &'static str> {
        let shape = shape(&tensor.size).ok_or("has more elements than can be counted")?;
        let Content::Strided { storage, dtype, offset, ref stride } = tensor.content else { return Ok(None) };
        let (raw, mut record) = (&storages[storage as usize], records[storage as usize]);
        if let Some((first, count)) = raw.view {
            // It was checked that they lie within the record.
            let width = raw.dtype.map_or(1, |dtype| u64::from(dtype.width));
            record = Record { start: record.start + first * width, length: count * width };
        }
        let count = shape.iter().product();
        let within = record.length / u64::from(dtype.width);
        let mut highest = offset;
        if count > 0 {
            for (&length, &stride) in tensor.size.iter().zip(stride) {
                let last = (length - 1).checked_mul(stride).and_then(|last| highest.checked_add(last));
                highest = last.ok_or("has strides that reach beyond its storage")?;
            }
            if highest >= within {
                return Err("has strides that reach beyond its storage");
            }
        }
        Ok(Some(Layout { shape, stride, dtype, offset, highest, storage: record, count }))
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Bytes of all elements.
    pub(super) fn bytes(&self) -> usize {
        self.count * usize::from(self.dtype.width)
    }

    /// Whether there are more elements than the storage has.
    pub(super) fn is_expanded(&self) -> bool {
        self.count as u64 > self.storage.length / u64::from(self.dtype.width)
    }

    /// Whether the elements lie one after another.
    fn is_contiguous(&self) -> bool {
        let mut expected = 1;
        self.shape.iter().zip(self.stride).rev().all(|(&length, &stride)| {
            let fits = length == 1 || stride == expected;
            expected *= length as u64;
            fits
        })
    }

    /// Hands on the elements' bytes, little-endian and in row-major order, piece by piece, until `take` fails.
    /// Elements that do not lie one after another are gathered from a copy of the part of the storage that they are in.
    pub(super) fn read(
        &self,
        file: &mut (impl Read + Seek + ?Sized),
        swapped: bool,
        take: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if self.count == 0 {
            return Ok(());
        }
        let width = usize::from(self.dtype.width);
        let swap = |bytes: &mut [u8]| {
            if swapped && self.dtype.swapped > 1 {
                bytes.chunks_exact_mut(self.dtype.swapped.into()).for_each(<[u8]>::reverse);
            }
        };
        file.seek(SeekFrom::Start(self.storage.start + self.offset * width as u64))?;
        if self.is_contiguous() {
            let mut left = self.count * width;
            let mut chunk = vec![0; CHUNK.min(left)];
            while left > 0 {
                let part = &mut chunk[..CHUNK.min(left)];
                file.read_exact(part)?;
                swap(part);
                take(part)?;
                left -= part.len();
            }
            return Ok(());
        }
        let length = (self.highest - self.offset + 1) as usize * width;
        let mut span = Vec::new();
        span.try_reserve_exact(length).map_err(Error::other)?;
        span.resize(length, 0);
        file.read_exact(&mut span)?;
        swap(&mut span);
        self.gather(&span, width, take)
    }

    fn gather(
        &self,
        span: &[u8],
        width: usize,
        take: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let lengths: &[usize] = &self.shape;
        let mut index = vec![0; lengths.len()];
        let mut at = 0;
        let mut piece = Vec::with_capacity(CHUNK);
        loop {
            piece.extend_from_slice(&span[at as usize * width..][..width]);
            if piece.len() == CHUNK {
                take(&piece)?;
                piece.clear();
            }
            // The next index, the last axis first.
            let mut axis = lengths.len();
            loop {
                let Some(next) = axis.checked_sub(1) else { return take(&piece) };
                axis = next;
                index[axis] += 1;
                at += self.stride[axis];
                if index[axis] < lengths[axis] {
                    break;
                }
                at -= self.stride[axis] * lengths[axis] as u64;
                index[axis] = 0;
            }
        }
    }
}

//! Where the elements of tensors are in a file, and reading them.

use std::io::{BufRead, Error, Read};

use wengert_nn::tensor_file::read_pieces;
use wengert_tensor::Shape;

use super::archive::Record;
use super::dtype::Dtype;
use super::pickle::{Chunked, Content, RawStorage, RawTensor};

/// Bytes that are handed on at a time: a whole number of elements of any type.
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
    /// The part of a record that the storage is, and the storage's number.
    part: Record,
    storage: u32,
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
            record = Record { start: record.start + first * width, length: count * width, sum: None };
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
        Ok(Some(Layout { shape, stride, dtype, offset, highest, part: record, storage, count }))
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
        self.count as u64 > self.part.length / u64::from(self.dtype.width)
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

    /// The number of its storage.
    pub(super) fn storage(&self) -> usize {
        self.storage as usize
    }

    /// Where its first element is in the file.
    pub(super) fn start(&self) -> u64 {
        self.part.start + self.offset * u64::from(self.dtype.width)
    }

    /// Whether its elements, one after another, are all of these bytes.
    pub(super) fn is_all_of(&self, record: Record) -> bool {
        self.is_contiguous() && self.start() == record.start && self.bytes() as u64 == record.length
    }

    /// Hands on the elements' bytes, little-endian and in row-major order, piece by piece, until `take` fails; the file stands where they
    /// [begin](Layout::start). Elements that do not lie one after another are gathered from the part of the storage that they are in, which
    /// is copied unless the reader has it in memory, as it has a file that is mapped.
    pub(super) fn read(
        &self,
        file: &mut dyn BufRead,
        swapped: bool,
        take: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if self.count == 0 {
            return Ok(());
        }
        let width = usize::from(self.dtype.width);
        let swap = swapped && self.dtype.swapped > 1;
        let turn = |bytes: &mut [u8]| {
            bytes.chunks_exact_mut(self.dtype.swapped.into()).for_each(<[u8]>::reverse);
        };
        if self.is_contiguous() {
            let bytes = (self.count * width) as u64;
            if !swap {
                return read_pieces(file, bytes, take);
            }
            let mut turned = Vec::new();
            return read_pieces(file, bytes, &mut |piece| {
                turned.clear();
                turned.extend_from_slice(piece);
                turn(&mut turned);
                take(&turned)
            });
        }
        let length = (self.highest - self.offset + 1) as usize * width;
        let held = file.fill_buf()?;
        if !swap && held.len() >= length {
            return self.gather(&held[..length], width, take);
        }
        let mut span = Vec::new();
        span.try_reserve_exact(length).map_err(Error::other)?;
        file.take(length as u64).read_to_end(&mut span)?;
        if span.len() < length {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if swap {
            turn(&mut span);
        }
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

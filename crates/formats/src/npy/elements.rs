//! The elements of an array in row-major order, the least significant byte first.

use std::io::{BufRead, Error, Read};

use wengert_nn::tensor_file::read_pieces;

use super::header::Header;

/// Bytes that are handed on at a time: a multiple of every element's.
const CHUNK: usize = 1 << 16;

/// Hands the elements that stand in `file` to `take`. Where the first axis varies fastest, all of them are held in memory meanwhile, unless
/// the reader has them there, as it has a file that is mapped.
pub(crate) fn read(
    header: &Header,
    file: &mut dyn BufRead,
    take: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    if header.width == 0 && header.shape.checked_count() != Some(0) {
        return Err(Error::other(format!("elements of type {} are not read", header.dtype)));
    }
    let axes = header.shape.iter().filter(|&&length| length != 1).count();
    if header.fortran && axes > 1 && header.bytes > 0 {
        return read_columns(header, file, take);
    }
    if header.swapped <= 1 {
        return read_pieces(file, header.bytes, take);
    }
    let mut turned = Vec::new();
    read_pieces(file, header.bytes, &mut |piece| {
        turned.clear();
        turned.extend_from_slice(piece);
        turn(&mut turned, header.swapped);
        take(&turned)
    })
}

fn read_columns(
    header: &Header,
    file: &mut dyn BufRead,
    take: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    let held = file.fill_buf()?;
    if header.swapped <= 1 && held.len() as u64 >= header.bytes {
        gather(header, &held[..header.bytes as usize], take)?;
        // A checksum is made of what is used up.
        file.consume(header.bytes as usize);
        return Ok(());
    }
    let mut all = Vec::new();
    all.try_reserve_exact(header.bytes as usize).map_err(Error::other)?;
    file.take(header.bytes).read_to_end(&mut all)?;
    if all.len() as u64 != header.bytes {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    turn(&mut all, header.swapped);
    gather(header, &all, take)
}

/// Hands on elements of which the first axis varies fastest in the order of the others.
fn gather(
    header: &Header,
    all: &[u8],
    take: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    let (width, shape) = (header.width, &header.shape[..]);
    // How far the next element along each axis is.
    let strides: Vec<usize> = shape
        .iter()
        .scan(width, |stride, length| {
            let own = *stride;
            *stride *= length;
            Some(own)
        })
        .collect();
    let (&last, outer) = shape.split_last().expect("there are several axes");
    let (mut index, mut start) = (vec![0; outer.len()], 0);
    let mut piece = Vec::with_capacity(CHUNK);
    loop {
        for i in 0..last {
            let at = start + i * strides[outer.len()];
            piece.extend_from_slice(&all[at..at + width]);
            if piece.len() == CHUNK {
                take(&piece)?;
                piece.clear();
            }
        }
        // The next row, whose last index is counted up first.
        let mut axis = outer.len();
        loop {
            let Some(before) = axis.checked_sub(1) else {
                return if piece.is_empty() { Ok(()) } else { take(&piece) };
            };
            axis = before;
            index[axis] += 1;
            start += strides[axis];
            if index[axis] < shape[axis] {
                break;
            }
            start -= shape[axis] * strides[axis];
            index[axis] = 0;
        }
    }
}

/// Turns the bytes of each number round.
fn turn(bytes: &mut [u8], width: usize) {
    if width > 1 {
        bytes.chunks_exact_mut(width).for_each(<[u8]>::reverse);
    }
}

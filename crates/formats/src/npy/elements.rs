//! The elements of an array in row-major order, the least significant byte first.

use std::io::{Error, Read};

use super::header::Header;

/// Bytes that are read or handed on at a time: a multiple of every element's.
const CHUNK: usize = 1 << 16;

/// Hands the elements that stand in `file` to `take`. Where the first axis varies fastest, all of them are held in memory meanwhile.
pub(crate) fn read(
    header: &Header,
    file: &mut dyn Read,
    take: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    if header.width == 0 && header.shape.checked_count() != Some(0) {
        return Err(Error::other(format!("elements of type {} are not read", header.dtype)));
    }
    let axes = header.shape.iter().filter(|&&length| length != 1).count();
    if header.fortran && axes > 1 && header.bytes > 0 {
        return read_columns(header, file, take);
    }
    let mut left = header.bytes;
    let mut piece = vec![0; left.min(CHUNK as u64) as usize];
    while left > 0 {
        let piece = &mut piece[..left.min(CHUNK as u64) as usize];
        file.read_exact(piece)?;
        turn(piece, header.swapped);
        take(piece)?;
        left -= piece.len() as u64;
    }
    Ok(())
}

fn read_columns(
    header: &Header,
    file: &mut dyn Read,
    take: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut all = Vec::new();
    all.try_reserve_exact(header.bytes as usize).map_err(Error::other)?;
    file.take(header.bytes).read_to_end(&mut all)?;
    if all.len() as u64 != header.bytes {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    turn(&mut all, header.swapped);
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

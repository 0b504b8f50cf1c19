//! The bytes of elements, some at a time.

use std::io::Error;

use wengert_tensor::Element;

/// Numbers that are turned into bytes at a time.
const CHUNK: usize = 1 << 12;

/// Shows the bytes of all elements, the least significant first.
pub(crate) fn pieces<T: Element>(
    values: &[T],
    take: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut bytes = Vec::with_capacity(CHUNK.min(values.len()) * size_of::<T>());
    values.chunks(CHUNK).try_for_each(|chunk| {
        bytes.clear();
        chunk.iter().for_each(|x| bytes.extend_from_slice(x.to_le_bytes().as_ref()));
        take(&bytes)
    })
}

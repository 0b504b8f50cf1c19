//! Slices cut into chunks, each of which one thread works on.

use std::marker::PhantomData;

use smallvec::SmallVec;

use super::{for_each, on_threads, threads};

/// Calls `work(start, chunk)` for consecutive chunks of `out` of `size` elements (the last may be shorter),
/// where `start` is the position of the chunk's first element.
///
/// ```
/// use wengert_tensor::parallel::for_each_chunk;
/// let mut squares = [0; 10];
/// for_each_chunk(&mut squares, 4, true, |start, chunk| {
///     chunk.iter_mut().enumerate().for_each(|(i, x)| *x = (start + i) * (start + i));
/// });
/// assert_eq!(squares[9], 81);
/// ```
#[inline]
pub fn for_each_chunk<T: Send>(
    out: &mut [T],
    size: usize,
    parallel: bool,
    work: impl Fn(usize, &mut [T]) + Sync + Send,
) {
    chunk_by_chunk(out, size, parallel, &work);
}

/// [`for_each_chunk`], compiled once for each type of element.
#[inline(never)]
fn chunk_by_chunk<T: Send>(
    out: &mut [T],
    size: usize,
    parallel: bool,
    work: &(dyn Fn(usize, &mut [T]) + Sync),
) {
    let size = size.max(1);
    if parallel && out.len() > size && threads() > 1 {
        let chunks = Chunks::new(out, size);
        // SAFETY: each chunk is asked for once.
        on_threads(chunks.count(), &|i| work(i * size, unsafe { chunks.get(i) }));
    } else {
        out.chunks_mut(size).enumerate().for_each(|(i, chunk)| work(i * size, chunk));
    }
}

/// Calls `work(start, chunks)` for the chunks at the same place of slices of equal length, likewise.
///
/// # Panics
/// If the lengths differ.
///
/// ```
/// use wengert_tensor::parallel::for_each_chunk_of_all;
/// let (mut squares, mut cubes) = ([0; 10], [0; 10]);
/// for_each_chunk_of_all(&mut [&mut squares[..], &mut cubes], 4, true, |start, chunks| {
///     for i in 0..chunks[0].len() {
///         chunks[0][i] = (start + i).pow(2);
///         chunks[1][i] = (start + i).pow(3);
///     }
/// });
/// assert_eq!((squares[9], cubes[9]), (81, 729));
/// ```
#[track_caller]
pub fn for_each_chunk_of_all<T: Send>(
    slices: &mut [&mut [T]],
    size: usize,
    parallel: bool,
    work: impl Fn(usize, &mut [&mut [T]]) + Sync + Send,
) {
    let size = size.max(1);
    let length = slices.first().map_or(0, |slice| slice.len());
    assert!(slices.iter().all(|slice| slice.len() == length), "for_each_chunk_of_all: the lengths differ");
    let all: SmallVec<[Chunks<'_, T>; 8]> = slices.iter_mut().map(|slice| Chunks::new(slice, size)).collect();
    let count = all.first().map_or(0, Chunks::count);
    for_each(count, parallel, |i| {
        // SAFETY: each chunk is asked for once.
        let mut chunks: SmallVec<[&mut [T]; 8]> = all.iter().map(|one| unsafe { one.get(i) }).collect();
        work(i * size, &mut chunks);
    });
}

/// Calls `work(i, a, b)` for the `i`-th chunks of two slices that have equally many, of sizes of their own.
pub(crate) fn for_each_chunk_pair<A: Send, B: Send>(
    a: &mut [A],
    b: &mut [B],
    sizes: [usize; 2],
    parallel: bool,
    work: impl Fn(usize, &mut [A], &mut [B]) + Sync + Send,
) {
    let (a, b) = (Chunks::new(a, sizes[0]), Chunks::new(b, sizes[1]));
    assert_eq!(a.count(), b.count());
    // SAFETY: each chunk is asked for once.
    for_each(a.count(), parallel, |i| work(i, unsafe { a.get(i) }, unsafe { b.get(i) }));
}

/// A slice cut into chunks that are handed out by number, so that the threads need not know the elements' type.
struct Chunks<'a, T> {
    start: *mut T,
    len: usize,
    size: usize,
    slice: PhantomData<&'a mut [T]>,
}

// SAFETY: what threads share of it are disjoint parts of the slice, each used by one thread.
unsafe impl<T: Send> Sync for Chunks<'_, T> {}

impl<'a, T> Chunks<'a, T> {
    fn new(slice: &'a mut [T], size: usize) -> Self {
        assert!(size > 0);
        Chunks { start: slice.as_mut_ptr(), len: slice.len(), size, slice: PhantomData }
    }

    fn count(&self) -> usize {
        self.len.div_ceil(self.size)
    }

    /// Chunk number `i`.
    ///
    /// # Safety
    /// A number may be asked for once only.
    unsafe fn get(&self, i: usize) -> &'a mut [T] {
        assert!(i < self.count());
        let start = i * self.size;
        // SAFETY: the range lies in the slice (chunk `i` was checked to exist, so `start` is less than `len`), which is
        // borrowed for 'a, and no other chunk overlaps it.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(start), self.size.min(self.len - start)) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::with_threads;
    use super::*;

    #[test]
    fn chunks_cover_everything_once() {
        let mut out = vec![0usize; 1001];
        for_each_chunk(&mut out, 64, true, |start, chunk| {
            for (i, x) in chunk.iter_mut().enumerate() {
                *x += start + i;
            }
        });
        assert!(out.iter().enumerate().all(|(i, &x)| x == i));
    }

    #[test]
    fn pairs_of_chunks_cover_both_slices_once_on_any_number_of_threads() {
        for (length, size) in [(0, 3), (1, 3), (3, 3), (7, 3), (64, 1), (5, 100)] {
            for (threads, parallel, width) in [(1, true, 1), (4, false, 1), (4, true, 1), (4, true, 3)] {
                let (mut a, mut b) = (vec![0usize; length], vec![0u8; length * width]);
                with_threads(threads, || {
                    for_each_chunk_pair(&mut a, &mut b, [size, size * width], parallel, |i, a, b| {
                        assert_eq!(a.len() * width, b.len());
                        a.iter_mut().enumerate().for_each(|(j, x)| *x += i * size + j);
                        b.iter_mut().for_each(|x| *x += 1);
                    });
                });
                assert!(a.iter().enumerate().all(|(i, &x)| x == i) && b.iter().all(|&x| x == 1));
            }
        }
    }

    #[test]
    fn chunks_of_several_slices_cover_all_of_them_once() {
        for (length, size, threads) in [(0, 3, 1), (1, 3, 2), (7, 3, 1), (100, 7, 4), (5, 100, 4)] {
            let mut all = [vec![0usize; length], vec![0; length], vec![0; length]];
            with_threads(threads, || {
                let mut slices: Vec<&mut [usize]> = all.iter_mut().map(Vec::as_mut_slice).collect();
                for_each_chunk_of_all(&mut slices, size, true, |start, chunks| {
                    for (k, chunk) in chunks.iter_mut().enumerate() {
                        chunk.iter_mut().enumerate().for_each(|(i, x)| *x += (start + i) * 3 + k);
                    }
                });
            });
            for (k, slice) in all.iter().enumerate() {
                assert!(slice.iter().enumerate().all(|(i, &x)| x == 3 * i + k));
            }
        }
        for_each_chunk_of_all::<u8>(&mut [], 3, true, |_, _| unreachable!("there is nothing"));
    }

    #[test]
    #[should_panic(expected = "i < self.count()")]
    fn a_chunk_behind_the_last() {
        // SAFETY: it is asked for once.
        unsafe { Chunks::new(&mut [0; 6], 3).get(2) };
    }
}

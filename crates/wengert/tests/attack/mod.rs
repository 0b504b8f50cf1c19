//! Files that somebody changed, for readers of files, and a count of the memory that these take.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use wengert_tensor::random::Generator;

struct Counting;

thread_local! {
    /// Bytes that this thread holds, and the most that it held.
    static HELD: Cell<isize> = const { Cell::new(0) };
    static MOST: Cell<isize> = const { Cell::new(0) };
}

fn note(change: isize) {
    let _ = HELD.try_with(|held| {
        held.set(held.get() + change);
        let _ = MOST.try_with(|most| most.set(most.get().max(held.get())));
    });
}

// SAFETY: everything is passed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size() as isize);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        note(-(layout.size() as isize));
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(layout.size() as isize);
        // SAFETY: the caller keeps the contract of `alloc_zeroed`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(size as isize - layout.size() as isize);
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The most bytes that `work` holds at once.
pub(crate) fn most(work: impl FnOnce()) -> usize {
    let before = HELD.get();
    MOST.set(before);
    work();
    (MOST.get() - before) as usize
}

/// What readers take whatever they read: buffers of the file and of its decompression.
pub(crate) const FIXED: usize = 512 << 10;

/// Numbers that counts and lengths are set to.
const COUNTS: [u64; 10] =
    [0, 1, 255, 0xffff, 1 << 24, (1 << 31) - 1, 1 << 31, 0xffff_ffff, 1 << 62, u64::MAX];

/// Changes some bytes: flips, cuts, pieces from elsewhere, huge counts in both orders and as text.
fn mutate(bytes: &mut Vec<u8>, random: &mut Generator) {
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len() as u64 + 1) as usize;
        let rest = bytes.len() - at;
        match random.below(8) {
            0 if rest > 0 => bytes[at] ^= 1 << random.below(8),
            1 if rest > 0 => bytes[at] = random.below(256) as u8,
            2 => bytes.truncate(at),
            3 => {
                let length = random.below(rest.min(64) as u64 + 1) as usize;
                let piece = bytes[at..at + length].to_vec();
                let to = random.below(bytes.len() as u64 + 1) as usize;
                bytes.splice(to..to, piece);
            }
            4 => {
                let length = random.below(rest.min(64) as u64 + 1) as usize;
                bytes.drain(at..at + length);
            }
            5 => {
                let count = COUNTS[random.below(COUNTS.len() as u64) as usize];
                let little = random.below(2) == 0;
                let count = if little { count.to_le_bytes() } else { count.to_be_bytes() };
                let width = [1, 2, 4, 8][random.below(4) as usize];
                let count = if little { &count[..width] } else { &count[8 - width..] };
                let width = width.min(rest);
                bytes[at..at + width].copy_from_slice(&count[..width]);
            }
            6 => {
                let texts = [
                    "4294967296",
                    "18446744073709551615",
                    "-1",
                    "1e999",
                    "\"",
                    "[",
                    "{",
                    ",",
                    "\n",
                    "\\u0000",
                    "nan",
                ];
                bytes.splice(at..at, texts[random.below(texts.len() as u64) as usize].bytes());
            }
            _ => {
                let length = random.below(1000) as usize;
                bytes.resize(bytes.len() + length, random.below(2) as u8);
            }
        }
    }
}

/// Reads so many changed files, or as many as `WENGERT_TRIES` says, each of which may take `factor` bytes of memory for each of
/// its own.
pub(crate) fn attack(
    name: &str,
    tries: u64,
    files: &[Vec<u8>],
    factor: usize,
    mut read: impl FnMut(&[u8]) -> bool,
) {
    let tries = std::env::var("WENGERT_TRIES").map_or(tries, |tries| tries.parse().expect("a number"));
    for file in files {
        assert!(read(file), "{name}: the files are good before they are changed");
    }
    let random = Generator::seeded(files.len() as u64);
    let mut good = 0;
    for i in 0..tries {
        let mut random = random.fork(i);
        let mut bytes = files[random.below(files.len() as u64) as usize].clone();
        mutate(&mut bytes, &mut random);
        let mut read_it = || good += u64::from(read(&bytes));
        let mut panicked = false;
        let held = most(|| panicked = catch_unwind(AssertUnwindSafe(&mut read_it)).is_err());
        assert!(!panicked, "{name}, try {i}: {bytes:?}");
        assert!(
            held <= factor * bytes.len() + FIXED,
            "{name}, try {i}: {held} for {}: {bytes:?}",
            bytes.len()
        );
    }
    // Neither all nor none, or the changes would not be worth much.
    assert!(good > 0 && good < tries, "{name}: {good} of {tries} were read");
}

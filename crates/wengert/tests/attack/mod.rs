//! Files that somebody changed, for readers of files, and a count of the memory that these take. The fuzzer (`fuzz/`) has the same readers.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

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
pub(crate) fn mutate(bytes: &mut Vec<u8>, random: &mut Generator) {
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

/// A reader of files that somebody may have made to do harm.
pub(crate) struct Reader {
    /// What it reads, in a word.
    pub(crate) name: &'static str,
    /// Good files, which are then changed.
    pub(crate) files: fn() -> Vec<Vec<u8>>,
    /// Bytes of memory that it may take for each of a file's own, beside [`FIXED`].
    pub(crate) factor: usize,
    /// Reads one: whether there was something to be read.
    pub(crate) read: fn(&[u8]) -> bool,
}

impl Reader {
    /// Reads one, with an eye on the memory.
    ///
    /// # Panics
    /// If it takes too much, or panics itself.
    pub(crate) fn check(&self, bytes: &[u8]) -> bool {
        let mut read = false;
        let held = most(|| read = (self.read)(bytes));
        assert!(held <= self.factor * bytes.len() + FIXED, "{}: {held} for {}", self.name, bytes.len());
        read
    }

    /// Reads so many changed files, or as many as `WENGERT_TRIES` says; others with a `WENGERT_SEED`.
    #[allow(dead_code, reason = "the fuzzer changes files in its own way")]
    pub(crate) fn attack(&self, tries: u64) {
        let setting = |name, or| std::env::var(name).map_or(or, |text| text.parse().expect("a number"));
        let (tries, seed): (u64, u64) = (setting("WENGERT_TRIES", tries), setting("WENGERT_SEED", 0));
        let (name, files) = (self.name, (self.files)());
        for file in &files {
            assert!(self.check(file), "{name}: the files are good before they are changed");
        }
        let random = Generator::seeded(files.len() as u64 + seed);
        let (mut good, mut bytes) = (0, Vec::new());
        for i in 0..tries {
            let mut random = random.fork(i);
            bytes.clear();
            bytes.extend_from_slice(&files[random.below(files.len() as u64) as usize]);
            mutate(&mut bytes, &mut random);
            match catch_unwind(AssertUnwindSafe(|| self.check(&bytes))) {
                Ok(read) => good += u64::from(read),
                Err(_) => panic!("{name}, seed {seed}, try {i}: {bytes:?}"),
            }
        }
        eprintln!("{name}: {good} of {tries} were read");
        // Neither all nor none, or the changes would not be worth much.
        assert!(good > 0 && good < tries, "{name}: {good} of {tries} were read");
    }
}

/// A file or a folder for what is read by a path, in memory if the system has such a place.
pub(crate) struct Place(pub(crate) PathBuf);

impl Place {
    pub(crate) fn new(name: &str) -> Self {
        let memory = PathBuf::from("/dev/shm");
        let folder = if memory.is_dir() { memory } else { std::env::temp_dir() };
        Place(folder.join(format!("wengert-{}-{name}", std::process::id())))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0).or_else(|_| std::fs::remove_dir_all(&self.0));
    }
}

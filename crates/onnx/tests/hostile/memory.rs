//! How much memory reading takes: at most twice the file and a constant, apart from the file itself.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use wengert_nn::Params;
use wengert_onnx::{Model, ReadError};

use super::files::{bytes, floats, model, node, of_graph};

/// The system's allocator, which counts what each thread has taken and not given back.
struct Counting;

thread_local! {
    static USED: Cell<isize> = const { Cell::new(0) };
    static MOST: Cell<isize> = const { Cell::new(0) };
}

fn count(bytes: isize) {
    let used = USED.get().wrapping_add(bytes);
    USED.set(used);
    MOST.set(MOST.get().max(used));
}

// SAFETY: the system's allocator does the work, with what it is given.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What work takes in memory on this thread beyond what there is before it, at most.
pub(crate) fn most_used<R>(work: impl FnOnce() -> R) -> (R, usize) {
    let before = USED.get();
    MOST.set(before);
    let result = work();
    (result, MOST.get().wrapping_sub(before).max(0) as usize)
}

/// Apart from the file: the tables of operators, and what the parts of a graph take.
const CONSTANT: usize = 8 << 20;

fn read(bytes: &[u8]) -> (Result<Model<f32>, ReadError>, usize) {
    let mut params = Params::seeded(0);
    most_used(|| Model::from_bytes(params.root(), bytes))
}

#[test]
fn weights_are_never_held_three_times() {
    let weights = vec![1.0; 4 << 20];
    let file =
        model(&[node("Add", &["x", "w"], &["y"], &[])], &[floats("w", &[1 << 22], &weights)], &["x"], &["y"]);
    drop(weights);
    let (result, used) = read(&file);
    result.unwrap();
    assert!(used <= 2 * file.len() + CONSTANT, "{used} bytes for a file of {}", file.len());
}

#[test]
fn a_file_of_small_parts_is_refused_before_it_takes_more() {
    // 64 MB of nodes without anything in them, each of which takes two bytes here and more than a hundred in memory.
    let file = of_graph(&bytes(1, []).repeat(32 << 20));
    let (result, used) = read(&file);
    assert!(matches!(result, Err(ReadError::Format { .. })), "{result:?}");
    assert!(used <= 2 * file.len() + (64 << 20) + CONSTANT, "{used} bytes for a file of {}", file.len());
}

#[test]
fn constants_are_not_computed_beyond_a_size() {
    use super::files::ints;
    let file = model(
        &[node("Expand", &["one", "shape"], &["y"], &[])],
        &[ints("one", &[1], &[1]), ints("shape", &[2], &[1 << 20, 1 << 20])],
        &[],
        &["y"],
    );
    let (result, used) = read(&file);
    result.unwrap();
    assert!(used <= CONSTANT, "{used} bytes");
}

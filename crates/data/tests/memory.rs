//! How much memory reading and batching ask for, counted by the allocator.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::Write;

use wengert_data::idx::{Idx, IdxError, LIMIT};

struct Counting;

thread_local! {
    static LARGEST: Cell<usize> = const { Cell::new(0) };
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

fn note(size: usize) {
    let _ = LARGEST.try_with(|largest| largest.set(largest.get().max(size)));
    let _ = COUNT.try_with(|count| count.set(count.get() + 1));
}

// SAFETY: everything is passed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        // SAFETY: the caller keeps the contract of `alloc_zeroed`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(size);
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The largest single allocation that `work` makes, in bytes.
fn largest(work: impl FnOnce()) -> usize {
    LARGEST.set(0);
    work();
    LARGEST.get()
}

fn header(dimensions: &[u32]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, dimensions.len() as u8];
    bytes.extend(dimensions.iter().flat_map(|n| n.to_be_bytes()));
    bytes
}

#[test]
fn a_header_is_not_believed() {
    // 4 GiB are within the limit, but there are four bytes of them.
    let mut lie = header(&[1 << 22, 1 << 10]);
    lie.extend([1, 2, 3, 4]);
    let bytes = largest(|| {
        let error = Idx::<u8>::read_from(&lie[..], LIMIT).unwrap_err();
        assert!(matches!(error, IdxError::Truncated { expected: 0x1_0000_0000, found: 4 }), "{error:?}");
    });
    assert!(bytes <= 2 << 20, "{bytes}");

    let claims_4e9_images = header(&[4_000_000_000, 28, 28]);
    let bytes = largest(|| assert!(Idx::<u8>::read_from(&claims_4e9_images[..], LIMIT).is_err()));
    assert!(bytes <= 2 << 20, "{bytes}");
}

#[test]
fn a_bomb_goes_off_no_further_than_its_header_says() {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&header(&[1000])).unwrap();
    for _ in 0..256 {
        encoder.write_all(&vec![0; 1 << 20]).unwrap();
    }
    let bomb = encoder.finish().unwrap();
    let bytes = largest(|| {
        let error = Idx::<u8>::read_from(&bomb[..], LIMIT).unwrap_err();
        assert!(matches!(error, IdxError::TrailingBytes { expected: 1000 }), "{error:?}");
    });
    assert!(bytes <= 1 << 20, "{bytes}");
}

#[test]
fn a_steady_loop_over_batches_allocates_nothing() {
    let data = wengert_data::synthetic::digits(300, 0).with_example_shape([1, 28, 28]);
    let pass = |epoch| {
        for batch in data.batches(64).shuffled(epoch) {
            std::hint::black_box(batch);
        }
    };
    pass(0);
    // A tensor keeps its buffer's owner, some tens of bytes, in an `Arc`; the elements come from the pool.
    let system = wengert_tensor::memory::stats().system_allocations;
    let before = COUNT.get();
    let bytes = largest(|| (1..10).for_each(pass));
    assert_eq!(wengert_tensor::memory::stats().system_allocations, system);
    assert!(bytes <= 128, "{bytes}");
    // Nine passes of five batches of two tensors, and one order of nine passes.
    assert!(COUNT.get() - before <= 9 * (5 * 2 + 1), "{}", COUNT.get() - before);
}

//! Steps after the first allocate nothing, with any number of threads.

use std::alloc::{GlobalAlloc, Layout as Block, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use wengert_optim::{Average, Averaged, Layout, Stepper, first};
use wengert_tensor::parallel::with_threads;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

/// The system's allocator, counting.
struct Counting;

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, block: Block) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(block) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, block: Block) {
        // SAFETY: the pointer came from `System` with this layout.
        unsafe { System.dealloc(pointer, block) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Allocations of twelve calls after others: every kind of step is among so many (roots are renewed in one of ten). The
/// least of some such rows, since a thread that joins in late makes its packing buffers then.
fn steady(mut call: impl FnMut()) -> usize {
    let mut row = || {
        let before = ALLOCATIONS.load(Ordering::Relaxed);
        (0..12).for_each(|_| call());
        ALLOCATIONS.load(Ordering::Relaxed) - before
    };
    row();
    (0..6).map(|_| row()).find(|&count| count == 0).unwrap_or_else(row)
}

/// One test, so that no other thread allocates meanwhile.
#[test]
fn a_steady_step_allocates_nothing() {
    // Large enough for loops and products to be split over threads.
    let layout = Layout::new([("a", vec![64, 96]), ("b", vec![70_000]), ("c", vec![8, 3, 3, 3])]);
    let grads: Vec<f32> = (0..layout.len()).map(|i| ((i * 7919) % 2003) as f32 * 1e-3 - 1.0).collect();
    let zeros = vec![0.0f32; layout.len()];
    for threads in [1, 2] {
        with_threads(threads, || {
            for method in first::methods::<f32>() {
                let mut optimizer = method.build(method.learning_rate, &layout).unwrap();
                let (mut params, mut shown) = (zeros.clone(), zeros.clone());
                let count = steady(|| optimizer.step(&mut params, &grads));
                assert_eq!(count, 0, "{}, {threads} threads", method.name);
                let count = steady(|| optimizer.write_evaluation(&params, &mut shown));
                assert_eq!(count, 0, "write_evaluation of {}, {threads} threads", method.name);
            }
            let adam = first::by_name::<f32>("adam", None, &layout).unwrap();
            let mut stepper = Stepper::new(adam, &layout).clip_norm(1.0).accumulate(2);
            let (mut params, mut scratch) = (zeros.clone(), grads.clone());
            let count = steady(|| drop(stepper.step(&mut params, &mut scratch)));
            assert_eq!(count, 0, "Stepper, {threads} threads");
            let mut mean = Averaged::new(Average::Uniform);
            assert_eq!(steady(|| mean.update(&params)), 0, "Averaged, {threads} threads");
        });
    }
}

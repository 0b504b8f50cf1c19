//! Batches that a thread prepares.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use wengert_data::{Dataset, Padded, Sequences, Source, synthetic};
use wengert_tape::Var;
use wengert_tensor::Tensor;

/// Examples that count how often they are asked for, and panic at one of them.
struct Counted {
    calls: Arc<AtomicUsize>,
    /// How many threads hold the source.
    _alive: Arc<()>,
    bad: u32,
}

impl Source for Counted {
    type Batch = Tensor<u32>;

    fn count(&self) -> usize {
        1000
    }

    fn batch(&self, positions: &[u32]) -> Tensor<u32> {
        assert!(!positions.contains(&self.bad), "example {} is bad", self.bad);
        self.calls.fetch_add(1, Ordering::SeqCst);
        Tensor::vector(positions)
    }
}

fn counted(bad: u32) -> (Dataset<Counted>, Arc<AtomicUsize>, Arc<()>) {
    let (calls, alive) = (Arc::new(AtomicUsize::new(0)), Arc::new(()));
    let source = Counted { calls: calls.clone(), _alive: alive.clone(), bad };
    (Dataset::new(source).unwrap(), calls, alive)
}

#[test]
fn the_same_order_and_bits_as_without() {
    let digits = synthetic::digits(333, 0).normalise(0.1, 0.3).unwrap();
    for depth in [1, 2, 50] {
        let batches = digits.batches(32).shuffled(depth as u64).augmented(|(images, labels), random| {
            let mut noise = Tensor::zeros(images.shape());
            random.fill_normal(noise.as_mut_slice(), 0.0, 0.1);
            (images + noise, labels)
        });
        let mut prefetched = batches.clone().prefetch(depth);
        let mut plain = batches;
        while let Some((images, labels)) = plain.next() {
            let (same_images, same_labels) = prefetched.next().unwrap();
            assert_eq!((images.value(), &labels), (same_images.value(), &same_labels));
            assert_eq!((plain.position(), plain.len()), (prefetched.position(), prefetched.len()));
        }
        assert!(prefetched.next().is_none() && prefetched.next().is_none());
    }
    // Of any kind.
    let series = Sequences::new((0..20).map(|n| vec![f64::from(n); n as usize]));
    let data =
        Dataset::new((series, Tensor::<f64>::ones([20, 2]))).unwrap().batches(3).shuffled(4).bucketed(2);
    let pairs = data.clone().prefetch(1).zip(data);
    assert_eq!(pairs.len(), 7);
    for ((a, _), (b, _)) in pairs {
        let (a, b): (Padded<Var<f64>>, Padded<Var<f64>>) = (a, b);
        assert_eq!((a.values.value(), a.lengths, a.mask), (b.values.value(), b.lengths, b.mask));
    }
}

#[test]
fn it_goes_on_from_a_position() {
    let (data, ..) = counted(u32::MAX);
    let batches = data.batches(10).shuffled(1);
    let mut first = batches.clone().prefetch(3);
    first.nth(41);
    let position = first.position();
    drop(first);
    let rest: Vec<Tensor<u32>> = batches.clone().resume(&position).unwrap().prefetch(3).collect();
    assert_eq!(rest, batches.skip(42).collect::<Vec<_>>());
}

#[test]
fn no_more_is_prepared_than_was_asked_for() {
    let (data, calls, _) = counted(u32::MAX);
    let mut batches = data.batches(10).prefetch(3);
    batches.next();
    std::thread::sleep(Duration::from_millis(50));
    // One was taken, three wait, one is in the thread's hands.
    assert!(calls.load(Ordering::SeqCst) <= 5, "{calls:?}");
}

#[test]
fn the_thread_ends_when_nobody_asks_any_more() {
    let (data, calls, alive) = counted(u32::MAX);
    let mut batches = data.batches(1).prefetch(2);
    batches.next();
    drop((data, batches));
    // Nothing holds the source, so there is no thread that could go on.
    assert_eq!(Arc::strong_count(&alive), 1);
    let made = calls.load(Ordering::SeqCst);
    std::thread::sleep(Duration::from_millis(20));
    assert_eq!(calls.load(Ordering::SeqCst), made);
}

#[test]
fn a_panic_reaches_the_one_who_asks_after_the_batches_before_it() {
    let (data, ..) = counted(35);
    let mut batches = data.batches(10).prefetch(2);
    for i in 0..3 {
        assert_eq!(batches.next().unwrap().at([0]), i * 10);
    }
    let panic = catch_unwind(AssertUnwindSafe(|| batches.next())).unwrap_err();
    assert_eq!(panic.downcast_ref::<String>().unwrap(), "example 35 is bad");
    assert!(batches.next().is_none());
    // One that nobody asks for.
    let (data, _, alive) = counted(0);
    drop(data.batches(10).prefetch(2));
    drop(data);
    assert_eq!(Arc::strong_count(&alive), 1);
}

#[test]
#[should_panic(expected = "prefetch: there must be room for at least 1 batch")]
fn room_for_nothing() {
    let _ = counted(u32::MAX).0.batches(10).prefetch(0);
}

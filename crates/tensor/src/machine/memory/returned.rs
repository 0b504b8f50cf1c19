//! Blocks on their way back from the threads that released them to those that made them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::pool::{Block, RETAINED_BYTES};

/// What other threads have released of one thread's blocks since it last looked.
#[derive(Default)]
struct Returned {
    blocks: Vec<Arc<Block>>,
    /// Bytes of those blocks.
    bytes: usize,
    /// Blocks that the system got because there were too many, and their bytes.
    freed: [usize; 2],
}

/// By the number of the thread, for every thread that makes blocks and has not ended.
static RETURNED: Mutex<BTreeMap<u64, Returned>> = Mutex::new(BTreeMap::new());

fn lock() -> MutexGuard<'static, BTreeMap<u64, Returned>> {
    RETURNED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A number for the calling thread, to which blocks will be returned.
pub(super) fn register() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let maker = NEXT.fetch_add(1, Ordering::Relaxed);
    lock().insert(maker, Returned::default());
    maker
}

/// The thread of that number ends: what is returned to it from now on goes to the system.
pub(super) fn unregister(maker: u64) {
    let returned = lock().remove(&maker);
    returned.into_iter().flat_map(|returned| returned.blocks).for_each(Block::free);
}

/// Hands out the blocks that were returned to that thread, and how many of them the system got instead, and their bytes.
pub(super) fn collect(maker: u64, take: impl FnMut(Arc<Block>)) -> [usize; 2] {
    let mut all = lock();
    let Some(returned) = all.get_mut(&maker) else { return [0, 0] };
    returned.bytes = 0;
    returned.blocks.drain(..).for_each(take);
    std::mem::take(&mut returned.freed)
}

/// Returns a block to the thread that made it, or to the system if that thread has ended or has enough.
pub(super) fn give_back(block: Arc<Block>) {
    let mut all = lock();
    if let Some(returned) = all.get_mut(&block.maker()) {
        if returned.bytes + block.bytes() <= RETAINED_BYTES {
            returned.bytes += block.bytes();
            return returned.blocks.push(block);
        }
        returned.freed[0] += 1;
        returned.freed[1] += block.bytes();
    }
    drop(all);
    block.free();
}

//! Lists of partial results, whose memory a thread uses again.

use std::any::Any;
use std::cell::RefCell;
use std::ops::{Deref, DerefMut};

use smallvec::SmallVec;

/// Lists that a thread keeps of each type.
const MOST: usize = 64;

thread_local! {
    /// For each type of elements a `Vec` of lists.
    static SPARE: RefCell<Vec<Box<dyn Any>>> = const { RefCell::new(Vec::new()) };
}

/// Some partial results; many of them lie in memory that was used before.
pub(crate) struct Partials<P: Copy + 'static>(SmallVec<[P; 16]>);

impl<P: Copy + 'static> Partials<P> {
    /// So many equal ones.
    pub(crate) fn equal(value: P, count: usize) -> Self {
        if count <= 16 {
            return Partials(SmallVec::from_elem(value, count));
        }
        let mut list = with_lists(|lists: &mut Vec<Vec<P>>| lists.pop()).flatten().unwrap_or_default();
        list.resize(count, value);
        Partials(SmallVec::from_vec(list))
    }
}

impl<P: Copy + 'static> Deref for Partials<P> {
    type Target = [P];
    #[inline(always)]
    fn deref(&self) -> &[P] {
        &self.0
    }
}

impl<P: Copy + 'static> DerefMut for Partials<P> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [P] {
        &mut self.0
    }
}

impl<P: Copy + 'static> Drop for Partials<P> {
    fn drop(&mut self) {
        if self.0.spilled() {
            let mut list = std::mem::take(&mut self.0).into_vec();
            list.clear();
            with_lists(|lists: &mut Vec<Vec<P>>| {
                if lists.len() < MOST {
                    lists.push(list);
                }
            });
        }
    }
}

/// What `work` makes of the lists of a type; nothing if the thread is ending.
fn with_lists<P: 'static, R>(work: impl FnOnce(&mut Vec<Vec<P>>) -> R) -> Option<R> {
    SPARE
        .try_with(|spare| {
            let spare = &mut *spare.borrow_mut();
            let at = spare.iter().position(|lists| lists.is::<Vec<Vec<P>>>());
            let at = at.unwrap_or_else(|| {
                spare.push(Box::new(Vec::<Vec<P>>::new()));
                spare.len() - 1
            });
            spare[at].downcast_mut().map(work)
        })
        .ok()
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_used_again_by_lists_of_the_same_type() {
        let mut first = Partials::equal(1.5f64, 40);
        first[3] = 2.0;
        let address = first.as_ptr();
        drop(first);
        let other = Partials::equal(1u64, 40);
        let second = Partials::equal(0.5f64, 30);
        assert_eq!((second.as_ptr(), &second[..]), (address, &[0.5; 30][..]));
        assert_eq!(other[..], [1; 40]);
        assert_eq!(Partials::equal(7u8, 3)[..], [7; 3]);
    }
}

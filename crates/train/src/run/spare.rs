//! Vectors of a step that the next one writes again.

use wengert_tensor::Float;

/// Vectors that are not in use. What is given back to the system after every step comes back page by page, each of which the system
/// clears first: that costs more than the copy that is made there.
pub(super) struct Spare<T>(Vec<Vec<T>>);

impl<T: Float> Spare<T> {
    pub(super) fn new() -> Self {
        Spare(Vec::new())
    }

    /// An empty one with room for `len` elements: the smallest that has it, or a new one, for which the largest that has not gives way.
    pub(super) fn take(&mut self, len: usize) -> Vec<T> {
        let kept = || self.0.iter().enumerate().map(|(place, vector)| (vector.capacity(), place));
        if let Some((_, place)) = kept().filter(|&(room, _)| room >= len).min() {
            return self.0.swap_remove(place);
        }
        if let Some((_, place)) = kept().max() {
            self.0.swap_remove(place);
        }
        Vec::with_capacity(len)
    }

    /// Keeps a vector for later; what is in it is forgotten.
    pub(super) fn keep(&mut self, mut vector: Vec<T>) {
        if vector.capacity() > 0 {
            vector.clear();
            self.0.push(vector);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_that_has_room_is_taken_again() {
        let mut spare: Spare<f32> = Spare::new();
        let vectors = [100, 10, 1000].map(|len| vec![1.0; len]);
        let places = vectors.each_ref().map(|vector| vector.as_ptr());
        vectors.into_iter().for_each(|vector| spare.keep(vector));
        let found = [50, 5, 1000].map(|len| spare.take(len));
        assert_eq!(found.each_ref().map(|vector| vector.as_ptr()), places);
        assert!(found.iter().all(Vec::is_empty));
        assert!(spare.take(1).capacity() >= 1 && spare.0.is_empty());
        // There are never more than were in use at a time, also where each is longer than those before.
        for len in 1..50 {
            let next = spare.take(10 * len);
            spare.keep(next);
        }
        assert_eq!(spare.0.len(), 1);
    }
}

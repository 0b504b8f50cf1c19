//! Vectors of a step that the next one writes again.

use wengert_tensor::Float;

/// Vectors that are not in use. What is given back to the system after every step comes back page by page, each of which the system
/// clears first: that costs more than the copy that is made there.
pub(super) struct Spare<T>(Vec<Vec<T>>);

impl<T: Float> Spare<T> {
    pub(super) fn new() -> Self {
        Spare(Vec::new())
    }

    /// An empty one with room for `len` elements: one that was [kept](take_fitting), or a new one.
    pub(super) fn take(&mut self, len: usize) -> Vec<T> {
        let kept = take_fitting(&mut self.0, len, |vector| Some(vector.capacity()));
        kept.unwrap_or_else(|| Vec::with_capacity(len))
    }

    /// Keeps a vector for later; what is in it is forgotten.
    pub(super) fn keep(&mut self, mut vector: Vec<T>) {
        if vector.capacity() > 0 {
            vector.clear();
            self.0.push(vector);
        }
    }
}

/// Of memory that is kept the smallest with room for `len`, where `room` gives that of what is of the right kind. If there is none, the
/// largest of that kind gives way to what is then made, so that there are never more than were in use at a time.
#[doc(hidden)]
pub fn take_fitting<V>(kept: &mut Vec<V>, len: usize, room: impl Fn(&V) -> Option<usize>) -> Option<V> {
    let rooms = kept.iter().enumerate().filter_map(|(place, vector)| Some((room(vector)?, place)));
    let rooms: Vec<(usize, usize)> = rooms.collect();
    if let Some(&(_, place)) = rooms.iter().filter(|&&(room, _)| room >= len).min() {
        return Some(kept.swap_remove(place));
    }
    if let Some(&(_, place)) = rooms.iter().max() {
        kept.swap_remove(place);
    }
    None
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

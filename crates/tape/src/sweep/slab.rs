//! A few things, keyed by node.

/// The cotangents or tangents that are alive: few at a time, whatever the length of the tape.
pub(super) struct Slab<V> {
    /// Node to position, from node `first`.
    position: Vec<u32>,
    first: u32,
    entries: Vec<Option<V>>,
    free: Vec<u32>,
}

const NONE: u32 = u32::MAX;

impl<V> Slab<V> {
    /// For nodes `first..=last`.
    pub(super) fn new(first: u32, last: u32) -> Self {
        let position = vec![NONE; (last - first) as usize + 1];
        Slab { position, first, entries: Vec::new(), free: Vec::new() }
    }

    pub(super) fn get(&self, node: u32) -> Option<&V> {
        match self.position[(node - self.first) as usize] {
            NONE => None,
            at => self.entries[at as usize].as_ref(),
        }
    }

    /// Whether the node is one of those that it is for.
    pub(super) fn holds(&self, node: u32) -> bool {
        node.checked_sub(self.first).is_some_and(|place| (place as usize) < self.position.len())
    }

    pub(super) fn take(&mut self, node: u32) -> Option<V> {
        match std::mem::replace(&mut self.position[(node - self.first) as usize], NONE) {
            NONE => None,
            at => {
                self.free.push(at);
                self.entries[at as usize].take()
            }
        }
    }

    pub(super) fn put(&mut self, node: u32, value: V) {
        let at = match self.free.pop() {
            Some(at) => {
                self.entries[at as usize] = Some(value);
                at
            }
            None => {
                self.entries.push(Some(value));
                (self.entries.len() - 1) as u32
            }
        };
        self.position[(node - self.first) as usize] = at;
    }
}

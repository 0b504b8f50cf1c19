//! Lists that grow without being copied, so that they never take twice what they hold.

/// Items of a chunk.
const CHUNK: usize = 1 << 10;

#[derive(Debug)]
pub(in super::super) struct Chunked<T>(Vec<Vec<T>>);

impl<T> Chunked<T> {
    pub(super) fn new() -> Self {
        Chunked(Vec::new())
    }

    pub(super) fn push(&mut self, item: T) {
        match self.0.last_mut() {
            Some(last) if last.len() < CHUNK => last.push(item),
            // The first is as small as what is in most files.
            None => self.0.push(vec![item]),
            Some(_) => {
                let mut chunk = Vec::with_capacity(CHUNK);
                chunk.push(item);
                self.0.push(chunk);
            }
        }
    }

    pub(in super::super) fn len(&self) -> usize {
        self.0.last().map_or(0, |last| (self.0.len() - 1) * CHUNK + last.len())
    }

    pub(super) fn get_mut(&mut self, i: usize) -> &mut T {
        &mut self.0[i / CHUNK][i % CHUNK]
    }

    pub(in super::super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().flatten()
    }
}

impl<T> std::ops::Index<usize> for Chunked<T> {
    type Output = T;

    fn index(&self, i: usize) -> &T {
        &self.0[i / CHUNK][i % CHUNK]
    }
}

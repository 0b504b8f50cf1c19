//! Finding the pairs that a tokeniser merges.

use std::collections::{BTreeSet, HashMap};

use super::pieces::pieces;

pub(super) type Pair = (u32, u32);

/// One of the different pieces of a text.
struct Piece {
    tokens: Vec<u32>,
    /// How often it is there.
    count: u64,
}

/// The pairs of a text's tokens, with where they are.
#[derive(Default)]
struct Pairs {
    counts: HashMap<Pair, u64>,
    /// Pieces that have, or once had, the pair.
    places: HashMap<Pair, BTreeSet<usize>>,
}

impl Pairs {
    fn add(&mut self, at: usize, piece: &Piece) {
        for pair in piece.tokens.windows(2) {
            let pair = (pair[0], pair[1]);
            *self.counts.entry(pair).or_default() += piece.count;
            self.places.entry(pair).or_default().insert(at);
        }
    }

    fn remove(&mut self, piece: &Piece) {
        for pair in piece.tokens.windows(2) {
            let pair = (pair[0], pair[1]);
            let count = self.counts.get_mut(&pair).expect("it was added");
            *count -= piece.count;
            if *count == 0 {
                self.counts.remove(&pair);
                self.places.remove(&pair);
            }
        }
    }

    /// The most frequent pair, the smallest of several.
    fn best(&self) -> Option<(Pair, u64)> {
        let all = self.counts.iter().map(|(&pair, &count)| (pair, count));
        all.max_by(|a, b| a.1.cmp(&b.1).then(b.0.cmp(&a.0)))
    }
}

/// At most `count` pairs, each the most frequent one once those before are merged, as long as one is there twice.
pub(super) fn merges(bytes: &[u8], count: usize) -> Vec<Pair> {
    let mut counted: HashMap<&[u8], u64> = HashMap::new();
    for piece in pieces(bytes) {
        *counted.entry(piece).or_default() += 1;
    }
    let tokens = |piece: &[u8]| piece.iter().map(|&byte| u32::from(byte)).collect();
    let mut all: Vec<Piece> =
        counted.into_iter().map(|(piece, count)| Piece { tokens: tokens(piece), count }).collect();
    let mut pairs = Pairs::default();
    for (at, piece) in all.iter().enumerate() {
        pairs.add(at, piece);
    }
    let mut merges = Vec::new();
    while merges.len() < count {
        let Some((pair, _)) = pairs.best().filter(|&(_, count)| count > 1) else { break };
        let token = 256 + merges.len() as u32;
        for at in pairs.places.get(&pair).cloned().unwrap_or_default() {
            let piece = &mut all[at];
            pairs.remove(piece);
            merge(&mut piece.tokens, pair, token);
            pairs.add(at, piece);
        }
        merges.push(pair);
    }
    merges
}

/// Puts a token in the place of a pair, from left to right.
pub(super) fn merge(tokens: &mut Vec<u32>, (left, right): Pair, token: u32) {
    let (mut read, mut write) = (0, 0);
    while read < tokens.len() {
        let is_pair = tokens[read] == left && tokens.get(read + 1) == Some(&right);
        tokens[write] = if is_pair { token } else { tokens[read] };
        read += if is_pair { 2 } else { 1 };
        write += 1;
    }
    tokens.truncate(write);
}

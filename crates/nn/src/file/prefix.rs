//! What the names in a file begin with and those of the model do not.

use std::cmp::Reverse;
use std::collections::HashMap;

/// Dots of a name up to which its beginning may go: wrappers of wrappers are as deep, and a name of nothing but dots takes no time.
const DEPTH: usize = 8;

/// How many names of the model would be found without each beginning.
#[derive(Default)]
pub(super) struct Prefixes(HashMap<Box<str>, usize>);

impl Prefixes {
    /// Looks at a name of the file, of which `is_missing` says whether a part at its end is one that the model lacks.
    pub(super) fn add(&mut self, name: &str, is_missing: impl Fn(&str) -> bool) {
        for (dot, _) in name.match_indices('.').take(DEPTH) {
            let (prefix, rest) = name.split_at(dot + 1);
            if is_missing(rest) {
                match self.0.get_mut(prefix) {
                    Some(count) => *count += 1,
                    None => drop(self.0.insert(prefix.into(), 1)),
                }
            }
        }
    }

    /// The one without which more than half of the missing names would be found: of equals the shortest, and then the first.
    pub(super) fn common(self, missing: usize) -> Option<String> {
        let order =
            |(prefix, count): &(Box<str>, usize)| (*count, Reverse(prefix.len()), Reverse(prefix.clone()));
        let most = self.0.into_iter().max_by_key(order);
        most.filter(|&(_, count)| 2 * count > missing).map(|(prefix, _)| prefix.into())
    }
}

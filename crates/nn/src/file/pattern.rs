//! Patterns that turn a file's names into a model's.

use wengert_tensor::names::name_matches;

/// A pattern of names, and what those that fit become.
#[derive(Debug)]
pub(super) struct Pattern {
    from: String,
    to: String,
}

impl Pattern {
    /// # Panics
    /// If `to` has more wildcards than `from`.
    #[track_caller]
    pub(super) fn new(from: String, to: String) -> Self {
        let (there, here) = (wildcards(&from), wildcards(&to));
        assert!(
            here <= there,
            "rename_pattern: `{to}` has {here} wildcards, `{from}` only {there} that tell what they stand for"
        );
        Pattern { from, to }
    }

    /// The new name, if the old one fits.
    pub(super) fn apply(&self, name: &str) -> Option<String> {
        if !name_matches(&self.from, name) {
            return None;
        }
        let mut taken = captures(&self.from, name)?.into_iter();
        let mut new = String::new();
        for c in self.to.chars() {
            match c {
                '*' | '?' => new.push_str(taken.next().unwrap_or_default()),
                c => new.push(c),
            }
        }
        Some(new)
    }
}

fn wildcards(pattern: &str) -> usize {
    pattern.matches(['*', '?']).count()
}

/// What each wildcard stands for in a name that fits: a `*` for as little as it can, those before others first.
fn captures<'n>(pattern: &str, name: &'n str) -> Option<Vec<&'n str>> {
    let mut parts = pattern.split('*');
    let first = parts.next()?;
    let (mut taken, mut rest) = fits_at_start(first, name)?;
    let parts: Vec<&str> = parts.collect();
    for (i, part) in parts.iter().enumerate() {
        let is_last = i + 1 == parts.len();
        let starts = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
        let (at, (inner, after)) = starts
            .filter_map(|at| Some((at, fits_at_start(part, &rest[at..])?)))
            .find(|(_, (_, after))| !is_last || after.is_empty())?;
        taken.push(&rest[..at]);
        taken.extend(inner);
        rest = after;
    }
    rest.is_empty().then_some(taken)
}

/// What each `?` stands for if the name begins with this part, and the rest of the name.
fn fits_at_start<'n>(part: &str, name: &'n str) -> Option<(Vec<&'n str>, &'n str)> {
    let (mut taken, mut rest) = (Vec::new(), name);
    for p in part.chars() {
        let c = rest.chars().next().filter(|&c| p == '?' || p == c)?;
        let (one, after) = rest.split_at(c.len_utf8());
        if p == '?' {
            taken.push(one);
        }
        rest = after;
    }
    Some((taken, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stand_for_what_they_took() {
        let rename = |from: &str, to: &str, name: &str| Pattern::new(from.into(), to.into()).apply(name);
        for (from, to, name, expected) in [
            (
                "layers.*.attn.*",
                "blocks.*.attention.*",
                "layers.3.attn.q.weight",
                Some("blocks.3.attention.q.weight"),
            ),
            ("layers.*.attn.*", "blocks.*.attention.*", "layers.3.mlp.weight", None),
            ("*", "net.*", "w", Some("net.w")),
            ("*.gamma", "*.weight", "a.gamma.gamma", Some("a.gamma.weight")),
            ("*a*", "[*][*]", "bab", Some("[b][b]")),
            ("*a*", "[*][*]", "aaa", Some("[][aa]")),
            ("l?.*", "layer?/*", "l7.w", Some("layer7/w")),
            ("l?.*", "x", "l7.w", Some("x")),
            ("ä?*ö", "*?", "äü😀ö", Some("ü😀")),
            ("w", "v", "w", Some("v")),
            ("w", "v", "ww", None),
            ("**", "<*|*>", "ab", Some("<|ab>")),
            ("", "x", "", Some("x")),
        ] {
            assert_eq!(rename(from, to, name).as_deref(), expected, "{from} {to} {name}");
        }
    }

    /// Both walk a pattern, and must say the same of every name.
    #[test]
    fn what_fits_is_what_all_patterns_mean_by_it() {
        let words = |letters: &[char], longest: u32| -> Vec<String> {
            let count: usize = (0..=longest).map(|n| letters.len().pow(n)).sum();
            let mut words = vec![String::new()];
            for i in 0..count {
                let word = words[i].clone();
                words.extend(
                    letters.iter().map(|c| format!("{word}{c}")).filter(|w| w.len() <= longest as usize),
                );
            }
            words
        };
        for pattern in words(&['a', 'b', '*', '?'], 4) {
            for name in words(&['a', 'b'], 4) {
                assert_eq!(
                    captures(&pattern, &name).is_some(),
                    name_matches(&pattern, &name),
                    "{pattern} {name}"
                );
            }
        }
    }
}

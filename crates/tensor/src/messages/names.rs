//! Names: patterns of them, in the one language of all crates, and those that are nearest to a mistyped one.

use std::fmt;

use crate::messages::text::quoted;

/// Whether the whole of `name` fits `pattern`, in which `*` stands for any characters, dots and none included, and `?`
/// for one.
///
/// ```
/// use wengert_tensor::names::name_matches;
/// assert!(name_matches("*.bias", "encoder.0.bias") && !name_matches("*.bias", "bias"));
/// assert!(name_matches("bias", "bias") && !name_matches("bias", "hidden.bias"));
/// assert!(name_matches("layer?.*", "layer1.weight") && !name_matches("layer?.*", "layer10.weight"));
/// ```
pub fn name_matches(pattern: &str, name: &str) -> bool {
    // On a mismatch the last `*` takes one more character: linear memory, no recursion.
    let (mut pattern, mut rest) = (pattern.chars(), name.chars());
    let mut star = None;
    loop {
        let (before, text) = (pattern.clone(), rest.clone());
        match (pattern.next(), rest.next()) {
            (Some('*'), _) => {
                star = Some((pattern.clone(), text.clone()));
                rest = text;
            }
            (None, None) => return true,
            (Some(p), Some(c)) if p == '?' || p == c => {}
            _ => {
                let Some((after, from)) = &mut star else { return false };
                if from.next().is_none() {
                    return before.eq("*".chars());
                }
                (pattern, rest) = (after.clone(), from.clone());
            }
        }
    }
}

/// Names that are compared to find the nearest ones, and characters of each: a bound on the time.
const COMPARED: usize = 10_000;
const COMPARED_CHARACTERS: usize = 64;

/// The insertions, deletions and replacements that make a name of the pattern, in which `*` and `?` are free: 0 exactly if
/// it fits.
///
/// ```
/// use wengert_tensor::names::edit_distance;
/// assert_eq!((edit_distance("adm", "adam"), edit_distance("hiden.*", "hidden.weight")), (1, 1));
/// ```
pub fn edit_distance(pattern: &str, name: &str) -> usize {
    let name: Vec<char> = name.chars().take(COMPARED_CHARACTERS).collect();
    let mut row: Vec<usize> = (0..=name.len()).collect();
    for p in pattern.chars().take(COMPARED_CHARACTERS) {
        let free = usize::from(p != '*');
        let mut diagonal = row[0];
        row[0] += free;
        for (j, &c) in name.iter().enumerate() {
            let replaced = diagonal + usize::from(p != '*' && p != '?' && p != c);
            diagonal = row[j + 1];
            // A star ends where it is or takes one more character.
            row[j + 1] = replaced.min(diagonal + free).min(row[j] + free);
        }
    }
    row[name.len()]
}

/// The `count` names that are most like the pattern, nearest first. Of very many names only the first are looked at.
///
/// ```
/// use wengert_tensor::names::nearest;
/// assert_eq!(nearest("wieght", ["bias", "weight", "scale"], 1), ["weight"]);
/// ```
pub fn nearest<'a>(pattern: &str, names: impl IntoIterator<Item = &'a str>, count: usize) -> Vec<&'a str> {
    let mut found: Vec<(usize, &str)> = Vec::new();
    for name in names.into_iter().take(COMPARED) {
        let distance = edit_distance(pattern, name);
        // Behind those of the same distance, so that the order does not depend on luck.
        let at = found.partition_point(|&(d, _)| d <= distance);
        if at < count {
            found.insert(at, (distance, name));
            found.truncate(count);
        }
    }
    found.into_iter().map(|(_, name)| name).collect()
}

/// A pattern that fits no parameter's name.
///
/// ```
/// use wengert_tensor::names::PatternError;
/// let error = PatternError::unless_fits("*.wieght", ["hidden.weight", "out.bias"]).unwrap_err();
/// assert_eq!((error.pattern.as_str(), error.nearest[0].as_str()), ("*.wieght", "hidden.weight"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PatternError {
    /// What was asked for.
    pub pattern: String,
    /// The names most like it, the most like first; none if there are no parameters.
    pub nearest: Vec<String>,
}

impl PatternError {
    /// Of a pattern that fits none of these names.
    pub fn new<'a>(pattern: &str, names: impl IntoIterator<Item = &'a str>) -> Self {
        let nearest = nearest(pattern, names, 3).into_iter().map(str::to_owned).collect();
        PatternError { pattern: pattern.to_owned(), nearest }
    }

    /// An error unless the pattern fits one of the names.
    pub fn unless_fits<'a>(
        pattern: &str,
        names: impl IntoIterator<Item = &'a str> + Clone,
    ) -> Result<(), PatternError> {
        match names.clone().into_iter().any(|name| name_matches(pattern, name)) {
            true => Ok(()),
            false => Err(PatternError::new(pattern, names)),
        }
    }
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no parameter's name fits {}: ", quoted(&self.pattern))?;
        if self.nearest.is_empty() {
            return f.write_str("there are no parameters");
        }
        f.write_str("the nearest are ")?;
        for (i, name) in self.nearest.iter().enumerate() {
            write!(f, "{}{}", if i == 0 { "" } else { ", " }, quoted(name))?;
        }
        Ok(())
    }
}

impl std::error::Error for PatternError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_name_is_matched() {
        for (pattern, name, fits) in [
            ("*", "", true),
            ("*", "a.b", true),
            ("**", "a.b", true),
            ("", "", true),
            ("", "a", false),
            ("?", "", false),
            ("bias", "bias", true),
            ("bias", "hidden.bias", false),
            ("*.bias", "bias", false),
            ("*.bias", "hidden.bias", true),
            ("*.bias", "hidden.bias2", false),
            ("*bias", "bias", true),
            ("a*", "a", true),
            ("a*a", "a", false),
            ("*aa", "aaa", true),
            ("a*b*c", "a.b.b.c", true),
            ("*a*b*c", "xaaybbzc", true),
            ("*a*b*c", "xaaybbzcd", false),
            ("enc*.*.weight", "encoder.0.weight", true),
            ("layer?.w", "layer1.w", true),
            ("layer?.w", "layer10.w", false),
            ("?*", "é", true),
            ("é*é", "été", true),
        ] {
            assert_eq!(name_matches(pattern, name), fits, "{pattern} on {name}");
            assert_eq!(edit_distance(pattern, name) == 0, fits, "{pattern} on {name}");
        }
    }

    #[test]
    fn matching_is_a_distance_of_nothing() {
        // All words of up to four letters against all patterns of up to four.
        let words = |letters: &str| {
            let mut all = vec![String::new()];
            for start in 0.. {
                if all[start].chars().count() == 4 {
                    return all;
                }
                for letter in letters.chars() {
                    all.push(format!("{}{letter}", all[start]));
                }
            }
            all
        };
        let names = words("a.");
        for pattern in words("a.*?") {
            for name in &names {
                assert_eq!(
                    name_matches(&pattern, name),
                    edit_distance(&pattern, name) == 0,
                    "{pattern} on {name}"
                );
            }
        }
    }

    #[test]
    fn the_nearest_come_first() {
        assert_eq!(
            nearest("fc.weight", ["a", "fc.bias", "fc1.weight", "fc2.weight"], 2),
            ["fc1.weight", "fc2.weight"]
        );
        assert!(nearest("x", [], 3).is_empty());
        assert_eq!(edit_distance("kitten", "sitting"), 3);
        assert_eq!(edit_distance(&"x".repeat(1 << 20), ""), 64);
    }

    #[test]
    fn errors_name_the_nearest_and_stay_short() {
        let names = ["hidden.weight", "hidden.bias", "out.weight", "out.bias"];
        let error = PatternError::unless_fits("hiden.*", names).unwrap_err();
        assert_eq!(
            error.to_string(),
            "no parameter's name fits `hiden.*`: the nearest are `hidden.weight`, `hidden.bias`, `out.weight`"
        );
        assert_eq!(PatternError::unless_fits("*.bias", names), Ok(()));
        assert!(PatternError::new("*", []).to_string().ends_with("there are no parameters"));
        let long = "x".repeat(100_000);
        assert!(PatternError::new(&long, [long.as_str()]).to_string().len() < 300);
    }
}

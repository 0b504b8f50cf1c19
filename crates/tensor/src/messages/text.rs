//! Short texts of one line for messages: names and numbers that come from outside may be long, many, or hold line
//! breaks.

use std::fmt::Write;
use std::path::Path;

/// Characters of a name that a message shows.
const SHOWN: usize = 60;
/// Names of a list that a message shows.
const LISTED: usize = 8;
/// Bytes of a path that a message shows: more than any system opens.
const PATH: usize = 4096;

/// The text on one line, the middle of a long one left out.
///
/// ```
/// use wengert_tensor::text::shortened;
/// assert_eq!(shortened("fc.weight"), "fc.weight");
/// assert_eq!(shortened("a\nb"), "a\\u{a}b");
/// assert!(shortened(&"x".repeat(1_000_000)).len() < 80);
/// ```
pub fn shortened(text: &str) -> String {
    line(text, SHOWN)
}

/// The text on one line, cut in its middle to about `limit` bytes before characters are escaped.
///
/// ```
/// assert_eq!(wengert_tensor::text::line("two\nlines", 100), "two\\u{a}lines");
/// ```
pub fn line(text: &str, limit: usize) -> String {
    let mut short = String::new();
    if text.len() <= limit {
        one_line(text.chars(), &mut short);
        return short;
    }
    // By bytes first, so that a huge text is not walked through.
    let boundary = |mut at: usize| {
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let (start, end) = (boundary(limit * 2 / 3), boundary(text.len() - limit / 3));
    one_line(text[..start].chars(), &mut short);
    short.push('…');
    one_line(text[end..].chars(), &mut short);
    short
}

/// The text in backquotes, [`shortened`].
///
/// ```
/// assert_eq!(wengert_tensor::text::quoted("hidden.weight"), "`hidden.weight`");
/// ```
pub fn quoted(text: &str) -> String {
    format!("`{}`", shortened(text))
}

/// A path on one line.
///
/// ```
/// assert_eq!(wengert_tensor::text::path("data/mnist".as_ref()), "data/mnist");
/// ```
pub fn path(path: &Path) -> String {
    line(&path.to_string_lossy(), PATH)
}

/// The first few of `names`, in backquotes, and how many more of the `count` there are.
///
/// ```
/// use wengert_tensor::text::list;
/// assert_eq!(list(&["a", "b"], 2), "`a`, `b`");
/// assert_eq!(list(&["a", "b"], 1002), "`a`, `b` and 1000 more");
/// ```
pub fn list<S: AsRef<str>>(names: &[S], count: usize) -> String {
    let shown = &names[..names.len().min(LISTED)];
    let text = shown.iter().map(|name| quoted(name.as_ref())).collect::<Vec<_>>().join(", ");
    match count.max(names.len()) - shown.len() {
        0 => text,
        more if shown.is_empty() => format!("{more} names"),
        more => format!("{text} and {more} more"),
    }
}

/// Appends the characters, those escaped that end a line or turn its direction.
fn one_line(characters: impl Iterator<Item = char>, line: &mut String) {
    for c in characters {
        let breaks = matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if breaks || c.is_control() {
            write!(line, "{}", c.escape_unicode()).expect("strings can be written to");
        } else {
            line.push(c);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_one_short_line() {
        for text in ["ä".repeat(1000), "\n".repeat(1000), "\u{2028}x\r".repeat(500), String::new()] {
            let short = shortened(&text);
            assert!(short.len() <= 70 * "\\u{2028}".len(), "{short}");
            assert!(!short.contains(['\n', '\r', '\u{2028}']), "{short}");
        }
        assert_eq!(shortened("äöü"), "äöü");
        let names: Vec<String> = (0..100).map(|i| i.to_string()).collect();
        assert_eq!(list(&names, 100), "`0`, `1`, `2`, `3`, `4`, `5`, `6`, `7` and 92 more");
        assert_eq!(list::<&str>(&[], 0), "");
    }
}

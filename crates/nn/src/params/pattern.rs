//! Matching names.

/// Whether `name` matches `pattern`, in which `*` stands for any characters, dots and none included.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or("");
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    // Each part in the middle as early as possible leaves the most for those behind it.
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn stars_stand_for_any_characters() {
        for (pattern, name) in [
            ("*", ""),
            ("*", "a.b"),
            ("*.bias", "encoder.0.bias"),
            ("a*", "a"),
            ("a*b*c", "a.b.b.c"),
            ("enc*.*.weight", "encoder.0.weight"),
            ("a.b", "a.b"),
            ("*aa", "aaa"),
        ] {
            assert!(matches(pattern, name), "{pattern} should match {name}");
        }
        for (pattern, name) in
            [("*.bias", "bias"), ("a", "ab"), ("ab", "a"), ("a*a", "a"), ("a*b*c", "a.c"), ("", "a")]
        {
            assert!(!matches(pattern, name), "{pattern} should not match {name}");
        }
    }
}

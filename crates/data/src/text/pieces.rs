//! Cutting text into pieces that no token reaches across.

/// What a byte counts as.
#[derive(Clone, Copy, PartialEq)]
enum Class {
    /// Letters, and all bytes of characters beyond ASCII.
    Letter,
    Digit,
    Space,
    Other,
}

fn class(byte: u8) -> Class {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | 128.. => Class::Letter,
        b'0'..=b'9' => Class::Digit,
        b' ' | b'\t' | b'\n' | b'\r' => Class::Space,
        _ => Class::Other,
    }
}

/// Words, numbers, runs of other signs and of white space, one after the other: together they are the text. A single space
/// before one of the former belongs to it, so that a word is the same within a line wherever it stands.
pub(super) fn pieces(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (piece, others) = rest.split_at(first_piece(rest)?);
        rest = others;
        Some(piece)
    })
}

/// The length of the first piece of what is left.
fn first_piece(bytes: &[u8]) -> Option<usize> {
    let run = |from: usize| {
        let kind = class(bytes[from]);
        from + bytes[from..].iter().take_while(|&&byte| class(byte) == kind).count()
    };
    match class(*bytes.first()?) {
        Class::Space => {
            let end = run(0);
            if end == bytes.len() || bytes[end - 1] != b' ' {
                return Some(end);
            }
            // The last space goes to what comes behind it.
            Some(if end == 1 { run(1) } else { end - 1 })
        }
        _ => Some(run(0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<&str> {
        pieces(text.as_bytes()).map(|piece| std::str::from_utf8(piece).unwrap()).collect()
    }

    #[test]
    fn words_take_the_space_before_them() {
        assert_eq!(cut("let x = 12;\n    y né"), ["let", " x", " =", " 12", ";", "\n   ", " y", " né"]);
        assert_eq!(cut("  "), ["  "]);
        assert_eq!(cut(" a\n\nb "), [" a", "\n\n", "b", " "]);
        assert_eq!(cut(""), Vec::<&str>::new());
    }

    #[test]
    fn pieces_are_the_text() {
        let bytes: Vec<u8> = (0..2000u32).map(|i| (i * i % 251) as u8).collect();
        assert_eq!(pieces(&bytes).flatten().copied().collect::<Vec<u8>>(), bytes);
        assert!(pieces(&bytes).all(|piece| !piece.is_empty()));
    }
}

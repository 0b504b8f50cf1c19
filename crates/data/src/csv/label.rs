//! Labels, exactly.

/// The whole number from 0 to `u32::MAX` that a decimal text stands for, if it does: `7`, `7.0`, `+7e0`, `-0`. Not by
/// way of a floating-point number, which would take `0.99999999999999999999` for 1.
pub(super) fn label(text: &str) -> Option<u32> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (text, 0),
    };
    let (negative, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    // The value is that of the digits, up to the last that is not zero, times a power of ten.
    let mut power = exponent.checked_sub(i64::try_from(fraction.len()).ok()?)?;
    let (mut value, mut zeros) = (0u64, 0);
    for byte in whole.bytes().chain(fraction.bytes()) {
        match byte {
            b'0' => zeros += 1,
            b'1'..=b'9' => {
                value = shifted(value, zeros + 1)? + u64::from(byte - b'0');
                zeros = 0;
            }
            _ => return None,
        }
    }
    if value == 0 {
        return Some(0);
    }
    power = power.checked_add(zeros)?;
    if negative || power < 0 {
        return None;
    }
    u32::try_from(shifted(value, power)?).ok()
}

/// The value times a power of ten, if it may still become a label.
fn shifted(mut value: u64, power: i64) -> Option<u64> {
    for _ in 0..power {
        if value == 0 {
            break;
        }
        value *= 10;
        if value > u64::from(u32::MAX) {
            return None;
        }
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_the_whole_numbers_are_labels() {
        for (text, value) in [
            ("0", 0),
            ("-0", 0),
            ("-0.00e5", 0),
            ("7", 7),
            ("007", 7),
            ("+7", 7),
            ("7.", 7),
            ("7.000", 7),
            ("70e-1", 7),
            ("0.7E1", 7),
            (".07e+2", 7),
            ("16777217", 16_777_217),
            ("16777217.0", 16_777_217),
            ("4294967295", u32::MAX),
            ("4.294967295e9", u32::MAX),
            ("1e0", 1),
            ("100000000000e-11", 1),
        ] {
            assert_eq!(label(text), Some(value), "{text}");
        }
        for text in [
            "-1",
            "1.5",
            "1e-1",
            "4294967296",
            "1e10",
            "1e400",
            "1e99999999999999999999",
            "0.99999999999999999999",
            "1.00000000000000000001",
            "18446744073709551617",
            "",
            ".",
            "-",
            "x",
            "1x",
            "nan",
            "inf",
            "1 2",
        ] {
            assert_eq!(label(text), None, "{text}");
        }
    }
}

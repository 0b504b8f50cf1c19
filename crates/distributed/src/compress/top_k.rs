//! The elements of largest magnitude.

use wengert_tensor::Float;

use crate::wire::{Reader, WireError, Writer};

pub(super) fn write<T: Float>(bytes: &mut Writer, values: &[T], fraction: f64) {
    let len = values.len();
    let kept = ((len as f64 * fraction).ceil() as usize).clamp(len.min(1), len);
    // NaN counts as larger than all, so that it is never held back.
    let size = |&index: &usize| {
        let magnitude = values[index].to_f64().abs();
        if magnitude.is_nan() { f64::INFINITY } else { magnitude }
    };
    let mut order: Vec<usize> = (0..len).collect();
    if kept < len {
        order.select_nth_unstable_by(kept, |a, b| size(b).total_cmp(&size(a)).then(a.cmp(b)));
        order.truncate(kept);
        order.sort_unstable();
    }
    bytes.count(len as u64).count(kept as u64);
    // From each position to the next it is not far: most distances are single bytes.
    let mut next = 0;
    for &index in &order {
        write_short(bytes, index - next);
        next = index + 1;
    }
    let chosen: Vec<T> = order.iter().map(|&index| values[index]).collect();
    bytes.floats(&chosen);
}

pub(super) fn read<T: Float>(reader: &mut Reader<'_>, out: &mut [T]) -> Result<(), WireError> {
    reader.expect_len(out.len())?;
    let kept = reader.count()? as usize;
    if kept > out.len() {
        return Err(WireError::new(format!("{kept} of {} elements", out.len())));
    }
    let mut next = 0usize;
    let mut positions = Vec::new();
    for _ in 0..kept {
        let position = next.saturating_add(read_short(reader)?);
        positions.push(position);
        next = position.saturating_add(1);
    }
    let mut chosen = vec![T::ZERO; kept];
    reader.floats(&mut chosen)?;
    out.fill(T::ZERO);
    for (&position, &value) in positions.iter().zip(&chosen) {
        let len = out.len();
        let place = out.get_mut(position);
        *place.ok_or_else(|| WireError::new(format!("element {position} of {len}")))? = value;
    }
    Ok(())
}

/// Seven bits a byte, the lowest first; the eighth says that more follow.
fn write_short(bytes: &mut Writer, mut number: usize) {
    while number > 0x7f {
        bytes.byte(number as u8 & 0x7f | 0x80);
        number >>= 7;
    }
    bytes.byte(number as u8);
}

fn read_short(reader: &mut Reader<'_>) -> Result<usize, WireError> {
    let mut number = 0u64;
    for shift in (0..63).step_by(7) {
        let byte = reader.byte()?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(usize::try_from(number).unwrap_or(usize::MAX));
        }
    }
    Err(WireError::new("a distance of more than 63 bits".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_come_back_and_what_has_no_end_is_an_error() {
        let distances = [0, 1, 127, 128, 300, 16_383, 16_384, u32::MAX as usize];
        let mut bytes = Writer::default();
        distances.iter().for_each(|&distance| write_short(&mut bytes, distance));
        let bytes = bytes.finish();
        let mut reader = Reader::new(&bytes);
        for distance in distances {
            assert_eq!(read_short(&mut reader), Ok(distance));
        }
        assert!(reader.end().is_ok());
        assert!(read_short(&mut Reader::new(&[0xff; 20])).is_err());
        assert!(read_short(&mut Reader::new(&[0x80])).is_err());
    }
}

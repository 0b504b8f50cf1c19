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
    for &index in &order {
        bytes.count(index as u64);
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
    let positions: Vec<usize> = (0..kept).map(|_| Ok(reader.count()? as usize)).collect::<Result<_, _>>()?;
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

//! Views: no memory, whatever their size.

use wengert_tensor::shape::{Dims, broadcast, broadcast_or_panic};
use wengert_tensor::{Axis, Shape, Slice, Tensor, broadcast_axes, flattened, resolve_dims};

use super::helpers::{OFFSETS, SIZES, fated, refused};

/// A view of one number.
fn wide<const N: usize>(shape: [usize; N]) -> Tensor<f32> {
    Tensor::scalar(1.0).broadcast_to(shape)
}

#[test]
fn broadcasts() {
    for &a in &SIZES {
        for &b in &SIZES {
            let shape = Shape::from([a, b]);
            let view = fated("broadcast_to", &[a, b], false, &[&shape], || wide([a, b]));
            if let Some(view) = view {
                assert_eq!((view.shape(), view.len()), (&shape, a * b));
                assert_eq!(view.iter().len(), a * b);
                assert!(view.to_string().len() < 1000 && format!("{view:?}").len() < 1000);
                assert_eq!(view.transpose(0, 1).t().permute([1, 0]).shape(), &[b, a]);
                assert_eq!(broadcast_axes(&Shape::scalar(), &shape)[..], [0, 1]);
            }
            // The two meet in an operation.
            if Shape::from([a]).fits() && Shape::from([b]).fits() && !shape.fits() {
                let (rows, columns) = (wide([a, 1]), wide([1, b]));
                refused("add", &[&a, &b], || &rows + &columns);
                refused("gt", &[&a, &b], || rows.gt(&columns));
                refused("f", &[&a, &b], || broadcast_or_panic("f", rows.shape(), columns.shape()));
                refused("mul_add", &[&a, &b], || rows.mul_add(&columns, &columns));
                refused("f", &[&a, &b], || rows.zip_map("f", &columns, |a: f32, b: f32| a + b));
                let mask = Tensor::scalar(true).broadcast_to([1, b]);
                refused("masked_fill", &[&a, &b], || rows.masked_fill(&mask, 0.0));
                refused("masked_select", &[&a, &b], || rows.masked_select(&mask));
                refused("select_where", &[&a, &b], || Tensor::select_where(&mask, &rows, &rows));
                refused("outer", &[&a, &b], || wide([a]).outer(&wide([b])));
            }
        }
    }
    refused("broadcast_to", &[&"[3]", &"[2]"], || wide([3]).broadcast_to([2]));
    refused("broadcast_axes", &[&"[2]", &"[]"], || broadcast_axes(&[2].into(), &Shape::scalar()));
    assert_eq!(broadcast(&[usize::MAX, 1].into(), &[2].into()), Some([usize::MAX, 2].into()));
}

#[test]
fn reshapes() {
    let x = Tensor::vector(&[0.0f32, 1.0, 2.0, 3.0, 4.0, 5.0]);
    for &a in &SIZES {
        for &b in &SIZES {
            let right = a as u128 * b as u128 == 6;
            if right {
                assert_eq!(x.reshape([a, b]).shape(), &[a, b]);
            } else {
                refused("reshape", &[&a, &b], || x.reshape([a, b]));
            }
        }
        for &b in &OFFSETS {
            let right = match (a, b) {
                (1..=3, -1) => true,
                (1..=6, b) => b > 0 && a as i128 * b as i128 == 6,
                _ => false,
            };
            // The length as a signed number, where it is one.
            let Ok(a) = isize::try_from(a) else { continue };
            if right {
                assert_eq!(x.reshape([a, b]).len(), 6);
            } else {
                refused("reshape", &[&a, &b], || x.reshape([a, b]));
            }
        }
    }
    refused("reshape", &[&"-1"], || x.reshape([-1, -1]));
    refused("reshape", &[&usize::MAX], || x.reshape([usize::MAX]));
    let empty = Tensor::<f32>::zeros([0, 3]);
    refused("reshape", &[&usize::MAX], || empty.reshape([usize::MAX, 0]));
    assert_eq!(empty.t().reshape([1usize << 40, 0]).shape(), &[1 << 40, 0]);
    let large = wide([1 << 59]);
    assert_eq!(large.reshape([1 << 29, -1]).shape(), &[1 << 29, 1 << 30]);
    refused("reshape", &[&(1u64 << 63)], || large.reshape([1usize << 63]));
    assert_eq!(resolve_dims(&[6].into(), &Dims::from([3, -1])), [3, 2]);
    for axes in [[0, 1], [1, -1]] {
        refused("flatten", &[&usize::MAX], || {
            flattened(&[usize::MAX, usize::MAX, 2].into(), Axis(axes[0]), Axis(axes[1]))
        });
    }
    assert_eq!(wide([1 << 30, 1 << 29]).flatten(0, -1).shape(), &[1 << 59]);
}

/// Python's `range(*slice(start, end, step).indices(length))`.
fn positions(start: Option<isize>, end: Option<isize>, step: isize, length: usize) -> Vec<i128> {
    let (n, step) = (length as i128, step as i128);
    let (low, high) = if step > 0 { (0, n) } else { (-1, n - 1) };
    let place = |p: isize| (if p < 0 { p as i128 + n } else { p as i128 }).clamp(low, high);
    let mut at = start.map_or(if step > 0 { low } else { high }, place);
    let end = end.map_or(if step > 0 { high } else { low }, place);
    let mut found = vec![];
    while if step > 0 { at < end } else { at > end } {
        found.push(at);
        at += step;
    }
    found
}

#[test]
fn slices() {
    for length in [0, 1, 3, 4] {
        let x = Tensor::from_fn([2, length], |i| i[1] as f32);
        for (start, end) in OFFSETS.iter().flat_map(|&s| OFFSETS.iter().map(move |&e| (s, e))) {
            for &step in OFFSETS.iter().filter(|&&step| step != 0) {
                let cases = [
                    (Slice::from(start..end), Some(start), Some(end)),
                    (Slice::from(start..), Some(start), None),
                    (Slice::from(..end), None, Some(end)),
                    (Slice::from(..), None, None),
                ];
                for (slice, start, end) in cases {
                    let view = x.slice_axis(1, slice.step(step));
                    let expected = positions(start, end, step, length);
                    assert!(view.select(0, 0).iter().map(|v| v as i128).eq(expected), "{slice:?} {step}");
                }
            }
        }
        let whole = x.to_vec();
        assert_eq!(x.slice_axis(-1, 0..usize::MAX).to_vec(), whole);
        assert_eq!(x.slice_axis(-1, 0..=usize::MAX).to_vec(), whole);
        assert_eq!(x.slice_axis(-1, 0..=isize::MAX).to_vec(), whole);
        assert_eq!(x.slice_axis(-1, ..usize::MAX - 1).to_vec(), whole);
        assert!(
            x.slice_axis(-1, usize::MAX..).is_empty() && x.slice_axis(-1, isize::MAX..=isize::MAX).is_empty()
        );
    }
    for &length in &SIZES {
        let (start, count, _) = Slice::from(1..).step(isize::MAX).resolve(length);
        assert_eq!(
            (start, count),
            if length < 2 { (0, 0) } else { (1, (length - 1).div_ceil(isize::MAX as usize)) }
        );
        assert_eq!(Slice::from(..).step(-1).resolve(length).1, length);
        if Shape::from([length]).fits() {
            let x = wide([length]);
            assert_eq!(x.slice(1..).len(), length.saturating_sub(1));
            assert_eq!(x.slice(Slice::from(..).step(-2)).flip(0).len(), length.div_ceil(2));
        }
    }
    refused("slice", &[], || Slice::from(..).step(0));
}

#[test]
fn positions_and_pieces() {
    let x = Tensor::vector(&[0.0f32, 1.0, 2.0]);
    for &i in &OFFSETS {
        if (-3..3).contains(&i) {
            assert_eq!(x.select(0, i).item(), i.rem_euclid(3) as f32);
        } else {
            refused("select", &[&i, &"[3]"], || x.select(0, i));
        }
    }
    for &n in &SIZES {
        if n == 0 {
            refused("split", &[&0], || x.split(n, 0));
            refused("chunk", &[&0], || x.chunk(n, 0));
            continue;
        }
        assert_eq!(
            x.split(n, 0).iter().map(|p| p.len()).collect::<Vec<_>>(),
            match n {
                1 => vec![1, 1, 1],
                2 => vec![2, 1],
                _ => vec![3],
            }
        );
        assert_eq!(x.chunk(n, 0).len(), n.min(3));
        if n <= 3 {
            assert_eq!(x.at([n - 1]), (n - 1) as f32);
        } else {
            refused("at", &[&n, &"[3]"], || x.at([n]));
        }
    }
    for n in [1 << 48, 1 << 59] {
        refused("split", &[&n], || wide([n]).split(1, 0));
        refused("split", &[&n], || wide([n]).chunk(n, 0));
        assert_eq!(wide([n]).split(n / 2, 0).len(), 2);
    }
    let shape = Shape::from([2, 3]);
    assert_eq!(shape.with(1, usize::MAX), [2, usize::MAX]);
    for &axis in &SIZES[2..] {
        refused("with", &[&axis, &shape], || shape.with(axis, 1));
    }
    refused("count", &[&usize::MAX], || Shape::from([usize::MAX, 2]).count());
    assert_eq!(Shape::from([usize::MAX, 0, usize::MAX]).count(), 0);
}

#[test]
fn copies_of_views_that_no_memory_holds() {
    for shape in [[1 << 48, 1], [1 << 30, 1 << 29]] {
        let (x, text) = (wide(shape), Shape::from(shape));
        refused("to_vec", &[&text], || x.to_vec());
        refused("copied", &[&text], || x.copied());
        refused("contiguous", &[&text], || x.contiguous());
        refused("as_mut_slice", &[&text], || x.clone().as_mut_slice().len());
        refused("map", &[&text], || x.map(|a: f32| a));
    }
    let (pairs, text) = (Tensor::vector(&[1.0f32, 2.0]).broadcast_to([1 << 48, 2]), "[281474976710656, 2]");
    refused("reshape", &[&text], || pairs.reshape([-1]));
    refused("flatten", &[&text], || pairs.flatten(0, 1));
}

//! Joining, padding, repeating and rolling.

use wengert_tensor::Tensor;

use super::helpers::{OFFSETS, SIZES, fated, refused};

fn two() -> Tensor<f64> {
    Tensor::from([1.0, 2.0])
}

/// The sum, or more than any length.
fn plus(a: usize, b: usize) -> usize {
    a.saturating_add(b)
}

#[test]
fn padding() {
    for &before in &SIZES {
        for &after in &SIZES {
            let length = plus(plus(before, 2), after);
            let made = fated("pad", &[length], true, &[], || two().pad(&[(before, after)], 7.0));
            if let Some(made) = made {
                assert_eq!(made.sum().item(), 3.0 + 7.0 * (length - 2) as f64);
            }
            // An axis of length 0 is padded to that of the others.
            let lengths = [plus(before, after), 2];
            let none = Tensor::<f64>::zeros([0, 2]);
            if let Some(made) =
                fated("pad", &lengths, true, &[], || none.pad(&[(before, after), (0, 0)], 1.0))
            {
                assert_eq!(made.len(), lengths[0] * 2);
            }
        }
        if before >= 1 << 62 {
            refused("pad", &[&before, &"2", &"3"], || two().pad(&[(before, 3)], 0.0));
        }
    }
    refused("pad", &[&"[2]"], || two().pad(&[], 0.0));
}

#[test]
fn repeating() {
    for &n in &SIZES {
        let length = n.saturating_mul(2);
        if let Some(tiled) = fated("tile", &[length], true, &[&n], || two().tile(&[n])) {
            assert_eq!(tiled.sum().item(), 3.0 * n as f64);
        }
        let lengths = [n, length];
        if let Some(tiled) = fated("tile", &lengths, true, &[&n], || two().tile(&[n, n])) {
            assert_eq!(tiled.shape(), &lengths);
        }
        let made = fated("repeat_interleave", &[length], true, &[&n], || two().repeat_interleave(n, 0));
        if let Some(made) = made {
            assert_eq!(made.len(), length);
        }
        // Repetitions of nothing.
        let none = Tensor::<f32>::zeros([0, 3]);
        assert_eq!(none.repeat_interleave(n, 0).shape(), &[0, 3]);
        assert_eq!(none.t().tile(&[1, n]).shape(), &[3, 0]);
    }
    refused("tile", &[&"[2]"], || two().tile(&[]));
    refused("tile", &[&(1usize << 63)], || Tensor::<f32>::zeros([0]).tile(&[1 << 63, 2, 1]));
}

#[test]
fn rolling() {
    for length in 0..5 {
        let x = Tensor::from_fn([length], |i| i[0] as f64);
        for &shift in &OFFSETS {
            let rolled = x.roll(shift, 0);
            for i in 0..length {
                let to = (i as i128 + shift as i128).rem_euclid(length as i128) as usize;
                assert_eq!(rolled.at([to]), i as f64, "{shift} of {length}");
            }
        }
    }
}

#[test]
fn joining() {
    // As many rows of nothing as fit into a tensor, and some more.
    for &rows in SIZES.iter().filter(|&&rows| rows <= 1 << 59) {
        let none = Tensor::<f32>::zeros([rows, 0]);
        for parts in [1, 2, 31, 32, 33] {
            let lengths = [rows.saturating_mul(parts), 0];
            if let Some(joined) =
                fated("cat", &lengths, false, &[&rows], || Tensor::cat(&vec![&none; parts], 0))
            {
                assert_eq!(joined.shape(), &lengths);
            }
            let stacked =
                fated("stack", &[parts, rows, 0], false, &[], || Tensor::stack(&vec![&none; parts], 0));
            if let Some(stacked) = stacked {
                assert_eq!(stacked.shape(), &[parts, rows, 0]);
            }
        }
    }
    let most = Tensor::<f32>::zeros([1 << 59, 0]);
    refused("cat", &[&(1u64 << 59)], || Tensor::cat(&vec![&most; 32], 0));
    let wide = Tensor::scalar(1.0f32).broadcast_to([1 << 48]);
    refused("cat", &[&(1u64 << 49)], || Tensor::cat(&[&wide, &wide], 0));
    refused("stack", &[&(1u64 << 48)], || Tensor::stack(&[&wide, &wide], 1));
    refused("cat", &[&"[1, 2]", &"[281474976710656]"], || {
        Tensor::cat(&[&two().cast::<f32>().unsqueeze(0), &wide], 1)
    });
}

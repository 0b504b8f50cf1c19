//! Reading and writing at positions, and diagonals.

use wengert_tensor::{Combine, Tensor, combine_elements, combine_slices};

use super::helpers::{OFFSETS, SIZES, fated, refused};

fn x() -> Tensor<f64> {
    Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
}

#[test]
fn indices_beyond_the_axis() {
    for index in [3, 4, u32::MAX] {
        let (one, same) = (Tensor::vector(&[0, index]), Tensor::full([2, 1], index));
        refused("index_select", &[&index, &"[2, 3]"], || x().index_select(1, &one));
        refused("gather", &[&index, &"[2, 3]"], || x().gather(1, &same));
        refused("index_add", &[&index], || x().index_add(1, &one, &Tensor::zeros([2, 2])));
        refused("scatter_add", &[&index], || x().scatter_add(1, &same, &Tensor::zeros([2, 1])));
        let (mut target, zeros) = (x(), Tensor::zeros([2, 2]));
        refused("put", &[&index], || combine_slices("put", &mut target, 1, &one, &zeros, Combine::Replace));
        let zeros = Tensor::zeros([2, 1]);
        refused("put", &[&index], || combine_elements("put", &mut target, 1, &same, &zeros, Combine::Larger));
    }
    // What they select is too large.
    let wide = Tensor::scalar(1.0f32).broadcast_to([2, 1 << 40]);
    let many = Tensor::scalar(0u32).broadcast_to([1 << 30]);
    refused("index_select", &[&(1u64 << 30), &(1u64 << 40)], || wide.index_select(0, &many));
    assert_eq!(wide.index_select(0, &Tensor::zeros([0])).shape(), &[0, 1 << 40]);
    assert_eq!(wide.t().gather(0, &Tensor::zeros([0, 2])).shape(), &[0, 2]);
    refused("gather", &[&"[2]"], || x().gather(0, &Tensor::zeros([2])));
}

#[test]
fn assignments() {
    for &i in &OFFSETS {
        let mut y = x();
        if (-3..3).contains(&i) {
            y.select_assign(1, i, &Tensor::scalar(9.0));
            assert_eq!(y.select(1, i).to_vec(), [9.0, 9.0]);
        } else {
            refused("select_assign", &[&i, &"[2, 3]"], || y.select_assign(1, i, &Tensor::scalar(9.0)));
        }
        for &j in &OFFSETS {
            let mut y = x();
            y.slice_assign(1, i..j, &Tensor::scalar(0.0));
            let kept = x().sum().item() - x().slice_axis(1, i..j).sum().item();
            assert_eq!(y.sum().item(), kept, "{i}..{j}");
        }
    }
    let mut y = x();
    y.slice_assign(1, 1..usize::MAX, &Tensor::scalar(0.0));
    assert_eq!(y.sum().item(), 5.0);
    refused("slice_assign", &[&"[7]", &"[2, 3]"], || y.slice_assign(1, 0..usize::MAX, &Tensor::zeros([7])));
}

#[test]
fn diagonals_and_triangles() {
    let at = |keep: &dyn Fn(i128) -> bool| {
        Tensor::from_fn(
            [2, 3],
            |i| if keep(i[1] as i128 - i[0] as i128) { x().at([i[0], i[1]]) } else { 0.0 },
        )
    };
    for &offset in &OFFSETS {
        let k = offset as i128;
        assert_eq!(x().tril(offset), at(&|d| d <= k), "tril {offset}");
        assert_eq!(x().triu(offset), at(&|d| d >= k), "triu {offset}");
        let diagonal = x().diagonal(offset);
        assert_eq!(diagonal.sum(), at(&|d| d == k).sum(), "diagonal {offset}");
        let length = at(&|d| d == k).count_nonzero(.., false).item();
        assert_eq!(diagonal.len(), length as usize, "diagonal {offset}");
        let far = offset.unsigned_abs();
        let side = far.saturating_add(3);
        let made = fated("diag", &[2, side, side], true, &[], || x().diag(offset));
        if let Some(made) = made {
            assert_eq!(made.diagonal(offset), x());
        } else if far < 1 << 32 {
            panic!("diag refuses {offset}");
        }
    }
    let wide = Tensor::scalar(1.0f32).broadcast_to([1 << 30, 1 << 29]);
    for &offset in &OFFSETS {
        assert!(wide.diagonal(offset).len() <= 1 << 29);
    }
    refused("tril", &[&"[536870912]"], || wide.select(0, 0).tril(0));
}

#[test]
fn counts_and_labels() {
    for &classes in &SIZES[..4] {
        let labels = Tensor::vector(&[classes as u32]);
        refused("one_hot", &[&classes], || Tensor::<f32>::one_hot(&labels, classes));
    }
    let logits = Tensor::<f32>::zeros([2, 3]);
    let labels = Tensor::vector(&[0, u32::MAX]);
    refused("softmax_cross_entropy", &[&u32::MAX], || logits.softmax_cross_entropy(&labels, 0.0));
    let scale = Tensor::ones([2]);
    refused("softmax_cross_entropy", &[&u32::MAX], || {
        logits.softmax_cross_entropy_gradient(&labels, 0.0, &scale)
    });
}

#[test]
fn any_number_of_nearest_names() {
    for count in [0, 1, 2, usize::MAX] {
        let found = wengert_tensor::names::nearest("wieght", ["bias", "weight"], count);
        assert_eq!(found, ["weight", "bias"][..count.min(2)]);
    }
}

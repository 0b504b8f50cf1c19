//! Matrix products, and the views of slices that they take.

use wengert_tensor::gemm::{MatrixMut, MatrixRef, gemm};
use wengert_tensor::{Shape, Tensor, matmul_shape, parallel, size};

use super::helpers::{OFFSETS, SIZES, given, refused};

#[test]
fn shapes_of_products() {
    let column = |n: usize| Tensor::scalar(1.0f64).broadcast_to([n, 1]);
    for &m in SIZES.iter().filter(|&&m| m <= size::MAX_ELEMENTS) {
        for &n in SIZES.iter().filter(|&&n| n <= size::MAX_ELEMENTS) {
            let fits = Shape::from([m, n]).fits();
            if !fits || m.saturating_mul(n) >= 1 << 48 {
                refused("matmul", &[&m, &n], || column(m).matmul(&column(n).t()));
            } else if m * n < 100 {
                assert_eq!(column(m).matmul(&column(n).t()).shape(), &[m, n]);
            }
        }
        refused("add_matmul", &[&m], || {
            Tensor::<f64>::zeros([2, 2]).add_matmul(1.0, &column(m), &column(1), 0.0);
        });
    }
    refused("matmul", &[&"[2, 1]"], || column(2).matmul_by_rows(&column(2), 1, |_, _| ()));
    refused("matmul_by_rows", &[&"[2]"], || {
        Tensor::<f64>::ones([2]).matmul_by_rows(&column(2), 1, |_, _| ())
    });
    let product = |[a, b, c]: [f64; 3]| a * b * c;
    let operands = [&column(1 << 24), &column(1 << 24).t(), &column(1)];
    refused("triple", &[&(1u64 << 24)], || Tensor::zip_many("triple", operands, product));
    let operands = [&column(2), &column(0), &column(1)];
    refused("triple", &[&"[2, 1]", &"[0, 1]"], || Tensor::zip_many("triple", operands, product));
    // An operand, broadcast over the batch.
    let tall = column(1 << 20).broadcast_to([1 << 20, 1 << 30]);
    refused("matmul", &[&"[1048576, 1048576, 1073741824]"], || tall.matmul(&tall.unsqueeze(2)));
    refused("dot", &[&(1u64 << 40)], || column(1 << 40).select(1, 0).dot(&Tensor::ones([2])));
    refused("matmul", &[&usize::MAX], || matmul_shape(&[usize::MAX, 2].into(), &[2, usize::MAX].into()));
    refused("matmul", &[&"[2, 3]"], || matmul_shape(&[2, 3].into(), &[2, 3].into()));
}

#[test]
fn sequences() {
    use wengert_tensor::gates::sequence::{Geometry, Products, Recurrence, Saved, Unit, gradients, value};
    let recurrence = Recurrence { weight: &[0.0f32; 12], h: &[0.0; 2], c: &[] };
    for &size in SIZES.iter().filter(|&&size| size > 1) {
        for place in 0..3 {
            let mut sizes = [1, 1, 2];
            sizes[place] = size;
            let [steps, batch, hidden] = sizes;
            if sizes == [1, 1, 2] {
                continue;
            }
            let geometry = Geometry { steps, batch, hidden, reverse: false };
            refused("sequence", &[], || {
                let products = Products { of_inputs: &[0.0; 6], bias: None };
                value(Unit::Gru, &geometry, &products, &recurrence, &mut [0.0; 2], None);
            });
            refused("sequence", &[], || {
                let saved = Saved { value: &[0.0; 2], kept: &[0.0; 8], cotangent: &[0.0; 2] };
                gradients(Unit::Gru, &geometry, &recurrence, &saved, &mut [0.0; 14]);
            });
        }
    }
}

/// Whether all elements of the matrices lie in `len` elements.
fn inside(len: usize, offset: usize, extents: [usize; 3], strides: [isize; 3]) -> bool {
    let ends = |i: usize| [0, (extents[i] as i128 - 1).saturating_mul(strides[i] as i128)];
    let reach = |of: fn(i128, i128) -> i128| {
        (0..3).fold(offset as i128, |at, i| at.saturating_add(of(ends(i)[0], ends(i)[1])))
    };
    let countable = extents.iter().all(|&n| n <= 1 << 63);
    extents.contains(&0) || countable && reach(i128::min) >= 0 && reach(i128::max) < len as i128
}

#[test]
fn views_of_slices() {
    let data: Vec<f64> = (0..12).map(f64::from).collect();
    let few = [0, 1, 2, 3, 1 << 32, 1 << 63, usize::MAX];
    for (i, &rows) in few.iter().enumerate() {
        for (j, &columns) in few.iter().enumerate() {
            for (k, &stride) in OFFSETS.iter().enumerate() {
                let strides = [OFFSETS[(i + k) % 15], stride, OFFSETS[(3 * j + k) % 15]];
                for offset in [0, 5, 11, 12, usize::MAX] {
                    let extents = [few[(i + j + k) % 7], rows, columns];
                    let view = given("gemm", &[&offset, &rows, &columns, &stride], || {
                        MatrixRef::batch(&data, offset, extents, strides)
                    });
                    let fits = inside(data.len(), offset, extents, strides);
                    assert_eq!(view.is_some(), fits, "{offset} {extents:?} {strides:?}");
                    let mut out = data.clone();
                    let out =
                        given("gemm", &[&rows], || MatrixMut::batch(&mut out, offset, extents, strides));
                    assert!(fits || out.is_none());
                    // A product with itself, for as many matrices as there are, and without terms.
                    if let (Some(a), Some(c)) = (view, out)
                        && rows < 4
                        && columns < 4
                    {
                        given("gemm", &[], || gemm(1.0, a, a.transposed(), 0.0, c));
                    }
                }
            }
        }
    }
    let none = MatrixRef::batch(&data, usize::MAX, [1, 2, 0], [isize::MIN; 3]);
    let mut c = [1.0; 4];
    gemm(1.0, none, none.transposed(), 2.0, MatrixMut::new(&mut c, 0, [2, 2], [2, 1]));
    assert_eq!(c, [2.0; 4]);
    refused("gemm", &[&usize::MAX], || MatrixRef::new(&data, usize::MAX, [1, 1], [1, 1]));
}

#[test]
fn pieces_of_work() {
    let mut data = [0u8; 5];
    for size in [0, 1, 4, usize::MAX] {
        parallel::for_each_chunk(&mut data, size, true, |start, chunk| {
            assert!(start + chunk.len() <= 5);
            chunk.iter_mut().for_each(|x| *x += 1);
        });
    }
    assert_eq!(data, [4; 5]);
    parallel::for_each_chunk(&mut [(); 9], usize::MAX, true, |_, chunk| assert_eq!(chunk.len(), 9));
    for size in [0, 1, usize::MAX / 2, usize::MAX] {
        let (mut a, mut b) = ([0u32; 9], [0u32; 9]);
        parallel::for_each_chunk_of_all(&mut [&mut a[..], &mut b], size, true, |_, chunks| {
            chunks.iter_mut().for_each(|chunk| chunk.iter_mut().for_each(|x| *x += 1));
        });
        assert_eq!((a, b), ([1; 9], [1; 9]));
    }
    parallel::for_each(0, true, |_| unreachable!());
    refused("reduce", &[&usize::MAX], || parallel::reduce(usize::MAX, true, |i| i, |a, b| a + b));
    assert_eq!(parallel::reduce(3, true, |i| i, |a, b| a + b), Some(3));
    for threads in [0, 1 << 20, usize::MAX] {
        assert!(parallel::set_threads(threads).is_err());
        refused("with_threads", &[], || parallel::with_threads(threads, || ()));
    }
    assert_eq!(parallel::with_threads(1, parallel::threads), 1);
    for &n in &SIZES {
        if n > size::MAX_ELEMENTS {
            refused("f", &[&n], || size::sum("f", &[n, 0]));
            refused("f", &[&n], || size::product("f", &[1, n]));
            refused("f", &[&n], || size::list::<u64>("f", n));
            refused("f", &[&n], || size::check_positions("f", n));
            refused("f", &[&n], || Shape::from([n]).checked("f"));
        }
    }
}

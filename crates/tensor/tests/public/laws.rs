//! Laws that hold for random shapes (with axes of length 0 and 1) and views: a view and its contiguous copy give the
//! same results, as do any numbers of threads; reshaping and permuting can be undone; indexing agrees with plain loops.

use proptest::prelude::*;
use wengert_tensor::parallel::with_threads;
use wengert_tensor::{Slice, Tensor};

/// A change of layout that keeps the rank at 3.
#[derive(Clone, Debug)]
enum View {
    Permute([usize; 3]),
    Flip(usize),
    Step(usize, isize),
    Trim(usize),
    Broadcast(usize),
}

fn view() -> impl Strategy<Value = View> {
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    prop_oneof![
        prop::sample::select(orders.to_vec()).prop_map(View::Permute),
        (0..3usize).prop_map(View::Flip),
        (0..3usize, prop::sample::select(vec![-3, -2, 2, 3])).prop_map(|(axis, step)| View::Step(axis, step)),
        (0..3usize).prop_map(View::Trim),
        (0..3usize).prop_map(View::Broadcast),
    ]
}

fn apply(x: &Tensor<f64>, view: &View) -> Tensor<f64> {
    match *view {
        View::Permute(order) => x.permute(order),
        View::Flip(axis) => x.flip(axis),
        View::Step(axis, step) => x.slice_axis(axis, Slice::from(..).step(step)),
        View::Trim(axis) => x.slice_axis(axis, 1..),
        View::Broadcast(axis) => {
            let mut shape = x.shape().to_vec();
            shape[axis] = 3;
            x.slice_axis(axis, ..1).broadcast_to(if x.dim(axis) == 0 { x.shape().to_vec() } else { shape })
        }
    }
}

/// A tensor of rank 3 whose elements are small integers, so that sums are exact, seen through up to four views.
fn tensor() -> impl Strategy<Value = Tensor<f64>> {
    let lengths = || prop_oneof![Just(0usize), Just(1), 2..6usize, 30..40usize];
    ((lengths(), lengths(), lengths()), any::<u64>(), prop::collection::vec(view(), 0..4)).prop_map(
        |((a, b, c), seed, views)| {
            let x = Tensor::from_fn([a, b, c], |i| {
                let mixed = (seed ^ (i[0] * 1_000_003 + i[1] * 1009 + i[2]) as u64)
                    .wrapping_mul(0x9E37_79B9_7F4A_7C15);
                (mixed >> 59) as f64 - 15.0
            });
            views.iter().fold(x, |x, view| apply(&x, view))
        },
    )
}

/// The results of many operations, as bits.
fn results(x: &Tensor<f64>, axis: usize) -> Vec<Vec<u64>> {
    let nonempty = x.dim(axis) > 0;
    let mut all = vec![
        x.square(),
        x + &x.slice_axis(axis, ..usize::from(nonempty)).abs(),
        x.sum_axes(axis, false),
        x.sum_axes([(axis + 1) % 3, axis], true),
        x.exp().prod_axes(axis, false),
        x.var_axes(axis, 1, false),
        x.norm_axes(2.0, axis, false),
        x.norm_axes(3.0, axis, true),
        x.softmax(axis),
        x.log_softmax(axis),
        x.logsumexp(axis, false),
        x.cumsum(axis),
        x.sort(axis, false),
        x.tril(1),
        x.diagonal(-1),
        x.diag(1),
        x.roll(2, axis),
        x.tile(&[1, 2, 3]),
        x.repeat_interleave(2, axis),
        x.pad(&[(1, 0), (0, 2), (1, 1)], 7.0),
        Tensor::cat(&[x, &x.square()], axis),
        Tensor::stack(&[x, x], axis),
        x.masked_select(&x.gt(0.0)),
        x.masked_fill(&x.gt(0.0), 3.0),
        x.argsort(axis, true).cast(),
        x.count_nonzero(axis, false).cast(),
    ];
    if nonempty {
        all.extend([x.max_axes(axis, false), x.argmax(axis).cast(), x.argmin(axis).cast()]);
        let index = Tensor::<u32>::from([0, x.dim(axis) as u32 - 1, 0]);
        let picked = x.index_select(axis, &index);
        all.extend([x.index_add(axis, &index, &picked), picked]);
    }
    all.iter()
        .map(|t| t.shape().iter().map(|&d| d as u64).chain(t.iter().map(f64::to_bits)).collect())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn views_and_contiguous_copies_give_the_same_results(x in tensor(), axis in 0..3usize) {
        let copy = x.copied();
        prop_assert!(copy == x && x.iter().eq(copy.iter()));
        for (i, (a, b)) in results(&x, axis).iter().zip(&results(&copy, axis)).enumerate() {
            prop_assert_eq!(a, b, "result {}", i);
        }
    }

    #[test]
    fn reshaping_and_permuting_can_be_undone(x in tensor(), order in Just(vec![0usize, 1, 2]).prop_shuffle()) {
        let mut inverse = [0; 3];
        order.iter().enumerate().for_each(|(i, &axis)| inverse[axis] = i);
        prop_assert!(x.permute(&order[..]).permute(inverse) == x);
        prop_assert!(x.reshape([x.len()]).reshape(x.shape()) == x);
        prop_assert!(x.flatten(1, 2).reshape(x.shape()) == x);
        for axis in 0..3 {
            prop_assert!(x.flip(axis).flip(axis) == x);
            prop_assert!(x.roll(5, axis).roll(-5, axis) == x);
            prop_assert!(x.unsqueeze(axis).squeeze(axis) == x);
            if x.dim(axis) > 0 {
                prop_assert!(Tensor::cat(&x.split(2, axis), axis) == x);
            }
        }
    }

    #[test]
    fn indexing_agrees_with_plain_loops(x in tensor(), axis in 0..3usize, picks in prop::collection::vec(any::<u32>(), 0..8)) {
        let length = x.dim(axis);
        prop_assume!(length > 0);
        let index = Tensor::<u32>::from_iter(picks.iter().map(|p| p % length as u32));
        let mut shape = x.shape().to_vec();
        shape[axis] = index.len();
        let at = |i: &[usize], to: usize| {
            let mut at = [i[0], i[1], i[2]];
            at[axis] = to;
            at
        };
        let expected = Tensor::from_fn(&shape[..], |i| x.at(at(i, index.at([i[axis]]) as usize)));
        prop_assert!(x.index_select(axis, &index) == expected);
        let wide = Tensor::from_fn(&shape[..], |i| (index.at([i[axis]]) + i.iter().sum::<usize>() as u32) % length as u32);
        let gathered = Tensor::from_fn(&shape[..], |i| x.at(at(i, wide.at([i[0], i[1], i[2]]) as usize)));
        prop_assert!(x.gather(axis, &wide) == gathered);
        // Integers, so that the order of the sum does not matter.
        let naive = |target: &dyn Fn(&[usize]) -> usize, source: &Tensor<f64>| {
            let mut sums = x.copied();
            let mut i = [0; 3];
            for flat in 0..source.len() {
                let mut rest = flat;
                for a in (0..3).rev() {
                    i[a] = rest % shape[a];
                    rest /= shape[a];
                }
                let [p, q, r] = at(&i, target(&i));
                let place = (p * x.dim(1) + q) * x.dim(2) + r;
                sums.as_mut_slice()[place] += source.at(i);
            }
            sums
        };
        let selected = naive(&|i| index.at([i[axis]]) as usize, &expected);
        prop_assert!(x.index_add(axis, &index, &expected) == selected);
        let scattered = naive(&|i| wide.at([i[0], i[1], i[2]]) as usize, &gathered);
        prop_assert!(x.scatter_add(axis, &wide, &gathered) == scattered);
    }

    #[test]
    fn slices_can_be_assigned_and_read_back(x in tensor(), axis in 0..3usize, start in 0..5isize, step in prop::sample::select(vec![-2isize, -1, 1, 3])) {
        let slice = Slice::from(start..).step(step);
        let source = x.slice_axis(axis, slice).map(|v: f64| 100.0 - v);
        let mut changed = x.clone();
        changed.slice_assign(axis, slice, &source);
        prop_assert!(changed.slice_axis(axis, slice) == source);
        // What was not assigned is as before.
        let differ = changed.not_equal(&x).count_nonzero(.., false).item() as usize;
        prop_assert_eq!(differ, source.len());
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    // Large enough for every loop to be split.
    for shape in [[70, 41, 24], [3, 2, 70_001], [70_001, 3, 2]] {
        let x = Tensor::<f64>::from_fn(shape, |i| {
            ((i[0] * 31 + i[1] * 17 + i[2] * 7) % 1013) as f64 * 0.0137 - 6.0
        });
        for view in [x.t(), x.flip(1)] {
            // A diagonal matrix of a long last axis would not fit in memory.
            let view = if view.dim(2) > 100 {
                view.reshape([view.len() / view.dim(1), view.dim(1), 1])
            } else {
                view
            };
            for axis in [0, 2] {
                let expected = with_threads(1, || results(&view, axis));
                for threads in [2, 3, 8] {
                    assert!(
                        with_threads(threads, || results(&view, axis)) == expected,
                        "{shape:?} {axis} {threads}"
                    );
                }
            }
        }
    }
}

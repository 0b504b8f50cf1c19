//! The loops that every update runs in: vectorised, threaded in pieces that depend on the length alone.

use std::array;
use std::mem::take;

use wengert_tensor::Float;
use wengert_tensor::parallel::{self, CHUNK, PARALLEL_THRESHOLD};
use wengert_tensor::simd::{Isa, Kernel, dispatch};

/// The formula of an update for one parameter with `N` numbers of state, with `R` sums on the side.
pub(crate) trait Update<T: Float, const N: usize, const R: usize = 0>: Copy + Send + Sync {
    /// From the parameter `p`, its gradient `g` and state `s`: the new parameter, the new state, and this
    /// parameter's terms of the sums. Implement it `#[inline(always)]` and without branches.
    fn apply<I: Isa>(&self, p: T, g: T, s: [T; N]) -> (T, [T; N], [T; R]);
}

/// Most pieces that a vector is split into. They are kept on the stack, so that a step allocates nothing.
const PIECES: usize = 64;

/// Elements that are worked on at a time. They are copied to local arrays, which lets the compiler vectorise without
/// having to prove that parameters, gradients and state are apart.
const BLOCK: usize = 64;

/// Updates every parameter and its state in place, in one pass; returns the sums.
pub(crate) fn update<T: Float, const N: usize, const R: usize>(
    params: &mut [T],
    grads: &[T],
    state: [&mut [T]; N],
    formula: impl Update<T, N, R>,
) -> [f64; R] {
    let (mut params, mut grads, mut state) = (params, grads, state);
    in_pieces(params.len(), |len| Pass {
        params: take(&mut params).split_off_first(len, &mut params),
        grads: {
            let (first, rest) = grads.split_at(len);
            grads = rest;
            first
        },
        state: state.each_mut().map(|s| take(s).split_off_first(len, s)),
        formula,
    })
}

/// Sums over two vectors of one length; `formula` gives a pair's terms.
pub(crate) fn sums<T: Float, const R: usize>(
    a: &[T],
    b: &[T],
    formula: impl Fn(T, T) -> [f64; R] + Copy + Send + Sync,
) -> [f64; R] {
    assert_eq!(a.len(), b.len());
    let mut start = 0;
    in_pieces(a.len(), |len| {
        let range = start..start + len;
        start = range.end;
        Sums { a: &a[range.clone()], b: &b[range], formula }
    })
}

/// Σ xᵢ², in f64, where the square of an f32 cannot overflow.
pub(crate) fn sum_of_squares<T: Float>(x: &[T]) -> f64 {
    let [sum] = sums(x, x, |a: T, _| [a.to_f64() * a.to_f64()]);
    sum
}

/// Splits `len` elements into at most [`PIECES`] pieces, made in order by `piece`, runs them, and adds their sums in
/// order. The pieces depend on `len` alone.
fn in_pieces<K: Kernel<Output = [f64; R]> + Send, const R: usize>(
    len: usize,
    mut piece: impl FnMut(usize) -> K,
) -> [f64; R] {
    let size = len.div_ceil(PIECES).next_multiple_of(CHUNK);
    if len <= size {
        return dispatch(piece(len));
    }
    let count = len.div_ceil(size);
    let mut pieces: [_; PIECES] =
        array::from_fn(|i| (i < count).then(|| (Some(piece(size.min(len - i * size))), [0.0; R])));
    parallel::for_each_chunk(&mut pieces[..count], 1, len >= PARALLEL_THRESHOLD, |_, chunk| {
        for (kernel, sums) in chunk.iter_mut().flatten() {
            if let Some(kernel) = kernel.take() {
                *sums = dispatch(kernel);
            }
        }
    });
    let mut total = [0.0; R];
    for (_, sums) in pieces.iter().flatten() {
        for (t, s) in total.iter_mut().zip(sums) {
            *t += s;
        }
    }
    total
}

/// Splitting a mutable slice that is held by value.
trait SplitOff {
    fn split_off_first(self, len: usize, rest: &mut Self) -> Self;
}

impl<T> SplitOff for &mut [T] {
    fn split_off_first(self, len: usize, rest: &mut Self) -> Self {
        let (first, second) = self.split_at_mut(len);
        *rest = second;
        first
    }
}

struct Pass<'a, T, U, const N: usize, const R: usize> {
    params: &'a mut [T],
    grads: &'a [T],
    state: [&'a mut [T]; N],
    formula: U,
}

impl<T: Float, U: Update<T, N, R>, const N: usize, const R: usize> Kernel for Pass<'_, T, U, N, R> {
    type Output = [f64; R];

    #[inline(always)]
    fn run<I: Isa>(self) -> [f64; R] {
        let Pass { params, grads, state, formula } = self;
        let (params, params_tail) = params.as_chunks_mut::<BLOCK>();
        let (grads, grads_tail) = grads.as_chunks::<BLOCK>();
        let mut tails: [&mut [T]; N] = array::from_fn(|_| Default::default());
        let mut tail = tails.iter_mut();
        let state = state.map(|s| {
            let (blocks, rest) = s.as_chunks_mut::<BLOCK>();
            if let Some(t) = tail.next() {
                *t = rest;
            }
            blocks
        });
        let mut sums = [[0.0; BLOCK]; R];
        for (b, (params, grads)) in params.iter_mut().zip(grads).enumerate() {
            let (mut p, g) = (*params, *grads);
            let mut s: [[T; BLOCK]; N] = array::from_fn(|k| state[k][b]);
            let mut terms = [[T::ZERO; BLOCK]; R];
            for i in 0..BLOCK {
                let (new_p, new_s, new_terms) = formula.apply::<I>(p[i], g[i], array::from_fn(|k| s[k][i]));
                p[i] = new_p;
                for k in 0..N {
                    s[k][i] = new_s[k];
                }
                for k in 0..R {
                    terms[k][i] = new_terms[k];
                }
            }
            *params = p;
            for k in 0..N {
                state[k][b] = s[k];
            }
            for k in 0..R {
                for i in 0..BLOCK {
                    sums[k][i] += terms[k][i].to_f64();
                }
            }
        }
        for (i, (p, &g)) in params_tail.iter_mut().zip(grads_tail).enumerate() {
            let (new_p, new_s, new_terms) = formula.apply::<I>(*p, g, array::from_fn(|k| tails[k][i]));
            *p = new_p;
            for k in 0..N {
                tails[k][i] = new_s[k];
            }
            for k in 0..R {
                sums[k][i] += new_terms[k].to_f64();
            }
        }
        sums.map(|lanes| lanes.iter().sum())
    }
}

struct Sums<'a, T, F, const R: usize> {
    a: &'a [T],
    b: &'a [T],
    formula: F,
}

impl<T: Float, F: Fn(T, T) -> [f64; R], const R: usize> Kernel for Sums<'_, T, F, R> {
    type Output = [f64; R];

    #[inline(always)]
    fn run<I: Isa>(self) -> [f64; R] {
        let (a, a_tail) = self.a.as_chunks::<BLOCK>();
        let (b, b_tail) = self.b.as_chunks::<BLOCK>();
        let mut sums = [[0.0; BLOCK]; R];
        for (a, b) in a.iter().zip(b) {
            for i in 0..BLOCK {
                let terms = (self.formula)(a[i], b[i]);
                for k in 0..R {
                    sums[k][i] += terms[k];
                }
            }
        }
        for (i, (&a, &b)) in a_tail.iter().zip(b_tail).enumerate() {
            let terms = (self.formula)(a, b);
            for k in 0..R {
                sums[k][i] += terms[k];
            }
        }
        sums.map(|lanes| lanes.iter().sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wengert_tensor::parallel::with_threads;

    #[derive(Clone, Copy)]
    struct Mix;
    impl Update<f32, 3, 2> for Mix {
        #[inline(always)]
        fn apply<I: Isa>(&self, p: f32, g: f32, [a, b, c]: [f32; 3]) -> (f32, [f32; 3], [f32; 2]) {
            (p + g, [a + 1.0, b + g, c * 2.0], [p, g * g])
        }
    }

    #[test]
    fn every_element_is_updated_once_at_all_lengths() {
        for len in (0..=2 * BLOCK + 1).chain([CHUNK - 1, CHUNK, CHUNK + 1, PARALLEL_THRESHOLD * 20 + 77]) {
            let grads: Vec<f32> = (0..len).map(|i| (i % 97) as f32).collect();
            let start: Vec<f32> = (0..len).map(|i| (i % 13) as f32).collect();
            let run = |threads| {
                with_threads(threads, || {
                    let (mut p, mut a, mut b, mut c) =
                        (start.clone(), start.clone(), start.clone(), start.clone());
                    let sums = update(&mut p, &grads, [&mut a, &mut b, &mut c], Mix);
                    (p, a, b, c, sums.map(f64::to_bits))
                })
            };
            let one = run(1);
            assert!(one == run(2) && one == run(3), "{len}: depends on the number of threads");
            for i in 0..len {
                let (s, g) = (start[i], grads[i]);
                assert_eq!((one.0[i], one.1[i], one.2[i], one.3[i]), (s + g, s + 1.0, s + g, s * 2.0));
            }
            let exact = [start.iter().map(|&x| f64::from(x)).sum::<f64>(), sum_of_squares(&grads)];
            assert_eq!(one.4.map(f64::from_bits), exact);
            assert_eq!(exact[1], grads.iter().map(|&g| f64::from(g).powi(2)).sum::<f64>());
        }
    }
}

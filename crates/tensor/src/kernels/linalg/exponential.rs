use super::{LinalgError, Lu, check_square};
use crate::array::element::Float;
use crate::compiled_here;
use crate::kernels::gemm::{MatrixMut, MatrixRef, gemm};

/// The coefficients of the Padé approximant of degree 13 (Higham, "The scaling and squaring method for the matrix
/// exponential revisited", 2005), over the last.
const PADE: [f64; 14] = [
    64764752532480000.0,
    32382376266240000.0,
    7771770303897600.0,
    1187353796428800.0,
    129060195264000.0,
    10559470521600.0,
    670442572800.0,
    33522128640.0,
    1323241920.0,
    40840800.0,
    960960.0,
    16380.0,
    182.0,
    1.0,
];

/// Up to this 1-norm that approximant is as good as double precision.
const LARGEST_NORM: f64 = 5.371920351148152;

/// e^A of an n × n matrix, by scaling, a Padé approximant of degree 13, and squaring.
///
/// ```
/// use wengert_tensor::linalg::exponential;
///
/// let rotation = exponential(&[0.0f64, -1.0, 1.0, 0.0], 2).unwrap();
/// assert!((rotation[0] - 1f64.cos()).abs() < 1e-15 && (rotation[2] - 1f64.sin()).abs() < 1e-15);
/// ```
///
/// # Errors
/// [`NotFinite`](LinalgError::NotFinite).
///
/// # Panics
/// If `a` has not n² elements.
#[track_caller]
pub fn exponential<T: Float>(a: &[T], n: usize) -> Result<Vec<T>, LinalgError> {
    check_square("matrix_exp", a, n);
    if !a.iter().all(|x| x.is_finite()) {
        return Err(LinalgError::NotFinite);
    }
    scaled_and_squared(a, n)
}

compiled_here! {
    fn scaled_and_squared<T: Float>(a: &[T], n: usize) -> Result<Vec<T>, LinalgError> {
        let column = |j: usize| a.iter().skip(j).step_by(n).map(|x| x.to_f64().abs()).sum::<f64>();
        let norm = (0..n).map(column).fold(0.0, f64::max);
        let squarings = (norm / LARGEST_NORM).log2().ceil().clamp(0.0, 1100.0);
        let scale = T::from_f64((-squarings).exp2());
        let a: Vec<T> = a.iter().map(|&x| x * scale).collect();
        let product = |x: &[T], y: &[T]| {
            let mut xy = vec![T::ZERO; n * n];
            let [x, y] = [x, y].map(|m| MatrixRef::row_major(m, [n, n]));
            gemm(T::ONE, x, y, T::ZERO, MatrixMut::row_major(&mut xy, [n, n]));
            xy
        };
        let a2 = product(&a, &a);
        let a4 = product(&a2, &a2);
        let a6 = product(&a4, &a2);
        // Relative to the coefficient of the identity, so that single precision holds them.
        let sum = |identity: usize, second: usize, fourth: usize, sixth: usize| -> Vec<T> {
            let b = [identity, second, fourth, sixth].map(|i| match i {
                usize::MAX => T::ZERO,
                i => T::from_f64(PADE[i] / PADE[0]),
            });
            let mut sum: Vec<T> = (0..n * n).map(|k| b[1] * a2[k] + b[2] * a4[k] + b[3] * a6[k]).collect();
            sum.iter_mut().step_by(n + 1).for_each(|d| *d += b[0]);
            sum
        };
        let plus = |mut x: Vec<T>, y: Vec<T>| {
            x.iter_mut().zip(y).for_each(|(x, y)| *x += y);
            x
        };
        const NONE: usize = usize::MAX;
        let odd = product(&a, &plus(product(&a6, &sum(NONE, 9, 11, 13)), sum(1, 3, 5, 7)));
        let even = plus(product(&a6, &sum(NONE, 8, 10, 12)), sum(0, 2, 4, 6));
        // e^A ≈ (V − U)⁻¹ (V + U).
        let denominator: Vec<T> = even.iter().zip(&odd).map(|(&v, &u)| v - u).collect();
        let mut power = Lu::new(denominator, n, n)?.solve(&plus(even, odd), n)?;
        for _ in 0..squarings as u32 {
            power = product(&power, &power);
        }
        Ok(power)
    }
}

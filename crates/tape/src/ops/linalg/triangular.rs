use wengert_tensor::linalg::{LinalgError, Triangle, solve_triangular};
use wengert_tensor::{Float, Tensor};

use super::MatrixError;
use super::matrices::{self, each, expect, with_one_batch};
use crate::describe::Attributes;
use crate::op::{Cotangents, Op, Point, Saves, apply, rules_compiled_here};
use crate::var::Var;

/// M⁻¹ B of A, of which M is a triangle, and B.
#[derive(Clone, Copy)]
struct SolveTriangular(Triangle);

/// M⁻¹ B, for matrices and right-hand sides of one batch.
pub(super) fn solve_triangle<T: Float>(a: &Var<T>, triangle: Triangle, b: &Var<T>) -> Var<T> {
    apply(SolveTriangular(triangle), &[a, b])
}

/// The lower triangle.
pub(super) const LOWER: Triangle = Triangle { upper: false, transposed: false, unit: false };
/// The transpose of the lower triangle.
pub(super) const LOWER_TRANSPOSED: Triangle = Triangle { transposed: true, ..LOWER };
/// The upper triangle.
pub(super) const UPPER: Triangle = Triangle { upper: true, ..LOWER };

/// The part of `x` that a triangle reads.
fn part<T: Float>(x: &Var<T>, triangle: Triangle) -> Var<T> {
    let inside = isize::from(triangle.unit);
    if triangle.upper { x.triu(inside) } else { x.tril(-inside) }
}

impl<T: Float> Op<T> for SolveTriangular {
    fn name(&self) -> &str {
        "solve_triangular"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("upper", self.0.upper);
        attributes.set("transposed", self.0.transposed);
        attributes.set("unit", self.0.unit);
    }
    #[track_caller]
    fn forward(&self, inputs: &[&Tensor<T>]) -> Tensor<T> {
        let size @ [n, columns] = matrices::size("solve_triangular", inputs[1].shape());
        let triangle = self.0;
        expect(each("solve_triangular", [inputs[0], inputs[1]], size, &move |[a, b], x| {
            x.copy_from_slice(b);
            solve_triangular(a, n, triangle, x, columns);
            Ok(())
        }))
    }
    /// B̄ = M⁻ᵀ X̄, M̄ = −B̄ Xᵀ, and Ā is the part of it that is read.
    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let transposed = Triangle { transposed: !self.0.transposed, ..self.0 };
        let of_b = solve_triangle(at.input(0), transposed, cotangent);
        into.add(0, || {
            let x = at.output();
            -part(
                &if self.0.transposed { x.full_matmul(&of_b.t()) } else { of_b.full_matmul(&x.t()) },
                self.0,
            )
        });
        into.add(1, || of_b);
    }
    /// Ẋ = M⁻¹ (Ḃ − Ṁ X).
    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        let moved = tangents[0].as_ref().map(|t| {
            let t = part(t, self.0);
            (if self.0.transposed { t.t() } else { t }).full_matmul(at.output())
        });
        let right = match (&tangents[1], moved) {
            (Some(b), Some(moved)) => b - moved,
            (Some(b), None) => b.clone(),
            (None, Some(moved)) => -moved,
            (None, None) => return None,
        };
        Some(solve_triangle(at.input(0), self.0, &right))
    }
    fn saves(&self) -> Saves {
        Saves::ALL
    }
    rules_compiled_here!(SolveTriangular);
}

/// The first matrix with a 0 on its diagonal.
fn check_diagonal<T: Float>(a: &Tensor<T>) -> Result<(), MatrixError> {
    let n = a.dim(-1);
    let singular = |[a]: [&[T]; 1], _: &mut [T]| match (0..n).find(|&i| a[i * n + i] == T::ZERO) {
        Some(row) => Err(LinalgError::Singular { row }),
        None => Ok(()),
    };
    each("solve_triangular", [a], [0, 0], &singular).map(drop)
}

impl<T: Float> Var<T> {
    /// M⁻¹ B for the triangular matrices M that `triangle` takes out of the last two axes of `self` (what is outside the
    /// triangle is not read), and `b` of shape `[…, n, k]` or a vector `[n]`; the leading axes of both broadcast.
    ///
    /// ```
    /// use wengert_tape::{Triangle, Var};
    /// let l = Var::from([[2.0, 0.0], [1.0, 4.0]]);
    /// let x = l.solve_triangular(Triangle::default(), &Var::from([2.0, 9.0]))?;
    /// assert_eq!(x.value().to_vec(), [1.0, 2.0]);
    /// # Ok::<(), wengert_tape::MatrixError>(())
    /// ```
    ///
    /// # Errors
    /// If there is a 0 on a diagonal that is not taken for ones.
    ///
    /// # Panics
    /// If the matrices are not square, or `b` has another number of rows or a batch that does not broadcast.
    #[doc(alias = "linalg.solve_triangular")]
    #[track_caller]
    pub fn solve_triangular(&self, triangle: Triangle, b: &Var<T>) -> Result<Var<T>, MatrixError> {
        let n = matrices::square("solve_triangular", self.shape());
        if b.rank() == 1 {
            return Ok(self.solve_triangular(triangle, &b.unsqueeze(1))?.squeeze(-1));
        }
        let [rows, _] = matrices::size("solve_triangular", b.shape());
        let shapes = (self.shape(), b.shape());
        assert!(
            rows == n,
            "solve_triangular: shapes {} and {} have different numbers of rows",
            shapes.0,
            shapes.1
        );
        if !triangle.unit {
            check_diagonal(self.value())?;
        }
        let (a, b) = with_one_batch("solve_triangular", self, b);
        Ok(solve_triangle(&a, triangle, &b))
    }
}

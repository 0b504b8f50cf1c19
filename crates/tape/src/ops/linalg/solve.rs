use wengert_tensor::{Float, Tensor};

use super::MatrixError;
use super::factors::{factors, solved};
use super::matrices::{self, with_one_batch};
use crate::describe::Attributes;
use crate::op::{Cotangents, Op, Point, Saves, apply, rules_compiled_here};
use crate::var::Var;

/// A⁻¹ B, or A⁻ᵀ B, of A, B and the factors of A.
#[derive(Clone, Copy)]
struct Solve {
    transposed: bool,
}

/// A⁻¹ B, or A⁻ᵀ B.
pub(super) fn solve_with_factors<T: Float>(
    a: &Var<T>,
    b: &Var<T>,
    factors: &Var<T>,
    transposed: bool,
) -> Var<T> {
    apply(Solve { transposed }, &[a, b, factors])
}

impl<T: Float> Op<T> for Solve {
    fn name(&self) -> &str {
        "solve"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("transposed", self.transposed);
    }
    #[track_caller]
    fn forward(&self, inputs: &[&Tensor<T>]) -> Tensor<T> {
        solved("solve", inputs[2], inputs[1], self.transposed)
    }
    /// For A X = B: B̄ = A⁻ᵀ X̄ and Ā = −B̄ Xᵀ.
    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let [a, factors] = [0, 2].map(|i| at.input(i));
        let of_b = solve_with_factors(a, cotangent, factors, !self.transposed);
        into.add(0, || match self.transposed {
            false => -of_b.full_matmul(&at.output().t()),
            true => -at.output().full_matmul(&of_b.t()),
        });
        into.add(1, || of_b);
    }
    /// Ẋ = A⁻¹ (Ḃ − Ȧ X).
    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        let moved = tangents[0].as_ref().map(|t| match self.transposed {
            false => t.full_matmul(at.output()),
            true => t.t().full_matmul(at.output()),
        });
        let right = match (&tangents[1], moved) {
            (Some(b), Some(moved)) => b - moved,
            (Some(b), None) => b.clone(),
            (None, Some(moved)) => -moved,
            (None, None) => return None,
        };
        Some(solve_with_factors(at.input(0), &right, at.input(2), self.transposed))
    }
    fn saves(&self) -> Saves {
        Saves::ALL
    }
    rules_compiled_here!(Solve);
}

impl<T: Float> Var<T> {
    /// A⁻¹ B: the X with A X = B, for square matrices A in the last two axes of `self`, by LU factorisation with partial
    /// pivoting. `b` is `[…, n, k]`, or a vector `[n]`; the leading axes of both broadcast. One matrix for many right-hand
    /// sides is factored once.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let a = Var::from([[3.0f64, 1.0], [1.0, 2.0]]);
    /// let x = a.solve(&Var::from([9.0, 8.0]))?;
    /// assert!((x - Var::from([2.0, 3.0])).abs().max().item() < 1e-15);
    /// let error = Var::from([[1.0, 2.0], [2.0, 4.0]]).solve(&Var::from([1.0, 1.0])).unwrap_err();
    /// assert_eq!(error.to_string(), "solve: the matrix is singular (row 1)");
    /// # Ok::<(), wengert_tape::MatrixError>(())
    /// ```
    ///
    /// # Errors
    /// If a matrix is singular to working precision or not finite.
    ///
    /// # Panics
    /// If the matrices are not square, or `b` has another number of rows or a batch that does not broadcast.
    #[doc(alias = "linalg.solve")]
    #[track_caller]
    pub fn solve(&self, b: &Var<T>) -> Result<Var<T>, MatrixError> {
        let n = matrices::square("solve", self.shape());
        if b.rank() == 1 {
            return Ok(self.solve(&b.unsqueeze(1))?.squeeze(-1));
        }
        let [rows, columns] = matrices::size("solve", b.shape());
        assert!(rows == n, "solve: shapes {} and {} have different numbers of rows", self.shape(), b.shape());
        if self.rank() == 2 && b.rank() > 2 {
            // The right-hand sides of a whole batch side by side.
            let last = b.rank() - 1;
            let rows_first: Vec<usize> = [last - 1].into_iter().chain(0..last - 1).chain([last]).collect();
            let b_first = b.permute(&rows_first[..]);
            let wide = b_first.reshape([n, b.len() / n.max(1)]);
            let wide = if n == 0 { b_first.reshape([0, columns]) } else { wide };
            let x = self.solve(&wide)?.reshape(b_first.shape());
            let back: Vec<usize> = (1..last).chain([0, last]).collect();
            return Ok(x.permute(&back[..]));
        }
        let (a, b) = with_one_batch("solve", self, b);
        let factors = factors("solve", &a, true)?;
        Ok(solve_with_factors(&a, &b, &factors, false))
    }
}

use wengert_tensor::linalg::{Lu, Triangle};
use wengert_tensor::{Float, Shape, Tensor};

use super::MatrixError;
use super::inverse::identities;
use super::matrices::{self, each, expect, of_size};
use super::triangular::{LOWER, UPPER, solve_triangle};
use crate::class::{Decision, Piecewise, PiecewiseOp, decision};
use crate::data::{Data, Index};
use crate::describe::Attributes;
use crate::op::{Cotangents, Op, Point, Saves, apply, apply_known, is_constant, rules_compiled_here};
use crate::profile::Timing;
use crate::var::Var;

/// A = P L U of m × n matrices, with k = min(m, n).
///
/// ```
/// use wengert_tape::{LuFactors, Var};
/// let a = Var::from([[0.0f64, 2.0], [4.0, 1.0]]);
/// let LuFactors { p, l, u, .. } = a.lu()?;
/// assert_eq!(p.matmul(&l.matmul(&u)).value().to_vec(), a.value().to_vec());
/// # Ok::<(), wengert_tape::MatrixError>(())
/// ```
#[derive(Clone)]
pub struct LuFactors<T: Float> {
    /// The permutations, m × m.
    pub p: Var<T>,
    /// Lower triangular with ones on the diagonal, m × k.
    pub l: Var<T>,
    /// Upper triangular, k × n.
    pub u: Var<T>,
    /// For each element of A in the order of P⁻¹A the row it is in: `a.gather(-2, rows)` is L U.
    pub rows: Index<T>,
}

/// The packed factors of P A = L U and, in a last column, the order of the rows of A: `[…, m, n + 1]`. They have no derivative:
/// what is made of them is given A's rows in order too, and has its whole derivative there.
#[derive(Clone)]
struct Pivoted;

impl Pivoted {
    #[track_caller]
    fn value<T: Float>(a: &Tensor<T>) -> Result<Tensor<T>, MatrixError> {
        let [m, n] = matrices::size("lu", a.shape());
        each("lu", [a], [m, n + 1], &move |[a], out| {
            let lu = Lu::new(a.to_vec(), m, n)?;
            for (i, (out, &row)) in out.chunks_exact_mut(n + 1).zip(lu.order()).enumerate() {
                out[..n].copy_from_slice(&lu.packed()[i * n..][..n]);
                out[n] = T::from_usize(row as usize);
            }
            Ok(())
        })
    }
}

impl<T: Float> Piecewise<T> for Pivoted {
    fn name(&self) -> &str {
        "lu_pivoted"
    }
    #[track_caller]
    fn forward(&self, inputs: &[&Tensor<T>]) -> Tensor<T> {
        expect(Pivoted::value(inputs[0]))
    }
    fn output_shape(&self, _: &[&Shape]) -> Option<Shape> {
        None
    }
    rules_compiled_here!(Pivoted in PiecewiseOp);
}

/// The order in which partial pivoting takes the rows, repeated for each of `columns` columns.
struct PivotOrder {
    columns: usize,
}

impl<T: Float> Decision<T> for PivotOrder {
    type Element = u32;
    fn name(&self) -> &str {
        "pivot_order"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("columns", self.columns);
    }
    fn forward(&self, inputs: &[&Tensor<T>], _: &[&Data<T>]) -> Tensor<u32> {
        let order = inputs[0].slice_axis(-1, -1..);
        let numbers: Vec<u32> = order.to_vec().into_iter().map(|row| row.to_f64() as u32).collect();
        let repeated = of_size(matrices::batch(order.shape()), [order.dim(-2), self.columns]);
        Tensor::vector(&numbers).reshape(order.shape()).broadcast_to(repeated)
    }
    rules_compiled_here!(PivotOrder in DecisionOp);
}

/// L below the diagonal and U on and above it, of square matrices whose rows are in order, which are the first input: taken from
/// what [`Pivoted`] holds, the second.
struct Packed;

impl<T: Float> Op<T> for Packed {
    fn name(&self) -> &str {
        "lu"
    }
    #[track_caller]
    fn forward(&self, inputs: &[&Tensor<T>]) -> Tensor<T> {
        let k = matrices::square("lu", inputs[0].shape()) as isize;
        inputs[1].slice_axis(-2, ..k).slice_axis(-1, ..k).contiguous()
    }
    /// Ā = L⁻ᵀ (tril(LᵀL̄, −1) + triu(Ū Uᵀ)) U⁻ᵀ.
    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        into.add(0, || {
            let packed = at.output();
            let (l, u) = (unit_lower(packed), packed.triu(0));
            let inner = l.t().full_matmul(&cotangent.tril(-1)).tril(-1)
                + cotangent.triu(0).full_matmul(&u.t()).triu(0);
            let lower_transposed = Triangle { unit: true, transposed: true, ..LOWER };
            let left = solve_triangle(packed, lower_transposed, &inner);
            solve_triangle(packed, UPPER, &left.t()).t()
        });
    }
    fn saves(&self) -> Saves {
        Saves::OUTPUT
    }
    rules_compiled_here!(Packed);
}

/// What is below the diagonal, and ones on it.
fn unit_lower<T: Float>(packed: &Var<T>) -> Var<T> {
    packed.tril(-1) + identities(packed)
}

impl<T: Float> Var<T> {
    /// A = P L U of the m × n matrices in the last two axes, by partial pivoting. The derivatives want the first min(m, n) rows
    /// and columns of P⁻¹A to be invertible; P has none.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let a = Var::from([[1.0f64, 2.0], [4.0, 2.0]]);
    /// let lu = a.lu()?;
    /// assert_eq!(lu.u.value().to_vec(), [4.0, 2.0, 0.0, 1.5]);
    /// assert_eq!(lu.p.matmul(&lu.l).matmul(&lu.u).value().to_vec(), a.value().to_vec());
    /// # Ok::<(), wengert_tape::MatrixError>(())
    /// ```
    ///
    /// # Errors
    /// If a matrix is not finite.
    ///
    /// # Panics
    /// If there are fewer than two axes.
    #[doc(alias = "linalg.lu")]
    #[doc(alias = "lu_factor")]
    #[doc(alias = "lu_unpack")]
    #[track_caller]
    pub fn lu(&self) -> Result<LuFactors<T>, MatrixError> {
        let [m, n] = matrices::size("lu", self.shape());
        let batch = matrices::batch(self.shape());
        let timing = Timing::start();
        let value = Pivoted::value(self.value())?;
        timing.named::<T>("lu_pivoted", &[self.shape()], value.shape());
        let factors = apply_known(PiecewiseOp(Pivoted), &[self], &[], value);
        let order = |columns| decision(PivotOrder { columns }, &[&factors], &[]);
        let rows = order(n);
        // Whole rows, where all matrices have the same order, as one has.
        let ordered = |x: &Var<T>, columns: usize| match batch {
            [] => x.index_select(0, order(1).reshape([m])),
            _ => x.gather(-2, order(columns)),
        };
        let p = ordered(&Var::constant(Tensor::eye(m)).broadcast_to(of_size(batch, [m, m])), m).t();
        let k = m.min(n);
        let top_and_low = || {
            let ordered = ordered(self, n);
            [ordered.slice_axis(-2, ..k as isize), ordered.slice_axis(-2, k as isize..)]
        };
        // Of a square matrix of which nothing is recorded, the factors are all that is needed.
        let [top, low] =
            if m == n && is_constant(&[self], &[]) { [(); 2].map(|()| self.clone()) } else { top_and_low() };
        let packed = apply(Packed, &[&top.slice_axis(-1, ..k as isize), &factors]);
        // Below the square L is A U⁻¹, right of it U is L⁻¹ A.
        let mut l = unit_lower(&packed);
        if m > n {
            let transposed = Triangle { transposed: true, ..UPPER };
            l = Var::cat(&[l, solve_triangle(&packed, transposed, &low.t()).t()], -2);
        }
        let mut u = packed.triu(0);
        if n > m {
            let unit = Triangle { unit: true, ..LOWER };
            u = Var::cat(&[u, solve_triangle(&packed, unit, &top.slice_axis(-1, k as isize..))], -1);
        }
        Ok(LuFactors { p, l, u, rows })
    }
}

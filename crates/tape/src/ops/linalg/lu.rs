use wengert_tensor::linalg::{Lu, Triangle};
use wengert_tensor::{Float, Tensor};

use super::MatrixError;
use super::inverse::identities;
use super::matrices::{self, each, expect, of_size};
use super::triangular::{LOWER, UPPER, solve_triangle};
use crate::class::{Decision, DecisionOp};
use crate::data::{Data, Index};
use crate::op::{Cotangents, Op, Point, Saves, apply, decide_known, rules_compiled_here};
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

/// The order in which partial pivoting takes the rows, repeated for each of `columns` columns.
struct PivotOrder {
    columns: usize,
}

/// That order, `[…, m, 1]`.
#[track_caller]
fn pivot_order<T: Float>(a: &Tensor<T>) -> Result<Tensor<u32>, MatrixError> {
    let [m, n] = matrices::size("lu", a.shape());
    let rows = each("lu", [a], [m, 1], &move |[a], out| {
        let lu = Lu::new(a.to_vec(), m, n)?;
        out.iter_mut().zip(lu.order()).for_each(|(out, &row)| *out = T::from_usize(row as usize));
        Ok(())
    })?;
    let numbers: Vec<u32> = rows.to_vec().into_iter().map(|row| row.to_f64() as u32).collect();
    Ok(Tensor::vector(&numbers).reshape(rows.shape()))
}

impl PivotOrder {
    #[track_caller]
    fn repeated(&self, order: &Tensor<u32>) -> Tensor<u32> {
        order.broadcast_to(of_size(matrices::batch(order.shape()), [order.dim(-2), self.columns]))
    }

    /// The function of `a` whose value is known from the order.
    fn known<T: Float>(self, a: &Var<T>, order: &Tensor<u32>) -> Index<T> {
        let value = Data::Index(self.repeated(order));
        decide_known(DecisionOp(self), &[a], &[], value).to_index()
    }
}

impl<T: Float> Decision<T> for PivotOrder {
    type Element = u32;
    fn name(&self) -> &str {
        "pivot_order"
    }
    #[track_caller]
    fn forward(&self, inputs: &[&Tensor<T>], _: &[&Data<T>]) -> Tensor<u32> {
        self.repeated(&pivot_order(inputs[0]).unwrap_or_else(|error| panic!("{error}")))
    }
    rules_compiled_here!(PivotOrder in DecisionOp);
}

/// L below the diagonal and U on and above it, of square matrices whose rows are in order.
struct Packed;

impl<T: Float> Op<T> for Packed {
    fn name(&self) -> &str {
        "lu"
    }
    #[track_caller]
    fn forward(&self, inputs: &[&Tensor<T>]) -> Tensor<T> {
        let n = matrices::square("lu", inputs[0].shape());
        expect(each("lu", [inputs[0]], [n, n], &|[a], out| {
            out.copy_from_slice(Lu::in_order(a.to_vec(), n)?.packed());
            Ok(())
        }))
    }
    /// Ā = L⁻ᵀ (tril(LᵀL̄, −1) + triu(Ū Uᵀ)) U⁻ᵀ.
    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        into.add(0, || {
            let packed = at.output();
            let (l, u) = (unit_lower(packed), packed.triu(0));
            let inner = l.t().matmul(&cotangent.tril(-1)).tril(-1) + cotangent.triu(0).matmul(&u.t()).triu(0);
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
        let order = pivot_order(self.value())?;
        let rows = PivotOrder { columns: n }.known(self, &order);
        let columns = PivotOrder { columns: m }.known(self, &order);
        let eye = Var::constant(Tensor::eye(m)).broadcast_to(of_size(batch, [m, m]));
        let p = eye.gather(-2, columns).t();
        let ordered = self.gather(-2, &rows);
        let k = m.min(n);
        let [top, low] = [ordered.slice_axis(-2, ..k as isize), ordered.slice_axis(-2, k as isize..)];
        let packed = apply(Packed, &[&top.slice_axis(-1, ..k as isize)]);
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

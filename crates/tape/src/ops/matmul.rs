//! Matrix products.

use wengert_tensor::gemm::with_full_products;
use wengert_tensor::{Float, Shape, Tensor, matmul_shape};

use crate::class::BilinearMap;
use crate::describe::Attributes;
use crate::op::rules_compiled_here;
use crate::var::Var;

/// The product over the last two axes of operands with at least two each.
#[derive(Clone)]
struct Matmul {
    /// Whether it has full precision also where products are rounded ([`with_full_products`]).
    full: bool,
}

impl Matmul {
    #[track_caller]
    fn of<T: Float>(&self, a: &Var<T>, b: &Var<T>) -> Var<T> {
        a.bilinear(self.clone(), b)
    }

    /// Calls what multiplies tensors.
    fn precisely<R>(&self, multiply: impl FnOnce() -> R) -> R {
        if self.full { with_full_products(multiply) } else { multiply() }
    }
}

impl<T: Float> BilinearMap<T> for Matmul {
    fn name(&self) -> &str {
        "matmul"
    }

    fn describe(&self, attributes: &mut Attributes) {
        if self.full {
            attributes.set("full", true);
        }
    }

    #[track_caller]
    fn forward(&self, a: &Tensor<T>, b: &Tensor<T>) -> Tensor<T> {
        // Not in a closure, whose panics would not be at the caller's line.
        if self.full { with_full_products(|| a.matmul(b)) } else { a.matmul(b) }
    }

    fn left(&self, cotangent: &Var<T>, b: &Var<T>, _: &Shape) -> Var<T> {
        self.of(cotangent, &b.t())
    }

    fn right(&self, cotangent: &Var<T>, a: &Var<T>, b: &Shape) -> Var<T> {
        // One matrix for a whole batch: the batch is more rows, and its sum part of the product.
        if b.len() == 2 && a.rank() > 2 {
            let rows = |v: &Var<T>| v.reshape(as_rows(v.shape()));
            return self.of(&rows(a).t(), &rows(cotangent));
        }
        self.of(&a.t(), cotangent)
    }

    fn add_left(&self, cotangent: &Tensor<T>, b: &Tensor<T>, into: &mut Tensor<T>) {
        self.precisely(|| add_product(cotangent, &b.t(), into));
    }

    fn add_right(&self, cotangent: &Tensor<T>, a: &Tensor<T>, into: &mut Tensor<T>) {
        if into.rank() == 2 && a.rank() > 2 {
            let rows = |t: &Tensor<T>| t.reshape(as_rows(t.shape()));
            return self.precisely(|| add_product(&rows(a).t(), &rows(cotangent), into));
        }
        self.precisely(|| add_product(&a.t(), cotangent, into));
    }

    fn right_factors(&self, cotangent: &Tensor<T>, a: &Tensor<T>) -> Option<[Tensor<T>; 2]> {
        (!self.full && a.rank() == 2 && cotangent.rank() == 2).then(|| [a.t(), cotangent.clone()])
    }

    fn tangent(&self, [a, b]: [&Tensor<T>; 2], [t_a, t_b]: [&Tensor<T>; 2]) -> Tensor<T> {
        self.precisely(|| {
            let mut sum = t_a.matmul(b);
            sum.add_matmul(1.0, a, t_b, 1.0);
            sum
        })
    }

    fn output_shape(&self, a: &Shape, b: &Shape) -> Option<Shape> {
        Some(matmul_shape(a, b))
    }
    rules_compiled_here!(Matmul in BilinearOp);
}

/// All axes but the last as one, also where the last is empty.
fn as_rows(shape: &Shape) -> [usize; 2] {
    let (last, others) = shape.split_last().expect("matrices have axes");
    [others.iter().product(), *last]
}

/// `into ← into + a·b`, summed over a batch that `into` does not have.
fn add_product<T: Float>(a: &Tensor<T>, b: &Tensor<T>, into: &mut Tensor<T>) {
    if &matmul_shape(a.shape(), b.shape()) == into.shape() {
        into.add_matmul(1.0, a, b, 1.0);
    } else {
        *into += &a.matmul(b).sum_to(&into.shape().clone());
    }
}

impl<T: Float> Var<T> {
    /// The matrix product over the last two axes, with any leading axes broadcast as a batch. A vector counts as
    /// a row on the left and as a column on the right, and its axis goes away from the result.
    ///
    /// # Panics
    /// If an operand has no axes, the inner dimensions differ or the batches do not broadcast.
    #[doc(alias = "mm")]
    #[doc(alias = "bmm")]
    #[doc(alias = "mv")]
    #[doc(alias = "addmm")]
    #[doc(alias = "baddbmm")]
    #[track_caller]
    pub fn matmul(&self, other: &Var<T>) -> Var<T> {
        self.multiplied(other, Matmul { full: false })
    }

    /// [`matmul`](Var::matmul) in full precision, for formulas whose factors nobody has asked to round.
    #[track_caller]
    pub(crate) fn full_matmul(&self, other: &Var<T>) -> Var<T> {
        self.multiplied(other, Matmul { full: true })
    }

    #[track_caller]
    fn multiplied(&self, other: &Var<T>, product: Matmul) -> Var<T> {
        if self.rank() >= 2 && other.rank() >= 2 {
            return product.of(self, other);
        }
        let shape = matmul_shape(self.shape(), other.shape());
        let row = if self.rank() == 1 { self.unsqueeze(0) } else { self.clone() };
        let column = if other.rank() == 1 { other.unsqueeze(1) } else { other.clone() };
        product.of(&row, &column).reshape(shape)
    }

    /// The sum of the products of two vectors' elements.
    ///
    /// # Panics
    /// If the operands are not vectors of the same length.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// assert_eq!(Var::from([1.0f64, 2.0]).dot(&Var::from([3.0, 4.0])).item(), 11.0);
    /// ```
    #[doc(alias = "vdot")]
    #[track_caller]
    pub fn dot(&self, other: &Var<T>) -> Var<T> {
        assert!(
            self.rank() == 1 && self.shape() == other.shape(),
            "dot: shapes {} and {} are not vectors of the same length",
            self.shape(),
            other.shape()
        );
        self.matmul(other)
    }

    /// The matrix of the products of two vectors' elements.
    ///
    /// # Panics
    /// If an operand is not a vector.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let table = Var::from([1.0f64, 2.0]).outer(&Var::from([3.0, 4.0]));
    /// assert_eq!(table.value().to_vec(), [3.0, 4.0, 6.0, 8.0]);
    /// ```
    #[doc(alias = "ger")]
    #[track_caller]
    pub fn outer(&self, other: &Var<T>) -> Var<T> {
        assert!(
            self.rank() == 1 && other.rank() == 1,
            "outer: shapes {} and {} are not both vectors",
            self.shape(),
            other.shape()
        );
        self.unsqueeze(1) * other.unsqueeze(0)
    }
}

//! Borders.

use wengert_tape::{PadMode, Var};
use wengert_tensor::Float;

use crate::ctx::Ctx;
use crate::layer::extents::named;
use crate::layer::{Layer, Sides};

/// A layer that adds a border of one kind.
macro_rules! border {
    (
        $(#[$doc:meta])* $Name:ident, $mode:expr;
        $(#[$doc1:meta])* $Name1:ident, $(#[$doc2:meta])* $Name2:ident, $(#[$doc3:meta])* $Name3:ident
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct $Name<const D: usize> {
            sides: Sides<D>,
        }

        $(#[$doc1])*
        pub type $Name1 = $Name<1>;
        $(#[$doc2])*
        pub type $Name2 = $Name<2>;
        $(#[$doc3])*
        pub type $Name3 = $Name<3>;

        impl<const D: usize> $Name<D> {
            /// A border of this width on all sides, or of a pair of widths, before and after, for each axis in order (PyTorch
            /// begins with the last).
            pub fn new(sides: impl Into<Sides<D>>) -> Self {
                Self { sides: sides.into() }
            }
        }

        impl<T: Float, const D: usize> Layer<T> for $Name<D> {
            /// # Panics
            /// If the input does not have `D + 2` axes, or a border is wider than its kind allows.
            #[track_caller]
            fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
                let kind = named::<D>([stringify!($Name1), stringify!($Name2), stringify!($Name3)]);
                bordered(cx, kind, x, &self.sides, $mode)
            }
        }
    };
}

border! {
    /// A border of zeros round the last `D` axes of `[batch, channels, size…]`.
    ZeroPad, PadMode::Constant(0.0);
    /// Of sequences.
    #[doc(alias = "nn.ZeroPad1d")]
    ZeroPad1d,
    /// Of images.
    #[doc(alias = "nn.ZeroPad2d")]
    ZeroPad2d,
    /// Of volumes.
    #[doc(alias = "nn.ZeroPad3d")]
    ZeroPad3d
}

border! {
    /// The last `D` axes of `[batch, channels, size…]` mirrored at their ends, which are not repeated; narrower than the
    /// axis.
    ///
    /// ```
    /// use wengert_nn::{Layer, Params, ReflectionPad1d};
    /// use wengert_tape::Var;
    /// let params: Params = Params::seeded(0);
    /// let x = Var::from([1.0, 2.0, 3.0]).reshape([1, 1, 3]);
    /// let y = params.infer(|cx| ReflectionPad1d::new([[2, 1]]).forward(cx, &x));
    /// assert_eq!(y.value().to_vec(), [3.0, 2.0, 1.0, 2.0, 3.0, 2.0]);
    /// ```
    ReflectionPad, PadMode::Reflect;
    /// Of sequences.
    #[doc(alias = "nn.ReflectionPad1d")]
    ReflectionPad1d,
    /// Of images.
    #[doc(alias = "nn.ReflectionPad2d")]
    ReflectionPad2d,
    /// Of volumes.
    #[doc(alias = "nn.ReflectionPad3d")]
    ReflectionPad3d
}

border! {
    /// The ends of the last `D` axes of `[batch, channels, size…]` repeated.
    ReplicationPad, PadMode::Replicate;
    /// Of sequences.
    #[doc(alias = "nn.ReplicationPad1d")]
    ReplicationPad1d,
    /// Of images.
    #[doc(alias = "nn.ReplicationPad2d")]
    ReplicationPad2d,
    /// Of volumes.
    #[doc(alias = "nn.ReplicationPad3d")]
    ReplicationPad3d
}

border! {
    /// The last `D` axes of `[batch, channels, size…]` again before and after themselves; not wider than the axis.
    CircularPad, PadMode::Circular;
    /// Of sequences.
    #[doc(alias = "nn.CircularPad1d")]
    CircularPad1d,
    /// Of images.
    #[doc(alias = "nn.CircularPad2d")]
    CircularPad2d,
    /// Of volumes.
    #[doc(alias = "nn.CircularPad3d")]
    CircularPad3d
}

/// A border of one number round the last `D` axes of `[batch, channels, size…]`.
///
/// ```
/// use wengert_nn::{ConstantPad2d, Layer, Params};
/// use wengert_tape::Var;
/// let params: Params = Params::seeded(0);
/// let x = Var::ones([1, 1, 1, 1]);
/// let y = params.infer(|cx| ConstantPad2d::new([[0, 1], [1, 0]], 7.0).forward(cx, &x));
/// assert_eq!(y.value().to_vec(), [7.0, 1.0, 7.0, 7.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConstantPad<const D: usize> {
    sides: Sides<D>,
    value: f64,
}

/// Of sequences.
#[doc(alias = "nn.ConstantPad1d")]
pub type ConstantPad1d = ConstantPad<1>;
/// Of images.
#[doc(alias = "nn.ConstantPad2d")]
pub type ConstantPad2d = ConstantPad<2>;
/// Of volumes.
#[doc(alias = "nn.ConstantPad3d")]
pub type ConstantPad3d = ConstantPad<3>;

impl<const D: usize> ConstantPad<D> {
    /// A border of this width on all sides, or of a pair of widths, before and after, for each axis in order (PyTorch begins
    /// with the last).
    pub fn new(sides: impl Into<Sides<D>>, value: f64) -> Self {
        ConstantPad { sides: sides.into(), value }
    }
}

impl<T: Float, const D: usize> Layer<T> for ConstantPad<D> {
    /// # Panics
    /// If the input does not have `D + 2` axes, or the result has too many elements.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        let kind = named::<D>(["ConstantPad1d", "ConstantPad2d", "ConstantPad3d"]);
        bordered(cx, kind, x, &self.sides, PadMode::Constant(self.value))
    }
}

#[track_caller]
fn bordered<T: Float, const D: usize>(
    cx: &Ctx<T>,
    kind: &str,
    x: &Var<T>,
    sides: &Sides<D>,
    mode: PadMode,
) -> Var<T> {
    assert!(x.rank() == D + 2, "{kind}: {} does not have {} axes", x.shape(), D + 2);
    cx.enter(kind).leave(&[], x.pad_with(&sides.widths(), mode))
}

//! Convolutions with learned kernels.

mod border;
mod builder;
mod convolution;
mod transposed;

pub use builder::ConvBuilder;
pub(crate) use convolution::four_axes;
pub use convolution::{Conv, Conv1d, Conv2d, Conv3d};
pub use transposed::{
    ConvTranspose, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d, ConvTransposeBuilder,
};

/// The options of a [`Conv1d`] layer.
pub type Conv1dBuilder = ConvBuilder<1>;
/// The options of a [`Conv2d`] layer.
pub type Conv2dBuilder = ConvBuilder<2>;
/// The options of a [`Conv3d`] layer.
pub type Conv3dBuilder = ConvBuilder<3>;

use crate::init::Init;
use crate::layer::Extents;
use crate::params::{ParamId, Scope};
use wengert_tensor::Float;

/// Panics unless the channels are multiples of the groups.
#[track_caller]
fn check_groups(operation: &str, [inputs, outputs]: [usize; 2], groups: usize) {
    assert!(
        groups > 0 && inputs.is_multiple_of(groups) && outputs.is_multiple_of(groups),
        "{operation}: {inputs} input and {outputs} output channels are not multiples of {groups} groups"
    );
}

/// The options that both builders have.
macro_rules! options {
    ($Builder:ident) => {
        impl<const D: usize> $Builder<D> {
            /// Pixels from one tap of the kernel to the next. Default 1.
            #[must_use]
            pub fn dilation(mut self, dilation: impl Into<Extents<D>>) -> Self {
                self.options.dilation = dilation.into().0;
                self
            }

            /// Groups that input and output channels are split into: only channels of one group meet. Default 1.
            #[must_use]
            pub fn groups(mut self, groups: usize) -> Self {
                self.options.groups = groups;
                self
            }

            /// How the weight starts.
            #[must_use]
            pub fn weight(mut self, init: Init) -> Self {
                self.start.weight = init;
                self
            }

            /// How the bias starts.
            #[must_use]
            pub fn bias(mut self, init: Init) -> Self {
                self.start.bias = Some(Some(init));
                self
            }

            /// No bias.
            #[must_use]
            pub fn no_bias(mut self) -> Self {
                self.start.bias = None;
                self
            }
        }
    };
}
options!(ConvBuilder);
options!(ConvTransposeBuilder);

/// How weight and bias start.
#[derive(Clone, Debug)]
struct Start {
    weight: Init,
    /// Whether there is one, and how it starts if not as usual.
    bias: Option<Option<Init>>,
}

impl Default for Start {
    fn default() -> Self {
        Start { weight: Init::pytorch_weight(), bias: Some(None) }
    }
}

impl Start {
    /// The parameters: a weight `[first, second, kernel…]` and a bias of `channels`, which starts by the weight's fan in.
    #[track_caller]
    fn build<T: Float>(
        self,
        mut p: Scope<'_, T>,
        channels: [usize; 2],
        kernel: &[usize],
        outputs: usize,
    ) -> (ParamId, Option<ParamId>) {
        let shape: Vec<usize> = channels.iter().chain(kernel).copied().collect();
        let weight = p.param("weight", &shape[..], self.weight);
        // The parameter exists, so this product is that of a tensor's lengths.
        let fan_in = shape[1..].iter().product();
        let bias = self.bias.map(|init| init.unwrap_or_else(|| Init::pytorch_bias(fan_in)));
        (weight, p.optional("bias", &[outputs], bias))
    }
}

//! How parameters start.

mod fan;
mod nonlinearity;
mod orthogonal;
mod structured;

pub use fan::{Fan, fans};
pub use nonlinearity::Nonlinearity;

use wengert_tensor::random::Generator;
use wengert_tensor::{Float, Shape};

/// The initial values of a parameter tensor.
///
/// Kaiming's and Xavier's schemes count the numbers of inputs and outputs of a unit from the shape: see [`fans`].
///
/// ```
/// use wengert_nn::{Init, Params};
/// let mut params: Params = Params::seeded(0);
/// let weight = params.root().param("weight", [256, 784], Init::kaiming_normal());
/// let variance = params.slice(weight).iter().map(|w| w * w).sum::<f32>() / params.len() as f32;
/// assert!((variance * 784.0 / 2.0 - 1.0).abs() < 0.02);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Init {
    /// All 0.
    Zeros,
    /// All 1.
    Ones,
    /// All the same.
    Constant(f64),
    /// Uniform in [low, high).
    Uniform {
        /// The lower limit.
        low: f64,
        /// The upper limit.
        high: f64,
    },
    /// Normal.
    Normal {
        /// The mean.
        mean: f64,
        /// The standard deviation.
        std: f64,
    },
    /// Normal with mean 0, restricted to ±2 `std`. The standard deviation of what results is 0.88 `std`.
    TruncatedNormal {
        /// The standard deviation before the restriction.
        std: f64,
    },
    /// Normal, restricted to an interval: what PyTorch's `trunc_normal_` gives, whose limits are ±2 by default whatever the
    /// deviation.
    #[doc(alias = "trunc_normal_")]
    NormalWithin {
        /// The mean before the restriction.
        mean: f64,
        /// The standard deviation before the restriction.
        std: f64,
        /// The lower limit.
        low: f64,
        /// The upper limit.
        high: f64,
    },
    /// Uniform with mean 0 and standard deviation `gain` / √fan (He et al., "Delving deep into rectifiers", 2015).
    KaimingUniform {
        /// √2 for ReLU, 1 for a linear unit; see also [`Init::leaky_relu_gain`].
        gain: f64,
        /// What the variance is kept of.
        fan: Fan,
    },
    /// Normal with mean 0 and standard deviation `gain` / √fan (He et al., 2015).
    KaimingNormal {
        /// √2 for ReLU, 1 for a linear unit; see also [`Init::leaky_relu_gain`].
        gain: f64,
        /// What the variance is kept of.
        fan: Fan,
    },
    /// Uniform with mean 0 and standard deviation `gain` · √(2 / (fan in + fan out)) (Glorot & Bengio, "Understanding
    /// the difficulty of training deep feedforward neural networks", 2010).
    XavierUniform {
        /// 1 for linear units, 5/3 for tanh.
        gain: f64,
    },
    /// Normal with mean 0 and standard deviation `gain` · √(2 / (fan in + fan out)) (Glorot & Bengio, 2010).
    XavierNormal {
        /// 1 for linear units, 5/3 for tanh.
        gain: f64,
    },
    /// A random matrix with orthonormal rows or columns, whichever are fewer, times `gain`; uniformly distributed among
    /// those (Saxe, McClelland & Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep linear neural
    /// networks", 2014). Further axes count as columns.
    Orthogonal {
        /// The factor.
        gain: f64,
    },
    /// A matrix with ones on its diagonal, zeros elsewhere.
    #[doc(alias = "eye_")]
    Identity,
    /// A convolution that passes on as many channels as possible, for weights `[out, in / groups, kernel…]` with one to three
    /// axes of the kernel: 1 at the middle of the kernel from each channel to itself, in each group; 0 elsewhere.
    #[doc(alias = "dirac_")]
    Dirac {
        /// Groups that the output channels are split into.
        groups: usize,
    },
    /// A matrix whose columns have a part of zeros, rounded up, at random places, and are otherwise normal with mean 0
    /// (Martens, "Deep learning via Hessian-free optimization", 2010).
    #[doc(alias = "sparse_")]
    Sparse {
        /// The part of zeros in each column.
        sparsity: f64,
        /// The standard deviation of the others.
        std: f64,
    },
}

impl Init {
    /// [`Init::KaimingUniform`] for a layer followed by ReLU, by fan in.
    pub fn kaiming_uniform() -> Self {
        Init::KaimingUniform { gain: std::f64::consts::SQRT_2, fan: Fan::In }
    }

    /// [`Init::KaimingNormal`] for a layer followed by ReLU, by fan in.
    pub fn kaiming_normal() -> Self {
        Init::KaimingNormal { gain: std::f64::consts::SQRT_2, fan: Fan::In }
    }

    /// [`Init::XavierUniform`] with gain 1.
    pub fn xavier_uniform() -> Self {
        Init::XavierUniform { gain: 1.0 }
    }

    /// [`Init::XavierNormal`] with gain 1.
    pub fn xavier_normal() -> Self {
        Init::XavierNormal { gain: 1.0 }
    }

    /// The weights of PyTorch's linear and convolution layers: uniform in ±1/√(fan in), which is Kaiming's scheme with
    /// the gain for a leaky ReLU of slope √5.
    pub fn pytorch_weight() -> Self {
        Init::KaimingUniform { gain: Init::leaky_relu_gain(5f64.sqrt()), fan: Fan::In }
    }

    /// The biases of PyTorch's linear and convolution layers: uniform in ±1/√`fan_in`, `fan_in` being the weight's.
    ///
    /// ```
    /// use wengert_nn::{Init, Params};
    /// let mut params: Params<f64> = Params::seeded(0);
    /// params.root().param("bias", [1000], Init::pytorch_bias(25));
    /// assert!(params.values().iter().all(|b| b.abs() <= 0.2));
    /// ```
    pub fn pytorch_bias(fan_in: usize) -> Self {
        // A layer without inputs has a bias of 0, as in PyTorch.
        let bound = if fan_in == 0 { 0.0 } else { 1.0 / (fan_in as f64).sqrt() };
        Init::Uniform { low: -bound, high: bound }
    }

    /// The gain √(2 / (1 + slope²)) of a leaky ReLU (He et al., 2015, equation 15).
    pub fn leaky_relu_gain(slope: f64) -> f64 {
        (2.0 / (1.0 + slope * slope)).sqrt()
    }

    /// Fills the elements of a tensor of that shape.
    ///
    /// # Panics
    /// If the length of `out` is not that of the shape, if the shape has less than two axes where fans are needed or a
    /// matrix is made, or is none of a convolution for [`Init::Dirac`], or a limit, deviation or part is not finite or out of
    /// order.
    #[track_caller]
    pub fn fill<T: Float>(&self, shape: &Shape, out: &mut [T], generator: &mut Generator) {
        assert!(
            out.len() == shape.count(),
            "init: shape {shape} has {} elements, the slice {}",
            shape.count(),
            out.len()
        );
        match *self {
            Init::Zeros => out.fill(T::ZERO),
            Init::Ones => out.fill(T::ONE),
            Init::Constant(value) => out.fill(T::from_f64(value)),
            Init::Uniform { low, high } => uniform(out, low, high, generator),
            Init::KaimingUniform { gain, fan } => {
                let bound = 3f64.sqrt() * kaiming_std(shape, gain, fan);
                uniform(out, -bound, bound, generator);
            }
            Init::XavierUniform { gain } => {
                let bound = 3f64.sqrt() * xavier_std(shape, gain);
                uniform(out, -bound, bound, generator);
            }
            Init::Normal { mean, std } => normal(out, mean, std, generator),
            Init::KaimingNormal { gain, fan } => normal(out, 0.0, kaiming_std(shape, gain, fan), generator),
            Init::XavierNormal { gain } => normal(out, 0.0, xavier_std(shape, gain), generator),
            Init::TruncatedNormal { std } => {
                let limit = T::from_f64(2.0 * std);
                assert!(
                    T::from_f64(std) > T::ZERO && limit.is_finite(),
                    "init: the standard deviation {std} is not positive and finite"
                );
                generator.fill_truncated_normal(out, T::ZERO, T::from_f64(std), -limit, limit);
            }
            Init::NormalWithin { mean, std, low, high } => {
                let [mean, std, low, high] = [mean, std, low, high].map(T::from_f64);
                assert!(
                    mean.is_finite() && std.is_finite() && std > T::ZERO && low < high,
                    "init: a normal distribution of mean {mean} and standard deviation {std} within {low} and {high}"
                );
                generator.fill_truncated_normal(out, mean, std, low, high);
            }
            Init::Orthogonal { gain } => orthogonal::fill(shape, gain, out, generator),
            Init::Identity => structured::identity(shape, out),
            Init::Dirac { groups } => structured::dirac(shape, groups, out),
            Init::Sparse { sparsity, std } => structured::sparse(shape, sparsity, std, out, generator),
        }
    }
}

#[track_caller]
fn uniform<T: Float>(out: &mut [T], low: f64, high: f64, generator: &mut Generator) {
    let limits = [low, high].map(T::from_f64);
    assert!(
        low <= high && (limits[1] - limits[0]).is_finite(),
        "init: [{low}, {high}) is not a finite interval"
    );
    generator.fill_uniform(out, limits[0], limits[1]);
}

#[track_caller]
fn normal<T: Float>(out: &mut [T], mean: f64, std: f64, generator: &mut Generator) {
    let finite = T::from_f64(mean).is_finite() && T::from_f64(std).is_finite();
    assert!(finite && std >= 0.0, "init: a normal distribution of mean {mean} and standard deviation {std}");
    generator.fill_normal(out, T::from_f64(mean), T::from_f64(std));
}

#[track_caller]
fn kaiming_std(shape: &Shape, gain: f64, fan: Fan) -> f64 {
    let (fan_in, fan_out) = fans(shape);
    let fan = match fan {
        Fan::In => fan_in,
        Fan::Out => fan_out,
    };
    // Without inputs there are no elements either.
    gain / (fan.max(1) as f64).sqrt()
}

#[track_caller]
fn xavier_std(shape: &Shape, gain: f64) -> f64 {
    let (fan_in, fan_out) = fans(shape);
    gain * (2.0 / (fan_in + fan_out).max(1) as f64).sqrt()
}

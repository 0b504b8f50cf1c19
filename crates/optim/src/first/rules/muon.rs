//! Muon.

use serde::{Deserialize, Serialize};
use wengert_tensor::Float;
use wengert_tensor::simd::Isa;

use super::adam::AdamStep;
use super::matrix::{Along, multiply, view};
use super::moment::Decay;
use super::{AdamConfig, NadamConfig};
use crate::error::{Check, HyperParameterError};
use crate::first::clip::{global_norm, ratio, scale};
use crate::first::layout::{Layout, Segment};
use crate::first::loops::{Update, split_off, update};
use crate::first::rule::{bias_correction, rule_of_this_crate};
use crate::first::{Convention, FirstOrder, Memory, Rule, Slots};

/// Muon: momentum made orthogonal, for weights that are matrices; AdamW for all other tensors.
///
/// For a tensor of two dimensions r × c: m ← μ m + (1 − μ) g, with `nesterov` u = μ m + (1 − μ) g, else u = m;
/// X₀ = u / ‖u‖, five times X ← a X + (b A + c A²) X with A = X Xᵀ, which brings all singular values near 1;
/// θ ← (1 − η λ) θ − η s X, with s by [`scale`](MuonConfig::scale).
/// - [`Torch`](Convention::Torch), [`Paper`](Convention::Paper) (default): as above, and [`AdamW`](crate::AdamW) for the rest
///   (PyTorch rounds X to bfloat16; here it is as precise as the parameters);
/// - [`Optax`](Convention::Optax): the average and the gradient are corrected for their bias before they are mixed, and the
///   rest is updated by [`Nadam`](crate::Nadam) in optax's form, with decoupled decay.
///
/// A matrix that is no weight (an embedding, the output layer) does better with AdamW: choose by name with
/// [`Groups`](crate::Groups).
///
/// Source: Jordan et al., *Muon: an optimizer for hidden layers in neural networks*, 2024. Default: μ = 0.95, Nesterov,
/// (a, b, c) = (3.4445, −4.7750, 2.0315), λ = 0; the rest at 0.05 η with β = (0.9, 0.95). Keeps 4 bytes per f32 parameter of a
/// matrix, 8 of the rest; the products cost about 10 r² c flops for each of five iterations (r the smaller side).
///
/// ```
/// use wengert_optim::{Layout, Muon, Optimizer};
/// use wengert_optim::first::MuonConfig;
/// let layout = Layout::new([("weight", vec![2, 2]), ("bias", vec![2])]);
/// let mut muon = Muon::with_layout(0.02, MuonConfig::default(), &layout)?;
/// let mut theta = [0.0f32; 6];
/// muon.step(&mut theta, &[3.0, 0.0, 0.0, 1.0, 1.0, 1.0]);
/// // Both singular values of the step are near η, although those of the gradient are 3 and 1.
/// assert!(theta[0] < -0.012 && theta[3] < -0.012 && theta[4] < 0.0);
/// # Ok::<(), wengert_optim::HyperParameterError>(())
/// ```
pub type Muon<T = f32> = FirstOrder<MuonConfig, T>;

/// How long a step of [`Muon`] is, for a matrix of r × c (outputs × inputs).
///
/// ```
/// use wengert_optim::first::{MuonConfig, MuonScale};
/// use wengert_optim::{Layout, Muon, Optimizer};
/// let layout = Layout::new([("w", vec![1, 1])]);
/// let config = MuonConfig { scale: MuonScale::MatchAdamW, weight_decay: 0.0, ..MuonConfig::default() };
/// let mut muon = Muon::<f64>::with_layout(0.1, config, &layout)?;
/// let mut theta = [1.0];
/// muon.step(&mut theta, &[5.0]);
/// // 0.2 √1 of the learning rate, up to the iteration's own error.
/// assert!((1.0 - theta[0]) > 0.005 && (1.0 - theta[0]) < 0.05);
/// # Ok::<(), wengert_optim::HyperParameterError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MuonScale {
    /// √max(1, r / c), the author's.
    Original,
    /// 0.2 √max(r, c): steps as long as those of AdamW, so that its learning rate can be kept.
    MatchAdamW,
}

/// Hyper-parameters of [`Muon`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MuonConfig {
    /// μ, the decay of the average of gradients.
    pub momentum: f64,
    /// Nesterov's correction.
    pub nesterov: bool,
    /// Iterations of Newton and Schulz.
    pub iterations: usize,
    /// a, b and c, their coefficients.
    pub coefficients: [f64; 3],
    /// ε, which keeps ‖u‖ from 0.
    pub epsilon: f64,
    /// How long a step is.
    pub scale: MuonScale,
    /// λ, decoupled, for matrices and the rest.
    pub weight_decay: f64,
    /// The learning rate of the rest, as a multiple of that of the matrices.
    pub rest_rate: f64,
    /// β₁ for the rest.
    pub rest_beta1: f64,
    /// β₂ for the rest.
    pub rest_beta2: f64,
    /// ε for the rest.
    pub rest_epsilon: f64,
    /// Whether averages are corrected for their bias.
    pub convention: Convention,
}

impl MuonConfig {
    /// The defaults of this convention.
    pub fn of(convention: Convention) -> Self {
        let (epsilon, rest_rate, rest_beta2) = match convention {
            Convention::Torch | Convention::Paper => (1e-7, 0.05, 0.95),
            Convention::Optax => (1e-8, 1.0, 0.999),
        };
        MuonConfig {
            momentum: 0.95,
            nesterov: true,
            iterations: 5,
            coefficients: [3.4445, -4.775, 2.0315],
            epsilon,
            scale: MuonScale::Original,
            weight_decay: 0.0,
            rest_rate,
            rest_beta1: 0.9,
            rest_beta2,
            rest_epsilon: 1e-8,
            convention,
        }
    }
}

impl Default for MuonConfig {
    fn default() -> Self {
        Self::of(Convention::Torch)
    }
}

/// Rows and columns, if the tensor is a matrix.
fn matrix(segment: &Segment) -> Option<[usize; 2]> {
    match *segment.shape.as_slice() {
        [rows, columns] if rows * columns > 0 => Some([rows, columns]),
        _ => None,
    }
}

impl Rule for MuonConfig {
    const NAME: &'static str = "muon";
    const LEARNING_RATE: f64 = 2e-2;
    rule_of_this_crate!(MuonConfig);

    fn check(&self, check: Check) -> Result<(), HyperParameterError> {
        let check = check
            .fraction("momentum", self.momentum)?
            .positive("epsilon", self.epsilon)?
            .weight_decay(self.weight_decay)?
            .non_negative("rest_rate", self.rest_rate)?
            .fraction("rest_beta1", self.rest_beta1)?
            .fraction("rest_beta2", self.rest_beta2)?
            .non_negative("rest_epsilon", self.rest_epsilon)?;
        for c in self.coefficients {
            check.finite("coefficients", c)?;
        }
        let few = (1..100).contains(&self.iterations);
        check.condition(few, "iterations", self.iterations as f64, "at least 1 and below 100")?;
        Ok(())
    }

    fn slots(&self, layout: &Layout) -> Slots {
        let rest = layout.segments().iter().filter(|s| matrix(s).is_none()).map(|s| s.range.len()).sum();
        Slots::zeros(layout, &["m"]).vector("rms", rest, 0.0)
    }

    fn update<T: Float>(&self, memory: &mut Memory<T>, params: &mut [T], grads: &[T]) {
        let layout = memory.layout.clone();
        let (rate, step) = (memory.learning_rate, memory.step);
        let room = layout.segments().iter().filter_map(matrix).map(workspace).max().unwrap_or(0);
        memory.scratch.resize(room, T::ZERO);
        let Memory { vectors, scratch, .. } = memory;
        let [m, rms] = vectors.as_mut_slice() else { unreachable!("two slots") };
        let mut rms = &mut rms[..];
        for segment in layout.segments() {
            let range = || segment.range.clone();
            let (p, g, m) = (&mut params[range()], &grads[range()], &mut m[range()]);
            match matrix(segment) {
                Some(shape) => self.matrix_step(shape, p, g, m, rate, step, scratch),
                None => self.rest_step(p, g, m, split_off(&mut rms, p.len()), rate * self.rest_rate, step),
            }
        }
    }
}

impl MuonConfig {
    #[allow(clippy::too_many_arguments)]
    fn matrix_step<T: Float>(
        &self,
        shape: [usize; 2],
        params: &mut [T],
        grads: &[T],
        m: &mut [T],
        rate: f64,
        step: u64,
        scratch: &mut [T],
    ) {
        let momentum = self.momentum;
        let correction = |t: u64| match self.convention {
            Convention::Torch | Convention::Paper => 1.0,
            Convention::Optax => bias_correction(momentum, t),
        };
        let (of_m, of_g) = if self.nesterov {
            (momentum / correction(step + 1), (1.0 - momentum) / correction(step))
        } else {
            (correction(step).recip(), 0.0)
        };
        let (of_m, of_g) = (T::from_f64(of_m), T::from_f64(of_g));
        let (x, work) = scratch.split_at_mut(m.len());
        let [] = update(m, grads, [&mut *x], Average { mean: Decay::of(momentum), of_m, of_g });
        let x = self.orthogonalize(x, shape, work);
        let [rows, columns] = shape.map(|d| d as f64);
        let length = match self.scale {
            MuonScale::Original => (rows / columns).max(1.0).sqrt(),
            MuonScale::MatchAdamW => 0.2 * rows.max(columns).sqrt(),
        };
        let keep = T::from_f64(1.0 - rate * self.weight_decay);
        let [] = update(params, x, [], Along { keep, rate: T::from_f64(rate * length) });
    }

    /// A matrix with the singular vectors of X and singular values near 1, in X or in the working space.
    fn orthogonalize<'a, T: Float>(
        &self,
        x: &'a mut [T],
        shape: [usize; 2],
        work: &'a mut [T],
    ) -> &'a mut [T] {
        let norm = global_norm(x);
        let norm = match self.convention {
            Convention::Torch | Convention::Paper => norm.max(self.epsilon),
            Convention::Optax => norm + self.epsilon,
        };
        scale(x, ratio(1.0, norm));
        let [rows, columns] = shape;
        let side = rows.min(columns);
        let (next, work) = work.split_at_mut(x.len());
        let (gram, polynomial) = work.split_at_mut(side * side);
        let polynomial = &mut polynomial[..side * side];
        let [a, b, c] = self.coefficients.map(T::from_f64);
        let (mut x, mut next) = (x, next);
        for _ in 0..self.iterations {
            // X ← a X + (b A + c A²) X; from the right where A = Xᵀ X is the smaller.
            let of_x = view(x, shape);
            if rows > columns {
                multiply(of_x.transposed(), of_x, T::ZERO, gram);
            } else {
                multiply(of_x, of_x.transposed(), T::ZERO, gram);
            }
            let of_gram = view(gram, [side, side]);
            multiply(of_gram, of_gram, T::ZERO, polynomial);
            let [] = update(polynomial, gram, [], Quadratic { b, c });
            polynomial.iter_mut().step_by(side + 1).for_each(|d| *d += a);
            let of_polynomial = view(polynomial, [side, side]);
            if rows > columns {
                multiply(of_x, of_polynomial, T::ZERO, next);
            } else {
                multiply(of_polynomial, of_x, T::ZERO, next);
            }
            std::mem::swap(&mut x, &mut next);
        }
        x
    }

    fn rest_step<T: Float>(&self, p: &mut [T], g: &[T], m: &mut [T], rms: &mut [T], rate: f64, step: u64) {
        match self.convention {
            Convention::Torch | Convention::Paper => {
                let adam = AdamConfig {
                    beta1: self.rest_beta1,
                    beta2: self.rest_beta2,
                    epsilon: self.rest_epsilon,
                    ..Default::default()
                };
                AdamStep::new(&adam, rate, step, self.weight_decay).make(p, g, [m, rms]);
            }
            Convention::Optax => {
                let nadam = NadamConfig {
                    beta1: self.rest_beta1,
                    beta2: self.rest_beta2,
                    epsilon: self.rest_epsilon,
                    weight_decay: self.weight_decay,
                    decoupled: true,
                    convention: Convention::Optax,
                    ..Default::default()
                };
                let product = self.rest_beta1.powf(step as f64);
                update(p, g, [m, rms], nadam.formula(rate, step, product));
            }
        }
    }
}

/// Elements of working space for a matrix: X, its successor, the Gram matrix and a polynomial of it.
fn workspace([rows, columns]: [usize; 2]) -> usize {
    2 * rows * columns + 2 * rows.min(columns).pow(2)
}

/// m in the place of the parameter, and u in that of the state.
#[derive(Clone, Copy)]
struct Average<T> {
    mean: Decay<T>,
    of_m: T,
    of_g: T,
}

impl<T: Float> Update<T, 1> for Average<T> {
    #[inline(always)]
    fn apply<I: Isa>(&self, m: T, g: T, _: [T; 1]) -> (T, [T; 1], [T; 0]) {
        let m = self.mean.average::<I>(m, g);
        (m, [I::mul_add(self.of_m, m, self.of_g * g)], [])
    }
}

/// c A² + b A, with A² in the place of the parameter and A in that of the gradient.
#[derive(Clone, Copy)]
struct Quadratic<T> {
    b: T,
    c: T,
}

impl<T: Float> Update<T, 0> for Quadratic<T> {
    #[inline(always)]
    fn apply<I: Isa>(&self, square: T, a: T, _: [T; 0]) -> (T, [T; 0], [T; 0]) {
        (I::mul_add(self.c, square, self.b * a), [], [])
    }
}

//! Normalisation: by the statistics of the last axes, of groups of channels, or of a batch. The derivatives of each are two
//! more operations, of which all further ones are made: the gradients with respect to x and to the gain.

mod affine;
mod methods;
mod rules;

use wengert_tensor::normalise::{self, NormGeometry};
use wengert_tensor::{Float, Shape, Tensor};

use super::written;
use crate::op::{Description, apply, fused};
use crate::var::Var;
use rules::{GainGradient, Gradient};

/// Which elements share their statistics.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// Those of the last axes, which the gain has.
    Layer,
    /// The same, of which the mean stays.
    Rms,
    /// Those of some of the channels of an example.
    Group(usize),
    /// Those of a channel of an example.
    Instance,
    /// Those of a channel.
    Batch,
}

/// Beyond this squares are not summed.
const LARGE: f64 = 1e15;

/// z·gain + bias of x, gain and bias, with z = (x − mean) / √(variance + ε).
#[derive(Clone, Copy, Debug, PartialEq)]
struct Norm {
    kind: Kind,
    epsilon: f64,
}

/// The tangent, or zeros of that shape.
fn or_zeros<T: Float>(tangent: Option<&Var<T>>, like: &Var<T>) -> Var<T> {
    tangent.cloned().unwrap_or_else(|| Var::zeros(like.shape()))
}

/// A shape of so many axes whose first are these, the others of length 1.
fn leading(first: &[usize], rank: usize) -> Shape {
    first.iter().copied().chain(std::iter::repeat(1)).take(rank).collect()
}

/// One number for each channel, as what broadcasts to a tensor `[examples, channels, …]` with so many axes.
fn by_channel<T: Float>(of_channel: &Var<T>, rank: usize) -> Var<T> {
    of_channel.reshape(leading(&[1, of_channel.len()], rank))
}

/// The sum over each channel.
fn of_channels<T: Float>(x: &Var<T>) -> Var<T> {
    let others: Vec<usize> = (0..x.rank()).filter(|&axis| axis != 1).collect();
    x.sum_axes(&others[..], false)
}

impl Norm {
    fn name(self) -> &'static str {
        match self.kind {
            Kind::Layer => "layer_norm",
            Kind::Rms => "rms_norm",
            Kind::Group(_) => "group_norm",
            Kind::Instance => "instance_norm",
            Kind::Batch => "batch_norm",
        }
    }

    fn centred(self) -> bool {
        self.kind != Kind::Rms
    }

    /// Whether the gain is one for each channel, and not one for each element of the last axes.
    fn has_channels(self) -> bool {
        !matches!(self.kind, Kind::Layer | Kind::Rms)
    }

    fn fits(self, x: &Shape, gain: &Shape) -> bool {
        if self.has_channels() { x.len() >= 2 && gain[..] == x[1..2] } else { x.ends_with(gain) }
    }

    #[track_caller]
    fn geometry(self, x: &Shape, gain: &Shape) -> NormGeometry {
        let (name, epsilon) = (self.name(), self.epsilon);
        if !self.fits(x, gain) {
            let of = if self.has_channels() { "the channels, the second axis," } else { "the last axes" };
            panic!("{name}: {gain}, the shape of the gain, is not that of {of} of shape {x}");
        }
        let channels = if self.has_channels() { x[1] } else { 0 };
        let geometry = match self.kind {
            Kind::Layer => NormGeometry::last_axes(x, gain, epsilon),
            Kind::Rms => NormGeometry::last_axes(x, gain, epsilon).map(NormGeometry::uncentred),
            // No channels are in no groups; a batch of them has the right number of elements, which is none.
            _ if channels == 0 => NormGeometry::batch(x, epsilon),
            Kind::Group(groups) => NormGeometry::groups(x, groups, epsilon),
            Kind::Instance => NormGeometry::groups(x, channels, epsilon),
            Kind::Batch => NormGeometry::batch(x, epsilon),
        };
        match (geometry, self.kind) {
            (Some(geometry), _) => geometry,
            (None, Kind::Group(groups)) => {
                panic!("{name}: the {channels} channels of shape {x} cannot be parted into {groups} groups")
            }
            (None, _) => panic!("{name}: shape {x} is too large"),
        }
    }

    /// The gain, or what has its shape, as what broadcasts to x.
    fn spread<T: Float>(self, gain: &Var<T>, x: &Shape) -> Var<T> {
        if self.has_channels() { by_channel(gain, x.len()) } else { gain.clone() }
    }

    /// From x's shape to the gain's, by sums.
    fn gathered<T: Float>(self, x: &Var<T>, gain: &Shape) -> Var<T> {
        if self.has_channels() { of_channels(x) } else { x.sum_to(gain) }
    }

    /// The means over what shares its statistics, as what broadcasts to x.
    fn mean<T: Float>(self, x: &Var<T>, gain: &Shape) -> Var<T> {
        self.reduced(x, gain, |x, axes| x.mean_axes(axes, true))
    }

    /// 1/√(mean of x² + ε) of what shares its statistics, as what broadcasts to x. Squares of large numbers may leave the
    /// range; norms do not, and ε does not count beside them.
    fn inverse_root<T: Float>(self, x: &Var<T>, gain: &Shape) -> Var<T> {
        let root = self.reduced(x, gain, |x, axes| {
            let norm = x.norm_axes(2.0, axes, true);
            let count = x.len() / norm.len().max(1);
            norm / (count as f64).sqrt()
        });
        let large = root.gt(LARGE);
        let near = self.mean(&x.masked_fill(&large, 0.0).square(), gain) + self.epsilon;
        let far = Var::select_where(&large, &root, &Var::scalar(T::ONE));
        Var::select_where(large, &far.recip(), &near.rsqrt())
    }

    /// What `reduce` makes of what shares its statistics, along axes that stay, as what broadcasts to x.
    fn reduced<T: Float>(
        self,
        x: &Var<T>,
        gain: &Shape,
        reduce: impl Fn(&Var<T>, &[usize]) -> Var<T>,
    ) -> Var<T> {
        let groups = match self.kind {
            Kind::Layer | Kind::Rms => {
                let axes: Vec<usize> = (x.rank() - gain.len()..x.rank()).collect();
                return reduce(x, &axes);
            }
            Kind::Batch => {
                let others: Vec<usize> = (0..x.rank()).filter(|&axis| axis != 1).collect();
                return reduce(x, &others);
            }
            Kind::Group(groups) => groups,
            Kind::Instance => x.shape()[1],
        };
        let (examples, channels) = (x.shape()[0], x.shape()[1]);
        let in_group = channels / groups.max(1);
        let others: usize = x.shape()[2..].iter().product();
        let numbers = reduce(&x.reshape([examples, groups, in_group * others]), &[2]);
        let shape = leading(&[examples, channels], x.rank());
        numbers.broadcast_to([examples, groups, in_group]).reshape(shape)
    }

    #[track_caller]
    fn value<T: Float>(self, x: &Var<T>, gain: &Var<T>, bias: &Var<T>) -> Var<T> {
        apply(self, &[x, gain, bias])
    }

    fn gradient<T: Float>(self, x: &Var<T>, gain: &Var<T>, v: &Var<T>) -> Var<T> {
        apply(Gradient(self), &[x, gain, v])
    }

    fn gain_gradient<T: Float>(self, x: &Var<T>, v: &Var<T>, gain: &Shape) -> Var<T> {
        apply(GainGradient(self, gain.clone()), &[x, v])
    }

    /// J·u, the tangent of z along u.
    fn tangent<T: Float>(self, x: &Var<T>, u: &Var<T>, gain: &Shape) -> Var<T> {
        self.gradient(x, &Var::ones(gain), u)
    }

    /// The derivative of J·(gain·v) in x along t, which is symmetric in gain·v and t.
    fn curvature<T: Float>(self, x: &Var<T>, gain: &Var<T>, v: &Var<T>, t: &Var<T>) -> Var<T> {
        let (t_gain, t_v) = (or_zeros(None, gain), or_zeros(None, v));
        self.gradient_tangent([x, gain, v], [t, &t_gain, &t_v], || self.curvature_rule(x, gain, v, t))
    }

    /// The tangent of the gradient of `[x, gain, v]` along tangents of all three, which `rule` gives too.
    fn gradient_tangent<T: Float>(
        self,
        [x, gain, v]: [&Var<T>; 3],
        [t, t_gain, t_v]: [&Var<T>; 3],
        rule: impl FnOnce() -> Var<T>,
    ) -> Var<T> {
        fused(
            || Description::of::<T>(&Gradient(self), "tangent"),
            [x, gain, v, t, t_gain, t_v],
            move |inputs @ [x, gain, ..]| {
                let geometry = self.geometry(x.shape(), gain.shape());
                written(self.name(), x.shape(), inputs, |[x, gain, v, t, t_gain, t_v], out| {
                    normalise::gradient_tangent(&geometry, x, gain, v, [t, t_gain, t_v], out);
                })
            },
            rule,
        )
    }

    /// The gradients of x, gain and bias for the cotangent v, in one pass.
    fn gradients<T: Float>(self, inputs: [&Tensor<T>; 3]) -> [Tensor<T>; 3] {
        let [x, gain, _] = inputs;
        let geometry = self.geometry(x.shape(), gain.shape());
        let mut sums = Tensor::zeros([2, gain.len()]);
        let of_x = written(self.name(), x.shape(), inputs, |[x, gain, v], out| {
            normalise::gradients(&geometry, x, gain, v, out, sums.as_mut_slice());
        });
        let [of_gain, of_bias] = [0, 1].map(|i| sums.select(0, i).reshape(gain.shape()));
        [of_x, of_gain, of_bias]
    }

    fn curvature_rule<T: Float>(self, x: &Var<T>, gain: &Var<T>, v: &Var<T>, t: &Var<T>) -> Var<T> {
        let mean = |u: &Var<T>| self.mean(u, gain.shape());
        let centred = if self.centred() { x - mean(x) } else { x.clone() };
        let scale = self.inverse_root(&centred, gain.shape());
        let u = self.spread(gain, x.shape()) * v;
        let z = self.value(x, &Var::ones(gain.shape()), &Var::zeros(gain.shape()));
        let moved = self.tangent(x, t, gain.shape());
        let sum =
            mean(&(&z * t)) * self.gradient(x, gain, v) + mean(&(&u * &z)) * &moved + mean(&(u * moved)) * z;
        -(scale * sum)
    }
}

//! Cotangents of a model's outputs whose second moments are the curvature of the loss.

use wengert_tape::{HessianOperator, Var, grad};
use wengert_tensor::random::Generator;
use wengert_tensor::{Float, Tensor};

use super::Targets;

/// The cotangents of outputs `z`; `None` if the loss is of no kind that is known here.
pub(super) fn of<T: Float>(
    z: &Var<T>,
    loss: impl Fn(&Var<T>) -> Var<T>,
    targets: Targets,
    mut generator: Generator,
) -> Option<Tensor<T>> {
    match targets {
        Targets::Model => of_model(z, loss, &mut generator),
        Targets::Data => Some(of_data(z, loss, &mut generator)),
    }
}

/// √N ∇ₙ with a random sign for each example, so that sums over examples have the right second moments too.
fn of_data<T: Float>(z: &Var<T>, loss: impl Fn(&Var<T>) -> Var<T>, generator: &mut Generator) -> Tensor<T> {
    let gradient = grad(|z: &Var<T>| loss(z), z).into_value();
    let examples = z.shape().first().copied().unwrap_or(1);
    let mut shape = vec![1; z.rank()];
    shape.iter_mut().take(1).for_each(|n| *n = examples);
    &gradient * &(signs::<T>(&shape, generator) * (examples as f64).sqrt())
}

/// S ε with S Sᵀ = H, the Hessian of the loss as a function of `z`.
fn of_model<T: Float>(
    z: &Var<T>,
    loss: impl Fn(&Var<T>) -> Var<T>,
    generator: &mut Generator,
) -> Option<Tensor<T>> {
    let hessian = HessianOperator::new(|z: &Var<T>| loss(z), z);
    let product = |v: &Tensor<T>| hessian.apply(&Var::constant(v.clone())).into_value();
    // H is recognised by what it does to a random vector.
    let probe = Tensor::<T>::normal(z.shape(), 0.0, 1.0, generator);
    let moved = product(&probe);
    let far = |other: &Tensor<T>| (&moved - other).square().sum().item().to_f64().sqrt();
    let near = T::EPSILON.to_f64().sqrt() * moved.square().sum().item().to_f64().sqrt();
    let random = signs::<T>(z.shape(), generator);
    let diagonal = product(&Tensor::ones(z.shape()));
    if far(&(&diagonal * &probe)) <= near {
        return Some(diagonal.clamp(0.0, f64::INFINITY).sqrt() * random);
    }
    let last = z.rank().checked_sub(1)? as isize;
    let axes = if last > 1 { &[last, 1][..] } else { &[last] };
    axes.iter().find_map(|&axis| {
        let p = z.value().softmax(axis);
        // (diag(p) − p pᵀ) v, and what is left of it by rounding where p is near 0 or 1.
        let unscaled = &p * (&probe - (&p * &probe).sum_axes(axis, true));
        let rounding = 64.0 * T::EPSILON.to_f64() * (&p * &probe).square().sum().item().to_f64().sqrt();
        let fits = |weight: &Tensor<T>| {
            let largest = weight.max().item().to_f64();
            far(&(&unscaled * weight)) <= near + rounding * largest
        };
        let (dots, squares) = (&unscaled * &moved, unscaled.square());
        let mut weight = ratio(dots.sum(), &squares.sum());
        if !fits(&weight) {
            weight = ratio(dots.sum_axes(axis, true), &squares.sum_axes(axis, true));
            fits(&weight).then_some(())?;
        }
        let root = p.sqrt();
        let centred = &root * &random - &p * (&root * &random).sum_axes(axis, true);
        Some(centred * weight.clamp(0.0, f64::INFINITY).sqrt())
    })
}

/// Zero where the denominator is.
fn ratio<T: Float>(numerator: Tensor<T>, denominator: &Tensor<T>) -> Tensor<T> {
    (numerator / denominator).masked_fill(&denominator.equal(0.0), T::ZERO)
}

/// ±1, equally likely.
fn signs<T: Float>(shape: &[usize], generator: &mut Generator) -> Tensor<T> {
    Tensor::bernoulli(shape, 0.5, generator) * 2.0 - 1.0
}

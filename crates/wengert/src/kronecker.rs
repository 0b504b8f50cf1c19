use wengert_nn::KroneckerFactors;
use wengert_optim::{Kronecker, KroneckerBlock};
use wengert_tensor::{Float, Tensor};

/// The factors that [`FlatLoss::kronecker`](wengert_nn::FlatLoss::kronecker) found, as a matrix that has products and an
/// inverse.
///
/// ```
/// use wengert::nn::Targets;
/// use wengert::prelude::*;
///
/// let mut params: Params<f64> = Params::seeded(0);
/// let model = Linear::new(params.root(), 3, 2);
/// let (x, y) = (Var::ones([4, 3]), Var::zeros([4, 2]));
/// let loss = params.flat_model(|cx| model.forward(cx, &x), |z| z.mse(&y));
/// let empirical = loss.kronecker(params.values(), Targets::Data, 0).unwrap();
/// let preconditioner = wengert::kronecker(empirical).inverse(1e-3).unwrap();
/// assert_eq!(preconditioner.dimension(), 8);
/// ```
pub fn kronecker<T: Float>(factors: KroneckerFactors<T>) -> Kronecker<T> {
    let elements = |tensor: &Tensor<T>| tensor.to_vec();
    let blocks = factors.blocks.iter().map(|block| {
        let bias = block.bias.as_ref().map(|bias| bias.start);
        KroneckerBlock::new(block.weight.start, bias, elements(&block.inputs), elements(&block.outputs))
    });
    let diagonal = factors.diagonal.iter().map(|(range, values)| (range.start, elements(values)));
    Kronecker::new(factors.dimension, blocks.collect(), diagonal.collect())
}

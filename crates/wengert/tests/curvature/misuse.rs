//! Misuse panics with what was wrong.

use wengert::optim::DenseOperator;
use wengert::optim::estimate::hutch_plus_plus;
use wengert::optim::operator::{Restricted, SumOperator};
use wengert::prelude::*;

use super::models::mlp;

#[test]
#[should_panic(expected = "fisher: the loss and the model's outputs must be apart: use `flat_model`")]
fn fisher_without_outputs() {
    let case = mlp();
    let objective = case.params.objective(|cx| case.outputs(cx, &case.x).cross_entropy(&case.labels));
    objective.fisher(case.params.values(), CrossEntropy::default());
}

#[test]
#[should_panic(expected = "fisher: axis 2 is out of range for shape [5, 3]")]
fn fisher_of_an_axis_that_is_not_there() {
    let case = mlp();
    let loss = CrossEntropy { axis: 2, ..CrossEntropy::default() };
    case.classes().fisher(case.params.values(), loss);
}

#[test]
#[should_panic(expected = "with the weight 2 of positive targets is no likelihood")]
fn fisher_of_a_loss_that_is_no_likelihood() {
    let case = mlp();
    let loss = BceWithLogits { positive_weight: 2.0, ..BceWithLogits::default() };
    case.classes().fisher(case.params.values(), loss);
}

#[test]
#[should_panic(expected = "fisher_sampled: at least one sample is needed")]
fn no_samples() {
    let case = mlp();
    let mut generator = Generator::seeded(0);
    case.classes().fisher_sampled(case.params.values(), CrossEntropy::default(), 0, &mut generator);
}

#[test]
#[should_panic(expected = "the vector has 2 elements, for 35 parameters")]
fn a_vector_of_another_length() {
    let case = mlp();
    case.classes().hessian(case.params.values()).unwrap().apply(&[0.0; 2], &mut [0.0; 35]);
}

#[test]
#[should_panic(expected = "the slice to write to has 2 elements, for 35 parameters")]
fn a_result_of_another_length() {
    let case = mlp();
    case.classes().gauss_newton(case.params.values()).unwrap().apply(&[0.0; 35], &mut [0.0; 2]);
}

#[test]
#[should_panic(expected = "Restricted: 0..2 and 1..3 overlap")]
fn ranges_that_overlap() {
    Restricted::new(DenseOperator::with_diagonal(&[1.0; 4]), vec![1..3, 0..2]);
}

#[test]
#[should_panic(expected = "Restricted: 3..5 exceeds the dimension 4")]
fn ranges_outside() {
    Restricted::new(DenseOperator::with_diagonal(&[1.0; 4]), vec![0..1, 3..5]);
}

#[test]
#[should_panic(expected = "SumOperator: an operator of dimension 3 in a sum of dimension 2")]
fn sums_of_different_dimensions() {
    SumOperator::new(2).add(1.0, DenseOperator::with_diagonal(&[1.0; 3]));
}

#[test]
#[should_panic(expected = "Batched: no examples in 0 parts")]
fn no_batches() {
    let params: Params<f64> = Params::seeded(0);
    params.objective_over(&[] as &[Tensor<f64>], |_, _| Var::ones([1]));
}

#[test]
#[should_panic(expected = "hutch_plus_plus: at least 3 products are needed, not 2")]
fn too_few_products() {
    hutch_plus_plus(&DenseOperator::with_diagonal(&[1.0; 4]), 2, 0);
}

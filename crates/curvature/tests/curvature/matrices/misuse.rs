//! Misuse panics with what was wrong.

use wengert_optim::estimate::hutch_plus_plus;
use wengert_optim::operator::{Restricted, SumOperator};
use wengert_optim::{Curvatures, DenseOperator, Operator};

use super::models::mlp;

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
#[should_panic(expected = "hutch_plus_plus: at least 3 products are needed, not 2")]
fn too_few_products() {
    hutch_plus_plus(&DenseOperator::with_diagonal(&[1.0; 4]), 2, 0);
}

//! Fisher matrices against sums over all targets, with a gradient for each.

use wengert_curvature::{Family, FisherInformation, Likelihood, Objectives};
use wengert_nn::{BceWithLogits, CrossEntropy, Layer, Linear, Losses, Mse, Params, Reduction};
use wengert_optim::{Curvatures, Operator};
use wengert_tape::{Var, grad};
use wengert_tensor::Tensor;
use wengert_tensor::random::Generator;

use super::models::{Case, EXAMPLES, all, gram, mlp};
use super::{assert_close, assert_is};

/// The gradient of one output tensor's function with respect to the flat vector.
fn gradient(case: &Case, of: impl Fn(&Var<f64>) -> Var<f64>) -> Vec<f64> {
    grad(|flat: &Var<f64>| of(&case.flat_outputs(flat, &case.x)), &case.point()).value().to_vec()
}

#[test]
fn categorical() {
    for case in all() {
        let outputs = case.flat_outputs(&case.point(), &case.x);
        let p = outputs.softmax(-1).value().to_vec();
        let scores: Vec<Vec<f64>> = (0..3 * EXAMPLES)
            .map(|i| gradient(&case, |y| -y.log_softmax(-1).reshape([3 * EXAMPLES]).slice(i..i + 1).sum()))
            .collect();
        let sum = gram(&scores, &p, case.params.len());
        let mean: Vec<f64> = sum.iter().map(|f| f / EXAMPLES as f64).collect();
        let (objective, at) = (case.classes(), case.params.values());
        assert_is(case.name, &*objective.fisher(at, CrossEntropy::default()), &mean);
        let summed = CrossEntropy { reduction: Reduction::Sum, ..CrossEntropy::default() };
        assert_is(case.name, &*objective.fisher(at, summed), &sum);
        // Label smoothing changes the targets alone.
        let smooth = CrossEntropy { label_smoothing: 0.2, ..CrossEntropy::default() };
        assert_close(case.name, &objective.fisher(at, smooth).dense(), &mean);
        // The Gauss–Newton matrix of a natural parameter.
        assert_is(case.name, &*objective.gauss_newton(at).unwrap(), &mean);
    }
}

#[test]
fn classes_along_another_axis() {
    let case = mlp();
    let expected = case.classes().fisher(case.params.values(), CrossEntropy::default()).dense();
    let turned = case.params.model_objective(|cx| case.outputs(cx, &case.x).t(), |y| y.sum());
    let loss = CrossEntropy { axis: 0, ..CrossEntropy::default() };
    assert_is("axis 0", &*turned.fisher(case.params.values(), loss.clone()), &expected);
    let sampled = turned.fisher_sampled(case.params.values(), loss, 4000, &mut Generator::seeded(0));
    assert_near("axis 0", &sampled.dense(), &expected, 0.03);
}

#[test]
fn bernoulli_and_gaussian() {
    for case in all() {
        let (n, count) = (case.params.len(), 3 * EXAMPLES);
        let j = case.jacobian();
        let rows: Vec<Vec<f64>> = j.chunks(n).map(<[f64]>::to_vec).collect();
        let targets = Var::constant(Tensor::from_fn([EXAMPLES, 3], |i| ((i[0] + i[1]) % 2) as f64));
        let at = case.params.values();

        // Both targets of each output, weighted by their probabilities.
        let p = case.flat_outputs(&case.point(), &case.x).sigmoid().value().to_vec();
        let (mut scores, mut weights) = (Vec::new(), Vec::new());
        for (i, p) in p.iter().enumerate() {
            for (target, weight) in [(1.0, *p), (0.0, 1.0 - p)] {
                scores.push(gradient(&case, |y| {
                    let y = y.reshape([count]).slice(i..i + 1);
                    (-(&y * target) + y.softplus()).sum()
                }));
                weights.push(weight / count as f64);
            }
        }
        let objective = case.objective(|y| y.bce_with_logits(&targets));
        let expected = gram(&scores, &weights, n);
        assert_is(case.name, &*objective.fisher(at, BceWithLogits::default()), &expected);
        assert_is(case.name, &*objective.gauss_newton(at).unwrap(), &expected);

        let objective = case.objective(|y| y.mse(&targets));
        let expected = gram(&rows, &vec![2.0 / count as f64; count], n);
        assert_is(case.name, &*objective.fisher(at, Mse::default()), &expected);
        assert_is(case.name, &*objective.gauss_newton(at).unwrap(), &expected);
        let wide =
            Likelihood { reduction: Reduction::Sum, weight: 3.0, family: Family::Gaussian { variance: 4.0 } };
        assert_is(case.name, &*objective.fisher(at, wide), &gram(&rows, &vec![0.75; count], n));
    }
}

#[test]
fn empirical() {
    for case in all() {
        let scores: Vec<Vec<f64>> = (0..EXAMPLES)
            .map(|i| {
                let label = case.labels.slice(i..i + 1);
                gradient(&case, |y| y.slice(i..i + 1).cross_entropy(&label))
            })
            .collect();
        let at = case.params.values();
        let mean = gram(&scores, &[1.0 / EXAMPLES as f64; EXAMPLES], case.params.len());
        assert_is(case.name, &*case.classes().empirical_fisher(at, Reduction::Mean), &mean);
        let sum = gram(&scores, &[1.0; EXAMPLES], case.params.len());
        let loss = CrossEntropy { reduction: Reduction::Sum, ..CrossEntropy::default() };
        let objective = case.objective(|y| loss.loss(y, &case.labels));
        assert_is(case.name, &*objective.empirical_fisher(at, Reduction::Sum), &sum);
    }
}

/// Asserts a relative distance in the Frobenius norm.
#[track_caller]
fn assert_near(what: &str, found: &[f64], expected: &[f64], tolerance: f64) {
    let size: f64 = expected.iter().map(|e| e * e).sum::<f64>().sqrt();
    let distance: f64 = found.iter().zip(expected).map(|(f, e)| (f - e).powi(2)).sum::<f64>().sqrt();
    assert!(distance <= tolerance * size, "{what}: {} away", distance / size);
}

#[test]
fn sampled_matrices_converge_to_the_exact_ones() {
    let case = mlp();
    let (objective, at) = (case.objective(Var::sum), case.params.values());
    let gaussian = Family::Gaussian { variance: 0.3 };
    for family in [Family::Categorical { axis: -1 }, Family::Bernoulli, gaussian] {
        let likelihood = Likelihood::new(family);
        let exact = objective.fisher(at, likelihood).dense();
        let sampled = |samples, seed| {
            objective.fisher_sampled(at, likelihood, samples, &mut Generator::seeded(seed)).dense()
        };
        assert_near(&format!("{family:?}"), &sampled(10_000, 0), &exact, 0.03);
        assert_eq!(sampled(3, 5), sampled(3, 5));
        assert_ne!(sampled(3, 5), sampled(3, 6));
        let few = objective.fisher_sampled(at, likelihood, 2, &mut Generator::seeded(1));
        let dense = few.dense();
        assert_is("two samples", &*few, &dense);
        // One sample's matrix is positive semi-definite.
        let form = |v: &[f64]| {
            let mut product = vec![0.0; v.len()];
            few.apply(v, &mut product);
            v.iter().zip(product).map(|(v, p)| v * p).sum::<f64>()
        };
        let mut v = vec![0.0; at.len()];
        Generator::seeded(2).fill_normal(&mut v, 0.0, 1.0);
        assert!(form(&v) >= 0.0);
    }
}

#[test]
fn a_sampled_categorical_matrix_is_that_of_the_drawn_labels() {
    // With one sample the matrix is the empirical one of the drawn labels: one of the 3⁵ possible.
    let case = mlp();
    let at = case.params.values();
    let drawn =
        case.classes().fisher_sampled(at, CrossEntropy::default(), 1, &mut Generator::seeded(4)).dense();
    let found = (0..3u32.pow(EXAMPLES as u32)).any(|code| {
        let labels = Tensor::from_fn([EXAMPLES], |i| code / 3u32.pow(i[0] as u32) % 3);
        let objective = case.objective(move |y| y.cross_entropy(&labels));
        let matrix = objective.empirical_fisher(at, Reduction::Mean).diagonal();
        let diagonal = drawn.iter().step_by(at.len() + 1);
        matrix.iter().zip(diagonal).all(|(a, b)| (a - b).abs() < 1e-12)
    });
    assert!(found);
}

#[test]
fn an_example_that_is_not_a_number_makes_the_diagonal_so() {
    let mut params: Params<f64> = Params::seeded(0);
    let model = Linear::new(params.root(), 2, 3);
    let (x, labels) = (Var::from([[f64::NAN, 0.0], [1.0, 2.0]]), Tensor::from([0u32, 1]));
    let objective = params.model_objective(|cx| model.forward(cx, &x), |y| y.cross_entropy(&labels));
    let diagonal = objective.fisher(params.values(), CrossEntropy::default()).diagonal();
    assert!(diagonal.iter().any(|d| d.is_nan()));
}

//! Objectives over mini-batches against the whole.

use wengert_curvature::{FisherInformation, FlatLoss, Objectives};
use wengert_nn::{CrossEntropy, Losses, Reduction};
use wengert_optim::{
    Batched, Curvatures, HessianFree, Method, Objective, Operator, Ridge, StochasticLbfgs, TrustRegionNewton,
};
use wengert_tape::Var;
use wengert_tensor::Tensor;
use wengert_tensor::random::Generator;

use super::models::{Case, EXAMPLES, all, mlp};
use super::{assert_close, assert_is};

type Pair = (Var<f64>, Tensor<u32>);

/// Batches of two, two and one.
fn uneven(case: &Case) -> Vec<Pair> {
    [0..2, 2..4, 4..EXAMPLES]
        .into_iter()
        .map(|range| (Var::constant(case.x.value().slice(range.clone())), case.labels.slice(range)))
        .collect()
}

fn over<'a>(case: &'a Case, batches: &'a [Pair]) -> Batched<FlatLoss<'a, f64>> {
    case.params.model_objective_over(
        batches,
        |cx, (x, _)| case.outputs(cx, x),
        |y, (_, labels)| y.cross_entropy(labels),
    )
}

#[test]
fn sums_over_batches_are_the_whole() {
    for case in all() {
        let (whole, batches) = (case.classes(), uneven(&case));
        let at = case.params.values();
        for (kind, parts) in
            [("kept", over(&case, &batches)), ("recomputed", over(&case, &batches).recomputing())]
        {
            let what = format!("{} {kind}", case.name);
            let (mut g, mut expected) = (vec![f64::NAN; at.len()], vec![0.0; at.len()]);
            let value = parts.value_and_gradient(at, &mut g);
            let whole_value = whole.value_and_gradient(at, &mut expected);
            assert_close(&what, &[value, parts.value(at)], &[whole_value; 2]);
            assert_close(&what, &g, &expected);
            assert_is(&what, &*parts.hessian(at).unwrap(), &whole.hessian(at).unwrap().dense());
            assert_is(&what, &*parts.gauss_newton(at).unwrap(), &whole.gauss_newton(at).unwrap().dense());
            let likelihood = CrossEntropy::default();
            assert_is(&what, &*parts.fisher(at, likelihood.clone()), &whole.fisher(at, likelihood).dense());
            let empirical = whole.empirical_fisher(at, Reduction::Mean).dense();
            assert_is(&what, &*parts.empirical_fisher(at, Reduction::Mean), &empirical);
        }
        // The loss alone, with outputs and loss in one.
        let one =
            case.params.objective_over(&batches, |cx, (x, labels)| case.outputs(cx, x).cross_entropy(labels));
        assert_is(case.name, &*one.hessian(at).unwrap(), &whole.hessian(at).unwrap().dense());
        assert!(one.gauss_newton(at).is_none());
    }
}

#[test]
fn samples_are_the_same_whether_recordings_are_kept_or_not() {
    let case = mlp();
    let (batches, at) = (uneven(&case), case.params.values());
    let sampled = |parts: Batched<FlatLoss<'_, f64>>| {
        parts.fisher_sampled(at, CrossEntropy::default(), 3, &mut Generator::seeded(9)).dense()
    };
    let kept = sampled(over(&case, &batches));
    assert_eq!(kept, sampled(over(&case, &batches).recomputing()));
    let ridge = Ridge::new(over(&case, &batches), 0.5);
    let damped = ridge.fisher_sampled(at, CrossEntropy::default(), 3, &mut Generator::seeded(9));
    let trace: f64 = kept.iter().step_by(at.len() + 1).sum();
    assert_close("ridge", &[damped.trace()], &[trace + 0.5 * at.len() as f64]);
}

#[test]
fn mini_batches_repeat_group_and_shuffle() {
    let case = mlp();
    let (batches, at) = (uneven(&case), case.params.values());
    let single: Vec<f64> = over(&case, &batches).parts().iter().map(|p| p.value(at)).collect();
    let value = |parts: &Batched<FlatLoss<'_, f64>>, i| parts.batch(i).unwrap().value(at);

    let plain = over(&case, &batches);
    assert_eq!(plain.batches(), 3);
    for i in 0..7 {
        assert_close("single", &[value(&plain, i)], &[single[i as usize % 3]]);
    }
    let pairs = over(&case, &batches).grouped(2);
    assert_eq!(pairs.batches(), 2);
    assert_close("pair", &[value(&pairs, 0)], &[0.5 * (single[0] + single[1])]);
    assert_close("rest", &[value(&pairs, 3)], &[single[2]]);
    let all = over(&case, &batches).grouped(3);
    assert_close("all", &[value(&all, 5)], &[case.classes().value(at)]);
    let group = all.batch(0).unwrap();
    assert_is("group", &*group.hessian(at).unwrap(), &case.classes().hessian(at).unwrap().dense());

    // Every pass has every batch once, in orders that differ.
    let shuffled = over(&case, &batches).shuffled(1);
    let passes: Vec<Vec<f64>> =
        (0..8).map(|pass| (0..3).map(|i| value(&shuffled, 3 * pass + i)).collect()).collect();
    for pass in &passes {
        assert!(single.iter().all(|s| pass.iter().any(|v| (v - s).abs() < 1e-12)));
    }
    assert!(passes.iter().any(|pass| *pass != passes[0]));
    // A penalty is in every batch whole.
    let ridge = Ridge::new(over(&case, &batches), 2.0);
    let penalty: f64 = at.iter().map(|x| x * x).sum();
    assert_close("ridge", &[ridge.batch(1).unwrap().value(at)], &[single[1] + penalty]);
}

#[test]
fn stochastic_methods_train_on_them() {
    let case = mlp();
    let batches = uneven(&case);
    let objective = Ridge::new(over(&case, &batches).shuffled(0), 0.1);
    let best = TrustRegionNewton::default().minimize(&objective, case.params.values()).unwrap();
    assert!(best.converged());
    let free = HessianFree { curvature_batches: true, ..HessianFree::default() };
    let outcome = free.minimize(&objective, case.params.values()).unwrap();
    assert!(outcome.value < best.value + 1e-4, "{outcome}");
    let outcome = StochasticLbfgs { steps: 30, ..StochasticLbfgs::default() }
        .minimize(&objective, case.params.values())
        .unwrap();
    assert!(outcome.value < best.value + 0.05, "{outcome}");
}

#[test]
fn a_batch_without_examples_changes_nothing() {
    let case = mlp();
    let at = case.params.values();
    let whole = vec![(case.x.clone(), case.labels.clone())];
    let mut padded = whole.clone();
    padded.insert(0, (case.x.slice(..0), case.labels.slice(..0)));
    let (whole, padded) = (over(&case, &whole), over(&case, &padded));
    assert_eq!(whole.value(at), padded.value(at));
    let products = |parts: &Batched<FlatLoss<'_, f64>>| parts.hessian(at).unwrap().dense();
    assert_eq!(products(&whole), products(&padded));
}

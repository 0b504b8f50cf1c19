//! Objectives and constraints written in operations on `Var`.

use wengert_curvature::{FunctionConstraints, FunctionObjective, Objectives};
use wengert_nn::{Ctx, Layer, Linear, Losses, Params};
use wengert_optim::constrained::{Constraints, InteriorPoint, KktNewton};
use wengert_optim::{Curvatures, Method, Objective, Operator, Stopping};
use wengert_tape::Var;
use wengert_tensor::Tensor;
use wengert_tensor::random::Generator;

fn wavy(x: &Var<f64>) -> Var<f64> {
    x.select(0, 0).sin() * x.select(0, 1).exp() + x.powi(3).sum()
}

#[test]
fn derivatives_are_exact() {
    let f = FunctionObjective::new(2, wavy);
    let x = [0.7f64, -0.3];
    let (s, c, e) = (x[0].sin(), x[0].cos(), x[1].exp());
    let mut gradient = [f64::NAN; 2];
    let value = f.value_and_gradient(&x, &mut gradient);
    assert!((value - (s * e + x[0].powi(3) + x[1].powi(3))).abs() < 1e-15);
    assert_eq!(value, f.value(&x));
    let expected = [c * e + 3.0 * x[0] * x[0], s * e + 3.0 * x[1] * x[1]];
    assert!(gradient.iter().zip(expected).all(|(g, e)| (g - e).abs() < 1e-15), "{gradient:?}");
    let hessian = f.hessian(&x).expect("a Hessian").dense();
    let expected = [-s * e + 6.0 * x[0], c * e, c * e, s * e + 6.0 * x[1]];
    assert!(hessian.iter().zip(expected).all(|(h, e)| (h - e).abs() < 1e-14), "{hessian:?}");
}

/// To rounding: a sweep that is not recorded adds contributions in place, and in another order.
#[test]
fn all_in_one_is_what_is_had_apart() {
    let check = |objective: &dyn Objective<f64>, x: &[f64]| {
        let (mut apart, mut together) = (vec![0.0; x.len()], vec![f64::NAN; x.len()]);
        let value = objective.value_and_gradient(x, &mut apart);
        let (found, hessian) = objective.second_order(x, &mut together).expect("together");
        assert_eq!(found, value);
        assert!(together.iter().zip(&apart).all(|(t, a)| (t - a).abs() < 1e-15), "{together:?} {apart:?}");
        assert_eq!(hessian.dense(), objective.hessian(x).expect("a Hessian").dense());
    };
    check(&FunctionObjective::new(2, wavy), &[0.7, -0.3]);

    let mut params: Params<f64> = Params::seeded(0);
    let hidden = Linear::new(params.at("hidden"), 3, 4);
    let out = Linear::new(params.at("out"), 4, 2);
    let x = Var::from(Tensor::normal([5, 3], 0.0, 1.0, &mut Generator::seeded(1)));
    let labels = Tensor::from([0u32, 1, 1, 0, 1]);
    let model = |cx: &Ctx<f64>| out.forward(cx, &hidden.forward(cx, &x).tanh()).cross_entropy(&labels);
    let objective = params.objective(|cx| model(cx) + cx.l2(1e-2));
    check(&objective, params.values());
}

#[test]
fn a_function_without_its_argument_has_no_slope() {
    let f = FunctionObjective::new(2, |_: &Var<f64>| Var::from(3.0));
    let mut gradient = [f64::NAN; 2];
    assert_eq!(f.value_and_gradient(&[1.0, 2.0], &mut gradient), 3.0);
    assert_eq!(gradient, [0.0; 2]);
    assert_eq!(f.hessian(&[1.0, 2.0]).expect("a Hessian").dense(), [0.0; 4]);
}

/// With the constraint's exact curvature Newton's steps converge quadratically: six are enough for all digits.
#[test]
fn curved_constraints_converge_quadratically() {
    let f = FunctionObjective::new(2, |x: &Var<f64>| x.sum());
    let circle = Constraints::new(2).equality_of(|x| x.square().sum() - 1.0);
    let method = KktNewton::new(&circle).with_stopping(Stopping::gradient(1e-12));
    let outcome = method.minimize(&f, &[-1.0, -0.4]).expect("a start");
    assert!(outcome.converged() && (outcome.value + 2f64.sqrt()).abs() < 1e-12, "{outcome}");
    assert!(outcome.iterations <= 6, "{outcome}");
    let y = outcome.multipliers.expect("multipliers").equalities[0];
    assert!((y + 0.5f64.sqrt()).abs() < 1e-9, "{y}");
}

#[test]
fn each_constraint_has_its_own_curvature() {
    // Equalities and inequalities are counted apart.
    let f = FunctionObjective::new(2, |x: &Var<f64>| (x - 2.0).square().sum());
    let constraints = Constraints::new(2)
        .inequality_of(|x| 2.0 - x.square().sum())
        .equality_of(|x| x.select(0, 0) - x.select(0, 1))
        .inequality_of(|x| x.select(0, 0) + 5.0);
    let method = InteriorPoint::new(&constraints);
    let outcome = method.minimize(&f, &[0.5, 0.1]).expect("a start");
    assert!(outcome.converged(), "{outcome}");
    assert!(outcome.point.iter().all(|x| (x - 1.0).abs() < 1e-6), "{:?}", outcome.point);
    let m = outcome.multipliers.expect("multipliers");
    assert!((m.inequalities[0] - 1.0).abs() < 1e-4 && m.inequalities[1].abs() < 1e-4, "{m:?}");
}

#[test]
#[should_panic(expected = "FunctionObjective: the loss has shape [2], not that of a scalar")]
fn a_vector_is_no_objective() {
    FunctionObjective::new(2, Var::<f64>::square).value_and_gradient(&[1.0, 2.0], &mut [0.0; 2]);
}

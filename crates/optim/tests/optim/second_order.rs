//! Hessians that are made together with the gradient: asked for once a point, and only by methods that read them.

use std::cell::Cell;

use wengert_optim::*;

/// Σ (xᵢ² − i)² / 4 + ½ ‖x‖², which counts how its derivatives are asked for.
#[derive(Default)]
struct Valleys {
    together: Cell<u64>,
    gradients: Cell<u64>,
    hessians: Cell<u64>,
    /// Whether the Hessian comes with the gradient.
    shares: bool,
}

const N: usize = 6;

fn note(count: &Cell<u64>) {
    count.set(count.get() + 1);
}

impl Valleys {
    fn evaluate(x: &[f64], g: &mut [f64]) -> f64 {
        let mut value = 0.0;
        for (i, (g, x)) in g.iter_mut().zip(x).enumerate() {
            let gap = x * x - i as f64;
            value += 0.25 * gap * gap + 0.5 * x * x;
            *g = gap * x + x;
        }
        value
    }

    fn matrix(x: &[f64]) -> Box<dyn Operator<f64>> {
        let diagonal: Vec<f64> = (0..N).map(|i| 3.0 * x[i] * x[i] - i as f64 + 1.0).collect();
        Box::new(DenseOperator::with_diagonal(&diagonal))
    }
}

impl Objective<f64> for Valleys {
    fn dimension(&self) -> usize {
        N
    }
    fn value(&self, x: &[f64]) -> f64 {
        Self::evaluate(x, &mut [0.0; N])
    }
    fn value_and_gradient(&self, x: &[f64], g: &mut [f64]) -> f64 {
        note(&self.gradients);
        Self::evaluate(x, g)
    }
    fn curvature(&self, want: Want, x: &[f64]) -> Option<CurvatureAt<'_, f64>> {
        if want != Want::Hessian {
            return None;
        }
        note(&self.hessians);
        Some(CurvatureAt::Operator(Self::matrix(x)))
    }
    fn second_order(&self, x: &[f64], g: &mut [f64]) -> Option<(f64, Box<dyn Operator<f64> + '_>)> {
        if !self.shares {
            return None;
        }
        note(&self.together);
        Some((Self::evaluate(x, g), Self::matrix(x)))
    }
}

fn methods() -> [(&'static str, Box<dyn Minimizer<f64>>); 5] {
    [
        ("Newton", Box::new(Newton::default())),
        ("Newton-CG", Box::new(NewtonCg::default())),
        ("saddle-free Newton", Box::new(SaddleFreeNewton::default())),
        ("damped Newton", Box::new(DampedNewton::default())),
        ("trust region", Box::new(TrustRegionNewton::default())),
    ]
}

#[test]
fn one_evaluation_gives_gradient_and_hessian() {
    let start = [2.0, -1.0, 3.0, 0.5, 1.0, 2.5];
    for (name, method) in methods() {
        let (apart, together) = (Valleys::default(), Valleys { shares: true, ..Valleys::default() });
        let expected = method.run(&apart, &start).unwrap();
        let outcome = method.run(&together, &start).unwrap();
        assert!(outcome.converged(), "{name}: {outcome}");
        assert_eq!((&outcome.point, outcome.counts), (&expected.point, expected.counts), "{name}");
        assert_eq!(together.together.get(), outcome.counts.gradients, "{name}");
        assert_eq!((together.gradients.get(), together.hessians.get()), (0, 0), "{name}");
        // Apart, one Hessian for each point where there was a step, and one for the last, where saddles are looked for.
        assert!(apart.hessians.get() <= outcome.iterations + 1, "{name}: {} Hessians", apart.hessians.get());
    }
}

#[test]
fn methods_of_first_order_ask_for_no_hessian() {
    let valleys = Valleys { shares: true, ..Valleys::default() };
    let outcome = Lbfgs::default().minimize(&valleys, &[2.0; N]).unwrap();
    assert!(outcome.converged());
    assert_eq!((valleys.together.get(), valleys.hessians.get()), (0, 0));
    assert_eq!(valleys.gradients.get(), outcome.counts.gradients);
}

#[test]
fn wrappers_pass_it_on() {
    let x = [2.0, -1.0, 3.0, 0.5, 1.0, 2.5];
    let shares = || Valleys { shares: true, ..Valleys::default() };
    let check = |objective: &dyn Objective<f64>| {
        let (mut one, mut other) = ([0.0; N], [f64::NAN; N]);
        let value = objective.value_and_gradient(&x, &mut one);
        let (found, hessian) = objective.second_order(&x, &mut other).expect("together");
        assert_eq!((found, other), (value, one));
        assert_eq!(hessian.dense(), objective.hessian(&x).unwrap().dense());
    };
    check(&Ridge::new(shares(), 0.3));
    check(&Ridge::on(shares(), 0.3, vec![1..3, 4..5]));
    check(&Batched::mean(vec![shares(), shares()], &[3, 5]));
    check(&Preconditioned::new(shares(), |_: &dyn Objective<f64>, _: &[f64]| -> Box<dyn Operator<f64>> {
        Box::new(DenseOperator::with_diagonal(&[1.0; N]))
    }));
    // Where recordings are made again for each product, none is kept.
    let recomputing = Batched::mean(vec![shares()], &[1]).recomputing();
    assert!(recomputing.second_order(&x, &mut [0.0; N]).is_none());
    assert!(Ridge::new(Valleys::default(), 1.0).second_order(&x, &mut [0.0; N]).is_none());
}

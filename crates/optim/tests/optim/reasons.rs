//! Why a method gave up: at the limit of precision, or without progress.

use crate::methods::identity::Identity;
use crate::methods::{Rosenbrock, START, Visit, every_method};
use wengert_optim::constrained::{Bounds, L1, ProximalGradient};
use wengert_optim::minimize::{CurvatureAt, KrylovModel, NewtonCgDirection, Want};
use wengert_optim::*;

/// Rosenbrock's function plus one, so that its rounding is far above what is left to gain at the end.
struct Raised(Rosenbrock);

impl Objective<f64> for Raised {
    fn dimension(&self) -> usize {
        2
    }
    fn value(&self, x: &[f64]) -> f64 {
        self.0.value(x) + 1.0
    }
    fn value_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        self.0.value_and_gradient(x, gradient) + 1.0
    }
    fn curvature(&self, want: Want, x: &[f64]) -> Option<CurvatureAt<'_, f64>> {
        if let Want::Hessian | Want::GaussNewton = want { self.0.curvature(want, x) } else { None }
    }
}

/// The same with its gradient turned round: every step downhill goes up.
struct Wrong(Rosenbrock);

impl Objective<f64> for Wrong {
    fn dimension(&self) -> usize {
        2
    }
    fn value(&self, x: &[f64]) -> f64 {
        self.0.value(x)
    }
    fn value_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let value = self.0.value_and_gradient(x, gradient);
        vector::scale(-1.0, gradient);
        value
    }
    fn curvature(&self, want: Want, x: &[f64]) -> Option<CurvatureAt<'_, f64>> {
        if let Want::Hessian | Want::GaussNewton = want { self.0.curvature(want, x) } else { None }
    }
}

/// Those that need more than the two objectives give, those of constraints, which have other ends too, and those that take steps of
/// a length of their own.
fn left_out(name: &str) -> bool {
    ["Levenberg", "mini-batches", "stochastic", "interior", "Lagrangian", "penalty", "KKT", "box"]
        .iter()
        .any(|part| name.contains(part))
}

struct AtTheEnd(Vec<String>);

impl Visit for AtTheEnd {
    fn visit<M: Method<f64>>(&mut self, name: &str, method: &M) {
        if left_out(name) {
            return;
        }
        let o = method.minimize(&Raised(Rosenbrock::new(1.0)), &START).unwrap();
        // Nothing is wrong with the function: converged to 0, at the limit, or (steepest descent) still on its way.
        let fine = [Reason::Converged, Reason::PrecisionLimit, Reason::MaxIterations].contains(&o.reason);
        if !fine {
            self.0.push(format!("{name}: {o}"));
        }
    }
}

#[test]
fn a_smooth_function_ends_at_the_limit_of_precision() {
    let mut ends = AtTheEnd(Vec::new());
    every_method(&Stopping { max_iterations: 2000, ..Stopping::gradient(0.0) }, 1.0, &mut ends);
    assert!(ends.0.is_empty(), "{:#?}", ends.0);
}

struct WithWrongGradients(Vec<String>);

impl Visit for WithWrongGradients {
    fn visit<M: Method<f64>>(&mut self, name: &str, method: &M) {
        if left_out(name) {
            return;
        }
        let o = method.minimize(&Wrong(Rosenbrock::new(1.0)), &START).unwrap();
        if o.reason != Reason::NoProgress {
            self.0.push(format!("{name}: {o}"));
        }
    }
}

#[test]
fn wrong_gradients_end_without_progress() {
    let mut ends = WithWrongGradients(Vec::new());
    every_method(&Stopping { max_iterations: 2000, ..Stopping::gradient(1e-8) }, 1.0, &mut ends);
    assert!(ends.0.is_empty(), "{:#?}", ends.0);
}

#[test]
fn a_proximal_gradient_is_not_small_for_short_steps() {
    // Off by 0.1, gradients vanish beyond the minimum, where no step downhill leads: steps become as short as rounding.
    let off = Problem::new(3, |x: &[f64]| 1.0 + 0.5 * vector::dot(x, x))
        .with_gradient(|x, g| g.iter_mut().zip(x).for_each(|(g, x)| *g = x + 0.1));
    let wide = Bounds::uniform(3, -9.0, 9.0).unwrap();
    let methods: [(&str, Box<dyn Minimizer<f64>>); 3] = [
        ("FISTA", Box::new(ProximalGradient::new(L1(0.0)))),
        ("FISTA in a box", Box::new(ProximalGradient::new(wide))),
        (
            "proximal gradient",
            Box::new(ProximalGradient { accelerated: false, ..ProximalGradient::new(L1(0.0)) }),
        ),
    ];
    for (name, method) in methods {
        let o = method.run(&off, &[2.0, -1.0, 3.0]).unwrap();
        // Short steps may go on within the rounding of f until the budget is used up.
        let fine = [Reason::NoProgress, Reason::MaxIterations].contains(&o.reason);
        assert!(fine && o.gradient_norm > 1e-3, "{name}: {o}");
    }
}

#[test]
fn a_kink_ends_without_progress() {
    // |x − 3| + 1: at the kink steps are as short as rounding, and the gradient is 1.
    let kink = Problem::new(1, |x: &[f64]| (x[0] - 3.0).abs() + 1.0)
        .with_gradient(|x, g| g[0] = (x[0] - 3.0).signum());
    let methods: [(&str, Box<dyn Minimizer<f64>>); 3] = [
        ("L-BFGS", Box::new(Lbfgs::default())),
        ("BFGS", Box::new(Bfgs::default())),
        ("SR1", Box::new(Sr1::default())),
    ];
    for (name, method) in methods {
        let o = method.run(&kink, &[0.3]).unwrap();
        assert_eq!(o.reason, Reason::NoProgress, "{name}: {o}");
        assert!(
            o.to_string().starts_with("no progress: no step lowers the value as its gradient promises"),
            "{o}"
        );
    }
}

/// Far out on both sides the curvature of ln(eˣ + e⁻ˣ) is below the range of numbers, and the way back is as plain as the slope.
#[test]
fn a_straight_slope_leads_somewhere() {
    let tent = Problem::new(2, |x: &[f64]| x.iter().map(|x| x.abs() + (-2.0 * x.abs()).exp().ln_1p()).sum())
        .with_gradient(|x, g| (0..2).for_each(|i| g[i] = x[i].tanh()))
        .with_hvp(|x, v, out| (0..2).for_each(|i| out[i] = v[i] / x[i].cosh().powi(2)));
    let diagonal = NewtonCgDirection { preconditioning: Preconditioning::Diagonal, ..Default::default() };
    let region = KrylovModel { preconditioning: Preconditioning::Diagonal, ..Default::default() };
    let methods: [(&str, Box<dyn Minimizer<f64>>); 5] = [
        ("damped Newton", Box::new(DampedNewton::default())),
        ("Hessian-free", Box::new(HessianFree::default())),
        ("Newton-CG", Box::new(NewtonCg::default())),
        ("Newton-CG, diagonal", Box::new(NewtonCg::new(diagonal))),
        ("trust region, diagonal", Box::new(TrustRegionNewton::new(region))),
    ];
    for start in [[60.0, 61.0], [-90.0, 100.0], [400.0, -420.0]] {
        for (name, method) in &methods {
            let o = method.run(&tent, &start).unwrap();
            assert!(o.converged(), "{name} from {start:?}: {o}");
        }
    }
}

/// ½‖x − (3, 2)‖² where x₀ + x₁ ≤ 4, with all that methods ask for.
struct Walled(f64);

impl Walled {
    fn residual(&self, x: &[f64]) -> [f64; 2] {
        if x[0] + x[1] <= 4.0 { [x[0] - 3.0, x[1] - 2.0] } else { [self.0; 2] }
    }
}

impl Objective<f64> for Walled {
    fn dimension(&self) -> usize {
        2
    }
    fn value(&self, x: &[f64]) -> f64 {
        let r = self.residual(x);
        0.5 * vector::dot(&r, &r)
    }
    fn value_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        gradient.copy_from_slice(&self.residual(x));
        self.value(x)
    }
    fn curvature(&self, want: Want, _: &[f64]) -> Option<CurvatureAt<'_, f64>> {
        let identity = || CurvatureAt::operator(DenseOperator::with_diagonal(&[1.0, 1.0]));
        matches!(want, Want::Hessian | Want::GaussNewton).then(identity)
    }
    fn residuals(&self) -> Option<&dyn Residuals<f64>> {
        Some(self)
    }
    fn batch(&self, _: u64) -> Option<Box<dyn Objective<f64> + '_>> {
        Some(Box::new(self))
    }
}

impl Residuals<f64> for Walled {
    fn dimension(&self) -> usize {
        2
    }
    fn count(&self) -> usize {
        2
    }
    fn evaluate(&self, x: &[f64], out: &mut [f64]) {
        out.copy_from_slice(&self.residual(x));
    }
    fn jacobian(&self, _: &[f64]) -> Box<dyn Jacobian<f64> + '_> {
        Box::new(Identity)
    }
}

#[test]
fn a_wall_before_the_minimum_ends_without_progress() {
    let methods: [(&str, Box<dyn Minimizer<f64>>); 9] = [
        ("L-BFGS", Box::new(Lbfgs::default())),
        ("Gauss–Newton", Box::new(GaussNewton::default())),
        ("trust region", Box::new(TrustRegionNewton::default())),
        ("exact trust region", Box::new(TrustRegionExact::default())),
        ("SR1", Box::new(Sr1::default())),
        ("Levenberg–Marquardt", Box::new(LevenbergMarquardt::default())),
        ("damped Newton", Box::new(DampedNewton::default())),
        ("Hessian-free", Box::new(HessianFree::default())),
        ("stochastic L-BFGS", Box::new(StochasticLbfgs { steps: 3, ..StochasticLbfgs::default() })),
    ];
    for wall in [f64::NAN, f64::INFINITY] {
        for (name, method) in &methods {
            let o = method.run(&Walled(wall), &[0.1, -0.7]).unwrap();
            assert_eq!(o.reason, Reason::NoProgress, "{name}: {o}");
            // The least value there is 1/4.
            let near = o.value < if *name == "stochastic L-BFGS" { 1.5 } else { 0.3 };
            assert!(near && o.value >= 0.25, "{name}: {o}, {:?}", o.point);
        }
    }
}

struct FromAfar(Vec<String>);

impl Visit for FromAfar {
    fn visit<M: Method<f64>>(&mut self, name: &str, method: &M) {
        // ∑ cosh xᵢ, of which squares of gradients are beyond the range of numbers.
        let steep = Problem::new(2, |x: &[f64]| x.iter().map(|x| x.cosh()).sum())
            .with_gradient(|x, g| (0..2).for_each(|i| g[i] = x[i].sinh()))
            .with_hvp(|x, v, out| (0..2).for_each(|i| out[i] = v[i] * x[i].cosh()));
        for start in [[120.0, -110.0], [400.0, 395.0], [-680.0, 1.0]] {
            // Not all have what methods need.
            let Ok(o) = method.minimize(&steep, &start) else { return };
            if o.value > 1e-3 * steep.value(&start) {
                self.0.push(format!("{name} from {start:?}: {o}, value {:e}", o.value));
            }
        }
    }
}

#[test]
fn gradients_of_any_size_lead_down() {
    let mut stuck = FromAfar(Vec::new());
    every_method(&Stopping { max_iterations: 300, ..Stopping::gradient(1e-6) }, 1.0, &mut stuck);
    assert!(stuck.0.is_empty(), "{:#?}", stuck.0);
}

//! Random problems with known answers, in random units and with random holes: nothing may be called converged, infeasible or
//! unbounded that is not, and nothing may panic.

use wengert_optim::constrained::*;
use wengert_optim::vector::dot;
use wengert_optim::*;

/// Xorshift.
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }
    /// In [−1, 1).
    fn roll(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / 2f64.powi(52) - 1.0
    }
    fn vector(&mut self, n: usize) -> Vec<f64> {
        (0..n).map(|_| self.roll()).collect()
    }
    fn below(&mut self, n: usize) -> usize {
        ((self.roll() + 1.0) / 2.0 * n as f64) as usize
    }
    /// A power of ten between 10^−most and 10^most.
    fn unit(&mut self, most: f64) -> f64 {
        10f64.powf((self.roll() * most).round())
    }
}

/// min ½ Σ dᵢ (bᵢᵀ(x − x*))² + gᵀx with rows aᵢ of constraints, made so that x* is its solution, by given multipliers. Convex
/// unless bent: then a term Σ κᵢ (aᵢᵀ(x − x*))² is added to the constraints, which leaves x* a KKT point.
struct Planted {
    n: usize,
    curvature: Vec<(f64, Vec<f64>)>,
    linear: Vec<f64>,
    /// Rows, right-hand sides, factor, curvature; equalities first.
    rows: Vec<(Vec<f64>, f64, f64, f64)>,
    equalities: usize,
    lower: Vec<f64>,
    upper: Vec<f64>,
    solution: Vec<f64>,
    objective_unit: f64,
    /// Undefined where hᵀ(x − x*) > 1, far from the way: f, or constraint number.
    hole: Option<(Vec<f64>, usize)>,
}

impl Planted {
    fn new(dice: &mut Dice, units: f64, bent: bool, holes: bool) -> Self {
        let n = 1 + dice.below(7);
        let solution: Vec<f64> = dice.vector(n).iter().map(|x| 3.0 * x).collect();
        let curvature = (0..n)
            .map(|i| {
                let mut direction = dice.vector(n);
                direction[i] += 2.0;
                (10f64.powf(dice.roll()), direction)
            })
            .collect();
        let equalities = dice.below(n);
        let inequalities = dice.below(4);
        // Gradient of the Lagrangian at x*: linear = Σ y a + z_l − z_u.
        let mut linear = vec![0.0; n];
        let mut rows = Vec::new();
        for i in 0..equalities + inequalities {
            let row = dice.vector(n);
            let active = i < equalities || dice.below(2) == 0 && rows.len() < n;
            let slack = if active { 0.0 } else { 0.1 + dice.roll().abs() };
            let multiplier = if i < equalities { 3.0 * dice.roll() } else { 0.1 + dice.roll().abs() };
            if active {
                linear.iter_mut().zip(&row).for_each(|(l, a)| *l += multiplier * a);
            }
            let bend = if bent { 0.1 * dice.roll() } else { 0.0 };
            rows.push((row.clone(), dot(&row, &solution) - slack, dice.unit(units), bend));
        }
        let (mut lower, mut upper) = (vec![f64::NEG_INFINITY; n], vec![f64::INFINITY; n]);
        for i in 0..n {
            match dice.below(8) {
                0 => {
                    lower[i] = solution[i];
                    linear[i] += 0.1 + dice.roll().abs();
                }
                1 => {
                    upper[i] = solution[i];
                    linear[i] -= 0.1 + dice.roll().abs();
                }
                2 => (lower[i], upper[i]) = (solution[i] - 1.0, solution[i] + 2.0),
                3 => {
                    (lower[i], upper[i]) = (solution[i], solution[i]);
                    linear[i] += dice.roll();
                }
                _ => {}
            }
        }
        let hole = holes.then(|| (dice.vector(n), dice.below(rows.len() + 1)));
        let objective_unit = dice.unit(0.5 * units);
        Self { n, curvature, linear, rows, equalities, lower, upper, solution, objective_unit, hole }
    }

    fn shift(&self, x: &[f64]) -> Vec<f64> {
        x.iter().zip(&self.solution).map(|(x, s)| x - s).collect()
    }

    /// 1, or NaN inside the hole of part `part`: 0 is f.
    fn whole(&self, shift: &[f64], part: usize) -> f64 {
        let inside = self.hole.as_ref().is_some_and(|(h, p)| *p == part && dot(h, shift) > 2.0);
        if inside { f64::NAN } else { 1.0 }
    }

    fn constraints(&self) -> Constraints<'_, f64> {
        let bounds = Bounds::new(self.lower.clone(), self.upper.clone()).unwrap();
        let mut constraints = Constraints::new(self.n).with_bounds(bounds);
        for (i, (row, _, unit, bend)) in self.rows.iter().enumerate() {
            let slack = dot(row, &self.solution) - self.rows[i].1;
            let value = move |x: &[f64]| {
                let shift = self.shift(x);
                let along = dot(row, &shift);
                self.whole(&shift, i + 1) * unit * (along + bend * along * along + slack)
            };
            let gradient = move |x: &[f64], g: &mut [f64]| {
                let shift = self.shift(x);
                let along = dot(row, &shift);
                let factor = self.whole(&shift, i + 1) * unit * (1.0 + 2.0 * bend * along);
                g.iter_mut().zip(row).for_each(|(g, a)| *g = factor * a);
            };
            constraints = if i < self.equalities {
                constraints.equality(value, gradient)
            } else {
                constraints.inequality(value, gradient)
            };
        }
        constraints
    }
}

impl Objective<f64> for Planted {
    fn dimension(&self) -> usize {
        self.n
    }
    fn value(&self, x: &[f64]) -> f64 {
        let shift = self.shift(x);
        let squares: f64 = self.curvature.iter().map(|(d, b)| 0.5 * d * dot(b, &shift).powi(2)).sum();
        self.whole(&shift, 0) * self.objective_unit * (squares + dot(&self.linear, &shift))
    }
    fn value_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let shift = self.shift(x);
        gradient.copy_from_slice(&self.linear);
        for (d, b) in &self.curvature {
            vector::axpy(d * dot(b, &shift), b, gradient);
        }
        vector::scale(self.objective_unit * self.whole(&shift, 0), gradient);
        self.value(x)
    }
    fn curvature(&self, want: Want, _: &[f64]) -> Option<CurvatureAt<'_, f64>> {
        (want == Want::Hessian).then(|| CurvatureAt::operator(self))
    }
}

impl Operator<f64> for Planted {
    fn dimension(&self) -> usize {
        self.n
    }
    fn apply(&self, v: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        for (d, b) in &self.curvature {
            vector::axpy(d * dot(b, v) * self.objective_unit, b, out);
        }
    }
}

/// How many problems of each kind; ATTACK=5000 takes some minutes.
fn runs() -> u64 {
    std::env::var("ATTACK").ok().and_then(|runs| runs.parse().ok()).unwrap_or(60)
}

struct Tally {
    converged: u64,
    all: u64,
}

/// Runs both methods; converged ones must be at the planted solution where it is the only one.
fn attack(problem: &Planted, unique: bool, start: &[f64], label: &str, tally: &mut Tally) {
    let constraints = problem.constraints();
    let tolerance = 1e-7 * problem.objective_unit.min(1.0);
    let stopping = |max_iterations| Stopping { max_iterations, ..Stopping::gradient(tolerance) };
    let methods: [(&str, Box<dyn Minimizer<f64> + '_>); 2] = [
        (
            "interior point",
            Box::new(InteriorPoint { stopping: stopping(300), ..InteriorPoint::new(&constraints) }),
        ),
        (
            "augmented Lagrangian",
            Box::new(AugmentedLagrangian {
                stopping: stopping(60),
                ..AugmentedLagrangian::new(&constraints)
            }),
        ),
    ];
    for (name, method) in methods {
        let outcome = match method.run(problem, start) {
            Ok(outcome) => outcome,
            Err(MinimizeError::UndefinedAtStart { .. }) => continue,
            Err(error) => panic!("{label}, {name}: {error}"),
        };
        let label = format!("{label}, {name}: {outcome}, {:?}", outcome.point);
        tally.all += 1;
        tally.converged += u64::from(outcome.converged());
        assert!(vector::all_finite(&outcome.point) && outcome.value.is_finite(), "{label}");
        if unique {
            assert_ne!(outcome.reason, Reason::Infeasible, "{label}");
            assert_ne!(outcome.reason, Reason::Unbounded, "{label}");
        }
        if outcome.converged() && unique {
            let far = problem.shift(&outcome.point).iter().fold(0.0f64, |m, s| m.max(s.abs()));
            assert!(far < 1e-3, "{label}, solution {:?}: {far:e}", problem.solution);
        }
    }
}

#[test]
fn convex_quadratics_in_all_units() {
    let mut tally = Tally { converged: 0, all: 0 };
    for seed in 0..runs() {
        let mut dice = Dice::new(seed + 1);
        let problem = Planted::new(&mut dice, [0.0, 2.0, 4.0, 8.0][seed as usize % 4], false, false);
        let start: Vec<f64> = dice.vector(problem.n).iter().map(|x| 10.0 * x).collect();
        attack(&problem, true, &start, &format!("seed {seed}"), &mut tally);
    }
    println!("{} of {} converged", tally.converged, tally.all);
    assert!(tally.converged * 100 >= tally.all * 90, "{} of {}", tally.converged, tally.all);
}

#[test]
fn bent_constraints_and_holes() {
    let mut tally = Tally { converged: 0, all: 0 };
    for seed in 0..runs() {
        let mut dice = Dice::new(seed + 1_000_001);
        let (bent, holes) = (seed % 3 > 0, seed % 2 == 0);
        let problem = Planted::new(&mut dice, [0.0, 3.0, 6.0][seed as usize % 3], bent, holes);
        let start: Vec<f64> =
            dice.vector(problem.n).iter().zip(&problem.solution).map(|(x, s)| s + 0.5 * x).collect();
        attack(&problem, !bent, &start, &format!("seed {seed}"), &mut tally);
    }
    println!("{} of {} converged", tally.converged, tally.all);
    assert!(tally.converged * 100 >= tally.all * 90, "{} of {}", tally.converged, tally.all);
}

#[test]
fn contradictions() {
    let (mut named, mut all) = (0, 0);
    for seed in 0..runs() {
        let mut dice = Dice::new(seed + 2_000_001);
        let mut problem = Planted::new(&mut dice, [0.0, 3.0, 6.0][seed as usize % 3], false, false);
        // A multiple of a combination of the others that cannot be.
        let row = dice.vector(problem.n);
        let level = dot(&row, &problem.solution);
        let gap = 0.01 + dice.roll().abs();
        let (a, b) = (dice.unit(3.0), dice.unit(3.0));
        problem.rows.push((row.clone(), level, a, 0.0));
        problem.rows.push((row.iter().map(|r| -r).collect(), -level + gap, b, 0.0));
        let start: Vec<f64> = dice.vector(problem.n).iter().map(|x| 10.0 * x).collect();
        let constraints = problem.constraints();
        let methods: [(&str, Box<dyn Minimizer<f64> + '_>); 2] = [
            ("interior point", Box::new(InteriorPoint::new(&constraints))),
            ("augmented Lagrangian", Box::new(AugmentedLagrangian::new(&constraints))),
        ];
        for (name, method) in methods {
            let outcome = method.run(&problem, &start).unwrap();
            let label = format!("seed {seed}, {name}: {outcome}");
            assert!(!outcome.converged() && outcome.reason != Reason::Unbounded, "{label}");
            all += 1;
            named += u64::from(outcome.reason == Reason::Infeasible);
        }
    }
    println!("{named} of {all} called infeasible");
    assert!(named * 100 >= all * 90, "{named} of {all}");
}

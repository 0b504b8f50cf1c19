//! The problems of the file, as objectives and constraints with exact derivatives.

use wengert_optim::constrained::{Bounds, Constraints};
use wengert_optim::{CurvatureAt, Multipliers, Objective, Operator, Want};

use super::formula::Formula;
use crate::problems::dual::Dual;

/// A problem, possibly in other units: variables u with x = u · `variables`, f and constraints times their factors.
pub(crate) struct Classic {
    pub(crate) number: u32,
    pub(crate) start: Vec<f64>,
    lower: Vec<f64>,
    upper: Vec<f64>,
    /// The least value, then those of other minima.
    pub(crate) minima: Vec<f64>,
    objective: Formula,
    equalities: Vec<Formula>,
    inequalities: Vec<Formula>,
    pub(crate) units: Units,
}

/// Factors that are used in turn.
#[derive(Clone)]
pub(crate) struct Units {
    pub(crate) objective: f64,
    pub(crate) constraints: Vec<f64>,
    pub(crate) variables: Vec<f64>,
}

impl Default for Units {
    fn default() -> Self {
        Self { objective: 1.0, constraints: vec![1.0], variables: vec![1.0] }
    }
}

impl Units {
    fn constraint(&self, i: usize) -> f64 {
        self.constraints[i % self.constraints.len()]
    }

    fn variable(&self, i: usize) -> f64 {
        self.variables[i % self.variables.len()]
    }
}

/// All problems of the file.
pub(crate) fn collection() -> Vec<Classic> {
    let text = include_str!("../../golden/hock_schittkowski.txt");
    text.split("\nproblem ").skip(1).map(Classic::read).collect()
}

fn numbers(text: &str) -> Vec<f64> {
    text.split_whitespace().map(|word| word.parse().unwrap()).collect()
}

impl Classic {
    fn read(text: &str) -> Self {
        let mut lines = text.lines();
        let number = lines.next().unwrap().parse().unwrap();
        let rest: Vec<(&str, &str)> = lines.map(|line| line.split_once(' ').unwrap()).collect();
        let all = |word: &str| -> Vec<&str> {
            rest.iter().filter(|(first, _)| *first == word).map(|(_, rest)| *rest).collect()
        };
        let formulas =
            |word: &str| -> Vec<Formula> { all(word).iter().map(|text| Formula::parse(text)).collect() };
        let start = numbers(all("start")[0]);
        let bound = |word: &str, default: f64| -> Vec<f64> {
            let given = all(word).first().map_or(vec![default], |text| numbers(text));
            if given.len() == 1 { vec![given[0]; start.len()] } else { given }
        };
        Self {
            number,
            lower: bound("lower", f64::NEG_INFINITY),
            upper: bound("upper", f64::INFINITY),
            minima: all("best").into_iter().chain(all("also")).flat_map(numbers).collect(),
            objective: Formula::parse(all("min")[0]),
            equalities: formulas("eq"),
            inequalities: formulas("ge"),
            units: Units::default(),
            start,
        }
    }

    /// The start, in units.
    pub(crate) fn begin(&self) -> Vec<f64> {
        self.start.iter().enumerate().map(|(i, x)| x / self.units.variable(i)).collect()
    }

    /// How far a value, in units, is from the nearest minimum: relative, or absolute for small values.
    pub(crate) fn distance(&self, value: f64) -> f64 {
        let value = value / self.units.objective;
        let one = |m: &f64| (value - m).abs() / m.abs().max(1.0);
        self.minima.iter().map(one).fold(f64::INFINITY, f64::min)
    }

    /// The largest violation of a constraint at `x`, in units.
    pub(crate) fn violation(&self, x: &[f64]) -> f64 {
        let value = |(i, c): (usize, &Formula)| {
            Scaled { formula: c, factor: self.units.constraint(i), units: &self.units }.value(x)
        };
        let equal = self.equalities.iter().enumerate().map(value).map(f64::abs);
        let first = self.equalities.len();
        let rest = self.inequalities.iter().enumerate().map(|(i, c)| -value((first + i, c)));
        equal.chain(rest).fold(0.0, f64::max)
    }

    /// ‖∇f − Jᵀy − z_l + z_u‖∞ at `x`, in units.
    pub(crate) fn stationarity(&self, x: &[f64], found: &Multipliers) -> f64 {
        let mut dual = vec![0.0; x.len()];
        let mut gradient = vec![0.0; x.len()];
        self.scaled().gradient(x, &mut dual);
        let formulas = self.equalities.iter().chain(&self.inequalities);
        let multipliers = found.equalities.iter().chain(&found.inequalities);
        for (i, (formula, y)) in formulas.zip(multipliers).enumerate() {
            Scaled { formula, factor: self.units.constraint(i), units: &self.units }
                .gradient(x, &mut gradient);
            dual.iter_mut().zip(&gradient).for_each(|(d, g)| *d -= y * g);
        }
        let bounds = found.upper.iter().zip(&found.lower).map(|(upper, lower)| upper - lower);
        dual.iter().zip(bounds).map(|(d, z)| (d + z).abs()).fold(0.0, f64::max)
    }

    pub(crate) fn constraints(&self) -> Constraints<'_, f64> {
        let bounds = |bound: &[f64]| -> Vec<f64> {
            bound.iter().enumerate().map(|(i, b)| b / self.units.variable(i)).collect()
        };
        let mut constraints = Constraints::new(self.start.len())
            .with_bounds(Bounds::new(bounds(&self.lower), bounds(&self.upper)).unwrap());
        for (i, c) in self.equalities.iter().enumerate() {
            let scaled = Scaled { formula: c, factor: self.units.constraint(i), units: &self.units };
            constraints = constraints
                .equality(move |x| scaled.value(x), move |x, g| scaled.gradient(x, g))
                .with_equality_hvp(i, move |x, v, out| scaled.product(x, v, out));
        }
        for (i, c) in self.inequalities.iter().enumerate() {
            let factor = self.units.constraint(self.equalities.len() + i);
            let scaled = Scaled { formula: c, factor, units: &self.units };
            constraints = constraints
                .inequality(move |x| scaled.value(x), move |x, g| scaled.gradient(x, g))
                .with_inequality_hvp(i, move |x, v, out| scaled.product(x, v, out));
        }
        constraints
    }

    fn scaled(&self) -> Scaled<'_> {
        Scaled { formula: &self.objective, factor: self.units.objective, units: &self.units }
    }
}

#[derive(Clone, Copy)]
struct Scaled<'a> {
    formula: &'a Formula,
    factor: f64,
    units: &'a Units,
}

impl Scaled<'_> {
    fn value(&self, x: &[f64]) -> f64 {
        let x: Vec<f64> = x.iter().enumerate().map(|(i, x)| x * self.units.variable(i)).collect();
        self.factor * self.formula.at(&x)
    }

    fn gradient(&self, x: &[f64], out: &mut [f64]) {
        for (j, out) in out.iter_mut().enumerate() {
            let one = |(i, x): (usize, &f64)| {
                let unit = self.units.variable(i);
                Dual::new(x * unit, if i == j { unit } else { 0.0 })
            };
            let x: Vec<Dual<f64>> = x.iter().enumerate().map(one).collect();
            *out = self.factor * self.formula.at(&x).derivative;
        }
    }

    fn product(&self, x: &[f64], v: &[f64], out: &mut [f64]) {
        for (j, out) in out.iter_mut().enumerate() {
            let one = |(i, x): (usize, &f64)| {
                let unit = self.units.variable(i);
                let inner = Dual::new(x * unit, v[i] * unit);
                Dual::new(inner, Dual::new(if i == j { unit } else { 0.0 }, 0.0))
            };
            let x: Vec<Dual<Dual<f64>>> = x.iter().enumerate().map(one).collect();
            *out = self.factor * self.formula.at(&x).derivative.derivative;
        }
    }
}

impl Objective<f64> for Classic {
    fn dimension(&self) -> usize {
        self.start.len()
    }
    fn value(&self, x: &[f64]) -> f64 {
        self.scaled().value(x)
    }
    fn value_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        self.scaled().gradient(x, gradient);
        self.value(x)
    }
    fn curvature(&self, want: Want, x: &[f64]) -> Option<CurvatureAt<'_, f64>> {
        let hessian = || HessianAt { x: x.to_vec(), scaled: self.scaled() };
        (want == Want::Hessian).then(|| CurvatureAt::operator(hessian()))
    }
}

struct HessianAt<'a> {
    x: Vec<f64>,
    scaled: Scaled<'a>,
}

impl Operator<f64> for HessianAt<'_> {
    fn dimension(&self) -> usize {
        self.x.len()
    }
    fn apply(&self, v: &[f64], out: &mut [f64]) {
        self.scaled.product(&self.x, v, out);
    }
}

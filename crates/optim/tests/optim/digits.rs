//! Softmax regression on the digits: 1797 images of 8 × 8, ten classes, 650 weights with ½·10⁻³‖w‖², from zero.

use wengert_tensor::linalg::Cholesky;

use wengert_optim::minimize::*;

const FEATURES: usize = 65;
const CLASSES: usize = 10;
const OPTIMUM: f64 = 0.263_925_823_295_073;

struct Digits {
    /// Row by row: 64 pixels ÷ 16 and a 1.
    x: Vec<f64>,
    labels: Vec<usize>,
}

impl Digits {
    fn load() -> Self {
        let bytes = include_bytes!("../golden/digits.u8");
        let (mut x, mut labels) = (Vec::new(), Vec::new());
        for row in bytes.chunks_exact(FEATURES) {
            x.extend(row[..64].iter().map(|&p| f64::from(p) / 16.0));
            x.push(1.0);
            labels.push(usize::from(row[64]));
        }
        Self { x, labels }
    }

    /// Rows of features with the class scores of w (class by class).
    fn scores<'a>(&'a self, w: &'a [f64]) -> impl Iterator<Item = (&'a [f64], [f64; CLASSES])> {
        self.x.chunks_exact(FEATURES).map(move |row| {
            let mut z = [0.0; CLASSES];
            for (z, w) in z.iter_mut().zip(w.chunks_exact(FEATURES)) {
                *z = vector::dot(w, row);
            }
            (row, z)
        })
    }
}

/// Turns scores into probabilities and returns ln Σ eᶻ.
fn softmax(z: &mut [f64; CLASSES]) -> f64 {
    let largest = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    z.iter_mut().for_each(|z| *z = (*z - largest).exp());
    let sum: f64 = z.iter().sum();
    z.iter_mut().for_each(|z| *z /= sum);
    largest + sum.ln()
}

impl Objective<f64> for Digits {
    fn dimension(&self) -> usize {
        FEATURES * CLASSES
    }

    fn value(&self, w: &[f64]) -> f64 {
        let losses =
            self.scores(w).zip(&self.labels).map(|((_, z), &label)| softmax(&mut z.clone()) - z[label]);
        losses.sum::<f64>() / self.labels.len() as f64 + 0.5e-3 * vector::dot(w, w)
    }

    fn value_and_gradient(&self, w: &[f64], gradient: &mut [f64]) -> f64 {
        vector::scaled(1e-3, w, gradient);
        let scale = 1.0 / self.labels.len() as f64;
        for ((row, mut p), &label) in self.scores(w).zip(&self.labels) {
            softmax(&mut p);
            p[label] -= 1.0;
            for (g, p) in gradient.chunks_exact_mut(FEATURES).zip(p) {
                vector::axpy(p * scale, row, g);
            }
        }
        self.value(w)
    }

    fn curvature(&self, want: Want, w: &[f64]) -> Option<CurvatureAt<'_, f64>> {
        if want != Want::Hessian {
            return None;
        }
        let probabilities = self.scores(w).map(|(_, mut z)| {
            softmax(&mut z);
            z
        });
        Some(CurvatureAt::operator(Hessian { digits: self, probabilities: probabilities.collect() }))
    }
}

struct Hessian<'a> {
    digits: &'a Digits,
    probabilities: Vec<[f64; CLASSES]>,
}

impl Operator<f64> for Hessian<'_> {
    fn dimension(&self) -> usize {
        FEATURES * CLASSES
    }

    fn apply(&self, v: &[f64], out: &mut [f64]) {
        vector::scaled(1e-3, v, out);
        let scale = 1.0 / self.probabilities.len() as f64;
        for ((row, z), p) in self.digits.scores(v).zip(&self.probabilities) {
            let mean: f64 = p.iter().zip(z).map(|(p, z)| p * z).sum();
            for (k, out) in out.chunks_exact_mut(FEATURES).enumerate() {
                vector::axpy(scale * p[k] * (z[k] - mean), row, out);
            }
        }
    }
}

#[test]
fn trust_region_newton_needs_ten_iterations_and_a_hundred_products() {
    let digits = Digits::load();
    let start = vec![0.0; digits.dimension()];
    let run = |objective: &dyn Objective<f64>, model: KrylovModel| {
        let method = TrustRegionNewton::new(model).with_stopping(Stopping::gradient(2e-8));
        let outcome = method.minimize(objective, &start).unwrap();
        println!("{outcome}, f − f* = {:e}", outcome.value - OPTIMUM);
        assert!(outcome.converged(), "{outcome}");
        assert!((outcome.value - OPTIMUM).abs() < 1e-12, "{:.16}", outcome.value);
        outcome
    };
    let plain = run(&digits, KrylovModel::default());
    assert!(plain.iterations <= 10 && plain.counts.products <= 100, "{plain}");
    run(&digits, KrylovModel { solver: KrylovSolver::Gltr, ..Default::default() });
    let pairs = Preconditioning::Lbfgs(60);
    let pairs = run(&digits, KrylovModel { preconditioning: pairs, ..Default::default() });
    assert!(pairs.counts.products < plain.counts.products, "{pairs}");
    let blocks = Preconditioned::new(&digits, ClassBlocks { digits: &digits });
    let preconditioned = run(&blocks, KrylovModel::default());
    assert!(2 * preconditioned.counts.products <= plain.counts.products, "{preconditioned}");
    assert!(preconditioned.iterations <= 10, "{preconditioned}");
}

/// The inverses of the blocks of the Hessian that belong to one class each: Σ p(1 − p) xxᵀ/N + 10⁻³ I.
struct ClassBlocks<'a> {
    digits: &'a Digits,
}

impl Preconditioner<f64> for ClassBlocks<'_> {
    fn at<'a>(&'a self, _: &'a dyn Objective<f64>, w: &[f64]) -> Box<dyn Operator<f64> + 'a> {
        let scale = 1.0 / self.digits.labels.len() as f64;
        let mut blocks = vec![vec![0.0; FEATURES * FEATURES]; CLASSES];
        for (row, mut p) in self.digits.scores(w) {
            softmax(&mut p);
            for (block, p) in blocks.iter_mut().zip(p) {
                for (line, x) in block.chunks_exact_mut(FEATURES).zip(row) {
                    vector::axpy(scale * p * (1.0 - p) * x, row, line);
                }
            }
        }
        for block in &mut blocks {
            block.iter_mut().step_by(FEATURES + 1).for_each(|d| *d += 1e-3);
        }
        Box::new(Blocks(blocks.iter().map(|b| Cholesky::new(b, FEATURES).unwrap()).collect()))
    }
}

struct Blocks(Vec<Cholesky<f64>>);

/// Takes the mean over the classes off each class, and returns it: the softmax does not see it, so along it the Hessian
/// is 10⁻³.
fn centre(v: &mut [f64]) -> Vec<f64> {
    let mut mean = vec![0.0; FEATURES];
    for v in v.chunks(FEATURES) {
        vector::axpy(1.0 / CLASSES as f64, v, &mut mean);
    }
    for v in v.chunks_mut(FEATURES) {
        vector::axpy(-1.0, &mean, v);
    }
    mean
}

impl Operator<f64> for Blocks {
    fn dimension(&self) -> usize {
        FEATURES * CLASSES
    }
    fn apply(&self, v: &[f64], out: &mut [f64]) {
        let mut centred = v.to_vec();
        let mean = centre(&mut centred);
        for ((block, v), out) in self.0.iter().zip(centred.chunks(FEATURES)).zip(out.chunks_mut(FEATURES)) {
            out.copy_from_slice(&block.solve(v));
        }
        centre(out);
        for out in out.chunks_mut(FEATURES) {
            vector::axpy(1e3, &mean, out);
        }
    }
}

/// The digits in 18 batches of every eighteenth row.
struct Batched(Digits, Vec<Digits>);

impl Batched {
    fn new() -> Self {
        let whole = Digits::load();
        let part = |k: usize| {
            let rows = (k..whole.labels.len()).step_by(18);
            let x = rows
                .clone()
                .flat_map(|i| whole.x[i * FEATURES..(i + 1) * FEATURES].iter().copied())
                .collect();
            Digits { x, labels: rows.map(|i| whole.labels[i]).collect() }
        };
        let parts = (0..18).map(part).collect();
        Self(whole, parts)
    }
}

impl Objective<f64> for Batched {
    fn dimension(&self) -> usize {
        self.0.dimension()
    }
    fn value(&self, w: &[f64]) -> f64 {
        self.0.value(w)
    }
    fn value_and_gradient(&self, w: &[f64], gradient: &mut [f64]) -> f64 {
        self.0.value_and_gradient(w, gradient)
    }
    fn curvature(&self, want: Want, w: &[f64]) -> Option<CurvatureAt<'_, f64>> {
        self.0.curvature(want, w)
    }
    fn batch(&self, index: u64) -> Option<Box<dyn Objective<f64> + '_>> {
        Some(Box::new(&self.1[(index % 18) as usize]))
    }
}

#[test]
fn methods_on_mini_batches() {
    let batched = Batched::new();
    let start = vec![0.0; batched.dimension()];
    let stopping = Stopping { max_iterations: 30, ..Stopping::gradient(1e-4) };
    let stochastic = StochasticLbfgs { steps: 18, stopping: stopping.clone(), ..Default::default() };
    let outcome = stochastic.minimize(&batched, &start).unwrap();
    println!("stochastic L-BFGS: {outcome}, f − f* = {:e}", outcome.value - OPTIMUM);
    assert!(outcome.value - OPTIMUM < 1e-2, "{outcome}: {}", outcome.value);
    let without = stochastic.minimize(&batched.0, &start);
    assert!(matches!(without, Err(MinimizeError::Missing { .. })));
    for curvature_batches in [false, true] {
        let free = HessianFree { curvature_batches, stopping: stopping.clone(), ..Default::default() };
        let outcome = free.minimize(&batched, &start).unwrap();
        println!(
            "Hessian-free, batches {curvature_batches}: {outcome}, f − f* = {:e}",
            outcome.value - OPTIMUM
        );
        assert!(outcome.value - OPTIMUM < 1e-3, "{outcome}: {}", outcome.value);
    }
}

#[test]
fn first_order_methods_agree() {
    let digits = Digits::load();
    let start = vec![0.0; digits.dimension()];
    let stopping = || Stopping::gradient(1e-8);
    let methods: [(&str, Box<dyn Minimizer<f64>>); 3] = [
        ("L-BFGS", Box::new(Lbfgs::default().with_stopping(stopping()))),
        ("nonlinear CG", Box::new(NonlinearCg::default().with_stopping(stopping()))),
        ("Newton-CG", Box::new(NewtonCg::default().with_stopping(stopping()))),
    ];
    for (name, method) in methods {
        let outcome = method.run(&digits, &start).unwrap();
        println!("{name}: {outcome}");
        assert!(
            outcome.converged() && (outcome.value - OPTIMUM).abs() < 1e-11,
            "{name}: {:.16}",
            outcome.value
        );
    }
}

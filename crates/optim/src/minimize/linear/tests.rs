use super::*;
use crate::minimize::operator::Jacobian;

/// A dense matrix, row by row.
struct Matrix {
    n: usize,
    a: Vec<f64>,
}

impl Operator<f64> for Matrix {
    fn dimension(&self) -> usize {
        self.n
    }
    fn apply(&self, v: &[f64], out: &mut [f64]) {
        for (out, row) in out.iter_mut().zip(self.a.chunks(self.n.max(1))) {
            *out = vector::dot(row, v);
        }
    }
}

impl Jacobian<f64> for Matrix {
    fn apply(&self, v: &[f64], out: &mut [f64]) {
        Operator::apply(self, v, out);
    }
    fn apply_transpose(&self, u: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        for (u, row) in u.iter().zip(self.a.chunks(self.n.max(1))) {
            vector::axpy(*u, row, out);
        }
    }
}

fn random(len: usize, seed: u64) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) + 1;
    (0..len)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
        })
        .collect()
}

/// Symmetric with eigenvalues from `low` to `high`, evenly spaced, in a random basis.
fn spectrum(n: usize, low: f64, high: f64) -> Matrix {
    let mut a = vec![0.0; n * n];
    for i in 0..n {
        a[i * n + i] = if n > 1 { low + (high - low) * i as f64 / (n - 1) as f64 } else { low };
    }
    for k in 0..3 {
        // A ← H A H with a reflection H.
        let mut v = random(n, 40 + k);
        let length = vector::norm(&v);
        vector::scale(1.0 / length, &mut v);
        let h: Vec<f64> =
            (0..n * n).map(|i| f64::from(u8::from(i / n == i % n)) - 2.0 * v[i / n] * v[i % n]).collect();
        a = multiply(&multiply(&h, &a, n), &h, n);
    }
    Matrix { n, a }
}

fn multiply(a: &[f64], b: &[f64], n: usize) -> Vec<f64> {
    (0..n * n).map(|i| (0..n).map(|k| a[i / n * n + k] * b[k * n + i % n]).sum()).collect()
}

fn error(a: &Matrix, x: &[f64], b: &[f64]) -> f64 {
    let mut r = vec![0.0; b.len()];
    Operator::apply(a, x, &mut r);
    vector::axpy(-1.0, b, &mut r);
    vector::norm(&r) / vector::norm(b)
}

#[test]
fn definite_systems_are_solved_by_every_solver() {
    for n in [1, 2, 5, 30] {
        let (a, b) = (spectrum(n, 1.0, 50.0), random(n, 3));
        let settings = Settings::tolerance(1e-12);
        let preconditioner = DiagonalPreconditioner::new(&a.diagonal(), 1e-3);
        type Solver<'a> = Box<dyn Fn(&mut [f64]) -> Solve + 'a>;
        let solvers: [(&str, Solver<'_>); 8] = [
            ("cg", Box::new(|x| cg(&a, &b, x, None, &settings).solve)),
            ("cg, diagonal", Box::new(|x| cg(&a, &b, x, Some(&preconditioner), &settings).solve)),
            ("cr", Box::new(|x| cr(&a, &b, x, &settings))),
            ("minres", Box::new(|x| minres(&a, &b, x, None, &settings))),
            ("minres, diagonal", Box::new(|x| minres(&a, &b, x, Some(&preconditioner), &settings))),
            ("gmres", Box::new(|x| gmres(&a, &b, x, 100, &settings))),
            ("gmres, restarted", Box::new(|x| gmres(&a, &b, x, 10, &settings))),
            ("lsmr", Box::new(|x| lsmr(&a, &b, x, 0.0, &settings))),
        ];
        for (name, solve) in solvers {
            for start in [vec![0.0; n], random(n, 8)] {
                let mut x = start;
                let solved = solve(&mut x);
                assert_eq!(solved.stop, Stop::Converged, "{name}, n = {n}: {solved:?}");
                assert!(error(&a, &x, &b) < 1e-10, "{name}, n = {n}: error {}", error(&a, &x, &b));
            }
        }
    }
}

#[test]
fn indefinite_systems_are_solved_by_minres_and_gmres() {
    let (a, b) = (spectrum(24, -10.0, 7.0), random(24, 3));
    let mut x = vec![0.0; 24];
    assert!(minres(&a, &b, &mut x, None, &Settings::default()).converged());
    assert!(error(&a, &x, &b) < 1e-9);
    x.fill(0.0);
    assert!(gmres(&a, &b, &mut x, 24, &Settings::default()).converged());
    assert!(error(&a, &x, &b) < 1e-9);
}

#[test]
fn gmres_solves_unsymmetric_systems() {
    let mut a = spectrum(20, 1.0, 9.0);
    a.a[3] += 5.0;
    a.a[77] -= 4.0;
    let b = random(20, 1);
    let mut x = vec![0.0; 20];
    assert!(
        gmres(&a, &b, &mut x, 7, &Settings { max_iterations: Some(2000), ..Settings::default() }).converged()
    );
    assert!(error(&a, &x, &b) < 1e-9);
}

#[test]
fn negative_curvature_is_found_and_returned() {
    let (a, b) = (spectrum(16, -1.0, 30.0), random(16, 3));
    let mut x = vec![0.0; 16];
    let solved = cg(&a, &b, &mut x, None, &Settings::default());
    assert_eq!(solved.solve.stop, Stop::NegativeCurvature);
    let (p, _) = solved.negative_curvature.unwrap();
    let mut ap = vec![0.0; 16];
    Operator::apply(&a, &p, &mut ap);
    assert!(vector::dot(&p, &ap) <= 0.0);
    // The iterate before is a descent direction of the quadratic.
    assert!(vector::dot(&x, &b) > 0.0);
}

#[test]
fn trouble_is_a_stop_not_a_panic() {
    let nan = Matrix { n: 2, a: vec![f64::NAN; 4] };
    let zero = Matrix { n: 2, a: vec![0.0; 4] };
    let b = [1.0, 2.0];
    let settings = Settings::default();
    let x = || [0.0; 2];
    assert_eq!(cg(&nan, &b, &mut x(), None, &settings).solve.stop, Stop::NonFinite);
    assert_eq!(cr(&nan, &b, &mut x(), &settings).stop, Stop::NonFinite);
    assert_eq!(minres(&nan, &b, &mut x(), None, &settings).stop, Stop::NonFinite);
    assert_eq!(gmres(&nan, &b, &mut x(), 2, &settings).stop, Stop::NonFinite);
    assert_eq!(lsmr(&nan, &b, &mut x(), 0.0, &settings).stop, Stop::NonFinite);
    assert_eq!(steihaug(&nan, &b, 1.0, None, &settings).stop, Stop::NonFinite);
    assert_eq!(gltr(&nan, &b, 1.0, &settings).stop, Stop::NonFinite);
    assert_eq!(cg(&zero, &b, &mut x(), None, &settings).solve.stop, Stop::NegativeCurvature);
    assert_eq!(minres(&zero, &b, &mut x(), None, &settings).stop, Stop::LeastSquares);
    assert_eq!(gmres(&zero, &b, &mut x(), 2, &settings).stop, Stop::Breakdown);
    let negative = Matrix { n: 2, a: vec![-1.0, 0.0, 0.0, -1.0] };
    let one = Matrix { n: 2, a: vec![1.0, 0.0, 0.0, 1.0] };
    assert_eq!(cg(&one, &b, &mut x(), Some(&negative), &settings).solve.stop, Stop::IndefinitePreconditioner);
    assert_eq!(minres(&one, &b, &mut x(), Some(&negative), &settings).stop, Stop::IndefinitePreconditioner);
    assert_eq!(steihaug(&one, &b, 1.0, Some(&negative), &settings).stop, Stop::IndefinitePreconditioner);
    // A right-hand side of zero is solved by zero.
    let mut x = [0.0; 2];
    assert!(cg(&one, &[0.0; 2], &mut x, None, &settings).converged() && x == [0.0; 2]);
    assert!(minres(&one, &[0.0; 2], &mut x, None, &settings).converged());
    assert!(lsmr(&one, &[0.0; 2], &mut x, 0.0, &settings).converged());
}

#[test]
fn minres_finds_the_least_squares_solution_of_a_singular_system() {
    // Eigenvalues 0, 1, …, 9: the component of b along the null vector cannot be matched.
    let (a, b) = (spectrum(10, 0.0, 9.0), random(10, 4));
    let mut x = vec![0.0; 10];
    let solved = minres(&a, &b, &mut x, None, &Settings::tolerance(1e-12));
    assert_eq!(solved.stop, Stop::LeastSquares);
    let (mut r, mut ar) = (vec![0.0; 10], vec![0.0; 10]);
    residual(&a, &b, &x, &mut r);
    Operator::apply(&a, &r, &mut ar);
    assert!(vector::norm(&ar) < 1e-8 && vector::norm(&r) > 1e-3);
}

#[test]
fn lsmr_damps() {
    let (a, b) = (spectrum(12, 1.0, 5.0), random(12, 4));
    let mut x = vec![0.0; 12];
    assert!(lsmr(&a, &b, &mut x, 2.0, &Settings::tolerance(1e-13)).converged());
    // (AᵀA + 4I) x = Aᵀb.
    let (mut ax, mut left, mut right) = (vec![0.0; 12], vec![0.0; 12], vec![0.0; 12]);
    Operator::apply(&a, &x, &mut ax);
    a.apply_transpose(&ax, &mut left);
    vector::axpy(4.0, &x, &mut left);
    a.apply_transpose(&b, &mut right);
    vector::axpy(-1.0, &right, &mut left);
    assert!(vector::norm(&left) < 1e-10);
}

fn model(a: &Matrix, g: &[f64], s: &[f64]) -> f64 {
    let mut hs = vec![0.0; s.len()];
    Operator::apply(a, s, &mut hs);
    vector::dot(g, s) + 0.5 * vector::dot(s, &hs)
}

#[test]
fn trust_region_steps_stay_inside_and_predict_what_they_do() {
    for (low, high) in [(1.0, 40.0), (-5.0, 40.0), (-9.0, -1.0), (0.0, 0.0)] {
        let (a, g) = (spectrum(14, low, high), random(14, 6));
        for radius in [1e-6, 0.01, 0.1, 1.0, 100.0] {
            let settings = Settings::tolerance(1e-12);
            let exact = gltr(&a, &g, radius, &settings);
            let path = steihaug(&a, &g, radius, None, &settings);
            for (name, s) in [("gltr", &exact), ("steihaug", &path)] {
                let label = format!("{name}, [{low}, {high}], radius {radius}");
                assert!(vector::norm(&s.step) <= radius * (1.0 + 1e-9), "{label}");
                let fall = -model(&a, &g, &s.step);
                assert!((s.reduction - fall).abs() <= 1e-9 * fall, "{label}: {} and {fall}", s.reduction);
                assert!((s.length - vector::norm(&s.step)).abs() <= 1e-9 * s.length, "{label}");
                for (radius, step, reduction) in &s.shorter {
                    assert!((vector::norm(step) / radius - 1.0).abs() < 1e-9, "{label}, shorter");
                    assert!((reduction + model(&a, &g, step)).abs() <= 1e-9 * reduction, "{label}, shorter");
                }
            }
            // The Krylov space holds the whole space: gltr is optimal, and no worse than the path.
            assert!(exact.reduction >= path.reduction * (1.0 - 1e-9), "[{low}, {high}], radius {radius}");
            let unclipped = path.stop == Stop::Converged;
            assert!(!unclipped || (exact.reduction - path.reduction).abs() <= 1e-9 * path.reduction);
        }
    }
}

#[test]
fn gltr_satisfies_the_optimality_conditions() {
    let (a, g) = (spectrum(10, -4.0, 6.0), random(10, 2));
    let s = gltr(&a, &g, 2.0, &Settings::tolerance(1e-12)).step;
    // (H + λI) s = −g for one λ ≥ 4: λ from the inner product, then the residual.
    let mut r = vec![0.0; 10];
    Operator::apply(&a, &s, &mut r);
    vector::axpy(1.0, &g, &mut r);
    let lambda = -vector::dot(&r, &s) / vector::dot(&s, &s);
    vector::axpy(lambda, &s, &mut r);
    assert!(lambda >= 4.0 && vector::norm(&r) < 1e-9, "λ = {lambda}, residual {}", vector::norm(&r));
}

#[test]
fn lanczos_gives_the_ends_of_the_spectrum() {
    let a = spectrum(60, -3.0, 20.0);
    let l = lanczos(&a, &random(60, 1), 40);
    let (values, vectors) = l.ritz();
    assert!((values[0] + 3.0).abs() < 1e-6 && (values[39] - 20.0).abs() < 1e-6, "{values:?}");
    let (mut v, mut av) = (vec![0.0; 60], vec![0.0; 60]);
    l.combine(&vectors[..40], &mut v);
    Operator::apply(&a, &v, &mut av);
    vector::axpy(-values[0], &v, &mut av);
    assert!(vector::norm(&av) < 1e-2 && !l.exhausted);
    assert!(lanczos(&a, &random(60, 1), 60).exhausted);
}

#[test]
fn pairs_satisfy_the_secant_equation_and_are_positive_definite() {
    let a = spectrum(9, 0.5, 8.0);
    let mut pairs = CurvaturePairs::new(9, 4);
    let mut y = vec![0.0; 9];
    for k in 0..6 {
        let s = random(9, 60 + k);
        Operator::apply(&a, &s, &mut y);
        assert!(pairs.push(&s, &y));
        let mut hy = vec![0.0; 9];
        pairs.apply(&y, &mut hy);
        vector::axpy(-1.0, &s, &mut hy);
        assert!(vector::norm(&hy) < 1e-12);
    }
    assert_eq!(pairs.len(), 4);
    for k in 0..5 {
        let v = random(9, k);
        let mut hv = vec![0.0; 9];
        pairs.apply(&v, &mut hv);
        assert!(vector::dot(&v, &hv) > 0.0);
    }
    // Relative: a pair a billion billion times smaller counts as much.
    assert!(CurvaturePairs::new(1, 1).push(&[1e-18], &[1e-18]));
    assert!(!pairs.push(&[0.0; 9], &[0.0; 9]) && !pairs.push(&[f64::NAN; 9], &[1.0; 9]));
}

/// The stop of cg, cr, minres, gmres and lsmr, and the solutions.
fn stops(n: usize, diagonal: &[f64], b: &[f64]) -> ([Stop; 5], [Vec<f64>; 5]) {
    let mut a = Matrix { n, a: vec![0.0; n * n] };
    (0..n).for_each(|i| a.a[i * n + i] = diagonal[i]);
    let settings = Settings::default();
    let mut x: [Vec<f64>; 5] = std::array::from_fn(|_| vec![0.0; n]);
    let stops = [
        cg(&a, b, &mut x[0], None, &settings).solve.stop,
        cr(&a, b, &mut x[1], &settings).stop,
        minres(&a, b, &mut x[2], None, &settings).stop,
        gmres(&a, b, &mut x[3], n.max(1), &settings).stop,
        lsmr(&a, b, &mut x[4], 0.0, &settings).stop,
    ];
    (stops, x)
}

#[test]
fn every_solver_says_why_it_stopped() {
    use Stop::*;
    type Case = (&'static str, &'static [f64], &'static [f64], [Stop; 5]);
    let cases: [Case; 9] = [
        ("no variables", &[], &[], [Converged; 5]),
        ("one", &[3.0], &[6.0], [Converged; 5]),
        (
            "one, negative",
            &[-3.0],
            &[6.0],
            [NegativeCurvature, NegativeCurvature, Converged, Converged, Converged],
        ),
        (
            "one, zero",
            &[0.0],
            &[6.0],
            [NegativeCurvature, NegativeCurvature, LeastSquares, Breakdown, Converged],
        ),
        ("no right-hand side", &[1.0, -2.0, 0.0], &[0.0; 3], [Converged; 5]),
        ("singular, solvable", &[1.0, 2.0, 0.0], &[1.0, 1.0, 0.0], [Converged; 5]),
        (
            "singular, contradictory",
            &[1.0, 2.0, 0.0],
            &[1.0; 3],
            [NegativeCurvature, NegativeCurvature, LeastSquares, Breakdown, Converged],
        ),
        (
            "indefinite",
            &[1.0, -1.0],
            &[1.0; 2],
            [NegativeCurvature, NegativeCurvature, Converged, Converged, Converged],
        ),
        ("nearly singular", &[1.0, 1e-6], &[1.0; 2], [Converged; 5]),
    ];
    for (name, diagonal, b, expected) in cases {
        let (stops, solutions) = stops(b.len(), diagonal, b);
        assert_eq!(stops, expected, "{name}: {solutions:?}");
        for (stop, x) in stops.iter().zip(&solutions) {
            assert!(vector::all_finite(x), "{name}: {x:?}");
            let solves = |i: usize| (diagonal[i] * x[i] - b[i]).abs() <= 1e-8 || diagonal[i] == 0.0;
            assert!(*stop != Converged || (0..b.len()).all(solves), "{name}: {x:?}");
        }
        // The solvers of models in balls end too, inside or on the boundary.
        let n = b.len();
        let mut a = Matrix { n, a: vec![0.0; n * n] };
        (0..n).for_each(|i| a.a[i * n + i] = diagonal[i]);
        for step in [steihaug(&a, b, 2.0, None, &Settings::default()), gltr(&a, b, 2.0, &Settings::default())]
        {
            assert!(
                vector::norm(&step.step) <= 2.0 * (1.0 + 1e-9) && step.reduction >= 0.0,
                "{name}: {step:?}"
            );
        }
    }
}

#[test]
fn a_diagonal_that_is_not_a_number_is_no_preconditioner() {
    let a = crate::DenseOperator::with_diagonal(&[1.0, 2.0, 3.0]);
    let inverse = DiagonalPreconditioner::new(&[1.0, f64::NAN, 3.0], 1e-6);
    let mut x = [0.0; 3];
    let solved = cg(&a, &[1.0; 3], &mut x, Some(&inverse), &Settings::default());
    assert_eq!(solved.solve.stop, Stop::IndefinitePreconditioner);
    let step = steihaug(&a, &[1.0; 3], 1.0, Some(&inverse), &Settings::default());
    assert_eq!(step.stop, Stop::IndefinitePreconditioner);
}

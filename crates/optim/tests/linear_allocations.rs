//! Linear solvers allocate nothing in their loops, counted by the allocator.

#[path = "../../tape/tests/compiled/counting.rs"]
mod counting;

use counting::allocations;
use wengert_optim::linear::{DiagonalPreconditioner, Settings, cg, cr, gmres, lsmr, minres, steihaug};
use wengert_optim::{Jacobian, Operator};

const N: usize = 200;

/// Curvatures 1, 2 … N.
struct Ramp;

impl Operator<f64> for Ramp {
    fn dimension(&self) -> usize {
        N
    }
    fn apply(&self, v: &[f64], out: &mut [f64]) {
        for (i, (out, v)) in out.iter_mut().zip(v).enumerate() {
            *out = (i + 1) as f64 * v;
        }
    }
}

impl Jacobian<f64> for Ramp {
    fn apply(&self, v: &[f64], out: &mut [f64]) {
        Operator::apply(self, v, out);
    }
    fn apply_transpose(&self, u: &[f64], out: &mut [f64]) {
        Operator::apply(self, u, out);
    }
}

#[test]
fn ten_times_the_iterations_allocate_no_more() {
    let b: Vec<f64> = (0..N).map(|i| 1.0 + (i % 7) as f64).collect();
    let inverse =
        DiagonalPreconditioner::new(&(0..N).map(|i| 1.0 + (i % 3) as f64).collect::<Vec<_>>(), 1e-6);
    type Solver<'a> = Box<dyn Fn(&mut [f64], &Settings) -> usize + 'a>;
    let solvers: [(&str, Solver<'_>); 7] = [
        ("cg", Box::new(|x, s| cg(&Ramp, &b, x, None, s).solve.iterations)),
        ("cg, preconditioned", Box::new(|x, s| cg(&Ramp, &b, x, Some(&inverse), s).solve.iterations)),
        ("cr", Box::new(|x, s| cr(&Ramp, &b, x, s).iterations)),
        ("minres", Box::new(|x, s| minres(&Ramp, &b, x, None, s).iterations)),
        ("lsmr", Box::new(|x, s| lsmr(&Ramp, &b, x, 0.0, s).iterations)),
        // Within one restart: the basis is allocated before.
        ("gmres", Box::new(|x, s| gmres(&Ramp, &b, x, 60, s).iterations)),
        ("steihaug", Box::new(|_, s| steihaug(&Ramp, &b, 1e9, Some(&inverse), s).iterations)),
    ];
    for (name, solver) in &solvers {
        let of_iterations = |iterations: usize| {
            let mut x = vec![0.0; N];
            let settings = Settings { tolerance: 0.0, max_iterations: Some(iterations) };
            allocations(|| assert_eq!(solver(&mut x, &settings), iterations, "{name}"))
        };
        let (few, many) = (of_iterations(5), of_iterations(50));
        assert!(few > 0 && few == many, "{name}: {few} allocations in 5 iterations, {many} in 50");
    }
}

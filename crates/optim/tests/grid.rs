//! Every method on every test problem, and their counts beside those of SciPy and PyTorch.

mod problems;

use std::collections::BTreeMap;

use problems::TestProblem;
use wengert_optim::*;

fn stopping() -> Stopping {
    Stopping { gradient_tolerance: 1e-8, max_iterations: 20_000, ..Stopping::default() }
}

fn beta(beta: Beta) -> Box<dyn Minimizer<f64>> {
    Box::new(NonlinearCg::new(ConjugateDirection { beta, ..Default::default() }).with_stopping(stopping()))
}

/// The methods by name, with the peers that they are measured against.
fn methods() -> Vec<(&'static str, Box<dyn Minimizer<f64>>, &'static [&'static str])> {
    let gltr = KrylovModel { solver: KrylovSolver::Gltr, ..Default::default() };
    vec![
        ("L-BFGS", Box::new(Lbfgs::default().with_stopping(stopping())), &["L-BFGS-B", "torch-LBFGS"]),
        ("BFGS", Box::new(Bfgs::default().with_stopping(stopping())), &["BFGS"]),
        ("Newton-CG", Box::new(NewtonCg::default().with_stopping(stopping())), &["Newton-CG"]),
        (
            "trust region",
            Box::new(TrustRegionNewton::default().with_stopping(stopping())),
            &["trust-ncg", "trust-krylov"],
        ),
        (
            "trust region, GLTR",
            Box::new(TrustRegionNewton::new(gltr).with_stopping(stopping())),
            &["trust-krylov"],
        ),
        ("nonlinear CG", Box::new(NonlinearCg::default().with_stopping(stopping())), &["CG"]),
        ("CG, PR+", beta(Beta::PolakRibierePlus), &[]),
        ("CG, PR", beta(Beta::PolakRibiere), &[]),
        ("CG, HZ", beta(Beta::HagerZhang), &[]),
        ("damped Newton", Box::new(DampedNewton { stopping: stopping(), ..Default::default() }), &[]),
        ("Hessian-free", Box::new(HessianFree { stopping: stopping(), ..Default::default() }), &[]),
        ("CG, DY", beta(Beta::DaiYuan), &[]),
        ("CG, FR", beta(Beta::FletcherReeves), &[]),
        ("CG, guaranteed descent", beta(Beta::GuaranteedDescent { mu: 1.5 }), &[]),
        ("Newton", Box::new(Newton::default().with_stopping(stopping())), &[]),
        (
            "exact trust region",
            Box::new(TrustRegionExact::default().with_stopping(stopping())),
            &["trust-exact"],
        ),
        ("saddle-free Newton", Box::new(SaddleFreeNewton::default().with_stopping(stopping())), &[]),
        ("DFP", Box::new(Dfp::default().with_stopping(stopping())), &[]),
        ("SR1", Box::new(Sr1::default().with_stopping(stopping())), &[]),
    ]
}

fn outcome(method: &dyn Minimizer<f64>, problem: &TestProblem) -> Outcome<f64> {
    method.run(problem, &problem.start()).unwrap()
}

/// [iterations, values, gradients, products, converged] by problem and peer.
type Golden = BTreeMap<String, BTreeMap<String, (u64, u64, u64, u64, bool)>>;

fn golden() -> Golden {
    serde_json::from_str(include_str!("golden/peers.json")).unwrap()
}

#[test]
fn print_table() {
    let golden = golden();
    for problem in problems::all() {
        println!("{}", problem.name);
        for (name, method, peers) in methods() {
            if std::env::var("ONLY").is_ok_and(|o| !name.contains(&o))
                || problem.n > 100 && ["Newton", "exact trust region", "DFP", "SR1"].contains(&name)
            {
                continue;
            }
            let o = outcome(&*method, &problem);
            print!(
                "  {name:24} {:3} it {} {} f={:.1e} |",
                if o.converged() { "ok" } else { "NO" },
                o.iterations,
                o.counts,
                o.value
            );
            for p in peers {
                if let Some(g) = golden[problem.name].get(*p) {
                    print!(" {p} {g:?}");
                }
            }
            if !o.converged() {
                print!("   {o}");
            }
            println!();
        }
    }
}

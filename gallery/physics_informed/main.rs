//! A physics-informed network (Raissi, Perdikaris and Karniadakis, 2019): a network u(t, x) learns the solution of Burgers'
//! equation, u_t + u·u_x = ν·u_xx, from nothing but the equation, where it starts and its values at the borders. Its loss
//! needs second derivatives in the inputs, and its training by L-BFGS the gradient of those.

mod burgers;
mod network;
mod pictures;

use clap::Parser;
use wengert::optim::Stopping;
use wengert::prelude::*;
use wengert_gallery::options::Options;

use network::{Points, Solution};

/// Learns the solution of Burgers' equation, and draws it beside the exact one.
#[derive(Debug, Parser)]
#[command(name = "physics_informed")]
struct Arguments {
    #[command(flatten)]
    options: Options,
    /// Iterations of L-BFGS
    #[arg(long, default_value_t = 2000)]
    iterations: u64,
    /// Points inside at which the equation should hold
    #[arg(long, value_name = "COUNT", default_value_t = 2000)]
    points: usize,
    /// Seed of the initial weights and the points
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Arguments { options, iterations, points, seed } = Arguments::parse();
    let (iterations, inside) = if options.quick { (30, 100) } else { (iterations, points) };
    let mut params: Params<f64> = Params::seeded(seed);
    let network = Solution::new(&mut params);
    let points = Points::scattered(inside, inside / 20 + 2, seed);
    println!("{} parameters, {inside} points inside, {} on the borders", params.len(), points.borders());

    let stopping = Stopping { max_iterations: iterations, ..Stopping::default() };
    let objective = params.objective(|cx| network.loss(cx, &points));
    let outcome = Lbfgs::default().with_stopping(stopping).minimize(&objective, params.values())?;
    println!("{outcome}");
    params.set_values(&outcome.point);

    println!("\n     t   largest error   mean error");
    let mut curves = Vec::new();
    for t in [0.25, 0.5, 0.75] {
        let xs: Vec<f64> = (0..=200).map(|i| f64::from(i) / 100.0 - 1.0).collect();
        let found = network.values(&params, t, &xs);
        let exact: Vec<f64> = xs.iter().map(|&x| burgers::exact(t, x)).collect();
        let errors: Vec<f64> = found.iter().zip(&exact).map(|(a, b)| (a - b).abs()).collect();
        let largest = errors.iter().copied().fold(0.0, f64::max);
        println!("  {t:.2}   {largest:13.2e}   {:10.2e}", errors.iter().sum::<f64>() / errors.len() as f64);
        curves.push((t, xs, found, exact));
    }
    let files = pictures::draw(&options.out, &network, &params, &curves)?;
    println!("wrote {} and {}", files[0].display(), files[1].display());
    Ok(())
}

//! Optimisers on their way to the minima of small functions: paths over contours, values against steps, a table.
//!
//! `cargo run --release --example trajectories` writes `target/pictures/trajectories_*.{svg,png,csv}`.

mod functions;
mod pictures;
mod run;
mod settings;
mod table;

use clap::Parser;
use wengert_gallery::options::Options;

use functions::functions;
use run::run;

/// Draws the paths of first-order optimisers over the contours of functions.
#[derive(Debug, Parser)]
#[command(name = "trajectories")]
struct Arguments {
    #[command(flatten)]
    options: Options,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Arguments { options } = Arguments::parse();
    let budget = options.steps(10_000, 200);
    for function in functions() {
        println!("{}\n{}", function.title, function.note);
        let mut paths = Vec::new();
        for (name, mut optimizer) in settings::optimizers(function.settings)? {
            paths.push(run(&function, name, optimizer.as_mut(), budget));
        }
        print!("{}", table::text(&paths));
        let csv = table::write(&options.out, &function, &paths)?;
        let drawn = pictures::draw(&options.out, &function, &paths)?;
        println!("wrote {} and {} pictures beside it\n", csv.display(), drawn);
    }
    Ok(())
}

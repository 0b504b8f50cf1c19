//! Races `compare` against the frameworks that are installed: all take turns on the same CPUs, and one table says who was
//! faster and how near the machine's limit that is.
//!
//! `cargo build --release -p wengert-benches --bins && cargo run --release -p wengert-benches --bin race -- mlp_small cnn`

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use wengert_benches::race::{Counter, Entrant, Limits, Line, Places, Results, RunError, USUAL, run};

type Error = Box<dyn std::error::Error>;

#[derive(Parser)]
#[command(about = "Races this framework against those that are installed")]
struct Arguments {
    /// Workloads, by the names of `compare`; a list of usual ones if there are none
    workloads: Vec<String>,
    /// Numbers of threads
    #[arg(long, value_delimiter = ',', default_value = "1,2", value_parser = threads)]
    threads: Vec<usize>,
    /// How often all take turns
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Only these peers
    #[arg(long, value_delimiter = ',')]
    peers: Option<Vec<String>>,
    /// An earlier `compare` that takes part
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// The Python that has PyTorch or JAX [default: `env/bin/python` in PEERS_HOME or ~/.cache/peers, or `python3`]
    #[arg(long, value_name = "FILE")]
    python: Option<PathBuf>,
    /// A folder of further programs, `torch_bench.py` and `jax_bench.py`, besides `benches/peers`
    #[arg(long, value_name = "FOLDER")]
    programs: Option<PathBuf>,
    /// Seconds that one run may take
    #[arg(long, default_value_t = 600)]
    limit: u64,
    /// Appends every line that the programs print to this file
    #[arg(long, value_name = "FILE")]
    lines: Option<PathBuf>,
    /// Counts instructions of a step in place of time, ours and the baseline's
    #[arg(long)]
    counts: bool,
    /// A few steps of everything: the numbers mean nothing
    #[arg(long)]
    quick: bool,
}

fn threads(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|&threads| threads > 0)
        .ok_or_else(|| "a number of threads is at least 1".to_owned())
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match places(&arguments).and_then(|places| {
        if arguments.counts { count(&arguments, &places) } else { race(&arguments, &places) }
    }) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn places(arguments: &Arguments) -> Result<Places, Error> {
    let compare =
        std::env::current_exe()?.with_file_name("compare").with_extension(std::env::consts::EXE_EXTENSION);
    if !compare.is_file() {
        let path = compare.display();
        return Err(format!("there is no {path}: cargo build --release -p wengert-benches --bins").into());
    }
    let home = std::env::var_os("PEERS_HOME").map(PathBuf::from);
    let cache = || std::env::home_dir().unwrap_or_default().join(".cache").join("peers");
    let home = home.unwrap_or_else(cache);
    let installed = home.join("env").join("bin").join("python");
    let found = if installed.is_file() { installed } else { "python3".into() };
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
    Ok(Places {
        compare,
        baseline: arguments.baseline.clone(),
        python: arguments.python.clone().unwrap_or(found),
        programs: std::iter::once(own).chain(arguments.programs.clone()).collect(),
        binaries: home.join("bin"),
    })
}

fn workloads(arguments: &Arguments) -> Vec<&str> {
    match arguments.workloads.is_empty() {
        true => USUAL.to_vec(),
        false => arguments.workloads.iter().map(String::as_str).collect(),
    }
}

/// The peers that take part; says why others do not.
fn entrants(arguments: &Arguments, places: &Places) -> Vec<Entrant> {
    let wanted =
        |name: &str| arguments.peers.as_ref().is_none_or(|peers| peers.iter().any(|peer| peer == name));
    let mut entrants = Entrant::others(places);
    entrants.retain(|entrant| {
        if entrant.name != "before" && !wanted(entrant.name) {
            return false;
        }
        let missing = entrant.missing();
        missing.iter().for_each(|why| println!("{} does not take part: {why}", entrant.name));
        missing.is_none()
    });
    entrants.insert(0, Entrant::own(places));
    entrants
}

fn race(arguments: &Arguments, places: &Places) -> Result<(), Error> {
    let entrants = entrants(arguments, places);
    let mut runner = Runner { arguments, lines: None };
    if let Some(path) = &arguments.lines {
        runner.lines = Some(std::fs::OpenOptions::new().create(true).append(true).open(path)?);
    }
    let mut results = Results::new(entrants.iter().map(|entrant| entrant.name).collect());
    for &threads in &arguments.threads {
        let limits = runner.limits(&entrants[0], threads)?;
        println!(
            "{threads} threads: at most {:.0} GFLOP/s and {:.1} GB/s",
            limits.operations * 1e-9,
            limits.bytes * 1e-9
        );
        for workload in workloads(arguments) {
            runner.workload(workload, threads, &entrants, limits, &mut results)?;
        }
    }
    println!("\n{}", results.table());
    Ok(())
}

struct Runner<'a> {
    arguments: &'a Arguments,
    lines: Option<std::fs::File>,
}

impl Runner<'_> {
    /// What the machine does at best on these threads: the fastest steps of as many rounds as there are.
    fn limits(&mut self, own: &Entrant, threads: usize) -> Result<Limits, Error> {
        let mut limits = Limits { operations: 0.0, bytes: 0.0 };
        for _ in 0..self.arguments.rounds {
            for (name, limit) in [("fma", &mut limits.operations), ("triad", &mut limits.bytes)] {
                let line = self.line(own, name, threads, None)?;
                let work =
                    line.operations.or(line.bytes).ok_or("compare does not say how much work that was")?;
                *limit = limit.max(work / line.min_us.ok_or("compare gives no minimum")? * 1e6);
            }
        }
        Ok(limits)
    }

    /// All take turns at one workload. Who fails once says why and is left out from there on; we must not fail.
    fn workload(
        &mut self,
        workload: &str,
        threads: usize,
        entrants: &[Entrant],
        limits: Limits,
        results: &mut Results,
    ) -> Result<(), Error> {
        let mut variants = vec![None; entrants.len()];
        let mut out = vec![false; entrants.len()];
        for _ in 0..self.arguments.rounds {
            for (i, entrant) in entrants.iter().enumerate().filter(|(i, _)| !out[*i]).collect::<Vec<_>>() {
                match self.line(entrant, workload, threads, variants[i].as_deref()) {
                    Ok(line) => {
                        variants[i] = line.variant().map(str::to_owned);
                        results.add(workload, threads, entrant.name, &line, limits);
                    }
                    Err(error) if i == 0 => return Err(format!("{workload}: {error}").into()),
                    Err(RunError::NoTime) => out[i] = true,
                    Err(error) => {
                        println!("{} at {workload}, {threads} threads: {error}", entrant.name);
                        out[i] = true;
                    }
                }
            }
        }
        Ok(())
    }

    fn line(
        &mut self,
        entrant: &Entrant,
        workload: &str,
        threads: usize,
        variant: Option<&str>,
    ) -> Result<Line, RunError> {
        let mut command = entrant.command(workload, threads, variant).ok_or(RunError::NoTime)?;
        if self.arguments.quick {
            command.arg("--quick");
        }
        let [printed, _] = run(&mut command, Duration::from_secs(self.arguments.limit))?;
        if let Some(file) = &mut self.lines {
            file.write_all(printed.as_bytes())?;
        }
        Line::among(&printed)
    }
}

/// Instructions of a step, of this `compare` and of the baseline.
fn count(arguments: &Arguments, places: &Places) -> Result<(), Error> {
    let counter = Counter::found().ok_or("neither perf nor valgrind counts instructions here")?;
    let limit = Duration::from_secs(arguments.limit);
    println!("instructions of a step, by {}:\n", counter.name());
    println!("| workload | threads | Wengert | before | ratio |\n|---|---|---|---|---|");
    for &threads in &arguments.threads {
        for workload in workloads(arguments) {
            let count = |compare: &Path| counter.per_step(compare, workload, threads, limit);
            let ours = count(&places.compare)?;
            let (before, ratio) = match &places.baseline {
                None => ("–".to_owned(), "–".to_owned()),
                Some(compare) => {
                    let before = count(compare)?;
                    (format!("{before:.0}"), format!("{:.4}", ours / before))
                }
            };
            println!("| {workload} | {threads} | {ours:.0} | {before} | {ratio} |");
        }
    }
    Ok(())
}

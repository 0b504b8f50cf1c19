//! Who takes part, and how each is started.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where the programs of the race are.
#[derive(Clone, Debug)]
pub struct Places {
    /// This framework's `compare`.
    pub compare: PathBuf,
    /// An earlier `compare`, to race against oneself.
    pub baseline: Option<PathBuf>,
    /// The Python that has the frameworks.
    pub python: PathBuf,
    /// Folders of programs in Python, the first that has a workload counts.
    pub programs: Vec<PathBuf>,
    /// The folder of programs for frameworks in Rust: `candle_bench`, `burn_bench`, `gemm_bench`, `openblas_bench`.
    pub binaries: PathBuf,
}

/// One that takes part.
#[derive(Clone, Debug)]
pub struct Entrant {
    /// Its name in the table.
    pub name: &'static str,
    program: PathBuf,
    /// Programs in Python, of which one is started.
    scripts: Vec<PathBuf>,
    arguments: &'static [&'static str],
    environment: Option<(&'static str, &'static str)>,
    /// The module of Python that it needs.
    module: Option<&'static str>,
}

/// Of XLA, faster for some reductions.
const REDUCTIONS: (&str, &str) = ("XLA_FLAGS", "--xla_cpu_experimental_ynn_fusion_type=-reduce");

impl Entrant {
    /// This framework.
    pub fn own(places: &Places) -> Entrant {
        Entrant::binary("Wengert", places.compare.clone(), &[])
    }

    /// All others that the race knows, installed or not.
    pub fn others(places: &Places) -> Vec<Entrant> {
        let python = |name, module, scripts: [&str; 2], arguments, environment| Entrant {
            name,
            program: places.python.clone(),
            scripts: places
                .programs
                .iter()
                .flat_map(|folder| scripts.map(|script| folder.join(script)))
                .collect(),
            arguments,
            environment,
            module: Some(module),
        };
        let torch = ["torch_models.py", "torch_bench.py"];
        let jax = ["jax_models.py", "jax_bench.py"];
        let in_rust = |name, file, arguments| Entrant::binary(name, places.binaries.join(file), arguments);
        let baseline = places.baseline.clone().map(|file| Entrant::binary("before", file, &[]));
        let peers = [
            python("torch", "torch", torch, &["--mode", "eager"], None),
            python("torch.compile", "torch", torch, &["--mode", "compile"], None),
            python("jax", "jax", jax, &[], None),
            python("jax -reduce", "jax", jax, &[], Some(REDUCTIONS)),
            in_rust("candle", "candle_bench", &["--tuned-malloc"]),
            in_rust("burn", "burn_bench", &["--tuned-malloc"]),
            in_rust("gemm", "gemm_bench", &["--variant", "gemm"]),
            in_rust("faer", "gemm_bench", &["--variant", "faer"]),
            in_rust("openblas", "openblas_bench", &[]),
        ];
        baseline.into_iter().chain(peers).collect()
    }

    fn binary(name: &'static str, program: PathBuf, arguments: &'static [&'static str]) -> Entrant {
        Entrant { name, program, scripts: Vec::new(), arguments, environment: None, module: None }
    }

    /// What keeps it from taking part, if anything does.
    pub fn missing(&self) -> Option<String> {
        let Some(module) = self.module else {
            return (!self.program.is_file()).then(|| format!("there is no {}", self.program.display()));
        };
        let code =
            format!("import importlib.util, sys; sys.exit(importlib.util.find_spec('{module}') is None)");
        let found = Command::new(&self.program).args(["-c", &code]).stderr(Stdio::null()).status();
        let found = found.is_ok_and(|status| status.success());
        (!found).then(|| format!("{} cannot import {module}", self.program.display()))
    }

    /// The command that measures a workload, or nothing if it surely does not have it. With a variant the program does not
    /// look for the fastest way first.
    pub fn command(&self, workload: &str, threads: usize, variant: Option<&str>) -> Option<Command> {
        let mut command = pinned(&self.program, threads);
        if self.module.is_some() {
            command.arg(self.scripts.iter().find(|script| has(script, workload))?);
            command.env("PYTHONDONTWRITEBYTECODE", "1");
            if let Some(variant) = variant {
                command.args(["--variant", variant]);
            }
        }
        command.args([workload, "--threads", &threads.to_string()]).args(self.arguments);
        if let Some((name, value)) = self.environment {
            command.env(name, value);
        }
        Some(command)
    }
}

/// Whether a program names the workload, or of one that is had in several sizes what stands before the size.
fn has(script: &Path, workload: &str) -> bool {
    let Ok(text) = std::fs::read_to_string(script) else { return false };
    let names = |name: &str| text.contains(&format!("\"{name}\""));
    match workload.rsplit_once('_') {
        Some(("gemm", size)) => !size.contains('x') && names("gemm_"),
        Some((kind, size)) if size.parse::<usize>().is_ok() => names(kind),
        _ => names(workload),
    }
}

/// The program on the first CPUs, as many as it has threads, where the system can do that.
fn pinned(program: &Path, threads: usize) -> Command {
    let pin = Command::new("taskset").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !pin.is_ok_and(|status| status.success()) {
        return Command::new(program);
    }
    let mut command = Command::new("taskset");
    command.args(["-c", &format!("0-{}", threads.max(1) - 1)]).arg(program);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places() -> Places {
        Places {
            compare: "/bin/compare".into(),
            baseline: None,
            python: "/no/python".into(),
            programs: vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("peers")],
            binaries: "/no/binaries".into(),
        }
    }

    #[test]
    fn the_programs_have_what_they_name() {
        for name in ["torch", "jax"] {
            let entrant =
                Entrant::others(&places()).into_iter().find(|entrant| entrant.name == name).unwrap();
            for workload in
                ["bert_layer", "lstm", "conv1d", "gpt_small", "embedding", "infer_token", "lu_512"]
            {
                let command = entrant.command(workload, 2, Some("fused")).expect(workload);
                let words: Vec<_> = command.get_args().map(|word| word.to_str().unwrap()).collect();
                assert!(words.windows(2).any(|pair| pair == ["--variant", "fused"]), "{words:?}");
                assert!(words.windows(3).any(|three| three == [workload, "--threads", "2"]), "{words:?}");
            }
            assert!(entrant.command("no_such_workload", 1, None).is_none());
            assert!(entrant.command("no_such_512", 1, None).is_none());
            assert!(entrant.missing().unwrap().contains(name));
        }
    }

    #[test]
    fn the_baseline_takes_part_if_there_is_one() {
        let with = Places { baseline: Some("/bin/old".into()), ..places() };
        assert_eq!(Entrant::others(&with)[0].name, "before");
        assert_ne!(Entrant::others(&places())[0].name, "before");
    }
}

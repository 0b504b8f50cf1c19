//! Instructions in place of times, for differences that noise hides.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::{RunError, run};

/// Who counts instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counter {
    /// The CPU, asked by `perf`.
    Perf,
    /// Valgrind's `cachegrind`, which has no AVX-512: the loops for AVX2 are counted.
    Cachegrind,
}

impl Counter {
    /// The best that this machine has; a virtual machine often hides the CPU's counters.
    pub fn found() -> Option<Counter> {
        [Counter::Perf, Counter::Cachegrind].into_iter().find(|counter| {
            let counted = run(counter.command(Path::new("true")).arg(""), Duration::from_secs(60));
            counted.is_ok_and(|[_, said]| counter.read(&said).is_some())
        })
    }

    /// What the table says of it.
    pub fn name(self) -> &'static str {
        match self {
            Counter::Perf => "perf",
            Counter::Cachegrind => "cachegrind, AVX2",
        }
    }

    /// Instructions of one step of a workload of this `compare`: those of eleven steps without those of one, over ten.
    ///
    /// # Errors
    /// If it does not run, or takes longer than `limit`.
    pub fn per_step(
        self,
        compare: &Path,
        workload: &str,
        threads: usize,
        limit: Duration,
    ) -> Result<f64, RunError> {
        let count = |steps: usize| {
            let mut command = self.command(compare);
            command.args([workload, "--threads", &threads.to_string(), "--steps", &steps.to_string()]);
            self.read(&run(&mut command, limit)?[1]).ok_or(RunError::NoTime)
        };
        Ok((count(11)? - count(1)?) / 10.0)
    }

    /// `program` under the counter.
    fn command(self, program: &Path) -> Command {
        let words: &[&str] = match self {
            Counter::Perf => &["perf", "stat", "-x", ",", "-e", "instructions:u"],
            Counter::Cachegrind => {
                &["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
            }
        };
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).arg(program);
        command
    }

    /// The count in what the counter said.
    fn read(self, said: &str) -> Option<f64> {
        said.lines().find_map(|line| match self {
            Counter::Perf => line.contains("instructions").then(|| line.split(',').next()?.parse().ok())?,
            Counter::Cachegrind => line.split_once(" refs:")?.1.trim().replace(',', "").parse().ok(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Counter;

    #[test]
    fn counts_are_read() {
        assert_eq!(Counter::Perf.read("1234,,instructions:u,99,100.00,,\n"), Some(1234.0));
        assert_eq!(Counter::Perf.read("<not supported>,,instructions:u,0,100.00,,\n"), None);
        assert_eq!(Counter::Cachegrind.read("==7== \n==7== I   refs:      1,234\n"), Some(1234.0));
        assert_eq!(Counter::Cachegrind.read("==7== I refs:      24,492,184\n"), Some(24_492_184.0));
    }
}

//! Launchers, by the environment variables that they set.

use std::fmt;

/// What has started this process as one of several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launcher {
    /// The program's name, or that of its family.
    pub name: &'static str,
    /// The ranks it started.
    pub size: usize,
}

/// Launchers with the variable of the number of ranks. MPICH's also starts those of Intel MPI and MVAPICH. Slurm sets the one given
/// here in steps (`srun`) alone: in a batch script, which is one process, it is absent.
const LAUNCHERS: [(&str, &str); 4] = [
    ("mpirun of Open MPI", "OMPI_COMM_WORLD_SIZE"),
    ("mpiexec of MPICH", "PMI_SIZE"),
    ("mpiexec of MVAPICH", "MV2_COMM_WORLD_SIZE"),
    ("srun of Slurm", "SLURM_STEP_NUM_TASKS"),
];

impl Launcher {
    /// The launcher of this process, if it is one of several ranks.
    ///
    /// ```
    /// use wengert_distributed::launch::Launcher;
    ///
    /// assert_eq!(Launcher::of_this_process(), None, "tests are started by cargo");
    /// ```
    pub fn of_this_process() -> Option<Self> {
        Self::find(|name| std::env::var(name).ok())
    }

    fn find(variable: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let size = |name: &str| variable(name)?.trim().parse().ok().filter(|&size: &usize| size > 1);
        LAUNCHERS.into_iter().find_map(|(name, variable)| Some(Self { name, size: size(variable)? }))
    }
}

impl fmt::Display for Launcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str, value: &str) -> Option<Launcher> {
        Launcher::find(|asked| (asked == name).then(|| value.to_owned()))
    }

    #[test]
    fn launchers_are_known_by_their_variables() {
        for (name, variable) in LAUNCHERS {
            assert_eq!(found(variable, "4"), Some(Launcher { name, size: 4 }));
            for alone in ["1", "0", "", "four", "-2"] {
                assert_eq!(found(variable, alone), None, "{variable}={alone}");
            }
        }
        // A batch script of Slurm is one process, whatever is allotted to it.
        assert_eq!(found("SLURM_NTASKS", "4"), None);
    }
}

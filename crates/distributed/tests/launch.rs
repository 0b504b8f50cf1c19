//! What programs are told about how they were started, without MPI; and jobs, with a launcher made here.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use wengert_distributed::launch::{self, Job, JobError, LaunchError, Launcher};

/// For a program that is built without MPI, and started by `mpirun` nonetheless.
#[cfg(not(feature = "mpi"))]
#[allow(dead_code, reason = "others kill ranks by it")]
mod processes;

#[test]
#[ignore = "a rank, which the other tests start"]
fn rank() {
    match launch::world() {
        Ok(ranks) => println!("rank {} of {} over {}", ranks.rank(), ranks.size(), ranks.transport()),
        Err(error) => println!("{error}"),
    }
}

/// What a process says that was started with these variables.
fn told(variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "rank", "--nocapture"]).envs(variables.iter().copied());
    String::from_utf8(command.output().unwrap().stdout).unwrap()
}

#[test]
fn a_process_without_a_launcher_is_a_single_rank() {
    assert!(told(&[]).contains("rank 0 of 1 over single"));
    assert!(told(&[("OMPI_COMM_WORLD_SIZE", "1")]).contains("rank 0 of 1 over single"));
}

#[cfg(not(feature = "mpi"))]
#[test]
fn a_program_without_mpi_does_not_train_alone_beside_others() {
    for (variable, name) in [
        ("OMPI_COMM_WORLD_SIZE", "mpirun of Open MPI"),
        ("PMI_SIZE", "mpiexec of MPICH"),
        ("SLURM_STEP_NUM_TASKS", "srun of Slurm"),
    ] {
        let text = told(&[(variable, "4")]);
        let error = LaunchError::WithoutMpi { launcher: Launcher { name, size: 4 } }.to_string();
        assert!(error.contains("4 ranks, but this program is built without MPI"), "{error}");
        assert!(text.contains(&error), "{text}");
    }
}

#[cfg(not(feature = "mpi"))]
#[test]
#[ignore = "the program of a rank, which the next test starts"]
fn program() {
    launch::run(|_| Ok(())).unwrap();
}

#[cfg(not(feature = "mpi"))]
#[test]
fn a_program_without_mpi_says_so_under_mpirun() {
    if !processes::has_mpirun() {
        return;
    }
    let mut command = Command::new("mpirun");
    command.args(processes::OPTIONS).args(["-n", "3"]).arg(env::current_exe().unwrap());
    let output = command.args(["--ignored", "--exact", "program", "--nocapture"]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
    let expected = "mpirun of Open MPI has started 3 ranks, but this program is built without MPI, and each would train alone: \
                    build it with the feature `mpi` of wengert-distributed, or start it without a launcher";
    // As a `main` does that hands the error on.
    assert!(!output.status.success() && text.contains(expected), "{text}");
}

#[cfg(feature = "mpi")]
#[test]
fn a_launcher_of_another_mpi_is_named() {
    let text = told(&[("PMI_SIZE", "4")]);
    let launcher = Launcher { name: "mpiexec of MPICH", size: 4 };
    let library = wengert_distributed::mpi::library();
    let error = LaunchError::OtherMpi { launcher, library, found: 1 }.to_string();
    assert!(text.contains(&error) && error.contains("sees 1"), "{text}");
}

/// Writes a program by another process: one that this process has open for writing, a child of another test would have open, too, until
/// it is another program itself, and meanwhile nobody can start it.
fn write_program(place: &Path, text: &str) {
    let mut shell = Command::new("sh");
    shell.args(["-c", "printf %s \"$1\" > \"$2\" && chmod 755 \"$2\"", "sh", text]).arg(place);
    assert!(shell.status().unwrap().success());
}

/// A launcher that notes its arguments and fails twice.
fn launcher(folder: &Path) -> Job {
    let script = folder.join("launcher");
    let text = format!(
        "#!/bin/sh\ncd '{}'\n[ \"$1\" = --version ] && echo 'mpirun (Open MPI) 4.1.4' && exit 0\n\
         printf '%s\\n' \"$*\" >> calls\n[ $(wc -l < calls) -gt 2 ]\n",
        folder.display()
    );
    write_program(&script, &text);
    Job {
        launcher: script.into(),
        ranks: 4,
        hosts: Some("hosts".into()),
        options: vec!["--bind-to".into(), "none".into()],
        program: "train".into(),
        arguments: vec!["--mode".into(), "sync".into()],
        restarts: 0,
        pause: Duration::ZERO,
        patience: Duration::from_secs(10),
    }
}

#[test]
fn a_job_is_started_again_with_the_same_arguments() {
    let folder = tempfile::tempdir().unwrap();
    let job = Job { restarts: 3, ..launcher(folder.path()) };
    let mut told = Vec::new();
    job.run(|restart| told.push(restart.to_string())).unwrap();
    let calls: Vec<String> = (0..3)
        .map(|attempt| {
            format!("-n 4 --hostfile hosts -x WENGERT_ATTEMPT={attempt} --bind-to none train --mode sync\n")
        })
        .collect();
    assert_eq!(fs::read_to_string(folder.path().join("calls")).unwrap(), calls.concat());
    assert_eq!(
        told,
        [
            "the job failed (exit status: 1; failure 1); it is started again, 3 of its restarts left",
            "the job failed (exit status: 1; failure 2); it is started again, 2 of its restarts left",
        ]
    );
}

#[test]
fn a_job_fails_when_it_may_not_be_started_again() {
    let folder = tempfile::tempdir().unwrap();
    let failed = Job { restarts: 1, ..launcher(folder.path()) }.run(|_| ()).unwrap_err();
    assert!(matches!(failed, JobError::Failed { attempts: 2, .. }), "{failed}");
    assert!(
        failed.to_string().starts_with("the job failed 2 times, at last with exit status: 1"),
        "{failed}"
    );
}

/// As the mpirun of Open MPI does now and then: its ranks end, and it does not.
#[cfg(target_os = "linux")]
#[test]
fn a_launcher_that_does_not_end_after_its_ranks_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("launcher");
    let rank = "timeout 1 tail -f /dev/null";
    let text =
        |rest: &str| format!("#!/bin/sh\n[ \"$1\" = --version ] && exit 0\n{rank} & {rank} & wait\n{rest}\n");
    let job = Job {
        launcher: script.clone().into(),
        program: "/usr/bin/tail".into(),
        restarts: 1,
        pause: Duration::ZERO,
        patience: Duration::from_millis(200),
        ..Job::of_this_program(2).unwrap()
    };
    let run = |ranks: usize, rest: &str| {
        write_program(&script, &text(rest));
        let mut restarts = Vec::new();
        let ended = Job { ranks, ..job.clone() }.run(|restart| restarts.push(*restart));
        (restarts, ended)
    };
    let (restarts, ended) = run(2, "exec sleep 30");
    assert!(restarts[0].hung && restarts[0].status.code().is_none(), "{restarts:?}");
    assert!(restarts[0].to_string().contains(", as the launcher did not end after its ranks; failure 1"));
    assert!(matches!(ended, Err(JobError::Failed { attempts: 2, .. })), "{ended:?}");
    // It is waited for if the third of its ranks was never seen, as on another host, and if it ends in time.
    for (ranks, rest) in [(3, "sleep 1"), (2, "exit 0")] {
        let (restarts, ended) = run(ranks, rest);
        assert!(restarts.is_empty() && ended.is_ok(), "{restarts:?} {ended:?}");
    }
}

/// Of which `mpirun` would start as many as there are cores.
#[test]
fn a_job_without_ranks_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let refused = Job { ranks: 0, ..launcher(folder.path()) }.run(|_| ()).unwrap_err();
    assert!(matches!(refused, JobError::NoRanks), "{refused}");
    assert!(!folder.path().join("calls").exists());
}

#[test]
fn a_launcher_that_is_missing_is_named() {
    let job = Job { launcher: "no-such-mpirun".into(), restarts: 5, ..Job::of_this_program(2).unwrap() };
    let failed = job.run(|_| panic!("nothing to start again")).unwrap_err();
    assert!(matches!(failed, JobError::NoLauncher { .. }));
    assert!(failed.to_string().starts_with("no-such-mpirun could not be started: "), "{failed}");
}

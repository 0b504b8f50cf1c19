//! A program that is built with MPI, where the MPI library is missing: in a folder that has all else that it needs, as its root.
#![cfg(all(target_os = "linux", target_env = "gnu"))]

#[allow(dead_code, reason = "others kill ranks by it")]
mod processes;

use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use processes::{OPTIONS, RANK, has_mpirun};
use wengert_distributed::launch;

#[test]
#[ignore = "a rank, which the other test starts"]
fn rank() {
    let ranks = launch::world().unwrap();
    println!("rank {} of {}", ranks.rank(), ranks.size());
}

/// Lets this program see nothing but a folder: for root, and for all where they may be root of a space of their own.
const WAYS: [&[&str]; 2] = [&["chroot"], &["unshare", "--map-root-user", "chroot"]];

fn rank_in(way: &[&str], folder: &Path) -> Command {
    let mut command = Command::new(way[0]);
    command.args(&way[1..]).arg(folder).arg("/program").args(RANK).stdin(Stdio::null());
    command
}

/// The libraries of a program, each with its place.
fn libraries(program: &Path) -> Vec<String> {
    let output = Command::new("ldd").arg(program).output().expect("ldd comes with the library of C");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.split_whitespace().filter(|word| word.starts_with('/')).map(str::to_owned).collect()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_program_whose_library_is_missing_names_it() {
    let program = env::current_exe().unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::copy(&program, folder.path().join("program")).unwrap();
    let libraries = libraries(&program);
    let place = |library: &str| folder.path().join(library.trim_start_matches('/'));
    for library in &libraries {
        fs::create_dir_all(place(library).parent().unwrap()).unwrap();
        fs::copy(library, place(library)).unwrap();
    }
    // With all of its libraries it is a rank alone there.
    let works = |way: &&&[&str]| {
        rank_in(way, folder.path()).output().is_ok_and(|output| text(&output).contains("rank 0 of 1"))
    };
    let Some(way) = WAYS.iter().find(works) else {
        eprintln!("skipped: no folder may be made the root of a program here");
        return;
    };
    let (of_mpi, others): (Vec<_>, Vec<_>) =
        libraries.iter().partition(|library| library.contains("/libmpi"));
    assert!(!of_mpi.is_empty() && !others.is_empty(), "{libraries:?}");
    of_mpi.iter().for_each(|library| fs::remove_file(place(library)).unwrap());

    let expected = "error while loading shared libraries: libmpi";
    let alone = rank_in(way, folder.path()).output().unwrap();
    assert!(alone.status.code() == Some(127) && text(&alone).contains(expected), "{}", text(&alone));

    if has_mpirun() {
        let rank = rank_in(way, folder.path());
        let mut command = Command::new("mpirun");
        command.args(OPTIONS).args(["-n", "2"]).arg(rank.get_program()).args(rank.get_args());
        let job = command.stdin(Stdio::null()).output().unwrap();
        assert!(job.status.code() == Some(127) && text(&job).contains(expected), "{}", text(&job));
    }
}

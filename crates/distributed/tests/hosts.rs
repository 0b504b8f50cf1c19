//! Several hosts, which are network namespaces of this machine (`hosts.sh`): ranks on them talk over TCP, a host is cut off or a rank
//! on it killed, the job ends, and started again it reaches the bits of one that was left alone.

mod processes;
mod training;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread;
use std::time::{Duration, Instant};

use processes::{has_mpirun, kill};
use wengert_distributed::launch::{self, Job};

const HOSTS: usize = 3;

#[test]
#[ignore = "a rank, which the other test starts"]
fn rank() {
    launch::run(|ranks| training::train(&ranks)).unwrap();
}

/// Hosts that go when it is dropped.
struct Network {
    name: String,
    folder: PathBuf,
}

impl Network {
    /// None, and a line that says so, where there can be no namespaces.
    fn new(folder: &Path) -> Option<Self> {
        let name = format!("wh{:x}", std::process::id() & 0xfffff);
        let network = Self { name, folder: folder.to_owned() };
        let up = network.script("up", &[HOSTS]);
        if !up.status.success() {
            let reason = String::from_utf8_lossy(&up.stderr).into_owned();
            eprintln!("skipped: this machine makes no network namespaces: {}", reason.trim());
            return None;
        }
        let hosts: String =
            String::from_utf8(up.stdout).unwrap().lines().map(|host| format!("{host} slots=1\n")).collect();
        fs::write(network.folder.join("hosts"), hosts).unwrap();
        Some(network)
    }

    fn script(&self, action: &str, arguments: &[usize]) -> Output {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/hosts.sh");
        let arguments = arguments.iter().map(usize::to_string);
        Command::new("sh").args([script, action, &self.name]).args(arguments).output().unwrap()
    }

    /// A job with a rank on each host.
    fn job(&self, folder: &Path) -> Job {
        let agent = self.folder.join("agent");
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/hosts.sh");
        fs::write(&agent, format!("#!/bin/sh\nexec sh '{script}' agent {} \"$@\"\n", self.name)).unwrap();
        let mut job = training::job(HOSTS, 2, folder);
        job.pause = Duration::from_secs(1);
        job.hosts = Some(self.folder.join("hosts"));
        // Over this network alone; a host that says nothing for five seconds is taken for gone.
        for (setting, value) in [
            ("btl", "tcp,self"),
            ("btl_tcp_if_include", "10.77.0.0/24"),
            ("oob_tcp_if_include", "10.77.0.0/24"),
            ("oob_tcp_keepalive_time", "2"),
            ("oob_tcp_keepalive_intvl", "1"),
            ("oob_tcp_keepalive_probes", "3"),
            ("plm_rsh_agent", &format!("sh {}", agent.display())),
        ] {
            job.options.extend(["--mca".into(), setting.into(), value.into()]);
        }
        job
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.script("down", &[HOSTS]);
    }
}

/// Waits until a rank is in the middle of its training.
fn wait_for(process: &Path) {
    let started = Instant::now();
    while !process.exists() {
        assert!(started.elapsed() < Duration::from_secs(120), "{} did not come", process.display());
        thread::sleep(Duration::from_millis(20));
    }
    thread::sleep(Duration::from_millis(200));
}

#[test]
fn a_host_that_is_cut_off_or_killed_ends_the_job_and_a_restart_finishes() {
    let network_folder = tempfile::tempdir().unwrap();
    let Some(network) = has_mpirun().then(|| Network::new(network_folder.path())).flatten() else { return };
    let folders = [(); 3].map(|()| tempfile::tempdir().unwrap());
    network.job(folders[0].path()).run(|restart| panic!("{restart}")).unwrap();
    let saved = |folder: &Path| fs::read_to_string(folder.join("saved")).unwrap();
    let undisturbed = saved(folders[0].path());
    for (folder, is_cut) in [(folders[1].path(), true), (folders[2].path(), false)] {
        let victim = folder.join("process.0.1");
        let mut failures = 0;
        thread::scope(|scope| {
            let network = &network;
            scope.spawn(move || {
                wait_for(&victim);
                if is_cut {
                    assert!(network.script("cut", &[2]).status.success());
                } else {
                    kill(&fs::read_to_string(&victim).unwrap()).unwrap();
                }
            });
            let ended = network.job(folder).run(|restart| {
                println!("{restart}, from step {:?}", training::saved(folder));
                failures += 1;
                assert!(network.script("mend", &[2, HOSTS]).status.success());
            });
            ended.unwrap();
        });
        // A restart may find the network not yet as it was, and is followed by another.
        assert!((1..=2).contains(&failures), "cut off: {is_cut}, failures: {failures}");
        assert!(saved(folder) == undisturbed, "cut off: {is_cut}");
    }
}

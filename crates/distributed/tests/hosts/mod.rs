//! Several hosts, which are network namespaces of this machine (`hosts.sh`): ranks on them talk over TCP, a host is cut off or a rank
//! on it killed, the job ends, and started again it learns what one has that was left alone, to the bit in the deterministic mode.

use std::env;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use wengert_data::synthetic;
use wengert_distributed::launch::{self, Job};
use wengert_distributed::{Communicator, DataParallel, Failure};
use wengert_nn::{Layer, Linear, Losses, Params, Relu, Sequential};
use wengert_optim::Adam;
use wengert_train::checkpoint::Checkpoints;
use wengert_train::{Event, Moment, RunObserver, Trainer, accuracy};

use crate::jobs;
use crate::processes::{has_mpirun, kill};

const HOSTS: usize = 3;

/// How ranks train.
const MODE: &str = "WENGERT_MODE";

#[test]
#[ignore = "a rank, which the other test starts"]
fn rank() {
    launch::run(learn).unwrap();
}

/// Takes its time, so that there is some to be cut off in.
struct Slow;

impl RunObserver for Slow {
    fn on(&mut self, event: &Event<'_>, _: &Moment) -> ControlFlow<String> {
        if matches!(event, Event::Step(_)) {
            thread::sleep(Duration::from_millis(5));
        }
        ControlFlow::Continue(())
    }
}

/// Digits that are learned from a checkpoint on, if there is one. The first rank writes the parameters, and which part of other digits
/// they tell.
fn learn(ranks: Rc<dyn Communicator>) -> Result<(), Failure> {
    let folder = jobs::folder()?;
    let is_first = ranks.rank() == 0;
    jobs::sign("process", ranks.rank())?;
    let group = match &*env::var(MODE)? {
        "deterministic" => DataParallel::deterministic(ranks, 6)?,
        _ => DataParallel::new(ranks),
    };
    let mut params: Params = Params::seeded(0);
    let net = Sequential::builder(params.root()).with(|p| Linear::new(p, 784, 32)).then(Relu);
    let net = net.with(|p| Linear::new(p, 32, 10)).build();
    Trainer::new(&mut params, Adam::new(3e-3))
        .batch_size(24)
        .parallel(group)
        .checkpoints(Checkpoints::new(folder.join("checkpoints")).every_steps(10))
        .resume()
        .observe(Slow)
        .fit(&synthetic::digits(480, 0), 10, |cx, (images, labels)| {
            net.forward(cx, images).cross_entropy(labels)
        })?;
    if is_first {
        let bits: Vec<u8> = params.values().iter().flat_map(|x| x.to_le_bytes()).collect();
        fs::write(folder.join("parameters"), bits)?;
        fs::write(folder.join("accuracy"), accuracy(&net, &params, &synthetic::digits(200, 1)).to_string())?;
    }
    Ok(())
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
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/hosts/hosts.sh");
        let arguments = arguments.iter().map(usize::to_string);
        Command::new("sh").args([script, action, &self.name]).args(arguments).output().unwrap()
    }

    /// A job with a rank on each host.
    fn job(&self, mode: &str, folder: &Path) -> Job {
        let agent = self.folder.join("agent");
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/hosts/hosts.sh");
        fs::write(&agent, format!("#!/bin/sh\nexec sh '{script}' agent {} \"$@\"\n", self.name)).unwrap();
        let mut job = jobs::job(HOSTS, 2, folder);
        job.arguments = ["--ignored", "--exact", "hosts::rank", "--nocapture"].map(Into::into).to_vec();
        job.options.extend(["-x".into(), format!("{MODE}={mode}").into()]);
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

/// Waits until the second rank is in the middle of its training, of which something is saved; its process.
fn wait_for_training(folder: &Path) -> String {
    let (process, saved) = (folder.join("process.0.1"), folder.join("checkpoints"));
    let started = Instant::now();
    while !process.exists() || fs::read_dir(&saved).map_or(0, Iterator::count) == 0 {
        assert!(started.elapsed() < Duration::from_secs(120), "nothing is saved in {}", saved.display());
        thread::sleep(Duration::from_millis(20));
    }
    thread::sleep(Duration::from_millis(200));
    fs::read_to_string(process).unwrap()
}

/// What is done to the second host, or the rank on it, in the middle of the training.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    Cut,
    Kill,
}

/// What a job has learned: the parameters, and the part of other digits that they tell.
fn learned(network: &Network, mode: &str, fault: Option<Fault>) -> (Vec<u8>, f64) {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut failures = 0;
    thread::scope(|scope| {
        if let Some(fault) = fault {
            scope.spawn(move || {
                let victim = wait_for_training(folder);
                match fault {
                    Fault::Cut => assert!(network.script("cut", &[2]).status.success()),
                    Fault::Kill => kill(&victim).unwrap(),
                }
            });
        }
        let ended = network.job(mode, folder).run(|restart| {
            println!("{mode}, {fault:?}: {restart}");
            failures += 1;
            assert!(network.script("mend", &[2, HOSTS]).status.success());
        });
        ended.unwrap();
    });
    // A restart may find the network not yet as it was, and is followed by another.
    let expected = if fault.is_some() { 1..=2 } else { 0..=0 };
    assert!(expected.contains(&failures), "{mode}, {fault:?}: {failures} failures");
    let accuracy = fs::read_to_string(folder.join("accuracy")).unwrap().parse().unwrap();
    (fs::read(folder.join("parameters")).unwrap(), accuracy)
}

#[test]
fn a_host_that_is_cut_off_or_killed_ends_the_job_and_a_restart_learns_as_much() {
    let folder = tempfile::tempdir().unwrap();
    let Some(network) = has_mpirun().then(|| Network::new(folder.path())).flatten() else { return };
    let undisturbed = learned(&network, "deterministic", None);
    println!("undisturbed: {}", undisturbed.1);
    // Chance tells a tenth.
    assert!(undisturbed.1 > 0.75, "{}", undisturbed.1);
    for fault in [Fault::Cut, Fault::Kill] {
        let (parameters, accuracy) = learned(&network, "deterministic", Some(fault));
        assert_eq!(accuracy, undisturbed.1, "{fault:?}");
        assert!(parameters == undisturbed.0, "{fault:?}: other bits");
    }
    // Sums in another order: at most a digit or two of the 200 are told otherwise.
    let (_, accuracy) = learned(&network, "fast", Some(Fault::Cut));
    assert!((accuracy - undisturbed.1).abs() <= 0.015, "{accuracy}, not {}", undisturbed.1);
}

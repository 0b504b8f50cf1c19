//! Ranks as processes. Each test starts this program again under `mpirun`, as ranks that play one of the scenarios below.

mod faults;
mod hosts;
mod jobs;
mod laws;
mod modes;
mod processes;
mod programs;
mod statistics;
mod training;

use std::cell::Cell;
use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::rc::Rc;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use processes::{OPTIONS, RANK, has_mpirun, kill};
use training::vector;
use wengert_data::synthetic;
use wengert_distributed::launch::{self, Job, JobError};
use wengert_distributed::{
    Buffer, Communicator, DataParallel, Failure, Reduction, Single, Values, mpi, tree,
};
use wengert_nn::{BatchNorm1d, Dropout, Layer, Linear, Losses, Params};
use wengert_optim::AdamW;
use wengert_optim::schedule::Cosine;
use wengert_train::Trainer;

type Ranks = Rc<dyn Communicator>;

/// Which scenario a rank plays.
const SCENARIO: &str = "WENGERT_SCENARIO";

/// One job at a time, as the tests of a program run side by side and ranks wait by looking again and again.
static ONE_JOB: Mutex<()> = Mutex::new(());

fn one_job() -> MutexGuard<'static, ()> {
    ONE_JOB.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
#[ignore = "a rank, which the other tests start"]
fn rank() {
    let scenario = env::var(SCENARIO).expect("a scenario");
    // Open MPI says so before it starts.
    if let ("train", Ok(rank)) = (&*scenario, env::var("OMPI_COMM_WORLD_RANK")) {
        jobs::sign("starting", rank).unwrap();
    }
    let played = launch::run(|ranks| {
        match &*scenario {
            "laws" => laws::all(&ranks)?,
            "tree" => sums(&ranks)?,
            "programs" => (0..12).try_for_each(|program| programs::play(&ranks, program, 40, 2, None))?,
            "statistics" => statistics::of_the_whole_batch(&ranks)?,
            "train" => training::train(&ranks)?,
            "synchronous" => synchronous(&ranks)?,
            "sums under way" => sums_under_way(&ranks)?,
            "averages" => modes::averages(&ranks)?,
            "servers" => modes::servers(&ranks)?,
            "checkpoint" => modes::checkpoint(&ranks)?,
            "pushes" => modes::pushes(&ranks)?,
            fault if fault.starts_with("fault") => modes::fault(&ranks, fault)?,
            broken if broken.starts_with("training") => modes::fail(&ranks, broken)?,
            fault => fail(&ranks, fault)?,
        }
        Ok(())
    });
    played.unwrap();
}

/// Plays a scenario, and returns its messages when it is at its end.
fn play(size: usize, scenario: &str) -> Output {
    let _one = one_job();
    let mut command = Command::new("mpirun");
    command.args(OPTIONS).arg("-n").arg(size.to_string()).arg(env::current_exe().unwrap()).args(RANK);
    let output = command.env(SCENARIO, scenario).stdin(Stdio::null()).output().unwrap();
    // Of the launcher, which ends what has hung.
    let text = text(&output);
    assert!(!text.contains("time limit"), "{scenario} on {size} ranks did not end: {text}");
    output
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn mpi_keeps_the_laws() {
    for size in 1..=4 {
        if has_mpirun() {
            let output = play(size, "laws");
            assert!(output.status.success(), "{size} ranks: {}", text(&output));
        }
    }
}

#[test]
#[ignore = "a process of its own, which the next test starts"]
fn alone() {
    let ranks: Ranks = mpi::world().unwrap();
    assert_eq!((ranks.rank(), ranks.size(), ranks.transport()), (0, 1, "mpi"));
    laws::all(&ranks).unwrap();
    // While one is alive, it is found again; no other thread may use it, and it does not come back.
    drop(mpi::world().unwrap());
    let elsewhere = thread::spawn(|| mpi::world().map(drop)).join().unwrap();
    assert_eq!(elsewhere, Err(launch::LaunchError::OtherThread));
    drop(ranks);
    assert_eq!(mpi::world().map(drop), Err(launch::LaunchError::Ended));
}

/// In another process, since what MPI puts into the environment would keep `mpirun` from starting.
#[test]
fn one_process_without_a_launcher_is_a_world_of_one() {
    let arguments = ["--ignored", "--exact", "alone", "--nocapture"];
    let output = Command::new(env::current_exe().unwrap()).args(arguments).output().unwrap();
    assert!(output.status.success() && text(&output).contains("1 passed"), "{}", text(&output));
}

fn sums(ranks: &Ranks) -> Result<(), Failure> {
    for length in [0, 1, 7, 1001, 101_770] {
        let sum = tree::all_reduce(&**ranks, 8, length, |shard| vector(shard, length, 0))?;
        let alone = tree::sum(8, |shard| vector(shard, length, 0))?;
        assert!(sum.iter().zip(&alone).all(|(a, b)| a.to_bits() == b.to_bits()), "{length}");
        assert_eq!(sum.len(), alone.len());
    }
    Ok(())
}

#[test]
fn sums_have_the_bits_of_one() {
    for size in [1, 2, 3, 4, 5, 7, 8] {
        if has_mpirun() {
            let output = play(size, "tree");
            assert!(output.status.success(), "{size} ranks: {}", text(&output));
        }
    }
}

#[test]
fn random_programs_find_what_the_model_says() {
    for size in [1, 2, 3, 5, 8] {
        if has_mpirun() {
            let output = play(size, "programs");
            assert!(output.status.success(), "{size} ranks: {}", text(&output));
        }
    }
}

#[test]
fn ranks_have_the_statistics_of_one_program() {
    for size in [1, 2, 4] {
        if has_mpirun() {
            let output = play(size, "statistics");
            assert!(output.status.success(), "{size} ranks: {}", text(&output));
        }
    }
}

/// Everything that a training leaves that accumulates, and adds up in buckets or with shared state.
fn trained(ranks: Ranks, workers: impl FnOnce(Ranks) -> DataParallel) -> Result<Vec<u32>, Failure> {
    let mut params: Params = Params::seeded(3);
    let (hidden, norm) = (Linear::new(params.at("hidden"), 784, 64), BatchNorm1d::new(params.at("norm"), 64));
    let out = Linear::new(params.at("out"), 64, 10);
    Trainer::new(&mut params, AdamW::new(3e-3))
        .batch_size(16)
        .schedule(Cosine::new(3e-3, 10))
        .clip_norm(0.3)
        .accumulate(2)
        .parallel(workers(ranks))
        .fit(&synthetic::digits(96, 0), 2, |cx, (images, labels)| {
            let hidden = norm.forward(cx, &hidden.forward(cx, images)).relu();
            out.forward(cx, &Dropout::new(0.2).forward(cx, &hidden)).cross_entropy(labels)
        })?;
    Ok(params.values().iter().chain(&params.buffer_values()).map(|x| x.to_bits()).collect())
}

fn synchronous(ranks: &Ranks) -> Result<(), Failure> {
    let deterministic = |ranks| DataParallel::deterministic(ranks, 8).expect("at most eight ranks");
    let alone = trained(Rc::new(Single::new()), deterministic)?;
    for bytes in [None, Some(3000), Some(60_000)] {
        let found = trained(ranks.clone(), |ranks| deterministic(ranks).buckets(bytes))?;
        assert!(found == alone, "buckets of {bytes:?} bytes");
    }
    assert!(trained(ranks.clone(), |ranks| deterministic(ranks).shared_state())? == alone, "shared state");
    // The fast way has the bits of nothing else, but all ranks have the same.
    for shared in [false, true] {
        let fast = trained(ranks.clone(), |ranks| match DataParallel::new(ranks).buckets(Some(60_000)) {
            workers if shared => workers.shared_state(),
            workers => workers,
        })?;
        let mut first: Vec<f64> = fast.iter().map(|&bits| f64::from(bits)).collect();
        ranks.broadcast(Buffer::F64(&mut first), 0)?;
        assert!(
            first.iter().zip(&fast).all(|(&first, &own)| first == f64::from(own)),
            "shared out: {shared}"
        );
    }
    Ok(())
}

#[test]
fn training_has_the_bits_of_one_rank() {
    for size in [2, 3, 4, 7, 8] {
        if has_mpirun() {
            let output = play(size, "synchronous");
            assert!(output.status.success(), "{size} ranks: {}", text(&output));
        }
    }
}

/// Sums that are long enough to need several calls of MPI by each rank come to their end although one of them makes none.
fn sums_under_way(ranks: &Ranks) -> Result<(), Failure> {
    for absent in 0..ranks.size() {
        // Ranks of a machine have the same parent, `mpirun`.
        let job = std::os::unix::process::parent_id();
        let mark = |rank: usize| env::temp_dir().join(format!("wengert-sums-{job}-{absent}-{rank}"));
        let start = |of: usize| {
            let numbers = (0..1 << 20).map(|place| (place % 1000 + of * ranks.rank()) as f32);
            ranks.start_all_reduce(Values::F32(numbers.collect()), Reduction::Sum)
        };
        let pending = [start(1)?, start(2)?];
        let started = Instant::now();
        let mut others = (0..ranks.size()).filter(|&rank| rank != absent).map(mark);
        while ranks.rank() == absent && !others.clone().all(|mark| mark.exists()) {
            assert!(started.elapsed() < Duration::from_secs(100), "the sums did not go on by themselves");
            thread::sleep(Duration::from_millis(5));
        }
        for (of, pending) in (1..).zip(pending) {
            let Values::F32(found) = pending.finish()? else { return Err("not f32".into()) };
            let of_ranks = of * ranks.size() * (ranks.size() - 1) / 2;
            let fits =
                |(place, &found): (usize, &f32)| found == (place % 1000 * ranks.size() + of_ranks) as f32;
            assert!(found.len() == 1 << 20 && found.iter().enumerate().all(fits), "sum {of}");
        }
        if ranks.rank() != absent {
            fs::write(mark(ranks.rank()), [])?;
        } else {
            others.try_for_each(fs::remove_file)?;
        }
    }
    Ok(())
}

#[test]
fn sums_go_on_while_a_rank_calls_nothing() {
    for size in [2, 3] {
        if has_mpirun() {
            let output = play(size, "sums under way");
            assert!(output.status.success(), "{size} ranks: {}", text(&output));
        }
    }
}

/// The last rank fails in the given way, while the others wait for it.
fn fail(ranks: &Ranks, fault: &str) -> Result<(), Failure> {
    if ranks.rank() < ranks.size() - 1 {
        match ranks.rank() % 2 {
            0 => ranks.barrier()?,
            _ => drop(ranks.receive(Some(ranks.size() - 1), None)?),
        }
        return Ok(());
    }
    thread::sleep(Duration::from_millis(50));
    match fault {
        "error" => Err("disk full".into()),
        "panic" => panic!("index 7"),
        "panic in a sum" => {
            let _pending = ranks.start_all_reduce(Values::F32(vec![1.0; 1 << 20]), Reduction::Sum)?;
            thread::sleep(Duration::from_millis(50));
            panic!("index 9")
        }
        "panic elsewhere" => {
            thread::spawn(|| panic!("index 8")).join().map_err(|_| "a thread panicked".into())
        }
        "abort" => ranks.abort("enough"),
        "kill" => kill(&std::process::id().to_string()),
        _ => Err(format!("there is no scenario {fault}").into()),
    }
}

#[test]
fn a_rank_that_fails_ends_all_others_with_its_message() {
    for (fault, message) in [
        ("error", "rank 2 of 3 ends all: disk full"),
        ("panic", "rank 2 of 3 ends all: index 7"),
        ("panic in a sum", "rank 2 of 3 ends all: index 9"),
        ("panic elsewhere", "rank 2 of 3 ends all: a thread panicked"),
        ("abort", "rank 2 of 3 ends all: enough"),
        ("kill", "process rank 2"),
    ] {
        if has_mpirun() {
            let output = play(3, fault);
            let text = text(&output);
            assert!(!output.status.success(), "{fault}: {text}");
            assert!(text.contains(message), "{fault}: {text}");
        }
    }
}

/// A job that trains in the folder.
fn job(ranks: usize, restarts: usize, folder: &Path) -> Job {
    let mut job = jobs::job(ranks, restarts, folder);
    job.options.extend(["-x".into(), format!("{SCENARIO}=train").into()]);
    job
}

/// Kills ranks at random while the job starts and runs: 4 times, or `WENGERT_KILLS` times.
#[test]
fn a_job_whose_ranks_are_killed_reaches_the_same_bits() {
    if !has_mpirun() {
        return;
    }
    let _one = one_job();
    let kills =
        env::var("WENGERT_KILLS").map_or(4, |kills| kills.parse().expect("WENGERT_KILLS is a number"));
    let folder = tempfile::tempdir().unwrap();
    job(1, 0, folder.path()).run(|_| ()).unwrap();
    let undisturbed = fs::read_to_string(folder.path().join("saved")).unwrap();

    let (mut killed, mut hung) = (0, 0);
    let random = Cell::new(2024u64);
    let next = |below: u64| {
        random.set(random.get().wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
        (random.get() >> 33) % below
    };
    while killed < kills {
        let begun = Instant::now();
        let folder = tempfile::tempdir().unwrap();
        let ranks = 2 + next(3);
        // One in the middle of its training twice, two at once, and one or two while MPI starts.
        let (stage, number) =
            [("process", 1), ("process", 1), ("process", 2), ("starting", 1), ("starting", 2)]
                [next(5) as usize];
        let first = next(ranks);
        let victims = [first, (first + 1) % ranks];
        let moment = Duration::from_millis(next(if stage == "starting" { 200 } else { 500 }));
        let what = format!("{number} of {ranks} ranks, rank {first} first, killed {moment:?} after {stage}");
        let mut failures = Vec::new();
        thread::scope(|scope| {
            let places = victims[..number].iter().map(|rank| folder.path().join(format!("{stage}.0.{rank}")));
            let places: Vec<_> = places.collect();
            let killer = scope.spawn(move || {
                let started = Instant::now();
                while !places.iter().all(|place| place.exists())
                    && started.elapsed() < Duration::from_secs(60)
                {
                    thread::sleep(Duration::from_millis(5));
                }
                thread::sleep(moment);
                let processes: Vec<_> =
                    places.iter().map(|place| fs::read_to_string(place).unwrap()).collect();
                processes.iter().for_each(|process| kill(process).unwrap());
            });
            let job = job(ranks as usize, 2, folder.path());
            job.run(|restart| failures.push((*restart, training::saved(folder.path())))).unwrap();
            killer.join().unwrap();
        });
        assert!(failures.len() <= 1, "{what}: {failures:?}");
        let reached = fs::read_to_string(folder.path().join("saved")).unwrap();
        assert!(reached == undisturbed, "{what}: other bits");
        // A job that had ended before it could be killed does not count.
        killed += failures.len();
        hung += failures.iter().filter(|(failure, _)| failure.hung).count();
        println!("{killed}: {what}; {failures:?}, {:.1} s", begun.elapsed().as_secs_f64());
    }
    println!("{killed} jobs killed, of which {hung} launchers did not end; all reached the same bits");
}

#[test]
fn a_job_that_always_fails_ends() {
    if !has_mpirun() {
        return;
    }
    let _one = one_job();
    let folder = Path::new("/no such folder");
    let mut restarts = Vec::new();
    let failed = job(2, 2, folder).run(|restart| restarts.push((restart.failures, restart.left)));
    assert!(matches!(failed, Err(JobError::Failed { attempts: 3, .. })), "{failed:?}");
    assert_eq!(restarts, [(1, 2), (2, 1)]);
}

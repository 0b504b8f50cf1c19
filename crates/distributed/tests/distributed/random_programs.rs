//! Random programs of ranks that are threads: what each rank finds, and what becomes of all when one breaks off.

use std::sync::mpsc;
use std::time::Duration;

use crate::programs::{Fault, Random, play};
use wengert_distributed::threads::{self, RankFailed};
use wengert_distributed::{Buffer, Communicator, Failure, Reduction, Values};

/// What `run` gives; a program that does not end is a failure.
fn ends<R: Send + 'static>(what: String, run: impl FnOnce() -> R + Send + 'static) -> R {
    let (done, ended) = mpsc::channel();
    std::thread::spawn(move || done.send(run()));
    ended.recv_timeout(Duration::from_secs(60)).unwrap_or_else(|error| panic!("{what}: {error}"))
}

fn run(ranks: usize, program: u64, fault: Option<Fault>) -> Result<Vec<()>, RankFailed> {
    let what = format!("program {program} on {ranks} ranks with {fault:?}");
    ends(what, move || threads::run(ranks, |ranks| play(&ranks, program, 40, 2, fault)))
}

/// `WENGERT_PROGRAMS=1000` for as many.
#[test]
fn ranks_find_what_the_model_says() {
    let programs = std::env::var("WENGERT_PROGRAMS").ok().and_then(|text| text.parse().ok()).unwrap_or(12);
    for program in 0..programs {
        for ranks in 1..=8 {
            if let Err(error) = run(ranks, program, None) {
                panic!("program {program} on {ranks} ranks: {error}");
            }
        }
    }
}

#[test]
fn a_rank_that_breaks_off_in_the_middle_ends_all() {
    let mut random = Random(7);
    for program in 0..60 {
        let ranks = 2 + random.below(7);
        let fault = Fault { rank: random.below(ranks), step: random.below(40), kind: random.below(3) };
        let failed = run(ranks, program, Some(fault)).unwrap_err();
        let message = format!("fault in step {}", fault.step);
        assert_eq!(failed, RankFailed { rank: fault.rank, message }, "program {program}, {fault:?}");
    }
}

/// Ranks that run ranks of their own, some of which fail.
#[test]
fn runs_within_runs() {
    for program in 0..20 {
        let outer = threads::run(3, |ranks| {
            let own = program * 3 + ranks.rank() as u64;
            let fault = Fault { rank: 1, step: 10, kind: (own % 3) as usize };
            let fails = own.is_multiple_of(2);
            let inner = threads::run(3, |inner| play(&inner, own, 20, 1, fails.then_some(fault)));
            assert_eq!(inner.is_err(), fails, "{inner:?}");
            play(&ranks, program, 20, 1, None)
        });
        outer.unwrap();
    }
}

/// Each rank plays a program of its own: whatever comes of it, it ends.
fn disorder(ranks: &dyn Communicator, random: &mut Random) -> Result<(), Failure> {
    let size = ranks.size();
    for _ in 0..8 {
        let (length, root) = (random.below(3), random.below(size));
        let mut numbers = vec![0.0f32; length];
        match random.below(9) {
            0 => ranks.all_reduce(Buffer::F32(&mut numbers), Reduction::Sum)?,
            1 => ranks.broadcast(Buffer::F32(&mut numbers), root)?,
            2 => ranks.barrier()?,
            3 => ranks.all_gather(Buffer::F32(&mut vec![0.0; size * length]), &vec![length; size])?,
            4 => ranks.exchange(
                root,
                Buffer::F32(&mut numbers),
                Buffer::F32(&mut vec![0.0; random.below(3)]),
            )?,
            5 => ranks.send(root, 0, &[1])?,
            6 => drop(ranks.receive((random.below(2) == 0).then_some(root), None)?),
            7 => drop(ranks.start_all_reduce(Values::F32(numbers), Reduction::Max)?),
            _ => disorder(&*ranks.split(random.below(2) as u32)?, random)?,
        }
    }
    Ok(())
}

#[test]
fn ranks_without_a_plan_come_to_an_end() {
    let mut ended = [0; 2];
    for program in 0..300 {
        let ranks = 1 + program as usize % 5;
        let what = format!("disorder {program} on {ranks} ranks");
        let outcome = ends(what, move || {
            threads::run(ranks, |ranks| {
                // Now and then all do the same for a while.
                let own = if program % 3 == 0 { 0 } else { ranks.rank() as u64 };
                disorder(&*ranks, &mut Random(program ^ own << 32))
            })
        });
        ended[usize::from(outcome.is_err())] += 1;
    }
    assert!(ended[1] > 100, "{ended:?}");
}

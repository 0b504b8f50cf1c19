//! Ranks as threads, and the single rank.

use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::laws;
use wengert_distributed::{
    Buffer, Communicator, CommunicatorError, Failure, Reduction, Single, Values, threads,
};

#[test]
fn transports_keep_the_laws() {
    let single: Rc<dyn Communicator> = Rc::new(Single::new());
    laws::all(&single).unwrap();
    for size in [1, 2, 3, 4, 5, 8] {
        threads::run(size, |ranks| laws::all(&ranks)).unwrap();
    }
}

#[test]
fn results_are_in_the_order_of_ranks() {
    assert_eq!(threads::run(5, |ranks| Ok(ranks.rank())), Ok(vec![0, 1, 2, 3, 4]));
}

#[test]
fn sums_are_in_the_order_of_ranks() {
    // 2^24 + 1 is not an f32: only 1 + 1 first gives an exact sum.
    let addends = [1.0, 1.0, 16_777_216.0];
    for length in [1, 5000] {
        let sums = threads::run(3, |ranks| {
            let numbers = vec![addends[ranks.rank()]; length];
            let mut now = numbers.clone();
            ranks.all_reduce(Buffer::F32(&mut now), Reduction::Sum)?;
            let later = ranks.start_all_reduce(Values::F32(numbers), Reduction::Sum)?.finish()?;
            assert_eq!(later, Values::F32(now.clone()));
            Ok(now)
        });
        assert_eq!(sums.unwrap(), vec![vec![16_777_218.0f32; length]; 3]);
    }
}

/// The failure of a program in which one of four ranks does `fault` and the others wait for it in each way.
fn failure_of(fault: impl Fn(&dyn Communicator) -> Result<(), Failure> + Sync) -> threads::RankFailed {
    let started = Instant::now();
    let failed = threads::run(4, |ranks| {
        let group = ranks.split((ranks.rank() / 3) as u32)?;
        match ranks.rank() {
            2 => {
                std::thread::sleep(Duration::from_millis(20));
                return fault(&*ranks);
            }
            0 => group.barrier()?,
            1 => drop(ranks.receive(Some(2), None)?),
            _ => ranks.exchange(2, Buffer::U8(&mut [0]), Buffer::U8(&mut [0]))?,
        }
        Ok(())
    });
    assert!(started.elapsed() < Duration::from_secs(60), "the others did not end");
    failed.unwrap_err()
}

#[test]
fn a_rank_that_fails_ends_all_others_with_its_message() {
    let message = |rank: usize, message: &str| threads::RankFailed { rank, message: message.to_owned() };
    assert_eq!(failure_of(|_| Err("disk full".into())), message(2, "disk full"));
    assert_eq!(failure_of(|_| panic!("index 7")), message(2, "index 7"));
    assert_eq!(failure_of(|ranks| ranks.abort("enough")), message(2, "enough"));
}

#[test]
fn nobody_waits_for_a_rank_that_has_finished() {
    let failed = failure_of(|_| Ok(()));
    assert_ne!(failed.rank, 2);
    assert!(failed.message.starts_with("rank 2 is gone: it has finished"), "{failed}");
}

#[test]
fn the_others_see_which_rank_is_gone() {
    let seen = std::sync::Mutex::new(Vec::new());
    let failed = threads::run(3, |ranks| {
        if ranks.rank() == 1 {
            return Err(Failure::from("no data"));
        }
        seen.lock().unwrap().push(ranks.barrier());
        seen.lock().unwrap().push(ranks.try_receive(None, None).map(drop));
        Ok(())
    });
    assert_eq!(failed.unwrap_err().to_string(), "rank 1: no data");
    let gone = CommunicatorError::Gone { rank: 1, reason: "no data".to_owned() };
    assert_eq!(seen.into_inner().unwrap(), vec![Err(gone); 4]);
}

#[test]
fn collectives_that_do_not_fit_are_named_on_all_ranks() {
    type Call = fn(&dyn Communicator) -> Result<(), CommunicatorError>;
    let calls: [(Call, Call, &str); 6] = [
        (
            |ranks| ranks.all_reduce(Buffer::F32(&mut [0.0; 3]), Reduction::Sum),
            |ranks| ranks.all_reduce(Buffer::F32(&mut [0.0; 4]), Reduction::Sum),
            "all_reduce (Sum) of 4 f32",
        ),
        (
            |ranks| ranks.all_reduce(Buffer::F32(&mut [0.0; 3]), Reduction::Sum),
            |ranks| ranks.all_reduce(Buffer::F64(&mut [0.0; 3]), Reduction::Sum),
            "all_reduce (Sum) of 3 f64",
        ),
        (
            |ranks| ranks.all_reduce(Buffer::F32(&mut [0.0; 3]), Reduction::Sum),
            |ranks| ranks.all_reduce(Buffer::F32(&mut [0.0; 3]), Reduction::Max),
            "all_reduce (Max) of 3 f32",
        ),
        (
            |ranks| ranks.broadcast(Buffer::U8(&mut [0; 3]), 0),
            |ranks| ranks.broadcast(Buffer::U8(&mut [0; 3]), 1),
            "broadcast from rank 1 of 3 u8",
        ),
        (
            |ranks| ranks.reduce_scatter(Buffer::U8(&mut [0; 3]), &[1, 1, 1], Reduction::Sum),
            |ranks| ranks.reduce_scatter(Buffer::U8(&mut [0; 3]), &[2, 0, 1], Reduction::Sum),
            "reduce_scatter (Sum) of 3 u8 in other segments",
        ),
        (
            |ranks| ranks.all_gather(Buffer::U8(&mut [0; 3]), &[1, 1, 1]),
            |ranks| ranks.all_gather(Buffer::U8(&mut [0; 3]), &[0, 1, 2]),
            "all_gather of 3 u8 in other segments",
        ),
    ];
    for (most, one, name) in calls {
        let errors =
            threads::run(3, |ranks| Ok(if ranks.rank() == 1 { one(&*ranks) } else { most(&*ranks) }));
        for error in errors.unwrap() {
            let Err(CommunicatorError::Mismatch { reason, .. }) = error else { panic!("{error:?}") };
            assert!(reason.contains(name), "{reason}");
        }
    }
}

/// What three ranks say of which each does something else.
fn stuck(work: impl Fn(&Rc<dyn Communicator>, usize) -> Result<(), Failure> + Sync) -> String {
    let started = Instant::now();
    let failed = threads::run(3, |ranks| work(&ranks, ranks.rank())).unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(60));
    failed.message
}

#[test]
fn ranks_that_wait_for_each_other_are_told_so() {
    let start = "all ranks wait for each other: rank 0 in";
    let messages = stuck(|ranks, _| Ok(ranks.receive(None, None).map(drop)?));
    assert_eq!(
        messages,
        format!(
            "{start} receive from any rank, rank 1 in receive from any rank, rank 2 in receive from any rank"
        )
    );
    let mixed = stuck(|ranks, rank| {
        match rank {
            0 => ranks.barrier()?,
            1 => drop(ranks.receive(Some(0), Some(3))?),
            _ => ranks.exchange(1, Buffer::U8(&mut [0]), Buffer::U8(&mut [0]))?,
        }
        Ok(())
    });
    assert_eq!(
        mixed,
        format!("{start} barrier of 0 u8, rank 1 in receive from rank 0, rank 2 in exchange with rank 1")
    );
    // A circle of exchanges; ranks in groups, by their numbers among all; a rank that has finished is not one of those that wait.
    let circle = stuck(|ranks, rank| {
        Ok(ranks.exchange((rank + 1) % 3, Buffer::U8(&mut [0]), Buffer::U8(&mut [0]))?)
    });
    assert!(circle.starts_with(start), "{circle}");
    let groups = stuck(|ranks, rank| {
        let group = ranks.split(u32::from(rank > 0))?;
        match rank {
            0 => {}
            1 => group.barrier()?,
            _ => drop(group.receive(Some(0), None)?),
        }
        Ok(())
    });
    assert_eq!(
        groups,
        "all ranks wait for each other: rank 1 in barrier of 0 u8, rank 2 in receive from rank 1"
    );
    // A message of another tag does not help; a reduction under way does not either.
    let tags = stuck(|ranks, rank| {
        ranks.send((rank + 1) % 3, 1, b"")?;
        let pending =
            (rank < 2).then(|| ranks.start_all_reduce(Values::U8(vec![1]), Reduction::Sum)).transpose()?;
        match pending {
            Some(pending) => drop(pending.finish()?),
            None => drop(ranks.receive(None, Some(2))?),
        }
        Ok(())
    });
    assert!(tags.contains("rank 1 in start_all_reduce (Sum) of 1 u8, rank 2 in receive"), "{tags}");
}

/// A rank that is slow, or waits for something else than ranks, is waited for.
#[test]
fn ranks_that_will_come_are_waited_for() {
    for _ in 0..200 {
        let sums = threads::run(3, |ranks| {
            let rank = ranks.rank();
            if rank == 2 {
                std::thread::sleep(Duration::from_micros(300));
                // Ranks of its own wait meanwhile.
                threads::run(2, |inner| Ok(inner.barrier()?))?;
                ranks.send(0, 1, b"go")?;
            }
            if rank == 0 {
                ranks.receive(Some(2), Some(1))?;
                ranks.send(1, 1, b"on")?;
            }
            if rank == 1 {
                ranks.receive(Some(0), None)?;
            }
            let mut sum = [1u64];
            ranks.all_reduce(Buffer::U64(&mut sum), Reduction::Sum)?;
            Ok(sum)
        });
        assert_eq!(sums.unwrap(), [[3]; 3]);
    }
}

#[test]
#[should_panic(expected = "threads::run: no ranks (0)")]
fn no_ranks_are_refused() {
    let _ = threads::run(0, |_| Ok(()));
}

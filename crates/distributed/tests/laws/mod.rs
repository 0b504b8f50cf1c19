//! What holds for every transport. Each function is called by all ranks.

use std::rc::Rc;

use wengert_distributed::{Buffer, Communicator, CommunicatorError, Failure, Reduction, Values};

type Ranks = Rc<dyn Communicator>;

/// Lengths about those at which transports change what they do.
const LENGTHS: [usize; 7] = [0, 1, 2, 7, 1000, 4097, 100_003];

pub(crate) fn all(ranks: &Ranks) -> Result<(), Failure> {
    collectives(ranks)?;
    segments(ranks)?;
    reductions_under_way(ranks)?;
    messages(ranks)?;
    exchanges(ranks)?;
    groups(ranks)?;
    misuse(ranks)
}

/// A number that differs by rank and place, and of which sums are exact.
fn number(rank: usize, place: usize) -> f64 {
    ((rank + 1) * (place % 97 + 1)) as f64
}

fn numbers(rank: usize, length: usize) -> Vec<f64> {
    (0..length).map(|place| number(rank, place)).collect()
}

fn collectives(ranks: &Ranks) -> Result<(), Failure> {
    let (rank, size) = (ranks.rank(), ranks.size());
    assert!(rank < size);
    ranks.barrier()?;
    for length in LENGTHS {
        for root in [0, size - 1] {
            let mut values = numbers(rank, length);
            ranks.broadcast(Buffer::F64(&mut values), root)?;
            assert_eq!(values, numbers(root, length), "broadcast of {length} from {root}");
        }
        for (reduction, factor) in
            [(Reduction::Sum, size * (size + 1) / 2), (Reduction::Max, size), (Reduction::Min, 1)]
        {
            let expected = numbers(factor - 1, length);
            let mut values = numbers(rank, length);
            ranks.all_reduce(Buffer::F64(&mut values), reduction)?;
            assert_eq!(values, expected, "{reduction:?} of {length}");

            let mut values: Vec<f32> = numbers(rank, length).iter().map(|&x| x as f32).collect();
            ranks.all_reduce(Buffer::F32(&mut values), reduction)?;
            assert!(
                values.iter().zip(&expected).all(|(a, b)| f64::from(*a) == *b),
                "{reduction:?} of {length} f32"
            );

            let mut values: Vec<u64> = numbers(rank, length).iter().map(|&x| x as u64).collect();
            ranks.all_reduce(Buffer::U64(&mut values), reduction)?;
            assert!(
                values.iter().zip(&expected).all(|(a, b)| *a as f64 == *b),
                "{reduction:?} of {length} u64"
            );
        }
    }
    let mut bytes = [100 + rank as u8; 3];
    ranks.all_reduce(Buffer::U8(&mut bytes), Reduction::Sum)?;
    let expected = (0..size).fold(0u8, |sum, rank| sum.wrapping_add(100 + rank as u8));
    assert_eq!(bytes, [expected; 3], "sums of bytes wrap");
    Ok(())
}

fn segments(ranks: &Ranks) -> Result<(), Failure> {
    let (rank, size) = (ranks.rank(), ranks.size());
    for unit in [0, 1, 5, 3001] {
        let lengths: Vec<usize> = (0..size).map(|rank| rank * unit + usize::from(rank == 1)).collect();
        let total = lengths.iter().sum();
        let start: usize = lengths[..rank].iter().sum();
        let own = start..start + lengths[rank];
        let expected = numbers(size * (size + 1) / 2 - 1, total);

        let mut values = numbers(rank, total);
        ranks.reduce_scatter(Buffer::F64(&mut values), &lengths, Reduction::Sum)?;
        assert_eq!(values[own.clone()], expected[own.clone()], "reduce_scatter of {lengths:?}");

        // Bytes, of which an empty segment has an address that means something else to MPI.
        let mut bytes = vec![1u8; total];
        ranks.reduce_scatter(Buffer::U8(&mut bytes), &lengths, Reduction::Sum)?;
        assert!(bytes[own.clone()].iter().all(|&sum| usize::from(sum) == size), "bytes of {lengths:?}");
        ranks.all_reduce(Buffer::U8(&mut []), Reduction::Sum)?;
        ranks.start_all_reduce(Values::U8(Vec::new()), Reduction::Sum)?.finish()?;

        let mut values = vec![f64::NAN; total];
        values[own.clone()].copy_from_slice(&expected[own]);
        ranks.all_gather(Buffer::F64(&mut values), &lengths)?;
        assert_eq!(values, expected, "all_gather of {lengths:?}");
    }
    Ok(())
}

fn reductions_under_way(ranks: &Ranks) -> Result<(), Failure> {
    let (rank, size) = (ranks.rank(), ranks.size());
    let start = |length| ranks.start_all_reduce(Values::F64(numbers(rank, length)), Reduction::Sum);
    let mut pending = Vec::new();
    for length in LENGTHS {
        pending.push((length, start(length)?));
    }
    drop(start(50)?);
    let mut between = numbers(rank, 5);
    ranks.all_reduce(Buffer::F64(&mut between), Reduction::Max)?;
    assert_eq!(between, numbers(size - 1, 5));
    // Finished in another order on each rank.
    let shift = rank % pending.len();
    pending.rotate_left(shift);
    for (length, handle) in pending {
        let expected = numbers(size * (size + 1) / 2 - 1, length);
        assert_eq!(handle.finish()?, Values::F64(expected), "{length}");
    }
    Ok(())
}

fn messages(ranks: &Ranks) -> Result<(), Failure> {
    let (rank, size) = (ranks.rank(), ranks.size());
    // All send before any receives, also to themselves, and more than a transport holds by itself.
    for to in 0..size {
        for (tag, length) in [(3, 0), (1, 300_000), (2, 5), (1, 17)] {
            ranks.send(to, tag, &vec![rank as u8; length])?;
        }
    }
    for from in (0..size).rev() {
        let second = ranks.receive(Some(from), Some(2))?;
        assert_eq!((second.from, second.tag, second.bytes), (from, 2, vec![from as u8; 5]));
        for length in [300_000, 17] {
            let message = ranks.receive(Some(from), Some(1))?;
            assert_eq!((message.from, message.tag), (from, 1));
            assert!(message.bytes == vec![from as u8; length], "in the order in which they were sent");
        }
    }
    let mut senders: Vec<usize> = Vec::new();
    while senders.len() < size {
        let message = ranks.receive(None, None)?;
        assert_eq!((message.tag, message.bytes), (3, Vec::new()));
        senders.push(message.from);
    }
    senders.sort_unstable();
    assert_eq!(senders, (0..size).collect::<Vec<_>>());
    assert_eq!(ranks.try_receive(None, None)?, None);
    ranks.barrier()?;
    if rank == 0 {
        ranks.send(size - 1, 7, b"late")?;
    }
    if rank == size - 1 {
        let message = loop {
            assert_eq!(ranks.try_receive(Some(0), Some(8))?, None);
            if let Some(message) = ranks.try_receive(Some(0), Some(7))? {
                break message;
            }
            std::thread::yield_now();
        };
        assert_eq!(message.bytes, b"late");
    }
    Ok(())
}

fn exchanges(ranks: &Ranks) -> Result<(), Failure> {
    let (rank, size) = (ranks.rank(), ranks.size());
    for length in LENGTHS {
        for round in 0..size {
            let with = (round + size - rank) % size;
            let before = ranks.bytes_sent();
            let (mut out, mut into) = (numbers(rank, length), vec![f64::NAN; length]);
            ranks.exchange(with, Buffer::F64(&mut out), Buffer::F64(&mut into))?;
            assert_eq!(into, numbers(with, length), "{length} between {rank} and {with}");
            let sent = if with == rank { 0 } else { 8 * length };
            assert_eq!(ranks.bytes_sent() - before, sent as u64);
        }
    }
    // Each sends as many as its rank, and makes room for as many as the other's.
    for round in 0..size {
        let with = (round + size - rank) % size;
        let (mut out, mut into) = (numbers(rank, rank), vec![f64::NAN; with]);
        ranks.exchange(with, Buffer::F64(&mut out), Buffer::F64(&mut into))?;
        assert_eq!(into, numbers(with, with));
    }
    Ok(())
}

fn groups(ranks: &Ranks) -> Result<(), Failure> {
    let (rank, size) = (ranks.rank(), ranks.size());
    let group = ranks.split((rank % 2) as u32)?;
    let members: Vec<usize> = (0..size).filter(|other| other % 2 == rank % 2).collect();
    assert_eq!((group.size(), members[group.rank()]), (members.len(), rank));
    let mut sum = [rank as u64];
    group.all_reduce(Buffer::U64(&mut sum), Reduction::Sum)?;
    assert_eq!(sum[0] as usize, members.iter().sum::<usize>());
    // What is sent in the group is not received in the whole.
    let next = (group.rank() + 1) % group.size();
    group.send(next, 5, b"group")?;
    ranks.send((rank + 1) % size, 5, b"whole")?;
    assert_eq!(ranks.receive(None, Some(5))?.bytes, b"whole");
    assert_eq!(group.receive(None, Some(5))?.bytes, b"group");
    // A reduction outlives the communicator that it was started on.
    let pending = group.start_all_reduce(Values::U64(vec![1]), Reduction::Sum)?;
    drop(group);
    assert_eq!(pending.finish()?, Values::U64(vec![members.len() as u64]));
    // Groups of groups, several times.
    for colour in 0..3 {
        let alone = ranks.split(0)?.split(rank as u32 * 10 + colour)?;
        assert_eq!((alone.rank(), alone.size()), (0, 1));
        alone.barrier()?;
    }
    Ok(())
}

fn misuse(ranks: &Ranks) -> Result<(), Failure> {
    let size = ranks.size();
    let no_rank = |operation| CommunicatorError::NoSuchRank { operation, rank: size, size };
    assert_eq!(ranks.send(size, 0, b""), Err(no_rank("send")));
    assert_eq!(ranks.broadcast(Buffer::U8(&mut []), size), Err(no_rank("broadcast")));
    assert_eq!(ranks.exchange(size, Buffer::U8(&mut []), Buffer::U8(&mut [])), Err(no_rank("exchange")));
    assert!(matches!(ranks.send(0, 40_000, b""), Err(CommunicatorError::NoSuchTag { tag: 40_000, .. })));
    assert_eq!(ranks.receive(Some(size), None), Err(no_rank("receive")));
    assert_eq!(ranks.try_receive(Some(size), None), Err(no_rank("try_receive")));
    // A message of such a tag would be waited for in vain.
    let no_tag = |operation| CommunicatorError::NoSuchTag { operation, tag: 40_000 };
    assert_eq!(ranks.receive(None, Some(40_000)), Err(no_tag("receive")));
    assert_eq!(ranks.try_receive(Some(0), Some(40_000)), Err(no_tag("try_receive")));
    let lengths = vec![1; size + 1];
    let short = ranks.reduce_scatter(Buffer::U8(&mut vec![0; size + 1]), &lengths, Reduction::Sum);
    assert!(matches!(short, Err(CommunicatorError::Mismatch { .. })), "{short:?}");
    let long = ranks.all_gather(Buffer::U8(&mut vec![0; size + 1]), &lengths[1..]);
    assert!(matches!(long, Err(CommunicatorError::Mismatch { .. })), "{long:?}");
    Ok(())
}

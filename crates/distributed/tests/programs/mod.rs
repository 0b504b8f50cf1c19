//! Random programs of ranks, beside a model of what each rank has to find: all collectives, reductions under way, messages, exchanges,
//! groups, on all kinds of numbers.

use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

use wengert_distributed::{Buffer, Communicator, Failure, Pending, Reduction, Values, tree};

type Ranks = Rc<dyn Communicator>;

/// SplitMix64.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// Nothing, one, small primes, and lengths about which transports change what they do.
    fn length(&mut self) -> usize {
        [0, 1, 1, 2, 3, 5, 7, 13, 31, 97, 1009, 4095, 4096, 4097, 10_007][self.below(15)]
    }
}

/// Numbers of kind `kind` of which sums over all ranks are exact, and do not wrap.
fn numbers(kind: usize, length: usize, number: impl Fn(usize) -> u64) -> Values {
    let all = 0..length;
    match kind {
        0 => Values::F32(all.map(|place| number(place) as f32).collect()),
        1 => Values::F64(all.map(|place| number(place) as f64).collect()),
        2 => Values::U64(all.map(number).collect()),
        _ => Values::U8(all.map(|place| number(place) as u8).collect()),
    }
}

/// The number that a rank has at a place in a step.
fn number(step: u64, rank: usize, place: usize) -> u64 {
    let mixed =
        (step ^ 0x5bd1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (rank as u64 * 7919 + place as u64 * 104_729);
    Random(mixed).next() % 30
}

fn buffer(values: &mut Values) -> Buffer<'_> {
    match values {
        Values::F32(values) => Buffer::F32(values),
        Values::F64(values) => Buffer::F64(values),
        Values::U64(values) => Buffer::U64(values),
        Values::U8(values) => Buffer::U8(values),
    }
}

fn segment(values: &Values, start: usize, end: usize) -> Values {
    match values {
        Values::F32(values) => Values::F32(values[start..end].to_vec()),
        Values::F64(values) => Values::F64(values[start..end].to_vec()),
        Values::U64(values) => Values::U64(values[start..end].to_vec()),
        Values::U8(values) => Values::U8(values[start..end].to_vec()),
    }
}

fn reduced(reduction: Reduction, step: u64, size: usize, place: usize) -> u64 {
    let all = (0..size).map(|rank| number(step, rank, place));
    match reduction {
        Reduction::Sum => all.sum(),
        Reduction::Max => all.max().unwrap_or(0),
        Reduction::Min => all.min().unwrap_or(0),
    }
}

/// How a rank breaks off: which rank of the whole world, in which step, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    pub(crate) rank: usize,
    pub(crate) step: usize,
    pub(crate) kind: usize,
}

/// A rank in the middle of a program.
struct Player<'a> {
    ranks: &'a Ranks,
    /// The same on all ranks, and this rank's own.
    random: Random,
    own: Random,
    pending: Vec<(Box<dyn Pending>, Values)>,
    /// Messages to this rank that were sent and not received, by sender and tag; and how many each rank has.
    mail: HashMap<(usize, u32), VecDeque<Vec<u8>>>,
    /// Received from ranks that are steps ahead.
    early: HashMap<(usize, u32), VecDeque<Vec<u8>>>,
    outstanding: Vec<usize>,
}

/// Plays the program of this number on all ranks of a communicator.
pub(crate) fn play(
    ranks: &Ranks,
    program: u64,
    steps: usize,
    depth: usize,
    fault: Option<Fault>,
) -> Result<(), Failure> {
    let (rank, size) = (ranks.rank(), ranks.size());
    let mut player = Player {
        ranks,
        random: Random(program),
        own: Random(program ^ (rank as u64 + 1).wrapping_mul(0xdead_beef)),
        pending: Vec::new(),
        mail: HashMap::new(),
        early: HashMap::new(),
        outstanding: vec![0; size],
    };
    for step in 0..steps {
        if let Some(Fault { kind, .. }) = fault.filter(|fault| (fault.rank, fault.step) == (rank, step)) {
            match kind {
                0 => return Err(format!("fault in step {step}").into()),
                1 => panic!("fault in step {step}"),
                _ => ranks.abort(&format!("fault in step {step}")),
            }
        }
        player.step(program.wrapping_mul(31).wrapping_add(step as u64), depth)?;
    }
    player.finish()
}

impl Player<'_> {
    fn step(&mut self, step: u64, depth: usize) -> Result<(), Failure> {
        let (rank, size) = (self.ranks.rank(), self.ranks.size());
        let (kind, length) = (self.random.below(4), self.random.length());
        let reduction = [Reduction::Sum, Reduction::Max, Reduction::Min][self.random.below(3)];
        let mine = || numbers(kind, length, |place| number(step, rank, place));
        let all = || numbers(kind, length, |place| reduced(reduction, step, size, place));
        match self.random.below(13) {
            0 => {
                let mut values = mine();
                self.ranks.all_reduce(buffer(&mut values), reduction)?;
                assert_eq!(values, all(), "all_reduce {reduction:?}");
            }
            1 => {
                let root = self.random.below(size);
                let mut values = mine();
                self.ranks.broadcast(buffer(&mut values), root)?;
                assert_eq!(values, numbers(kind, length, |place| number(step, root, place)), "broadcast");
            }
            2 => self.ranks.barrier()?,
            3 => self.pending.push((self.ranks.start_all_reduce(mine(), reduction)?, all())),
            4 => self.look_at_pending()?,
            5 | 6 => self.segments(step, kind, reduction)?,
            7 => self.exchange(step, kind)?,
            8 | 9 => self.send(step)?,
            10 => self.receive()?,
            11 if depth > 0 => {
                let colours: Vec<u32> = (0..size).map(|_| [0, 1, u32::MAX][self.random.below(3)]).collect();
                let group = self.ranks.split(colours[rank])?;
                let program = self.random.next() ^ u64::from(colours[rank]);
                play(&group, program, 6, depth - 1, None)?;
            }
            _ => {
                let shards = size + self.random.below(9);
                let vector = |shard: usize| -> Vec<f64> {
                    (0..length.min(200)).map(|place| number(step, shard, place) as f64 * 0.1).collect()
                };
                let sum = tree::all_reduce(&**self.ranks, shards, length.min(200), |shard| {
                    Ok::<_, wengert_distributed::CommunicatorError>(vector(shard))
                })?;
                assert_eq!(
                    Ok::<_, Failure>(sum).ok(),
                    tree::sum(shards, |shard| Ok::<_, Failure>(vector(shard))).ok()
                );
            }
        }
        Ok(())
    }

    /// Finishes one of the reductions under way, each rank another, lets it go on, or drops it.
    fn look_at_pending(&mut self) -> Result<(), Failure> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let one = self.own.below(self.pending.len());
        match self.own.below(3) {
            0 => drop(self.pending.swap_remove(one)),
            1 => drop(self.pending[one].0.progress()?),
            _ => {
                let (pending, expected) = self.pending.swap_remove(one);
                assert_eq!(pending.finish()?, expected, "start_all_reduce");
            }
        }
        Ok(())
    }

    /// Uneven segments, empty ones too.
    fn segments(&mut self, step: u64, kind: usize, reduction: Reduction) -> Result<(), Failure> {
        let (rank, size) = (self.ranks.rank(), self.ranks.size());
        let lengths: Vec<usize> = (0..size).map(|_| self.random.length()).collect();
        let start: usize = lengths[..rank].iter().sum();
        let (end, total) = (start + lengths[rank], lengths.iter().sum());
        if self.random.below(2) == 0 {
            let mut values = numbers(kind, total, |place| number(step, rank, place));
            self.ranks.reduce_scatter(buffer(&mut values), &lengths, reduction)?;
            let expected = numbers(kind, total, |place| reduced(reduction, step, size, place));
            assert_eq!(
                segment(&values, start, end),
                segment(&expected, start, end),
                "reduce_scatter {lengths:?}"
            );
        } else {
            // What is not this rank's own is not read.
            let own = |place| if (start..end).contains(&place) { number(step, 0, place) } else { 99 };
            let mut values = numbers(kind, total, own);
            self.ranks.all_gather(buffer(&mut values), &lengths)?;
            assert_eq!(
                values,
                numbers(kind, total, |place| number(step, 0, place)),
                "all_gather {lengths:?}"
            );
        }
        Ok(())
    }

    /// Pairs at random, of which each sends another length.
    fn exchange(&mut self, step: u64, kind: usize) -> Result<(), Failure> {
        let (rank, size) = (self.ranks.rank(), self.ranks.size());
        let mut order: Vec<usize> = (0..size).collect();
        (1..size).rev().for_each(|i| order.swap(i, self.random.below(i + 1)));
        let lengths: Vec<usize> = (0..size).map(|_| self.random.length()).collect();
        let place = order.iter().position(|&other| other == rank).unwrap_or(0);
        // The last of an odd number is with itself.
        let with = order.get(place ^ 1).copied().unwrap_or(rank);
        let mut out = numbers(kind, lengths[rank], |place| number(step, rank, place));
        let mut into = numbers(kind, lengths[with], |_| 0);
        self.ranks.exchange(with, buffer(&mut out), buffer(&mut into))?;
        assert_eq!(into, numbers(kind, lengths[with], |place| number(step, with, place)), "exchange");
        Ok(())
    }

    /// Every rank sends some messages, to itself too.
    fn send(&mut self, step: u64) -> Result<(), Failure> {
        let (rank, size) = (self.ranks.rank(), self.ranks.size());
        for from in 0..size {
            for _ in 0..self.random.below(3) {
                let (to, tag, length) =
                    (self.random.below(size), self.random.below(3) as u32, self.random.length());
                let bytes: Vec<u8> = (0..length).map(|place| number(step, from, place) as u8).collect();
                if from == rank {
                    self.ranks.send(to, tag, &bytes)?;
                }
                let early =
                    self.early.get_mut(&(from, tag)).filter(|_| to == rank).and_then(VecDeque::pop_front);
                if let Some(early) = early {
                    assert_eq!(early, bytes, "messages of a tag come in their order");
                } else if to == rank {
                    self.mail.entry((from, tag)).or_default().push_back(bytes);
                }
                self.outstanding[to] += 1;
            }
        }
        Ok(())
    }

    fn receive(&mut self) -> Result<(), Failure> {
        let (rank, size) = (self.ranks.rank(), self.ranks.size());
        for to in 0..size {
            if self.outstanding[to] == 0 || self.random.below(2) == 0 {
                continue;
            }
            self.outstanding[to] -= 1;
            if to == rank {
                self.receive_one()?;
            }
        }
        Ok(())
    }

    fn receive_one(&mut self) -> Result<(), Failure> {
        let mut waiting: Vec<(usize, u32)> =
            self.mail.iter().filter(|(_, mail)| !mail.is_empty()).map(|(envelope, _)| *envelope).collect();
        waiting.sort_unstable();
        let (from, tag) = waiting[self.own.below(waiting.len())];
        let (from, tag) = match self.own.below(4) {
            0 => (Some(from), Some(tag)),
            1 => (Some(from), None),
            2 => (None, Some(tag)),
            _ => (None, None),
        };
        let message = match self.own.below(2) {
            0 => self.ranks.receive(from, tag)?,
            _ => loop {
                if let Some(message) = self.ranks.try_receive(from, tag)? {
                    break message;
                }
                std::thread::yield_now();
            },
        };
        assert!(from.is_none_or(|from| from == message.from) && tag.is_none_or(|tag| tag == message.tag));
        let envelope = (message.from, message.tag);
        match self.mail.get_mut(&envelope).and_then(VecDeque::pop_front) {
            Some(sent) => assert_eq!(message.bytes, sent, "messages of a tag come in their order"),
            None => self.early.entry(envelope).or_default().push_back(message.bytes),
        }
        Ok(())
    }

    fn finish(mut self) -> Result<(), Failure> {
        while self.mail.values().any(|mail| !mail.is_empty()) {
            self.receive_one()?;
        }
        assert!(self.early.values().all(VecDeque::is_empty), "nothing that was not sent");
        for (pending, expected) in self.pending.drain(..) {
            assert_eq!(pending.finish()?, expected, "start_all_reduce");
        }
        // Between barriers, as others may go on to the next program.
        self.ranks.barrier()?;
        assert!(self.ranks.try_receive(None, None)?.is_none(), "nothing that was not sent");
        Ok(self.ranks.barrier()?)
    }
}

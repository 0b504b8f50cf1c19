//! A thread's communicator.

use std::cell::Cell;
use std::panic::resume_unwind;
use std::rc::Rc;
use std::sync::Arc;

use wengert_data::even_part;

use super::round::{Call, Round};
use super::world::{Group, State, World};
use crate::communicator::single::{exchange_with_itself, take_message, take_parcel};
use crate::communicator::traffic::{Traffic, check_envelope, check_lengths, check_rank, check_tag};
use crate::communicator::{
    Buffer, Communicated, Communicator, CommunicatorError, Message, Pending, Reduction, Values,
};

/// From this many elements on, each rank reduces a segment for all; below, each reduces all, and waits once instead of twice.
const SEGMENTED: usize = 4096;

/// What an aborting rank unwinds with.
pub(super) struct Aborted;

/// A rank of a group.
pub(super) struct Rank {
    group: Rc<Membership>,
    rank: usize,
    /// The number of its next collective.
    next: Cell<u64>,
    traffic: Traffic,
}

/// What a rank knows of its group, which stays until neither communicators nor reductions under way are left.
struct Membership {
    world: Arc<World>,
    number: u64,
    /// The ranks of the group, by their numbers in the world.
    members: Vec<usize>,
    /// This one's number in the world.
    here: usize,
}

impl Membership {
    fn state<'a>(&self, state: &'a mut State) -> &'a mut Group {
        state.group(self.number)
    }

    /// What all ranks posted for a collective.
    fn collect(&self, call: Call, number: u64) -> Communicated<Vec<Arc<Values>>> {
        self.world.wait(
            self.here,
            || call.to_string(),
            |state| {
                let rounds = &mut self.state(state).rounds;
                let round = rounds.get_mut(&number).expect("a collective stays until all ranks have left it");
                if let Some(posted) = round.take() {
                    if round.is_over() {
                        rounds.remove(&number);
                    }
                    return Some(posted);
                }
                let absent: Vec<usize> = round.absent().map(|rank| self.members[rank]).collect();
                state.missing(absent, &call.to_string()).err().map(Err)
            },
        )
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.world.leave(self.number);
    }
}

impl Rank {
    pub(super) fn of_world(world: Arc<World>, rank: usize) -> Self {
        let members = (0..world.size).collect();
        Self::new(Membership { world, number: 0, members, here: rank }, rank, Traffic::default())
    }

    fn new(group: Membership, rank: usize, traffic: Traffic) -> Self {
        Self { group: Rc::new(group), rank, next: Cell::new(0), traffic }
    }

    /// Begins a collective; its number.
    fn post(&self, call: Call, values: Values) -> Communicated<u64> {
        let number = self.next.replace(self.next.get() + 1);
        let complete = self.group.world.act(|state| {
            let rounds = &mut self.group.state(state).rounds;
            let round = rounds.entry(number).or_insert_with(|| Round::new(call, self.size()));
            round.post(self.rank, call, values);
            round.absent().next().is_none()
        })?;
        if complete {
            self.group.world.wake(self.group.members.iter().copied());
        }
        Ok(number)
    }

    fn together(&self, call: Call, values: Values) -> Communicated<Vec<Arc<Values>>> {
        let number = self.post(call, values)?;
        self.group.collect(call, number)
    }

    fn message(&self, state: &mut State, from: Option<usize>, tag: Option<u32>) -> Option<Message> {
        take_message(&mut self.group.state(state).mail[self.rank], from, tag)
    }
}

impl Communicator for Rank {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.group.members.len()
    }

    fn transport(&self) -> &'static str {
        "threads"
    }

    fn barrier(&self) -> Communicated {
        self.together(Call::new("barrier", "u8", 0), Values::U8(Vec::new())).map(drop)
    }

    fn broadcast(&self, mut buffer: Buffer<'_>, root: usize) -> Communicated {
        check_rank("broadcast", root, self.size())?;
        self.traffic.broadcast(buffer.len() * buffer.width(), self.rank, root, self.size());
        let values = if self.rank == root { buffer.to_values() } else { Values::U8(Vec::new()) };
        let posted = self.together(Call::on("broadcast", &buffer).from(root), values)?;
        if self.rank != root {
            buffer.copy_from(&posted[root], 0);
        }
        Ok(())
    }

    fn all_reduce(&self, mut buffer: Buffer<'_>, reduction: Reduction) -> Communicated {
        let (length, size) = (buffer.len(), self.size());
        self.traffic.all_reduce(length * buffer.width(), size);
        let call = Call::on("all_reduce", &buffer).reducing(reduction);
        let posted = self.together(call, buffer.to_values())?;
        if length < SEGMENTED {
            reduce(&mut buffer, &posted, 0, reduction);
            return Ok(());
        }
        let own = even_part(length, self.rank, size);
        let mut segment = buffer.segment(own.start, own.len());
        reduce(&mut segment, &posted, own.start, reduction);
        let parts = self.together(call, segment.to_values())?;
        for (rank, part) in parts.iter().enumerate() {
            buffer.segment(even_part(length, rank, size).start, part.len()).copy_from(part, 0);
        }
        Ok(())
    }

    fn start_all_reduce(&self, mut values: Values, reduction: Reduction) -> Communicated<Box<dyn Pending>> {
        self.traffic.all_reduce(values.bytes(), self.size());
        let buffer = values.buffer();
        let call = Call::on("start_all_reduce", &buffer).reducing(reduction);
        Ok(Box::new(Reducing {
            result: buffer.to_values(),
            number: self.post(call, values)?,
            group: self.group.clone(),
            call,
            reduction,
            open: true,
        }))
    }

    fn reduce_scatter(
        &self,
        mut buffer: Buffer<'_>,
        lengths: &[usize],
        reduction: Reduction,
    ) -> Communicated {
        let start = check_lengths("reduce_scatter", lengths, buffer.len(), self.rank, self.size())?;
        self.traffic.reduce_scatter(buffer.width(), lengths, self.rank);
        let call = Call::on("reduce_scatter", &buffer).reducing(reduction).segmented(lengths);
        let posted = self.together(call, buffer.to_values())?;
        reduce(&mut buffer.segment(start, lengths[self.rank]), &posted, start, reduction);
        Ok(())
    }

    fn all_gather(&self, mut buffer: Buffer<'_>, lengths: &[usize]) -> Communicated {
        let start = check_lengths("all_gather", lengths, buffer.len(), self.rank, self.size())?;
        self.traffic.all_gather(buffer.width(), lengths, self.rank);
        let own = buffer.segment(start, lengths[self.rank]).to_values();
        let posted = self.together(Call::on("all_gather", &buffer).segmented(lengths), own)?;
        let mut start = 0;
        for (part, &length) in posted.iter().zip(lengths) {
            buffer.segment(start, length).copy_from(part, 0);
            start += length;
        }
        Ok(())
    }

    fn send(&self, to: usize, tag: u32, bytes: &[u8]) -> Communicated {
        check_rank("send", to, self.size())?;
        check_tag("send", tag)?;
        self.traffic.add(if to == self.rank { 0 } else { bytes.len() });
        let message = Message { from: self.rank, tag, bytes: bytes.to_vec() };
        self.group.world.act(|state| self.group.state(state).mail[to].push_back(message))?;
        self.group.world.wake([self.group.members[to]]);
        Ok(())
    }

    fn receive(&self, from: Option<usize>, tag: Option<u32>) -> Communicated<Message> {
        check_envelope("receive", from, tag, self.size())?;
        let what = || match from {
            Some(from) => format!("receive from rank {}", self.group.members[from]),
            None => "receive from any rank".to_owned(),
        };
        self.group.world.wait(self.group.here, what, |state| {
            if let Some(message) = self.message(state, from, tag) {
                return Some(Ok(message));
            }
            let here = self.group.here;
            let mut senders = match from {
                Some(from) => vec![self.group.members[from]],
                None => self.group.members.to_vec(),
            };
            senders.retain(|&sender| sender != here);
            let nobody = state.all_finished(senders.iter().copied());
            nobody.then(|| {
                let reason = "it has finished, and others wait for its message".to_owned();
                let rank = senders.first().copied().unwrap_or(here);
                Err(CommunicatorError::Gone { rank, reason })
            })
        })
    }

    fn try_receive(&self, from: Option<usize>, tag: Option<u32>) -> Communicated<Option<Message>> {
        check_envelope("try_receive", from, tag, self.size())?;
        self.group.world.act(|state| self.message(state, from, tag))
    }

    fn exchange(&self, with: usize, out: Buffer<'_>, mut into: Buffer<'_>) -> Communicated {
        check_rank("exchange", with, self.size())?;
        if with == self.rank {
            return exchange_with_itself(&out, &mut into);
        }
        self.traffic.add(out.len() * out.width());
        let parcel = out.to_values();
        self.group.world.act(|state| {
            self.group.state(state).parcels.entry((self.rank, with)).or_default().push_back(parcel);
        })?;
        self.group.world.wake([self.group.members[with]]);
        let what = || format!("exchange with rank {}", self.group.members[with]);
        let parcel = self.group.world.wait(self.group.here, what, |state| {
            let parcels = self.group.state(state).parcels.get_mut(&(with, self.rank));
            match parcels.and_then(|parcels| parcels.pop_front()) {
                Some(parcel) => Some(Ok(parcel)),
                None => state.missing([self.group.members[with]], "exchange").err().map(Err),
            }
        })?;
        take_parcel(&parcel, &mut into)
    }

    fn split(&self, colour: u32) -> Communicated<Rc<dyn Communicator>> {
        let call = Call::new("split", "u64", 1);
        let number = self.post(call, Values::U64(vec![colour.into()]))?;
        let colours = self.group.collect(call, number)?;
        let own = Values::U64(vec![colour.into()]);
        let alike: Vec<usize> = (0..self.size()).filter(|&rank| *colours[rank] == own).collect();
        let members: Vec<usize> = alike.iter().map(|&rank| self.group.members[rank]).collect();
        let rank = alike.iter().filter(|&&rank| rank < self.rank).count();
        let world = self.group.world.clone();
        let (number, here) = (world.join(self.group.number, number, colour, &members), self.group.here);
        Ok(Rc::new(Rank::new(Membership { world, number, members, here }, rank, self.traffic.clone())))
    }

    fn bytes_sent(&self) -> u64 {
        self.traffic.bytes()
    }

    fn abort(&self, message: &str) -> ! {
        self.group.world.end(self.group.here, message);
        resume_unwind(Box::new(Aborted))
    }
}

/// A reduction under way. It is made when it is finished; the ranks have only to have posted their numbers.
struct Reducing {
    group: Rc<Membership>,
    call: Call,
    number: u64,
    reduction: Reduction,
    result: Values,
    open: bool,
}

impl Pending for Reducing {
    fn progress(&mut self) -> Communicated<bool> {
        self.group.world.act(|state| match self.group.state(state).rounds.get(&self.number) {
            Some(round) => round.absent().next().is_none(),
            None => true,
        })
    }

    fn finish(mut self: Box<Self>) -> Communicated<Values> {
        self.open = false;
        let posted = self.group.collect(self.call, self.number)?;
        reduce(&mut self.result.buffer(), &posted, 0, self.reduction);
        Ok(std::mem::replace(&mut self.result, Values::U8(Vec::new())))
    }
}

impl Drop for Reducing {
    fn drop(&mut self) {
        if self.open {
            // If a rank has failed, nobody looks at it any more.
            let _ = self.group.world.act(|state| leave(self.group.state(state), self.number));
        }
    }
}

fn leave(group: &mut Group, number: u64) {
    if let Some(round) = group.rounds.get_mut(&number) {
        round.leave();
        if round.is_over() {
            group.rounds.remove(&number);
        }
    }
}

/// Reduces what all ranks posted, from `start`, in the order of their ranks.
fn reduce(into: &mut Buffer<'_>, posted: &[Arc<Values>], start: usize, reduction: Reduction) {
    into.copy_from(&posted[0], start);
    posted[1..].iter().for_each(|values| {
        into.reduce_from(values, start, reduction);
    });
}

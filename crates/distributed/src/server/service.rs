//! What a server does.

use std::collections::VecDeque;

use wengert_tensor::Float;

use super::protocol::{REPLY, REQUEST, Reply, Request};
use super::shard::Shard;
use super::{Consistency, Histogram, ServerError};
use crate::communicator::{Communicator, CommunicatorError};
use crate::compress::decompress;
use crate::wire::WireError;

/// A worker as a server sees it.
struct Client<T> {
    /// What it said and was not handled yet, in order.
    queue: VecDeque<Request<T>>,
    /// Its steps.
    clock: u64,
    pushes: u64,
    done: bool,
}

impl<T> Client<T> {
    fn meets(&self) -> bool {
        matches!(self.queue.front(), Some(Request::Meet { .. }))
    }

    /// What stands first, if the client is so.
    fn take_if(&mut self, holds: impl Fn(&Self) -> bool) -> Option<Request<T>> {
        if holds(self) { self.queue.pop_front() } else { None }
    }

    /// Whether others have to reckon with steps of it.
    fn steps(&self) -> bool {
        !self.done && !self.meets()
    }
}

/// A server at work.
pub(super) struct Service<'a, T: Float> {
    communicator: &'a dyn Communicator,
    consistency: Consistency,
    pub(super) shard: Shard<'a, T>,
    clients: Vec<Client<T>>,
    gradient: Vec<T>,
    /// By how many updates gradients were late, and by how many steps those who brought them were ahead of the slowest.
    pub(super) staleness: Histogram,
    pub(super) lead: Histogram,
}

impl<'a, T: Float> Service<'a, T> {
    /// For the ranks below `workers`.
    pub(super) fn new(
        communicator: &'a dyn Communicator,
        workers: usize,
        consistency: Consistency,
        shard: Shard<'a, T>,
    ) -> Self {
        let client = || Client { queue: VecDeque::new(), clock: 0, pushes: 0, done: false };
        Service {
            communicator,
            consistency,
            shard,
            clients: (0..workers).map(|_| client()).collect(),
            gradient: Vec::new(),
            staleness: Histogram::default(),
            lead: Histogram::default(),
        }
    }

    /// Serves until all workers are done. A failure is told to all that are not.
    pub(super) fn run(&mut self) -> Result<(), ServerError> {
        let outcome = self.serve();
        if let Err(error) = &outcome {
            let (rank, reason) = match error {
                ServerError::Failed { rank, reason } => (*rank, reason.clone()),
                other => (self.communicator.rank(), other.to_string()),
            };
            let stop = Reply::<T>::Stop { rank, reason }.write();
            for (worker, client) in self.clients.iter().enumerate() {
                if !client.done && worker != rank {
                    // Who is gone cannot be told.
                    let _ = self.communicator.send(worker, REPLY, &stop);
                }
            }
        }
        outcome
    }

    fn serve(&mut self) -> Result<(), ServerError> {
        while self.clients.iter().any(|client| !client.done) {
            let message = self.communicator.receive(None, Some(REQUEST))?;
            let request = Request::read(&message.bytes)?;
            if let Request::Failed { reason } = request {
                return Err(ServerError::Failed { rank: message.from, reason });
            }
            self.check(&request)?;
            if let Some(client) = self.clients.get_mut(message.from) {
                client.queue.push_back(request);
            }
            while self.advance()? {}
        }
        Ok(())
    }

    /// That a request is about parameters that are here.
    fn check(&self, request: &Request<T>) -> Result<(), ServerError> {
        let here = self.shard.range();
        match request {
            Request::Pull { range } | Request::Push { range, .. }
                if range.start < here.start || range.end > here.end || range.end < range.start =>
            {
                let reason = format!("parameters {range:?}, of which {here:?} are here");
                Err(WireError::new(reason).into())
            }
            _ => Ok(()),
        }
    }

    /// Handles what can be handled now of what stands first in the queues. Whether there was something.
    fn advance(&mut self) -> Result<bool, ServerError> {
        let mut moved = false;
        for worker in 0..self.clients.len() {
            while self.is_due(worker) {
                let request = self.clients[worker].queue.pop_front().expect("what is due is there");
                self.handle(worker, request)?;
                moved = true;
            }
        }
        moved |= self.round()?;
        moved |= self.meeting()?;
        Ok(moved)
    }

    /// Steps of the slowest worker that others have to wait for.
    fn slowest(&self) -> Option<u64> {
        self.clients.iter().filter(|client| client.steps()).map(|client| client.clock).min()
    }

    fn is_due(&self, worker: usize) -> bool {
        let client = &self.clients[worker];
        let near = || match self.consistency {
            Consistency::Bounded { staleness } => {
                self.slowest().is_none_or(|slowest| client.clock <= slowest.saturating_add(staleness))
            }
            _ => true,
        };
        match client.queue.front() {
            Some(Request::Pull { .. }) => near(),
            Some(Request::Push { .. }) => self.consistency != Consistency::Synchronous && near(),
            Some(Request::Done { .. }) => true,
            // These take all workers.
            Some(Request::Meet { .. } | Request::Failed { .. }) | None => false,
        }
    }

    fn handle(&mut self, worker: usize, request: Request<T>) -> Result<(), ServerError> {
        match request {
            Request::Pull { range } => {
                let values = self.shard.values(range).to_vec();
                let updates = self.shard.updates();
                self.communicator.send(worker, REPLY, &Reply::Values { updates, values }.write())?;
            }
            Request::Push { range, updates, gradient, .. } => {
                self.gradient.resize(range.len(), T::ZERO);
                decompress(&gradient, &mut self.gradient)?;
                let staleness = self.shard.updates().saturating_sub(updates);
                self.note(worker, staleness);
                self.shard.update(range, &self.gradient, staleness);
            }
            Request::Done { pushes } => {
                let client = &mut self.clients[worker];
                client.done = true;
                if client.pushes != pushes {
                    let arrived = client.pushes;
                    return Err(ServerError::Lost { worker, sent: pushes, arrived });
                }
            }
            Request::Meet { .. } | Request::Failed { .. } => {}
        }
        Ok(())
    }

    /// Counts a push.
    fn note(&mut self, worker: usize, staleness: u64) {
        let lead = self.slowest().map_or(0, |slowest| self.clients[worker].clock.saturating_sub(slowest));
        if let Consistency::Bounded { staleness: bound } = self.consistency {
            assert!(lead <= bound, "a worker is {lead} steps ahead, above the bound of {bound}");
        }
        self.lead.count(lead);
        self.staleness.count(staleness);
        self.clients[worker].clock += 1;
        self.clients[worker].pushes += 1;
    }

    /// A synchronous update, if all that still step have brought their gradients.
    fn round(&mut self) -> Result<bool, ServerError> {
        let pushes = |client: &Client<T>| matches!(client.queue.front(), Some(Request::Push { .. }));
        let all = self.clients.iter().filter(|client| client.steps()).all(pushes);
        if self.consistency != Consistency::Synchronous || !all || !self.clients.iter().any(pushes) {
            return Ok(false);
        }
        let mut pushed = Vec::new();
        for worker in 0..self.clients.len() {
            let Some(Request::Push { range, updates, examples, gradient }) =
                self.clients[worker].take_if(pushes)
            else {
                continue;
            };
            self.note(worker, self.shard.updates().saturating_sub(updates));
            let mut values = vec![T::ZERO; range.len()];
            decompress(&gradient, &mut values)?;
            pushed.push((range, examples, values));
        }
        let total: u64 = pushed.iter().map(|(_, examples, _)| examples).sum();
        let equal = 1.0 / pushed.len() as f64;
        let mut mean: Vec<T> = Vec::new();
        let mut whole = 0..0;
        for (range, examples, values) in pushed {
            let share = if total == 0 { equal } else { examples as f64 / total as f64 };
            let share = T::from_f64(share);
            if mean.is_empty() {
                // The first is not added to 0, so that one worker's gradient keeps its bits.
                mean = values;
                mean.iter_mut().for_each(|mean| *mean *= share);
            } else {
                mean.iter_mut().zip(&values).for_each(|(mean, &value)| *mean += share * value);
            }
            whole = range;
        }
        self.shard.update(whole, &mean, 0);
        Ok(true)
    }

    /// A meeting, if all that are not done wait for it.
    fn meeting(&mut self) -> Result<bool, ServerError> {
        if !self.clients.iter().any(Client::meets) || self.clients.iter().any(Client::steps) {
            return Ok(false);
        }
        let (mut means, mut largest): (Vec<T>, Vec<u64>) = Default::default();
        let mut here = Vec::new();
        for worker in 0..self.clients.len() {
            let Some(Request::Meet { state, buffers, counts }) = self.clients[worker].take_if(Client::meets)
            else {
                continue;
            };
            let own = (buffers.len(), counts.len());
            if here.is_empty() {
                (means, largest) = (vec![T::ZERO; own.0], vec![0; own.1]);
            } else if own != (means.len(), largest.len()) {
                let (first, _) = here[0];
                let reason = format!(
                    "worker {worker} has {} numbers and {} counts of running statistics, worker {first} {} and {}",
                    own.0,
                    own.1,
                    means.len(),
                    largest.len()
                );
                return Err(CommunicatorError::Mismatch { operation: "meet", reason }.into());
            }
            here.push((worker, state));
            means.iter_mut().zip(buffers).for_each(|(sum, buffer)| *sum += buffer);
            largest.iter_mut().zip(counts).for_each(|(largest, count)| *largest = count.max(*largest));
        }
        let number = T::from_usize(here.len());
        means.iter_mut().for_each(|mean| *mean /= number);
        let clock = self.clients.iter().map(|client| client.clock).max().unwrap_or(0);
        self.clients.iter_mut().for_each(|client| client.clock = clock);
        let state = if here.iter().any(|(_, wanted)| *wanted) {
            serde_json::to_string(&self.shard.state()).expect("states are written to memory")
        } else {
            String::new()
        };
        let values = self.shard.evaluation();
        for (worker, wanted) in here {
            let state = if wanted { state.clone() } else { String::new() };
            let (values, buffers, counts) = (values.clone(), means.clone(), largest.clone());
            let reply = Reply::Met { values, buffers, counts, state };
            self.communicator.send(worker, REPLY, &reply.write())?;
        }
        Ok(true)
    }
}

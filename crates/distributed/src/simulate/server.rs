//! A parameter server, event by event.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::Simulation;
use super::prediction::Tally;

/// What happens.
#[derive(Clone, Copy)]
enum What {
    /// A worker has its gradient.
    Computed { worker: usize },
    /// A gradient's part stands in front of a server's link; since when it could have come.
    Arrives { worker: usize, server: usize },
    /// The update is made, and the worker wants the parameters.
    Updated { worker: usize, server: usize },
    /// Parameters have come back.
    Returned { worker: usize },
}

/// At its time; of those at the same time the first that was foreseen.
struct Event {
    time: f64,
    number: u64,
    what: What,
}

impl PartialEq for Event {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Event {}

impl PartialOrd for Event {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Event {
    fn cmp(&self, other: &Self) -> Ordering {
        // The heap gives the largest first.
        other.time.total_cmp(&self.time).then(other.number.cmp(&self.number))
    }
}

/// A server: until when its link and its processor are busy, and who waits.
#[derive(Clone)]
struct Server {
    incoming: f64,
    processor: f64,
    outgoing: f64,
    updates: u64,
    /// Steps of each worker that have come here, and the updates when each was answered last.
    clocks: Vec<u64>,
    seen: Vec<u64>,
    /// Workers that are too far ahead, and since when.
    held: Vec<(usize, f64)>,
}

/// A worker: its steps, and how many servers have not answered in this one.
#[derive(Clone, Copy, Default)]
struct Worker {
    steps: u64,
    open: usize,
    sent: f64,
    outgoing: f64,
}

struct Queue {
    events: BinaryHeap<Event>,
    number: u64,
}

impl Queue {
    fn at(&mut self, time: f64, what: What) {
        self.number += 1;
        self.events.push(Event { time, number: self.number, what });
    }
}

/// Workers compute, push to all servers, and pull from them.
pub(super) fn run(simulation: &Simulation<'_>, servers: usize, bound: Option<u64>, steps: u64) -> Tally {
    let workers = simulation.workers;
    let latency = simulation.cluster.latency;
    let transfer = simulation.transfer(simulation.work.bytes / servers as f64);
    let update = simulation.work.update / servers as f64;
    let fresh = Server {
        incoming: 0.0,
        processor: 0.0,
        outgoing: 0.0,
        updates: 0,
        clocks: vec![0; workers],
        seen: vec![0; workers],
        held: Vec::new(),
    };
    let mut server_states = vec![fresh; servers];
    let mut worker_states = vec![Worker::default(); workers];
    let mut queue = Queue { events: BinaryHeap::new(), number: 0 };
    let mut tally = Tally::default();
    let mut held = 0.0;
    for worker in 0..workers {
        let compute = simulation.compute(worker, 0);
        tally.shares.compute += compute;
        queue.at(compute, What::Computed { worker });
    }
    while let Some(Event { time, what, .. }) = queue.events.pop() {
        match what {
            What::Computed { worker } => {
                let state = &mut worker_states[worker];
                (state.open, state.sent, state.outgoing) = (servers, time, time);
                for server in 0..servers {
                    // Its link sends to one server after another; each is offset, so that they do not all begin with the first.
                    state.outgoing += transfer;
                    let server = (server + worker) % servers;
                    queue.at(state.outgoing - transfer + latency, What::Arrives { worker, server });
                }
            }
            What::Arrives { worker, server } => {
                let state = &mut server_states[server];
                state.incoming = state.incoming.max(time) + transfer;
                state.processor = state.processor.max(state.incoming) + update;
                queue.at(state.processor, What::Updated { worker, server });
            }
            What::Updated { worker, server } => {
                let state = &mut server_states[server];
                // Its own updates do not make a gradient old.
                tally.staleness += (state.updates - state.seen[worker]) as f64 / servers as f64;
                state.updates += 1;
                state.clocks[worker] += 1;
                state.held.push((worker, time));
                let slowest =
                    state.clocks.iter().copied().filter(|&clock| clock < steps).min().unwrap_or(steps);
                let mut waiting = Vec::new();
                for (worker, since) in std::mem::take(&mut state.held) {
                    if bound
                        .is_some_and(|bound| state.clocks[worker].min(steps) > slowest.saturating_add(bound))
                    {
                        waiting.push((worker, since));
                        continue;
                    }
                    held += (time - since) / servers as f64;
                    state.seen[worker] = state.updates;
                    state.outgoing = state.outgoing.max(time) + transfer;
                    queue.at(state.outgoing + latency, What::Returned { worker });
                }
                state.held = waiting;
            }
            What::Returned { worker } => {
                let state = &mut worker_states[worker];
                state.open -= 1;
                if state.open > 0 {
                    continue;
                }
                tally.end = tally.end.max(time);
                // Gradient there, parameters back; the whole of each on its own link.
                let own = 2.0 * transfer * servers as f64;
                tally.shares.latency += 2.0 * latency;
                tally.shares.bandwidth += own;
                tally.shares.server += time - state.sent - 2.0 * latency - own;
                state.steps += 1;
                if state.steps < steps {
                    let compute = simulation.compute(worker, state.steps);
                    tally.shares.compute += compute;
                    queue.at(time + compute, What::Computed { worker });
                }
            }
        }
    }
    // What was held for slower workers is no queue; and those who ended first waited for the last.
    let shares = &mut tally.shares;
    shares.server = (shares.server - held).max(0.0);
    let known = shares.compute + shares.latency + shares.bandwidth + shares.server;
    shares.waiting = (tally.end * workers as f64 - known).max(0.0);
    tally
}

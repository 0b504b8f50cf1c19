//! Averages over all ranks, round by round.

use super::Simulation;
use super::prediction::Tally;

/// How an average is taken.
#[derive(Clone, Copy)]
pub(super) enum Pattern {
    Ring,
    Tree,
}

/// When each rank is ready, and what its time went to on the way.
struct Clocks {
    now: Vec<f64>,
    next: Vec<f64>,
    latency: f64,
    bandwidth: f64,
}

impl Clocks {
    /// A message from `from(r)` to each rank `r` that has one, all at once: it starts when both are ready.
    fn round(&mut self, simulation: &Simulation<'_>, bytes: f64, from: impl Fn(usize) -> Option<usize>) {
        let (latency, transfer) = (simulation.cluster.latency, simulation.transfer(bytes));
        self.next.copy_from_slice(&self.now);
        for rank in 0..self.now.len() {
            if let Some(other) = from(rank) {
                self.next[rank] = self.now[rank].max(self.now[other]) + latency + transfer;
                self.latency += latency;
                self.bandwidth += transfer;
            }
        }
        std::mem::swap(&mut self.now, &mut self.next);
    }

    fn ring(&mut self, simulation: &Simulation<'_>) {
        let ranks = self.now.len();
        for _ in 0..2 * (ranks - 1) {
            let before = |rank| Some((rank + ranks - 1) % ranks);
            self.round(simulation, simulation.work.bytes / ranks as f64, before);
        }
    }

    /// Halving, then doubling, among the largest power of two of ranks; the others give theirs to one of those before, and get the
    /// result after.
    fn tree(&mut self, simulation: &Simulation<'_>) {
        let ranks = self.now.len();
        let core = 1 << ranks.ilog2();
        let bytes = simulation.work.bytes;
        self.round(simulation, bytes, |rank| (rank < core && rank + core < ranks).then_some(rank + core));
        let levels = ranks.ilog2();
        for level in (0..levels).chain((0..levels).rev()) {
            let part = bytes / f64::from(2u32 << level);
            self.round(simulation, part, |rank| (rank < core).then_some(rank ^ (1 << level)));
        }
        self.round(simulation, bytes, |rank| rank.checked_sub(core));
    }
}

/// All ranks compute, and average every `every` steps.
pub(super) fn run(simulation: &Simulation<'_>, pattern: Pattern, every: u64, steps: u64) -> Tally {
    let ranks = simulation.workers;
    let zeros = vec![0.0; ranks];
    let mut clocks = Clocks { now: zeros.clone(), next: zeros, latency: 0.0, bandwidth: 0.0 };
    let mut tally = Tally::default();
    for step in 0..steps {
        for (rank, now) in clocks.now.iter_mut().enumerate() {
            let busy = simulation.compute(rank, step) + simulation.work.update;
            tally.shares.compute += busy;
            *now += busy;
        }
        // What is left over at the end is averaged, too.
        if (step + 1) % every == 0 || step + 1 == steps {
            match pattern {
                Pattern::Ring => clocks.ring(simulation),
                Pattern::Tree => clocks.tree(simulation),
            }
        }
    }
    tally.end = clocks.now.iter().copied().fold(0.0, f64::max);
    (tally.shares.latency, tally.shares.bandwidth) = (clocks.latency, clocks.bandwidth);
    let known = tally.shares.compute + clocks.latency + clocks.bandwidth;
    tally.shares.waiting = (tally.end * ranks as f64 - known).max(0.0);
    tally
}

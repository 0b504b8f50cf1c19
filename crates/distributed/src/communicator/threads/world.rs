//! What the threads share: who has failed or finished, and for each communicator its collectives and messages under way.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::round::Round;
use crate::communicator::{Communicated, CommunicatorError, Message, Values};

/// All ranks. Numbers of ranks are those in the world.
pub(super) struct World {
    pub(super) size: usize,
    state: Mutex<State>,
    /// One for each rank, so that only those are woken for whom something came.
    wake: Vec<Condvar>,
}

pub(super) struct State {
    /// The rank that failed first, and its message.
    failure: Option<(usize, String)>,
    finished: Vec<bool>,
    /// What each rank waits for, where it sleeps, and after how many changes it found that it has to.
    asleep: Vec<Option<(u64, String)>>,
    /// Changes of what ranks wait for.
    changes: u64,
    groups: HashMap<u64, Group>,
    /// Groups that come of a split, by the group, its collective and the colour, until all members have them.
    splits: HashMap<(u64, u64, u32), u64>,
    next_group: u64,
}

/// The ranks of one communicator, by their numbers in the world.
pub(super) struct Group {
    members: Vec<usize>,
    pub(super) rounds: HashMap<u64, Round>,
    /// Messages to each member, which are numbered in the group.
    pub(super) mail: Vec<VecDeque<Message>>,
    /// What is exchanged, by sender and receiver.
    pub(super) parcels: HashMap<(usize, usize), VecDeque<Values>>,
    joined: usize,
    left: usize,
}

impl Group {
    fn new(members: Vec<usize>) -> Self {
        let mail = members.iter().map(|_| VecDeque::new()).collect();
        Self { members, rounds: HashMap::new(), mail, parcels: HashMap::new(), joined: 0, left: 0 }
    }
}

impl State {
    pub(super) fn group(&mut self, group: u64) -> &mut Group {
        self.groups.get_mut(&group).expect("a group stays until all members have left it")
    }

    /// The first of `ranks` that has finished, as the error of one that waits for it.
    pub(super) fn missing(&self, ranks: impl IntoIterator<Item = usize>, waits: &str) -> Communicated {
        match ranks.into_iter().find(|&rank| self.finished[rank]) {
            Some(rank) => {
                let reason = format!("it has finished, and others wait for it in {waits}");
                Err(CommunicatorError::Gone { rank, reason })
            }
            None => Ok(()),
        }
    }

    /// What all that have not finished wait for, if nobody is left who could give it to them; `None` also where some have not looked
    /// at the last change yet.
    fn deadlock(&self) -> Option<String> {
        let mut waits = Vec::new();
        for (rank, asleep) in self.asleep.iter().enumerate().filter(|(rank, _)| !self.finished[*rank]) {
            let (seen, what) = asleep.as_ref()?;
            if *seen != self.changes {
                return None;
            }
            waits.push(format!("rank {rank} in {what}"));
        }
        Some(format!("all ranks wait for each other: {}", waits.join(", ")))
    }

    /// Whether all of `ranks` have finished.
    pub(super) fn all_finished(&self, mut ranks: impl Iterator<Item = usize>) -> bool {
        ranks.all(|rank| self.finished[rank])
    }
}

impl World {
    pub(super) fn new(size: usize) -> Arc<Self> {
        let groups = HashMap::from([(0, Group::new((0..size).collect()))]);
        let state = State {
            failure: None,
            finished: vec![false; size],
            asleep: vec![None; size],
            changes: 0,
            groups,
            splits: HashMap::new(),
            next_group: 1,
        };
        let wake = (0..size).map(|_| Condvar::new()).collect();
        Arc::new(Self { size, state: Mutex::new(state), wake })
    }

    /// The state, whatever became of a thread that had it: it is changed in steps that leave it whole.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something at once, if no rank has failed.
    pub(super) fn act<R>(&self, action: impl FnOnce(&mut State) -> R) -> Communicated<R> {
        let mut state = self.lock();
        gone(&state)?;
        state.changes += 1;
        Ok(action(&mut state))
    }

    /// Waits, as `rank`, until `ready` gives something or a rank has failed. If all ranks wait so, it is for ever, and all end with
    /// `what` each waits for.
    pub(super) fn wait<R>(
        &self,
        rank: usize,
        what: impl Fn() -> String,
        mut ready: impl FnMut(&mut State) -> Option<Communicated<R>>,
    ) -> Communicated<R> {
        let mut state = self.lock();
        loop {
            gone(&state)?;
            if let Some(result) = ready(&mut state) {
                state.changes += 1;
                state.asleep[rank] = None;
                return result;
            }
            let seen = state.changes;
            match &mut state.asleep[rank] {
                Some(asleep) => asleep.0 = seen,
                asleep => *asleep = Some((seen, what())),
            }
            if let Some(reason) = state.deadlock() {
                state.failure.get_or_insert((rank, reason));
                self.wake(0..self.size);
                continue;
            }
            if state
                .asleep
                .iter()
                .zip(&state.finished)
                .all(|(asleep, finished)| asleep.is_some() || *finished)
            {
                // Those that have not looked at the last change are to do so.
                let stale =
                    |asleep: &Option<(u64, String)>| asleep.as_ref().is_some_and(|(at, _)| *at != seen);
                self.wake((0..self.size).filter(|&other| stale(&state.asleep[other])));
            }
            state = self.wake[rank].wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub(super) fn wake(&self, ranks: impl IntoIterator<Item = usize>) {
        ranks.into_iter().for_each(|rank| self.wake[rank].notify_all());
    }

    /// Ends all ranks with a message, unless one has done so.
    pub(super) fn end(&self, rank: usize, message: &str) {
        self.lock().failure.get_or_insert_with(|| (rank, message.to_owned()));
        self.wake(0..self.size);
    }

    /// Notes that a rank's program is at its end, so that nobody waits for it.
    pub(super) fn finish(&self, rank: usize) {
        let mut state = self.lock();
        state.finished[rank] = true;
        state.changes += 1;
        drop(state);
        self.wake(0..self.size);
    }

    pub(super) fn failure(&self) -> Option<(usize, String)> {
        self.lock().failure.clone()
    }

    /// The group that `members` have of the collective `call` of `group`, which all of them ask for.
    pub(super) fn join(&self, group: u64, call: u64, colour: u32, members: &[usize]) -> u64 {
        let mut state = self.lock();
        let next = state.next_group;
        let new = *state.splits.entry((group, call, colour)).or_insert(next);
        if new == next {
            state.next_group += 1;
            state.groups.insert(new, Group::new(members.to_vec()));
        }
        let joining = state.group(new);
        joining.joined += 1;
        if joining.joined == members.len() {
            state.splits.remove(&(group, call, colour));
        }
        new
    }

    /// Notes that a member's communicator is dropped; the last takes the group with it.
    pub(super) fn leave(&self, group: u64) {
        let mut state = self.lock();
        let leaving = state.group(group);
        leaving.left += 1;
        if leaving.left == leaving.members.len() {
            state.groups.remove(&group);
        }
    }
}

fn gone(state: &State) -> Communicated {
    match &state.failure {
        Some((rank, reason)) => Err(CommunicatorError::Gone { rank: *rank, reason: reason.clone() }),
        None => Ok(()),
    }
}

//! What a worker does.

use std::ops::Range;

use wengert_nn::{Grads, Params};
use wengert_state::State;
use wengert_tensor::Float;

use super::protocol::{REQUEST, Reply, Request, receive, unexpected};
use super::shard::{Shard, joined, overlap, overlaps};
use super::{Histogram, ServerError};
use crate::communicator::Communicator;
use crate::compress::Compressor;
use crate::local::{flat_buffers, set_flat_buffers};

/// How many gradients a server is sent without an answer.
const MOST_UNANSWERED: u64 = 64;

/// Where the parameters are.
pub(super) enum Servers<'a, T: Float> {
    /// Here.
    Alone(Box<Shard<'a, T>>),
    /// With these ranks, which have these parts.
    Ranks { communicator: &'a dyn Communicator, parts: Vec<(usize, Range<usize>)> },
}

/// A worker of a [`ParameterServer`](super::ParameterServer), to the program that it runs.
///
/// A step is [`pull`](Worker::pull), a gradient and [`push`](Worker::push). Between pushes and the next pull a worker's own updates are
/// always seen; those of others as the consistency has it.
pub struct Worker<'a, T: Float = f32> {
    index: usize,
    workers: usize,
    len: usize,
    cuts: &'a [usize],
    whole_only: bool,
    pub(super) servers: Servers<'a, T>,
    compressor: Compressor<T>,
    /// The updates of each server when it was pulled from last.
    updates: Vec<u64>,
    /// The pushes that each server has been sent since it last answered.
    unanswered: Vec<u64>,
    pub(super) pushes: u64,
    /// Of a rank alone.
    pub(super) staleness: Histogram,
}

impl<'a, T: Float> Worker<'a, T> {
    pub(super) fn new(
        (index, workers): (usize, usize),
        len: usize,
        cuts: &'a [usize],
        whole_only: bool,
        servers: Servers<'a, T>,
        compressor: Compressor<T>,
    ) -> Self {
        let number = match &servers {
            Servers::Alone(_) => 1,
            Servers::Ranks { parts, .. } => parts.len(),
        };
        Worker {
            index,
            workers,
            len,
            cuts,
            whole_only,
            servers,
            compressor,
            updates: vec![0; number],
            unanswered: vec![0; number],
            pushes: 0,
            staleness: Histogram::default(),
        }
    }

    /// The number of this worker, from 0, for `Batches::sharded`.
    pub fn index(&self) -> usize {
        self.index
    }

    /// The number of workers.
    pub fn workers(&self) -> usize {
        self.workers
    }

    /// The pushes of this worker so far.
    pub fn pushes(&self) -> u64 {
        self.pushes
    }

    /// The number of updates that the parameters had when they were pulled last; with several servers, the smallest.
    pub fn updates(&self) -> u64 {
        self.updates.iter().copied().min().unwrap_or(0)
    }

    /// Gives the parameters the values that the servers have, for the next gradient. [Frozen](Params::freeze) ones keep theirs.
    ///
    /// # Errors
    /// If a rank has failed.
    ///
    /// # Panics
    /// If there are not as many parameters as the servers have.
    #[track_caller]
    pub fn pull(&mut self, params: &mut Params<T>) -> Result<(), ServerError> {
        self.check("pull", params.len());
        self.pull_range(0..self.len, &mut params.values_mut())
    }

    /// The values `range` of the flat vector.
    ///
    /// # Errors
    /// If a rank has failed, or there is no such range.
    ///
    /// # Panics
    /// If `out` has another length.
    #[track_caller]
    pub fn pull_range(&mut self, range: Range<usize>, out: &mut [T]) -> Result<(), ServerError> {
        let wanted = range.end.saturating_sub(range.start);
        assert!(out.len() == wanted, "pull_range: {wanted} parameters for {} elements", out.len());
        if range.start > range.end || range.end > self.len {
            return Err(ServerError::Range { start: range.start, end: range.end, len: self.len });
        }
        match &self.servers {
            Servers::Alone(shard) => {
                out.copy_from_slice(shard.values(range));
                self.updates[0] = shard.updates();
            }
            Servers::Ranks { communicator, parts } => {
                for (rank, common) in overlaps(parts, &range) {
                    communicator.send(rank, REQUEST, &Request::<T>::Pull { range: common }.write())?;
                }
                for (server, (rank, part)) in parts.iter().enumerate() {
                    let Some(common) = overlap(part, &range) else { continue };
                    let Reply::Values { updates, values } = receive(*communicator, *rank)? else {
                        return Err(unexpected(*rank));
                    };
                    self.updates[server] = updates;
                    self.unanswered[server] = 0;
                    let place = common.start - range.start..common.end - range.start;
                    if values.len() != place.len() {
                        return Err(unexpected(*rank));
                    }
                    out[place].copy_from_slice(&values);
                }
            }
        }
        Ok(())
    }

    /// Sends a gradient evaluated with `examples` examples at the parameters that were pulled last. The synchronous server weights by
    /// the examples.
    ///
    /// It does not wait, unless a server has been sent 64 gradients without being asked for anything: it is then waited for, so that
    /// no more of a worker's gradients are ever on their way, or in wait for slower workers.
    ///
    /// # Errors
    /// If the gradient is not finite, or a rank has failed.
    ///
    /// # Panics
    /// If there are not as many elements as parameters.
    #[track_caller]
    pub fn push(&mut self, grads: &[T], examples: usize) -> Result<(), ServerError> {
        let len = self.len;
        assert!(grads.len() == len, "push: a gradient of {} for {len} parameters", grads.len());
        self.push_range(0..len, grads, examples)
    }

    /// Sends the gradient of the parameters `range`, which begins and ends at [cuts](super::ServerSettings::cuts).
    ///
    /// ```
    /// use wengert_distributed::Single;
    /// use wengert_distributed::server::{ParameterServer, ServerError, ServerSettings};
    /// use wengert_optim::Sgd;
    ///
    /// // Two layers of two parameters: what one of them needs is pulled, and its gradient is pushed alone.
    /// let settings = ServerSettings { cuts: vec![2], ..Default::default() };
    /// let server = ParameterServer::new(settings, |_| Sgd::new(0.5))?;
    /// let served = server.run(&Single::new(), &[1.0f32, 2.0, 3.0, 4.0], |worker| {
    ///     let mut second = [0.0; 2];
    ///     worker.pull_range(2..4, &mut second)?;
    ///     worker.push_range(2..4, &second, 1)
    /// })?;
    /// assert_eq!(served.values, [1.0, 2.0, 1.5, 2.0]);
    /// # Ok::<(), ServerError>(())
    /// ```
    ///
    /// # Errors
    /// As [`push`](Worker::push), if the range is none of cuts, or a part where the server is synchronous.
    ///
    /// # Panics
    /// If the gradient has another length.
    #[track_caller]
    pub fn push_range(
        &mut self,
        range: Range<usize>,
        grads: &[T],
        examples: usize,
    ) -> Result<(), ServerError> {
        let (start, end, len) = (range.start, range.end, self.len);
        let wanted = end.saturating_sub(start);
        assert!(grads.len() == wanted, "push_range: a gradient of {} for {wanted} parameters", grads.len());
        let is_cut = |place: &usize| *place == 0 || *place == len || self.cuts.contains(place);
        if !is_cut(&start) || !is_cut(&end) || end < start {
            return Err(ServerError::Range { start, end, len });
        }
        if self.whole_only && range != (0..len) {
            return Err(ServerError::Part { start, end, len });
        }
        if let Some(index) = grads.iter().position(|grad| !grad.is_finite()) {
            return Err(ServerError::NonFinite { index: start + index, value: grads[index].to_f64() });
        }
        self.pushes += 1;
        match &mut self.servers {
            Servers::Alone(shard) => {
                self.staleness.count(0);
                shard.update(range, grads, 0);
            }
            Servers::Ranks { communicator, parts } => {
                for (server, (rank, part)) in parts.iter().enumerate() {
                    // Servers that have nothing of it count the step.
                    let common = overlap(part, &range).unwrap_or(part.start..part.start);
                    let own = if common.is_empty() { 0..0 } else { common.start - start..common.end - start };
                    let gradient = self.compressor.compress(common.start, &grads[own]);
                    let (updates, examples) = (self.updates[server], examples as u64);
                    let push = Request::<T>::Push { range: common, updates, examples, gradient };
                    communicator.send(*rank, REQUEST, &push.write())?;
                    self.unanswered[server] += 1;
                }
                for (unanswered, (rank, part)) in self.unanswered.iter_mut().zip(parts.iter()) {
                    if *unanswered < MOST_UNANSWERED {
                        continue;
                    }
                    // What it answers, it does behind all that it was sent before.
                    let nothing = Request::<T>::Pull { range: part.start..part.start };
                    communicator.send(*rank, REQUEST, &nothing.write())?;
                    let Reply::Values { .. } = receive::<T>(*communicator, *rank)? else {
                        return Err(unexpected(*rank));
                    };
                    *unanswered = 0;
                }
            }
        }
        Ok(())
    }

    /// [`push`](Worker::push) of the gradient of a model, whose running statistics this worker takes over as its own.
    ///
    /// # Errors
    /// As [`push`](Worker::push).
    ///
    /// # Panics
    /// If there are not as many parameters as the servers have, or elements as parameters.
    #[track_caller]
    pub fn update(
        &mut self,
        params: &mut Params<T>,
        grads: &Grads<T>,
        examples: usize,
    ) -> Result<(), ServerError> {
        self.check("update", params.len());
        let (own, len) = (grads.len(), self.len);
        assert!(own == len, "update: a gradient of {own} for {len} parameters");
        self.push(grads, examples)?;
        params.update_buffers(grads);
        Ok(())
    }

    /// Waits for all workers that have not ended, at the end of an epoch say, and gives the parameters the values to evaluate the model
    /// with, after all updates, and the running statistics their mean over the workers. Training goes on with a pull.
    ///
    /// # Errors
    /// If a rank has failed, or workers have models with other running statistics.
    ///
    /// # Panics
    /// As [`pull`](Worker::pull).
    #[track_caller]
    pub fn meet(&mut self, params: &mut Params<T>) -> Result<(), ServerError> {
        self.check("meet", params.len());
        self.gather(params, false).map(drop)
    }

    /// [`meet`](Worker::meet), and what the servers know then, for
    /// [`resume`](super::ParameterServer::resume) with any number of ranks and servers. Some workers may call this and others `meet`.
    /// What compression has kept back is not in it.
    ///
    /// ```
    /// use wengert_distributed::server::{ParameterServer, Served, ServerError, ServerSettings, Worker};
    /// use wengert_distributed::Single;
    /// use wengert_nn::{Init, Params};
    /// use wengert_optim::Adam;
    /// use wengert_state::State;
    ///
    /// let mut params: Params<f64> = Params::seeded(0);
    /// let x = params.root().param("x", [1], Init::Zeros);
    /// let start = params.values().to_vec();
    /// let mut steps = |worker: &mut Worker<'_, f64>, count: u64| -> Result<State, ServerError> {
    ///     for _ in 0..count {
    ///         worker.pull(&mut params)?;
    ///         let (_, grads) = params.value_and_grad(|cx| (cx.param(x) - 1.0).square().sum()).unwrap();
    ///         worker.update(&mut params, &grads, 1)?;
    ///     }
    ///     worker.checkpoint(&mut params)
    /// };
    /// let server = || ParameterServer::new(ServerSettings::default(), |_| Adam::new(0.1));
    /// let whole = server()?.run(&Single::new(), &start, |worker| steps(worker, 20))?;
    ///
    /// // The same in two runs.
    /// let Served { result: state, values, report } = server()?.run(&Single::new(), &start, |worker| steps(worker, 12))?;
    /// assert_eq!((report.updates, report.pushes), (12, 12));
    /// let rest = server()?.resume(state.unwrap()).run(&Single::new(), &values, |worker| steps(worker, 8))?;
    /// assert_eq!((rest.values, rest.report.updates), (whole.values, 20));
    /// # Ok::<(), ServerError>(())
    /// ```
    ///
    /// # Errors
    /// If a rank has failed.
    ///
    /// # Panics
    /// As [`pull`](Worker::pull).
    #[track_caller]
    pub fn checkpoint(&mut self, params: &mut Params<T>) -> Result<State, ServerError> {
        self.check("checkpoint", params.len());
        let states = self.gather(params, true)?;
        Ok(joined(states))
    }

    #[track_caller]
    fn check(&self, operation: &str, parameters: usize) {
        let len = self.len;
        assert!(parameters == len, "{operation}: {parameters} parameters, but the servers have {len}");
    }

    fn gather(&mut self, params: &mut Params<T>, wanted: bool) -> Result<Vec<State>, ServerError> {
        match &self.servers {
            Servers::Alone(shard) => {
                params.values_mut().copy_from_slice(&shard.evaluation());
                Ok(if wanted { vec![shard.state()] } else { Vec::new() })
            }
            Servers::Ranks { communicator, parts } => {
                // The first server has the running statistics.
                let mut statistics = flat_buffers(params);
                for &(rank, _) in parts {
                    let (buffers, counts) = std::mem::take(&mut statistics);
                    let meet = Request::Meet { state: wanted, buffers, counts };
                    communicator.send(rank, REQUEST, &meet.write())?;
                }
                self.unanswered.fill(0);
                let mut states = Vec::new();
                let mut all = vec![T::ZERO; self.len];
                for (rank, part) in parts {
                    let Reply::Met { values, buffers, counts, state } = receive(*communicator, *rank)? else {
                        return Err(unexpected(*rank));
                    };
                    if values.len() != part.len() {
                        return Err(unexpected(*rank));
                    }
                    all[part.clone()].copy_from_slice(&values);
                    if !buffers.is_empty() || !counts.is_empty() {
                        set_flat_buffers(params, &buffers, &counts);
                    }
                    if wanted {
                        states.push(serde_json::from_str(&state).map_err(|_| unexpected(*rank))?);
                    }
                }
                params.values_mut().copy_from_slice(&all);
                Ok(states)
            }
        }
    }

    /// Tells the servers that this worker has ended, or why it failed.
    pub(super) fn end(&mut self, failure: Option<String>) -> Result<(), ServerError> {
        if let Servers::Ranks { communicator, parts } = &self.servers {
            let last = match failure {
                None => Request::<T>::Done { pushes: self.pushes },
                Some(reason) => Request::Failed { reason },
            };
            let last = last.write();
            for (rank, _) in parts {
                communicator.send(*rank, REQUEST, &last)?;
            }
        }
        Ok(())
    }
}

//! What workers and servers say to each other.

use std::ops::Range;

use wengert_tensor::Float;

use super::ServerError;
use crate::communicator::Communicator;
use crate::wire::{Reader, WireError, Writer};

/// Tag of what workers ask for.
pub(super) const REQUEST: u32 = 7001;
/// Tag of what servers answer.
pub(super) const REPLY: u32 = 7002;

/// What a worker says to a server. Ranges are those of the flat vector.
pub(super) enum Request<T> {
    /// Asks for parameters.
    Pull { range: Range<usize> },
    /// Brings a gradient, compressed, evaluated at parameters of this number of updates with so many examples.
    Push { range: Range<usize>, updates: u64, examples: u64, gradient: Vec<u8> },
    /// Waits for the others, with running statistics and counts, and perhaps for the state.
    Meet { state: bool, buffers: Vec<T>, counts: Vec<u64> },
    /// Has ended after so many pushes.
    Done { pushes: u64 },
    /// Has failed.
    Failed { reason: String },
}

/// What a server answers.
pub(super) enum Reply<T> {
    /// Parameters after this number of updates.
    Values { updates: u64, values: Vec<T> },
    /// All have met: the parameters to evaluate with, the means of the running statistics, the state where it was wanted.
    Met { values: Vec<T>, buffers: Vec<T>, counts: Vec<u64>, state: String },
    /// A rank has failed.
    Stop { rank: usize, reason: String },
}

const PULL: u8 = 0;
const PUSH: u8 = 1;
const MEET: u8 = 2;
const DONE: u8 = 3;
const FAILED: u8 = 4;
const VALUES: u8 = 5;
const MET: u8 = 6;
const STOP: u8 = 7;

impl<T: Float> Request<T> {
    pub(super) fn write(&self) -> Vec<u8> {
        let mut out = Writer::default();
        match self {
            Request::Pull { range } => write_range(out.byte(PULL), range),
            Request::Push { range, updates, examples, gradient } => {
                write_range(out.byte(PUSH), range);
                out.count(*updates).count(*examples).bytes(gradient);
            }
            Request::Meet { state, buffers, counts } => {
                write_floats(out.byte(MEET).byte(u8::from(*state)), buffers);
                write_counts(&mut out, counts);
            }
            Request::Done { pushes } => {
                out.byte(DONE).count(*pushes);
            }
            Request::Failed { reason } => {
                out.byte(FAILED).bytes(reason.as_bytes());
            }
        }
        out.finish()
    }

    pub(super) fn read(bytes: &[u8]) -> Result<Self, WireError> {
        let mut from = Reader::new(bytes);
        let request = match from.byte()? {
            PULL => Request::Pull { range: read_range(&mut from)? },
            PUSH => Request::Push {
                range: read_range(&mut from)?,
                updates: from.count()?,
                examples: from.count()?,
                gradient: from.bytes()?.to_vec(),
            },
            MEET => Request::Meet {
                state: from.byte()? != 0,
                buffers: read_floats(&mut from)?,
                counts: read_counts(&mut from)?,
            },
            DONE => Request::Done { pushes: from.count()? },
            FAILED => Request::Failed { reason: read_text(&mut from)? },
            other => return Err(WireError::new(format!("there is no request of number {other}"))),
        };
        from.end()?;
        Ok(request)
    }
}

impl<T: Float> Reply<T> {
    pub(super) fn write(&self) -> Vec<u8> {
        let mut out = Writer::default();
        match self {
            Reply::Values { updates, values } => write_floats(out.byte(VALUES).count(*updates), values),
            Reply::Met { values, buffers, counts, state } => {
                write_floats(out.byte(MET), values);
                write_floats(&mut out, buffers);
                write_counts(&mut out, counts);
                out.bytes(state.as_bytes());
            }
            Reply::Stop { rank, reason } => {
                out.byte(STOP).count(*rank as u64).bytes(reason.as_bytes());
            }
        }
        out.finish()
    }

    pub(super) fn read(bytes: &[u8]) -> Result<Self, WireError> {
        let mut from = Reader::new(bytes);
        let reply = match from.byte()? {
            VALUES => Reply::Values { updates: from.count()?, values: read_floats(&mut from)? },
            MET => Reply::Met {
                values: read_floats(&mut from)?,
                buffers: read_floats(&mut from)?,
                counts: read_counts(&mut from)?,
                state: read_text(&mut from)?,
            },
            STOP => Reply::Stop { rank: from.count()? as usize, reason: read_text(&mut from)? },
            other => return Err(WireError::new(format!("there is no reply of number {other}"))),
        };
        from.end()?;
        Ok(reply)
    }
}

fn write_range(out: &mut Writer, range: &Range<usize>) {
    out.count(range.start as u64).count(range.end as u64);
}

fn read_range(from: &mut Reader<'_>) -> Result<Range<usize>, WireError> {
    Ok(from.count()? as usize..from.count()? as usize)
}

fn write_floats<T: Float>(out: &mut Writer, values: &[T]) {
    out.count(values.len() as u64).floats(values);
}

/// Numbers whose length the message says; they are there, or nothing is allocated for them.
fn read_floats<T: Float>(from: &mut Reader<'_>) -> Result<Vec<T>, WireError> {
    let len = from.count()? as usize;
    if len > from.left() / size_of::<T>() {
        return Err(WireError::new(format!("{len} numbers in {} bytes", from.left())));
    }
    let mut values = vec![T::ZERO; len];
    from.floats(&mut values)?;
    Ok(values)
}

fn write_counts(out: &mut Writer, counts: &[u64]) {
    out.count(counts.len() as u64);
    for &count in counts {
        out.count(count);
    }
}

fn read_counts(from: &mut Reader<'_>) -> Result<Vec<u64>, WireError> {
    let len = from.count()? as usize;
    if len > from.left() / 8 {
        return Err(WireError::new(format!("{len} counts in {} bytes", from.left())));
    }
    (0..len).map(|_| from.count()).collect()
}

fn read_text(from: &mut Reader<'_>) -> Result<String, WireError> {
    String::from_utf8(from.bytes()?.to_vec()).map_err(|error| WireError::new(error.to_string()))
}

/// The answer of a server.
pub(super) fn receive<T: Float>(
    communicator: &dyn Communicator,
    from: usize,
) -> Result<Reply<T>, ServerError> {
    match Reply::read(&communicator.receive(Some(from), Some(REPLY))?.bytes)? {
        Reply::Stop { rank, reason } => Err(ServerError::Failed { rank, reason }),
        reply => Ok(reply),
    }
}

pub(super) fn unexpected(rank: usize) -> ServerError {
    ServerError::Failed { rank, reason: "it answered something else than it was asked for".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_that_end_early_or_are_none_are_errors() {
        let push: Request<f32> =
            Request::Push { range: 2..7, updates: 3, examples: 64, gradient: vec![1, 2, 3] };
        let meet = Request::Meet { state: true, buffers: vec![1.5f32], counts: vec![9] };
        for bytes in [push.write(), meet.write()] {
            assert!(Request::<f32>::read(&bytes).is_ok());
            for end in 0..bytes.len() {
                assert!(Request::<f32>::read(&bytes[..end]).is_err(), "{end} of {}", bytes.len());
            }
            assert!(Request::<f32>::read(&[&bytes[..], &[0]].concat()).is_err());
        }
        assert!(Request::<f64>::read(&meet.write()).is_err());
        // A length that no message has.
        let mut huge = vec![VALUES];
        huge.extend([0; 8]);
        huge.extend([0xff; 8]);
        assert!(Reply::<f32>::read(&huge).is_err());
        assert!(Reply::<f32>::read(&[200]).is_err());
    }
}

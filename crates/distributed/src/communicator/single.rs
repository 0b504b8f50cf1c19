//! A world of one rank.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use super::traffic::{check_envelope, check_lengths, check_rank, check_tag};
use super::{Buffer, Communicated, Communicator, CommunicatorError, Message, Pending, Reduction, Values};

/// The only rank of a program that was started without a launcher: collectives leave its numbers as they are, and it can send
/// messages to itself alone.
///
/// ```
/// use wengert_distributed::{Buffer, Communicator, Reduction, Single};
///
/// let mut gradient = [1.0f32, 2.0];
/// Single::new().all_reduce(Buffer::F32(&mut gradient), Reduction::Sum)?;
/// assert_eq!(gradient, [1.0, 2.0]);
/// # Ok::<(), wengert_distributed::CommunicatorError>(())
/// ```
#[derive(Debug, Default)]
pub struct Single {
    mail: RefCell<VecDeque<Message>>,
}

impl Single {
    /// A world of one.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Communicator for Single {
    fn rank(&self) -> usize {
        0
    }

    fn size(&self) -> usize {
        1
    }

    fn transport(&self) -> &'static str {
        "single"
    }

    fn barrier(&self) -> Communicated {
        Ok(())
    }

    fn broadcast(&self, _buffer: Buffer<'_>, root: usize) -> Communicated {
        check_rank("broadcast", root, 1)
    }

    fn all_reduce(&self, _buffer: Buffer<'_>, _reduction: Reduction) -> Communicated {
        Ok(())
    }

    fn start_all_reduce(&self, values: Values, _reduction: Reduction) -> Communicated<Box<dyn Pending>> {
        Ok(Box::new(Done(values)))
    }

    fn reduce_scatter(&self, buffer: Buffer<'_>, lengths: &[usize], _reduction: Reduction) -> Communicated {
        check_lengths("reduce_scatter", lengths, buffer.len(), 0, 1).map(drop)
    }

    fn all_gather(&self, buffer: Buffer<'_>, lengths: &[usize]) -> Communicated {
        check_lengths("all_gather", lengths, buffer.len(), 0, 1).map(drop)
    }

    fn send(&self, to: usize, tag: u32, bytes: &[u8]) -> Communicated {
        check_rank("send", to, 1)?;
        check_tag("send", tag)?;
        self.mail.borrow_mut().push_back(Message { from: 0, tag, bytes: bytes.to_vec() });
        Ok(())
    }

    fn receive(&self, from: Option<usize>, tag: Option<u32>) -> Communicated<Message> {
        check_envelope("receive", from, tag, 1)?;
        let reason = "the only rank waits for a message that it has not sent".to_owned();
        self.try_receive(from, tag)?.ok_or(CommunicatorError::Transport { operation: "receive", reason })
    }

    fn try_receive(&self, from: Option<usize>, tag: Option<u32>) -> Communicated<Option<Message>> {
        check_envelope("try_receive", from, tag, 1)?;
        Ok(take_message(&mut self.mail.borrow_mut(), from, tag))
    }

    fn exchange(&self, with: usize, out: Buffer<'_>, mut into: Buffer<'_>) -> Communicated {
        check_rank("exchange", with, 1)?;
        exchange_with_itself(&out, &mut into)
    }

    fn split(&self, _colour: u32) -> Communicated<Rc<dyn Communicator>> {
        Ok(Rc::new(Single::new()))
    }

    fn bytes_sent(&self) -> u64 {
        0
    }

    fn abort(&self, message: &str) -> ! {
        eprintln!("{message}");
        std::process::exit(1)
    }
}

/// A reduction that was at its end when it started.
pub(super) struct Done(pub(super) Values);

impl Pending for Done {
    fn progress(&mut self) -> Communicated<bool> {
        Ok(true)
    }

    fn finish(self: Box<Self>) -> Communicated<Values> {
        Ok(self.0)
    }
}

/// The first message from that rank and of that tag, if they are given.
pub(super) fn take_message(
    mail: &mut VecDeque<Message>,
    from: Option<usize>,
    tag: Option<u32>,
) -> Option<Message> {
    let fits = |message: &Message| {
        from.is_none_or(|from| message.from == from) && tag.is_none_or(|tag| message.tag == tag)
    };
    let place = mail.iter().position(fits)?;
    mail.remove(place)
}

/// Copies what a rank sends to itself.
pub(super) fn exchange_with_itself(out: &Buffer<'_>, into: &mut Buffer<'_>) -> Communicated {
    take_parcel(&out.to_values(), into)
}

/// Puts what another rank sent into the buffer, which is of the same kind and length.
pub(super) fn take_parcel(values: &Values, into: &mut Buffer<'_>) -> Communicated {
    let (sent, room) = (values.len(), into.len());
    if sent == room && into.copy_from(values, 0) {
        return Ok(());
    }
    let reason = format!(
        "{sent} elements of {} were sent, and there is room for {room} of {}",
        values.kind(),
        into.kind()
    );
    Err(CommunicatorError::Mismatch { operation: "exchange", reason })
}

//! What came of it.

use std::cmp::Ordering;

use wengert_distributed::communicator::Failure;
use wengert_distributed::{Buffer, Communicated, Communicator};

use super::arguments::Arguments;

/// What a rank, or a thread of one, computed, without evaluations.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Share {
    pub(crate) seconds: f64,
    pub(crate) examples: f64,
}

/// What one rank knows after a mode.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
    /// Seconds of training, without evaluations.
    pub(crate) seconds: f64,
    /// The images that it computed with; for methods on the whole loss once for each value, gradient and product.
    pub(crate) examples: f64,
    /// On the test set, of the model that all have in the end, where this is the first rank.
    pub(crate) accuracy: f64,
    /// The mean and the largest number of updates by others between pull and push, where there is such.
    pub(crate) staleness: Option<(f64, u64)>,
    /// The threads of the first rank, where they do the work.
    pub(crate) threads: Vec<Share>,
}

/// What all ranks together have found.
pub(crate) struct Found {
    shares: Vec<Share>,
    accuracy: f64,
    staleness: Option<(f64, u64)>,
    bytes: f64,
}

/// Puts the outcomes of all ranks together; `before` are the bytes that this one had sent before.
pub(crate) fn gather(communicator: &dyn Communicator, own: Outcome, before: u64) -> Communicated<Found> {
    const NUMBERS: usize = 3;
    let (rank, size) = (communicator.rank(), communicator.size());
    let bytes = communicator.bytes_sent() - before;
    let mut all = vec![0.0; NUMBERS * size];
    all[NUMBERS * rank..][..NUMBERS].copy_from_slice(&[own.seconds, own.examples, bytes as f64]);
    communicator.all_gather(Buffer::F64(&mut all), &vec![NUMBERS; size])?;
    let mut shares = own.threads;
    if shares.is_empty() {
        let share = |rank: &[f64]| Share { seconds: rank[0], examples: rank[1] };
        shares = all.chunks_exact(NUMBERS).map(share).collect();
    }
    let bytes = all.chunks_exact(NUMBERS).map(|rank| rank[2]).sum();
    Ok(Found { shares, accuracy: own.accuracy, staleness: own.staleness, bytes })
}

/// A line for each mode.
#[derive(Default)]
pub(crate) struct Table {
    lines: Vec<String>,
    /// The modes' names with what they reached, in per cent.
    reached: Vec<(String, f64)>,
}

impl Table {
    /// Prints what each rank did, and keeps the mode's line.
    pub(crate) fn add(&mut self, arguments: &Arguments, found: &Found) {
        let rates: Vec<String> =
            found.shares.iter().enumerate().map(|(rank, share)| rate(rank, *share)).collect();
        println!("{}", rates.join(", "));
        let seconds = found.shares.iter().map(|share| share.seconds).fold(0.0, f64::max);
        let examples: f64 = found.shares.iter().map(|share| share.examples).sum();
        let staleness =
            found.staleness.map_or("-".to_owned(), |(mean, largest)| format!("{mean:.2} / {largest}"));
        let (name, reached) = (arguments.mode.name(), 100.0 * found.accuracy);
        self.lines.push(format!(
            "{name:<13} {seconds:>8.1} {:>9.0} {:>8.2}% {staleness:>12} {:>9.1}",
            examples / seconds,
            reached,
            found.bytes / 1e6,
        ));
        self.reached.push((name, reached));
    }

    /// An error that names the modes that reached less, if there are any.
    pub(crate) fn check(&self, least: f64) -> Result<(), Failure> {
        let is_less = |reached: f64| reached.partial_cmp(&least).is_none_or(Ordering::is_lt);
        let short = self.reached.iter().filter(|(_, reached)| is_less(*reached));
        let short: Vec<_> = short.map(|(name, reached)| format!("{name} {reached:.2} %")).collect();
        if short.is_empty() {
            Ok(())
        } else {
            Err(format!("less than {least} %: {}", short.join(", ")).into())
        }
    }

    /// Prints all lines, if there are any.
    pub(crate) fn print(&self) {
        if !self.lines.is_empty() {
            println!(
                "\nmode           seconds  images/s  accuracy  staleness    MB sent\n{}",
                self.lines.join("\n")
            );
        }
    }
}

fn rate(rank: usize, share: Share) -> String {
    if share.examples == 0.0 {
        return format!("rank {rank} serves");
    }
    format!("rank {rank} {:.0} images/s", share.examples / share.seconds)
}

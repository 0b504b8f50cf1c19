//! What came of it.

use wengert_distributed::{Buffer, Communicated, Communicator};

use crate::arguments::Arguments;

/// What a rank did and found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures {
    pub(crate) seconds: f64,
    /// The images that it computed with; for methods on the whole loss once for each value, gradient and product.
    pub(crate) examples: f64,
    /// On the test set, of the model that all have in the end.
    pub(crate) accuracy: f64,
    /// The mean and the largest number of updates by others between pull and push, where there is such.
    pub(crate) staleness: Option<(f64, u64)>,
    pub(crate) bytes: u64,
}

/// Those of all ranks, in their order.
pub(crate) fn of_all(communicator: &dyn Communicator, own: Figures) -> Communicated<Vec<Figures>> {
    const NUMBERS: usize = 6;
    let (rank, size) = (communicator.rank(), communicator.size());
    let (mean, largest) = own.staleness.unwrap_or((f64::NAN, 0));
    let own = [own.seconds, own.examples, own.accuracy, mean, largest as f64, own.bytes as f64];
    let mut all = vec![0.0; NUMBERS * size];
    all[NUMBERS * rank..][..NUMBERS].copy_from_slice(&own);
    communicator.all_gather(Buffer::F64(&mut all), &vec![NUMBERS; size])?;
    let figures = |numbers: &[f64]| Figures {
        seconds: numbers[0],
        examples: numbers[1],
        accuracy: numbers[2],
        staleness: (!numbers[3].is_nan()).then_some((numbers[3], numbers[4] as u64)),
        bytes: numbers[5] as u64,
    };
    Ok(all.chunks_exact(NUMBERS).map(figures).collect())
}

/// A line for each rank.
pub(crate) fn print(arguments: &Arguments, ranks: &[Figures]) {
    println!("\n{:?} on {} ranks", arguments.mode, ranks.len());
    println!(
        "{:>4} {:>9} {:>12} {:>10} {:>16} {:>12}",
        "rank", "seconds", "images/s", "accuracy", "staleness", "MB sent"
    );
    for (rank, figures) in ranks.iter().enumerate() {
        let staleness =
            figures.staleness.map_or("-".to_owned(), |(mean, largest)| format!("{mean:.2} (≤ {largest})"));
        println!(
            "{rank:>4} {:>9.1} {:>12.0} {:>9.2}% {staleness:>16} {:>12.1}",
            figures.seconds,
            figures.examples / figures.seconds,
            100.0 * figures.accuracy,
            figures.bytes as f64 / 1e6,
        );
    }
    let total: f64 = ranks.iter().map(|figures| figures.examples / figures.seconds).sum();
    println!(" all {:>22.0}", total);
}

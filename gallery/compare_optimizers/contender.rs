//! An optimiser as it is named on the command line.

use std::str::FromStr;

/// `NAME[:RATE][@BATCH]`; `gd` is short for `gradient_descent`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Contender {
    pub name: String,
    /// The method's own without.
    pub rate: Option<f64>,
    pub batch: BatchSize,
}

/// How many digits make a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BatchSize {
    Usual,
    Of(usize),
    All,
}

impl BatchSize {
    /// The number, where `usual` and `all` are these.
    pub(crate) fn size(self, usual: usize, all: usize) -> usize {
        match self {
            BatchSize::Usual => usual,
            BatchSize::Of(size) => size,
            BatchSize::All => all,
        }
    }
}

impl FromStr for Contender {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (rest, batch) = match text.split_once('@') {
            None => (text, BatchSize::Usual),
            Some((rest, "all")) => (rest, BatchSize::All),
            Some((rest, size)) => match size.parse() {
                Ok(size @ 1..) => (rest, BatchSize::Of(size)),
                _ => return Err(format!("{size:?} is neither a number of digits above 0 nor \"all\"")),
            },
        };
        let (name, rate) = match rest.split_once(':') {
            None => (rest, None),
            Some((name, rate)) => match rate.parse() {
                Ok(rate) => (name, Some(rate)),
                Err(_) => return Err(format!("{rate:?} is no learning rate")),
            },
        };
        let name = if name == "gd" { "gradient_descent" } else { name };
        Ok(Contender { name: name.to_owned(), rate, batch })
    }
}

//! The digits to learn from.

use wengert::prelude::*;

use crate::arguments::Arguments;
use crate::curved::Curved;

/// Training digits of a quick run, and of one with curvature, which looks at each of them more often.
const QUICK: usize = 6000;
const QUICK_CURVATURE: usize = 1000;

/// The data that the command line asks for, normalised.
pub(crate) fn load(arguments: &Arguments) -> Result<ImageSet, DataError> {
    let mut data = match &arguments.data {
        Some(folder) => Mnist::from_folder(folder)?,
        None => Mnist::load()?,
    };
    if arguments.quick {
        let curved = Curved::named(&arguments.optimizer).is_some();
        data.train = data.train.take(if curved { QUICK_CURVATURE } else { QUICK })?;
    }
    Ok(data.normalised())
}

//! The digits to learn from.

use wengert::prelude::*;

use crate::arguments::Arguments;

/// Training digits of a quick run.
const QUICK: usize = 6000;

/// The data that the command line asks for, normalised.
pub(crate) fn load(arguments: &Arguments) -> Result<ImageSet, DataError> {
    let mut data = match &arguments.data {
        Some(folder) => Mnist::from_folder(folder)?,
        None => Mnist::load()?,
    };
    if arguments.quick {
        data.train = data.train.take(QUICK)?;
    }
    Ok(data.normalised())
}

//! What modes without a `Trainer` go on from: a state at the end of each epoch, written and read by the first rank.

use std::fs;
use std::path::PathBuf;

use wengert_distributed::communicator::Failure;
use wengert_distributed::{Buffer, Communicator};
use wengert_state::State;
use wengert_train::checkpoint;

use super::arguments::Arguments;

/// The file of a mode, if there is a folder.
fn file(arguments: &Arguments) -> Option<PathBuf> {
    arguments.checkpoints.as_ref().map(|folder| folder.join("newest.safetensors"))
}

/// Writes the state after so many epochs.
pub(crate) fn write(arguments: &Arguments, epochs: u64, state: State) -> Result<(), Failure> {
    let Some(file) = file(arguments) else { return Ok(()) };
    file.parent().map_or(Ok(()), fs::create_dir_all)?;
    Ok(checkpoint::write(&file, &state.with_count("epochs", epochs))?)
}

/// What was written last, and the epochs by then.
pub(crate) fn read(arguments: &Arguments) -> Result<Option<(u64, State)>, Failure> {
    match file(arguments) {
        Some(file) if file.exists() => {
            let mut state = checkpoint::read(&file)?;
            let epochs = state.count("epochs")?;
            state.scalars.remove("epochs");
            Ok(Some((epochs, state)))
        }
        _ => Ok(None),
    }
}

/// The same on all ranks, read by the first.
pub(crate) fn of_first(
    arguments: &Arguments,
    communicator: &dyn Communicator,
) -> Result<Option<(u64, State)>, Failure> {
    let mut bytes = Vec::new();
    if communicator.rank() == 0
        && let Some(found) = read(arguments)?
    {
        bytes = serde_json::to_vec(&found)?;
    }
    let mut length = [bytes.len() as u64];
    communicator.broadcast(Buffer::U64(&mut length), 0)?;
    bytes.resize(length[0] as usize, 0);
    communicator.broadcast(Buffer::U8(&mut bytes), 0)?;
    if bytes.is_empty() { Ok(None) } else { Ok(Some(serde_json::from_slice(&bytes)?)) }
}

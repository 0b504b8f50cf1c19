//! A small training that is saved and gone on with.

use std::fs;
use std::path::Path;
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use wengert_distributed::launch;
use wengert_distributed::{Buffer, Communicator, CommunicatorError, Failure, Reduction, tree};

use crate::jobs;

/// The vector of a shard, of which sums depend on their order.
pub(crate) fn vector(shard: usize, length: usize, step: usize) -> Result<Vec<f32>, CommunicatorError> {
    Ok((0..length)
        .map(|place| ((shard * 31 + place * 7 + step) as f32 * 0.37).sin() * 10f32.powi(shard as i32 % 9))
        .collect())
}

/// Steps of the small training below, and after how many it is saved.
const STEPS: usize = 300;
const SAVED: usize = 10;
const LENGTH: usize = 50;

/// A descent whose every step depends on all ranks, saved by rank 0 and gone on with after a restart.
pub(crate) fn train(ranks: &Rc<dyn Communicator>) -> Result<(), Failure> {
    let folder = jobs::folder()?;
    let at = |name: &str| folder.join(name);
    let attempt = launch::attempt();
    jobs::sign("process", ranks.rank())?;
    // Rank 0 reads what it saved, and says where it stands.
    let mut state = vec![0u64; LENGTH + 1];
    if ranks.rank() == 0 && attempt > 0 && at("saved").exists() {
        let saved = fs::read_to_string(at("saved"))?;
        for (number, text) in state.iter_mut().zip(saved.split_whitespace()) {
            *number = text.parse()?;
        }
    }
    ranks.broadcast(Buffer::U64(&mut state), 0)?;
    let mut point: Vec<f32> = state[1..].iter().map(|&bits| f32::from_bits(bits as u32)).collect();
    for step in state[0] as usize..STEPS {
        let gradient = tree::all_reduce(&**ranks, 8, LENGTH, |shard| vector(shard, LENGTH, step))?;
        point.iter_mut().zip(gradient).for_each(|(x, g)| *x = 0.99 * *x - 1e-4 * g);
        if ranks.rank() == 0 && (step + 1) % SAVED == 0 {
            let numbers = point.iter().map(|x| u64::from(x.to_bits()));
            let text: Vec<String> =
                [step as u64 + 1].into_iter().chain(numbers).map(|x| x.to_string()).collect();
            fs::write(at("saving"), text.join(" "))?;
            fs::rename(at("saving"), at("saved"))?;
        }
        thread::sleep(Duration::from_millis(1));
    }
    // Nobody is counted as trained before all are.
    let mut done = [1u64];
    ranks.all_reduce(Buffer::U64(&mut done), Reduction::Sum)?;
    Ok(())
}

/// The step that was saved last, by which a job that hangs is told from one that is slow.
pub(crate) fn saved(folder: &Path) -> Option<usize> {
    fs::read_to_string(folder.join("saved")).ok()?.split_whitespace().next()?.parse().ok()
}

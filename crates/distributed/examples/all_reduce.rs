//! The time of an all-reduce beside that of a plain call of MPI in the same run:
//!
//! `mpirun -n 2 target/release/examples/all_reduce`
//!
//! Both are called in turn, so that what else the machine does meets both. Times are medians of the slowest rank.

use std::time::Instant;

use mpi::collective::SystemOperation;
use mpi::topology::SimpleCommunicator;
use mpi::traits::CommunicatorCollectives;
use wengert_distributed::{Buffer, Communicated, Failure, Reduction, Values, launch, tree};

/// Parameters of a net of 784, 128 and 10 units, and of a large one.
const LENGTHS: [(usize, usize); 2] = [(101_770, 301), (10_000_000, 21)];

fn main() -> Result<(), Failure> {
    launch::run(|ranks| {
        if ranks.transport() != "mpi" {
            return Err("start this with mpirun, as two ranks or more".into());
        }
        // All ranks' slowest, in seconds.
        let time = |work: &mut dyn FnMut() -> Communicated| -> Communicated<f64> {
            ranks.barrier()?;
            let started = Instant::now();
            work()?;
            let mut seconds = [started.elapsed().as_secs_f64()];
            ranks.all_reduce(Buffer::F64(&mut seconds), Reduction::Max)?;
            Ok(seconds[0])
        };
        let world = SimpleCommunicator::world();
        for (length, runs) in LENGTHS {
            let values = vec![1.0f32; length];
            let (mut plain_result, mut ours) = (values.clone(), values.clone());
            let mut times: [Vec<f64>; 4] = Default::default();
            for _ in 0..runs {
                times[0].push(time(&mut || {
                    world.all_reduce_into(&values[..], &mut plain_result[..], SystemOperation::sum());
                    Ok(())
                })?);
                ours.copy_from_slice(&values);
                times[1].push(time(&mut || ranks.all_reduce(Buffer::F32(&mut ours), Reduction::Sum))?);
                let mut owned = Some(Values::F32(values.clone()));
                times[2].push(time(&mut || {
                    let values = owned.take().unwrap_or(Values::F32(Vec::new()));
                    ranks.start_all_reduce(values, Reduction::Sum)?.finish().map(drop)
                })?);
                // One shard for each rank: the tree's own communication.
                let mut shard = Some(values.clone());
                times[3].push(time(&mut || {
                    let shards = ranks.size();
                    tree::all_reduce(&*ranks, shards, length, |_| Ok(shard.take().unwrap_or_default()))
                        .map(drop)
                })?);
            }
            let [plain, ours, started, tree] = times.map(|mut times| {
                times.sort_by(f64::total_cmp);
                1e3 * times[times.len() / 2]
            });
            if ranks.rank() == 0 {
                println!(
                    "{length} f32 on {} ranks: plain {plain:.3} ms, all_reduce {ours:.3} ms ({:.2} times), \
                     start and finish {started:.3} ms ({:.2}), tree {tree:.3} ms ({:.2})",
                    ranks.size(),
                    ours / plain,
                    started / plain,
                    tree / plain
                );
            }
        }
        Ok(())
    })
}

//! Every first-order optimiser at ten million parameters, beside a triad a ← b + s·c of the same size measured in the
//! same run: an update that is one pass over memory takes its bytes over the triad's 12 per element.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use wengert::optim::{Layout, first};
use wengert::prelude::*;
use wengert::tensor::parallel::{CHUNK, for_each_chunk};

const PARAMETERS: usize = 10_000_000;
/// Methods that take products of matrices, which are another matter than a pass over memory.
const MATRICES: [&str; 2] = ["muon", "shampoo"];

fn normal(seed: u64) -> Tensor {
    Tensor::written([PARAMETERS], |out| Generator::seeded(seed).fill_normal(out, 0.0, 1.0))
}

fn slice(x: &Tensor) -> &[f32] {
    x.as_slice().expect("new tensors are contiguous")
}

fn optimizers(c: &mut Criterion) {
    let mut group = c.benchmark_group("optimizers_10m");
    group.sample_size(10).throughput(Throughput::Elements(PARAMETERS as u64));
    let (mut params, grads, other) = (normal(0), normal(1), normal(2));
    group.bench_function("triad", |b| {
        b.iter(|| {
            for_each_chunk(params.as_mut_slice(), CHUNK, true, |start, out| {
                let (b, c) = (&slice(&grads)[start..], &slice(&other)[start..]);
                for ((out, b), c) in out.iter_mut().zip(b).zip(c) {
                    *out = b + 0.5 * c;
                }
            });
            black_box(&params);
        });
    });
    drop(other);
    let layout = Layout::flat(PARAMETERS);
    for method in first::methods::<f32>() {
        if MATRICES.contains(&method.name) {
            continue;
        }
        let mut params = normal(0);
        let mut optimizer = method.build(method.learning_rate, &layout).expect("its own learning rate");
        let mut scratch = Tensor::zeros([PARAMETERS]);
        group.bench_function(method.name, |b| {
            b.iter(|| {
                if method.name == "sam" {
                    // It asks for gradients itself, twice.
                    optimizer.step_with(params.as_mut_slice(), scratch.as_mut_slice(), &mut |_, out| {
                        out.copy_from_slice(slice(&grads));
                        0.0
                    });
                } else {
                    optimizer.step(params.as_mut_slice(), slice(&grads));
                }
                black_box(&params);
            });
        });
    }
    group.finish();
}

criterion_group!(benches, optimizers);
criterion_main!(benches);

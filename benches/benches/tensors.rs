//! Elementwise loops, reductions and matrix products, in cache and in memory.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use wengert::prelude::*;

/// 64 KiB and 64 MiB of f32.
const SIZES: [usize; 2] = [1 << 14, 1 << 24];

type Formula = fn(&Tensor) -> Tensor;

const ELEMENTWISE: [(&str, Formula); 5] = [
    ("add", |x| x + x),
    ("relu", Tensor::relu),
    ("exp", Tensor::exp),
    ("tanh", Tensor::tanh),
    ("gelu", Tensor::gelu),
];

const REDUCTIONS: [(&str, Formula); 3] = [
    ("sum", Tensor::sum),
    ("sum_of_columns", |x| x.sum_axes(0, false)),
    ("sum_of_rows", |x| x.sum_axes(1, false)),
];

/// A matrix with 128 rows.
fn normal(count: usize) -> Tensor {
    Tensor::written([128, count / 128], |out| Generator::seeded(0).fill_normal(out, 0.0, 1.0))
}

fn formulas(c: &mut Criterion, name: &str, formulas: &[(&str, Formula)]) {
    let mut group = c.benchmark_group(name);
    for size in SIZES {
        let x = normal(size);
        group.throughput(Throughput::Elements(size as u64));
        for (name, formula) in formulas {
            group
                .bench_with_input(BenchmarkId::new(*name, size), &x, |b, x| b.iter(|| black_box(formula(x))));
        }
    }
    group.finish();
}

fn elementwise(c: &mut Criterion) {
    formulas(c, "elementwise", &ELEMENTWISE);
}

fn reductions(c: &mut Criterion) {
    formulas(c, "reductions", &REDUCTIONS);
}

fn products(c: &mut Criterion) {
    let mut group = c.benchmark_group("matmul");
    for n in [64, 256, 1024] {
        let (a, b) = (normal(n * n).reshape([n, n]), normal(n * n).reshape([n, n]));
        group.throughput(Throughput::Elements(2 * (n as u64).pow(3)));
        group.bench_function(n.to_string(), |bench| bench.iter(|| black_box(a.matmul(&b))));
    }
    group.finish();
}

criterion_group!(benches, elementwise, reductions, products);
criterion_main!(benches);

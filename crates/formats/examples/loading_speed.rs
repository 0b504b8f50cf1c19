//! How long a model of 1 GB takes to load beside reading the file: `cargo run --release -p wengert-formats --example loading_speed`.

use std::hint::black_box;
use std::io::Read;
use std::time::Instant;

use wengert_formats::load;
use wengert_nn::{Init, Loading, Params};

/// Elements of each of the parameters.
const SIDE: usize = 4096;
const RUNS: usize = 9;

fn model(count: usize) -> Params {
    let mut params: Params = Params::seeded(0);
    for i in 0..count {
        params.root().param(&format!("w{i}"), [SIDE, SIDE], Init::Zeros);
    }
    params
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("model.safetensors");
    let mut params = model(16);
    params.save(&path)?;
    let (mut whole, mut pieces, mut loaded) = (Vec::new(), Vec::new(), Vec::new());
    let mut piece = vec![0; 1 << 16];
    for _ in 0..RUNS {
        let start = Instant::now();
        drop(black_box(std::fs::read(&path)?));
        whole.push(start.elapsed().as_secs_f64());
        let start = Instant::now();
        let mut file = std::fs::File::open(&path)?;
        while black_box(file.read(&mut piece)?) > 0 {}
        pieces.push(start.elapsed().as_secs_f64());
        let start = Instant::now();
        load(&mut params, &path, &Loading::new())?;
        loaded.push(start.elapsed().as_secs_f64());
    }
    let median = |times: &mut Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    let (whole, pieces, loaded) = (median(&mut whole), median(&mut pieces), median(&mut loaded));
    println!("read into memory {whole:.3} s, in pieces {pieces:.3} s, loaded {loaded:.3} s");
    println!("loaded: {:.2} times reading it into memory", loaded / whole);
    Ok(())
}

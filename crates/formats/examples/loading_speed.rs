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

/// The median of the seconds that so many runs take.
fn median(
    mut run: impl FnMut() -> Result<(), Box<dyn std::error::Error>>,
) -> Result<f64, Box<dyn std::error::Error>> {
    let mut times = Vec::new();
    for _ in 0..RUNS {
        let start = Instant::now();
        run()?;
        times.push(start.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    Ok(times[RUNS / 2])
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("model.safetensors");
    let mut params = model(16);
    params.save(&path)?;
    // Each by itself, not in turn: memory that one gave back as small pages is not what the other is given as large ones, and a machine
    // that is a guest of another would have to ask for it anew each time.
    let whole = median(|| {
        drop(black_box(std::fs::read(&path)?));
        Ok(())
    })?;
    let mut piece = vec![0; 1 << 16];
    let pieces = median(|| {
        let mut file = std::fs::File::open(&path)?;
        while black_box(file.read(&mut piece)?) > 0 {}
        Ok(())
    })?;
    let loaded = median(|| {
        load(&mut params, &path, &Loading::new())?;
        Ok(())
    })?;
    println!("read into memory {whole:.3} s, in pieces {pieces:.3} s, loaded {loaded:.3} s");
    println!("loaded: {:.2} times reading it into memory", loaded / whole);
    Ok(())
}

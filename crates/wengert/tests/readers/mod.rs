//! The readers of data, weights and runs, for tests that change files and for the fuzzer.

use std::cell::RefCell;
use std::fmt::Write;

use wengert::data::csv::CsvReader;
use wengert::data::idx::{Idx, LIMIT};
use wengert::optim::first::Goal;
use wengert::optim::{Adam, Average, EarlyStopping};
use wengert::prelude::*;
use wengert::state::State;
use wengert::train::checkpoint::{self, CheckpointError};
use wengert::train::{Run, TrainError, Trainer};

use crate::attack::{Place, Reader};

/// IDX files of several types.
pub(crate) const IDX: Reader = Reader { name: "idx", files: || idx_files("idx"), factor: 2, read: read_idx };

/// The same compressed. Deflate makes up to 1032 bytes of one.
pub(crate) const GZIP: Reader = Reader {
    name: "gzip",
    files: || {
        let mut files = idx_files("gz");
        files.push([&files[0][..], &[0; 30]].concat());
        files
    },
    factor: 2 * 1032,
    read: read_idx,
};

fn idx_files(extension: &str) -> Vec<Vec<u8>> {
    let folder = Place::new(&format!("idx-{extension}"));
    std::fs::create_dir_all(&folder.0).unwrap();
    let path = folder.0.join(format!("array.{extension}"));
    let mut files = Vec::new();
    Idx::new((0..60).map(|i| i as u8).collect(), [3, 4, 5]).unwrap().write(&path).unwrap();
    files.push(std::fs::read(&path).unwrap());
    Idx::new(vec![0u8; 4000], [4000]).unwrap().write(&path).unwrap();
    files.push(std::fs::read(&path).unwrap());
    Idx::new((0..40).map(|i| f64::from(i).sqrt()).collect(), [40]).unwrap().write(&path).unwrap();
    files.push(std::fs::read(&path).unwrap());
    files
}

fn read_idx(bytes: &[u8]) -> bool {
    let read = Idx::<u8>::read_from(bytes, LIMIT).is_ok();
    read | Idx::<f64>::read_from(bytes, LIMIT).is_ok()
}

/// Tables as text. A number may have two bytes in the file and four here, twice while the table is made; a name a string.
pub(crate) const CSV: Reader = Reader {
    name: "csv",
    files: || {
        let mut table = String::from("a,\"b, too\",y\r\n");
        for i in 0..20 {
            writeln!(table, "{i}, \"-{i}.25e-3\" ,{}", i % 3).unwrap();
        }
        vec![table.into_bytes(), b"a,b,y\n1,2,0\n".to_vec(), b"0.5,1.5,2\n0.25,1e3,1".to_vec()]
    },
    factor: 40,
    read: |bytes| {
        let readers = [
            CsvReader::new().target("y"),
            CsvReader::new().header(false).target(-1),
            CsvReader::new(),
            CsvReader::new().target(1).delimiter(b';'),
        ];
        let mut read = false;
        for reader in &readers {
            if let Ok(table) = reader.read_from(bytes) {
                assert_eq!(table.names.len(), table.features.shape()[1]);
                read = true;
                let _ = table.clone().into_regression();
                let _ = table.into_classification(3);
            }
        }
        read
    },
};

/// Weights, for a model that wants some of them.
pub(crate) const SAFETENSORS: Reader = Reader {
    name: "safetensors",
    files: || {
        let batches = r#","norm.num_batches_tracked":{"dtype":"I64","shape":[],"data_offsets":[44,52]}}"#;
        let single = model::<f32>().to_safetensors().unwrap();
        let length = u64::from_le_bytes(single[..8].try_into().unwrap()) as usize;
        let header = String::from_utf8(single[8..8 + length].to_vec()).unwrap();
        let header = header.trim_end().strip_suffix('}').unwrap().to_owned() + batches;
        let mut with_integers = (header.len() as u64).to_le_bytes().to_vec();
        with_integers.extend(header.bytes());
        with_integers.extend(&single[8 + length..]);
        with_integers.extend([0; 8]);
        vec![single, model::<f64>().to_safetensors().unwrap(), with_integers]
    },
    factor: 2,
    read: |bytes| {
        thread_local!(static MODEL: RefCell<(Params<f32>, Vec<f32>)> = {
            let params = model::<f32>();
            let values = params.values().to_vec();
            RefCell::new((params, values))
        });
        MODEL.with_borrow_mut(|(params, before)| {
            // Beside the file, an error has names of the model's.
            let read = params.load_safetensors(bytes);
            match &read {
                Err(error) => {
                    is_short(error);
                    // By bits, as a changed file may have had NaN.
                    let unchanged =
                        params.values().iter().zip(&*before).all(|(a, b)| a.to_bits() == b.to_bits());
                    assert!(unchanged, "what is refused changes nothing");
                }
                Ok(()) => before.copy_from_slice(params.values()),
            }
            read.is_ok()
        })
    },
};

pub(crate) fn model<T: Float>() -> Params<T> {
    let mut params: Params<T> = Params::seeded(0);
    Linear::new(params.at("hidden"), 3, 2);
    params.root().param("scalar", [0usize; 0], Init::Ones);
    params.at("norm").buffer("running_mean", Tensor::zeros([2]));
    params
}

fn is_short(error: &impl std::fmt::Display) {
    let message = error.to_string();
    assert!(message.len() < 900 && !message.contains('\n'), "{message}");
}

/// Checkpoints, with the checksums of what they have become: a state of any kind.
pub(crate) const CHECKPOINT: Reader = Reader {
    name: "checkpoint",
    files: || {
        [run_state(model::<f32>().state()), run_state(model::<f64>().state())]
            .map(|state| written(&state))
            .into()
    },
    factor: 3,
    read: |bytes| {
        thread_local!(static FILE: Place = Place::new("checkpoint"));
        FILE.with(|file| read_sealed(file, bytes).is_ok())
    },
};

/// A state with all that there is in one.
fn run_state(params: State) -> State {
    let adam = Adam::<f32>::new(0.1).state();
    State::new("run", 0)
        .with_child("params", params)
        .with_child("optimizer", adam)
        .with_count("step", 7)
        .with_real("loss", f64::NAN)
        .with_vector("average", &[0.5f64; 40])
}

fn written(state: &State) -> Vec<u8> {
    let file = Place::new("written");
    checkpoint::write(&file.0, state).unwrap();
    std::fs::read(&file.0).unwrap()
}

/// Reads a checkpoint; one with a checksum that is not its own again, with the right one, so that nothing is refused for that alone.
pub(crate) fn read_sealed(place: &Place, bytes: &[u8]) -> Result<State, CheckpointError> {
    std::fs::write(&place.0, bytes).unwrap();
    let read = match checkpoint::read(&place.0) {
        Err(CheckpointError::Damaged { expected, found, .. }) if expected.len() == found.len() => {
            let at = bytes.windows(expected.len()).position(|window| window == expected.as_bytes()).unwrap();
            let mut bytes = bytes.to_vec();
            bytes[at..at + found.len()].copy_from_slice(found.as_bytes());
            std::fs::write(&place.0, bytes).unwrap();
            checkpoint::read(&place.0)
        }
        read => read,
    };
    if let Err(error) = &read {
        is_short(error);
    }
    read
}

/// The checkpoints of runs, from which a run goes on: with early stopping, an average, plateaus, a generator and a place in the data.
pub(crate) const RESUME: Reader = Reader {
    name: "resume",
    files: || vec![written(&going_on(None, 3).unwrap()), written(&going_on(None, 5).unwrap())],
    // Model, optimiser, average and what was best are there beside the file.
    factor: 8,
    read: |bytes| {
        thread_local!(static FILE: Place = Place::new("resume"));
        let Ok(state) = FILE.with(|file| read_sealed(file, bytes)) else { return false };
        let gone_on = going_on(Some(state), 1);
        if let Err(error) = &gone_on {
            assert!(error.to_string().len() < 3000, "{error}");
        }
        gone_on.is_ok()
    },
};

/// Images in PNG and JPEG. Of one byte deflate makes up to 1032, and these, in a palette of two colours, eight pixels of three colours
/// each; further copies are the pixels in grey, in colours, and as numbers.
#[cfg(feature = "image")]
pub(crate) const IMAGE: Reader = Reader {
    name: "image",
    files: || {
        macro_rules! images {
            ($($name:literal),*) => { vec![$(include_bytes!(concat!("../golden/", $name)).to_vec()),*] };
        }
        images!["grey.png", "palette.png", "sixteen.png", "colours.jpg", "progressive.jpg"]
    },
    factor: 1032 * 24 * 8,
    read: |bytes| {
        use wengert::data::images::ImageReader;
        thread_local!(static FILE: Place = Place::new("image"));
        FILE.with(|file| {
            std::fs::write(&file.0, bytes).unwrap();
            let read = [ImageReader::grey(), ImageReader::rgb().resized([4, 3])].map(|reader| {
                let read = reader.read::<f32>(&file.0);
                if let Err(error) = &read {
                    is_short(error);
                }
                read.is_ok()
            });
            read.contains(&true)
        })
    },
};

/// All of them.
#[allow(dead_code, reason = "a test has each by itself, the fuzzer all")]
pub(crate) const ALL: &[Reader] = &[
    IDX,
    GZIP,
    CSV,
    SAFETENSORS,
    CHECKPOINT,
    RESUME,
    #[cfg(feature = "image")]
    IMAGE,
];

/// A run that goes on from a state for so many steps.
fn going_on(from: Option<State>, steps: usize) -> Result<State, TrainError> {
    let features: Vec<f32> = (0..20).map(|i| i as f32 / 20.0).collect();
    let features = Tensor::from_vec(features, [10, 2]).unwrap();
    let data = Dataset::new((features, Tensor::from([0.0f32; 10]))).unwrap();
    let mut params: Params = Params::seeded(0);
    let layer = Linear::new(params.root(), 2, 1);
    let trainer = Trainer::new(&mut params, Adam::new(0.1))
        .records("validation.loss", Goal::Min)
        .early_stopping("validation.loss", EarlyStopping::new(3, 0.0))
        .average(Average::Uniform);
    let trainer = match from {
        Some(state) => trainer.from_state(state),
        None => trainer,
    };
    let mut run: Run<'_> = trainer.start()?;
    let mut left = steps;
    for epoch in run.epochs(4)? {
        for (x, _) in epoch.batches(data.batches(4).shuffled(1))? {
            if left == 0 {
                return Ok(run.state());
            }
            run.step(|cx| layer.forward(cx, &x).square().mean())?;
            left -= 1;
        }
        run.record("validation", &[("loss".to_owned(), 1.0)])?;
    }
    Ok(run.state())
}

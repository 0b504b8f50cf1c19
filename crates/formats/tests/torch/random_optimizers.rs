//! Random optimisers of PyTorch as `golden/optimizers.py` makes them, which are not part of this repository: `WENGERT_TORCH_OPTIMIZERS`
//! names their folder. Runs go on from them here, and for `continued.py` from here there.

use std::path::{Path, PathBuf};

use wengert_formats::torch::{Checkpoint, File, OptimizerState};
use wengert_nn::Loading;
use wengert_nn::tensor_file::read_tensor;
use wengert_optim::Optimizer;
use wengert_optim::first::{
    AdaMaxConfig, AdadeltaConfig, AdagradConfig, AdamConfig, AdamWConfig, AmsgradConfig, NadamConfig,
    NesterovConfig, RAdamConfig, RmspropConfig, SgdConfig,
};
use wengert_state::Scalar;
use wengert_tensor::{Float, Tensor};

use super::optimizers::{model, of, row};

/// The optimiser of these settings.
fn made<T: Float>(kind: &str, state: &OptimizerState) -> Box<dyn Optimizer<T>> {
    let real = |name| state.setting(name).and_then(|value| value.float()).expect(name);
    let flag = |name| matches!(state.setting(name), Some(wengert_formats::torch::Value::Bool(true)));
    let beta = |i| {
        let betas = state.setting("betas").and_then(|betas| betas.items()).expect("a pair");
        betas.iter().nth(i).and_then(|beta| beta.float()).expect("a number")
    };
    let weight_decay = real("weight_decay");
    // What one has and another does not is not asked for.
    match kind {
        "adam" => of(AdamConfig {
            beta1: beta(0),
            beta2: beta(1),
            epsilon: real("eps"),
            weight_decay,
            ..Default::default()
        }),
        "adamw" => of(AdamWConfig {
            beta1: beta(0),
            beta2: beta(1),
            epsilon: real("eps"),
            weight_decay,
            ..Default::default()
        }),
        "amsgrad" => of(AmsgradConfig {
            beta1: beta(0),
            beta2: beta(1),
            epsilon: real("eps"),
            weight_decay,
            ..Default::default()
        }),
        "sgd" => of(SgdConfig {
            momentum: real("momentum"),
            dampening: real("dampening"),
            nesterov: flag("nesterov"),
            weight_decay,
        }),
        "nesterov" => of(NesterovConfig { momentum: real("momentum"), weight_decay, ..Default::default() }),
        "rmsprop" => of(RmspropConfig {
            decay: real("alpha"),
            epsilon: real("eps"),
            momentum: real("momentum"),
            centered: flag("centered"),
            weight_decay,
            ..Default::default()
        }),
        "adagrad" => of(AdagradConfig {
            epsilon: real("eps"),
            initial_accumulator: real("initial_accumulator_value"),
            rate_decay: real("lr_decay"),
            weight_decay,
            ..Default::default()
        }),
        "adadelta" => of(AdadeltaConfig { rho: real("rho"), epsilon: real("eps"), weight_decay }),
        "adamax" => of(AdaMaxConfig {
            beta1: beta(0),
            beta2: beta(1),
            epsilon: real("eps"),
            weight_decay,
            ..Default::default()
        }),
        "nadam" => of(NadamConfig {
            beta1: beta(0),
            beta2: beta(1),
            epsilon: real("eps"),
            momentum_decay: real("momentum_decay"),
            weight_decay,
            decoupled: flag("decoupled_weight_decay"),
            ..Default::default()
        }),
        "radam" => of(RAdamConfig {
            beta1: beta(0),
            beta2: beta(1),
            epsilon: real("eps"),
            weight_decay,
            decoupled: flag("decoupled_weight_decay"),
            ..Default::default()
        }),
        other => panic!("there is no {other}"),
    }
}

/// Goes on from a file to where PyTorch came, and writes one half of the way for PyTorch.
fn check<T: Float>(path: &Path, kind: &str, limit: f64) -> Result<(), String> {
    let open = || File::open(path).map_err(|error| error.to_string());
    let mut params = model::<T>();
    params
        .load_from(&mut open()?.state_dict().map_err(|e| e.to_string())?, &Loading::new())
        .map_err(|error| error.to_string())?;
    let mut state = open()?.optimizer_state().map_err(|error| error.to_string())?;
    let mut optimizer = made::<T>(kind, &state);
    let state = state.state(optimizer.name(), &params).map_err(|error| error.to_string())?;
    optimizer.load_state(&state).map_err(|error| error.to_string())?;
    let mut beside = open()?.state_dict_at(&[]).map_err(|error| error.to_string())?;
    let mut tensor = |name| read_tensor(&mut beside, name).map_err(|error| error.to_string());
    let (gradients, after): (Tensor<T>, Tensor<T>) = (tensor("gradients")?, tensor("after")?);
    let count = gradients.shape()[0];
    let mut half = None;
    for i in 0..count {
        if i == count / 2 {
            half = Some((params.clone(), optimizer.state(), optimizer.settings()));
        }
        optimizer.step(&mut params.values_mut(), &row(&gradients, i));
    }
    for (here, there) in params.values().iter().zip(after.to_vec()) {
        let error = (here.to_f64() - there.to_f64()).abs();
        if error.is_nan() || error > limit * there.to_f64().abs().max(1.0) {
            return Err(format!("{kind}: {here} and {there}"));
        }
    }
    let (params, state, settings) = half.expect("there is one gradient at least");
    let written = Checkpoint::new(&params)
        .optimizer(&state, &settings)
        .with("steps", Scalar::Count((count / 2) as u64));
    written.save(path.with_extension("back")).map_err(|error| error.to_string())
}

#[test]
fn random_runs_go_on_from_where_those_of_pytorch_were() {
    let Some(folder) = std::env::var_os("WENGERT_TORCH_OPTIMIZERS").map(PathBuf::from) else {
        eprintln!("SKIPPED: WENGERT_TORCH_OPTIMIZERS names no folder with what golden/optimizers.py makes");
        return;
    };
    let (mut count, mut failures) = (0, Vec::new());
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|kind| kind != "pt") {
            continue;
        }
        count += 1;
        let file = File::open(&path).unwrap();
        let kind = file.root().get("method").and_then(|kind| kind.text()).unwrap().to_owned();
        let single = file.root().get("after").and_then(|after| after.tensor()).unwrap().dtype() == "F32";
        let checked =
            if single { check::<f32>(&path, &kind, 1e-5) } else { check::<f64>(&path, &kind, 1e-11) };
        if let Err(problem) = checked {
            failures.push(format!("{}: {problem}", path.display()));
        }
    }
    eprintln!("{count} files, {} fail", failures.len());
    assert!(failures.is_empty() && count > 0, "{} of {count} fail:\n{}", failures.len(), failures.join("\n"));
}

//! Optimisers go on here from where PyTorch's were, and the other way round.

use wengert_formats::torch::{Checkpoint, File, OptimizerError, OptimizerProblem};
use wengert_nn::tensor_file::read_tensor;
use wengert_nn::{FileError, Init, Loading, Params};
use wengert_optim::first::{
    AdaMaxConfig, AdadeltaConfig, AdagradConfig, AdamConfig, AdamWConfig, AmsgradConfig, FirstOrder,
    NadamConfig, NesterovConfig, RAdamConfig, RmspropConfig, Rule, SgdConfig,
};
use wengert_optim::{Layout, Optimizer};
use wengert_state::{Scalar, State};
use wengert_tensor::{Float, Tensor};

use super::support::path;

/// Of another learning rate than that of the files, which takes its place.
pub(crate) fn of<R: Rule + 'static, T: Float>(rule: R) -> Box<dyn Optimizer<T>> {
    Box::new(FirstOrder::with_layout(1.0, rule, &Layout::flat(10)).unwrap())
}

/// All cases of `golden/optimizers.py` of this type.
fn cases<T: Float>() -> Vec<(&'static str, Box<dyn Optimizer<T>>)> {
    if T::NAME == "f32" {
        let momentum = SgdConfig { momentum: 0.9, ..Default::default() };
        return vec![
            ("adam_f32", of(AdamConfig::default())),
            ("sgd_f32", of(momentum)),
            ("rmsprop_f32", of(RmspropConfig::default())),
        ];
    }
    vec![
        ("adam", of(AdamConfig { weight_decay: 0.1, epsilon: 1e-3, ..Default::default() })),
        ("adamw", of(AdamWConfig { beta1: 0.8, beta2: 0.9, ..Default::default() })),
        ("amsgrad", of(AmsgradConfig { beta2: 0.5, ..Default::default() })),
        ("sgd", of(SgdConfig { momentum: 0.9, dampening: 0.5, nesterov: false, weight_decay: 0.1 })),
        ("sgd_plain", of(SgdConfig::default())),
        ("nesterov", of(NesterovConfig::default())),
        ("rmsprop", of(RmspropConfig { decay: 0.8, ..Default::default() })),
        (
            "rmsprop_all",
            of(RmspropConfig { decay: 0.9, centered: true, momentum: 0.7, ..Default::default() }),
        ),
        ("adagrad", of(AdagradConfig { rate_decay: 0.1, initial_accumulator: 0.5, ..Default::default() })),
        ("adadelta", of(AdadeltaConfig::default())),
        ("adamax", of(AdaMaxConfig { beta2: 0.8, ..Default::default() })),
        ("nadam", of(NadamConfig::default())),
        ("radam", of(RAdamConfig { beta2: 0.7, ..Default::default() })),
    ]
}

pub(crate) fn model<T: Float>() -> Params<T> {
    let mut params: Params<T> = Params::seeded(0);
    params.root().param("w", [3, 2], Init::Zeros);
    params.root().param("b", [4], Init::Zeros);
    params
}

fn file(case: &str) -> File {
    File::open(path(&format!("optimizer_{case}.pt"))).unwrap_or_else(|error| panic!("{error}"))
}

/// The model and the optimiser where PyTorch's run was, the next gradients, and where it came with them.
fn read<T: Float>(case: &str, optimizer: &mut dyn Optimizer<T>) -> (Params<T>, Tensor<T>, Tensor<T>) {
    let mut params = model();
    params.load_from(&mut file(case).state_dict().unwrap(), &Loading::new()).unwrap();
    let mut state = file(case).optimizer_state().unwrap();
    let state = state.state(optimizer.name(), &params).unwrap_or_else(|error| panic!("{case}: {error}"));
    optimizer.load_state(&state).unwrap_or_else(|error| panic!("{case}: {error}"));
    let mut beside = file(case).state_dict_at(&[]).unwrap();
    let mut tensor = |name| read_tensor(&mut beside, name).unwrap();
    (params, tensor("gradients"), tensor("after"))
}

pub(crate) fn row<T: Float>(gradients: &Tensor<T>, i: usize) -> Vec<T> {
    gradients.to_vec()[10 * i..10 * i + 10].to_vec()
}

fn check_going_on<T: Float>(limit: f64) {
    for (case, mut optimizer) in cases::<T>() {
        let (mut params, gradients, after) = read::<T>(case, &mut *optimizer);
        for i in 0..5 {
            optimizer.step(&mut params.values_mut(), &row(&gradients, i));
        }
        for (here, there) in params.values().iter().zip(after.to_vec()) {
            let error = (here.to_f64() - there.to_f64()).abs();
            assert!(error <= limit * there.to_f64().abs().max(1.0), "{case}: {here} and {there}");
        }
    }
}

#[test]
fn a_run_goes_on_from_where_that_of_pytorch_was() {
    check_going_on::<f64>(1e-12);
    check_going_on::<f32>(1e-6);
}

fn check_written<T: Float>() {
    for (case, mut optimizer) in cases::<T>() {
        let (mut params, gradients, _) = read::<T>(case, &mut *optimizer);
        let mut steps = |order: [usize; 5]| {
            for i in order {
                optimizer.step(&mut params.values_mut(), &row(&gradients, i));
            }
            (params.clone(), optimizer.state())
        };
        let (now, state) = steps([0, 1, 2, 3, 4]);
        let (after, _) = steps([4, 3, 2, 1, 0]);
        let after: Vec<String> = after.values().iter().map(|x| x.to_string()).collect();
        let settings = optimizer.settings();
        let written = Checkpoint::new(&now)
            .optimizer(&state, &settings)
            .with("after", Scalar::Text(after.join(" ")))
            .with("epoch", Scalar::Count(3));
        let bytes = written.to_bytes().unwrap_or_else(|error| panic!("{case}: {error}"));
        if std::env::var_os("WENGERT_WRITE_GOLDEN").is_some() {
            std::fs::write(path(&format!("written_{case}.pt")), &bytes).unwrap();
        }
        // It is what was kept, to the rounding of the roots.
        let mut again = File::from_bytes(bytes).unwrap().optimizer_state().unwrap();
        let back = again.state(optimizer.name(), &now).unwrap();
        let of = |state: &State| (state.kind.clone(), state.len, state.scalars.clone());
        if state.vectors.is_empty() {
            assert_eq!(back.learning_rate().unwrap(), state.learning_rate().unwrap());
        } else if optimizer.name() == "sgd" || optimizer.name() == "nesterov" {
            assert_eq!((back.count("step").unwrap(), back.vectors.len()), (1, 1), "{case}");
        } else {
            assert_eq!(of(&back), of(&state), "{case}");
        }
        for (name, values) in &back.vectors {
            let (found, kept) = (values.to_vec::<T>().unwrap(), state.vector::<T>(name, 10).unwrap());
            for (x, y) in found.iter().zip(&kept) {
                let error = (x.to_f64() - y.to_f64()).abs();
                assert!(error <= 4.0 * T::EPSILON.to_f64() * y.to_f64().abs(), "{case}, {name}: {x} and {y}");
            }
        }
    }
}

#[test]
fn what_is_written_is_what_was_kept() {
    check_written::<f64>();
    check_written::<f32>();
}

/// The files that `continued.py` gave to PyTorch, which went on from them to where a run here comes.
#[test]
fn pytorch_was_shown_to_go_on_from_what_is_written() {
    let mut adam = of::<_, f64>(AdamConfig { weight_decay: 0.1, epsilon: 1e-3, ..Default::default() });
    let golden = File::open(path("written_adam.pt")).unwrap();
    let after = golden.root().get("after").and_then(|after| after.text()).unwrap().to_owned();
    let (_, gradients, _) = read::<f64>("adam", &mut *adam);
    let mut params = model::<f64>();
    params.load_from(&mut golden.state_dict().unwrap(), &Loading::new()).unwrap();
    let mut state = File::open(path("written_adam.pt")).unwrap().optimizer_state().unwrap();
    adam.load_state(&state.state("adam", &params).unwrap()).unwrap();
    for i in (0..5).rev() {
        adam.step(&mut params.values_mut(), &row(&gradients, i));
    }
    for (here, there) in params.values().iter().zip(after.split(' ')) {
        assert!((here - there.parse::<f64>().unwrap()).abs() < 1e-12, "{here} and {there}");
    }
}

fn problem(error: OptimizerError) -> OptimizerProblem {
    match error {
        OptimizerError::State { problem, path } => {
            assert!(path.is_some());
            problem
        }
        other => panic!("{other}"),
    }
}

#[test]
fn what_is_not_of_the_model_or_of_the_method_is_told() {
    let of = |case: &str, kind: &str, params: &Params<f64>| {
        file(case).optimizer_state().unwrap().state(kind, params).unwrap_err()
    };
    let params = model::<f64>();
    let missing = of("adam", "amsgrad", &params);
    assert!(matches!(missing, OptimizerError::Tensors(FileError::Missing { .. })), "{missing}");
    assert!(missing.to_string().contains("w.max_exp_avg_sq"), "{missing}");
    let more = of("amsgrad", "adam", &params);
    assert!(matches!(more, OptimizerError::Tensors(FileError::Unexpected { .. })), "{more}");
    assert!(more.to_string().contains("state.0.max_exp_avg_sq"), "{more}");
    let other = of("adam", "sgd", &params);
    assert!(matches!(other, OptimizerError::Tensors(FileError::Missing { .. })), "{other}");
    assert!(
        matches!(problem(of("adam", "lion", &params)), OptimizerProblem::Method { kind } if kind == "lion")
    );

    let mut short: Params<f64> = Params::seeded(0);
    short.root().param("w", [3, 2], Init::Zeros);
    let found = problem(of("adam", "adam", &short));
    assert_eq!(found, OptimizerProblem::Parameters { file: 2, model: 1 });
    // By the names in the file, which are not in the model.
    let mut renamed: Params<f64> = Params::seeded(0);
    renamed.root().param("w", [3, 2], Init::Zeros);
    renamed.root().param("bias", [4], Init::Zeros);
    let found = problem(of("adamw", "adamw", &renamed));
    assert_eq!(found, OptimizerProblem::Unknown { name: "b".into() });
    let mut state = file("adamw").optimizer_state().unwrap();
    assert_eq!(state.names().unwrap(), ["w", "b"]);
    assert!(state.state_of("adamw", &renamed, &["w", "bias"]).is_ok());
    assert!(state.state_of("adamw", &renamed, &["w", "w"]).is_err());

    let mut turned: Params<f64> = Params::seeded(0);
    turned.root().param("b", [4], Init::Zeros);
    turned.root().param("w", [3, 2], Init::Zeros);
    let shape = of("adam", "adam", &turned);
    assert!(matches!(shape, OptimizerError::Tensors(FileError::Shape { .. })), "{shape}");
    // Names put it right, whatever the order.
    let known = file("adamw").optimizer_state().unwrap().state("adamw", &turned).unwrap();
    let other = file("adamw").optimizer_state().unwrap().state("adamw", &params).unwrap();
    let (known, other) = (known.vector::<f64>("m", 10).unwrap(), other.vector::<f64>("m", 10).unwrap());
    assert_eq!((&known[..4], &known[4..]), (&other[6..], &other[..6]));

    let none = File::open(path("lenet.pt")).unwrap().optimizer_state().unwrap_err();
    assert!(matches!(problem(none), OptimizerProblem::None { .. }));
    let error = file("adam").optimizer_state_at(&["scheduler"]).unwrap_err();
    assert!(matches!(error, OptimizerError::File(_)), "{error}");
    // Found among all else that a checkpoint has.
    let found = File::open(path("checkpoint.pt")).unwrap().optimizer_state().unwrap();
    assert_eq!(found.setting("lr").and_then(|rate| rate.float()), Some(0.01));
    assert_eq!(found.setting("betas").unwrap().items().unwrap().len(), 2);
}

#[test]
fn states_that_no_single_optimiser_has_are_told() {
    let read = |case: &str| File::open(path(&format!("optimizers_{case}.pt"))).unwrap().optimizer_state();
    let params = model::<f64>();
    let of = |case: &str| problem(read(case).unwrap().state("adam", &params).unwrap_err());
    assert_eq!(of("steps"), OptimizerProblem::Steps { name: "b".into(), found: 2, expected: 3 });
    assert_eq!(of("rates"), OptimizerProblem::Rates { rates: [0.01, 0.1] });
    assert!(matches!(of("negative"), OptimizerProblem::Value { name, .. } if name == "exp_avg_sq"));
    let several = problem(read("several").unwrap_err());
    assert_eq!(several, OptimizerProblem::Several { keys: vec!["generator".into(), "critic".into()] });
    // One that was never stepped has nothing, and begins so.
    let state = read("frozen").unwrap().state("adam", &params).unwrap();
    assert_eq!((state.count("step").unwrap(), state.learning_rate().unwrap()), (3, 0.01));
    let mean = state.vector::<f64>("m", 10).unwrap();
    assert!(mean[..6].iter().all(|&m| m != 0.0) && mean[6..] == [0.0; 4]);
}

#[test]
fn settings_that_pytorch_does_not_have_are_told() {
    let params = model::<f64>();
    let written = |optimizer: &dyn Optimizer<f64>| {
        Checkpoint::new(&params).optimizer(&optimizer.state(), &optimizer.settings()).to_bytes()
    };
    let inside = of::<_, f64>(AdamConfig { epsilon_root: 1e-8, ..Default::default() });
    let error = written(&*inside).unwrap_err();
    assert!(error.to_string().contains("PyTorch's adam has no epsilon_root of"), "{error}");
    let optax = of::<_, f64>(RmspropConfig::of(wengert_optim::first::Convention::Optax));
    let error = written(&*optax).unwrap_err();
    assert!(error.to_string().contains("PyTorch's rmsprop has no convention of optax"), "{error}");
    // Before the first step there is a group and no state, but for Adagrad's sums.
    let fresh = File::from_bytes(written(&*of::<_, f64>(AdamConfig::default())).unwrap()).unwrap();
    let optimizer = fresh.root().get("optimizer").unwrap();
    assert!(optimizer.get("state").unwrap().dict().unwrap().is_empty());
    let sums = of::<_, f64>(AdagradConfig { initial_accumulator: 0.5, ..Default::default() });
    let fresh = File::from_bytes(written(&*sums).unwrap()).unwrap();
    let state = fresh.root().get("optimizer").unwrap().get("state").unwrap().dict().unwrap();
    let (_, first) = state.iter().next().unwrap();
    assert_eq!(first.get("sum").unwrap().tensor().unwrap().bytes().unwrap()[..8], 0.5f64.to_le_bytes());
    // Vectors of other lengths, keys that are there twice.
    let state = State::new("momentum", 3).with_count("step", 1).with_real("learning_rate", 0.1);
    let state = state.with_vector("momentum", &[0.0f64; 3]);
    let momentum = of::<_, f64>(wengert_optim::first::MomentumConfig::default());
    let settings = momentum.settings();
    assert!(Checkpoint::new(&params).optimizer(&state, &settings).to_bytes().is_err());
    assert!(Checkpoint::new(&params).with("model", Scalar::None).to_bytes().is_err());
}

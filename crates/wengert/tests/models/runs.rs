//! One text holds a run, wherever it is stopped: parameters, buffers, optimiser, schedule, averages, early stopping, generators
//! and the place in the data, or a closure method; and what goes on from it has the bits of what was never stopped.

use std::ops::ControlFlow;

use wengert::data::Position;
use wengert::nn::{BufferId, CountId};
use wengert::optim::minimize::{HessianFree, Kfac};
use wengert::optim::schedule::{AnySchedule, Cosine, ReduceOnPlateau, Schedule, Warmup};
use wengert::optim::{
    Average, Averaged, EarlyStopping, Groups, Minimizer, Nesterov, Progress, Stepper, Stopping,
    TrustRegionNewton,
};
use wengert::prelude::*;
use wengert::state::{State, StateError};

fn through_text(state: &State) -> State {
    let text = serde_json::to_string(state).unwrap();
    let read = serde_json::from_str(&text).unwrap();
    assert_eq!(&read, state);
    read
}

/// Takes off what its inputs were on average, and counts them.
struct Centred {
    mean: BufferId,
    seen: CountId,
}

impl Centred {
    fn new(mut p: Scope<'_>) -> Self {
        Centred { mean: p.buffer("mean", Tensor::zeros([12])), seen: p.count("seen", 0) }
    }
}

impl Layer for Centred {
    fn forward(&self, cx: &Ctx, x: &Var) -> Var {
        let mean = cx.buffer(self.mean);
        if cx.is_training() {
            cx.set_buffer(self.mean, &mean * 0.9 + x.value().mean_axes(0, false) * 0.1);
            cx.set_count(self.seen, cx.count(self.seen) + 1);
        }
        x - Var::constant(mean)
    }
}

/// A network with everything that has a state of its own.
fn network(params: &mut Params) -> Sequential {
    Sequential::builder(params.root())
        .with(|p| Linear::new(p, 784, 12))
        .with(Centred::new)
        .then(Relu)
        .then(Dropout::new(0.2))
        .with(|p| Linear::new(p, 12, 10))
        .build()
}

/// A run of training, all of whose parts are saved.
struct Run {
    params: Params,
    model: Sequential,
    stepper: Stepper<Groups>,
    schedule: AnySchedule,
    plateau: ReduceOnPlateau,
    average: Averaged,
    stopping: EarlyStopping,
    noise: Generator,
    position: Position,
    steps: u64,
}

const STEPS: u64 = 17;

impl Run {
    fn new(seed: u64) -> Self {
        let mut params = Params::seeded(seed);
        let model = network(&mut params);
        let groups = Groups::of(&params.segments())
            .group("*.bias", |_| Ok(Nesterov::new(0.05)))
            .rest(|_| Ok(Adam::new(0.01)))
            .unwrap();
        let stepper = Stepper::new(groups, &params.segments()).accumulate(2).clip_norm(1.0);
        Run {
            params,
            model,
            stepper,
            schedule: Warmup::new(3, Cosine::new(0.01 + seed as f64, 40)).into(),
            plateau: ReduceOnPlateau::new(1.0 / (3 + seed) as f64),
            average: Averaged::new(Average::Exponential { decay: 0.9 }),
            stopping: EarlyStopping::new(100, 0.0),
            noise: Generator::seeded(seed),
            position: synthetic::digits(150, 0).batches(16).shuffled(42).position(),
            steps: 0,
        }
    }

    fn state(&self) -> State {
        State::new("run", self.params.len())
            .with_count("steps", self.steps)
            .with_child("params", self.params.state())
            .with_child("optimizer", self.stepper.state())
            .with_child("schedule", State::of(&self.schedule).unwrap())
            .with_child("plateau", State::of(&self.plateau).unwrap())
            .with_child("average", self.average.state())
            .with_child("early_stopping", self.stopping.state())
            .with_child("noise", State::from(&self.noise))
            .with_child("position", State::from(&self.position))
    }

    fn load(&mut self, state: &State) -> Result<(), StateError> {
        self.steps = state.count("steps")?;
        self.params.load_state(state.child("params")?)?;
        self.stepper.load_state(state.child("optimizer")?)?;
        self.schedule = state.child("schedule")?.read()?;
        self.plateau = state.child("plateau")?.read()?;
        self.average.load_state(state.child("average")?)?;
        self.stopping.load_state(state.child("early_stopping")?)?;
        self.noise = state.child("noise")?.try_into()?;
        self.position = state.child("position")?.try_into()?;
        Ok(())
    }

    /// Trains up to `end` steps; `poison` makes a NaN of a weight at the tenth.
    fn train(&mut self, end: u64, poison: bool, each: &mut dyn FnMut(&Self)) {
        let batches = synthetic::digits(150, 0).batches(16).shuffled(42);
        for mut epoch in batches.resume(&self.position).unwrap().epochs(9) {
            loop {
                self.position = epoch.position();
                each(self);
                if self.steps == end {
                    return;
                }
                let Some((images, labels)) = epoch.next() else { break };
                let noise = Var::constant(Tensor::normal(images.shape(), 0.0, 0.1, &mut self.noise));
                let (loss, mut grads) = self
                    .params
                    .value_and_grad(|cx| self.model.forward(cx, &(&images + &noise)).cross_entropy(&labels))
                    .unwrap();
                let rate = self.schedule.at(self.steps) * self.plateau.rate();
                self.stepper.optimizer_mut().set_learning_rate(rate);
                self.params.accumulate(&mut self.stepper, &mut grads).unwrap();
                if poison && self.steps == 10 {
                    self.params.set_values(&vec![f32::NAN; self.params.len()]);
                    self.average.update(self.params.values());
                    self.params.set_values(&vec![0.01; self.params.len()]);
                }
                self.plateau.observe(f64::from(loss));
                self.stopping.observe(f64::from(loss), self.params.values());
                self.average.update(self.params.values());
                self.steps += 1;
                if self.steps == 7 {
                    self.params.freeze("0.weight");
                    self.stepper.optimizer_mut().set_enabled("*.bias", false).unwrap();
                }
            }
        }
    }
}

#[test]
fn training_goes_on_from_anywhere() {
    for poison in [false, true] {
        let mut whole = Run::new(0);
        let mut saved = Vec::new();
        whole.train(STEPS, poison, &mut |run| saved.push(through_text(&run.state())));
        assert!(saved.len() as u64 > STEPS);
        let expected = whole.state();
        for (i, state) in saved.iter().enumerate() {
            // Of another seed, so that all that decides the rest must come from the state.
            let mut resumed = Run::new(1);
            resumed.load(state).unwrap();
            assert_eq!(&resumed.state(), state, "before step {i}");
            resumed.train(STEPS, poison, &mut |_| {});
            assert_eq!(resumed.state(), expected, "from step {i}");
            let infer = |run: &Run| {
                run.params.infer(|cx| run.model.forward(cx, &Var::ones([1, 784]))).value().to_vec()
            };
            assert_eq!(format!("{:?}", infer(&resumed)), format!("{:?}", infer(&whole)), "from step {i}");
        }
    }
}

#[test]
fn the_tensors_of_a_run_come_apart_by_name() {
    let mut run = Run::new(0);
    run.train(3, false, &mut |_| {});
    let state = run.state();
    let mut rest = state.clone();
    let tensors = rest.split();
    for name in ["params.parameters.0.weight", "params.buffers.1.mean", "average.params"] {
        assert!(tensors.contains_key(name), "{name} is not in {:?}", tensors.keys());
    }
    assert!(serde_json::to_string(&rest).unwrap().len() < 10_000);
    rest.join(|path| tensors.get(path).cloned());
    assert_eq!(rest, state);
}

#[test]
fn states_of_other_models_are_refused_and_change_nothing() {
    let state = Run::new(0).params.state();
    let refusal = |build: &dyn Fn(&mut Params)| {
        let mut params: Params = Params::seeded(3);
        build(&mut params);
        let before = params.state();
        let error = params.load_state(&state).unwrap_err();
        assert_eq!(params.state(), before);
        error.to_string()
    };
    assert_eq!(
        refusal(&|p| assert!(Linear::new(p.root(), 784, 12).bias().is_some())),
        "shapes: the state has a 0.bias that is not used here"
    );
    let wide = |p: &mut Params| {
        Sequential::builder(p.root())
            .with(|p| Linear::new(p, 12, 784))
            .with(Centred::new)
            .then(Relu)
            .then(Relu)
            .with(|p| Linear::new(p, 12, 10))
            .build();
    };
    assert_eq!(refusal(&wide), "shapes: 0.weight is [12, 784], but must be the shape that it has here");
    let mut double = Params::<f64>::seeded(0);
    let narrow = Params::<f32>::seeded(0).state();
    double.load_state(&narrow).unwrap();
    Linear::new(double.root(), 2, 1);
    let mut single = Params::<f32>::seeded(0);
    Linear::new(single.root(), 2, 1);
    let error = double.load_state(&single.state()).unwrap_err().to_string();
    assert_eq!(error, "parameters: weight is f32, but must be f64");
}

fn methods(stopping: &Stopping) -> Vec<(&'static str, Box<dyn Minimizer<f64>>)> {
    let mut methods: Vec<(&str, Box<dyn Minimizer<f64>>)> = vec![
        ("L-BFGS", Box::new(Lbfgs::default())),
        ("Newton-CG", Box::new(NewtonCg::default())),
        ("trust region", Box::new(TrustRegionNewton::default())),
        ("Hessian-free", Box::new(HessianFree::default())),
        ("K-FAC", Box::new(Kfac::default())),
    ];
    methods.iter_mut().for_each(|(_, method)| method.set_stopping(stopping.clone()));
    methods
}

#[test]
fn closure_methods_on_networks_go_on_from_anywhere() {
    let x = Tensor::<f64>::normal([12, 3], 0.0, 1.0, &mut Generator::seeded(1));
    let target = Var::from(x.tanh());
    let build = |seed| {
        let mut params: Params<f64> = Params::seeded(seed);
        let model: Sequential<f64> = Sequential::builder(params.root())
            .with(|p| Linear::new(p, 3, 4))
            .then(Tanh)
            .with(|p| Linear::new(p, 4, 3))
            .build();
        (params, model)
    };
    let x = Var::from(x);
    let stopping = Stopping { max_iterations: 9, ..Stopping::gradient(1e-12) };
    for (name, method) in methods(&stopping) {
        let (params, model) = build(0);
        let objective = params.model_objective(|cx| model.forward(cx, &x), |z| z.mse(&target));
        let mut saved = Vec::new();
        let mut save = |progress: &Progress<'_, f64>| {
            let run = State::new("run", 0)
                .with_child("params", params.state())
                .with_child("method", progress.to_state().unwrap());
            saved.push(through_text(&run));
            ControlFlow::Continue(())
        };
        let whole = match method.run_with(&objective, params.values(), &mut save) {
            Ok(outcome) => outcome,
            Err(error) => panic!("{name}: {error}"),
        };
        assert!(saved.len() > 3, "{name}: {whole}");
        for (i, state) in saved.iter().enumerate() {
            let (mut params, model) = build(1);
            params.load_state(state.child("params").unwrap()).unwrap();
            let objective = params.model_objective(|cx| model.forward(cx, &x), |z| z.mse(&target));
            let mut go_on = |_: &Progress<'_, f64>| ControlFlow::Continue(());
            let resumed = method.run_from(&objective, state.child("method").unwrap(), &mut go_on).unwrap();
            assert_eq!(resumed.point, whole.point, "{name} from {i}");
            assert_eq!((resumed.reason, resumed.counts), (whole.reason, whole.counts), "{name} from {i}");
        }
        // And not by another method.
        let other: Box<dyn Minimizer<f64>> = match name {
            "trust region" => Box::new(Lbfgs::default()),
            _ => Box::new(TrustRegionNewton::default()),
        };
        let mut go_on = |_: &Progress<'_, f64>| ControlFlow::Continue(());
        let error = other.run_from(&objective, saved[1].child("method").unwrap(), &mut go_on).unwrap_err();
        assert!(matches!(error, wengert::optim::MinimizeError::State(_)), "{name}: {error}");
    }
}

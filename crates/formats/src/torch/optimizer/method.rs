//! The methods, and what their state and settings are called on both sides.

use super::error::OptimizerProblem;

/// A method that both sides have.
pub(super) struct Method {
    /// Its name here.
    pub(super) kind: &'static str,
    pub(super) vectors: &'static [Vector],
    /// A number beside them, here and there.
    pub(super) real: Option<(&'static str, &'static str)>,
    /// Whether PyTorch counts its steps.
    pub(super) counted: bool,
    /// The entries of a group of parameters, beside the learning rate.
    pub(super) settings: &'static [(&'static str, Setting)],
}

/// A number for each parameter.
pub(super) struct Vector {
    pub(super) here: &'static str,
    pub(super) there: &'static str,
    /// Whether it is the root here of what it is there.
    pub(super) root: bool,
    /// Whether some settings do without it.
    pub(super) optional: bool,
}

/// What an entry of a group is made of.
#[derive(Clone, Copy)]
pub(super) enum Setting {
    /// The number, or the yes or no, of this name.
    Of(&'static str),
    /// β₁ and β₂.
    Betas,
    Always(bool),
    Zero,
    Nothing,
}

use Setting::{Always, Betas, Nothing, Of, Zero};

const fn same(here: &'static str, there: &'static str) -> Vector {
    Vector { here, there, root: false, optional: false }
}

const fn root(here: &'static str, there: &'static str) -> Vector {
    Vector { here, there, root: true, optional: false }
}

const MEAN: Vector = same("m", "exp_avg");
const SQUARE: Vector = root("rms", "exp_avg_sq");
const MOMENTUM: Vector = same("momentum", "momentum_buffer");

macro_rules! adam {
    ($kind:literal, $vectors:expr, amsgrad: $amsgrad:literal, decoupled: $decoupled:literal) => {
        Method {
            kind: $kind,
            vectors: $vectors,
            real: None,
            counted: true,
            settings: &[
                ("betas", Betas),
                ("eps", Of("epsilon")),
                ("weight_decay", Of("weight_decay")),
                ("amsgrad", Always($amsgrad)),
                ("maximize", Always(false)),
                ("foreach", Nothing),
                ("capturable", Always(false)),
                ("differentiable", Always(false)),
                ("fused", Nothing),
                ("decoupled_weight_decay", Always($decoupled)),
            ],
        }
    };
}

macro_rules! momentum {
    ($kind:literal, $vector:expr, dampening: $dampening:expr, nesterov: $nesterov:expr) => {
        Method {
            kind: $kind,
            vectors: &[$vector],
            real: None,
            counted: false,
            settings: &[
                ("momentum", Of("momentum")),
                ("dampening", $dampening),
                ("weight_decay", Of("weight_decay")),
                ("nesterov", $nesterov),
                ("maximize", Always(false)),
                ("foreach", Nothing),
                ("differentiable", Always(false)),
                ("fused", Nothing),
            ],
        }
    };
}

static METHODS: [Method; 12] = [
    adam!("adam", &[MEAN, SQUARE], amsgrad: false, decoupled: false),
    adam!("adamw", &[MEAN, SQUARE], amsgrad: false, decoupled: true),
    adam!("amsgrad", &[MEAN, SQUARE, root("largest", "max_exp_avg_sq")], amsgrad: true, decoupled: false),
    momentum!("sgd", Vector { optional: true, ..MOMENTUM }, dampening: Of("dampening"), nesterov: Of("nesterov")),
    momentum!("momentum", MOMENTUM, dampening: Zero, nesterov: Always(false)),
    momentum!("nesterov", MOMENTUM, dampening: Zero, nesterov: Always(true)),
    Method {
        kind: "rmsprop",
        vectors: &[
            root("rms", "square_avg"),
            Vector { optional: true, ..same("m", "grad_avg") },
            Vector { optional: true, ..MOMENTUM },
        ],
        real: None,
        counted: true,
        settings: &[
            ("momentum", Of("momentum")),
            ("alpha", Of("decay")),
            ("eps", Of("epsilon")),
            ("centered", Of("centered")),
            ("weight_decay", Of("weight_decay")),
            ("capturable", Always(false)),
            ("foreach", Nothing),
            ("maximize", Always(false)),
            ("differentiable", Always(false)),
        ],
    },
    Method {
        kind: "adagrad",
        vectors: &[root("norm", "sum")],
        real: None,
        counted: true,
        settings: &[
            ("lr_decay", Of("rate_decay")),
            ("eps", Of("epsilon")),
            ("weight_decay", Of("weight_decay")),
            ("initial_accumulator_value", Of("initial_accumulator")),
            ("foreach", Nothing),
            ("maximize", Always(false)),
            ("differentiable", Always(false)),
            ("fused", Nothing),
        ],
    },
    Method {
        kind: "adadelta",
        vectors: &[root("rms", "square_avg"), root("rms_of_steps", "acc_delta")],
        real: None,
        counted: true,
        settings: &[
            ("rho", Of("rho")),
            ("eps", Of("epsilon")),
            ("weight_decay", Of("weight_decay")),
            ("maximize", Always(false)),
            ("capturable", Always(false)),
            ("foreach", Nothing),
            ("differentiable", Always(false)),
        ],
    },
    Method {
        kind: "adamax",
        vectors: &[MEAN, same("largest", "exp_inf")],
        real: None,
        counted: true,
        settings: &[
            ("betas", Betas),
            ("eps", Of("epsilon")),
            ("weight_decay", Of("weight_decay")),
            ("foreach", Nothing),
            ("maximize", Always(false)),
            ("differentiable", Always(false)),
            ("capturable", Always(false)),
        ],
    },
    Method {
        kind: "nadam",
        vectors: &[MEAN, SQUARE],
        real: Some(("momentum_product", "mu_product")),
        counted: true,
        settings: &[
            ("betas", Betas),
            ("eps", Of("epsilon")),
            ("weight_decay", Of("weight_decay")),
            ("momentum_decay", Of("momentum_decay")),
            ("decoupled_weight_decay", Of("decoupled")),
            ("maximize", Always(false)),
            ("foreach", Nothing),
            ("capturable", Always(false)),
            ("differentiable", Always(false)),
        ],
    },
    Method {
        kind: "radam",
        vectors: &[MEAN, SQUARE],
        real: None,
        counted: true,
        settings: &[
            ("betas", Betas),
            ("eps", Of("epsilon")),
            ("weight_decay", Of("weight_decay")),
            ("maximize", Always(false)),
            ("foreach", Nothing),
            ("capturable", Always(false)),
            ("differentiable", Always(false)),
            ("decoupled_weight_decay", Of("decoupled")),
        ],
    },
];

impl Method {
    pub(super) fn of(kind: &str) -> Result<&'static Self, OptimizerProblem> {
        METHODS
            .iter()
            .find(|method| method.kind == kind)
            .ok_or_else(|| OptimizerProblem::Method { kind: wengert_tensor::text::shortened(kind) })
    }

    /// The names of all, for a message.
    pub(super) fn kinds() -> String {
        METHODS.each_ref().map(|method| method.kind).join(", ")
    }
}

//! Following one optimiser.

use std::fmt;

use wengert::optim::Optimizer;

use crate::functions::Function;

/// A gradient norm that counts as none.
const FLAT: f64 = 1e-8;

/// Why a path ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Converged,
    LeftPicture,
    Budget,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            End::Converged => "converged: gradient norm below 1e-8",
            End::LeftPicture => "left the picture",
            End::Budget => "out of steps",
        })
    }
}

/// A point with the value and the norm of the gradient there.
pub(crate) struct Place {
    pub point: Vec<f64>,
    pub value: f64,
    pub gradient_norm: f64,
}

/// The start and the points after each step. The last point may be outside the picture, all others are inside.
pub(crate) struct Path {
    pub optimizer: &'static str,
    pub places: Vec<Place>,
    pub end: End,
}

/// Makes steps until the gradient vanishes, the path leaves the picture, or there have been `budget` of them.
pub(crate) fn run(
    function: &Function,
    name: &'static str,
    optimizer: &mut dyn Optimizer<f64>,
    budget: u64,
) -> Path {
    let mut point = function.start.to_vec();
    let mut places = Vec::new();
    let mut step = 0;
    let end = loop {
        let (value, gradient) = function.value_and_gradient(&point);
        let gradient_norm = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
        places.push(Place { point: point.clone(), value, gradient_norm });
        if !function.contains(&point) {
            break End::LeftPicture;
        }
        if gradient_norm < FLAT {
            break End::Converged;
        }
        if step == budget {
            break End::Budget;
        }
        optimizer.step(&mut point, &gradient);
        step += 1;
    };
    Path { optimizer: name, places, end }
}

//! The operations by their names, a file for each family.

mod elementwise;
mod images;
mod linalg;
mod losses;
mod places;
mod products;
mod reductions;
mod sequences;
mod shapes;

pub use shapes::slice;

use wengert::tape::{Index, Mask, Var};
use wengert::tensor::{Float, Tensor};

use crate::wire::Attrs;

type Results<T> = Option<Vec<Var<T>>>;

/// What the operation gives; one family after the other is asked.
pub fn apply<T: Float>(name: &str, a: &Attrs, v: &[Var<T>]) -> Vec<Var<T>> {
    let families: [fn(&str, &Attrs, &[Var<T>]) -> Results<T>; 9] = [
        elementwise::apply,
        shapes::apply,
        reductions::apply,
        places::apply,
        products::apply,
        sequences::apply,
        images::apply,
        losses::apply,
        linalg::apply,
    ];
    families
        .into_iter()
        .find_map(|family| family(name, a, v))
        .unwrap_or_else(|| panic!("there is no operation {name}"))
}

fn one<T: Float>(var: Var<T>) -> Results<T> {
    Some(vec![var])
}

/// Positions as numbers, so that they can be compared: by an operation, as a replay has others. No case has as many elements as the
/// table.
fn seen<T: Float>(positions: &Index<T>) -> Var<T> {
    let table = Var::from(Tensor::arange(0.0, 5000.0, 1.0));
    table.index_select(0, positions.reshape([positions.len()])).reshape(positions.shape())
}

/// Truth values as numbers.
fn truth<T: Float>(values: &Mask<T>) -> Var<T> {
    Var::select_where(values, &Var::ones(values.shape()), &Var::zeros(values.shape()))
}

/// A value, and where it stands.
fn with_places<T: Float>((value, places): (Var<T>, Index<T>)) -> Results<T> {
    Some(vec![value, seen(&places)])
}

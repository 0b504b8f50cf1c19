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

use wengert::tape::{Discrete, DiscreteElement, Var};
use wengert::tensor::Float;

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

/// Indices or truth values as numbers, so that they can be compared.
fn seen<E: DiscreteElement, T: Float>(values: &Discrete<E, T>) -> Var<T> {
    Var::from(values.value().cast::<T>())
}

/// A value, and where it stands.
fn with_places<T: Float>((value, places): (Var<T>, wengert::tape::Index<T>)) -> Results<T> {
    Some(vec![value, seen(&places)])
}

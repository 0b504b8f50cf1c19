//! What serde's types become in a state.

use crate::{Scalar, State, StateError, Values};

/// The kind of the state of what has no name: `()`, tuples, lists that are no vectors, maps.
pub(crate) const LIST: &str = "list";
/// The kind of the state round a value that is none itself.
pub(crate) const VALUE: &str = "value";

/// A value that has been written.
pub(crate) enum Node {
    /// Only lists tell the precisions of single numbers apart.
    Single(f32),
    Scalar(Scalar),
    Vector(Values),
    Tree(State),
}

impl Node {
    pub(crate) fn put(self, name: &str, state: &mut State) {
        let name = name.to_owned();
        match self {
            Node::Single(x) => drop(state.scalars.insert(name, Scalar::Real(x.into()))),
            Node::Scalar(scalar) => drop(state.scalars.insert(name, scalar)),
            Node::Vector(values) => drop(state.vectors.insert(name, values)),
            Node::Tree(child) => drop(state.children.insert(name, child)),
        }
    }
}

/// A list that is being written: a vector as long as all elements are numbers of one type, then a state with a name for
/// each, its number.
pub(crate) enum List {
    Vector(Values),
    Tree(State),
}

impl List {
    pub(crate) fn new() -> Self {
        List::Vector(Values::F64(Vec::new()))
    }

    pub(crate) fn push(&mut self, node: Node) {
        match (&mut *self, node) {
            (List::Vector(Values::F32(v)), Node::Single(x)) => v.push(x),
            (List::Vector(Values::F64(v)), Node::Scalar(Scalar::Real(x))) => v.push(x),
            (List::Vector(Values::U64(v)), Node::Scalar(Scalar::Count(n))) => v.push(n),
            (List::Vector(v), Node::Single(x)) if v.is_empty() => *v = Values::F32(vec![x]),
            (List::Vector(v), Node::Scalar(Scalar::Count(n))) if v.is_empty() => *v = Values::U64(vec![n]),
            (List::Vector(v), node) => {
                let mut tree = State::new(LIST, 0);
                match v {
                    Values::F32(v) => v.iter().for_each(|&x| push(&mut tree, Node::Single(x))),
                    Values::F64(v) => v.iter().for_each(|&x| push(&mut tree, Node::Scalar(Scalar::Real(x)))),
                    Values::U64(v) => v.iter().for_each(|&n| push(&mut tree, Node::Scalar(Scalar::Count(n)))),
                }
                push(&mut tree, node);
                *self = List::Tree(tree);
            }
            (List::Tree(tree), node) => push(tree, node),
        }
    }

    pub(crate) fn finish(self) -> Node {
        match self {
            List::Vector(values) => Node::Vector(values),
            List::Tree(tree) => Node::Tree(tree),
        }
    }
}

fn push(tree: &mut State, node: Node) {
    node.put(&tree.len.to_string(), tree);
    tree.len += 1;
}

/// A value that is being read.
#[derive(Clone, Copy)]
pub(crate) enum Found<'a> {
    Scalar(&'a Scalar),
    Vector(&'a Values),
    Tree(&'a State),
    /// An element of a vector.
    Single(f32),
    Double(f64),
    Word(u64),
}

impl<'a> Found<'a> {
    /// What a state has under a name.
    pub(crate) fn of(state: &'a State, name: &str) -> Option<Self> {
        (state.scalars.get(name).map(Found::Scalar))
            .or_else(|| state.vectors.get(name).map(Found::Vector))
            .or_else(|| state.children.get(name).map(Found::Tree))
    }

    pub(crate) fn element(values: &Values, index: usize) -> Option<Self> {
        match values {
            Values::F32(v) => v.get(index).map(|&x| Found::Single(x)),
            Values::F64(v) => v.get(index).map(|&x| Found::Double(x)),
            Values::U64(v) => v.get(index).map(|&n| Found::Word(n)),
        }
    }

    pub(crate) fn shown(self) -> String {
        match self {
            Found::Scalar(scalar) => scalar.to_string(),
            Found::Vector(values) => format!("{} numbers of type {}", values.len(), values.element()),
            Found::Tree(state) => format!("a state of {}", crate::error::brief(&state.kind)),
            Found::Single(x) => format!("{x:?} of type f32"),
            Found::Double(x) => format!("{x:?} of type f64"),
            Found::Word(n) => format!("{n}"),
        }
    }

    pub(crate) fn refused(self, expected: &'static str) -> StateError {
        StateError::value(expected, self.shown())
    }
}

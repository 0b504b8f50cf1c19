//! Recording operations.

use std::panic::Location;
use std::rc::Rc;
use std::time::Duration;

use smallvec::SmallVec;
use wengert_tensor::{Float, Shape};

use super::{Arena, Extra, GivenInput, Input, Node, Place};
use crate::data::{Data, Given, Kind};
use crate::op::Op;
use crate::profile;
use crate::var::{Value, Var};

type Arenas<T> = SmallVec<[Rc<Arena<T>>; 2]>;

/// Records an operation on every tape that one of its inputs is on, and returns the result's place.
#[track_caller]
pub(crate) fn operation<T: Float>(
    op: Rc<dyn Op<T>>,
    inputs: &[&Var<T>],
    given: &[&Given<T>],
    output: &Value<T>,
) -> Option<Place<T>> {
    let arenas = arenas(op.name(), inputs, given);
    push(arenas, &op, inputs, given, output, None)
}

/// Records an operation on the tapes that are made for derivatives; on the others, its inside is already recorded, and
/// the result has the place `inside`.
#[track_caller]
pub(crate) fn with_inside<T: Float>(
    op: Rc<dyn Op<T>>,
    inputs: &[&Var<T>],
    output: &Value<T>,
    inside: Option<Place<T>>,
) -> Option<Place<T>> {
    let mut arenas = arenas(op.name(), inputs, &[]);
    arenas.retain(|arena| !arena.is_complete());
    push(arenas, &op, inputs, &[], output, inside.map(Rc::new))
}

/// Records an operation whose result is no floating-point number on the tapes that are complete.
#[track_caller]
pub(crate) fn decision<T: Float>(
    op: Rc<dyn Op<T>>,
    inputs: &[&Var<T>],
    given: &[&Given<T>],
    kind: Kind,
    shape: &Shape,
) -> Option<Place<T>> {
    let mut arenas = arenas(op.name(), inputs, given);
    arenas.retain(|arena| arena.is_complete());
    let mut place = None;
    for arena in arenas {
        let (inputs, given) = arena.all_as_nodes(inputs, given);
        let extra = Extra::of_complete(kind, None, given, Location::caller());
        let output = Value::Dropped(shape.clone());
        let node = Node { op: Some(Rc::clone(&op)), inputs, output, outer: None, extra };
        let node = arena.push(op.name(), node);
        place = Some(Place { arena, node, outer: place.map(Rc::new) });
    }
    place
}

/// The tapes that the inputs are on, the oldest first.
#[track_caller]
fn arenas<T: Float>(operation: &str, inputs: &[&Var<T>], given: &[&Given<T>]) -> Arenas<T> {
    let mut arenas: Arenas<T> = SmallVec::new();
    let places = inputs.iter().map(|v| &v.place).chain(given.iter().map(|g| &g.place));
    for place in places {
        let mut place = place.as_ref();
        while let Some(p) = place {
            if !arenas.iter().any(|a| a.id == p.arena.id) {
                arenas.push(Rc::clone(&p.arena));
            }
            place = p.outer.as_deref();
        }
    }
    if arenas.len() > 1 {
        arenas.sort_by_key(|a| a.id);
        for (i, a) in arenas.iter().enumerate() {
            if !arenas[..i].iter().all(|b| a.may_meet(b)) {
                panic!(
                    "{operation}: its inputs are on two different tapes; record everything on one, or pass `stop_gradient()` of one"
                );
            }
        }
    }
    arenas
}

#[track_caller]
fn push<T: Float>(
    arenas: Arenas<T>,
    op: &Rc<dyn Op<T>>,
    inputs: &[&Var<T>],
    given: &[&Given<T>],
    value: &Value<T>,
    mut outer: Option<Rc<Place<T>>>,
) -> Option<Place<T>> {
    let saves = op.saves();
    let Some(last) = arenas.len().checked_sub(1) else { return outer.as_deref().cloned() };
    // All tapes are told of the same time.
    let spent = if profile::is_on() { profile::last_operation() } else { Duration::ZERO };
    for (i, arena) in arenas.into_iter().enumerate() {
        let is_complete = arena.is_complete();
        // Filled where it stands: a node is some hundred bytes, and moving them takes as long as making them.
        let mut node = Node {
            op: Some(Rc::clone(op)),
            inputs: SmallVec::new(),
            output: if saves.output() && !is_complete { value.clone() } else { value.dropped() },
            outer: outer.clone(),
            extra: None,
        };
        if is_complete {
            let (inputs, given) = arena.all_as_nodes(inputs, given);
            node.inputs = inputs;
            node.extra = Extra::of_complete(Kind::Float, None, given, Location::caller());
        } else {
            for (k, input) in inputs.iter().enumerate() {
                node.inputs.push(Input {
                    value: if saves.input(k) { input.value.clone() } else { input.value.dropped() },
                    parent: arena.node_of(input.place.as_ref()),
                    outer: arena.older(input.place.as_ref()),
                });
            }
            if !given.is_empty() {
                let given = given.iter().map(|g| GivenInput {
                    value: Some(g.value.clone()),
                    parent: None,
                    outer: arena.older(g.place.as_ref()),
                });
                node.extra = Extra::of_given(given.collect());
            }
        }
        let node = arena.push(op.name(), node);
        if let Some(timed) = &arena.timed {
            timed.recorded(node, spent);
        }
        if let Some(watched) = &arena.watched {
            watched.recorded(&**op, inputs, value, node);
        }
        let place = Place { arena, node, outer: outer.take() };
        if i == last {
            return Some(place);
        }
        outer = Some(Rc::new(place));
    }
    unreachable!("the last tape returns the place")
}

type Nodes<T> = (SmallVec<[Input<T>; 2]>, Vec<GivenInput<T>>);

impl<T: Float> Arena<T> {
    /// The inputs on a complete tape: each is a node, and constants become one. Values of nodes are not kept, since a
    /// replay computes them.
    #[track_caller]
    fn all_as_nodes(&self, inputs: &[&Var<T>], given: &[&Given<T>]) -> Nodes<T> {
        let location = Location::caller();
        let floats = inputs.iter().map(|input| {
            let constant = || self.push_constant(Data::Float(input.value().clone()), location);
            let parent = Some(self.node_of(input.place.as_ref()).unwrap_or_else(constant));
            Input { value: input.value.dropped(), parent, outer: None }
        });
        let floats = floats.collect();
        let given = given.iter().map(|g| {
            let constant = || self.push_constant(g.value.clone(), location);
            let parent = Some(self.node_of(g.place.as_ref()).unwrap_or_else(constant));
            GivenInput { value: None, parent, outer: None }
        });
        (floats, given.collect())
    }

    #[track_caller]
    fn push_constant(&self, value: Data<T>, location: &'static Location<'static>) -> u32 {
        let shape = value.shape().clone();
        let extra = Extra::of_complete(value.kind(), Some(value), Vec::new(), location);
        self.push("constant", Node::leaf(&shape, extra))
    }
}

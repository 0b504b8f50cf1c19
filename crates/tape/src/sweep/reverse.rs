//! The backward sweep.

use std::collections::BTreeMap;
use std::rc::Rc;

use smallvec::SmallVec;
use wengert_tensor::{Float, Shape, compiled_here};

use crate::cotangent::Cotangent;
use crate::op::{Awaited, Awaits, Cotangents, Op, Point};
use crate::profile;
use crate::sweep::slab::Slab;
use crate::sweep::{Sweep, SweepObserver};
use crate::tape::{Arena, Node, Place};
use crate::var::Var;

compiled_here! {
    /// The cotangents of the nodes `wrt` for the cotangent `seed` of node `output`. Visits only the nodes that lie
    /// between them. `None` for a node that the output does not depend on. An observer is told on the way.
    pub(crate) fn reverse<T: Float>(
        arena: &Rc<Arena<T>>,
        output: u32,
        seed: Var<T>,
        wrt: &[u32],
        mode: Sweep,
        observer: Option<&mut dyn SweepObserver<T>>,
    ) -> Vec<Option<Var<T>>> {
        let _span = profile::span("reverse sweep");
        let mut found: Vec<Option<Var<T>>> = wrt.iter().map(|_| None).collect();
        let mut told = observer.map(|observer| Told::new(&arena.nodes.borrow(), output, wrt, observer));
        let Some(first) = wrt.iter().copied().filter(|&w| w <= output).min() else {
            if let Some(told) = &mut told {
                told.passed(output, &mut Slab::new(output, output));
            }
            return found;
        };
        let between = mark(&arena.nodes.borrow(), first, output, wrt);
        let needed = |node: u32| node >= first && between[(node - first) as usize];
        let mut wanted: Vec<(u32, usize)> = wrt.iter().enumerate().map(|(i, &w)| (w, i)).collect();
        wanted.sort_unstable();

        let mut alive = Slab::new(first, output);
        alive.put(output, Cotangent::of(seed));
        for node in (first..=output).rev() {
            if let Some(told) = &mut told {
                told.passed(node + 1, &mut alive);
            }
            let Some(cotangent) = alive.take(node).and_then(Cotangent::finish) else { continue };
            let from = wanted.partition_point(|w| w.0 < node);
            for &(_, i) in wanted[from..].iter().take_while(|w| w.0 == node) {
                found[i] = Some(cotangent.clone());
            }
            let Some((op, at, parents)) = visit(arena, node, mode, needed) else { continue };
            let mut into = slots(&at, &parents, &mut alive);
            if mode == Sweep::Consume && arena.watched.is_none() {
                into.awaited = told.as_mut().and_then(|told| told.awaited(node, &parents, &into));
            }
            let mut rule = || profile::rule(arena, node, op.name(), || op.vjp(&at, &cotangent, &mut into));
            match &arena.watched {
                None => rule(),
                Some(watched) => {
                    watched.in_rule(rule);
                    watched.pulled_back(&*op, node, &cotangent, &into.slots);
                }
            }
            for (parent, slot) in parents.iter().zip(&into.slot_of) {
                if let (Some(parent), Some(slot)) = (parent, slot)
                    && !into.slots[*slot as usize].is_empty()
                {
                    alive.put(*parent, std::mem::take(&mut into.slots[*slot as usize]));
                }
            }
        }
        if let Some(told) = &mut told {
            told.passed(first, &mut alive);
        }
        found
    }
}

/// An observer with what it is still to be told.
struct Told<'a, T: Float> {
    observer: &'a mut dyn SweepObserver<T>,
    /// The nodes with the last that adds to their cotangents, by that; and their places among the variables.
    waiting: Vec<(u32, u32, usize)>,
}

impl<'a, T: Float> Told<'a, T> {
    fn new(nodes: &[Node<T>], output: u32, wrt: &[u32], observer: &'a mut dyn SweepObserver<T>) -> Self {
        let mut last: BTreeMap<u32, u32> = wrt.iter().map(|&w| (w, u32::MAX)).collect();
        for (user, node) in nodes.iter().enumerate().take(output as usize + 1) {
            for parent in node.inputs.iter().filter_map(|input| input.parent) {
                if let Some(last) = last.get_mut(&parent) {
                    *last = (user as u32).min(*last);
                }
            }
        }
        let mut waiting: Vec<_> = wrt
            .iter()
            .enumerate()
            .map(|(place, &w)| match last[&w] {
                // Its cotangent is the seed.
                u32::MAX if w == output => (w + 1, w, place),
                last => (last, w, place),
            })
            .collect();
        waiting.sort_unstable();
        Told { observer, waiting }
    }

    /// Those of an operation's parents to whose cotangents nobody else adds: neither before nor behind it, nor it twice.
    fn awaited(
        &mut self,
        node: u32,
        parents: &[Option<u32>],
        into: &Cotangents<T>,
    ) -> Option<Awaited<'_, T>> {
        let alone = |parent: u32| {
            let once = parents.iter().filter(|p| **p == Some(parent)).count() == 1;
            once && self.waiting.iter().filter(|(last, w, _)| (*last, *w) == (node, parent)).count() == 1
        };
        let is_empty = |slot: u32| into.slots[slot as usize].is_empty();
        let nodes: SmallVec<[Option<u32>; 2]> = parents
            .iter()
            .zip(&into.slot_of)
            .map(|(parent, slot)| parent.filter(|&p| alone(p) && slot.is_some_and(is_empty)))
            .collect();
        nodes.iter().any(Option::is_some).then_some(Awaited { nodes, by: self })
    }

    /// All nodes from `node` on have added what they have to add.
    fn passed(&mut self, node: u32, alive: &mut Slab<Cotangent<T>>) {
        while let Some((_, w, place)) = self.waiting.pop_if(|(last, ..)| *last >= node) {
            // What is not on the way to the output has none.
            let cotangent = alive.holds(w).then(|| alive.take(w)).flatten().and_then(Cotangent::finish);
            self.observer.ready(place, cotangent.as_ref());
            if let Some(cotangent) = cotangent {
                alive.put(w, Cotangent::of(cotangent));
            }
        }
        self.observer.passed();
    }
}

impl<T: Float> Awaits<T> for Told<'_, T> {
    fn every(&self) -> usize {
        self.observer.every()
    }

    fn part(&mut self, node: u32, first: usize, elements: &[T]) {
        if let Some((.., place)) = self.waiting.iter().find(|(_, w, _)| *w == node) {
            self.observer.ready_from(*place, first, elements);
        }
    }

    fn complete(&mut self, node: u32, cotangent: &Var<T>) {
        if let Some(at) = self.waiting.iter().position(|(_, w, _)| *w == node) {
            let (.., place) = self.waiting.remove(at);
            self.observer.ready(place, Some(cotangent));
        }
    }
}

/// Which nodes from `first` to `output` depend on one of `wrt`.
fn mark<T: Float>(nodes: &[Node<T>], first: u32, output: u32, wrt: &[u32]) -> Vec<bool> {
    let mut depends = vec![false; (output - first) as usize + 1];
    for &w in wrt.iter().filter(|&&w| w <= output) {
        depends[(w - first) as usize] = true;
    }
    for (i, node) in nodes[first as usize..=output as usize].iter().enumerate() {
        depends[i] = depends[i]
            || node
                .inputs
                .iter()
                .any(|x| x.parent.is_some_and(|p| p >= first && depends[(p - first) as usize]));
    }
    depends
}

type Visit<T> = (Rc<dyn Op<T>>, Point<T>, SmallVec<[Option<u32>; 2]>);

/// A node's operation, the point it was applied at, and those of its parents that need a cotangent; `None` if
/// there are no such parents.
fn visit<T: Float>(
    arena: &Rc<Arena<T>>,
    index: u32,
    mode: Sweep,
    needed: impl Fn(u32) -> bool,
) -> Option<Visit<T>> {
    let mut nodes = arena.nodes.borrow_mut();
    let node = &mut nodes[index as usize];
    let parents: SmallVec<[Option<u32>; 2]> =
        node.inputs.iter().map(|input| input.parent.filter(|&p| needed(p))).collect();
    if parents.iter().all(Option::is_none) {
        return None;
    }
    let needs = parents.iter().map(Option::is_some).collect();
    let output_place = match mode {
        Sweep::Record => Some(Place { arena: Rc::clone(arena), node: index, outer: node.outer.clone() }),
        _ => node.outer.as_deref().cloned(),
    };
    let given = node.given();
    let (op, inputs, output) = if mode == Sweep::Consume {
        let inputs = std::mem::take(&mut node.inputs);
        let inputs = inputs.into_iter().map(|x| Var::new(x.value, x.outer.as_deref().cloned()));
        let nothing = node.output.dropped();
        node.extra = None;
        (node.op.take()?, inputs.collect(), std::mem::replace(&mut node.output, nothing))
    } else {
        let inputs = node.inputs.iter().map(|x| x.to_var(arena, mode)).collect();
        (Rc::clone(node.op.as_ref()?), inputs, node.output.clone())
    };
    let output = Var::new(output, output_place);
    Some((op, Point { inputs, output, needs, given }, parents))
}

/// The cotangents that the operation adds to: what its parents have received so far.
fn slots<'a, T: Float>(
    at: &Point<T>,
    parents: &[Option<u32>],
    alive: &mut Slab<Cotangent<T>>,
) -> Cotangents<'a, T> {
    let mut slots: SmallVec<[Cotangent<T>; 2]> = SmallVec::new();
    let mut slot_of: SmallVec<[Option<u32>; 2]> = SmallVec::new();
    for (i, parent) in parents.iter().enumerate() {
        let earlier = parent.and_then(|p| parents[..i].iter().position(|q| *q == Some(p)));
        slot_of.push(match (parent, earlier) {
            (None, _) => None,
            (Some(_), Some(same)) => slot_of[same],
            (Some(p), None) => {
                slots.push(alive.take(*p).unwrap_or_default());
                Some((slots.len() - 1) as u32)
            }
        });
    }
    let shapes = at.inputs.iter().map(|v| v.shape().clone()).collect::<SmallVec<[Shape; 2]>>();
    Cotangents { slots, slot_of, shapes, awaited: None }
}

//! The forward sweep over a recording.

use std::rc::Rc;

use smallvec::SmallVec;
use wengert_tensor::{Float, compiled_here};

use crate::op::{Op, Point};
use crate::profile;
use crate::sweep::Sweep;
use crate::sweep::slab::Slab;
use crate::tape::{Arena, Node};
use crate::var::Var;

compiled_here! {
    /// The tangents of the nodes `outputs` for the tangents `starts` of some nodes; `None` where there is no
    /// dependence. Visits only the nodes that lie between, and frees each tangent after its last use; where `mode` is to
    /// consume, also each node as soon as it has been passed, and those that do not lie between at once.
    pub(crate) fn forward<T: Float>(
        arena: &Rc<Arena<T>>,
        outputs: &[Option<u32>],
        starts: &[(u32, Var<T>)],
        mode: Sweep,
    ) -> Vec<Option<Var<T>>> {
        let _span = profile::span("forward sweep");
        let first = starts.iter().map(|s| s.0).min();
        let last = outputs.iter().flatten().copied().max();
        let (Some(first), Some(last)) = (first, last) else { return outputs.iter().map(|_| None).collect() };
        let last = last.max(starts.iter().map(|s| s.0).max().unwrap_or(0));
        let mut uses = mark(&arena.nodes.borrow(), first, last, outputs, starts);

        if mode == Sweep::Consume {
            free_others(arena, first, &uses);
        }
        let mut alive = Slab::new(first, last);
        for (node, tangent) in starts {
            if uses[(node - first) as usize] == 0 {
                continue;
            }
            // A variable given twice gets the sum.
            let sum = match alive.take(*node) {
                Some(before) => before + tangent,
                None => tangent.clone(),
            };
            alive.put(*node, sum);
        }
        for node in first..=last {
            if uses[(node - first) as usize] == 0 || alive.get(node).is_some() {
                continue;
            }
            let (op, at, parents) = visit(arena, node, mode);
            let inside = |p: &Option<u32>| p.filter(|&p| p >= first);
            let tangents: SmallVec<[Option<Var<T>>; 2]> =
                parents.iter().map(|p| inside(p).and_then(|p| alive.get(p).cloned())).collect();
            if tangents.iter().any(Option::is_some)
                && let Some(tangent) =
                    profile::rule(arena, node, op.name(), || op.jvp(&at, &tangents))
            {
                debug_assert_eq!(tangent.shape(), at.output.shape(), "{}: shape of the tangent", op.name());
                alive.put(node, tangent);
            }
            drop(tangents);
            for parent in parents.iter().filter_map(inside) {
                let left = &mut uses[(parent - first) as usize];
                if *left > 0 {
                    *left -= 1;
                    if *left == 0 {
                        alive.take(parent);
                    }
                }
            }
        }
        outputs.iter().map(|o| o.filter(|&o| o >= first).and_then(|o| alive.get(o).cloned())).collect()
    }
}

/// How often each node's tangent is read by nodes between `starts` and `outputs`; an output counts as read once
/// more. 0 for a node that does not lie between.
fn mark<T: Float>(
    nodes: &[Node<T>],
    first: u32,
    last: u32,
    outputs: &[Option<u32>],
    starts: &[(u32, Var<T>)],
) -> Vec<u32> {
    let count = (last - first) as usize + 1;
    let mut depends = vec![false; count];
    for (start, _) in starts {
        depends[(start - first) as usize] = true;
    }
    let nodes = &nodes[first as usize..=last as usize];
    let parents = |i: usize| nodes[i].inputs.iter().filter_map(|x| x.parent.filter(|&p| p >= first));
    for i in 0..count {
        depends[i] = depends[i] || parents(i).any(|p| depends[(p - first) as usize]);
    }
    let mut uses = vec![0; count];
    for output in outputs.iter().flatten().filter(|&&o| o >= first) {
        uses[(output - first) as usize] += 1;
    }
    for i in (0..count).rev() {
        if uses[i] > 0 && depends[i] {
            for parent in parents(i) {
                uses[(parent - first) as usize] += 1;
            }
        }
    }
    for (uses, depends) in uses.iter_mut().zip(depends) {
        if !depends {
            *uses = 0;
        }
    }
    uses
}

type Visit<T> = (Rc<dyn Op<T>>, Point<T>, SmallVec<[Option<u32>; 2]>);

fn visit<T: Float>(arena: &Rc<Arena<T>>, index: u32, mode: Sweep) -> Visit<T> {
    let mut nodes = arena.nodes.borrow_mut();
    let node = &mut nodes[index as usize];
    let op = Rc::clone(node.op.as_ref().expect("a node between two others was computed"));
    let inputs: SmallVec<[Var<T>; 2]> = node.inputs.iter().map(|x| x.to_var(arena, Sweep::Retain)).collect();
    let output = Var::new(node.output.clone(), node.outer.as_deref().cloned());
    let needs = node.inputs.iter().map(|x| x.parent.is_some()).collect();
    let parents = node.inputs.iter().map(|x| x.parent).collect();
    let given = node.given();
    if mode == Sweep::Consume {
        // The visit holds all that was in it, so nothing is freed while the nodes are borrowed.
        node.take();
    }
    (op, Point { inputs, output, needs, given }, parents)
}

/// Frees the nodes whose tangents nobody reads.
fn free_others<T: Float>(arena: &Rc<Arena<T>>, first: u32, uses: &[u32]) {
    let read =
        |index: usize| index.checked_sub(first as usize).and_then(|i| uses.get(i)).is_some_and(|&n| n > 0);
    let mut nodes = arena.nodes.borrow_mut();
    let others = nodes.iter_mut().enumerate().filter(|(i, _)| !read(*i));
    let freed: Vec<Node<T>> = others.map(|(_, node)| node.take()).collect();
    // Freeing a node may run code that looks at the tape.
    drop(nodes);
    drop(freed);
}

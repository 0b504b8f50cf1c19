//! How long the operations of a recording took.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use wengert_tensor::Float;

use super::recorder::{Timing, current_order, in_rule, is_on, rule_of_order};
use crate::tape::Arena;

/// What is known of the nodes of a tape that was made while the thread was profiled.
pub(crate) struct Timed {
    nodes: RefCell<Vec<Times>>,
    /// By how much the order of derivatives is above that of what they are of: not at all on a tape that a rule made, whose
    /// sweeps are part of the rule.
    step: u8,
}

/// One node's times.
#[derive(Clone, Copy, Default)]
pub(crate) struct Times {
    order: u8,
    /// The value's.
    value: Duration,
    /// The rules', of all sweeps so far.
    rules: Duration,
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = |time: Duration| time.as_nanos() as f64 / 1e3;
        match (self.value.is_zero(), self.rules.is_zero()) {
            (true, true) => Ok(()),
            (false, true) => write!(f, "{:.1} µs", micros(self.value)),
            (_, false) => write!(f, "{:.1} µs, rule {:.1} µs", micros(self.value), micros(self.rules)),
        }
    }
}

impl Timed {
    /// For a tape that is being made, if the thread is profiled.
    pub(crate) fn if_profiled() -> Option<Box<Timed>> {
        is_on().then(|| Box::new(Timed { nodes: RefCell::default(), step: u8::from(!in_rule()) }))
    }

    /// An operation that took so long was recorded as that node.
    pub(crate) fn recorded(&self, node: u32, value: Duration) {
        let order = current_order();
        let mut nodes = self.nodes.borrow_mut();
        if nodes.len() <= node as usize {
            nodes.resize(node as usize + 1, Times::default());
        }
        nodes[node as usize] = Times { order, value, rules: Duration::ZERO };
    }

    /// A node's rule took so long.
    fn ruled(&self, node: u32, time: Duration) {
        if let Some(times) = self.nodes.borrow_mut().get_mut(node as usize) {
            times.rules += time;
        }
    }

    /// The order of the derivatives of a node.
    fn order_of_derivatives(&self, node: u32) -> u8 {
        self.times(node).map_or(0, |times| times.order).saturating_add(self.step)
    }

    /// A node's times.
    pub(crate) fn times(&self, node: u32) -> Option<Times> {
        self.nodes.borrow().get(node as usize).copied()
    }
}

/// Runs the rule of the operation at a node, of the order that its derivatives have.
#[inline]
pub(crate) fn rule<T: Float, R>(arena: &Rc<Arena<T>>, node: u32, name: &str, rule: impl FnOnce() -> R) -> R {
    if is_on() { timed_rule(arena, node, name, rule) } else { rule() }
}

#[cold]
fn timed_rule<T: Float, R>(arena: &Rc<Arena<T>>, node: u32, name: &str, rule: impl FnOnce() -> R) -> R {
    let timed = arena.timed.as_deref();
    rule_of_order(timed.map_or(1, |timed| timed.order_of_derivatives(node)), || {
        let timing = Timing::start();
        let result = rule();
        let time = timing.rule(name);
        if let Some(timed) = timed {
            timed.ruled(node, time);
        }
        result
    })
}

//! A profile as a table.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use super::{Event, EventKind, Profile};

/// A profile summed up by operation and order of derivative, or by span: made by [`Profile::table`] and
/// [`Profile::spans`]. It prints with the widest columns' width.
///
/// ```
/// use wengert_tape::{EventKind, ProfileTable, Var, profile};
/// let x = Var::from([[1.0f32; 8]; 8]);
/// let (_, profile) = profile(|| x.matmul(&x).matmul(&x).exp());
/// let table: ProfileTable = profile.table();
/// let products = table.rows.iter().find(|row| row.name == "matmul").unwrap();
/// assert_eq!((products.calls, products.flops), (2, 2 * 2 * 8 * 8 * 8));
/// assert!(table.to_string().starts_with("operation  derivative  calls"));
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ProfileTable {
    /// The rows; those first in which most of the time was spent.
    pub rows: Vec<ProfileRow>,
    /// From the profiler's making to its end.
    pub wall: Duration,
    heading: &'static str,
}

/// All events of a name, a kind and an order: a row of a [`ProfileTable`].
///
/// ```
/// use wengert_tape::{ProfileRow, Var, profile};
/// let (_, profile) = profile(|| (Var::from([1.0f32]).exp(), Var::from([2.0f32]).exp()));
/// let row: &ProfileRow = &profile.table().rows[0];
/// assert_eq!((row.name.as_str(), row.calls, row.order), ("exp", 2, 0));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ProfileRow {
    /// The name of the operation or the span.
    pub name: String,
    /// What it is.
    pub kind: EventKind,
    /// The order of derivatives: see [`Event::order`].
    pub order: u8,
    /// How many there were.
    pub calls: usize,
    /// How long they took, with what ran inside of them; a span inside of one of its own name counts in both.
    pub time: Duration,
    /// How long they took without what ran inside of them. In a table of spans: without the spans inside.
    pub own: Duration,
    /// Their floating-point operations; of a span, those of all that ran inside of it.
    pub flops: u64,
    /// The bytes of operands and results; of a span, those of all that ran inside of it.
    pub bytes: u64,
}

impl ProfileRow {
    fn of(event: &Event) -> Self {
        ProfileRow {
            name: event.name.clone(),
            kind: event.kind,
            order: event.order,
            calls: 0,
            time: Duration::ZERO,
            own: Duration::ZERO,
            flops: 0,
            bytes: 0,
        }
    }

    /// Floating-point operations per second.
    pub fn flops_per_second(&self) -> f64 {
        if self.time.is_zero() { 0.0 } else { self.flops as f64 / self.time.as_secs_f64() }
    }
}

impl Profile {
    /// Sums up by operation and order of derivative. Rules, sweeps and spans are rows as well, for the time that they took
    /// apart from the operations inside of them, so that the column of shares adds up to what the thread did.
    ///
    /// ```
    /// use wengert_tape::{Var, grad, profile};
    /// let (_, profile) = profile(|| grad(|x: &Var<f64>| x.sin().sum(), &Var::from([1.0])));
    /// let table = profile.table();
    /// let own: std::time::Duration = table.rows.iter().map(|row| row.own).sum();
    /// assert!(own <= table.wall);
    /// ```
    pub fn table(&self) -> ProfileTable {
        let mut rows = Rows::default();
        for event in &self.events {
            let row = rows.of(event);
            row.own += event.own;
            row.flops += event.flops;
            row.bytes += event.bytes;
        }
        ProfileTable { rows: rows.sorted(|row| row.own), wall: self.wall, heading: "operation" }
    }

    /// Sums up by span: layers (in the forward pass, where they are known), sweeps, and what was named by
    /// [`span`](crate::span).
    ///
    /// ```
    /// use wengert_tape::{Var, profile, span};
    /// let x = Var::from([[1.0f32; 4]; 4]);
    /// let (_, profile) = profile(|| {
    ///     let _span = span("block");
    ///     x.matmul(&x).exp()
    /// });
    /// assert_eq!(profile.spans().rows[0].flops, 2 * 4 * 4 * 4 + 16);
    /// ```
    pub fn spans(&self) -> ProfileTable {
        let mut rows = Rows::default();
        let mut open: Vec<(usize, &Event)> = Vec::new();
        for event in &self.events {
            // Events are in the order in which they began, those outside first.
            while open
                .last()
                .is_some_and(|(_, outer)| outer.thread != event.thread || outer.depth >= event.depth)
            {
                open.pop();
            }
            for &(outer, _) in &open {
                rows.rows[outer].flops += event.flops;
                rows.rows[outer].bytes += event.bytes;
            }
            if event.kind == EventKind::Span {
                if let Some(&(outer, _)) = open.last() {
                    rows.rows[outer].own = rows.rows[outer].own.saturating_sub(event.time);
                }
                let place = rows.place(event);
                rows.rows[place].own += event.time;
                open.push((place, event));
            }
        }
        ProfileTable { rows: rows.sorted(|row| row.time), wall: self.wall, heading: "span" }
    }
}

/// Rows by what they have in common.
#[derive(Default)]
struct Rows<'a> {
    places: HashMap<(&'a str, EventKind, u8), usize>,
    rows: Vec<ProfileRow>,
}

impl<'a> Rows<'a> {
    /// The place of the row of an event, which is counted there.
    fn place(&mut self, event: &'a Event) -> usize {
        let rows = &mut self.rows;
        let place = *self.places.entry((&event.name, event.kind, event.order)).or_insert_with(|| {
            rows.push(ProfileRow::of(event));
            rows.len() - 1
        });
        self.rows[place].calls += 1;
        self.rows[place].time += event.time;
        place
    }

    fn of(&mut self, event: &'a Event) -> &mut ProfileRow {
        let place = self.place(event);
        &mut self.rows[place]
    }

    fn sorted(mut self, by: impl Fn(&ProfileRow) -> Duration) -> Vec<ProfileRow> {
        self.rows.sort_by_key(|row| std::cmp::Reverse(by(row)));
        self.rows
    }
}

impl fmt::Display for ProfileTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = self.rows.iter().map(|row| row.own.as_secs_f64()).sum::<f64>();
        let heads =
            [self.heading, "derivative", "calls", "own ms", "share", "total ms", "GFLOP", "GFLOP/s", "MB"];
        let mut table = vec![heads.map(str::to_owned).to_vec()];
        for row in &self.rows {
            let millis = |time: Duration| format!("{:.3}", time.as_secs_f64() * 1e3);
            let name =
                if row.kind == EventKind::Rule { format!("rule of {}", row.name) } else { row.name.clone() };
            let share = if whole > 0.0 { 100.0 * row.own.as_secs_f64() / whole } else { 0.0 };
            let worked = |text: String| if row.flops == 0 { String::new() } else { text };
            table.push(vec![
                name,
                order_name(row.order).to_owned(),
                row.calls.to_string(),
                millis(row.own),
                format!("{share:.1} %"),
                millis(row.time),
                worked(format!("{:.4}", row.flops as f64 / 1e9)),
                worked(format!("{:.2}", row.flops_per_second() / 1e9)),
                if row.bytes == 0 { String::new() } else { format!("{:.3}", row.bytes as f64 / 1e6) },
            ]);
        }
        let width = |i: usize| table.iter().map(|row| row[i].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..heads.len()).map(width).collect();
        for row in &table {
            let cells = row.iter().zip(&widths).enumerate().map(|(i, (cell, &width))| match i {
                0 | 1 => format!("{cell:width$}"),
                _ => format!("{cell:>width$}"),
            });
            writeln!(f, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        writeln!(f, "{:.3} ms in all", self.wall.as_secs_f64() * 1e3)
    }
}

/// Of derivatives of that order; values are none.
pub(super) fn order_name(order: u8) -> &'static str {
    match order {
        0 => "",
        1 => "first",
        2 => "second",
        3 => "third",
        _ => "higher",
    }
}

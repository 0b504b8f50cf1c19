//! Lines of equal value on a grid.

use std::collections::HashMap;

use crate::geometry::Point;

/// Values at the nodes of a rectangular grid, row by row.
pub(crate) struct Grid {
    pub(crate) columns: usize,
    pub(crate) values: Vec<f64>,
}

impl Grid {
    fn at(&self, column: usize, row: usize) -> f64 {
        self.values[row * self.columns + column]
    }

    /// The lines where the values, interpolated linearly, are `level`, in units of the grid (marching squares;
    /// Lorensen and Cline 1987 in the plane). Where a cell is a saddle its lines part so that they do not cross.
    pub(crate) fn lines(&self, level: f64) -> Vec<Vec<Point>> {
        let rows = self.values.len() / self.columns;
        let mut segments: Vec<[Edge; 2]> = Vec::new();
        for row in 0..rows.saturating_sub(1) {
            for column in 0..self.columns - 1 {
                let corners = [(column, row), (column + 1, row), (column + 1, row + 1), (column, row + 1)];
                let high = corners.map(|(c, r)| self.at(c, r) >= level);
                let edges = [
                    Edge { column, row, down: false },
                    Edge { column: column + 1, row, down: true },
                    Edge { column, row: row + 1, down: false },
                    Edge { column, row, down: true },
                ];
                let crossed: Vec<Edge> =
                    (0..4).filter(|&i| high[i] != high[(i + 1) % 4]).map(|i| edges[i]).collect();
                match crossed[..] {
                    [a, b] => segments.push([a, b]),
                    [a, b, c, d] => segments.extend([[a, b], [c, d]]),
                    _ => {}
                }
            }
        }
        chain(&segments).iter().map(|line| line.iter().map(|e| self.crossing(e, level)).collect()).collect()
    }

    fn crossing(&self, edge: &Edge, level: f64) -> Point {
        let (c, r) = (edge.column, edge.row);
        let (next_c, next_r) = if edge.down { (c, r + 1) } else { (c + 1, r) };
        let (from, to) = (self.at(c, r), self.at(next_c, next_r));
        let part = ((level - from) / (to - from)).clamp(0.0, 1.0);
        let part = if part.is_nan() { 0.5 } else { part };
        let (c, r) = (c as f64, r as f64);
        if edge.down { (c, r + part) } else { (c + part, r) }
    }
}

/// The side of a cell that begins at a node and goes down or right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Edge {
    column: usize,
    row: usize,
    down: bool,
}

/// Segments joined to lines where they share an edge.
fn chain(segments: &[[Edge; 2]]) -> Vec<Vec<Edge>> {
    let mut at: HashMap<Edge, Vec<usize>> = HashMap::new();
    for (i, segment) in segments.iter().enumerate() {
        for edge in segment {
            at.entry(*edge).or_default().push(i);
        }
    }
    let mut used = vec![false; segments.len()];
    // Lines that end at the border begin there, before the closed ones.
    let open = (0..segments.len()).filter(|&i| segments[i].iter().any(|e| at[e].len() == 1));
    let mut lines = Vec::new();
    for start in open.chain(0..segments.len()) {
        if used[start] {
            continue;
        }
        used[start] = true;
        let [mut first, mut last] = segments[start];
        if at[&last].len() == 1 {
            (first, last) = (last, first);
        }
        let mut line = vec![first, last];
        while let Some(&next) = at[&last].iter().find(|&&i| !used[i]) {
            used[next] = true;
            let [a, b] = segments[next];
            last = if a == last { b } else { a };
            line.push(last);
        }
        lines.push(line);
    }
    lines
}

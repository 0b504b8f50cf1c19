//! Lines in pixels: clipping, thinning, dashes.

/// A point in pixels.
pub(crate) type Point = (f64, f64);

/// The parts of a line that are inside the rectangle from `low` to `high`. A point that is not finite is a gap.
pub(crate) fn clip(line: impl IntoIterator<Item = Point>, low: Point, high: Point) -> Vec<Vec<Point>> {
    let mut parts: Vec<Vec<Point>> = Vec::new();
    let mut before: Option<Point> = None;
    let mut open = false;
    for point in line {
        if !(point.0.is_finite() && point.1.is_finite()) {
            (before, open) = (None, false);
            continue;
        }
        if let Some((from, to)) = before.and_then(|b| clip_segment(b, point, low, high)) {
            match parts.last_mut() {
                Some(part) if open => part.push(to),
                _ => parts.push(vec![from, to]),
            }
            open = to == point;
        } else {
            open = false;
        }
        before = Some(point);
    }
    parts
}

/// The part of one segment inside the rectangle (Liang and Barsky 1984).
fn clip_segment(from: Point, to: Point, low: Point, high: Point) -> Option<(Point, Point)> {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let (mut enter, mut leave) = (0.0f64, 1.0f64);
    for (delta, room) in
        [(-dx, from.0 - low.0), (dx, high.0 - from.0), (-dy, from.1 - low.1), (dy, high.1 - from.1)]
    {
        if delta == 0.0 {
            if room < 0.0 {
                return None;
            }
        } else if delta < 0.0 {
            enter = enter.max(room / delta);
        } else {
            leave = leave.min(room / delta);
        }
    }
    let at = |t: f64| (from.0 + t * dx, from.1 + t * dy);
    // The ends that are inside are kept as they are, to the bit.
    let first = if enter == 0.0 { from } else { at(enter) };
    let last = if leave == 1.0 { to } else { at(leave) };
    (enter <= leave).then_some((first, last))
}

/// The line without points that are nearer than `distance` to the one before; the last point stays.
pub(crate) fn thin(line: &[Point], distance: f64) -> Vec<Point> {
    let mut kept: Vec<Point> = Vec::new();
    for (i, &point) in line.iter().enumerate() {
        let near = kept.last().is_some_and(|k| (k.0 - point.0).hypot(k.1 - point.1) < distance);
        if near && i + 1 == line.len() && kept.len() > 1 {
            kept.pop();
        }
        if !near || i + 1 == line.len() {
            kept.push(point);
        }
    }
    kept
}

/// The strokes of a dashed line, whose pattern is strokes and gaps by turns; the whole line without a pattern.
pub(crate) fn dash(line: &[Point], pattern: &[f64]) -> Vec<Vec<Point>> {
    if pattern.is_empty() {
        return vec![line.to_vec()];
    }
    let mut strokes = Vec::new();
    let (mut turn, mut left) = (0, pattern[0]);
    let mut stroke: Vec<Point> = line.first().copied().into_iter().collect();
    for pair in line.windows(2) {
        let (mut from, to) = (pair[0], pair[1]);
        loop {
            let length = (to.0 - from.0).hypot(to.1 - from.1);
            if length <= left {
                left -= length;
                if turn % 2 == 0 {
                    stroke.push(to);
                }
                break;
            }
            let part = left / length;
            from = (from.0 + part * (to.0 - from.0), from.1 + part * (to.1 - from.1));
            if turn % 2 == 0 {
                stroke.push(from);
                strokes.push(std::mem::take(&mut stroke));
            } else {
                stroke = vec![from];
            }
            turn = (turn + 1) % pattern.len();
            left = pattern[turn];
        }
    }
    if stroke.len() > 1 {
        strokes.push(stroke);
    }
    strokes
}

/// The line parted where it turns by more than 120°: one thick line through such a corner would be drawn thin.
pub(crate) fn smooth_parts(line: &[Point]) -> Vec<Vec<Point>> {
    let mut parts = vec![line.iter().take(1).copied().collect::<Vec<Point>>()];
    for (i, &point) in line.iter().enumerate().skip(1) {
        let before = line[i - 1];
        if i > 1 {
            let (first, second) = (minus(before, line[i - 2]), minus(point, before));
            let cosine = first.0 * second.0 + first.1 * second.1;
            if cosine < -0.5 * first.0.hypot(first.1) * second.0.hypot(second.1) {
                parts.push(vec![before]);
            }
        }
        if let Some(part) = parts.last_mut() {
            part.push(point);
        }
    }
    parts
}

fn minus(a: Point, b: Point) -> Point {
    (a.0 - b.0, a.1 - b.1)
}

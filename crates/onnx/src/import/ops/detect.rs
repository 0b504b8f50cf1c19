//! What detectors of objects have: boxes that do not overlap, and images cut out by boxes.

use wengert_tape::Var;
use wengert_tensor::{Float, Shape, Tensor};

use super::super::call::{Call, Produced, lengths};
use super::super::error::Problem;
use super::super::value::Value;
use super::{Operator, operator};

pub(super) fn table<T: Float>() -> Vec<Operator<T>> {
    vec![
        operator("NonMaxSuppression", 10, (2, 5), "center_point_box:i", non_max_suppression),
        operator(
            "RoiAlign",
            10,
            (3, 3),
            "coordinate_transformation_mode:s mode:s output_height:i output_width:i sampling_ratio:i spatial_scale:f",
            roi_align,
        ),
    ]
}

/// Lower and upper ends of a box along both axes.
type Corners = [[f64; 2]; 2];

fn corners([a, b, c, d]: [f64; 4], centred: bool) -> Corners {
    if centred {
        return [[a - c / 2.0, a + c / 2.0], [b - d / 2.0, b + d / 2.0]];
    }
    [[a.min(c), a.max(c)], [b.min(d), b.max(d)]]
}

/// The area that two boxes share, over that of both.
fn overlap(a: &Corners, b: &Corners) -> f64 {
    let area = |[x, y]: &Corners| (x[1] - x[0]) * (y[1] - y[0]);
    let shared = |i: usize| (a[i][1].min(b[i][1]) - a[i][0].max(b[i][0])).max(0.0);
    let both = shared(0) * shared(1);
    let all = area(a) + area(b) - both;
    if all > 0.0 { both / all } else { 0.0 }
}

fn non_max_suppression<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let (boxes, scores) = (call.float(0)?, call.float(1)?);
    call.exactly(1, 3)?;
    let [batch, classes, count] = [0, 1, 2].map(|i| scores.shape()[i]);
    call.of_shape(0, &[batch, count, 4])?;
    let most = call.number(2, "")?.unwrap_or(0.0);
    let (threshold, least) = (call.number(3, "")?.unwrap_or(0.0), call.number(4, "")?);
    let centred = call.attributes.int("center_point_box", 0) != 0;
    let (boxes, scores) = (numbers(boxes), numbers(scores));
    let mut selected: Vec<i64> = Vec::new();
    for (example, boxes) in boxes.chunks(4 * count.max(1)).enumerate().take(batch) {
        let boxes: Vec<Corners> = boxes.as_chunks().0.iter().map(|&of| corners(of, centred)).collect();
        for class in 0..classes {
            let score = |i: usize| scores[(example * classes + class) * count + i];
            let mut order: Vec<usize> = (0..count).filter(|&i| least.is_none_or(|s| score(i) > s)).collect();
            order.sort_by(|&i, &j| score(j).total_cmp(&score(i)));
            let mut kept: Vec<usize> = Vec::new();
            for i in order {
                if kept.len() as f64 >= most {
                    break;
                }
                if kept.iter().all(|&k| overlap(&boxes[k], &boxes[i]) <= threshold) {
                    kept.push(i);
                    selected.extend([example, class, i].map(|n| n as i64));
                }
            }
        }
    }
    let shape = [selected.len() / 3, 3];
    Ok(vec![Value::from_ints(&selected, shape)?])
}

fn numbers<T: Float>(x: &Var<T>) -> Vec<f64> {
    x.value().iter().map(Float::to_f64).collect()
}

/// Where a box is read: the places of four neighbours and their weights, for each tap of each cell.
struct Taps<T> {
    places: Vec<u32>,
    weights: Vec<T>,
    /// Taps of a cell.
    each: usize,
}

/// How boxes are read.
struct Align {
    cells: [usize; 2],
    ratio: usize,
    scale: f64,
    half_pixel: bool,
}

impl Align {
    /// The taps of a box (x₁, y₁, x₂, y₂) in an image of that size.
    fn taps<T: Float>(&self, call: &Call<'_, T>, of: &[f64], size: [usize; 2]) -> Result<Taps<T>, Problem> {
        let offset = if self.half_pixel { 0.5 } else { 0.0 };
        let ends = [[of[1], of[3]], [of[0], of[2]]].map(|ends| ends.map(|end| end * self.scale - offset));
        let extents =
            ends.map(|[start, end]| if self.half_pixel { end - start } else { (end - start).max(1.0) });
        let cell = [0, 1].map(|axis| extents[axis] / self.cells[axis] as f64);
        let grid = cell.map(|cell| if self.ratio > 0 { self.ratio as f64 } else { cell.ceil().max(0.0) });
        let shape = [self.cells[0], self.cells[1]].map(|n| n as f64);
        let all = shape[0] * shape[1] * grid[0] * grid[1] * 4.0;
        // Also where a box is no number.
        if all.is_nan() || all > call.limit as f64 {
            let shape = vec![self.cells[0] as i64, self.cells[1] as i64, grid[0] as i64, grid[1] as i64, 4];
            return Err(Problem::TooLarge { shape, limit: call.limit });
        }
        let grid = grid.map(|n| n as usize);
        let at = |axis: usize, of_cell: usize, tap: usize| {
            let within = (tap as f64 + 0.5) * cell[axis] / grid[axis] as f64;
            neighbours(ends[axis][0] + of_cell as f64 * cell[axis] + within, size[axis])
        };
        let mut taps = Taps { places: Vec::new(), weights: Vec::new(), each: grid[0] * grid[1] * 4 };
        for (row, column) in (0..self.cells[0]).flat_map(|row| (0..self.cells[1]).map(move |c| (row, c))) {
            for (i, j) in (0..grid[0]).flat_map(|i| (0..grid[1]).map(move |j| (i, j))) {
                for (y, of_y) in at(0, row, i) {
                    for (x, of_x) in at(1, column, j) {
                        taps.places.push((y * size[1] + x) as u32);
                        taps.weights.push(T::from_f64(of_y * of_x));
                    }
                }
            }
        }
        Ok(taps)
    }
}

/// The two pixels beside a position, with their weights, which are 0 far from the image.
fn neighbours(at: f64, size: usize) -> [(usize, f64); 2] {
    if !(at >= -1.0 && at <= size as f64) {
        return [(0, 0.0); 2];
    }
    let at = at.clamp(0.0, (size - 1) as f64);
    let low = at.floor() as usize;
    [(low, 1.0 - at.fract()), ((low + 1).min(size - 1), at.fract())]
}

fn roi_align<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let (x, rois, batch) = (call.float(0)?, call.float(1)?, call.ints(2)?.to_vec());
    call.exactly(0, 4)?;
    call.of_shape(1, &[batch.len(), 4])?;
    let attributes = call.attributes;
    let size = |name| Ok::<_, Problem>(lengths(name, &[attributes.int(name, 1)])?[0]);
    let cells = [size("output_height")?, size("output_width")?];
    let ratio = lengths("sampling_ratio", &[attributes.int("sampling_ratio", 0)])?[0];
    let half_pixel = match attributes.text("coordinate_transformation_mode") {
        None => call.opset >= 16,
        Some("half_pixel") => true,
        Some("output_half_pixel") => false,
        Some(other) => return Err(Problem::setting("coordinate_transformation_mode", other)),
    };
    let largest = match attributes.text("mode").unwrap_or("avg") {
        "avg" => false,
        "max" => true,
        other => return Err(Problem::setting("mode", other)),
    };
    let align = Align { cells, ratio, scale: attributes.float("spatial_scale", 1.0), half_pixel };
    let [examples, channels, height, width] = [0, 1, 2, 3].map(|i| x.shape()[i]);
    if x.is_empty() {
        return Err(call.unlike(0, "images with elements"));
    }
    let result: Shape = call.sized([batch.len(), channels, cells[0], cells[1]])?;
    let planes = x.reshape([examples, channels, height * width]);
    let mut parts = Vec::new();
    for (&example, of) in batch.iter().zip(numbers(rois).chunks(4)) {
        let place = usize::try_from(example).ok().filter(|&place| place < examples);
        let place = place.ok_or(Problem::Index { index: example, length: examples })?;
        let Taps { places, weights, each } = align.taps(call, of, [height, width])?;
        let shape = call.sized([channels, cells[0] * cells[1], each])?;
        if each == 0 {
            parts.push(Var::zeros([channels, cells[0] * cells[1]]));
            continue;
        }
        let read = planes.select(0, place as isize).index_select(1, Tensor::vector(&places));
        let weighted = (read * Var::constant(Tensor::vector(&weights))).reshape(shape);
        // A mean over positions, each of them the sum of its four taps; or the largest of all taps, as ONNX has it.
        parts.push(if largest {
            weighted.max_axes(2, false)
        } else {
            weighted.sum_axes(2, false) / (each / 4) as f64
        });
    }
    if parts.is_empty() {
        return Ok(vec![Value::Float(Var::zeros(result))]);
    }
    Ok(vec![Value::Float(Var::stack(&parts, 0).reshape(result))])
}

//! Resampling: along each axis every new element is a weighted sum of a few old ones.

use wengert_tape::Var;
use wengert_tensor::{Float, Shape, Tensor};

use super::super::call::{Call, Produced, axes_of, axis_of};
use super::super::error::Problem;
use super::super::value::Value;
use super::{Operator, operator};

pub(super) fn table<T: Float>() -> Vec<Operator<T>> {
    let settings = "antialias:i axes:ii coordinate_transformation_mode:s cubic_coeff_a:f exclude_outside:i extrapolation_value:f keep_aspect_ratio_policy:s mode:s nearest_mode:s";
    vec![
        operator("Resize", 10, (2, 4), settings, resize),
        operator("Upsample", 7, (1, 2), "mode:s scales:ff", upsample),
    ]
}

/// How new elements come of old ones.
struct Settings<'a> {
    mode: &'a str,
    places: &'a str,
    nearest: &'a str,
    a: f64,
    antialias: bool,
    exclude_outside: bool,
    outside: f64,
}

/// An axis and how it changes.
struct Change {
    axis: usize,
    length: usize,
    scale: f64,
    region: (f64, f64),
}

/// A new element: old positions with weights, or the number that is outside.
enum Taps {
    Sum(Vec<(usize, f64)>),
    Outside,
}

fn settings<'a, T: Float>(call: &'a Call<'_, T>) -> Result<Settings<'a>, Problem> {
    let attributes = call.attributes;
    let settings = Settings {
        mode: attributes.text("mode").unwrap_or("nearest"),
        // Opset 10 has no choice.
        places: attributes.text("coordinate_transformation_mode").unwrap_or(if call.opset < 11 {
            "asymmetric"
        } else {
            "half_pixel"
        }),
        nearest: attributes.text("nearest_mode").unwrap_or(if call.opset < 11 {
            "floor"
        } else {
            "round_prefer_floor"
        }),
        a: attributes.float("cubic_coeff_a", -0.75),
        antialias: attributes.int("antialias", 0) != 0,
        exclude_outside: attributes.int("exclude_outside", 0) != 0,
        outside: attributes.float("extrapolation_value", 0.0),
    };
    let known = |name, value: &str, all: &[&str]| match all.contains(&value) {
        true => Ok(()),
        false => Err(Problem::setting(name, value)),
    };
    known("mode", settings.mode, &["nearest", "linear", "cubic"])?;
    known("nearest_mode", settings.nearest, &["floor", "ceil", "round_prefer_floor", "round_prefer_ceil"])?;
    let places = [
        "half_pixel",
        "half_pixel_symmetric",
        "pytorch_half_pixel",
        "align_corners",
        "asymmetric",
        "tf_crop_and_resize",
    ];
    known("coordinate_transformation_mode", settings.places, &places)?;
    Ok(settings)
}

fn resize<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let x = call.float(0)?;
    let shape = x.shape();
    let settings = settings(call)?;
    let axes = match call.attributes.ints("axes") {
        Some(axes) => axes.iter().map(|&axis| axis_of(axis, shape.len())).collect::<Result<Vec<_>, _>>()?,
        None => (0..shape.len()).collect(),
    };
    axes_of(&axes.iter().map(|&axis| axis as i64).collect::<Vec<_>>(), shape.len())?;
    // Opset 10 has no region of interest.
    let at = if call.opset < 11 { 1 } else { 2 };
    let scales =
        call.given(at).map(|scales| scales.to_f64().value().to_vec()).filter(|scales| !scales.is_empty());
    let regions = match call.given(1).filter(|_| at == 2 && settings.places == "tf_crop_and_resize") {
        Some(region) => region.to_f64().value().to_vec(),
        None => [vec![0.0; axes.len()], vec![1.0; axes.len()]].concat(),
    };
    if regions.len() != 2 * axes.len() {
        return Err(call.unlike(1, format!("[{}]", 2 * axes.len())));
    }
    let sizes = match call.given(3) {
        Some(_) => Some(call.ints(3)?.to_vec()).filter(|sizes| !sizes.is_empty()),
        None => None,
    };
    let count = scales.as_ref().map_or_else(|| sizes.as_ref().map_or(0, Vec::len), Vec::len);
    if count != axes.len() {
        return Err(Problem::setting("scales", format!("{count} numbers for {} axes", axes.len())));
    }
    let mut changes = Vec::new();
    for (i, &axis) in axes.iter().enumerate() {
        let old = shape[axis] as f64;
        let (length, scale) = match (&scales, &sizes) {
            (Some(scales), _) => ((old * scales[i]).floor(), scales[i]),
            (None, Some(sizes)) => {
                let ratios = || axes.iter().zip(sizes).map(|(&axis, &size)| size as f64 / shape[axis] as f64);
                match call.attributes.text("keep_aspect_ratio_policy").unwrap_or("stretch") {
                    "stretch" => (sizes[i] as f64, sizes[i] as f64 / old),
                    policy @ ("not_larger" | "not_smaller") => {
                        let scale = if policy == "not_larger" {
                            ratios().fold(f64::INFINITY, f64::min)
                        } else {
                            ratios().fold(0.0, f64::max)
                        };
                        ((old * scale).round(), scale)
                    }
                    other => return Err(Problem::setting("keep_aspect_ratio_policy", other)),
                }
            }
            (None, None) => (old, 1.0),
        };
        // NaN, too.
        if !(length >= 0.0 && scale > 0.0 && scale.is_finite()) || (old == 0.0 && length > 0.0) {
            return Err(Problem::setting("scales", format!("{scale} of {old} positions")));
        }
        let region = (regions[i], regions[axes.len() + i]);
        call.size(&[length as i64])?;
        changes.push(Change { axis, length: length as usize, scale, region });
    }
    resampled(call, x, &settings, &changes)
}

fn upsample<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let x = call.float(0)?;
    let scales = match call.attributes.floats("scales") {
        Some(scales) => scales.to_vec(),
        None => call.value(1)?.to_f64().value().to_vec(),
    };
    if scales.len() != x.rank() || scales.iter().any(|&scale| !(scale > 0.0 && scale.is_finite())) {
        return Err(Problem::setting("scales", format!("{scales:?} for {} axes", x.rank())));
    }
    let mut changes = Vec::new();
    for (axis, &scale) in scales.iter().enumerate() {
        let length = (x.shape()[axis] as f64 * scale).floor();
        call.size(&[length as i64])?;
        changes.push(Change { axis, length: length as usize, scale, region: (0.0, 1.0) });
    }
    let mode = match call.attributes.text("mode").unwrap_or("nearest") {
        "nearest" => "nearest",
        "linear" | "bilinear" => "linear",
        other => return Err(Problem::setting("mode", other)),
    };
    let settings = Settings {
        mode,
        places: "asymmetric",
        nearest: "floor",
        a: -0.75,
        antialias: false,
        exclude_outside: false,
        outside: 0.0,
    };
    resampled(call, x, &settings, &changes)
}

fn resampled<T: Float>(
    call: &Call<'_, T>,
    x: &Var<T>,
    settings: &Settings<'_>,
    changes: &[Change],
) -> Produced<T> {
    let mut shape = x.shape().to_vec();
    let mut outside = vec![Vec::new(); x.rank()];
    let mut y = x.clone();
    for change in changes {
        let old = shape[change.axis];
        if old == change.length && change.scale == 1.0 && settings.places != "tf_crop_and_resize" {
            continue;
        }
        shape[change.axis] = change.length;
        call.sized(shape.iter().copied())?;
        let taps: Vec<Taps> = (0..change.length).map(|i| taps(settings, change, old, i)).collect();
        outside[change.axis] = taps.iter().map(|taps| matches!(taps, Taps::Outside)).collect();
        y = along(&y, change.axis, &taps);
    }
    for (axis, outside) in outside.into_iter().enumerate().filter(|(_, outside)| outside.contains(&true)) {
        let mut along = vec![1; x.rank()];
        along[axis] = outside.len();
        let mask = Tensor::from_vec(outside, along).expect("one for each position");
        y = y.masked_fill(mask.broadcast_to(y.shape()), settings.outside);
    }
    Ok(vec![Value::Float(y)])
}

/// Where a new element lies among the old ones; `None` if it is outside and that counts.
fn place(settings: &Settings<'_>, change: &Change, old: usize, i: usize) -> Option<f64> {
    let (x, scale, last) = (i as f64, change.scale, old as f64 - 1.0);
    let width = scale * old as f64;
    Some(match settings.places {
        "align_corners" => {
            if width == 1.0 {
                0.0
            } else {
                x * last / (width - 1.0)
            }
        }
        "asymmetric" => x / scale,
        "pytorch_half_pixel" if width == 1.0 => -0.5,
        "half_pixel_symmetric" => {
            let adjustment = change.length as f64 / width;
            old as f64 / 2.0 * (1.0 - adjustment) + (x + 0.5) / scale - 0.5
        }
        "tf_crop_and_resize" => {
            let (start, end) = change.region;
            let within = if width == 1.0 {
                (end - start) * last / 2.0
            } else {
                x * (end - start) * last / (width - 1.0)
            };
            let place = start * last + within;
            return (place >= 0.0 && place <= last).then_some(place);
        }
        _ => (x + 0.5) / scale - 0.5,
    })
}

fn taps(settings: &Settings<'_>, change: &Change, old: usize, i: usize) -> Taps {
    let Some(place) = place(settings, change, old, i) else { return Taps::Outside };
    let last = old as i64 - 1;
    if settings.mode == "nearest" {
        let nearest = match settings.nearest {
            "floor" => place.floor(),
            "ceil" => place.ceil(),
            "round_prefer_ceil" => (place + 0.5).floor(),
            _ => (place - 0.5).ceil(),
        };
        return Taps::Sum(vec![((nearest as i64).clamp(0, last) as usize, 1.0)]);
    }
    // The old element before, and how far behind it the new one lies.
    let base = place.ceil() - 1.0;
    let ratio = place - base;
    let shrink = if settings.antialias { change.scale.min(1.0) } else { 1.0 };
    let reach = if settings.mode == "linear" { 1.0 } else { 2.0 };
    let start = (-reach / shrink).floor() as i64 + 1;
    let weight = |offset: i64| {
        let distance = ((offset as f64 - ratio) * shrink).abs();
        if settings.mode == "linear" { (1.0 - distance).max(0.0) } else { cubic(distance, settings.a) }
    };
    let mut taps: Vec<(i64, f64)> =
        (start..2 - start).map(|offset| ((base as i64).saturating_add(offset), weight(offset))).collect();
    if settings.exclude_outside {
        taps.retain(|&(at, _)| (0..=last).contains(&at));
    }
    let sum: f64 = taps.iter().map(|(_, weight)| weight).sum();
    let normalised = settings.antialias || settings.exclude_outside;
    let weight = |weight: f64| if normalised && sum != 0.0 { weight / sum } else { weight };
    Taps::Sum(taps.into_iter().map(|(at, w)| (at.clamp(0, last) as usize, weight(w))).collect())
}

/// Keys' kernel.
fn cubic(x: f64, a: f64) -> f64 {
    if x <= 1.0 {
        ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        ((a * x - 5.0 * a) * x + 8.0 * a) * x - 4.0 * a
    } else {
        0.0
    }
}

/// The sums of the taps along an axis: one selection for each number of the tap.
fn along<T: Float>(x: &Var<T>, axis: usize, taps: &[Taps]) -> Var<T> {
    let of = |taps: &Taps, tap: usize| match taps {
        Taps::Sum(list) => list.get(tap).copied().unwrap_or((0, 0.0)),
        Taps::Outside => (0, 0.0),
    };
    let most =
        taps.iter().map(|taps| if let Taps::Sum(list) = taps { list.len() } else { 1 }).max().unwrap_or(1);
    let mut along = vec![1; x.rank()];
    along[axis] = taps.len();
    let mut sum: Option<Var<T>> = None;
    for tap in 0..most {
        let places: Vec<u32> = taps.iter().map(|taps| of(taps, tap).0 as u32).collect();
        let weights: Vec<T> = taps.iter().map(|taps| T::from_f64(of(taps, tap).1)).collect();
        let selected = x.index_select(axis, Tensor::vector(&places));
        let term = if weights.iter().all(|&w| w == T::ONE) {
            selected
        } else {
            selected
                * Var::constant(
                    Tensor::from_vec(weights, Shape::from(along.clone())).expect("one for each position"),
                )
        };
        sum = Some(match sum {
            Some(sum) => sum + term,
            None => term,
        });
    }
    sum.unwrap_or_else(|| x.clone())
}

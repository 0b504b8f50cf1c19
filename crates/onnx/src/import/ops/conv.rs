//! Convolutions.

use wengert_tape::Var;
use wengert_tensor::conv::ConvOptions;
use wengert_tensor::{Float, Shape};

use super::super::call::{Call, Produced};
use super::super::error::Problem;
use super::super::value::Value;
use super::window::{Window, array, by_axes, numbers};
use super::{Operator, operator};

pub(super) const SETTINGS: &str = "auto_pad:s dilations:ii group:i kernel_shape:ii pads:ii strides:ii";

pub(super) fn table<T: Float>() -> Vec<Operator<T>> {
    vec![
        operator("Conv", 1, (2, 3), SETTINGS, conv),
        operator(
            "ConvTranspose",
            1,
            (2, 3),
            "auto_pad:s dilations:ii group:i kernel_shape:ii output_padding:ii output_shape:ii pads:ii strides:ii",
            conv_transpose,
        ),
    ]
}

/// What is convolved, in shapes that fit.
pub(super) struct Operands<'a, S: Float> {
    x: &'a Var<S>,
    weight: &'a Var<S>,
    bias: Option<&'a Var<S>>,
    groups: usize,
}

impl<'a, S: Float> Operands<'a, S> {
    /// Image and weight, and a bias that stands at that input.
    pub(super) fn of<T: Float>(
        call: &Call<'_, T>,
        [x, weight]: [&'a Var<S>; 2],
        bias: Option<(usize, &'a Var<S>)>,
        transposed: bool,
    ) -> Result<Self, Problem> {
        let groups = call.attributes.int("group", 1);
        let groups = usize::try_from(groups).ok().filter(|&groups| groups > 0 && groups < 1 << 31);
        let Some(groups) = groups else { return Err(Problem::setting("group", "not a positive number")) };
        call.at_least(0, 3)?;
        let (image, kernel) = (x.shape(), weight.shape());
        let unlike = |what| Err(Problem::Shapes { what, first: image.clone(), second: kernel.clone() });
        if image.len() != kernel.len() {
            return unlike("are no image and weight, as they differ in rank");
        }
        if image[2..].contains(&0) || kernel.contains(&0) {
            return unlike("are image and weight without elements along an axis");
        }
        let fits = if transposed {
            image[1] == kernel[0] && image[1].is_multiple_of(groups)
        } else {
            kernel[1].checked_mul(groups) == Some(image[1]) && kernel[0].is_multiple_of(groups)
        };
        if !fits {
            return unlike("are image and weight whose channels do not fit the groups");
        }
        if let Some((input, _)) = bias {
            call.of_shape(input, &[if transposed { kernel[1] * groups } else { kernel[0] }])?;
        }
        Ok(Operands { x, weight, bias: bias.map(|(_, bias)| bias), groups })
    }
}

fn operands<'a, T: Float>(call: &'a Call<'_, T>, transposed: bool) -> Result<Operands<'a, T>, Problem> {
    let bias = call.given_float(2)?.map(|bias| (2, bias));
    Operands::of(call, [call.float(0)?, call.float(1)?], bias, transposed)
}

fn conv<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    Ok(vec![Value::Float(convolved(call, &operands(call, false)?)?)])
}

/// By the window of the operator's attributes.
pub(super) fn convolved<T: Float, S: Float>(
    call: &Call<'_, T>,
    operands: &Operands<'_, S>,
) -> Result<Var<S>, Problem> {
    let &Operands { x, weight, bias, groups } = operands;
    let window = Window::of(call, &x.shape()[2..], Some(&weight.shape()[2..]))?;
    let axes = x.rank() - 2;
    let size: Vec<usize> = (0..axes).map(|axis| window.positions(axis, x.shape()[axis + 2])).collect();
    if size.contains(&0) {
        return Err(call.unlike(0, format!("at least a window of {:?} along each axis", window.kernel)));
    }
    call.sized([&[x.shape()[0], weight.shape()[0]][..], &size].concat())?;
    let even = window.pads.iter().all(|(before, after)| before == after);
    let padded = if even { x.clone() } else { x.pad(&window.widths(|_| 0), 0.0) };
    let padding: Vec<usize> = window.pads.iter().map(|&(before, _)| if even { before } else { 0 }).collect();
    Ok(by_axes!(call, axes, D => {
        let options: ConvOptions<D> = ConvOptions {
            stride: array(&window.stride),
            padding: array(&padding),
            dilation: array(&window.dilation),
            groups,
        };
        padded.conv(weight, bias, options)
    }))
}

fn conv_transpose<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let Operands { x, weight, bias, groups } = operands(call, true)?;
    let axes = x.rank() - 2;
    let mut window = Window::of(call, &x.shape()[2..], Some(&weight.shape()[2..]))?;
    let mut more = numbers(call, "output_padding", axes, 0)?;
    // Of the windows alone.
    let full: Vec<usize> = (0..axes)
        .map(|axis| {
            (x.shape()[axis + 2] - 1).saturating_mul(window.stride[axis]).saturating_add(window.extent(axis))
        })
        .collect();
    let wanted = match call.attributes.ints("output_shape") {
        Some(_) => {
            let given = call.attributes.ints("output_shape").unwrap_or_default();
            // Some files give those of batch and channels, too.
            let last = &given[given.len().saturating_sub(axes)..];
            let wanted: Vec<usize> = last.iter().map(|&n| usize::try_from(n).unwrap_or(0)).collect();
            if wanted.len() != axes || wanted.contains(&0) {
                return Err(Problem::setting("output_shape", format!("{given:?}")));
            }
            Some(wanted)
        }
        None if call.attributes.text("auto_pad").is_some_and(|mode| mode.starts_with("SAME")) => {
            Some((0..axes).map(|axis| x.shape()[axis + 2].saturating_mul(window.stride[axis])).collect())
        }
        None => None,
    };
    if let Some(wanted) = wanted {
        let upper = call.attributes.text("auto_pad") == Some("SAME_UPPER");
        for axis in 0..axes {
            // What is missing is added behind.
            more[axis] = more[axis].max(wanted[axis].saturating_sub(full[axis]));
            let all = full[axis].saturating_add(more[axis]).saturating_sub(wanted[axis]);
            let less = if upper { all / 2 } else { all - all / 2 };
            window.pads[axis] = (less, all - less);
        }
    }
    let mut result = vec![x.shape()[0], weight.shape()[1] * groups];
    for axis in 0..axes {
        let (before, after) = window.pads[axis];
        let length = full[axis].saturating_add(more[axis]).checked_sub(before + after).filter(|&n| n > 0);
        let Some(length) = length else {
            return Err(call.unlike(0, format!("more pixels than the pads {:?} take off", window.pads)));
        };
        result.push(length);
    }
    call.sized(result.iter().copied())?;
    call.sized([&result[..2], &full].concat())?;
    let y = by_axes!(call, axes, D => {
        let options: ConvOptions<D> = ConvOptions {
            stride: array(&window.stride),
            padding: [0; D],
            dilation: array(&window.dilation),
            groups,
        };
        x.conv_transpose(weight, None, options, [0; D])
    });
    let mut y = y;
    let behind = [(0, 0), (0, 0)].into_iter().chain(more.iter().map(|&n| (0, n)));
    if more.iter().any(|&n| n > 0) {
        y = y.pad(&behind.collect::<Vec<_>>(), 0.0);
    }
    for axis in 0..axes {
        let (before, length) = (window.pads[axis].0, result[axis + 2]);
        if length != y.shape()[axis + 2] {
            y = y.slice_axis(axis + 2, before..before + length);
        }
    }
    if let Some(bias) = bias {
        let mut shape = vec![1; axes + 1];
        shape[0] = bias.len();
        y += bias.reshape(Shape::from(shape));
    }
    Ok(vec![Value::Float(y)])
}

//! Convolutions, pools, resampling and normalisation.

use wengert::tape::{
    Divisor, GridMode, GridPadding, GridSampleOptions, Interpolation, PoolOptions, Resize, Var,
};
use wengert::tensor::Float;
use wengert::tensor::conv::ConvOptions;

use super::{Results, one, with_places};
use crate::wire::Attrs;

pub(super) fn apply<T: Float>(name: &str, a: &Attrs, v: &[Var<T>]) -> Results<T> {
    if a.has("d") {
        return match a.int("d") {
            1 => along::<T, 1>(name, a, v),
            2 => along::<T, 2>(name, a, v),
            3 => along::<T, 3>(name, a, v),
            other => panic!("there are no windows over {other} axes"),
        };
    }
    let x = v.first()?;
    one(match name {
        "layer_norm" => x.layer_norm(&v[1], &v[2], a.number("eps")),
        "rms_norm" => x.rms_norm(&v[1], a.number("eps")),
        "group_norm" => x.group_norm(a.size("groups"), &v[1], &v[2], a.number("eps")),
        "instance_norm" => x.instance_norm(&v[1], &v[2], a.number("eps")),
        "batch_norm" => x.batch_norm(&v[1], &v[2], a.number("eps")),
        "grid_sample" => {
            let mode = match a.text("mode") {
                "nearest" => GridMode::Nearest,
                "bilinear" => GridMode::Linear,
                "bicubic" => GridMode::Cubic,
                other => panic!("there is no mode {other}"),
            };
            let padding = match a.text("padding") {
                "zeros" => GridPadding::Zeros,
                "border" => GridPadding::Border,
                "reflection" => GridPadding::Reflection,
                other => panic!("there is no padding {other}"),
            };
            x.grid_sample(&v[1], GridSampleOptions { mode, padding, align_corners: a.flag("align") })
        }
        _ => return None,
    })
}

/// What there is along one, two and three axes.
fn along<T: Float, const D: usize>(name: &str, a: &Attrs, v: &[Var<T>]) -> Results<T> {
    let x = &v[0];
    one(match name {
        "conv" => x.conv(&v[1], v.get(2), convolution::<D>(a)),
        "conv_transpose" => x.conv_transpose(&v[1], v.get(2), convolution::<D>(a), a.fixed("output_padding")),
        "unfold" => x.unfold::<D>(a.fixed("kernel"), convolution(a)),
        "fold" => x.fold::<D>(a.fixed("size"), a.fixed("kernel"), convolution(a)),
        "max_pool" => return with_places(x.max_pool_with_indices(window::<D>(a))),
        "avg_pool" => {
            let divisor: Divisor =
                if a.has("divisor") { a.size("divisor").into() } else { a.flag("count_padding").into() };
            x.avg_pool(window::<D>(a), divisor)
        }
        "lp_pool" => x.lp_pool(a.number("p"), window::<D>(a)),
        "adaptive_avg_pool" => x.adaptive_avg_pool::<D>(a.fixed("size")),
        "adaptive_max_pool" => return with_places(x.adaptive_max_pool_with_indices::<D>(a.fixed("size"))),
        "affine_grid" => x.affine_grid::<D>(a.fixed("size"), a.flag("align")),
        "interpolate" => {
            let align_corners = a.has("align") && a.flag("align");
            let mode = match a.text("mode") {
                "nearest" => Interpolation::Nearest,
                "nearest-exact" => Interpolation::NearestExact,
                "linear" => Interpolation::Linear { align_corners },
                "cubic" => Interpolation::Cubic { align_corners },
                "area" => Interpolation::Area,
                other => panic!("there is no mode {other}"),
            };
            let resize = if a.has("size") {
                Resize::Size(a.fixed("size"))
            } else {
                Resize::Scale(a.floats("scale").try_into().expect("a factor for each axis"))
            };
            x.interpolate::<D>(resize, mode)
        }
        _ => return None,
    })
}

fn convolution<const D: usize>(a: &Attrs) -> ConvOptions<D> {
    ConvOptions {
        stride: a.fixed("stride"),
        padding: a.fixed("padding"),
        dilation: a.fixed("dilation"),
        groups: if a.has("groups") { a.size("groups") } else { 1 },
    }
}

fn window<const D: usize>(a: &Attrs) -> PoolOptions<D> {
    PoolOptions {
        stride: a.fixed("stride"),
        padding: a.fixed("padding"),
        dilation: a.fixed("dilation"),
        ceil_mode: a.flag("ceil"),
        ..PoolOptions::new(a.fixed("kernel"))
    }
}

//! Convolutions, pools, borders and resampling against PyTorch: see `windows.py`.

use serde_json::{Value, json};
use wengert_nn::*;
use wengert_tape::{Interpolation, PadMode, Resize, Var};

use crate::support::{compare, name, section, with_params};

/// The numbers that `windows.py` makes.
fn formula(shape: &Value, seed: usize) -> Value {
    let lengths = shape.as_array().unwrap().iter().map(|d| d.as_u64().unwrap() as usize);
    let count: usize = lengths.product();
    let number = |i: usize| ((i * 7919 + seed * 104_729) % 4036) as f64 - 2018.0;
    json!({ "shape": shape, "values": (0..count).map(|i| number(i) / 4036.0).collect::<Vec<f64>>() })
}

fn golden(name: &str) -> Vec<Value> {
    let mut cases = section(include_str!("windows.json"), name);
    for case in &mut cases {
        let shapes = case["shapes"].as_array().unwrap();
        case["inputs"] = shapes.iter().enumerate().map(|(seed, shape)| formula(shape, seed)).collect();
    }
    cases
}

/// A layer without parameters, in both precisions.
fn of_input(case: &Value, layer: impl Layer<f64> + Layer<f32>) {
    Params::<f64>::seeded(0).infer(|cx| compare::<f64>(case, |x| layer.forward(cx, &x[0])));
    Params::<f32>::seeded(0).infer(|cx| compare::<f32>(case, |x| layer.forward(cx, &x[0])));
}

#[test]
fn convolutions_are_those_of_pytorch() {
    let cases = golden("convolutions");
    assert_eq!(cases.len(), 13);
    for case in &cases {
        let mut params: Params<f64> = Params::seeded(0);
        let p = params.root();
        let layer: Box<dyn Layer<f64>> = match name(case) {
            "Conv1d" => {
                Box::new(Conv1d::builder(4, 6, 3).stride(2).padding(2).dilation(2).groups(2).build(p))
            }
            "Conv1d same" => Box::new(Conv1d::builder(2, 3, 4).same().dilation(3).build(p)),
            "Conv1d circular" => Box::new(
                Conv1d::builder(2, 3, 3).padding(4).padding_mode(PadMode::Circular).no_bias().build(p),
            ),
            "Conv1d valid" => Box::new(Conv1d::new(p, 2, 3, 2)),
            "Conv2d reflect" => {
                let builder = Conv2d::builder(2, 3, [3, 2]).padding([1, 2]);
                Box::new(builder.padding_mode(PadMode::Reflect).build(p))
            }
            "Conv2d replicate same" => {
                Box::new(Conv2d::builder(2, 2, [2, 4]).same().padding_mode(PadMode::Replicate).build(p))
            }
            "Conv2d same" => Box::new(Conv2d::builder(2, 3, [2, 3]).padding_sides([[0, 1], [1, 1]]).build(p)),
            "Conv3d" => {
                let builder = Conv3d::builder(2, 4, [2, 3, 1]).stride([1, 2, 1]).padding([1, 2, 0]);
                Box::new(builder.dilation([2, 1, 1]).groups(2).build(p))
            }
            "Conv3d same" => {
                Box::new(Conv3d::builder(1, 2, [2, 1, 3]).same().padding_mode(PadMode::Circular).build(p))
            }
            "ConvTranspose1d" => {
                let builder = ConvTranspose1d::builder(4, 6, 3).stride(3).padding(1).output_padding(2);
                Box::new(builder.dilation(2).groups(2).build(p))
            }
            "ConvTranspose2d" => {
                let builder = ConvTranspose2d::builder(2, 3, [3, 2]).stride([2, 1]).padding([1, 0]);
                Box::new(builder.output_padding([1, 0]).build(p))
            }
            "ConvTranspose2d dilation" => {
                let builder = ConvTranspose2d::builder(2, 1, 2).output_padding([2, 1]).dilation([3, 2]);
                Box::new(builder.no_bias().build(p))
            }
            "ConvTranspose3d" => {
                let builder = ConvTranspose3d::builder(2, 2, [2, 1, 3]).stride([2, 1, 2]).padding([0, 0, 1]);
                Box::new(builder.output_padding([1, 0, 1]).build(p))
            }
            other => panic!("no test for {other}"),
        };
        with_params(&layer, &params, case);
    }
}

#[test]
fn pools_are_those_of_pytorch() {
    let cases = golden("pools");
    assert_eq!(cases.len(), 21);
    for case in &cases {
        match name(case) {
            "MaxPool1d" => {
                of_input(case, MaxPool1d::new(3).stride(2).padding(1).dilation(2).ceil_mode(true));
            }
            "MaxPool2d ceil" => {
                of_input(case, MaxPool2d::new([2, 3]).stride(2).padding([1, 0]).ceil_mode(true));
            }
            "MaxPool3d" => {
                let pool = MaxPool3d::new([2, 3, 2]).stride([1, 2, 2]).padding([1, 1, 0]);
                of_input(case, pool.ceil_mode(true));
            }
            "AvgPool1d" => of_input(case, AvgPool1d::new(3).stride(2).padding(1).ceil_mode(true)),
            "AvgPool1d inside" => {
                let pool = AvgPool1d::new(3).stride(2).padding(1).ceil_mode(true);
                of_input(case, pool.count_padding(false));
            }
            "AvgPool2d divisor" => {
                let pool = AvgPool2d::new([2, 3]).stride(2).padding(1).ceil_mode(true);
                of_input(case, pool.divisor(5));
            }
            "AvgPool3d" | "AvgPool3d inside" => {
                let pool = AvgPool3d::new([2, 3, 2]).stride([2, 2, 1]).padding([1, 1, 0]).ceil_mode(true);
                of_input(case, pool.count_padding(name(case) == "AvgPool3d"));
            }
            "AvgPool3d divisor" => of_input(case, AvgPool3d::new(2).stride(1).divisor(3)),
            "AdaptiveAvgPool1d" => of_input(case, AdaptiveAvgPool1d::new(3)),
            "AdaptiveAvgPool2d" => of_input(case, AdaptiveAvgPool2d::keeping([None, Some(4)])),
            "AdaptiveAvgPool3d" => of_input(case, AdaptiveAvgPool3d::new([2, 5, 1])),
            "AdaptiveMaxPool1d" => of_input(case, AdaptiveMaxPool1d::new(3)),
            "AdaptiveMaxPool2d" => of_input(case, AdaptiveMaxPool2d::keeping([Some(5), None])),
            "AdaptiveMaxPool3d" => of_input(case, AdaptiveMaxPool3d::new([2, 3, 1])),
            "LpPool1d" => {
                let pool = LpPool1d::new(3.0, 2).ceil_mode(true);
                Params::<f64>::seeded(0)
                    .infer(|cx| compare::<f64>(case, |x| pool.forward(cx, &(x[0].abs() + 0.1))));
            }
            "LpPool2d" => of_input(case, LpPool2d::new(2.0, [2, 3]).stride([1, 2])),
            "LpPool3d" => of_input(case, LpPool3d::new(2.0, 2).ceil_mode(true)),
            "MaxUnpool1d" => unpooled::<1>(case, [8]),
            "MaxUnpool2d" => unpooled::<2>(case, [5, 6]),
            "MaxUnpool3d" => unpooled::<3>(case, [4, 4, 5]),
            other => panic!("no test for {other}"),
        }
    }
}

fn unpooled<const D: usize>(case: &Value, size: [usize; D]) {
    let (pool, unpool) = (MaxPool::<D>::new(2), MaxUnpool::<D>::new(2).size(size));
    Params::<f64>::seeded(0).infer(|cx| {
        compare::<f64>(case, |x| unpool.forward(cx, &pool.with_indices(cx, &x[0])));
    });
}

#[test]
fn fractional_pools_are_those_of_pytorch() {
    let cases = golden("fractional");
    assert_eq!(cases.len(), 2);
    let samples = Var::from([[[0.2, 0.9], [0.5, 0.1]]]);
    compare::<f64>(&cases[0], |x| x[0].fractional_max_pool([2, 3], [3, 4], &samples).0);
    let samples = Var::from([[[0.2, 0.5, 0.9]], [[0.7, 0.0, 0.3]]]);
    compare::<f64>(&cases[1], |x| x[0].fractional_max_pool([2, 2, 3], [2, 3, 1], &samples).0);
}

#[test]
fn borders_are_those_of_pytorch() {
    let cases = golden("borders");
    assert_eq!(cases.len(), 15);
    let (one, two, three) = ([[2, 1]], [[0, 1], [2, 1]], [[1, 1], [0, 1], [2, 1]]);
    for case in &cases {
        match name(case) {
            "ZeroPad1d" => of_input(case, ZeroPad1d::new(one)),
            "ZeroPad2d" => of_input(case, ZeroPad2d::new(two)),
            "ZeroPad3d" => of_input(case, ZeroPad3d::new(three)),
            "ConstantPad1d" => of_input(case, ConstantPad1d::new(one, 3.5)),
            "ConstantPad2d" => of_input(case, ConstantPad2d::new(two, 3.5)),
            "ConstantPad3d" => of_input(case, ConstantPad3d::new(three, 3.5)),
            "ReflectionPad1d" => of_input(case, ReflectionPad1d::new(one)),
            "ReflectionPad2d" => of_input(case, ReflectionPad2d::new(two)),
            "ReflectionPad3d" => of_input(case, ReflectionPad3d::new(three)),
            "ReplicationPad1d" => of_input(case, ReplicationPad1d::new(one)),
            "ReplicationPad2d" => of_input(case, ReplicationPad2d::new(two)),
            "ReplicationPad3d" => of_input(case, ReplicationPad3d::new(three)),
            "CircularPad1d" => of_input(case, CircularPad1d::new(one)),
            "CircularPad2d" => of_input(case, CircularPad2d::new(two)),
            "CircularPad3d" => of_input(case, CircularPad3d::new(three)),
            other => panic!("no test for {other}"),
        }
    }
}

/// The numbers after the last bar of a case's name, as an array.
fn along<const D: usize>(text: &str) -> [f64; D] {
    let numbers: Vec<f64> = text.split(',').map(|number| number.parse().unwrap()).collect();
    numbers.try_into().unwrap()
}

#[test]
fn resampling_is_that_of_pytorch() {
    let cases = golden("resampling");
    assert_eq!(cases.len(), 71);
    for case in &cases {
        match case["shapes"][0].as_array().unwrap().len() {
            3 => resampled::<1>(case),
            4 => resampled::<2>(case),
            _ => resampled::<3>(case),
        }
    }
}

fn resampled<const D: usize>(case: &Value) {
    let parts: Vec<&str> = name(case).split('|').collect();
    let align_corners = parts[1] == "1";
    let mode = match parts[0] {
        "nearest" => Interpolation::Nearest,
        "nearest-exact" => Interpolation::NearestExact,
        "bicubic" => Interpolation::Cubic { align_corners },
        "area" => Interpolation::Area,
        _ => Interpolation::Linear { align_corners },
    };
    let numbers = along::<D>(parts[3]);
    let resize = match parts[2] {
        "size" => Resize::Size(numbers.map(|n| n as usize)),
        _ => Resize::Scale(numbers),
    };
    of_input(case, Upsample::new(resize, mode));
}

#[test]
fn other_layers_are_those_of_pytorch() {
    let cases = golden("others");
    assert_eq!(cases.len(), 8);
    for case in &cases {
        match name(case) {
            "UpsamplingNearest2d" => of_input(case, UpsamplingNearest2d::new(Resize::Scale([2.0; 2]))),
            "UpsamplingBilinear2d" => of_input(case, UpsamplingBilinear2d::new(Resize::Size([5, 4]))),
            "PixelShuffle" => of_input(case, PixelShuffle { factor: 2 }),
            "PixelUnshuffle" => of_input(case, PixelUnshuffle { factor: 3 }),
            "ChannelShuffle" => of_input(case, ChannelShuffle { groups: 3 }),
            "Unfold" => {
                of_input(case, Unfold::new([2, 3]).dilation([2, 1]).padding([1, 2]).stride([1, 2]));
            }
            "Fold" => {
                let fold = Fold::new([3, 4], [2, 3]).dilation([2, 1]).padding([1, 2]).stride([1, 2]);
                of_input(case, fold);
            }
            "Unflatten" => of_input(case, Unflatten::new(1, [2, 3])),
            other => panic!("no test for {other}"),
        }
    }
}

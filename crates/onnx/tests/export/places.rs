//! What is read at places that are computed: grids, quantiles, sorted rows, running extremes; and spectra.

use wengert_nn::{BagMode, EmbeddingBag, Layer, Linear, Params};
use wengert_onnx::Export;
use wengert_tape::{
    Data, FftNorm, FftOptions, GridMode, GridPadding, GridSampleOptions, Index, QuantileMethod, StftOptions,
    Var,
};
use wengert_tensor::{Float, Tensor};

use crate::models::{index, write};
use crate::zoo::check;

const MODES: [GridMode; 3] = [GridMode::Nearest, GridMode::Linear, GridMode::Cubic];
const PADDINGS: [GridPadding; 3] = [GridPadding::Zeros, GridPadding::Border, GridPadding::Reflection];

fn all_options() -> Vec<GridSampleOptions> {
    let mut all = Vec::new();
    for mode in MODES {
        for padding in PADDINGS {
            for align_corners in [false, true] {
                all.push(GridSampleOptions { mode, padding, align_corners });
            }
        }
    }
    all
}

/// A network that says where it looks, and one that looks where it always does.
fn grids<T: Float>() {
    let mut params: Params<T> = Params::seeded(3);
    let places = Linear::new(params.at("places"), 40, 6);
    check("affine_grid", &params, &[2, 4, 5], |cx, x| {
        let maps = places.forward(cx, &x.flatten(1, -1)).reshape([x.shape()[0], 2, 3]) * 2.0;
        let grid = maps.affine_grid([3, 4], false);
        all_options().into_iter().map(|options| x.grid_sample(&grid, options)).collect()
    });
    let params: Params<T> = Params::seeded(3);
    let fixed =
        Tensor::from_fn([1, 3, 4, 2], |i| T::from_f64(0.9 * (i[1] as f64 - 1.2 * i[2] as f64 + i[3] as f64)));
    check("fixed_grid", &params, &[2, 4, 5], |_, x| {
        let grid = Var::constant(fixed.clone()).broadcast_to([x.shape()[0], 3, 4, 2]);
        all_options().into_iter().map(|options| x.grid_sample(&grid, options) + x.mean()).collect()
    });
    // Volumes, and an axis of one element.
    let places = Tensor::from_fn([1, 2, 1, 2, 3], |i| {
        T::from_f64(0.7 * (i[1] as f64 - i[3] as f64) + 0.3 * i[4] as f64)
    });
    check("grid_of_volumes", &params, &[1, 3, 1, 4], |_, x| {
        let n = x.shape()[0];
        let grid = Var::constant(places.clone()).broadcast_to([n, 2, 1, 2, 3])
            + x.mean_axes([1, 2, 3, 4], false).reshape([n, 1, 1, 1, 1]);
        let options = PADDINGS.map(|padding| GridSampleOptions { padding, ..GridSampleOptions::default() });
        options.into_iter().map(|options| x.grid_sample(&grid, options)).collect()
    });
}

/// Rows in which some are NaN, without a comparison with NaN where the model is written.
fn with_nan<T: Float>(x: &Var<T>) -> Var<T> {
    let hidden = x.gt(0.8);
    x.masked_fill(&hidden, f64::NAN)
}

fn ranks<T: Float>() {
    let params: Params<T> = Params::seeded(3);
    use QuantileMethod::{Higher, Linear, Lower, Midpoint, Nearest};
    let q = [0.0, 0.3, 0.5, 0.75, 1.0];
    check("quantiles", &params, &[5, 4], |_, x| {
        let nan = with_nan(x);
        let mut all = Vec::new();
        for method in [Linear, Lower, Higher, Midpoint, Nearest] {
            all.push(x.quantiles(&q, 1, method, false));
            all.push(x.quantiles(&q, 2, method, true));
            all.push(nan.quantiles(&q, 1, method, false));
            all.push(nan.nanquantiles(&q, 1, method, true));
            all.push((&nan * f64::NAN).nanquantiles(&q, 2, method, true));
        }
        all.push(x.quantile(0.4, -1, true));
        all
    });
    let table = Tensor::from_fn([4], |i| T::from_f64(i[0] as f64 * 0.5 - 0.7));
    check("sorted_rows", &params, &[3, 4], |_, x| {
        let table = Var::constant(table.clone());
        let nan = with_nan(x);
        let rows = x.sort(-1, false);
        let mut found = Vec::new();
        for right in [false, true] {
            found.push(table.searchsorted(x, right));
            found.push(nan.bucketize(&table, right));
            found.push(rows.searchsorted(&rows, right));
            found.push(nan.sort(-1, false).searchsorted(&nan, right));
        }
        found.into_iter().map(|index| index.one_hot(6) + x.mean()).collect()
    });
    check("running_extremes", &params, &[5, 4], |_, x| {
        let (nan, steps) = (with_nan(x), (x * 2.0).round());
        let mut all = Vec::new();
        for y in [x, &nan, &steps] {
            for axis in [1, 2] {
                all.push(y.cummax(axis).0);
                all.push(y.cummin(axis).0);
                all.push(y.cummax(axis).1.one_hot(5) + x.mean());
            }
        }
        all
    });
}

fn spectra<T: Float>() {
    let mut params: Params<T> = Params::seeded(3);
    let filter = Linear::new(params.at("filter"), 5, 5);
    check("filtered", &params, &[3, 9], |cx, x| {
        let y = x.rfft(-1);
        let gain = filter.forward(cx, &y.square().sum_axes(-1, false)).tanh();
        let back = (&y * gain.unsqueeze(-1)).irfft(FftOptions::along([-1]).lengths([9]));
        vec![
            back,
            y,
            x.rfft(FftOptions::along([2, 1]).norm(FftNorm::Ortho)),
            x.rfft(FftOptions::along([-1]).lengths([6])),
        ]
    });
    let params: Params<T> = Params::seeded(3);
    check("complex", &params, &[3, 4, 2], |_, x| {
        let (even, odd) =
            (FftOptions::along([-1]).norm(FftNorm::Forward), FftOptions::along([-1]).lengths([5]));
        vec![x.fft(-1), x.fft([1, 2]), x.ifft(-1), x.ifft(even), x.irfft(-1), x.irfft(odd), x.irfft([2, 1])]
    });
    check("pieces", &params, &[40], |_, x| {
        let options = StftOptions::new(16);
        let y = x.stft(&options);
        vec![y.square().sum_axes(-1, false).sqrt(), y]
    });
}

#[test]
fn grids_in_both_precisions() {
    grids::<f32>();
    grids::<f64>();
}

#[test]
fn ranks_in_both_precisions() {
    ranks::<f32>();
    ranks::<f64>();
}

#[test]
fn spectra_in_both_precisions() {
    spectra::<f32>();
    spectra::<f64>();
}

/// Bags of tokens that are an input of the model, some with padding, one with nothing else.
#[test]
fn bags_of_tokens() {
    let rows = [[3u32, 1, 4], [0, 0, 2], [0, 0, 0], [5, 5, 0]];
    for mode in [BagMode::Sum, BagMode::Mean, BagMode::Max] {
        for padding in [None, Some(0)] {
            let mut params: Params = Params::seeded(1);
            let bag = EmbeddingBag::builder(6, 4).mode(mode);
            let bag = match padding {
                Some(token) => bag.padding(token).build(params.at("bag")),
                None => bag.build(params.at("bag")),
            };
            let export = Export::new().index("tokens", Tensor::from([rows[0]])).batch("batch");
            let model = export.model(&params, |cx, i| vec![bag.forward(cx, i.index(0))]).unwrap();
            let tokens = |size: usize, _: &mut _| {
                vec![Data::Index(Tensor::from_fn([size, 3], |i| rows[i[0] % 4][i[1]]))]
            };
            write(&format!("bags_{mode:?}_{}", padding.is_some()), &model, &params, tokens, &|cx, x| {
                let (y, as_data) = (bag.forward(cx, &index(&x[0])), bag.forward(cx, x[0].index()));
                assert!(
                    y.value().all_close(as_data.value(), 1e-6, 1e-7),
                    "{mode:?} {padding:?}: {y} and {as_data}"
                );
                vec![y]
            });
            let of = |params: &Params, as_data: bool| {
                let tokens = Tensor::from(rows);
                let loss = params.value_and_grad(|cx| {
                    let y = if as_data {
                        bag.forward(cx, &tokens)
                    } else {
                        bag.forward(cx, &Index::from(&tokens))
                    };
                    y.square().sum()
                });
                loss.unwrap().1
            };
            let (by_index, by_data) = (of(&params, false), of(&params, true));
            let same = by_index.iter().zip(by_data.iter()).all(|(a, b)| (a - b).abs() < 1e-5);
            assert!(same, "{mode:?} {padding:?}: {by_index:?} and {by_data:?}");
        }
    }
}

//! Spectra, and the windows and scales that go with them. Complex numbers are two real ones along a last axis.

use wengert_tape::Var;
use wengert_tensor::{Float, Shape, Tensor};

use super::super::call::{Call, Produced, axis_of};
use super::super::error::Problem;
use super::super::value::Value;
use super::cast::cast;
use super::{Operator, operator};

pub(super) fn table<T: Float>() -> Vec<Operator<T>> {
    const WINDOW: &str = "output_datatype:i periodic:i";
    vec![
        operator("DFT", 17, (1, 3), "axis:i inverse:i onesided:i", dft),
        operator("STFT", 17, (2, 4), "onesided:i", stft),
        operator("HannWindow", 17, (1, 1), WINDOW, |call| window(call, [0.5, 0.5, 0.0])),
        operator("HammingWindow", 17, (1, 1), WINDOW, |call| window(call, [25.0 / 46.0, 21.0 / 46.0, 0.0])),
        operator("BlackmanWindow", 17, (1, 1), WINDOW, |call| window(call, [0.42, 0.5, 0.08])),
        operator("MelWeightMatrix", 17, (5, 5), "output_datatype:i", mel_weights),
    ]
}

/// A whole number that is a length.
fn length<T: Float>(call: &Call<'_, T>, input: usize, name: &'static str) -> Result<Option<usize>, Problem> {
    let Some(number) = call.number(input, "")? else { return Ok(None) };
    if !(1.0..=2e9).contains(&number) {
        return Err(Problem::setting(name, format!("{number}")));
    }
    Ok(Some(number as usize))
}

/// How a transform goes.
#[derive(Clone, Copy)]
struct Transform {
    length: usize,
    inverse: bool,
    /// Of real numbers only the first half of the spectrum is given, or taken by the inverse, which then gives real numbers.
    onesided: bool,
}

impl Transform {
    /// cos and sin of 2πjk/n for each of the first `rows` j and `columns` k.
    fn waves<T: Float>(
        self,
        call: &Call<'_, T>,
        rows: usize,
        columns: usize,
    ) -> Result<[Var<T>; 2], Problem> {
        let shape = call.sized([rows, columns])?;
        let turn = std::f64::consts::TAU / self.length as f64;
        // By the rest of the product, so that angles stay small.
        let angle = |at: &[usize]| turn * (at[0] * at[1] % self.length) as f64;
        let table = |of: fn(f64) -> f64| {
            Var::constant(Tensor::from_fn(&shape, |at: &[usize]| T::from_f64(of(angle(at)))))
        };
        Ok([table(f64::cos), table(f64::sin)])
    }

    /// Of numbers `[…, 1 or 2]` along the last axis but one.
    fn of<T: Float>(self, call: &Call<'_, T>, x: &Var<T>) -> Result<Var<T>, Problem> {
        let n = self.length;
        let half = n / 2 + 1;
        let (taken, given) = match (self.onesided, self.inverse) {
            (true, true) => (half, n),
            (true, false) => (n, half),
            (false, _) => (n, n),
        };
        let axis = x.rank() - 2;
        // Missing numbers are zeros.
        let there = x.shape()[axis].min(taken);
        let x = x.slice_axis(axis, ..there);
        let part = |i: isize| x.select(axis + 1, i);
        let (re, im) = (part(0), (x.shape()[axis + 1] == 2).then(|| part(1)));
        let lengths = re.shape()[..axis].iter().copied().chain([given]);
        call.sized(lengths.chain([2]))?;
        let [mut cos, mut sin] = self.waves(call, there, given)?;
        if self.inverse {
            // The half that is not there is the conjugate of the other.
            let twice = |k: usize| self.onesided && k > 0 && 2 * k != n;
            let scale = |k: usize| T::from_f64(if twice(k) { 2.0 } else { 1.0 } / n as f64);
            let scale = Var::constant(Tensor::from_fn([there, 1], |at: &[usize]| scale(at[0])));
            (cos, sin) = (cos * &scale, -(sin * scale));
        }
        let real = match &im {
            Some(im) => re.matmul(&cos) + im.matmul(&sin),
            None => re.matmul(&cos),
        };
        if self.inverse && self.onesided {
            return Ok(real.unsqueeze(-1));
        }
        let imaginary = match &im {
            Some(im) => im.matmul(&cos) - re.matmul(&sin),
            None => -re.matmul(&sin),
        };
        Ok(Var::stack(&[real, imaginary], -1))
    }
}

fn check_complex<T: Float>(call: &Call<'_, T>) -> Result<(), Problem> {
    call.at_least(0, 2)?;
    if !call.shape(0)?.ends_with(&[1]) && !call.shape(0)?.ends_with(&[2]) {
        return Err(call.unlike(0, "a last axis of one real or two complex parts"));
    }
    Ok(())
}

fn dft<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    check_complex(call)?;
    let x = call.float(0)?;
    let default = if call.opset < 20 { 1 } else { -2 };
    let axis = axis_of(call.number(2, "axis")?.map_or(default, |axis| axis as i64), x.rank())?;
    if axis == x.rank() - 1 {
        return Err(Problem::setting("axis", "that of the real and imaginary parts"));
    }
    let flag = |name: &str| call.attributes.int(name, 0) != 0;
    let (inverse, onesided) = (flag("inverse"), flag("onesided"));
    let there = x.shape()[axis];
    let by_default = if inverse && onesided { 2 * there.saturating_sub(1) } else { there };
    let n = length(call, 1, "dft_length")?.unwrap_or(by_default);
    if n == 0 {
        return Err(call.unlike(0, "at least one number along the axis"));
    }
    let last = x.rank() - 2;
    let transform = Transform { length: n, inverse, onesided };
    let (axis, last) = ([axis as isize], [last as isize]);
    let y = transform.of(call, &x.movedim(&axis, &last))?;
    Ok(vec![Value::Float(y.movedim(&last, &axis))])
}

fn stft<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    call.exactly(0, 3)?;
    check_complex(call)?;
    let x = call.float(0)?;
    let step = length(call, 1, "frame_step")?.ok_or(Problem::Missing { input: 1 })?;
    let window = call.given_float(2)?;
    let whole = x.shape()[1];
    let n = match (length(call, 3, "frame_length")?, window) {
        (Some(n), _) => n,
        (None, Some(window)) => window.len(),
        (None, None) => whole,
    };
    if n == 0 || n > whole {
        return Err(Problem::setting("frame_length", format!("{n} of {whole} numbers")));
    }
    if window.is_some() {
        call.of_shape(2, &[n])?;
    }
    let frames = (whole - n) / step + 1;
    let shape = call.sized([x.shape()[0], frames, n, x.shape()[2]])?;
    let places: Vec<u32> = (0..frames).flat_map(|f| (f * step..f * step + n).map(|i| i as u32)).collect();
    let mut parts = x.index_select(1, Tensor::vector(&places)).reshape(shape);
    if let Some(window) = window {
        parts *= window.reshape([n, 1]);
    }
    let onesided = call.attributes.int("onesided", 1) != 0;
    Ok(vec![Value::Float(Transform { length: n, inverse: false, onesided }.of(call, &parts)?)])
}

/// Numbers as elements of the type that is wanted.
fn of_type<T: Float>(call: &Call<'_, T>, numbers: Tensor<T>) -> Produced<T> {
    Ok(vec![cast(&Value::Float(Var::constant(numbers)), call.attributes.int("output_datatype", 1))?])
}

/// a − b·cos(2πi/n) + c·cos(4πi/n).
fn window<T: Float>(call: &Call<'_, T>, [a, b, c]: [f64; 3]) -> Produced<T> {
    let size = length(call, 0, "size")?.ok_or(Problem::Missing { input: 0 })?;
    call.sized([size])?;
    let periodic = call.attributes.int("periodic", 1) != 0;
    let turn = std::f64::consts::TAU / (if periodic { size } else { (size - 1).max(1) }) as f64;
    let at = |i: f64| a - b * (turn * i).cos() + c * (2.0 * turn * i).cos();
    of_type(call, Tensor::from_fn([size], |i: &[usize]| T::from_f64(at(i[0] as f64))))
}

/// Triangles over the bins of a spectrum, evenly along the mel scale.
fn mel_weights<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let needed = |input: usize, name| length(call, input, name)?.ok_or(Problem::Missing { input });
    let (bands, n, rate) = (needed(0, "num_mel_bins")?, needed(1, "dft_length")?, needed(2, "sample_rate")?);
    let number = |input: usize| call.number(input, "")?.ok_or(Problem::Missing { input });
    let mel = |hertz: f64| 2595.0 * (hertz / 700.0).ln_1p() / std::f64::consts::LN_10;
    let (low, high) = (mel(number(3)?), mel(number(4)?));
    let step = (high - low) / (bands + 2) as f64;
    let bins = n / 2 + 1;
    let shape: Shape = call.sized([bins, bands])?;
    let edge = |i: usize| {
        let hertz = 700.0 * ((i as f64 * step + low) / 2595.0 * std::f64::consts::LN_10).exp_m1();
        ((n + 1) as f64 * hertz / rate as f64).floor()
    };
    let edges: Vec<f64> = (0..bands + 2).map(edge).collect();
    if !edges.iter().all(|&edge| edge >= 0.0 && edge < (bins + 1) as f64) {
        return Err(Problem::setting("upper_edge_hertz", "edges beyond the spectrum"));
    }
    let weight = |bin: f64, band: usize| {
        let [left, centre, right] = [0, 1, 2].map(|i| edges[band + i]);
        if bin >= centre && bin < right {
            (right - bin) / (right - centre)
        } else if bin == centre && left == centre {
            1.0
        } else if bin >= left && bin <= centre && left < centre {
            (bin - left) / (centre - left)
        } else {
            0.0
        }
    };
    of_type(call, Tensor::from_fn(&shape, |at: &[usize]| T::from_f64(weight(at[0] as f64, at[1]))))
}

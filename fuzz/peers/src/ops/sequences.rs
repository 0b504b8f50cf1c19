//! What goes along an axis element by element, transforms, and attention.

use wengert::tape::{AttentionMask, AttentionOptions, FftNorm, FftOptions, Scan, StftOptions, Var, scan};
use wengert::tensor::Float;

use super::{Results, one, seen, with_places};
use crate::wire::Attrs;

pub(super) fn apply<T: Float>(name: &str, a: &Attrs, v: &[Var<T>]) -> Results<T> {
    let x = v.first()?;
    one(match name {
        "cumsum" => x.cumsum(a.int("axis")),
        "cumprod" => x.cumprod(a.int("axis")),
        "logcumsumexp" => x.logcumsumexp(a.int("axis")),
        "cummax" => return with_places(x.cummax(a.int("axis"))),
        "cummin" => return with_places(x.cummin(a.int("axis"))),
        "sort" => x.sort(a.int("axis"), a.flag("descending")),
        "argsort" => seen(&x.argsort(a.int("axis"), a.flag("descending"))),
        "topk" => return with_places(x.topk(a.size("k"), a.int("axis"))),
        "diff" => x.diff(a.size("n"), a.int("axis")),
        "trapezoid" if v.len() == 2 => x.trapezoid(&v[1], a.int("axis")),
        "trapezoid" => x.trapezoid(a.number("dx"), a.int("axis")),
        "cumulative_trapezoid" if v.len() == 2 => x.cumulative_trapezoid(&v[1], a.int("axis")),
        "cumulative_trapezoid" => x.cumulative_trapezoid(a.number("dx"), a.int("axis")),
        "fft" => x.fft(transform(a)),
        "ifft" => x.ifft(transform(a)),
        "rfft" => x.rfft(transform(a)),
        "irfft" => x.irfft(transform(a)),
        "fftshift" => x.fftshift(a.int("axis")),
        "ifftshift" => x.ifftshift(a.int("axis")),
        "stft" => x.stft(&short_time(a, v.get(1))),
        "istft" => x.istft(&short_time(a, v.get(1)), a.size("length")),
        // h′ = tanh(h·w + x), the classical scan.
        "scan_tanh" => {
            let step = |h: &Var<T>, (x, w): &(Var<T>, Var<T>)| {
                let h = (h * w + x).tanh();
                (h.clone(), h.square())
            };
            let weights = v[1].broadcast_to(x.shape());
            let (last, all) = scan_along(step, &v[2], x, &weights, a.flag("reverse"));
            return Some(vec![last, all]);
        }
        "attention" => x.attention(&v[1], &v[2], &attention(a, &v[3..])),
        "attention_weights" => x.attention_weights(&v[1], &attention(a, &v[2..])),
        "lstm_gates" => x.lstm_gates(&v[1], &v[2]),
        "gru_gates" => x.gru_gates(&v[1], &v[2]),
        "lstm_sequence" => {
            return Some(x.lstm_sequence(&v[1], [&v[2], &v[3]], a.flag("reverse")).into());
        }
        "gru_sequence" => {
            let bias = v.get(3).filter(|_| a.flag("biased"));
            x.gru_sequence(&v[1], bias, &v[2], a.flag("reverse"))
        }
        _ => return None,
    })
}

fn scan_along<T: Float>(
    step: impl Fn(&Var<T>, &(Var<T>, Var<T>)) -> (Var<T>, Var<T>),
    start: &Var<T>,
    x: &Var<T>,
    weights: &Var<T>,
    reverse: bool,
) -> (Var<T>, Var<T>) {
    let xs = (x.clone(), weights.clone());
    if reverse {
        Scan::new().reversed().apply(step, start.clone(), &xs)
    } else {
        scan(step, start.clone(), &xs)
    }
}

fn transform(a: &Attrs) -> FftOptions {
    let norm = match a.text("norm") {
        "backward" => FftNorm::Backward,
        "ortho" => FftNorm::Ortho,
        "forward" => FftNorm::Forward,
        other => panic!("there is no norm {other}"),
    };
    let lengths = a.has("lengths").then(|| a.sizes("lengths"));
    match (a.ints("axes")[..].to_vec()[..].as_ref(), lengths.as_deref()) {
        (&[i], None) => FftOptions::along([i]),
        (&[i], Some(&[n])) => FftOptions::along([i]).lengths([n]),
        (&[i, j], None) => FftOptions::along([i, j]),
        (&[i, j], Some(&[n, m])) => FftOptions::along([i, j]).lengths([n, m]),
        (axes, lengths) => {
            panic!("one or two axes, with as many lengths or none, not {axes:?} and {lengths:?}")
        }
    }
    .norm(norm)
}

fn short_time<T: Float>(a: &Attrs, window: Option<&Var<T>>) -> StftOptions<T> {
    let mut options = StftOptions::new(a.size("n")).hop(a.size("hop"));
    if let Some(window) = window {
        options = options.window(window.clone());
    }
    if !a.flag("centred") {
        options = options.not_centred();
    }
    if a.flag("normalized") {
        options = options.normalized();
    }
    if a.flag("two_sided") {
        options = options.two_sided();
    }
    options
}

fn attention<T: Float>(a: &Attrs, bias: &[Var<T>]) -> AttentionOptions<T> {
    let mut mask = AttentionMask::none();
    if a.flag("causal") {
        mask = mask.and(AttentionMask::causal());
    }
    if a.has("mask") {
        mask = mask.and(AttentionMask::takes_part(a.mask("mask")));
    }
    if let [bias] = bias {
        mask = mask.and(AttentionMask::bias(bias));
    }
    AttentionOptions { mask, scale: a.has("scale").then(|| a.number("scale")), ..Default::default() }
}

//! Fourier transforms.

use super::{Case, any, case, other};
use wengert_tape::{FftNorm, FftOptions, StftOptions, Var};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("fft", |v| v[0].fft(-1), [any([5, 2])])
            .also([any([2, 4, 2])])
            .also([any([0, 3, 2])])
            .also([any([1, 2])]),
        case("fft longer", |v| v[0].fft(FftOptions::along([0]).lengths([6])), [any([4, 3, 2])]),
        case(
            "fft shorter",
            |v| v[0].fft(FftOptions::along([0]).lengths([3]).norm(FftNorm::Ortho)),
            [any([4, 2, 2])],
        ),
        case("fft of two axes", |v| v[0].fft([0, -1]), [any([3, 4, 2])]),
        case("ifft", |v| v[0].ifft(-1), [any([5, 2])]).also([any([2, 4, 2])]),
        case("ifft forward", |v| v[0].ifft(FftOptions::along([-2]).norm(FftNorm::Forward)), [any([3, 2, 2])]),
        case("rfft", |v| v[0].rfft(-1), [any([6])]).also([any([2, 5])]).also([any([0, 4])]).also([any([1])]),
        case("rfft along the first", |v| v[0].rfft(0), [any([5, 3])]),
        case("rfft of two axes", |v| v[0].rfft(FftOptions::along([1, 0]).lengths([3, 5])), [any([4, 4])]),
        case("irfft", |v| v[0].irfft(-1), [any([4, 2])]).also([any([2, 3, 2])]).also([any([0, 3, 2])]),
        case("irfft odd", |v| v[0].irfft(FftOptions::along([0]).lengths([5])), [any([3, 2, 2])]),
        case(
            "irfft longer",
            |v| v[0].irfft(FftOptions::along([-1]).lengths([9]).norm(FftNorm::Ortho)),
            [any([3, 2])],
        ),
        case("irfft of two axes", |v| v[0].irfft([0, 1]), [any([3, 3, 2])]),
        case(
            "rfft as a convolution",
            |v| v[0].rfft(-1).complex_mul(&v[1].rfft(-1)).irfft(-1),
            [any([6]), other([2, 6])],
        )
        .order(3),
        case("stft", |v| v[0].stft(&StftOptions::new(4)), [any([2, 7])]),
        case(
            "stft window",
            |v| v[0].stft(&StftOptions::new(5).hop(2).window(v[1].clone()).not_centred().two_sided()),
            [any([9]), other([3])],
        ),
        case("istft", |v| v[0].istft(&StftOptions::new(4), 5), [any([3, 6, 2])]),
        case(
            "istft window",
            |v| v[0].istft(&StftOptions::new(4).hop(2).window(v[1].square() + 0.5).normalized(), 12),
            [any([2, 3, 4, 2]), other([3])],
        ),
        case("fftshift", |v| v[0].fftshift(0), [any([5])]).also([any([4, 2])]),
        case("ifftshift", |v| v[0].ifftshift(-1), [any([5])]).also([any([2, 4])]),
        case("fftfreq", |v| &v[0] * Var::fftfreq(5, 0.5), [any([5])]),
        case("rfftfreq", |v| &v[0] * Var::rfftfreq(5, 0.5), [any([3])]),
    ]
}

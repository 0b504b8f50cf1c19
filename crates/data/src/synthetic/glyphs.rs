//! The strokes of the ten digits, and how a hand varies them.

use wengert_tensor::random::Generator;

pub(super) type Point = [f32; 2];

/// One movement of the pen, through points of a box whose corners are [0, 0] (top left) and [1, 1].
struct Stroke {
    points: &'static [Point],
    /// Whether the pen rounds the corners.
    round: bool,
}

const fn round(points: &'static [Point]) -> Stroke {
    Stroke { points, round: true }
}

const fn sharp(points: &'static [Point]) -> Stroke {
    Stroke { points, round: false }
}

/// The ways of writing each digit; those listed twice are written twice as often.
static GLYPHS: [&[&[Stroke]]; 10] = [
    &[
        &[round(&[[0.55, 0.0], [0.2, 0.2], [0.1, 0.6], [0.4, 1.0], [0.8, 0.75], [0.85, 0.3], [0.52, 0.0]])],
        &[round(&[
            [0.7, 0.08],
            [0.4, 0.02],
            [0.15, 0.5],
            [0.4, 0.98],
            [0.8, 0.6],
            [0.75, 0.15],
            [0.5, 0.08],
        ])],
    ],
    &[
        &[sharp(&[[0.5, 0.0], [0.5, 1.0]])],
        &[sharp(&[[0.5, 0.0], [0.5, 1.0]])],
        &[sharp(&[[0.3, 0.22], [0.52, 0.0], [0.5, 1.0]])],
        &[sharp(&[[0.3, 0.2], [0.5, 0.0], [0.5, 1.0]]), sharp(&[[0.25, 1.0], [0.75, 1.0]])],
    ],
    &[
        &[round(&[
            [0.15, 0.25],
            [0.45, 0.0],
            [0.8, 0.2],
            [0.6, 0.6],
            [0.15, 0.98],
            [0.5, 0.95],
            [0.9, 0.97],
        ])],
        &[
            round(&[[0.15, 0.25], [0.45, 0.0], [0.8, 0.2], [0.6, 0.6], [0.12, 0.98]]),
            sharp(&[[0.12, 0.98], [0.88, 0.96]]),
        ],
        &[round(&[
            [0.2, 0.15],
            [0.55, 0.0],
            [0.75, 0.25],
            [0.5, 0.7],
            [0.2, 0.95],
            [0.12, 0.8],
            [0.35, 0.75],
            [0.6, 0.95],
            [0.9, 0.88],
        ])],
    ],
    &[
        &[
            round(&[[0.15, 0.12], [0.5, 0.0], [0.78, 0.22], [0.4, 0.47]]),
            round(&[[0.4, 0.47], [0.82, 0.68], [0.55, 1.0], [0.1, 0.88]]),
        ],
        &[round(&[
            [0.2, 0.08],
            [0.65, 0.04],
            [0.7, 0.3],
            [0.4, 0.46],
            [0.75, 0.62],
            [0.7, 0.92],
            [0.15, 0.97],
        ])],
        &[
            sharp(&[[0.15, 0.02], [0.8, 0.02], [0.42, 0.42]]),
            round(&[[0.42, 0.42], [0.82, 0.62], [0.6, 0.98], [0.12, 0.92]]),
        ],
    ],
    &[
        &[
            round(&[[0.22, 0.05], [0.12, 0.35], [0.18, 0.53], [0.5, 0.55], [0.85, 0.48]]),
            sharp(&[[0.78, 0.0], [0.68, 1.0]]),
        ],
        &[sharp(&[[0.25, 0.05], [0.12, 0.58], [0.9, 0.55]]), sharp(&[[0.68, 0.2], [0.62, 1.0]])],
        &[sharp(&[[0.7, 1.0], [0.7, 0.0], [0.1, 0.65], [0.95, 0.65]])],
    ],
    &[
        &[
            sharp(&[[0.8, 0.0], [0.28, 0.03], [0.22, 0.42]]),
            round(&[[0.22, 0.42], [0.6, 0.4], [0.82, 0.68], [0.5, 1.0], [0.1, 0.88]]),
        ],
        &[
            round(&[[0.3, 0.05], [0.22, 0.42], [0.55, 0.42], [0.78, 0.7], [0.5, 0.98], [0.12, 0.9]]),
            sharp(&[[0.3, 0.05], [0.88, 0.0]]),
        ],
    ],
    &[
        &[round(&[
            [0.7, 0.0],
            [0.35, 0.25],
            [0.15, 0.7],
            [0.4, 1.0],
            [0.78, 0.8],
            [0.6, 0.55],
            [0.3, 0.62],
            [0.2, 0.78],
        ])],
        &[round(&[
            [0.45, 0.0],
            [0.25, 0.35],
            [0.18, 0.75],
            [0.45, 0.98],
            [0.72, 0.8],
            [0.55, 0.6],
            [0.22, 0.75],
        ])],
    ],
    &[
        &[sharp(&[[0.1, 0.05], [0.85, 0.04], [0.4, 1.0]])],
        &[round(&[[0.12, 0.12], [0.4, 0.04], [0.82, 0.06], [0.6, 0.45], [0.42, 1.0]])],
        &[sharp(&[[0.12, 0.04], [0.85, 0.04], [0.42, 1.0]]), sharp(&[[0.35, 0.5], [0.82, 0.47]])],
    ],
    &[
        &[round(&[
            [0.75, 0.15],
            [0.45, 0.0],
            [0.22, 0.22],
            [0.5, 0.48],
            [0.8, 0.76],
            [0.5, 1.0],
            [0.2, 0.76],
            [0.5, 0.48],
            [0.78, 0.22],
            [0.68, 0.08],
        ])],
        &[
            round(&[[0.5, 0.0], [0.25, 0.2], [0.5, 0.46], [0.75, 0.22], [0.5, 0.0]]),
            round(&[[0.5, 0.46], [0.18, 0.74], [0.5, 1.0], [0.82, 0.74], [0.5, 0.46]]),
        ],
    ],
    &[
        &[
            round(&[[0.78, 0.18], [0.45, 0.0], [0.18, 0.28], [0.42, 0.5], [0.78, 0.22]]),
            sharp(&[[0.8, 0.12], [0.66, 1.0]]),
        ],
        &[round(&[
            [0.75, 0.12],
            [0.4, 0.02],
            [0.2, 0.3],
            [0.5, 0.48],
            [0.78, 0.2],
            [0.75, 0.6],
            [0.55, 0.98],
            [0.25, 0.92],
        ])],
        &[round(&[
            [0.72, 0.3],
            [0.4, 0.45],
            [0.25, 0.2],
            [0.55, 0.02],
            [0.75, 0.2],
            [0.68, 0.6],
            [0.62, 1.0],
        ])],
    ],
];

/// How far each point of a stroke strays, as a fraction of the box.
const JITTER: f32 = 0.055;

/// Straight pieces that one span of a rounded stroke is drawn with.
const PIECES: usize = 5;

/// One way of writing `digit`, as polylines in the box around [0, 0] with corners ±0.5.
pub(super) fn write(digit: u32, random: &mut Generator) -> Vec<Vec<Point>> {
    let ways = GLYPHS[digit as usize];
    let way = ways[random.below(ways.len() as u64) as usize];
    way.iter()
        .map(|stroke| {
            let points: Vec<Point> = stroke
                .points
                .iter()
                .map(|&[x, y]| [x - 0.5 + JITTER * spread(random), y - 0.5 + JITTER * spread(random)])
                .collect();
            if stroke.round { rounded(&points) } else { bent(&points, random) }
        })
        .collect()
}

/// A bell-shaped number of mean 0 and standard deviation 1, within ±3.5: the sum of twelve would be the classic,
/// four are enough here. (No logarithm or sine, which differ between platforms.)
pub(super) fn spread(random: &mut Generator) -> f32 {
    let sum = random.uniform() + random.uniform() + random.uniform() + random.uniform();
    (sum - 2.0) as f32 * 1.732_050_8
}

/// A Catmull–Rom spline through the points.
fn rounded(points: &[Point]) -> Vec<Point> {
    let at = |i: isize| points[i.clamp(0, points.len() as isize - 1) as usize];
    let mut out = vec![points[0]];
    for span in 0..points.len() as isize - 1 {
        let [a, b, c, d] = [at(span - 1), at(span), at(span + 1), at(span + 2)];
        for piece in 1..=PIECES {
            let t = piece as f32 / PIECES as f32;
            let blend = |k: usize| {
                let (a, b, c, d) = (a[k], b[k], c[k], d[k]);
                b + 0.5
                    * t
                    * ((c - a) + t * ((2.0 * a - 5.0 * b + 4.0 * c - d) + t * (3.0 * (b - c) + d - a)))
            };
            out.push([blend(0), blend(1)]);
        }
    }
    out
}

/// Lines between the points, each bent a little to one side, as a hand does.
fn bent(points: &[Point], random: &mut Generator) -> Vec<Point> {
    let mut out = vec![points[0]];
    for pair in points.windows(2) {
        let ([ax, ay], [bx, by]) = (pair[0], pair[1]);
        let bend = 0.12 * spread(random);
        for piece in 1..=PIECES {
            let t = piece as f32 / PIECES as f32;
            let side = bend * t * (1.0 - t);
            out.push([ax + t * (bx - ax) - side * (by - ay), ay + t * (by - ay) + side * (bx - ax)]);
        }
    }
    out
}

use super::check_square;

/// All eigenvalues of a symmetric n × n matrix in ascending order, and the eigenvectors: vector k is elements
/// k n .. (k + 1) n. By Householder tridiagonalisation and implicit QL (Wilkinson and Reinsch, 1971).
///
/// ```
/// use wengert_optim::linear::dense::symmetric_eigen;
///
/// let (values, vectors) = symmetric_eigen(&[2.0, 1.0, 1.0, 2.0], 2);
/// assert!((values[0] - 1.0).abs() < 1e-15 && (values[1] - 3.0).abs() < 1e-15);
/// assert!((vectors[2] - vectors[3]).abs() < 1e-15); // of 3: (1, 1)/√2 up to sign
/// ```
///
/// NaN everywhere for a matrix that is not finite.
///
/// # Panics
/// If `a` has not n² elements.
#[track_caller]
pub fn symmetric_eigen(a: &[f64], n: usize) -> (Vec<f64>, Vec<f64>) {
    check_square("symmetric_eigen", a, n);
    if !a.iter().all(|x| x.is_finite()) {
        return (vec![f64::NAN; n], vec![f64::NAN; n * n]);
    }
    let (mut d, mut e, mut q) = tridiagonalise(a.to_vec(), n);
    implicit_ql(&mut d, &mut e, &mut q, n);
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| d[i].total_cmp(&d[j]));
    let values = order.iter().map(|&i| d[i]).collect();
    let vectors = order.iter().flat_map(|&i| q[i * n..(i + 1) * n].iter().copied()).collect();
    (values, vectors)
}

/// A = QᵀTQ with T tridiagonal: its diagonal, its off-diagonal, and Q (row k is the k-th basis vector).
fn tridiagonalise(mut a: Vec<f64>, n: usize) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let mut q = vec![0.0; n * n];
    for i in 0..n {
        q[i * n + i] = 1.0;
    }
    let mut w = vec![0.0; n];
    for k in 0..n.saturating_sub(2) {
        let mut v: Vec<f64> = (0..n).map(|i| if i > k { a[i * n + k] } else { 0.0 }).collect();
        let length = v.iter().copied().fold(0.0, f64::hypot);
        if length == 0.0 {
            continue;
        }
        v[k + 1] += length.copysign(v[k + 1]);
        let size = v.iter().copied().fold(0.0, f64::hypot);
        v.iter_mut().for_each(|v| *v /= size);
        // A ← H A H with H = I − 2 v vᵀ: A − 2 v wᵀ − 2 w vᵀ, w = A v − (vᵀAv) v.
        for (i, w) in w.iter_mut().enumerate() {
            *w = (k + 1..n).map(|j| a[i * n + j] * v[j]).sum();
        }
        let vav: f64 = v.iter().zip(&w).map(|(v, w)| v * w).sum();
        w.iter_mut().zip(&v).for_each(|(w, v)| *w -= vav * v);
        for i in 0..n {
            for j in 0..n {
                a[i * n + j] -= 2.0 * (v[i] * w[j] + w[i] * v[j]);
            }
        }
        // Q ← H Q.
        for j in 0..n {
            let dot: f64 = (k + 1..n).map(|i| v[i] * q[i * n + j]).sum();
            for i in k + 1..n {
                q[i * n + j] -= 2.0 * dot * v[i];
            }
        }
    }
    let d = (0..n).map(|i| a[i * n + i]).collect();
    let e = (0..n).map(|i| if i + 1 < n { a[(i + 1) * n + i] } else { 0.0 }).collect();
    (d, e, q)
}

/// Diagonalises the tridiagonal matrix (d, e), rotating the rows of `q` along.
fn implicit_ql(d: &mut [f64], e: &mut [f64], q: &mut [f64], n: usize) {
    for l in 0..n {
        // Thirty sweeps have never been needed by any matrix; the bound only guards the loop.
        for _ in 0..60 {
            let negligible = |m: usize, d: &[f64]| e[m].abs() <= f64::EPSILON * (d[m].abs() + d[m + 1].abs());
            let m = (l..n - 1).find(|&m| negligible(m, d)).unwrap_or(n - 1);
            if m == l {
                break;
            }
            // Wilkinson's shift from the leading two.
            let g = (d[l + 1] - d[l]) / (2.0 * e[l]);
            let mut g = d[m] - d[l] + e[l] / (g + g.hypot(1.0).copysign(g));
            let (mut s, mut c, mut p) = (1.0, 1.0, 0.0);
            let mut early = false;
            for i in (l..m).rev() {
                let (f, b) = (s * e[i], c * e[i]);
                let r = f.hypot(g);
                e[i + 1] = r;
                if r == 0.0 {
                    d[i + 1] -= p;
                    e[m] = 0.0;
                    early = true;
                    break;
                }
                (s, c) = (f / r, g / r);
                g = d[i + 1] - p;
                let t = (d[i] - g) * s + 2.0 * c * b;
                p = s * t;
                d[i + 1] = g + p;
                g = c * t - b;
                let (upper, lower) = q.split_at_mut((i + 1) * n);
                for (x, y) in upper[i * n..].iter_mut().zip(&mut lower[..n]) {
                    (*x, *y) = (c * *x - s * *y, s * *x + c * *y);
                }
            }
            if early {
                continue;
            }
            d[l] -= p;
            e[l] = g;
            e[m] = 0.0;
        }
    }
}

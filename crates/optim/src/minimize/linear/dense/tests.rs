use super::*;

/// A matrix of elements in (−1, 1) that depends on `seed` only.
fn random(len: usize, seed: u64) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) + 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    };
    (0..len).map(|_| next()).collect()
}

fn symmetric(n: usize, seed: u64) -> Vec<f64> {
    let a = random(n * n, seed);
    (0..n * n).map(|k| a[k] + a[k % n * n + k / n]).collect()
}

fn product(a: &[f64], n: usize, x: &[f64]) -> Vec<f64> {
    a.chunks(n).map(|row| row.iter().zip(x).map(|(a, x)| a * x).sum()).collect()
}

fn assert_close(x: &[f64], y: &[f64], tolerance: f64, label: &str) {
    for (i, (x, y)) in x.iter().zip(y).enumerate() {
        assert!((x - y).abs() <= tolerance, "{label}: element {i}: {x} and {y}");
    }
}

#[test]
fn eigenpairs_are_eigenpairs() {
    for n in 1..30 {
        let a = symmetric(n, n as u64);
        let (values, vectors) = symmetric_eigen(&a, n);
        for k in 0..n {
            let v = &vectors[k * n..(k + 1) * n];
            let scaled: Vec<f64> = v.iter().map(|v| v * values[k]).collect();
            assert_close(&product(&a, n, v), &scaled, 1e-12, &format!("n = {n}"));
            assert!((v.iter().map(|v| v * v).sum::<f64>() - 1.0).abs() < 1e-12);
        }
        assert!(values.windows(2).all(|w| w[0] <= w[1]));
    }
    assert!(symmetric_eigen(&[f64::NAN], 1).0[0].is_nan());
    assert_eq!(symmetric_eigen(&[0.0; 9], 3).0, [0.0; 3]);
}

#[test]
fn ldl_solves_and_counts_signs() {
    for n in 1..30 {
        // Zero diagonals force the blocks of two.
        for zero in [false, true] {
            let mut a = symmetric(n, 100 + n as u64);
            if zero && n > 1 {
                (0..n).for_each(|i| a[i * n + i] = 0.0);
            }
            let x = random(n, 7);
            let factor = Ldl::new(&a, n).unwrap();
            let (values, _) = symmetric_eigen(&a, n);
            let condition = values.iter().fold(0.0f64, |m, v| m.max(v.abs()))
                / values.iter().fold(f64::INFINITY, |m, v| m.min(v.abs()));
            assert_close(
                &factor.solve(&product(&a, n, &x)),
                &x,
                1e-13 * condition * n as f64,
                &format!("n = {n}"),
            );
            let positive = values.iter().filter(|v| **v > 0.0).count();
            assert_eq!(factor.inertia(), (positive, n - positive, 0), "n = {n}");
        }
    }
    assert_eq!(Ldl::new(&[1.0, 1.0, 1.0, 1.0], 2).unwrap().inertia(), (1, 0, 1));
    assert!(Ldl::new(&[f64::INFINITY], 1).is_none());
}

#[test]
fn a_modified_factor_is_positive_definite_and_leaves_positive_matrices_alone() {
    for n in 1..20 {
        let mut factor = Ldl::new(&symmetric(n, n as u64), n).unwrap();
        let before = factor.inertia();
        assert_eq!(factor.make_positive(1e-8), before.0 < n);
        assert_eq!(factor.inertia(), (n, 0, 0));
        let b = random(n, 3);
        let x = factor.solve(&b);
        assert!(b.iter().zip(&x).map(|(b, x)| b * x).sum::<f64>() > 0.0);
    }
}

#[test]
fn cholesky_solves_and_refuses() {
    for n in 1..20 {
        let b = random(n * n, n as u64);
        let mut a: Vec<f64> = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..n {
                a[i * n + j] =
                    (0..n).map(|k| b[i * n + k] * b[j * n + k]).sum::<f64>() + f64::from(u8::from(i == j));
            }
        }
        let x = random(n, 9);
        assert_close(&Cholesky::new(&a, n).unwrap().solve(&product(&a, n, &x)), &x, 1e-11, "cholesky");
        a[n * n - 1] = -1.0;
        assert!(Cholesky::new(&a, n).is_none());
    }
}

#[test]
fn qr_solves_least_squares() {
    for (m, n) in [(1, 1), (5, 3), (20, 7), (9, 9)] {
        let (a, b) = (random(m * n, 5), random(m, 6));
        let fit = qr(a.clone(), m, n, b.clone());
        let x = fit.solve(&fit.rhs);
        let r: Vec<f64> = product(&a, n, &x).iter().zip(&b).map(|(ax, b)| ax - b).collect();
        for j in 0..n {
            let dot: f64 = (0..m).map(|i| a[i * n + j] * r[i]).sum();
            assert!(dot.abs() < 1e-11, "{m} × {n}: Aᵀr = {dot}");
        }
        // R⁻ᵀ against R⁻¹: yᵀ(R⁻¹x) = (R⁻ᵀy)ᵀx.
        let (y, z) = (random(n, 1), random(n, 2));
        let left: f64 = fit.solve(&z).iter().zip(&y).map(|(a, b)| a * b).sum();
        let right: f64 = fit.solve_transposed(&y).iter().zip(&z).map(|(a, b)| a * b).sum();
        assert!((left - right).abs() < 1e-9 * left.abs().max(1.0));
        assert!(fit.is_full_rank());
    }
    assert!(!qr(vec![1.0, 1.0, 1.0, 1.0], 2, 2, vec![1.0, 1.0]).is_full_rank());
}

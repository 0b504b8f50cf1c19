//! Methods on the whole loss over data of several ranks: the same bits on any number of them, and the result of one program.

use wengert_curvature::{FlatResiduals, Objectives};
use wengert_distributed::threads::RankFailed;
use wengert_distributed::{DataParallel, ParallelError, ShardedObjective, ShardedResiduals, threads};
use wengert_nn::{Init, Layer, Linear, Losses, Params};
use wengert_optim::{
    Curvatures, GaussNewton, HessianFree, Kfac, Lbfgs, LeastSquares, LevenbergMarquardt, Minimizer, NewtonCg,
    Objective, Residuals, Stopping, TrustRegionNewton,
};
use wengert_tape::Var;
use wengert_tensor::Tensor;
use wengert_train::Trainer;

/// Four shards of 8, 8, 8 and 6 examples of eight numbers and three classes.
fn shard(number: usize) -> (Var<f64>, Tensor<u32>) {
    let rows = if number == 3 { 6 } else { 8 };
    let x = Tensor::from_fn([rows, 8], |i| (((number * 8 + i[0]) * 31 + i[1] * 17) % 23) as f64 / 11.0 - 1.0);
    let labels = Tensor::from_fn([rows], |i| (((number * 8 + i[0]) * 5) % 7 % 3) as u32);
    (Var::constant(x), labels)
}

fn minimise(method: &(dyn Minimizer<f64> + Sync), ranks: usize) -> Result<Vec<Vec<u64>>, RankFailed> {
    threads::run(ranks, |communicator| {
        let mut params: Params<f64> = Params::seeded(4);
        let model = &Linear::new(params.root(), 8, 3);
        let loss = ShardedObjective::mean(communicator.clone(), 4, |number| {
            let (x, labels) = shard(number);
            let examples = labels.len();
            let part = params.model_objective(
                move |cx| model.forward(cx, &x),
                move |scores| scores.cross_entropy(&labels),
            );
            (part, examples)
        })?;
        let group = DataParallel::deterministic(communicator, 4)?;
        let (finished, outcome) =
            Trainer::without_optimizer(&mut params).parallel(group).minimize(method, &loss, |_| Ok(()))?;
        let losses: Vec<f64> = finished.history.rows.iter().map(|row| row.value).collect();
        assert!(losses.len() > 1 && losses.is_sorted_by(|a, b| a >= b), "{losses:?}");
        Ok(outcome.point.iter().chain([&outcome.value]).map(|x| x.to_bits()).collect())
    })
}

#[test]
fn methods_take_the_same_steps_on_any_number_of_ranks() {
    let stopping = Stopping { max_iterations: 4, ..Stopping::gradient(1e-9) };
    let methods: [(&str, Box<dyn Minimizer<f64> + Sync>); 6] = [
        ("L-BFGS", Box::new(Lbfgs::default().with_stopping(stopping.clone()))),
        ("Newton-CG", Box::new(NewtonCg::default().with_stopping(stopping.clone()))),
        ("trust region", Box::new(TrustRegionNewton::default().with_stopping(stopping.clone()))),
        ("Gauss–Newton", Box::new(GaussNewton::default().with_stopping(stopping.clone()))),
        ("Hessian-free", Box::new(HessianFree { stopping: stopping.clone(), ..HessianFree::default() })),
        ("K-FAC", Box::new(Kfac { stopping: stopping.clone(), ..Kfac::default() })),
    ];
    for (name, method) in &methods {
        let alone = &minimise(&**method, 1).unwrap()[0];
        for ranks in [2, 3, 4] {
            for found in minimise(&**method, ranks).unwrap() {
                assert_eq!(&found, alone, "{name} on {ranks} ranks");
            }
        }
    }
}

/// Value, gradient and products are those of the mean over all examples.
#[test]
fn a_sharded_objective_is_the_mean_over_all_examples() {
    let mut params: Params<f64> = Params::seeded(4);
    let model = &Linear::new(params.root(), 8, 3);
    let batches: Vec<_> = (0..4).map(shard).collect();
    let whole = params.model_objective_over(
        &batches,
        |cx, (x, _)| model.forward(cx, x),
        |scores, (_, labels)| scores.cross_entropy(labels),
    );
    let x = params.values();
    let mut gradient = vec![0.0; x.len()];
    let value = whole.value_and_gradient(x, &mut gradient);
    let of = |objective: &dyn Objective<f64>| {
        let direction: Vec<f64> = (0..x.len()).map(|i| (i % 5) as f64 - 2.0).collect();
        let mut products = [vec![0.0; x.len()], vec![0.0; x.len()]];
        objective.hessian(x).unwrap().apply(&direction, &mut products[0]);
        objective.gauss_newton(x).unwrap().apply(&direction, &mut products[1]);
        products.concat()
    };
    let products = of(&whole);
    let found = threads::run(3, |communicator| {
        let mut params: Params<f64> = Params::seeded(4);
        let model = &Linear::new(params.root(), 8, 3);
        let sharded = ShardedObjective::mean(communicator, 4, |number| {
            let (x, labels) = shard(number);
            let examples = labels.len();
            let outputs = move |cx: &wengert_nn::Ctx<f64>| model.forward(cx, &x);
            (params.model_objective(outputs, move |scores| scores.cross_entropy(&labels)), examples)
        })?;
        let x = params.values();
        let mut gradient = vec![0.0; x.len()];
        let value = sharded.value_and_gradient(x, &mut gradient);
        let direction: Vec<f64> = (0..x.len()).map(|i| (i % 5) as f64 - 2.0).collect();
        let mut products = [vec![0.0; x.len()], vec![0.0; x.len()]];
        sharded.hessian(x).unwrap().apply(&direction, &mut products[0]);
        sharded.gauss_newton(x).unwrap().apply(&direction, &mut products[1]);
        let (second, operator) = sharded.second_order(x, &mut gradient).unwrap();
        assert_eq!((second.to_bits(), operator.dimension()), (value.to_bits(), x.len()));
        Ok((value, gradient, products.concat()))
    })
    .unwrap();
    let close = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-12);
    for (found_value, found_gradient, found_products) in found {
        assert!((found_value - value).abs() < 1e-13);
        assert!(close(&found_gradient, &gradient) && close(&found_products, &products));
    }
}

#[test]
fn shards_without_examples_are_left_out_and_ranks_without_any_refused() {
    let value = |ranks: usize, examples: [usize; 4]| {
        threads::run(ranks, |communicator| {
            let loss = ShardedObjective::mean(communicator, 4, |shard| {
                (wengert_optim::Problem::new(1, move |x: &[f64]| x[0] + shard as f64), examples[shard])
            })?;
            Ok(loss.value(&[0.5]))
        })
    };
    assert_eq!(value(2, [1, 0, 0, 3]).unwrap(), [2.75; 2]);
    let error = value(4, [1, 0, 0, 3]).unwrap_err();
    assert!(error.message.contains("has no examples in its part of 4 shards for 4 ranks"), "{error}");
}

#[test]
fn ranks_that_are_not_alike_are_refused() {
    type Of = fn(usize) -> usize;
    let value = |shards: Of, dimension: Of, start: Of| {
        let evaluated = threads::run(2, |ranks| {
            let rank = ranks.rank();
            let loss = ShardedObjective::mean(ranks, shards(rank), |_| {
                (wengert_optim::Problem::new(dimension(rank), |x: &[f64]| x[0]), 1)
            })?;
            Ok(loss.value(&vec![start(rank) as f64; dimension(rank)]))
        });
        evaluated.unwrap_err().message
    };
    for (message, difference) in [
        (
            value(|rank| 2 + rank, |_| 3, |_| 0),
            "ShardedObjective: rank 1 differs from rank 0 in number of shards: 3, not 2",
        ),
        (
            value(|_| 2, |rank| 3 + rank, |_| 0),
            "rank 1 differs from rank 0 in number of parameters: 4, not 3",
        ),
        (
            value(|_| 2, |_| 3, |rank| rank),
            "rank 1 differs from rank 0 in parameters at the start: fingerprint",
        ),
    ] {
        assert!(message.contains(difference) && message.contains("need the same program"), "{message}");
    }
    let residuals = |shards: Of, dimension: Of| {
        let made = threads::run(2, |ranks| {
            let rank = ranks.rank();
            let mut params: Params<f64> = Params::seeded(0);
            params.root().param("ab", [dimension(rank)], Init::Ones);
            let least = |_| params.least_squares(|cx| cx.leaf(0).square());
            ShardedResiduals::new(ranks, shards(rank), least).map(drop)
        });
        made.unwrap_err().message
    };
    for (message, difference) in [
        (residuals(|rank| 2 + rank, |_| 2), "rank 1 differs from rank 0 in number of shards: 3, not 2"),
        (residuals(|_| 2, |rank| 2 + rank), "rank 1 differs from rank 0 in number of parameters: 3, not 2"),
    ] {
        assert!(message.starts_with(&format!("ShardedResiduals: {difference}")), "{message}");
    }
}

/// Residuals of a·exp(−b·t) at a shard's places, of which shards have 0 to 4.
fn decay(params: &Params<f64>, shard: usize) -> LeastSquares<FlatResiduals<'_, f64>> {
    let t = Var::constant(Tensor::from_fn([shard], |i| shard as f64 * 0.7 + i[0] as f64 * 0.3));
    let y = (&t * -0.5).exp() * 5.0 + (&t * 3.0).sin() * 0.01;
    params.least_squares(move |cx| cx.leaf(0).select(0, 0) * (cx.leaf(0).select(0, 1) * -&t).exp() - &y)
}

fn curve() -> Params<f64> {
    let mut params: Params<f64> = Params::seeded(0);
    params.root().param("ab", [2], Init::Ones);
    params
}

#[test]
fn least_squares_take_the_same_steps_on_any_number_of_ranks() {
    let methods: [(&str, Box<dyn Minimizer<f64> + Sync>); 2] = [
        ("Levenberg–Marquardt", Box::new(LevenbergMarquardt::default())),
        ("Gauss–Newton", Box::new(GaussNewton::default())),
    ];
    for (name, method) in &methods {
        let fit = |ranks: usize| {
            threads::run(ranks, |communicator| {
                let params = curve();
                let residuals = ShardedResiduals::new(communicator, 5, |shard| decay(&params, shard))?;
                assert_eq!(residuals.count(), 10);
                let fitted = method.run(&LeastSquares::from_residuals(residuals), params.values())?;
                Ok(fitted.point.iter().map(|x| x.to_bits()).collect::<Vec<u64>>())
            })
            .unwrap()
        };
        let alone = fit(1).remove(0);
        let found = [0, 1].map(|i| f64::from_bits(alone[i]));
        assert!((found[0] - 5.0).abs() < 0.1 && (found[1] - 0.5).abs() < 0.1, "{name}: {found:?}");
        for ranks in [2, 3, 4, 5] {
            assert!(fit(ranks).iter().all(|found| *found == alone), "{name} on {ranks} ranks");
        }
    }
}

/// The residuals, the Jacobian and its products are those of the shards, one under the other.
#[test]
fn sharded_residuals_are_those_of_all_shards() {
    let params = curve();
    let x = [2.0, 0.3];
    let (mut r, mut rows) = (Vec::new(), Vec::new());
    for shard in 0..5 {
        let part = decay(&params, shard);
        let part = part.residuals().unwrap();
        let mut own = vec![0.0; part.count()];
        part.evaluate(&x, &mut own);
        r.extend(own);
        rows.extend(part.dense_jacobian(&x));
    }
    let u: Vec<f64> = (0..10).map(|i| (i as f64).cos()).collect();
    let transposed = [0, 1].map(|j| (0..10).map(|i| u[i] * rows[2 * i + j]).sum::<f64>());
    let ran = threads::run(3, |communicator| {
        let params = curve();
        let all = ShardedResiduals::new(communicator, 5, |shard| decay(&params, shard))?;
        let mut found = vec![0.0; 10];
        all.evaluate(&x, &mut found);
        assert_eq!(found, r);
        assert_eq!(all.dense_jacobian(&x), rows);
        let jacobian = all.jacobian(&x);
        jacobian.apply(&[1.0, 0.0], &mut found);
        assert!((0..10).all(|i| (found[i] - rows[2 * i]).abs() < 1e-14), "{found:?}");
        let mut product = [0.0; 2];
        jacobian.apply_transpose(&u, &mut product);
        assert!((0..2).all(|j| (product[j] - transposed[j]).abs() < 1e-13), "{product:?}, {transposed:?}");
        Ok(())
    });
    ran.unwrap();
}

#[test]
fn what_is_no_sum_of_squares_has_no_residuals() {
    let found = threads::run(2, |ranks| {
        let params = curve();
        let rank = ranks.rank();
        // Only the second rank's.
        let made = ShardedResiduals::new(ranks, 2, |shard| -> Box<dyn Objective<f64>> {
            if rank == 0 {
                Box::new(decay(&params, shard))
            } else {
                Box::new(params.objective(|cx| cx.leaf(0).sum()))
            }
        });
        Ok(made.err().unwrap().downcast::<ParallelError>().map(|error| *error).unwrap())
    });
    assert_eq!(found.unwrap(), vec![ParallelError::NoResiduals { rank: 1 }; 2]);
}

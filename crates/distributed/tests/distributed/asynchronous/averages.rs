//! Local steps, elastic averaging and gossip.

use wengert_data::synthetic;
use wengert_distributed::local::{Gossip, LocalSgd};
use wengert_distributed::{Communicator, Failure, threads};
use wengert_nn::Params;
use wengert_optim::{Adam, Optimizer};
use wengert_train::Training;

use super::common::{Net, bits, reached, serial};
use super::methods::{RATE, method, nesterov};

#[test]
fn a_rank_alone_keeps_the_bits_of_the_serial_program() {
    let data = synthetic::digits(90, 0);
    let reference = bits(&serial(&data, 3, Box::new(Adam::new(RATE)), None));
    for name in ["local", "elastic", "gossip"] {
        let found = threads::run(1, |ranks| Ok(bits(&method(&*ranks, name, &data, 3)?))).unwrap();
        assert!(found[0] == reference, "{name}");
    }
}

/// Two levels of steps, written out.
#[test]
fn the_outer_optimiser_of_a_rank_alone_is_a_loop_around_its_steps() {
    let data = synthetic::digits(90, 0);
    let (mut params, net) = Net::build();
    let (mut inner, mut outer, mut anchor) = (Adam::new(RATE), nesterov(), params.values().to_vec());
    let mut meet = |params: &mut Params| {
        let moved: Vec<f32> = anchor.iter().zip(params.values()).map(|(from, to)| from - to).collect();
        outer.step(&mut anchor, &moved);
        params.set_values(&anchor);
    };
    for epoch in 0..3 {
        for (step, (images, labels)) in data.batches(20).shuffled(7).epoch(epoch).enumerate() {
            params.train_step(&mut inner, |cx| net.loss(cx, &images, &labels)).unwrap();
            if step % 3 == 2 {
                meet(&mut params);
            }
        }
        // The 2 steps that are left of 5.
        meet(&mut params);
    }
    let found = threads::run(1, |ranks| Ok(bits(&method(&*ranks, "diloco", &data, 3)?))).unwrap();
    assert!(found[0] == bits(&params));
}

#[test]
fn three_ranks_learn_and_end_with_the_same_parameters() {
    let data = synthetic::digits(600, 1);
    for name in ["local", "diloco", "elastic", "gossip"] {
        let run = |ranks: std::rc::Rc<dyn Communicator>| {
            let params = method(&*ranks, name, &data, 10)?;
            Ok((bits(&params), reached(&params, &data)))
        };
        let ranks = threads::run(3, run).unwrap();
        assert!(ranks.iter().all(|(bits, _)| *bits == ranks[0].0), "{name}");
        assert!(ranks[0].1 > 0.85, "{name}: {}", ranks[0].1);
    }
}

#[test]
fn gossip_keeps_the_mean_and_shrinks_the_distances() {
    for size in [2, 3, 5, 8] {
        let values = threads::run(size, |ranks| {
            let mut params: Params<f64> = Params::seeded(0);
            params.root().param("x", [1], wengert_nn::Init::Zeros);
            params.set_values(&[ranks.rank() as f64]);
            let mut gossip = Gossip::new(&*ranks, 1, 9)?;
            let mut seen = vec![params.values()[0]];
            for _ in 0..60 {
                gossip.after_step(&mut params)?;
                seen.push(params.values()[0]);
            }
            Ok(seen)
        })
        .unwrap();
        let mean = (size - 1) as f64 / 2.0;
        let spread = |round: usize| values.iter().map(|seen| (seen[round] - mean).powi(2)).sum::<f64>();
        for round in 0..=60 {
            let sum: f64 = values.iter().map(|seen| seen[round]).sum();
            assert!((sum - mean * size as f64).abs() < 1e-12, "{size} ranks, round {round}");
            assert!(round == 0 || spread(round) <= spread(round - 1) + 1e-12);
        }
        assert!(spread(60) < 1e-6, "{size} ranks: {}", spread(60));
    }
}

#[test]
fn local_steps_go_on_from_a_state() {
    let data = synthetic::digits(90, 0);
    let one = |ranks: &dyn Communicator, stop: Option<usize>| -> Result<Vec<u32>, Failure> {
        let (mut params, mut net) = Net::build();
        let make = |params: &Params| LocalSgd::new(ranks, params, 2).unwrap().outer(nesterov());
        let (mut local, mut adam) = (make(&params), Adam::new(RATE));
        let batches = data.batches(10).shuffled(1).sharded(ranks.rank(), ranks.size());
        for (step, (images, labels)) in batches.enumerate() {
            if stop == Some(step) {
                let states = [params.state(), local.state(), adam.state()];
                ((params, net), adam) = (Net::build(), Adam::new(RATE));
                local = make(&params);
                params.load_state(&states[0])?;
                local.load_state(&states[1])?;
                adam.load_state(&states[2])?;
            }
            params.train_step(&mut adam, |cx| net.loss(cx, &images, &labels))?;
            local.after_step(&mut params)?;
        }
        local.finish(&mut params)?;
        Ok(bits(&params))
    };
    let run = |stop| threads::run(3, |ranks| one(&*ranks, stop)).unwrap();
    let reference = run(None);
    for stop in 0..3 {
        assert!(run(Some(stop)) == reference, "{stop}");
    }
}

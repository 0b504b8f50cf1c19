//! The cost model: where the answer is known, and what it says of a thousand ranks.

use wengert_distributed::simulate::{Bottleneck, Cluster, Mode, Prediction, Workload, simulate};

const CLUSTER: Cluster = Cluster { latency: 20e-6, bandwidth: 1e9, cores: None };

/// A step of 10 ms with 4 MB, always the same.
const WORK: Workload = Workload { compute: 10e-3, jitter: 0.0, bytes: 4e6, update: 1e-3, examples: 32.0 };

fn predict(work: &Workload, mode: Mode, ranks: usize) -> Prediction {
    simulate(&CLUSTER, work, mode, ranks, 8, 0).unwrap()
}

fn near(x: f64, y: f64) -> bool {
    (x - y).abs() < 1e-9 * y.abs().max(1e-6)
}

const ALL: [Mode; 5] = [
    Mode::Ring,
    Mode::Tree,
    Mode::Server { servers: 1, bound: None },
    Mode::Server { servers: 1, bound: Some(2) },
    Mode::Local { every: 4 },
];

#[test]
fn collectives_take_the_time_of_their_formulas() {
    for ranks in [2, 3, 4, 7, 8, 64] {
        let part = (ranks - 1) as f64 / ranks as f64;
        let transfer = 2.0 * part * WORK.bytes / CLUSTER.bandwidth;
        let ring = 11e-3 + 2.0 * (ranks - 1) as f64 * CLUSTER.latency + transfer;
        let found = predict(&WORK, Mode::Ring, ranks);
        assert!(near(found.step, ring), "{ranks}: {} instead of {ring}", found.step);
        let local = 11e-3 + (ring - 11e-3) / 4.0;
        assert!(near(predict(&WORK, Mode::Local { every: 4 }, ranks).step, local));
        if ranks.is_power_of_two() {
            let tree = 11e-3 + 2.0 * f64::from(ranks.ilog2()) * CLUSTER.latency + transfer;
            assert!(near(predict(&WORK, Mode::Tree, ranks).step, tree), "{ranks}");
        }
    }
}

#[test]
fn one_worker_and_a_server_take_turns() {
    let found = predict(&WORK, Mode::Server { servers: 1, bound: None }, 2);
    let step = WORK.compute + 2.0 * CLUSTER.latency + 2.0 * WORK.bytes / CLUSTER.bandwidth + WORK.update;
    assert!(near(found.step, step), "{} instead of {step}", found.step);
    assert_eq!(found.staleness, 0.0);
}

#[test]
fn a_server_has_no_more_than_its_link() {
    let work = Workload { compute: 1e-3, ..WORK };
    for servers in [1, 4] {
        let workers = 60;
        let found =
            simulate(&CLUSTER, &work, Mode::Server { servers, bound: None }, workers + servers, 50, 0)
                .unwrap();
        // Gradients of all workers over the links of the servers, one after another.
        let saturated = workers as f64 * work.bytes / servers as f64 / CLUSTER.bandwidth;
        assert!((found.step / saturated - 1.0).abs() < 0.05, "{servers}: {} or {saturated}", found.step);
        assert_eq!(found.bottleneck, Bottleneck::Server);
        // All others have been served since.
        assert!((found.staleness - (workers - 1) as f64).abs() < 3.0, "{}", found.staleness);
    }
}

#[test]
fn who_may_not_run_ahead_waits() {
    let work = Workload { jitter: 0.5, bytes: 4e3, update: 1e-6, ..WORK };
    let step = |bound| simulate(&CLUSTER, &work, Mode::Server { servers: 1, bound }, 9, 200, 1).unwrap();
    let (free, loose, strict) = (step(None), step(Some(4)), step(Some(0)));
    assert!(
        free.step < loose.step && loose.step < strict.step,
        "{} {} {}",
        free.step,
        loose.step,
        strict.step
    );
    assert!(strict.shares.waiting > loose.shares.waiting);
    // The slowest of 8 in each step; the mean of 200 steps otherwise.
    assert!(strict.step > 1.5 * WORK.compute && free.step < 1.3 * WORK.compute);
}

#[test]
fn shares_are_all_of_the_time_and_the_largest_is_named() {
    let work = Workload { jitter: 0.2, ..WORK };
    for mode in ALL {
        for ranks in [1, 2, 5, 16] {
            let found = predict(&work, mode, ranks);
            let shares = found.shares;
            let sum = shares.compute + shares.latency + shares.bandwidth + shares.server + shares.waiting;
            assert!((sum / found.step - 1.0).abs() < 1e-6, "{mode:?}, {ranks}: {sum} of {}", found.step);
            assert_eq!(found, predict(&work, mode, ranks));
            assert!(found.efficiency <= 1.2 && found.examples_per_second > 0.0);
        }
    }
}

#[test]
fn what_limits_1024_ranks() {
    let named = |mode| simulate(&CLUSTER, &WORK, mode, 1024, 3, 0).unwrap().bottleneck;
    assert_eq!(named(Mode::Ring), Bottleneck::Latency);
    assert_eq!(named(Mode::Tree), Bottleneck::Compute);
    assert_eq!(named(Mode::Server { servers: 1, bound: None }), Bottleneck::Server);
    assert_eq!(named(Mode::Server { servers: 32, bound: Some(2) }), Bottleneck::Server);
}

#[test]
fn ranks_share_the_cores_of_one_machine() {
    let machine = Cluster { latency: 0.0, bandwidth: 1e12, cores: Some(2) };
    let rate = |ranks| simulate(&machine, &WORK, Mode::Tree, ranks, 5, 0).unwrap().examples_per_second;
    assert!(rate(2) / rate(1) > 1.9 && rate(8) / rate(2) < 1.2);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let says = |cluster: &Cluster, work: &Workload, mode, ranks, steps| {
        simulate(cluster, work, mode, ranks, steps, 0).unwrap_err().to_string()
    };
    let none = Cluster { bandwidth: 0.0, ..CLUSTER };
    assert!(says(&none, &WORK, Mode::Ring, 2, 1).contains("bandwidth is 0"));
    let nan = Workload { jitter: f64::NAN, ..WORK };
    assert!(says(&CLUSTER, &nan, Mode::Ring, 2, 1).contains("jitter is NaN"));
    assert!(says(&CLUSTER, &WORK, Mode::Ring, 0, 1).contains("ranks is 0"));
    assert!(says(&CLUSTER, &WORK, Mode::Local { every: 0 }, 2, 1).contains("every is 0"));
    assert!(says(&CLUSTER, &WORK, Mode::Server { servers: 4, bound: None }, 4, 1).contains("servers is 4"));
    // A bound that nobody reaches is none.
    let of = |bound| predict(&WORK, Mode::Server { servers: 1, bound }, 4);
    assert_eq!(of(Some(u64::MAX)), of(None));
    assert!(says(&CLUSTER, &WORK, Mode::Tree, 4, 0).contains("steps is 0"));
}

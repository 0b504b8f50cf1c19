//! Threads without locks.

use wengert_data::synthetic;
use wengert_distributed::hogwild::{self, SharedVector, Stopped, Worker};
use wengert_optim::Layout;
use wengert_optim::first::by_name;
use wengert_train::accuracy;

use super::common::{Net, bits, serial};

fn train(worker: &mut Worker<'_>, name: &str, count: usize, epochs: u64) -> Result<Vec<u32>, Stopped> {
    let data = synthetic::digits(count, 0);
    let (mut params, net) = Net::build();
    let mut optimizer = by_name(name, None, &Layout::flat(params.len())).unwrap();
    for epoch in 0..epochs {
        let batches = data.batches(20).shuffled(7).epoch(epoch);
        for (images, labels) in batches.sharded(worker.index(), worker.workers()) {
            worker.pull(&mut params)?;
            let (_, grads) = params.value_and_grad(|cx| net.loss(cx, &images, &labels)).unwrap();
            worker.push(&mut params, &mut *optimizer, &grads);
        }
    }
    Ok(bits(&params))
}

#[test]
fn one_thread_gives_the_bits_of_the_serial_program() {
    for name in ["sgd", "adam"] {
        let optimizer = by_name(name, None, &Layout::flat(Net::build().0.len())).unwrap();
        let reference = serial(&synthetic::digits(90, 0), 2, optimizer, None);
        let shared = SharedVector::new(Net::build().0.values());
        let outcome = hogwild::run(&shared, 1, |worker| train(worker, name, 90, 2)).unwrap();
        assert!(outcome.results[0] == bits(&reference), "{name}");
        assert!(shared.to_vec() == reference.values(), "{name}");
        assert_eq!((outcome.updates, outcome.staleness.max()), (10, 0));
    }
}

#[test]
fn three_threads_learn() {
    let shared = SharedVector::new(Net::build().0.values());
    let outcome = hogwild::run(&shared, 3, |worker| train(worker, "adam", 600, 8)).unwrap();
    assert_eq!((outcome.updates, outcome.staleness.total()), (240, 240));
    // With the running statistics of the first thread.
    let (mut params, net) = Net::build();
    let data = synthetic::digits(600, 0);
    params.set_values(&shared.to_vec());
    for (images, labels) in data.batches(100).epochs(3).flatten() {
        let (_, grads) = params.value_and_grad(|cx| net.loss(cx, &images, &labels)).unwrap();
        params.update_buffers(&grads);
    }
    let reached = accuracy(&net, &params, &data);
    assert!(reached > 0.8, "{reached}");
}

#[test]
fn one_failure_stops_all() {
    #[derive(Debug, PartialEq)]
    enum Error {
        Own(usize),
        Stopped,
    }
    impl From<Stopped> for Error {
        fn from(Stopped: Stopped) -> Self {
            Error::Stopped
        }
    }
    let shared = SharedVector::new(&vec![0.0f32; Net::build().0.len()]);
    let endless = |worker: &mut Worker<'_>| -> Result<(), Error> {
        let (mut params, _) = Net::build();
        for step in 0.. {
            worker.pull(&mut params)?;
            if worker.index() == 2 && step == 50 {
                return Err(Error::Own(2));
            }
        }
        Ok(())
    };
    assert_eq!(hogwild::run(&shared, 3, endless).unwrap_err(), Error::Own(2));
    let panics = |worker: &mut Worker<'_>| -> Result<(), Error> {
        let (mut params, _) = Net::build();
        for step in 0.. {
            worker.pull(&mut params)?;
            assert!(worker.index() != 1 || step < 50, "out of luck");
        }
        Ok(())
    };
    let panic = std::panic::catch_unwind(|| hogwild::run(&shared, 3, panics)).unwrap_err();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"out of luck"));
}

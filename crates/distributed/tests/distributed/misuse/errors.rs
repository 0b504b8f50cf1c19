//! Every kind of error of the crate is provoked by a test: those of servers, communicators and shards here.

use std::fs::{read_dir, read_to_string};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use wengert_distributed::compress::{Compression, Compressor};
use wengert_distributed::server::{Consistency, ParameterServer, ServerError, ServerSettings, Worker};
use wengert_distributed::{
    Communicator, CommunicatorError, Failure, ParallelError, ShardedObjective, Single, threads,
};
use wengert_optim::first::by_name;
use wengert_optim::{Layout, Sgd};
use wengert_state::State;

type Ranks = Rc<dyn Communicator>;

/// What `run` of a server with this many parameters returns on each rank, as text, and whether it is of the kind.
fn served(
    ranks: usize,
    settings: &ServerSettings,
    resumed: Option<State>,
    is: fn(&ServerError) -> bool,
    work: impl Fn(&Ranks, &mut Worker<'_, f32>) -> Result<(), ServerError> + Sync,
) -> Vec<(bool, String)> {
    let run = threads::run(ranks, |ranks| {
        let mut server = ParameterServer::new(settings.clone(), |_| Sgd::new(0.1))?;
        if let Some(state) = resumed.clone() {
            server = server.resume(state);
        }
        let outcome = server.run(&*ranks, &[0.0; 3], |worker| work(&ranks, worker));
        Ok(outcome.map_or_else(|error| (is(&error), error.to_string()), |_| (false, String::new())))
    });
    run.unwrap()
}

/// The tag of what workers ask for.
const REQUEST: u32 = 7001;

fn pull(worker: &mut Worker<'_, f32>) -> Result<(), ServerError> {
    worker.pull_range(0..3, &mut [0.0; 3])
}

#[test]
fn messages_that_make_no_sense() {
    let settings = ServerSettings::default();
    // Of another program; cut off; with lengths that it does not have; about parameters that are elsewhere.
    let range = |start: u64, end: u64| [start.to_le_bytes(), end.to_le_bytes()].concat();
    let huge = [vec![2, 0], vec![0xff; 8], vec![0xff; 8]].concat();
    let endless = [vec![4], vec![0xff; 8]].concat();
    let behind = [vec![0], range(2, 9)].concat();
    let reversed = [vec![0], range(3, 1)].concat();
    for bytes in [vec![], vec![200], vec![0, 1, 2], huge, endless, behind, reversed] {
        let is = |error: &ServerError| matches!(error, ServerError::Wire(_) | ServerError::Failed { .. });
        let found = served(2, &settings, None, is, |ranks, worker| {
            ranks.send(1, REQUEST, &bytes)?;
            pull(worker)
        });
        // The worker is told what the server found.
        assert!(
            found.iter().all(|(is, text)| *is && text.contains("makes no sense")),
            "{bytes:?}: {found:?}"
        );
    }
}

#[test]
fn pushes_that_the_worker_did_not_count() {
    let is = |error: &ServerError| matches!(error, ServerError::Lost { worker: 0, sent: 0, arrived: 1 });
    let found = served(2, &ServerSettings::default(), None, is, |ranks, _| {
        let gradient = Compressor::<f32>::new(Compression::None, 3).unwrap().compress(0, &[1.0; 3]);
        let numbers: [u64; 5] = [0, 3, 0, 1, gradient.len() as u64];
        let numbers = numbers.iter().flat_map(|number| number.to_le_bytes());
        let push: Vec<u8> = [1].into_iter().chain(numbers).chain(gradient).collect();
        Ok(ranks.send(1, REQUEST, &push)?)
    });
    assert!(found[1].0, "{found:?}");
}

#[test]
fn servers_that_cannot_be() {
    let make = |settings: ServerSettings| ParameterServer::<f32>::new(settings, |_| Sgd::new(0.1)).err();
    let none = make(ServerSettings { servers: 0, ..Default::default() });
    assert!(matches!(none, Some(ServerError::HyperParameter(_))), "{none:?}");
    let old = make(ServerSettings { staleness_power: -1.0, ..Default::default() });
    assert!(matches!(old, Some(ServerError::HyperParameter(_))), "{old:?}");
    let whole = ParameterServer::<f32>::new(ServerSettings::default(), |len| {
        by_name("lars", None, &Layout::flat(len)).unwrap()
    })
    .err();
    assert!(matches!(whole, Some(ServerError::NotElementwise { .. })), "{whole:?}");
    let settings = ServerSettings { servers: 2, ..Default::default() };
    let few = |error: &ServerError| matches!(error, ServerError::TooFewRanks { servers: 2, ranks: 2 });
    assert!(served(2, &settings, None, few, |_, _| Ok(())).iter().all(|(is, _)| *is));
}

#[test]
fn states_and_parts_that_do_not_fit() {
    let of_another =
        |error: &ServerError| matches!(error, ServerError::State(_) | ServerError::Communicator(_));
    let state = Some(State::new("adam", 3));
    assert!(
        served(
            1,
            &ServerSettings::default(),
            state,
            |error| matches!(error, ServerError::State(_)),
            |_, _| Ok(())
        )[0]
        .0
    );
    let state = Some(State::new("adam", 3));
    let failed = threads::run(2, |ranks| {
        let server = ParameterServer::new(ServerSettings::default(), |_| Sgd::new(0.1))?
            .resume(state.clone().unwrap());
        let outcome = server.run(&*ranks, &[0.0f32; 3], pull);
        let error = outcome.unwrap_err();
        assert!(of_another(&error), "{error}");
        Err::<(), Failure>(error.into())
    });
    assert_eq!(failed.unwrap_err().rank, 1);
    let settings =
        ServerSettings { consistency: Consistency::Synchronous, cuts: vec![1], ..Default::default() };
    let is = |error: &ServerError| matches!(error, ServerError::Part { start: 0, end: 1, len: 3 });
    assert!(served(1, &settings, None, is, |_, worker| worker.push_range(0..1, &[1.0], 1))[0].0);
}

#[test]
fn a_server_that_is_gone() {
    let failed = threads::run(2, |ranks| {
        if ranks.rank() == 1 {
            return Err(Failure::from("out of memory"));
        }
        let server = ParameterServer::new(ServerSettings::default(), |_| Sgd::new(0.1))?;
        let error = server.run(&*ranks, &[0.0f32; 3], pull).unwrap_err();
        let gone = matches!(&error, ServerError::Communicator(CommunicatorError::Gone { rank: 1, .. }));
        assert!(gone, "{error}");
        Ok(())
    });
    assert_eq!(failed.unwrap_err().message, "out of memory");
}

#[test]
fn a_message_that_nobody_sends() {
    let waits = Single::new().receive(None, Some(3)).unwrap_err();
    assert!(matches!(waits, CommunicatorError::Transport { operation: "receive", .. }), "{waits}");
}

#[test]
fn shards_without_ranks_or_examples() {
    let make = |shards: usize, examples: usize| {
        ShardedObjective::mean(Rc::new(Single::new()), shards, |_| ((), examples)).err().unwrap()
    };
    let found = |error: Failure| *error.downcast::<ParallelError>().unwrap();
    assert_eq!(found(make(0, 1)), ParallelError::Shards { shards: 0, ranks: 1 });
    assert_eq!(found(make(4, 0)), ParallelError::NoExamples { rank: 0, shards: 4, ranks: 1 });
}

/// What no test can bring about, and why.
const NOT_TRIED: [(&str, &str); 1] = [("LaunchError::Failed", "an MPI library that does not start")];

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// The kinds of the error types in a source, as `Type::Kind`: what has a message.
fn kinds(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    for declared in source.split("pub enum ").skip(1) {
        let (name, rest) = declared.split_once(" {").unwrap();
        let body = rest.split("\n}").next().unwrap();
        let mut lines = body.lines().map(str::trim_start);
        while let Some(line) = lines.next() {
            if !line.starts_with("#[error(") {
                continue;
            }
            let mut line = line;
            while !line.ends_with(")]") {
                line = lines.next().unwrap();
            }
            let kind = lines.next().unwrap().split(|c: char| !c.is_alphanumeric()).next().unwrap();
            found.push(format!("{name}::{kind}"));
        }
    }
    found
}

#[test]
fn every_kind_of_error_is_provoked() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sources = files(&folder.join("src"));
    let kinds: Vec<String> = sources.iter().flat_map(|path| kinds(&read_to_string(path).unwrap())).collect();
    let tests = files(&folder.join("tests"));
    // The name in the list below, or in the check of it, is no test.
    let tests: String = tests
        .iter()
        .map(|path| read_to_string(path).unwrap())
        .map(|text| text.split("/// What no test can bring about").next().unwrap().to_owned())
        .collect();
    assert!(kinds.len() > 20 && kinds.iter().any(|kind| kind == "ParallelError::SeveralShards"), "{kinds:?}");
    let tried = |kind: &str| tests.contains(kind) || NOT_TRIED.iter().any(|(known, _)| *known == kind);
    let missing: Vec<&String> = kinds.iter().filter(|kind| !tried(kind)).collect();
    assert!(missing.is_empty(), "{missing:?} are not provoked");
}

//! Downloads from a small server on this machine that misbehaves on order.
#![cfg(feature = "download")]

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sha2::{Digest, Sha256};
use wengert_data::download::{DownloadError, Downloader, RemoteFile};

/// How the server answers one request.
#[derive(Clone)]
enum Answer {
    /// The content, from where the request's range starts.
    Content(Vec<u8>),
    /// So many bytes of it, though more were announced.
    Cut(Vec<u8>, usize),
    /// All of it, whatever range was asked for.
    Whole(Vec<u8>),
    Status(&'static str),
}

/// A server that gives its answers in order, the last one ever again; and the ranges it was asked for.
struct Server {
    mirror: String,
    ranges: Arc<Mutex<Vec<Option<usize>>>>,
}

impl Server {
    fn new(answers: &[Answer]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mirror = format!("http://{}/", listener.local_addr().unwrap());
        let ranges = Arc::new(Mutex::new(Vec::new()));
        let (seen, answers) = (Arc::clone(&ranges), answers.to_vec());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let count = seen.lock().unwrap().len();
                let answer = answers[count.min(answers.len() - 1)].clone();
                respond(stream.unwrap(), answer, &seen);
            }
        });
        Server { mirror, ranges }
    }

    fn ranges(&self) -> Vec<Option<usize>> {
        self.ranges.lock().unwrap().clone()
    }
}

fn respond(mut stream: TcpStream, answer: Answer, seen: &Mutex<Vec<Option<usize>>>) {
    let mut range = None;
    for line in BufReader::new(stream.try_clone().unwrap()).lines() {
        let line = line.unwrap().to_lowercase();
        if let Some(start) = line.strip_prefix("range: bytes=") {
            range = Some(start.trim_end_matches('-').parse().unwrap());
        }
        if line.is_empty() {
            break;
        }
    }
    seen.lock().unwrap().push(range);
    let (content, sent) = match answer {
        Answer::Status(status) => {
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            let _ = stream.write_all(answer.as_bytes());
            return;
        }
        Answer::Whole(content) => {
            range = None;
            (content.clone(), content.len())
        }
        Answer::Content(content) => (content.clone(), content.len()),
        Answer::Cut(content, sent) => (content, sent),
    };
    let start = range.unwrap_or(0);
    let head = match range {
        Some(start) => format!(
            "206 Partial Content\r\nContent-Range: bytes {start}-{}/{}",
            content.len() - 1,
            content.len()
        ),
        None => "200 OK".into(),
    };
    let length = content.len() - start;
    let head = format!("HTTP/1.1 {head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(&content[start..(start + sent).min(content.len())]);
}

fn content() -> Vec<u8> {
    (0..200_000u32).map(|i| (i * 31 % 253) as u8).collect()
}

fn file() -> RemoteFile {
    let sha256 = Sha256::digest(content()).iter().map(|b| format!("{b:02x}")).collect();
    RemoteFile { name: "file.gz".into(), sha256, bytes: 200_000 }
}

fn downloader(servers: &[&Server]) -> Downloader {
    Downloader::new(servers.iter().map(|server| server.mirror.clone())).backoff(Duration::from_millis(1))
}

fn assert_fetched(downloader: &Downloader, folder: &Path) {
    let path = downloader.fetch(&file(), folder).unwrap();
    assert_eq!(path, folder.join("file.gz"));
    assert!(std::fs::read(path).unwrap() == content());
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 1, "the part is gone");
}

#[test]
fn a_download_is_kept_and_not_repeated() {
    let (server, folder) = (Server::new(&[Answer::Content(content())]), tempfile::tempdir().unwrap());
    let folder = folder.path().join("made/on/demand");
    assert_fetched(&downloader(&[&server]), &folder);
    assert_fetched(&downloader(&[&server]), &folder);
    assert_eq!(server.ranges(), [None]);
}

#[test]
fn a_cut_is_resumed_where_it_happened() {
    let server = Server::new(&[
        Answer::Cut(content(), 70_000),
        Answer::Status("503 Service Unavailable"),
        Answer::Content(content()),
    ]);
    let folder = tempfile::tempdir().unwrap();
    assert_fetched(&downloader(&[&server]), folder.path());
    assert_eq!(server.ranges(), [None, Some(70_000), Some(70_000)]);
}

#[test]
fn a_later_run_resumes() {
    let server = Server::new(&[Answer::Cut(content(), 1000), Answer::Content(content())]);
    let folder = tempfile::tempdir().unwrap();
    let error = downloader(&[&server]).attempts(1).fetch(&file(), folder.path()).unwrap_err();
    assert!(matches!(error, DownloadError::Failed { .. }), "{error}");
    assert_fetched(&downloader(&[&server]), folder.path());
    assert_eq!(server.ranges(), [None, Some(1000)]);
}

#[test]
fn a_server_without_ranges_starts_again() {
    let server = Server::new(&[Answer::Cut(content(), 1000), Answer::Whole(content())]);
    let folder = tempfile::tempdir().unwrap();
    assert_fetched(&downloader(&[&server]), folder.path());
}

#[test]
fn a_spoiled_part_is_given_up() {
    let server = Server::new(&[Answer::Content(content())]);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file.gz.part"), [0; 5000]).unwrap();
    assert_fetched(&downloader(&[&server]), folder.path());
    assert_eq!(server.ranges(), [Some(5000), None]);
    // One that is longer than the file.
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file.gz.part"), vec![0; 300_000]).unwrap();
    assert_fetched(&downloader(&[&server]), folder.path());
}

#[test]
fn a_mirror_without_the_file_is_asked_once_and_the_next_one_has_it() {
    let missing = Server::new(&[Answer::Status("404 Not Found")]);
    let good = Server::new(&[Answer::Cut(content(), 10), Answer::Content(content())]);
    let folder = tempfile::tempdir().unwrap();
    assert_fetched(&downloader(&[&missing, &good]), folder.path());
    assert_eq!((missing.ranges().len(), good.ranges()), (1, vec![None, Some(10)]));
}

#[test]
fn a_wrong_file_is_refused() {
    let mut wrong = content();
    wrong[100_000] ^= 1;
    let wrong = Server::new(&[Answer::Content(wrong)]);
    let folder = tempfile::tempdir().unwrap();
    let error = downloader(&[&wrong]).fetch(&file(), folder.path()).unwrap_err();
    assert!(error.to_string().contains("SHA-256 of the file is wrong"), "{error}");
    assert_eq!(wrong.ranges().len(), 1);
    assert!(!folder.path().join("file.gz").exists());
    let good = Server::new(&[Answer::Content(content())]);
    assert_fetched(&downloader(&[&wrong, &good]), folder.path());
}

#[test]
fn a_longer_file_is_not_read_to_its_end() {
    let long = Server::new(&[Answer::Content(vec![1; 400_000])]);
    let folder = tempfile::tempdir().unwrap();
    let error = downloader(&[&long]).fetch(&file(), folder.path()).unwrap_err();
    assert!(error.to_string().contains("longer than 200000 bytes"), "{error}");
}

#[test]
fn attempts_are_counted_and_reported() {
    let server = Server::new(&[Answer::Status("500 Internal Server Error")]);
    let folder = tempfile::tempdir().unwrap();
    let error = downloader(&[&server]).attempts(4).fetch(&file(), folder.path()).unwrap_err();
    let DownloadError::Failed { failures, .. } = error else { panic!("{error}") };
    assert_eq!((failures.len(), server.ranges().len()), (4, 4));
    let nobody = Downloader::new(["http://127.0.0.1:1/"]).backoff(Duration::from_millis(1));
    let error = nobody.fetch(&file(), folder.path()).unwrap_err();
    let DownloadError::Failed { failures, .. } = error else { panic!("{error}") };
    assert_eq!(failures.len(), 1, "a mirror that cannot be reached is tried once: {failures:?}");
}

#[test]
fn names_and_places_are_checked_before_anything_is_asked_for() {
    let (server, folder) = (Server::new(&[Answer::Content(content())]), tempfile::tempdir().unwrap());
    for name in ["", ".", "..", "../file.gz", "a/b", "/etc/hostname", "file.gz/"] {
        let file = RemoteFile { name: name.into(), ..file() };
        let error = downloader(&[&server]).fetch(&file, folder.path()).unwrap_err();
        assert!(matches!(error, DownloadError::InvalidName { .. }), "{name}: {error}");
    }
    std::fs::create_dir(folder.path().join("file.gz")).unwrap();
    let error = downloader(&[&server]).fetch(&file(), folder.path()).unwrap_err();
    assert!(error.to_string().ends_with("file.gz: it is a folder, not a regular file"), "{error}");
    assert!(server.ranges().is_empty());
}

#[cfg(unix)]
#[test]
fn a_link_to_nowhere_leads_to_the_download() {
    let (server, folder) = (Server::new(&[Answer::Content(content())]), tempfile::tempdir().unwrap());
    std::os::unix::fs::symlink("elsewhere", folder.path().join("file.gz")).unwrap();
    downloader(&[&server]).fetch(&file(), folder.path()).unwrap();
    assert!(std::fs::symlink_metadata(folder.path().join("file.gz")).unwrap().is_symlink());
    assert!(std::fs::read(folder.path().join("elsewhere")).unwrap() == content());
}

#[test]
fn many_failures_make_a_short_message() {
    let server = Server::new(&[Answer::Status("503 Service Unavailable")]);
    let folder = tempfile::tempdir().unwrap();
    let error = downloader(&[&server])
        .attempts(12)
        .backoff(Duration::ZERO)
        .fetch(&file(), folder.path())
        .unwrap_err();
    let message = error.to_string();
    assert!(message.contains("6 attempts like these; ") && message.len() < 800, "{message}");
}

#[test]
fn two_at_once_take_turns() {
    let server = Server::new(&[Answer::Content(content())]);
    let folder = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| downloader(&[&server]).fetch(&file(), folder.path()).unwrap());
        }
    });
    assert_fetched(&downloader(&[&server]), folder.path());
    assert_eq!(server.ranges().len(), 1);
}

#[cfg(not(feature = "https"))]
#[test]
fn https_is_named_where_it_is_not_built() {
    let secure = Server::new(&[Answer::Content(content())]).mirror.replace("http:", "https:");
    let answer: &'static str = format!("302 Found\r\nLocation: {secure}file.gz").leak();
    let elsewhere = Server::new(&[Answer::Status(answer)]);
    for mirror in [&secure, &elsewhere.mirror] {
        let folder = tempfile::tempdir().unwrap();
        let error = Downloader::new([mirror]).fetch(&file(), folder.path()).unwrap_err();
        let DownloadError::Failed { failures, .. } = error else { panic!("{error}") };
        assert!(
            failures.len() == 1 && failures[0].contains("HTTPS needs the feature `https`"),
            "{failures:?}"
        );
    }
}

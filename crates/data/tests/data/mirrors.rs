//! Mirrors that are dead, lie, dawdle or never end, on this machine: the next one is asked, and nothing of theirs is kept.
#![cfg(feature = "download")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
#[cfg(not(feature = "https"))]
use std::process::Command;
use std::sync::Arc;
#[cfg(not(feature = "https"))]
use std::sync::Mutex;
use std::time::Duration;

use sha2::{Digest, Sha256};
use wengert_data::download::{DownloadError, Downloader, RemoteFile};
use wengert_data::{FashionMnist, Mnist};

const BYTES: usize = 200_000;

fn content() -> Vec<u8> {
    (0..BYTES as u32).map(|i| (i * 31 % 253) as u8).collect()
}

fn file() -> RemoteFile {
    let sha256 = Sha256::digest(content()).iter().map(|b| format!("{b:02x}")).collect();
    RemoteFile { name: "file.gz".into(), sha256, bytes: BYTES as u64 }
}

/// A server that answers every request by a function of it, as far as the client listens.
fn serve(answer: impl Fn(&mut TcpStream, &str) -> std::io::Result<()> + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answer = Arc::new(answer);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let answer = Arc::clone(&answer);
            std::thread::spawn(move || {
                let mut stream = stream.unwrap();
                let request = request(&stream);
                let _ = answer(&mut stream, &request);
            });
        }
    });
    format!("http://{address}/")
}

/// The lines of a request, up to the empty one.
fn request(stream: &TcpStream) -> String {
    let lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
    lines.take_while(|line| !line.is_empty()).map(|line| line + "\n").collect()
}

fn good() -> String {
    serve(|stream, request| send(stream, request, &content()))
}

/// The content, or what a range asks for.
fn send(stream: &mut TcpStream, request: &str, content: &[u8]) -> std::io::Result<()> {
    let range = request.to_lowercase().lines().find_map(|line| {
        let start = line.strip_prefix("range: bytes=")?.trim_end_matches('-');
        start.parse::<usize>().ok()
    });
    let (start, all) = (range.unwrap_or(0), content.len());
    let status = match range {
        Some(start) => format!("206 Partial Content\r\nContent-Range: bytes {start}-{}/{all}", all - 1),
        None => "200 OK".into(),
    };
    head(stream, &format!("{status}\r\nContent-Length: {}", all - start))?;
    stream.write_all(&content[start..])
}

fn head(stream: &mut TcpStream, lines: &str) -> std::io::Result<()> {
    stream.write_all(format!("HTTP/1.1 {lines}\r\nConnection: close\r\n\r\n").as_bytes())
}

/// An address where nobody listens.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}/", listener.local_addr().unwrap())
}

/// What is wrong with a mirror, and what a download is told of it at least.
fn bad_mirrors() -> Vec<(&'static str, String, &'static str)> {
    let answered = |lines: &'static str, body: &'static str| {
        serve(move |stream, _| {
            head(stream, lines)?;
            stream.write_all(body.as_bytes())
        })
    };
    let to_nobody = format!("302 Found\r\nLocation: {}file.gz", nobody());
    vec![
        ("refuses", nobody(), ""),
        ("hangs up", serve(|_, _| Ok(())), ""),
        ("speaks no HTTP", serve(|stream, _| stream.write_all(b"220 ftp ready\r\n\r\n")), ""),
        ("lacks the file", answered("404 Not Found\r\nContent-Length: 0", ""), "404"),
        ("is shut", answered("403 Forbidden\r\nContent-Length: 5", "shut!"), "403"),
        ("sends us to nobody", serve(move |stream, _| head(stream, &to_nobody)), ""),
        ("sends us in circles", answered("302 Found\r\nLocation: /file.gz", ""), "redirect"),
        (
            "has a page in its place",
            answered("200 OK\r\nContent-Length: 13", "<html></html>"),
            "13 of 200000 bytes",
        ),
        (
            "breaks off",
            serve(|stream, _| {
                head(stream, &format!("200 OK\r\nContent-Length: {BYTES}"))?;
                stream.write_all(&content()[..BYTES / 2])
            }),
            "",
        ),
        (
            "has another file of that length",
            serve(|stream, request| send(stream, request, &[7; BYTES])),
            "SHA-256",
        ),
        (
            "has the file with another beginning, broken off",
            serve(|stream, _| {
                head(stream, &format!("200 OK\r\nContent-Length: {BYTES}"))?;
                stream.write_all(&[7; BYTES / 2])
            }),
            "",
        ),
        (
            "never ends",
            serve(|stream, _| {
                head(stream, "200 OK")?;
                loop {
                    stream.write_all(&[7; 1000])?;
                }
            }),
            "",
        ),
        (
            "never ends, in pieces",
            serve(|stream, _| {
                head(stream, "200 OK\r\nTransfer-Encoding: chunked")?;
                loop {
                    stream.write_all(&[b"400\r\n", &[b'x'; 1024][..], b"\r\n"].concat())?;
                }
            }),
            "",
        ),
        (
            "never ends its head",
            serve(|stream, _| {
                stream.write_all(b"HTTP/1.1 200 OK\r\n")?;
                loop {
                    stream.write_all(b"X-More: and more\r\n")?;
                }
            }),
            "",
        ),
        ("does not answer", serve(|stream, _| stream.read(&mut [0]).map(drop)), ""),
        (
            "falls asleep",
            serve(|stream, _| {
                head(stream, &format!("200 OK\r\nContent-Length: {BYTES}"))?;
                stream.write_all(&content()[..1000])?;
                stream.read(&mut [0]).map(drop)
            }),
            "",
        ),
        (
            "drips",
            serve(|stream, _| {
                head(stream, &format!("200 OK\r\nContent-Length: {BYTES}"))?;
                for byte in content() {
                    stream.write_all(&[byte])?;
                    std::thread::sleep(Duration::from_millis(20));
                }
                Ok(())
            }),
            "",
        ),
    ]
}

fn downloader<'a>(mirrors: impl IntoIterator<Item = &'a String>) -> Downloader {
    let patience = Duration::from_secs(1);
    Downloader::new(mirrors).backoff(Duration::from_millis(1)).attempts(2).patience(patience, patience)
}

#[track_caller]
fn assert_fetched(downloader: &Downloader, folder: &Path, what: &str) {
    let path = downloader.fetch(&file(), folder).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!(std::fs::read(&path).unwrap() == content(), "{what}");
    let there: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(there, [path], "{what}");
}

#[test]
fn after_a_bad_mirror_the_next_one_gives_the_file() {
    let good = good();
    for (what, bad, _) in bad_mirrors() {
        let folder = tempfile::tempdir().unwrap();
        assert_fetched(&downloader([&bad, &good]), folder.path(), what);
    }
}

#[test]
fn after_all_of_them_too() {
    let (mut mirrors, folder) = (bad_mirrors(), tempfile::tempdir().unwrap());
    mirrors.push(("good", good(), ""));
    assert_fetched(&downloader(mirrors.iter().map(|(_, mirror, _)| mirror)), folder.path(), "all");
}

#[test]
fn a_bad_mirror_alone_is_an_error_that_names_it_and_leaves_no_file() {
    for (what, bad, why) in bad_mirrors() {
        let folder = tempfile::tempdir().unwrap();
        let error = downloader([&bad]).attempts(1).fetch(&file(), folder.path()).unwrap_err();
        let DownloadError::Failed { file, failures } = error else { panic!("{what}: {error}") };
        assert_eq!((file.as_str(), failures.len()), ("file.gz", 1), "{what}");
        assert!(failures[0].starts_with(&format!("{bad}file.gz: ")), "{what}: {failures:?}");
        assert!(failures[0].contains(why), "{what}: {failures:?}");
        assert!(!folder.path().join("file.gz").exists(), "{what}");
        // What is left of it does not stand in the way of a good one.
        assert_fetched(&downloader([&good()]), folder.path(), what);
    }
}

#[test]
fn without_a_good_mirror_each_is_named() {
    let (mirrors, folder) = (bad_mirrors(), tempfile::tempdir().unwrap());
    let all = downloader(mirrors.iter().map(|(_, mirror, _)| mirror)).attempts(1);
    let error = all.fetch(&file(), folder.path()).unwrap_err();
    let DownloadError::Failed { failures, .. } = error else { panic!("{error}") };
    assert_eq!(failures.len(), mirrors.len());
    for (failure, (what, mirror, _)) in failures.iter().zip(&mirrors) {
        assert!(failure.starts_with(&format!("{mirror}file.gz: ")), "{what}: {failure}");
    }
    assert!(!folder.path().join("file.gz").exists());
}

#[test]
fn what_never_ends_is_left_where_it_exceeds_the_file() {
    let folder = tempfile::tempdir().unwrap();
    for (what, bad, _) in bad_mirrors()
        .into_iter()
        .filter(|(what, ..)| what.starts_with("never ends") && !what.ends_with("head"))
    {
        let error = Downloader::new([bad]).attempts(1).fetch(&file(), folder.path()).unwrap_err();
        assert!(error.to_string().contains("longer than 200000 bytes"), "{what}: {error}");
    }
}

#[test]
fn a_mirror_may_send_us_elsewhere() {
    let elsewhere = format!("301 Moved Permanently\r\nContent-Length: 0\r\nLocation: {}file.gz", good());
    let mirror = serve(move |stream, _| head(stream, &elsewhere));
    let folder = tempfile::tempdir().unwrap();
    assert_fetched(&downloader([&mirror]), folder.path(), "moved");
}

/// Tells the child which data set to load.
const CHILD: &str = "WENGERT_TEST_MIRRORS";

/// Not a test of its own: what the child runs.
#[test]
fn child() {
    let Ok(name) = std::env::var(CHILD) else { return };
    match if name == "mnist" { Mnist::load() } else { FashionMnist::load() } {
        Ok(set) => println!("\nRESULT {}", set.origin),
        Err(error) => println!("\nRESULT error {error}"),
    }
}

/// What loading a data set gives where this proxy stands for the whole network.
#[cfg(not(feature = "https"))]
fn load(name: &str, proxy: &str, cache: &Path) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "mirrors::child", "--nocapture"]).env(CHILD, name).env_remove("WENGERT_DATA");
    for variable in ["XDG_CACHE_HOME", "HOME", "LOCALAPPDATA"] {
        command.env(variable, cache);
    }
    command.env("ALL_PROXY", proxy).env_remove("NO_PROXY").env_remove("no_proxy");
    let output = String::from_utf8(command.output().unwrap().stdout).unwrap();
    let line = output.lines().find_map(|line| line.strip_prefix("RESULT "));
    line.unwrap_or_else(|| panic!("{output}")).into()
}

/// A proxy that connects to servers without the files, whatever their name, and the addresses that it was asked for.
#[cfg(not(feature = "https"))]
fn network_without_the_files() -> (String, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    let proxy = serve(move |stream, connect| {
        let host = connect.split_whitespace().nth(1).unwrap_or_default().trim_end_matches(":80").to_string();
        stream.write_all(b"HTTP/1.1 200 Connected\r\n\r\n")?;
        let request = request(stream);
        let path = request.split_whitespace().nth(1).unwrap_or_default();
        seen.lock().unwrap().push(format!("{host}{path}"));
        head(stream, "404 Not Found\r\nContent-Length: 0")
    });
    (proxy, asked)
}

#[cfg(not(feature = "https"))]
#[test]
fn the_mirrors_of_the_data_sets_are_asked_in_turn_and_named() {
    let (proxy, asked) = network_without_the_files();
    let cache = tempfile::tempdir().unwrap();
    let digits = load("mnist", &proxy, cache.path());
    assert!(digits.starts_with("SYNTHETIC digits, not MNIST ("), "{digits}");
    let file = "mnist/train-images-idx3-ubyte.gz";
    let of_digits = ["ossci-datasets.s3.amazonaws.com/", "storage.googleapis.com/cvdf-datasets/"];
    for mirror in of_digits {
        assert!(digits.contains(&format!("http://{mirror}{file}: the server answers 404")), "{digits}");
    }
    assert_eq!(*asked.lock().unwrap(), of_digits.map(|mirror| format!("{mirror}{file}")));
    asked.lock().unwrap().clear();

    let clothes = load("fashion", &proxy, cache.path());
    assert!(clothes.starts_with("error Fashion-MNIST cannot be had: "), "{clothes}");
    let asked = asked.lock().unwrap();
    assert!(asked.len() > 1, "{asked:?}");
    for mirror in &*asked {
        assert!(clothes.contains(&format!("http://{mirror}: the server answers 404")), "{mirror}: {clothes}");
    }
}

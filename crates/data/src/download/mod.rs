//! Files from public mirrors: resumed where an earlier attempt broke off, retried, and checked against their SHA-256.
//!
//! A file is what was published, whoever sent it: nothing is used whose SHA-256 is another than the program says, and not a byte
//! more than the published length is taken in. So plain HTTP will do, and spares the build a cryptographic library; with the
//! feature `https` mirrors may be asked by HTTPS too, so that nobody on the way sees what is downloaded.

mod attempt;
mod error;
mod part;

pub use error::DownloadError;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use wengert_tensor::file::{AccessError, open};
use wengert_tensor::text;

use attempt::{Failure, attempt};
use part::Part;

/// A published file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteFile {
    /// Its name, at the mirrors and in the folder that it goes to.
    pub name: String,
    /// The SHA-256 of its bytes, in lower-case hexadecimal.
    pub sha256: String,
    /// Its length; not a byte more is read.
    pub bytes: u64,
}

/// Downloads files from the first mirror that has them.
///
/// ```no_run
/// use wengert_data::download::{Downloader, RemoteFile};
/// let labels = RemoteFile {
///     name: "train-labels-idx1-ubyte.gz".into(),
///     sha256: "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c".into(),
///     bytes: 28_881,
/// };
/// let downloader = Downloader::new(["http://ossci-datasets.s3.amazonaws.com/mnist/"]).progress(true);
/// let path = downloader.fetch(&labels, "data".as_ref())?;
/// # Ok::<(), wengert_data::download::DownloadError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Downloader {
    mirrors: Vec<String>,
    attempts: u32,
    backoff: Duration,
    progress: bool,
    agent: ureq::Agent,
}

impl Downloader {
    /// A downloader from mirrors, tried in this order: each is what stands before the file's name, with its last
    /// slash. Without further settings: three rounds over the mirrors, half a second of pause before the second
    /// round and twice as much before each later one, no progress bar.
    pub fn new<M: Into<String>>(mirrors: impl IntoIterator<Item = M>) -> Self {
        Downloader {
            mirrors: mirrors.into_iter().map(Into::into).collect(),
            attempts: 3,
            backoff: Duration::from_millis(500),
            progress: false,
            agent: agent(Duration::from_secs(30), Duration::from_secs(180)),
        }
    }

    /// How often each mirror is tried at most. A mirror that lacks the file, has a wrong one or cannot be reached
    /// is not tried again.
    ///
    /// ```
    /// use std::time::Duration;
    /// use wengert_data::download::{DownloadError, Downloader, RemoteFile};
    /// // Nobody listens there.
    /// let downloader = Downloader::new(["http://127.0.0.1:1/"]).attempts(1).backoff(Duration::ZERO);
    /// let file = RemoteFile { name: "file.gz".into(), sha256: "00".repeat(32), bytes: 10 };
    /// let folder = std::env::temp_dir().join("wengert-attempts");
    /// assert!(matches!(downloader.fetch(&file, &folder), Err(DownloadError::Failed { .. })));
    /// ```
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// The pause before the second round over the mirrors; it doubles before each later one.
    pub fn backoff(mut self, pause: Duration) -> Self {
        self.backoff = pause;
        self
    }

    /// How long a mirror may take to answer, and to send its file: by default half a minute and three minutes. Then it is the
    /// next one's turn, which goes on from what has arrived.
    ///
    /// ```
    /// use std::time::Duration;
    /// use wengert_data::download::Downloader;
    /// // For a slow line.
    /// let downloader = Downloader::new(["http://example.org/data/"])
    ///     .patience(Duration::from_secs(60), Duration::from_secs(3600));
    /// ```
    pub fn patience(mut self, answer: Duration, body: Duration) -> Self {
        self.agent = agent(answer, body);
        self
    }

    /// Whether a progress bar is shown, if standard error is a terminal.
    pub fn progress(mut self, show: bool) -> Self {
        self.progress = show;
        self
    }

    /// The path of `file` in `folder`, downloaded unless it is there already.
    ///
    /// What has arrived is kept beside it in a `.part` file and completed by the next attempt, also of a later
    /// run. The file gets its name once its SHA-256 was found right. Two processes at once take turns.
    ///
    /// # Errors
    /// If no mirror gives the right file, or it cannot be written.
    pub fn fetch(&self, file: &RemoteFile, folder: &Path) -> Result<PathBuf, DownloadError> {
        // Names may come from a list that somebody else wrote.
        if Path::new(&file.name).file_name() != Some(file.name.as_ref()) {
            return Err(DownloadError::InvalidName { name: file.name.clone() });
        }
        let path = folder.join(&file.name);
        let io = |path: &Path| {
            let path = path.to_path_buf();
            move |source| DownloadError::Io { path, source }
        };
        match open(&path) {
            Ok(_) => return Ok(path),
            Err(AccessError::Io(missing)) if missing.kind() == ErrorKind::NotFound => {}
            // A folder of that name, say: better told before the download than after it.
            Err(error) => return Err(io(&path)(error.into())),
        }
        std::fs::create_dir_all(folder).map_err(io(folder))?;
        let mut part = Part::open(folder, &file.name).map_err(io(folder))?;
        // Another process may have finished while this one waited for its turn.
        if path.is_file() {
            part.discard();
            return Ok(path);
        }
        let bar = self.bar(file);
        let mut failures = Vec::new();
        let mut mirrors: Vec<&String> = self.mirrors.iter().collect();
        for round in 0..self.attempts {
            if mirrors.is_empty() {
                break;
            }
            if round > 0 {
                std::thread::sleep(self.backoff.saturating_mul(1 << (round - 1).min(16)));
            }
            let mut left = Vec::new();
            for mirror in mirrors {
                let url = format!("{mirror}{}", file.name);
                match attempt(&self.agent, &url, file, &mut part, &bar) {
                    Ok(()) => {
                        bar.finish_and_clear();
                        part.finish(&path).map_err(io(&path))?;
                        return Ok(path);
                    }
                    Err(Failure::Write(e)) => return Err(io(part.path())(e)),
                    Err(Failure::Permanent(why)) => failures.push(failed(&url, &why)),
                    Err(Failure::Passing(why)) => {
                        failures.push(failed(&url, &why));
                        left.push(mirror);
                    }
                }
            }
            mirrors = left;
        }
        bar.finish_and_clear();
        Err(DownloadError::Failed { file: file.name.clone(), failures })
    }

    fn bar(&self, file: &RemoteFile) -> ProgressBar {
        if !self.progress {
            return ProgressBar::hidden();
        }
        let style = ProgressStyle::with_template("{msg} {bar:30} {bytes}/{total_bytes} {bytes_per_sec}")
            .expect("the template is valid");
        ProgressBar::new(file.bytes).with_style(style).with_message(file.name.clone())
    }
}

/// A machine without network is not kept waiting; a slow one may take its time for the body.
fn agent(answer: Duration, body: Duration) -> ureq::Agent {
    ureq::Agent::config_builder()
        .timeout_resolve(Some(Duration::from_secs(10)))
        .timeout_connect(Some(Duration::from_secs(10)))
        .timeout_recv_response(Some(answer))
        .timeout_recv_body(Some(body))
        .http_status_as_error(false)
        .build()
        .into()
}

/// What an attempt came to, on one line: a part of it may be what the server said.
fn failed(url: &str, why: &str) -> String {
    format!("{}: {}", text::line(url, 300), text::line(why, 300))
}

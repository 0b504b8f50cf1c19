//! One request to one mirror.

use std::io::Read;

use indicatif::ProgressBar;
use ureq::http::StatusCode;

use super::RemoteFile;
use super::part::Part;

/// Why an attempt failed.
pub(super) enum Failure {
    /// Another attempt may succeed: a connection broke off, or the server is overloaded.
    Passing(String),
    /// This mirror will not do: it lacks the file, has another one, or cannot be reached.
    Permanent(String),
    /// What arrives cannot be kept.
    Write(std::io::Error),
}

/// Completes `part` from `url`, and checks it.
pub(super) fn attempt(
    agent: &ureq::Agent,
    url: &str,
    file: &RemoteFile,
    part: &mut Part,
    bar: &ProgressBar,
) -> Result<(), Failure> {
    if part.bytes() > file.bytes {
        part.restart().map_err(Failure::Write)?;
    }
    let mut resumed = part.bytes() > 0;
    loop {
        if part.bytes() < file.bytes {
            receive(agent, url, file, part, bar)?;
        }
        if part.sha256().map_err(Failure::Write)? == file.sha256 {
            return Ok(());
        }
        part.restart().map_err(Failure::Write)?;
        if !resumed {
            return Err(Failure::Permanent("the SHA-256 of the file is wrong".into()));
        }
        // The wrong bytes may be those that were there before, of another mirror: once more, all of it from this one.
        resumed = false;
    }
}

fn receive(
    agent: &ureq::Agent,
    url: &str,
    file: &RemoteFile,
    part: &mut Part,
    bar: &ProgressBar,
) -> Result<(), Failure> {
    let mut request = agent.get(url);
    if part.bytes() > 0 {
        request = request.header("Range", format!("bytes={}-", part.bytes()));
    }
    let mut response = request.call().map_err(unanswered)?;
    match response.status() {
        StatusCode::PARTIAL_CONTENT => {
            let start = format!("bytes {}-", part.bytes());
            let range = response.headers().get("Content-Range").and_then(|value| value.to_str().ok());
            if !range.is_some_and(|range| range.starts_with(&start)) {
                part.restart().map_err(Failure::Write)?;
                return Err(Failure::Passing("the server resumed at another place".into()));
            }
        }
        // The server sends all of it, whatever was asked for.
        StatusCode::OK => part.restart().map_err(Failure::Write)?,
        StatusCode::RANGE_NOT_SATISFIABLE => {
            part.restart().map_err(Failure::Write)?;
            return Err(Failure::Passing("the server's file is shorter than what had arrived".into()));
        }
        status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
            return Err(Failure::Passing(format!("the server answers {status}")));
        }
        status => return Err(Failure::Permanent(format!("the server answers {status}"))),
    }
    let is_announced = response.headers().contains_key("Content-Length");
    let mut body = response.body_mut().as_reader();
    let mut buffer = vec![0; 1 << 16];
    loop {
        bar.set_position(part.bytes());
        let n = body.read(&mut buffer).map_err(|e| Failure::Passing(e.to_string()))?;
        if n == 0 {
            break;
        }
        if part.bytes() + n as u64 > file.bytes {
            part.restart().map_err(Failure::Write)?;
            return Err(Failure::Permanent(format!("the server's file is longer than {} bytes", file.bytes)));
        }
        part.append(&buffer[..n]).map_err(Failure::Write)?;
    }
    if part.bytes() < file.bytes {
        let found = format!("{} of {} bytes", part.bytes(), file.bytes);
        if !is_announced {
            return Err(Failure::Passing(format!("the connection ended after {found}")));
        }
        // All that was announced has come: a page that says sorry, say. The next mirror is not to go on from it.
        part.restart().map_err(Failure::Write)?;
        return Err(Failure::Permanent(format!("the server's file has only {found}")));
    }
    Ok(())
}

/// A server that cannot be reached at all will not be reachable a second later.
fn unanswered(error: ureq::Error) -> Failure {
    match &error {
        ureq::Error::Io(e) if e.kind() != std::io::ErrorKind::ConnectionRefused => {
            Failure::Passing(error.to_string())
        }
        ureq::Error::Timeout(ureq::Timeout::RecvResponse | ureq::Timeout::RecvBody) => {
            Failure::Passing(error.to_string())
        }
        // Of a mirror, or of the place that it sends us to.
        ureq::Error::TlsRequired => Failure::Permanent("HTTPS needs the feature `https`".into()),
        _ => Failure::Permanent(error.to_string()),
    }
}

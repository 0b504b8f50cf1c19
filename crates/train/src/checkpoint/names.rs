//! The names of the files in a run's folder.

use std::path::{Path, PathBuf};

/// What all end with.
const END: &str = ".safetensors";

/// A checkpoint, by its name.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Named {
    /// The steps that were done.
    pub(super) step: u64,
    /// For what it was kept, and the value of that.
    pub(super) best: Option<(String, f64)>,
}

impl Named {
    pub(super) fn of_step(step: u64) -> Self {
        Named { step, best: None }
    }

    pub(super) fn best(step: u64, metric: &str, value: f64) -> Self {
        Named { step, best: Some((metric.to_owned(), value)) }
    }

    /// The file's name: those of later steps come later. The value is there with all its digits.
    pub(super) fn file_name(&self) -> String {
        match &self.best {
            None => format!("step-{:08}{END}", self.step),
            Some((metric, value)) => format!("best-{:08}-{metric}={value:?}{END}", self.step),
        }
    }

    /// What a file of that name is; `None` for others.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let stem = name.strip_suffix(END)?;
        let named = if let Some(step) = stem.strip_prefix("step-") {
            Named::of_step(step.parse().ok()?)
        } else {
            let (step, best) = stem.strip_prefix("best-")?.split_once('-')?;
            let (metric, value) = best.rsplit_once('=')?;
            Named::best(step.parse().ok()?, metric, value.parse().ok()?)
        };
        // Only what would be written so.
        (named.file_name() == name).then_some(named)
    }
}

/// The checkpoints in a folder, in the order of their steps, of one step those that were kept for their step last. What
/// has another name, or is a link or a folder, is somebody else's.
pub(super) fn list(folder: &Path) -> Result<Vec<(Named, PathBuf)>, std::io::Error> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        // What is gone by now is no file.
        if !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        if let Some(named) = entry.file_name().to_str().and_then(Named::parse) {
            found.push((named, entry.path()));
        }
    }
    found.sort_by(|(a, x), (b, y)| {
        (a.step, a.best.is_none()).cmp(&(b.step, b.best.is_none())).then_with(|| x.cmp(y))
    });
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back() {
        for named in [
            Named::of_step(0),
            Named::of_step(1200),
            Named::of_step(u64::MAX),
            Named::best(7, "validation.accuracy", 0.1 + 0.2),
            Named::best(7, "a-b=c", -1e-300),
            Named::best(123_456_789, "loss", f64::INFINITY),
        ] {
            assert_eq!(Named::parse(&named.file_name()), Some(named));
        }
        assert_eq!(Named::of_step(1200).file_name(), "step-00001200.safetensors");
        assert_eq!(Named::best(1200, "loss", 0.5).file_name(), "best-00001200-loss=0.5.safetensors");
        for other in [
            "step-1200.safetensors",
            "step-000001200.safetensors",
            "step-+0001200.safetensors",
            "step-00001200.safetensors.tmp",
            "best-00000001.safetensors",
            "best-00000001-loss=0.50.safetensors",
            "model.safetensors",
            "",
        ] {
            assert_eq!(Named::parse(other), None, "{other}");
        }
    }
}

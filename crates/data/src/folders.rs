//! Where data sets are kept.

use std::ffi::OsString;
use std::path::PathBuf;

/// The environment variable that names the folder of the user's data sets.
pub(crate) const DATA_VARIABLE: &str = "WENGERT_DATA";

/// The folder that the environment variable names, if it is set to something.
pub(crate) fn data_folder() -> Option<PathBuf> {
    variable(DATA_VARIABLE)
}

/// The user's cache folder for this program's data sets: `$XDG_CACHE_HOME/wengert` or `~/.cache/wengert`; on
/// macOS `~/Library/Caches/wengert`; on Windows `%LOCALAPPDATA%\wengert`. `None` where the environment does
/// not tell.
pub(crate) fn cache_folder() -> Option<PathBuf> {
    let caches = if cfg!(windows) {
        variable("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        variable("HOME").map(|home| home.join("Library/Caches"))
    } else {
        // The XDG specification says to ignore a relative path.
        variable("XDG_CACHE_HOME")
            .filter(|path| path.is_absolute())
            .or_else(|| variable("HOME").map(|home| home.join(".cache")))
    };
    caches.map(|caches| caches.join("wengert"))
}

fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value: &OsString| !value.is_empty()).map(PathBuf::from)
}

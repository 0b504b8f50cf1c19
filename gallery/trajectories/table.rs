//! The paths as text: a table of their ends, and a file of all points.

use std::fmt::Write;
use std::io;
use std::path::{Path as FilePath, PathBuf};

use wengert_gallery::files::write_file;

use crate::functions::Function;
use crate::run::Path;

/// One line per optimiser.
pub(crate) fn text(paths: &[Path]) -> String {
    let mut text = format!(
        "{:10} {:>6} {:>14} {:>14}  {:32} {}\n",
        "optimiser", "steps", "final value", "gradient norm", "final point", "end"
    );
    for path in paths {
        let Some(last) = path.places.last() else { continue };
        let point: Vec<String> = last.point.iter().map(|c| format!("{c:.4}")).collect();
        let _ = writeln!(
            text,
            "{:10} {:6} {:14.6e} {:14.3e}  {:32} {}",
            path.optimizer,
            path.places.len() - 1,
            last.value,
            last.gradient_norm,
            format!("({})", point.join(", ")),
            path.end
        );
    }
    text
}

/// Writes every point of every path.
///
/// # Errors
/// If the file cannot be written.
pub(crate) fn write(folder: &FilePath, function: &Function, paths: &[Path]) -> io::Result<PathBuf> {
    let coordinates = &["x", "y", "z"][..function.start.len()];
    let mut text = format!("optimiser,step,{},value,gradient_norm\n", coordinates.join(","));
    for path in paths {
        for (step, place) in path.places.iter().enumerate() {
            let _ = write!(text, "{},{step},", path.optimizer);
            for coordinate in &place.point {
                let _ = write!(text, "{coordinate:e},");
            }
            let _ = writeln!(text, "{:e},{:e}", place.value, place.gradient_norm);
        }
    }
    let name = folder.join(format!("trajectories_{}.csv", function.name));
    write_file(&name, text.as_bytes())?;
    Ok(name)
}

//! Writing models in several files.

use std::any::Any;
use std::collections::HashSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use wengert_nn::tensor_file::{NamedTensor, Numbers, Writer};
use wengert_nn::{FileError, Params};
use wengert_tensor::file::{AccessError, open, write_atomically};
use wengert_tensor::{Float, Tensor};

use super::index::{Index, is_name};
use crate::error::FormatsError;

/// What the index is called, as those of others.
const INDEX: &str = "model.safetensors.index.json";

/// Writes all parameters, buffers and counts of a model in safetensors files of at most so many bytes of tensors each (a larger tensor has one
/// for itself), and an index of them, whose path is returned: in this folder, which must be there. `transformers` and [`load`](crate::load)
/// read them.
///
/// All of it appears, or nothing: the files have a checksum of the model in their names and come first, then the index takes the place of the
/// one that was there, and then the files that only that one spoke of are removed.
///
/// # Errors
/// If a file cannot be written. What was there is then still there, perhaps with new files beside it.
///
/// ```
/// use wengert_formats::sharded;
/// use wengert_nn::{Linear, Params};
/// let folder = std::env::temp_dir().join("wengert-sharded-save");
/// std::fs::create_dir_all(&folder)?;
/// let mut params: Params = Params::seeded(0);
/// Linear::new(params.at("out"), 3, 2);
/// let index = sharded::save(&params, &folder, 5 << 30)?;
/// assert_eq!(index, folder.join("model.safetensors.index.json"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Panics
/// If the number of bytes is 0.
#[track_caller]
pub fn save<T: Float>(
    params: &Params<T>,
    folder: impl AsRef<Path>,
    most_bytes: u64,
) -> Result<PathBuf, FormatsError> {
    assert!(most_bytes > 0, "sharded::save: 0 bytes for each file");
    let path = folder.as_ref().join(INDEX);
    let counts = params.counts();
    let parameters = params.iter().map(|(name, _, _)| {
        let id = params.id(name).expect("it is there");
        (name.to_owned(), params.tensor(id))
    });
    let tensors: Vec<(String, Tensor<T>)> = parameters.chain(params.buffers()).collect();
    let tensors: Vec<_> = tensors.into_iter().map(|(name, tensor)| (name, tensor.contiguous())).collect();
    let floats = tensors
        .iter()
        .map(|(name, tensor)| NamedTensor::new(name.as_str(), tensor.shape().clone(), numbers(tensor)));
    let whole = counts.iter().map(|(name, count)| {
        NamedTensor::new(name.as_str(), [0usize; 0], Numbers::from(std::slice::from_ref(count)))
    });
    let (mut shards, mut bytes, mut total): (Vec<Vec<NamedTensor<'_>>>, _, u64) = (Vec::new(), 0, 0);
    for tensor in floats.chain(whole) {
        let own = bytes_of(&tensor);
        if shards.is_empty() || bytes + own > most_bytes && bytes > 0 {
            shards.push(Vec::new());
            bytes = 0;
        }
        bytes += own;
        total += own;
        shards.last_mut().expect("there is one").push(tensor);
    }
    let sum = checksum(&shards);
    let count = shards.len();
    let mut map = serde_json::Map::new();
    for (i, shard) in shards.into_iter().enumerate() {
        let file = format!("model-{sum:08x}-{:05}-of-{count:05}.safetensors", i + 1);
        let at = folder.as_ref().join(&file);
        map.extend(shard.iter().map(|tensor| (tensor.name().to_owned(), file.clone().into())));
        let writer =
            Writer::new(&[], shard).map_err(|source| FileError::Format { path: Some(at.clone()), source })?;
        write_atomically(&at, |out| Ok::<_, AccessError>(writer.write(out)?))
            .map_err(|error| FormatsError::access(&at, error))?;
    }
    let old = files_of(&path);
    let new: HashSet<String> = map.values().filter_map(|file| file.as_str().map(str::to_owned)).collect();
    let index = serde_json::json!({ "metadata": { "total_size": total }, "weight_map": map });
    let text = serde_json::to_string_pretty(&index).expect("it is plain data");
    write_atomically(&path, |out| Ok::<_, AccessError>(out.write_all(text.as_bytes())?))
        .map_err(|error| FormatsError::access(&path, error))?;
    // Only those that this function wrote. That one cannot be removed is no error.
    for file in old.iter().filter(|file| !new.contains(*file) && is_ours(file)) {
        let _ = std::fs::remove_file(folder.as_ref().join(file));
    }
    Ok(path)
}

/// The numbers of a tensor, by their type.
fn numbers<T: Float>(tensor: &Tensor<T>) -> Numbers<'_> {
    let any: &dyn Any = tensor;
    match (any.downcast_ref::<Tensor<f32>>(), any.downcast_ref::<Tensor<f64>>()) {
        (Some(tensor), _) => Numbers::from(tensor.as_slice().expect("it was made contiguous")),
        (_, Some(tensor)) => Numbers::from(tensor.as_slice().expect("it was made contiguous")),
        _ => unreachable!("there are two types of floating-point numbers"),
    }
}

fn bytes_of(tensor: &NamedTensor<'_>) -> u64 {
    let width = if tensor.numbers().dtype() == "F32" { 4 } else { 8 };
    tensor.numbers().len() as u64 * width
}

/// A checksum of all names and numbers.
fn checksum(shards: &[Vec<NamedTensor<'_>>]) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    for tensor in shards.iter().flatten() {
        sum.update(tensor.name().as_bytes());
        let seen = tensor.numbers().each_piece(|piece| {
            sum.update(piece);
            Ok(())
        });
        seen.expect("nothing fails");
    }
    sum.finalize()
}

/// The files that the index at this path speaks of, if there is one.
fn files_of(path: &Path) -> Vec<String> {
    let read = open(path).ok().and_then(|_| std::fs::read(path).ok());
    read.and_then(|json| Index::new(json).ok()).map_or_else(Vec::new, |index| index.files)
}

/// Whether the name is one that [`save`] gives.
fn is_ours(file: &str) -> bool {
    let Some(rest) = file.strip_prefix("model-").and_then(|rest| rest.strip_suffix(".safetensors")) else {
        return false;
    };
    let parts: Vec<&str> = rest.split('-').collect();
    let digits = |part: &str| part.len() == 5 && part.bytes().all(|b| b.is_ascii_digit());
    is_name(file)
        && matches!(parts[..], [sum, one, "of", all]
            if sum.len() == 8 && sum.bytes().all(|b| b.is_ascii_hexdigit()) && digits(one) && digits(all))
}

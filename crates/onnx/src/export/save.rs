//! Writing a model to one file, or its numbers to a second one.

use std::io::Write;
use std::path::{Path, PathBuf};

use wengert_tensor::file::{AccessError, write_atomically};

use super::{ExportError, OnnxFile};
use crate::proto::{GraphProto, Message, ModelProto, TensorProto};

/// The most bytes of a protobuf message that other programs read.
const LARGEST_MESSAGE: usize = i32::MAX as usize;
/// Tensors of fewer bytes stay in the model, as its readers look at shapes and settings.
const SMALLEST_MOVED: usize = 1024;
/// Tensors begin at the beginning of a page, so that readers may map them.
const PAGE: usize = 4096;

impl OnnxFile {
    /// Writes the file, which appears whole or not at all: see [`write_atomically`]. A model of 2 GB or more, which other programs
    /// do not read as one file, is written as by [`save_within`](OnnxFile::save_within).
    ///
    /// # Errors
    /// [`ExportError::Io`] if what stands at the path is no regular file, or the system cannot write it.
    ///
    /// ```no_run
    /// # use wengert_nn::{Linear, Params};
    /// # use wengert_onnx::Export;
    /// # use wengert_tensor::Tensor;
    /// # let mut params: Params = Params::seeded(0);
    /// # let layer = Linear::new(params.root(), 3, 2);
    /// Export::new().input("x", Tensor::ones([1, 3])).layer(&params, &layer)?.save("model.onnx")?;
    /// # Ok::<(), wengert_onnx::ExportError>(())
    /// ```
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), ExportError> {
        self.save_within(path, LARGEST_MESSAGE)
    }

    /// Writes a model of more than `bytes` bytes as two files: tensors of 1024 bytes or more stand in a second one beside the
    /// first, `model.onnx.data` for `model.onnx`, which belong together and are moved together. That file is written first; each
    /// appears whole or not at all.
    ///
    /// # Errors
    /// [`ExportError::Io`] if what stands at one of the paths is no regular file, the system cannot write it, or a name of two files is
    /// no UTF-8.
    ///
    /// ```
    /// # use wengert_nn::{Linear, Params};
    /// # use wengert_onnx::{Export, Model};
    /// # use wengert_tensor::Tensor;
    /// # let mut params: Params = Params::seeded(0);
    /// # let layer = Linear::new(params.root(), 64, 64);
    /// # let path = std::env::temp_dir().join(format!("wengert-two-{}.onnx", std::process::id()));
    /// let model = Export::new().input("x", Tensor::ones([1, 64])).layer(&params, &layer)?;
    /// model.save_within(&path, 0)?;
    /// let data = path.with_added_extension("data");
    /// assert_eq!(std::fs::metadata(&data)?.len(), 4 * 64 * 64);
    /// let again = Model::read(Params::<f32>::seeded(0).root(), &path)?;
    /// # std::fs::remove_file(&path)?;
    /// # std::fs::remove_file(&data)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "external_data")]
    pub fn save_within(&self, path: impl AsRef<Path>, bytes: usize) -> Result<(), ExportError> {
        let path = path.as_ref();
        if self.model.length() <= bytes {
            return write(path, |file| file.write_all(&self.to_bytes()));
        }
        let mut data = path.as_os_str().to_owned();
        data.push(".data");
        let data = PathBuf::from(data);
        let Some(location) = data.file_name().and_then(|name| name.to_str()) else {
            let source = std::io::Error::new(
                std::io::ErrorKind::InvalidInput,
                "a model of two files needs a name in UTF-8",
            );
            return Err(ExportError::Io { path: path.to_owned(), source });
        };
        let (model, moved) = self.parted(location);
        write(&data, |file| {
            let mut at = 0;
            for bytes in moved {
                let start = at_page(at);
                file.write_all(&vec![0; start - at])?;
                file.write_all(bytes)?;
                at = start + bytes.len();
            }
            Ok(())
        })?;
        write(path, |file| file.write_all(&model.encode()))
    }

    /// The model without the bytes of large tensors, and these in their order in the file at `location`.
    fn parted(&self, location: &str) -> (ModelProto, Vec<&[u8]>) {
        let (mut moved, mut at) = (Vec::new(), 0);
        let graph = self.model.graph.as_deref().map(|graph| {
            let initializer = graph.initializer.iter().map(|tensor| match &tensor.raw_data {
                Some(bytes) if bytes.len() >= SMALLEST_MOVED => {
                    let start = at_page(at);
                    at = start + bytes.len();
                    moved.push(&bytes[..]);
                    tensor.elsewhere(location, start, bytes.len())
                }
                _ => tensor.clone(),
            });
            let initializer: Vec<TensorProto> = initializer.collect();
            Box::new(GraphProto {
                initializer,
                node: graph.node.clone(),
                name: graph.name.clone(),
                doc_string: graph.doc_string.clone(),
                input: graph.input.clone(),
                output: graph.output.clone(),
                value_info: graph.value_info.clone(),
                ..Default::default()
            })
        });
        let of = &self.model;
        let model = ModelProto {
            graph,
            ir_version: of.ir_version,
            opset_import: of.opset_import.clone(),
            producer_name: of.producer_name.clone(),
            producer_version: of.producer_version.clone(),
            doc_string: of.doc_string.clone(),
            metadata_props: of.metadata_props.clone(),
            ..Default::default()
        };
        (model, moved)
    }
}

fn at_page(at: usize) -> usize {
    at.next_multiple_of(PAGE)
}

fn write(
    path: &Path,
    contents: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> Result<(), ExportError> {
    write_atomically(path, |file| Ok::<_, AccessError>(contents(file)?))
        .map_err(|error| ExportError::Io { path: path.to_owned(), source: error.into() })
}

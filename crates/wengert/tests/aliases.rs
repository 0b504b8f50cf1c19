//! Names that people type who come from PyTorch lead to something in the documentation.

use std::path::{Path, PathBuf};

const NAMES: &str = "
    bmm cat clamp clip data detach dim expand item mm ndim numel pow repeat requires_grad size stack unsqueeze view where
    backward checkpoint functional_call grad hessian jacfwd jacobian jacrev jvp no_grad vjp zero_grad
    Dense Dropout ELU Flatten GELU LeakyReLU LogSoftmax MaxPool2d Module ReLU SiLU Sigmoid Softmax Softplus Tanh call eval
    nn.Conv2d nn.Linear nn.Module nn.Sequential training
    BCELoss BCEWithLogitsLoss CrossEntropyLoss HuberLoss L1Loss MSELoss SmoothL1Loss
    Parameter load_state_dict named_parameters parameters register_buffer register_parameter state_dict
    AdaptiveLogSoftmaxWithLoss CosineSimilarity PairwiseDistance affine_grid grid_sample include_last_offset istft isin
    mvlgamma orthogonal pos_weight rsample stft trapz chain_matmul absolute arccos log log1p expm1 gammaln psi reciprocal
    DataLoader Embedding TensorDataset clip_grad_norm_ pad_sequence random_split
";

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { sources(&path, found) } else { found.push(path) }
    }
}

#[test]
fn names_from_elsewhere_are_found() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    ["tensor", "tape", "nn", "data", "optim"]
        .iter()
        .for_each(|name| sources(&crates.join(name).join("src"), &mut files));
    let text: String = files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect();
    let is_there = |name: &str| {
        let alias = format!("#[doc(alias = \"{name}\")]");
        let items = ["pub fn {}(", "pub fn {}<", "pub struct {} ", "pub type {} "]
            .map(|item| item.replace("{}", name));
        // Activations stand in a list: `Name, method;`.
        let listed = format!("    {name}, {};", name.to_lowercase());
        text.contains(&alias) || text.contains(&listed) || items.iter().any(|item| text.contains(item))
    };
    let lost: Vec<&str> = NAMES.split_whitespace().filter(|name| !is_there(name)).collect();
    assert!(lost.is_empty(), "neither items nor aliases: {lost:?}");
}

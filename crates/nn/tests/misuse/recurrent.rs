//! Misuse of embeddings and recurrent layers.

use wengert_nn::*;
use wengert_tape::{Index, Var};
use wengert_tensor::Tensor;

use crate::says;

#[test]
fn embeddings() {
    let mut params: Params = Params::seeded(0);
    let words = Embedding::new(params.at("words"), 5, 2);
    let tokens = Tensor::from([[4u32, 5]]);
    says("embedding: token 5 is not below 5, the number of rows", || {
        params.infer(|cx| drop(words.forward(cx, &tokens)));
    });
    for (padding, text) in [(5, "5"), (-6, "-6")] {
        says(&format!("embedding: there is no token {text} among 5 for padding"), || {
            Embedding::builder(5, 2).padding(padding).build(Params::<f32>::seeded(0).root());
        });
    }
    says("embedding: a norm of type 2 of at most 0 is not positive", || {
        Embedding::builder(5, 2).max_norm(0.0).build(Params::<f32>::seeded(0).root());
    });
    says("embedding: vectors of shape [3], not [tokens, width]", || {
        Embedding::from_pretrained(Params::<f32>::seeded(0).root(), &Tensor::zeros([3]));
    });
    says("embedding: vectors of shape [3, 2] for a table of 5 tokens and width 2", || {
        Embedding::builder(5, 2).build_from(Params::<f32>::seeded(0).root(), &Tensor::zeros([3, 2]));
    });
    says(
        "shape: the id belongs to another `Params`: build the model with the `Params` that it is evaluated with, or with a clone",
        || {
            words.project(&mut Params::<f32>::seeded(0));
        },
    );
}

#[test]
fn bags() {
    let mut params: Params = Params::seeded(0);
    let words = EmbeddingBag::new(params.at("words"), 5, 2);
    let bags = |tokens: &[u32], starts: &[u32], weights: Option<Var>| {
        let (tokens, starts) = (Tensor::vector(tokens), Tensor::vector(starts));
        params.infer(|cx| drop(words.bags(cx, &tokens, &starts, weights.as_ref())));
    };
    says("embedding_bag: the first bag starts at 1, not at 0", || bags(&[0, 1], &[1], None));
    says("embedding_bag: 2 tokens, but no bag", || bags(&[0, 1], &[], None));
    says("embedding_bag: bag 1 goes from 2 to 1 of 2 tokens", || bags(&[0, 1], &[0, 2, 1], None));
    says("embedding_bag: bag 0 goes from 0 to 3 of 2 tokens", || bags(&[0, 1], &[0, 3], None));
    says("embedding_bag: weights for Mean, not for a sum", || bags(&[0, 1], &[0], Some(Var::zeros([2]))));
    says("embedding: token 9 is not below 5, the number of rows", || bags(&[0, 9], &[0], None));
    says("embedding_bag: tokens of shape [2], not [bags, size]", || {
        params.infer(|cx| drop(words.forward(cx, &Tensor::vector(&[0u32, 1]))));
    });
    says("embedding_bag: tokens of shape [2, 1, 1], not [bags, size]", || {
        params.infer(|cx| drop(words.forward(cx, &Index::from(&Tensor::<u32>::zeros([2, 1, 1])))));
    });
    says("embedding_bag: tokens of shape [1, 1] and starts of shape [1], not two vectors", || {
        params.infer(|cx| drop(words.bags(cx, &Tensor::zeros([1, 1]), &Tensor::zeros([1]), None)));
    });
}

#[test]
fn recurrent_layers() {
    let mut params: Params = Params::seeded(0);
    let lstm = Lstm::builder(3, 4).layers(2).build(params.at("lstm"));
    let run = |x: &Var, state: Option<&LstmState>| params.infer(|cx| drop(lstm.run(cx, x, state)));
    let padded = |x: &Var, lengths: &[u32]| {
        params.infer(|cx| drop(lstm.run_padded(cx, x, Tensor::vector(lengths), None)));
    };
    let x = Var::zeros([5, 2, 3]);
    says("lstm: an input of shape [5, 2, 4], not of two or three axes with 3 features", || {
        run(&Var::zeros([5, 2, 4]), None);
    });
    says("lstm: an input of shape [3], not of two or three axes with 3 features", || {
        run(&Var::zeros([3]), None)
    });
    says("lstm: an input of shape [5, 3], not of three axes with 3 features", || {
        padded(&Var::zeros([5, 3]), &[5])
    });
    says("lstm: a state of shape [1, 2, 4], not [2, 2, 4]", || {
        run(&x, Some(&LstmState { h: Var::zeros([2, 2, 4]), c: Var::zeros([1, 2, 4]) }));
    });
    says("lstm: a state of shape [2, 2, 4], not [2, 4]", || {
        let state = Var::zeros([2, 2, 4]);
        run(&Var::zeros([5, 3]), Some(&LstmState { h: state.clone(), c: state }));
    });
    says("lstm: lengths of shape [3] for a batch of 2 sequences", || padded(&x, &[1, 2, 3]));
    says("lstm: sequence 1 has length 6, but there are 5 steps", || padded(&x, &[5, 6]));
    let text = "the id belongs to another `Params`: build the model with the `Params` that it is evaluated with, or with a clone";
    says(&format!("lstm: {text}"), || {
        Params::<f32>::seeded(0).infer(|cx| drop(lstm.forward(cx, &x)));
    });
    says("gru: there are no layers", || {
        drop(Gru::builder(3, 4).layers(0).build(Params::<f32>::seeded(0).root()))
    });
    says("gru: the probability 1.5 is not in [0, 1]", || {
        Gru::builder(3, 4).dropout(1.5).build(Params::<f32>::seeded(0).root());
    });
    for size in [0, 4] {
        says(&format!("lstm: a projection to {size} of 4 hidden units"), || {
            Lstm::builder(3, 4).projection(size).build(Params::<f32>::seeded(0).root());
        });
    }
    says("param: there is already a parameter or buffer named `weight_ih_l0`", || {
        let mut params: Params = Params::seeded(0);
        Rnn::new(params.root(), 3, 4);
        Rnn::new(params.root(), 3, 4);
    });
}

#[test]
fn cells() {
    let mut params: Params = Params::seeded(0);
    let cell = GruCell::new(params.root(), 3, 4);
    let step = |x: Var, state: Var| params.infer(|cx| drop(cell.step(cx, &x, &state)));
    says("gru: an input of shape [2, 3] and a state of shape [1, 4], not […, 3] and […, 4]", || {
        step(Var::zeros([2, 3]), Var::zeros([1, 4]));
    });
    says("gru: an input of shape [2, 5] and a state of shape [2, 4], not […, 3] and […, 4]", || {
        step(Var::zeros([2, 5]), Var::zeros([2, 4]));
    });
    says("gru: an input of shape [] and a state of shape [], not […, 3] and […, 4]", || {
        step(Var::zeros([]), Var::zeros([]));
    });
    let (most, limit) = (usize::MAX, isize::MAX / 8);
    let text = format!("zero_state: shape [{most}, 4] has too many elements, a tensor has at most {limit}");
    says(&text, || {
        let _zeros: Var = cell.zero_state([most]);
    });
}

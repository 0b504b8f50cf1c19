//! What forward passes hold that is not exported, and why.

/// Names of operations by the reason why none of them is exported.
const REASONS: &[(&str, &[&str])] = &[
    (
        "it draws random numbers: record the forward pass in evaluation mode",
        &[
            "attention_dropout_factors",
            "bernoulli",
            "categorical",
            "dropout_factors",
            "exponential",
            "fork",
            "gumbel",
            "log_gamma_sample",
            "multinomial",
            "normal",
            "permutation",
            "poisson",
            "rrelu_slopes",
            "uniform",
        ],
    ),
    (
        "ONNX has no operator for factors of matrices, and none for what is computed by them",
        &[
            "cholesky",
            "eigh",
            "logabsdet",
            "lu",
            "lu_factors",
            "lu_pivoted",
            "matrix_exp",
            "pinv",
            "pivot_order",
            "qr",
            "row_order",
            "sign_of_det",
            "solve",
            "solve_triangular",
            "svd",
            "symmetric_function",
        ],
    ),
    (
        "ONNX has no operator for this special function",
        &["bessel_i", "digamma", "erfcx", "erfinv", "lgamma", "log_ndtr", "ndtri", "polygamma"],
    ),
    (
        "how many elements it has depends on the values",
        &["bincount", "nonzero", "repeated_positions", "unique", "unique_consecutive"],
    ),
    (
        "positions of this kind are not written",
        &["fractional_max_pool_positions", "joined_positions", "last_of_its_place", "overwritten"],
    ),
    ("it is computed inside of attention, which is written without it", &["attention_statistics"]),
    (
        "it is computed with the outputs of the sequence, which are written without it",
        &["gru_sequence_gates", "lstm_sequence_gates"],
    ),
    ("it counts, and only for statistics", &["histc"]),
    ("its recursion over the alignments is not written", &["ctc_loss"]),
];

/// Why operations of that name are not exported.
pub(crate) fn reason(name: &str) -> Option<&'static str> {
    REASONS.iter().find(|(_, names)| names.contains(&name)).map(|(reason, _)| *reason)
}

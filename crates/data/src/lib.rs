//! Datasets, batching and shuffling for the Wengert autodiff framework.

//! Parameters, layers, initialisers and losses for the Wengert autodiff framework.

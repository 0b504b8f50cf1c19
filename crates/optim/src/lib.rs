//! Optimisers on flat parameter vectors, from SGD to Newton-CG.

//! Automatic differentiation of tensors on the CPU, to any order.

//! A Wengert list: reverse-mode and forward-mode differentiation of tensors to any order.

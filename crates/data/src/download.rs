//! Downloading.

//! Numeric tables.

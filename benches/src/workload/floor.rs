//! What a step cannot do without: arithmetic and traffic of memory.

/// The least work of a step. Divided by the machine's rates it is the time that no program can beat.
///
/// Counted are the multiply-adds of matrix products and convolutions, each as two operations, and the bytes of what does
/// not fit into the caches; not what is done element by element on the way.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Floor {
    /// Floating-point operations.
    pub operations: f64,
    /// Bytes that are read from memory or written to it.
    pub bytes: f64,
}

impl Floor {
    /// `count` products more, of matrices m × k and k × n. A layer with weights is three in a train step, two if its
    /// input is data.
    ///
    /// ```
    /// use wengert_benches::workload::Floor;
    /// let layer = Floor::default().products(3, [64, 128, 784]);
    /// assert_eq!(layer.operations, 3.0 * 2.0 * 64.0 * 128.0 * 784.0);
    /// ```
    pub fn products(self, count: usize, sizes: [usize; 3]) -> Self {
        let [m, n, k] = sizes.map(|size| size as f64);
        self.arithmetic(count as f64 * 2.0 * m * n * k)
    }

    /// That many operations more.
    pub fn arithmetic(self, operations: f64) -> Self {
        Floor { operations: self.operations + operations, ..self }
    }

    /// `passes` over `elements` numbers of four bytes more, each reading or writing.
    ///
    /// ```
    /// use wengert_benches::workload::Floor;
    /// assert_eq!(Floor::default().passes(7, 10).bytes, 280.0);
    /// ```
    pub fn passes(self, passes: usize, elements: usize) -> Self {
        Floor { bytes: self.bytes + 4.0 * passes as f64 * elements as f64, ..self }
    }
}

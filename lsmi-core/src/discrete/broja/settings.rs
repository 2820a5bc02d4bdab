//! Settings of BROJA.

/// The accuracy of the result and its cost.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The gap at which the solver may stop, in nats.
    pub tolerance: f64,
    /// The largest number of steps of Newton's method.
    pub steps: usize,
    /// The largest number of bytes. The memory that a table takes is known before anything is computed.
    pub memory: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { tolerance: 1e-8, steps: 200, memory: 1 << 30 }
    }
}

//! Matrices in memory and the arithmetic on them.

pub mod matrix;

pub(crate) mod linear_algebra;
pub(crate) mod memory;
#[cfg(feature = "embedding")]
pub(crate) mod product;
pub(crate) mod simd_math;

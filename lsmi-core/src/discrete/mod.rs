//! Exact decomposition of a joint distribution of a few discrete variables: two to four sources and a target.
//!
//! Where all probabilities are known, nothing has to be estimated: the terms of every outcome are logarithms of marginal
//! probabilities, and every measure is a formula of them, or the solution of a small convex problem.
//!
//! - [`Joint`]: the distribution, given by its probabilities; [`Counts`] and [`Counter`]: samples, counted;
//! - [`Information`]: what each source tells, and both together;
//! - [`JointMeasure`]: definitions of redundancy, each giving a [`JointDecomposition`];
//! - [`broja`]: the union information of two marginals, by convex optimisation with a certificate;
//! - [`lattice`]: an atom of information for every node of the redundancy lattice of two to four sources;
//! - [`bias`], [`shrinkage`], [`bootstrap`]: what few samples do to the numbers, two remedies, and intervals.
//!
//! All values are in nats. Outcomes are in the order of the names of their states, whatever the order in which they
//! were given.
//!
//! ```
//! use lsmi_core::discrete::{Joint, JointMeasure};
//!
//! let and = [(["0", "0"], "0", 0.25), (["0", "1"], "0", 0.25), (["1", "0"], "0", 0.25), (["1", "1"], "1", 0.25)];
//! let parts = JointMeasure::Min.decompose(&Joint::from_probabilities(and)?)?;
//! assert!((parts.means.r - 0.311_278 * 2.0_f64.ln()).abs() < 1e-6);
//! assert!((parts.means.s - 0.5 * 2.0_f64.ln()).abs() < 1e-12);
//! # Ok::<(), lsmi_core::discrete::Error>(())
//! ```

pub mod bias;
pub mod bootstrap;
pub mod broja;
mod counts;
mod error;
mod information;
mod joint;
pub mod lattice;
mod marginals;
mod maximum_entropy;
mod measures;
mod outcome;
mod register;
pub mod shrinkage;

pub use bias::{Bias, Estimate};
pub use bootstrap::Intervals;
pub use counts::{Counter, Counts};
pub use error::{Error, Result};
pub use information::Information;
pub use joint::Joint;
pub use maximum_entropy::Convergence;
pub use measures::{JointDecomposition, JointMeasure, Pointwise};
pub use outcome::{Outcome, States};
pub use shrinkage::Shrunken;

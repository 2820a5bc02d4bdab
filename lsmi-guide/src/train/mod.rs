//! The training loop and what it uses.
//!
//! 1. [`trainer`]: the loop. It goes through the samples, asks the hook for weights and has the student learn.
//! 2. [`student`]: the network that learns. Any candle model becomes one; [`student::fusion`] is one to begin with.
//! 3. [`crate::Hook`] and [`crate::Guide`]: what the loop calls, and the policy and interactions behind it.
//! 4. [`loss`] and [`distiller`]: losses, one value a sample, and their sum weighed by the plan; a teacher's outputs by id.
//! 5. [`tracker`]: interactions of the student itself, estimated while it learns.
//!
//! `lsmi guide distill` trains every one of its students by this loop ([`crate::experiments::distill`]).

pub mod distiller;
pub mod loss;
pub mod student;
pub mod tracker;
pub mod trainer;

pub(crate) mod guide;
pub(crate) mod hook;

//! The estimators that LSMI was published against, and the comparison with them.
//!
//! [`pid_batch`] gives means of a whole data set from a learnt coupling, [`pid_cvx`] makes features discrete and decomposes
//! their table, and [`compare`] runs both beside LSMI on the same rows.

pub mod compare;
pub mod pid_batch;
pub mod pid_cvx;

//! Studies that compare methods, models or data sets.

pub(crate) mod circuits;
pub(crate) mod classes;
pub(crate) mod fusion;
pub(crate) mod pid_batch;
pub(crate) mod rare;
pub(crate) mod shift;

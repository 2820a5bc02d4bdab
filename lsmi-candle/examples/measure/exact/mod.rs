//! Studies on data whose exact answer is known.

pub(crate) mod accuracy;
pub(crate) mod coverage;
pub(crate) mod heads;
pub(crate) mod null;
pub(crate) mod planted;
pub(crate) mod several;

//! Raw pictures, sentences and sounds become features, shard by shard.
//!
//! [`table`] reads the rows of the table that names them, [`inputs`] finds a row's file, [`shards`] keeps what is finished
//! beside the output and [`join`] makes one feature file of it at the end.

pub(crate) mod files;
pub(crate) mod inputs;
pub(crate) mod join;
pub(crate) mod shards;
pub(crate) mod table;
pub(crate) mod work;

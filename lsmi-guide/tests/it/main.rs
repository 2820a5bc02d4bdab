//! Tests of the crate from outside, in one binary.

mod align;
mod clean;
mod distill;
mod ensemble;
mod partition;
mod shared;
mod student;
mod tracker;
mod trainer;
mod unfreeze;

//! Tests of the crate from outside, in one binary.

mod autotraits;
mod broja;
mod conic;
mod discrete_lattice;
mod discrete_measures;
mod discrete_oracle;
mod families;
mod many_modalities;
mod oracle;
mod planted;
mod properties;
mod rendered_tables;

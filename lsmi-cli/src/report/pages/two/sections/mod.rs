//! The sections of the page, one file each: what the template shows of them, and their figures.
//!
//! A section takes a [`Source`](super::source::Source) or one of its splits, draws figures into the
//! [`Gallery`](crate::report::gallery::Gallery), and serializes to what `template.html` shows.

pub(super) mod beside;
pub(super) mod classes;
pub(super) mod dependence;
pub(super) mod measures;
pub(crate) mod samples;
pub(super) mod spread;
pub(super) mod words;

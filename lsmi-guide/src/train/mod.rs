//! What a training loop uses: the hook that it calls, losses weighed by a plan, a teacher, and the tracker of its student.

pub mod distiller;
pub mod loss;
pub mod tracker;
pub mod trainer;

pub(crate) mod guide;
pub(crate) mod hook;

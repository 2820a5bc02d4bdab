//! Samples in parts, in order, or a few of them: by their interactions.
//!
//! | what | gives | for |
//! |---|---|---|
//! | [`partition()`] | the samples high in an interaction, those low in it, those between | fine-tuning on one kind, evaluation on another |
//! | [`curriculum()`] | all samples, from the easiest to the hardest | training that begins with what both modalities tell |
//! | [`conflicts()`] | the samples whose label everything contradicts | looking for wrong labels |
//! | [`diverse()`] | few samples that lie far apart | labelling first what tells most |
//!
//! They go together: [`diverse()`] chooses among candidates, such as the high part of a partition by label-free synergy.

mod conflicts;
mod curriculum;
mod diverse;
mod parts;

pub use conflicts::{Conflicts, conflicts};
pub use curriculum::{competence, curriculum};
pub use diverse::{Criterion, diverse};
pub use parts::{Partition, Rule, Tie, Ties, partition};

//! Which samples align two encoders best? Projection heads trained by contrast on parts of the data, compared over seeds.
//!
//! Yang, Wang and Hu (ICML 2025) choose by redundancy what two encoders are aligned on. Here the encoders are given by their
//! features, x1 and x2; what is trained is a head on each, into a shared space, and with it the last blocks of the encoders
//! themselves where they are [`Unfrozen`]:
//!
//! 1. rows are set aside to evaluate on, in five ways that seeds take in turn, and interactions of the others are
//!    [cross-fitted](lsmi_candle::estimator);
//! 2. from these rows come parts of one size, the same in every class: high, middle and low in an interaction, a random one,
//!    and the one that a cheap rival takes, the largest i12 - i2 (what x1 adds to x2); besides, all rows;
//! 3. heads are trained on each part by the symmetric contrastive loss of CLIP, with the same start and the same order of batches
//!    for all parts of a seed;
//! 4. the rows set aside say how well x1 finds its x2 and the reverse (recall), how well classes described in one modality are
//!    found by the other (zero-shot accuracy), and what a linear probe of either modality makes of the projected features.
//!
//! Differences of parts are paired by seed. A part that is not better than a random one of its size owes nothing to its
//! interaction.

#![expect(clippy::cast_possible_truncation, reason = "networks compute in single precision")]

mod compare;
mod contrast;
mod features;
mod figures;
mod heads;
mod parts;
mod probe;
mod recall;
mod settings;
mod table;
mod training;
mod unfrozen;
mod vectors;

pub use compare::compare;
pub use figures::Figure;
pub use settings::{Data, Settings};
pub use table::{Comparison, Difference, PartRow, Run};
pub use unfrozen::{Encoder, TrainedEncoders, TrainedModel, Training, Unfrozen};

//! What people say of samples or of classes, and how it agrees with what was measured.

mod agreement;
mod read;

pub use agreement::{Agreement, RatingsSummary, SplitAgreement};
pub use read::{Rated, Ratings, RatingsError, Score, read_ratings};

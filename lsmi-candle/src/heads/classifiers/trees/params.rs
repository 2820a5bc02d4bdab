//! Settings of boosted trees.

/// The least ridge: it keeps the steps of leaves without curvature finite.
pub(super) const LEAST_RIDGE: f32 = 1e-6;

/// Settings of boosted trees.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::heads) struct TreesParams {
    /// The number of rounds of boosting, each of one tree; there are fewer if rows times classes are hundreds of
    /// millions.
    pub(in crate::heads) rounds: usize,
    /// The share of a Newton step that a tree takes.
    pub(in crate::heads) rate: f64,
    /// The most splits between the root of a tree and a leaf.
    pub(in crate::heads) depth: usize,
    /// The least number of rows in a leaf.
    pub(in crate::heads) least_rows: f64,
    /// The summand of the curvature of a leaf, `lambda`.
    pub(in crate::heads) ridge: f64,
    /// The share of the columns that a round considers, drawn anew each round.
    pub(in crate::heads) columns_share: f64,
    /// The most columns that a round considers.
    pub(in crate::heads) most_columns: usize,
    /// The share of the rows that a round considers, drawn anew each round.
    pub(in crate::heads) rows_share: f64,
    /// The most rows that a round considers.
    pub(in crate::heads) most_rows: usize,
    /// The largest number of bins for the values of a column, 2 to 256.
    pub(in crate::heads) bins: usize,
}

impl Default for TreesParams {
    fn default() -> Self {
        Self {
            rounds: 300,
            rate: 0.1,
            depth: 4,
            least_rows: 5.0,
            ridge: 1.0,
            columns_share: 0.75,
            most_columns: 200,
            rows_share: 0.7,
            most_rows: 50_000,
            bins: 64,
        }
    }
}

//! What a stream of rows needs: [`plan`] says which rows are read, scored and written together, [`sums`] are what the summary
//! needs of all of them.

pub(crate) mod plan;

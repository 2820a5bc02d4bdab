//! Errors of this crate's input.
//!
//! Rows and classes are counted from 0.

/// A result whose error is [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// An error of the input.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An array does not have one value a sample.
    #[error("`{array}` has {found} values where {expected} are needed; give one value for every sample")]
    Length {
        /// The array.
        array: &'static str,
        /// The expected number of values.
        expected: usize,
        /// The number of values found.
        found: usize,
    },

    /// A value is not a number, or infinite.
    #[error(
        "`{term}` of row {row} (id `{id}`) is {found}; every term must be finite, so leave the row out or correct its features"
    )]
    NotFinite {
        /// The term: `h1`, `h2`, `i1`, `i2` or `i12`.
        term: &'static str,
        /// The row.
        row: usize,
        /// The id of the row.
        id: String,
        /// The value.
        found: f64,
    },

    /// Two samples have the same id.
    #[error("rows {first} and {second} have the same id `{id}`; give every sample an id of its own")]
    DuplicateId {
        /// The id.
        id: String,
        /// The earlier row.
        first: usize,
        /// The later row.
        second: usize,
    },

    /// A pass over the data has no value for a sample.
    #[error(
        "the pass of `{term}` has no sample with the id `{id}`; evaluate `{term}` for the same samples as the other terms"
    )]
    MissingId {
        /// The term.
        term: &'static str,
        /// The id that was looked for.
        id: String,
    },

    /// A name is unknown.
    #[error("`{found}` is no {kind}; use one of {expected}")]
    UnknownName {
        /// The kind of thing that is named, such as `measure`.
        kind: &'static str,
        /// The name found.
        found: String,
        /// The known names, separated by commas.
        expected: String,
    },

    /// A label names no class.
    #[error(
        "the label of row {row} is {found}, but there are {classes} classes; number the classes from 0 to one below their count"
    )]
    Label {
        /// The row.
        row: usize,
        /// The label.
        found: u32,
        /// The number of classes.
        classes: usize,
    },

    /// A class has no sample, so that its empirical probability would be 0.
    #[error("no sample has the class {class}; number only classes that occur, or give the class prior")]
    AbsentClass {
        /// The class.
        class: usize,
    },

    /// The probability of a class is not in (0, 1].
    #[error("the probability of class {class} is {found}; it must be above 0 and at most 1")]
    Probability {
        /// The class.
        class: usize,
        /// The probability.
        found: f64,
    },

    /// Probabilities do not sum to 1.
    #[error("the probabilities of {array} sum to {found}; divide them by their sum")]
    ProbabilitySum {
        /// The name of the probabilities.
        array: &'static str,
        /// Their sum.
        found: f64,
    },

    /// Two arrays differ in their number of classes.
    #[error("{what} has {found} classes, but should have {expected}; use one set of classes throughout")]
    Classes {
        /// The name of the array with the wrong number of classes.
        what: &'static str,
        /// The expected number of classes.
        expected: usize,
        /// The number of classes found.
        found: usize,
    },

    /// A parameter is out of range.
    #[error("`{name}` is {found}; it must be {expected}")]
    Parameter {
        /// The parameter.
        name: &'static str,
        /// The expected values.
        expected: &'static str,
        /// The value found.
        found: String,
    },

    /// An entry of a table of probabilities is negative, infinite or not a number.
    #[error(
        "`{array}` has the probability {found} for state {state} and class {class}; it must be finite and not below 0"
    )]
    TableProbability {
        /// The table.
        array: &'static str,
        /// The state.
        state: usize,
        /// The class.
        class: usize,
        /// The probability.
        found: f64,
    },

    /// The tables of two modalities are about different labels.
    #[error(
        "class {class} has the probability {first} in the table of modality 1 and {second} in that of modality 2; take both from one joint distribution"
    )]
    ClassMarginals {
        /// The class.
        class: usize,
        /// Its probability in the first table.
        first: f64,
        /// Its probability in the second table.
        second: f64,
    },

    /// A column of the terms of subsets of the modalities does not have one value a sample.
    #[error("`{term}` has {found} values where {expected} are needed; give one value for every sample")]
    TermLength {
        /// The term, such as `i12` or `h3`.
        term: String,
        /// The expected number of values.
        expected: usize,
        /// The number of values found.
        found: usize,
    },

    /// A value of a term of a subset of the modalities is not a number, or infinite.
    #[error(
        "`{term}` of row {row} (id `{id}`) is {found}; every term must be finite, so leave the row out or correct its features"
    )]
    TermNotFinite {
        /// The term, such as `i12` or `h3`.
        term: String,
        /// The row.
        row: usize,
        /// The id of the row.
        id: String,
        /// The value.
        found: f64,
    },

    /// A term of a subset of the modalities is needed and not given.
    #[error("the term `{term}` is missing; evaluate it for the same samples as the other terms")]
    MissingTerm {
        /// The term, such as `i12` or `h3`.
        term: String,
    },

    /// A term of a subset of the modalities is given twice.
    #[error("the term `{term}` is given twice; give every subset of the modalities once")]
    RepeatedTerm {
        /// The term, such as `i12` or `h3`.
        term: String,
    },

    /// A measure has no form for sets of more than two modalities.
    #[error("`{measure}` is defined for two modalities only; for more use one of pm, sx, ccs")]
    TwoModalitiesOnly {
        /// The measure.
        measure: &'static str,
    },

    /// Terms are of another number of modalities.
    #[error("the terms are of {found} modalities where {expected} are needed; take both from one set of modalities")]
    Modalities {
        /// The expected number of modalities.
        expected: usize,
        /// The number of modalities found.
        found: usize,
    },

    /// A joint distribution has more cells than memory may hold.
    #[error(
        "the joint distribution may occupy {cells} cells, for which {bytes} bytes are needed where {limit} are allowed; join states that are rare or alike, or allow more memory"
    )]
    TooManyCells {
        /// The cells.
        cells: usize,
        /// The bytes they need.
        bytes: usize,
        /// The bytes allowed.
        limit: usize,
    },
}

impl Error {
    /// Returns a [`Error::Parameter`].
    pub(crate) fn parameter(name: &'static str, expected: &'static str, found: &(impl ToString + ?Sized)) -> Self {
        Self::Parameter { name, expected, found: found.to_string() }
    }
}

/// Checks that `array` has `expected` values.
pub(crate) fn check_length(array: &'static str, expected: usize, found: usize) -> Result<()> {
    if found == expected { Ok(()) } else { Err(Error::Length { array, expected, found }) }
}

/// Returns the one of `all` whose name is `found`.
pub(crate) fn from_name<T: Copy>(kind: &'static str, found: &str, all: &[T], name: fn(T) -> &'static str) -> Result<T> {
    all.iter().copied().find(|&one| name(one) == found).ok_or_else(|| Error::UnknownName {
        kind,
        found: found.to_owned(),
        expected: all.iter().map(|&one| name(one)).collect::<Vec<_>>().join(", "),
    })
}

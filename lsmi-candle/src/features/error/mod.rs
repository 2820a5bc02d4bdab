//! Errors of feature files, and how to mend them.
//!
//! Rows and columns are counted from 0, as `NumPy` counts them.

pub(in crate::features) mod advice;
mod hint;
mod opening;
mod sequences;

use std::io;

use thiserror::Error;

pub use self::sequences::SequenceError;

pub(super) use self::opening::{corrupted, listed, not_opened, unreadable};
use crate::numbers::memory;

/// Why a feature file cannot be used.
///
/// Every message names the file, then what was found where, then the mend.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FeatureError {
    /// There is no such file.
    #[error("{file}: no such file; check the path")]
    NotFound {
        /// The path as given.
        file: String,
    },

    /// The path is a directory.
    #[error("{file}: is a directory; name the feature file in it")]
    IsDirectory {
        /// The path as given.
        file: String,
    },

    /// The file could not be read.
    #[error("{file}: cannot be read; check its permissions and the disk")]
    Io {
        /// The path as given.
        file: String,
        /// The error of the operating system.
        source: io::Error,
    },

    /// The extension belongs to no known format.
    #[error("{file}: {} of a feature file; use one of {supported}", if found.is_empty() { "the name has no extension".to_owned() } else { format!("`{found}` is not the extension") })]
    UnknownFormat {
        /// The path as given.
        file: String,
        /// The extension found; empty if there is none.
        found: String,
        /// The extensions known.
        supported: String,
    },

    /// One array alone is no feature file.
    #[error("{file}: holds one array; name one file for each of x1, x2 and y")]
    SingleArray {
        /// The path as given.
        file: String,
    },

    /// The bytes are not a file of the format, or not a whole one.
    #[error("{file}: not a readable {format} file: {reason}; if it was copied or is still being written, get it again")]
    Corrupt {
        /// The file.
        file: String,
        /// The format its extension promises.
        format: &'static str,
        /// The fault, with the array or archive member if one is to blame.
        reason: String,
    },

    /// The columns of a table cannot be told apart.
    #[error("{file}: {reason}")]
    Table {
        /// The file.
        file: String,
        /// The fault, and how to mend it.
        reason: String,
    },

    /// An array that is needed is not there.
    #[error("{file}: there is no array `{array}`; arrays there: {available}; {advice}")]
    MissingArray {
        /// The file.
        file: String,
        /// The array looked for.
        array: String,
        /// The arrays of the file.
        available: String,
        /// How to come by it.
        advice: String,
        /// Whether another array may be meant, which [`Keys`](super::Keys) can name.
        can_be_named: bool,
    },

    /// The file has splits, but none to train on.
    #[error(
        "{file}: there is no split `train`, only {found}; call the one to train on `train` (arrays `x1_train` and so on; `train` in a column `split`), or use the file for evaluation"
    )]
    MissingTrainingSplit {
        /// The file.
        file: String,
        /// The splits found.
        found: String,
    },

    /// Names that are not those of several modalities.
    #[error("{file}: `{found}` are not the names of modalities; give from two to eight, each once")]
    Modalities {
        /// The file.
        file: String,
        /// The names.
        found: String,
    },

    /// A split that some modalities have and others have not.
    #[error(
        "{file}: not all of the modalities {modalities} have the split `{split}`; add what is missing, or leave it out"
    )]
    SplitOfSome {
        /// The file.
        file: String,
        /// The split.
        split: String,
        /// The modalities.
        modalities: String,
    },

    /// Arrays without a suffix stand beside those of the split `train`.
    #[error(
        "{file}: the arrays named as `{array}` and those named as `{other}` could both be the training split; remove or rename one set"
    )]
    AmbiguousTrainingSplit {
        /// The file.
        file: String,
        /// The array without a suffix.
        array: String,
        /// The array with the suffix.
        other: String,
    },

    /// The elements are of a type that cannot serve here.
    #[error("{file}: `{array}` holds {found}, but {expected}")]
    ElementType {
        /// The file.
        file: String,
        /// The array.
        array: String,
        /// The element type found.
        found: String,
        /// The requirement, and how to meet it.
        expected: String,
    },

    /// The array has the wrong number of dimensions.
    #[error("{file}: `{array}` has shape {found}, but {expected}")]
    Shape {
        /// The file.
        file: String,
        /// The array.
        array: String,
        /// The shape found.
        found: String,
        /// The requirement, and how to meet it.
        expected: &'static str,
    },

    /// There is nothing in the array.
    #[error("{file}: `{array}` has shape {found}: nothing to analyse; give it at least one row and one column")]
    Empty {
        /// The file.
        file: String,
        /// The array.
        array: String,
        /// The shape found.
        found: String,
    },

    /// Two arrays of a split do not have the same number of rows.
    #[error(
        "{file}: `{array}` has {found} rows, but `{reference}` has {expected}; row i of every array must be the same sample"
    )]
    RowCount {
        /// The file.
        file: String,
        /// The array with the other number of rows.
        array: String,
        /// Its rows.
        found: usize,
        /// The array compared with.
        reference: String,
        /// Its rows.
        expected: usize,
    },

    /// A modality has another number of columns in one split than in the first.
    #[error(
        "{file}: `{array}` has {found} columns, but `{reference}` has {expected}; compute the features of all splits alike"
    )]
    ColumnCount {
        /// The file.
        file: String,
        /// The array with the other number of columns.
        array: String,
        /// Its columns.
        found: usize,
        /// The array of the first split.
        reference: String,
        /// Its columns.
        expected: usize,
    },

    /// A feature or a logit is not a finite number.
    #[error("{file}: `{array}` is {found} at row {row}, column {column}; {advice}")]
    NotFinite {
        /// The file.
        file: String,
        /// The array.
        array: String,
        /// The row.
        row: usize,
        /// The column.
        column: usize,
        /// NaN or an infinity.
        found: f64,
        /// How to mend it.
        advice: &'static str,
    },

    /// A row lacks a modality, and such rows are not read here.
    #[error(
        "{file}: `{array}` says that row {row} lacks the modality; rows that lack one are not used here: remove them first"
    )]
    MissingModality {
        /// The file.
        file: String,
        /// The array, `present1` or `present2`.
        array: String,
        /// The row.
        row: usize,
    },

    /// A row lacks both modalities.
    #[error("{file}: row {row} lacks both modalities, `{}` and `{}`; remove it", arrays[0], arrays[1])]
    NoModality {
        /// The file.
        file: String,
        /// The arrays of both modalities.
        arrays: [String; 2],
        /// The row.
        row: usize,
    },

    /// A row is said to have a modality of which it has no value.
    #[error("{file}: `{array}` has no value at row {row}, but `{present}` says that it is there; write 0 there")]
    NotPresent {
        /// The file.
        file: String,
        /// The modality.
        array: String,
        /// The array that says which rows have it.
        present: String,
        /// The row.
        row: usize,
    },

    /// A value that says neither that a row has a modality nor that it lacks it.
    #[error("{file}: `{array}` is {found} at row {row}; write 1 where a row has the modality and 0 where it lacks it")]
    PresentValue {
        /// The file.
        file: String,
        /// The array, `present1` or `present2`.
        array: String,
        /// The row.
        row: usize,
        /// The value.
        found: String,
    },

    /// No row of a split has both modalities.
    #[error(
        "{file}: no row of the split `{split}` has both modalities, so that nothing can be decomposed; add such rows"
    )]
    NoCompleteRows {
        /// The file.
        file: String,
        /// The split.
        split: String,
    },

    /// Logits beside rows that lack a modality.
    #[error(
        "{file}: the file holds logits (`{array}`), but row {row} lacks a modality; logits are of rows that have both: remove \
         the logits or such rows"
    )]
    LogitsOfPartial {
        /// The file.
        file: String,
        /// The array of logits.
        array: String,
        /// The first row that lacks a modality.
        row: usize,
    },

    /// There is no memory for an array.
    #[error(
        "{file}: `{array}` of shape {shape} needs {} of memory, but {} are free; use fewer rows or columns, or read it by rows", memory::in_words(*needed), memory::in_words(*available)
    )]
    TooLarge {
        /// The file.
        file: String,
        /// The array.
        array: String,
        /// Its shape.
        shape: String,
        /// Bytes that it needs.
        needed: u64,
        /// Bytes that are free.
        available: u64,
    },

    /// A label is missing.
    #[error(
        "{file}: `{array}` is missing at row {row}{}; fill it in, or leave such rows out",
        found_and_others(found, *others)
    )]
    MissingLabel {
        /// The file.
        file: String,
        /// The array.
        array: String,
        /// The first row without a label.
        row: usize,
        /// The text found there; may be empty.
        found: String,
        /// How many rows behind it have none either.
        others: usize,
    },

    /// One of several labels a row is neither 0, 1 nor missing.
    #[error(
        "{file}: `{array}` is {found} at row {row}, column {column}; of several labels each is 0 or 1, or missing: nothing, NaN or -1"
    )]
    LabelValue {
        /// The file.
        file: String,
        /// The array.
        array: String,
        /// The row.
        row: usize,
        /// The column.
        column: usize,
        /// The value found.
        found: f64,
    },

    /// A file to be evaluated has another number of labels a row than the training data.
    #[error(
        "{file}: `{array}` has {found} columns, one a label, but the training data have {expected}; give the same labels in the same order"
    )]
    LabelCount {
        /// The file.
        file: String,
        /// The array.
        array: String,
        /// Its columns.
        found: usize,
        /// The labels of the training data.
        expected: usize,
    },

    /// A row belongs to no group.
    #[error(
        "{file}: `{array}` is missing at row {row} (`{found}`); give a row that belongs to no other a name of its own"
    )]
    MissingGroup {
        /// The file.
        file: String,
        /// The array.
        array: String,
        /// The first row without a group.
        row: usize,
        /// The text found there; may be empty.
        found: String,
    },

    /// No row has a label.
    #[error("{file}: `{array}` is missing in all {rows} rows; fill in the labels")]
    NoLabels {
        /// The file.
        file: String,
        /// The array.
        array: String,
        /// The rows.
        rows: usize,
    },

    /// A row of a column has no value.
    #[error("{file}: `{array}` is null at row {row}; fill in a value, or remove such rows, before the analysis")]
    Null {
        /// The file.
        file: String,
        /// The column.
        array: String,
        /// The row.
        row: usize,
    },

    /// The lists of a column are of different lengths.
    #[error(
        "{file}: `{array}` has {found} values at row {row}, but {expected} at the first; every row needs as many, so pad or remove such rows"
    )]
    Ragged {
        /// The file.
        file: String,
        /// The column.
        array: String,
        /// The row.
        row: usize,
        /// Values in that row.
        found: usize,
        /// Values in the first row.
        expected: usize,
    },

    /// The file cannot be read a part of its rows at a time.
    #[error("{file}: cannot be read a part of its rows at a time: {reason}")]
    NotByRows {
        /// The file.
        file: String,
        /// Why, and how to mend it.
        reason: String,
    },

    /// The file changed after it was opened.
    #[error("{file}: changed while it was read; start again once it is whole")]
    Changed {
        /// The file.
        file: String,
    },

    /// One split has logits that another has not.
    #[error(
        "{file}: there is `{present}`, but no `{array}`; all splits need the same models' logits: add `{array}`, or remove `{present}`"
    )]
    MissingLogits {
        /// The file.
        file: String,
        /// The array that is missing.
        array: String,
        /// The same model's logits in another split.
        present: String,
    },

    /// An array named as logits are belongs to no split.
    #[error(
        "{file}: `{array}` belongs to no split of the file ({splits}); name it as their logits are, e.g. `{example}`, or remove it"
    )]
    StrayLogits {
        /// The file.
        file: String,
        /// The array.
        array: String,
        /// The splits of the file.
        splits: String,
        /// The name of the logits of the first split.
        example: String,
    },

    /// A model's file has no logits for any of the samples at hand.
    #[error(
        "{file}: there are no logits; expected logits1, logits2 or logits12 of a split, such as {expected}, but found {available}"
    )]
    NoLogits {
        /// The file.
        file: String,
        /// The names that the joint model's logits of each split would have.
        expected: String,
        /// The arrays there.
        available: String,
    },

    /// A model's file has no logits for one of the samples.
    #[error(
        "{file}: `{array}` has no sample with the id `{id}`; write the logits of all samples, under the ids of the data"
    )]
    MissingSample {
        /// The file.
        file: String,
        /// The array of ids.
        array: String,
        /// The id that was looked for.
        id: String,
    },

    /// There is not one column of logits for each class.
    #[error("{file}: `{array}` has {found} columns, but there are {expected} classes ({classes}); {advice}")]
    LogitColumns {
        /// The file.
        file: String,
        /// The array.
        array: String,
        /// Its columns.
        found: usize,
        /// How many classes there are.
        expected: usize,
        /// The classes, in the order the columns must have.
        classes: String,
        /// How to bring the columns into line.
        advice: String,
    },

    /// The file names its classes otherwise than those its logits are to be matched with.
    #[error(
        "{file}: the metadata key `classes` says {found}, but the classes are {classes}: which column of `{array}` belongs to which class cannot be told; put labels, names and columns in the order of the classes"
    )]
    LogitOrder {
        /// The file.
        file: String,
        /// The first array of logits.
        array: String,
        /// The names that the file gives.
        found: String,
        /// The classes, in the order the columns must have.
        classes: String,
    },

    /// Logits are probabilities.
    #[error(
        "{file}: `{array}` holds probabilities, for every row sums to 1; give what goes into the softmax, or np.log({array})"
    )]
    Probabilities {
        /// The file.
        file: String,
        /// The array.
        array: String,
    },

    /// All training rows of a modality are equal.
    #[error(
        "{file}: all {rows} rows of `{array}` are equal: the modality can tell nothing; check how its features were computed"
    )]
    ConstantModality {
        /// The file.
        file: String,
        /// The array.
        array: String,
        /// The rows.
        rows: usize,
    },

    /// The training labels are all the same.
    #[error("{file}: all labels in `{array}` are `{found}`; at least two classes are needed")]
    SingleClass {
        /// The file.
        file: String,
        /// The array.
        array: String,
        /// The only class.
        found: String,
    },

    /// The classes with too few rows are too few together as well, or all that there are.
    #[error(
        "{file}: {classes} classes have fewer than {least} training rows, {rows} in all, beside {others} classes with more; the pool needs {least} rows, and one class beside it: pool classes of more rows, or leave the rare ones out"
    )]
    RarePool {
        /// The file.
        file: String,
        /// The rare classes.
        classes: usize,
        /// Their rows.
        rows: usize,
        /// The rows that a class needs.
        least: usize,
        /// The classes that are not rare.
        others: usize,
    },

    /// Rare classes cannot be pooled where columns of logits are classes.
    #[error(
        "{file}: {classes} classes have fewer than {least} training rows, and the columns of its logits are classes: pool them in the logits and the labels, or leave out the logits"
    )]
    RareWithLogits {
        /// The file.
        file: String,
        /// The rare classes.
        classes: usize,
        /// The rows that a class needs.
        least: usize,
    },

    /// A label of an evaluation split is none of the training classes.
    #[error(
        "{file}: `{array}` has the label `{label}` at row {row}, which was never seen in training (classes: {known}); remove those rows or train with them"
    )]
    UnseenClass {
        /// The file.
        file: String,
        /// The array.
        array: String,
        /// The first row with that label.
        row: usize,
        /// The label.
        label: String,
        /// The training classes.
        known: String,
    },

    /// Two rows of a split have the same id.
    #[error("{file}: `{array}` has the id `{id}` at rows {first} and {second}; ids must be unique within a split")]
    DuplicateId {
        /// The file.
        file: String,
        /// The array or metadata key.
        array: String,
        /// The id.
        id: String,
        /// The first row with it.
        first: usize,
        /// The next row with it.
        second: usize,
    },

    /// The ids cannot be used.
    #[error("{file}: the ids in `{array}` cannot be used")]
    Ids {
        /// The file.
        file: String,
        /// The array or metadata key.
        array: String,
        /// Why not.
        source: lsmi_core::Error,
    },

    /// Sequences cannot be used.
    #[error(transparent)]
    Sequence(#[from] SequenceError),

    /// The metadata say something that cannot be used.
    #[error("{file}: the metadata key `{key}` {reason}")]
    Metadata {
        /// The file.
        file: String,
        /// The metadata key.
        key: String,
        /// The fault, and the requirement.
        reason: String,
    },
}

/// Describes the text in place of a label, and counts the other rows without one.
fn found_and_others(found: &str, others: usize) -> String {
    let found = if found.is_empty() { String::new() } else { format!(" (`{found}`)") };
    match others {
        0 => found,
        1 => format!("{found} and in another row"),
        others => format!("{found} and in {others} other rows"),
    }
}

//! Feature files: two modalities and a label for every sample, read and checked.
//!
//! [`read`] reads a file for training: it finds the splits, numbers the classes by the training labels and refuses
//! values that no analysis could use. [`read_with_classes`] reads a file to be evaluated against known classes.
//! [`read_unlabelled`] reads a file without its labels. The rows of a [`FeatureSet`] or of [`Unlabelled`] samples that were
//! read are finite, belong together and have distinct ids: later code does not check again.
//!
//! | part | accepted |
//! |---|---|
//! | formats | `.safetensors`, `.npz`, `.parquet`, `.arrow`, `.csv`, `.pt` (see [`Format`]), several `.npy` (see [`ArrayFiles`]) |
//! | `x1` `[n, d1]`, `x2` `[n, d2]` | floating-point numbers of 16, 32 or 64 bits, bfloat16, integers, booleans |
//! | `x1` `[n, T, d1]`, `x2` `[n, T, d2]`, pooled as [`Keys::pool`] says | the same, in all but tables |
//! | `lengths1`, `lengths2`, or `lengths` of both `[n]`, optional | integers: the steps of each sequence that count |
//! | `y` `[n]` | integers, booleans; in all but tensors also strings, without the blanks around them; missing ones by [`Missing`] |
//! | `y` `[n, L]`, see [`Data::read_several_labels`] | several labels a row, each 0, 1 or missing |
//! | `id` `[n]`, optional | integers; in all but tensors also strings; a metadata key `ids` instead |
//! | `present1`, `present2` `[n]`, optional | booleans or integers 0 and 1: which rows have x1, and which x2, see [`MissingModality`] |
//! | `logits1`, `logits2`, `logits12` `[n, K]`, optional | floating-point numbers of the user's own models of x1, x2 and both, before the softmax, or log-probabilities |
//! | splits | suffixes `x1_train`, `x1_val`, `x1_test`, others; or the reference implementation's names (`train_modal_1_features`, `train_logits1`) |
//! | metadata (`.safetensors`, `.parquet`, `.arrow`) | `classes`: a JSON list with the names of the labels 0, 1, ... |
//!
//! In tables (`.parquet`, `.arrow`, `.csv`), columns are the arrays, and a column of lists of one length is a matrix, as are
//! numbered columns (`x1_0`, `x1_1`, ...). Arrays of other names are not read.
//!
//! Arrays are read a block of rows at a time, straight into the matrices that are returned; only arrays of `.pt` and deflated
//! arrays in Fortran order are held as a whole meanwhile. [`RowReader`] returns some rows at a time, so that memory does
//! not grow with the file.
//!
//! # Columns of logits
//! Column k of logits is class k: the columns follow [`Classes`], which are the distinct labels of the training rows in
//! the order of `numpy.unique(y_train)` and of scikit-learn's `classes_` (integers by value, strings by bytes), and
//! which `summary.json` lists as `classes`. Names in the metadata do not change the order: labels keep theirs. A label
//! that no training row has is no class and has no column, even if the model gives it one: where labels go from 0 to 4
//! and 2 never occurs in training, the columns `logits1[:, [0, 1, 3, 4]]` are wanted. Another number of columns is
//! refused, and so is a file to be evaluated that names its classes in another order; as many columns in a wrong order
//! cannot be told from right ones.
//!
//! Logits have their split's suffix, and every split has those that the others have. Arrays called so that belong to
//! no split are refused, but one that [`Keys`] name as a modality is one.

mod array;
mod arrays;
pub(crate) mod columns;
mod data;
mod error;
pub(crate) mod format;
mod groups;
mod keys;
mod labels;
mod logits;
mod read;
mod sequences;
mod set;
mod several;
mod targets;
mod text_table;
mod write;

/// Arrays and what they hold, for columns of record batches.
pub(crate) mod values {
    pub(crate) use super::array::{Array, Incomplete, Kind, Number, Values};
}

use std::path::Path;

pub use self::arrays::{Arrays, Numbers};
pub use self::columns::metadata::{MetadataColumn, MetadataType, MetadataValues};
pub use self::data::{ArrayFiles, Data};
pub use self::error::{FeatureError, SequenceError};
pub use self::format::Format;
pub(crate) use self::groups::DisjointSets;
pub use self::groups::Groups;
pub use self::keys::{GroupKey, Keys, KeysError, MissingModality};
pub(crate) use self::keys::{LOGITS, PRESENT};
pub use self::labels::alike::names_alike;
pub(crate) use self::labels::classes::Label;
pub use self::labels::classes::{Classes, ClassesError};
pub use self::labels::matrix::LabelMatrix;
pub use self::labels::missing::{Missing, UnknownMissing};
pub use self::labels::rare::{Rare, UnknownRare};
pub use self::read::model_logits::read_model_logits;
pub use self::read::read_bytes;
pub use self::read::rows::{FileState, RowReader};
pub use self::read::splits::RowSplit;
pub use self::read::targets::TargetFile;
pub use self::sequences::{Lags, LagsError, Pooling, SequenceFile, SequenceSet, UnknownPooling};
pub use self::set::file::{FeatureFile, LabelsFile, Split, UnlabelledFile};
pub use self::set::partial::{OneModality, PartialRows};
pub use self::set::{FeatureSet, Inputs, Unlabelled};
pub use self::several::{SeveralFile, SeveralSet};
pub use self::targets::TargetSet;
pub use self::text_table::{Records, TextTable, TextTableError, records_of};
pub use self::write::{ArrayValues, WriteError, write_safetensors};

/// Reads a feature file for training.
///
/// Class indices are the ranks of the distinct labels of the split `train`: integers by value, strings by bytes.
///
/// # Errors
/// [`FeatureError`] if the file cannot be read, lacks an array or a split `train`, or holds what no analysis could
/// use: values that are not finite, arrays that do not match, a modality or a label that never varies in training,
/// a label of another split that training has not, logits that do not have one column for each class.
pub fn read(path: impl AsRef<Path>) -> Result<FeatureFile, FeatureError> {
    read_with_keys(path.as_ref(), &Keys::default())
}

/// Reads a feature file for training whose arrays have the names in `keys`.
///
/// # Errors
/// [`FeatureError`] as for [`read`].
pub fn read_with_keys(path: &Path, keys: &Keys) -> Result<FeatureFile, FeatureError> {
    Data::from(path).read(keys)
}

/// Reads a feature file to be evaluated: its labels become indices of `classes`.
///
/// Labels are matched by class name where the file names its labels, otherwise by the label itself. The file needs no
/// split `train`, and its samples need not vary.
///
/// # Errors
/// [`FeatureError`] as for [`read`]; [`FeatureError::UnseenClass`] for a label that is none of `classes`;
/// [`FeatureError::LogitOrder`] for logits in a file that names other classes, or in another order.
pub fn read_with_classes(path: &Path, keys: &Keys, classes: &Classes) -> Result<FeatureFile, FeatureError> {
    Data::from(path).read_with_classes(keys, classes)
}

/// Reads the samples of a feature file whose labels are unknown, or are not to be used.
///
/// The array of labels need not be there; where it is, it is not even looked at. Two modalities make a split. Logits
/// must have one column for each of `classes`, in their order.
///
/// # Errors
/// [`FeatureError`] as for [`read_with_classes`], but for what concerns labels.
pub fn read_unlabelled(path: &Path, keys: &Keys, classes: &Classes) -> Result<UnlabelledFile, FeatureError> {
    Data::from(path).read_unlabelled(keys, classes)
}

/// Returns the text under a key of a file's metadata, if the format has metadata (`.safetensors`, `.parquet`, `.arrow`) and
/// the key is there.
///
/// # Errors
/// [`FeatureError`] if the file cannot be read.
pub fn read_metadata(path: &Path, key: &str) -> Result<Option<String>, FeatureError> {
    let (_, container) = Data::from(path).open()?;
    Ok(container.metadata(key).map(str::to_owned))
}

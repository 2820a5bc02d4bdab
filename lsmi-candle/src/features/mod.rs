//! Feature files read into checked memory: two modalities and a label for every sample, keyed by id.
//!
//! [`read`] takes a file for training: it finds the splits, numbers the classes by the training labels and refuses
//! whatever no analysis could use. [`read_with_classes`] takes a file to be evaluated against classes already known.
//! [`read_unlabelled`] takes a file whose labels are not there, or are left alone. The rows of a [`FeatureSet`] or of
//! [`Unlabelled`] samples are finite, belong together and have distinct ids: nothing behind here checks again.
//!
//! | what | accepted |
//! |---|---|
//! | formats | `.safetensors`, `.npz`, `.parquet`, `.arrow`, `.csv`, `.pt` (see [`Format`]) |
//! | `x1` `[n, d1]`, `x2` `[n, d2]` | floating-point numbers of 16, 32 or 64 bits, bfloat16, integers, booleans |
//! | `y` `[n]` | integers, booleans; in all but tensors also strings, without the blanks around them; missing ones by [`Missing`] |
//! | `id` `[n]`, optional | integers; in `.npz` and `.parquet` also strings; a metadata key `ids` instead |
//! | `logits1`, `logits2`, `logits12` `[n, K]`, optional | floating-point numbers: what the user's own models of x1, x2 and both say, before the softmax, or log-probabilities |
//! | splits | suffixes `x1_train`, `x1_val`, `x1_test`, others; or the reference implementation's names (`train_modal_1_features`, `train_logits1`) |
//! | metadata (`.safetensors`, `.parquet`) | `classes`: a JSON list with the names of the labels 0, 1, ... |
//!
//! In `.parquet`, columns are the arrays, and a column of lists of one length is a matrix. All other arrays are left
//! alone. The whole file is held in memory while it is read; [`RowReader`] reads a part of the rows at a time.
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

mod advice;
mod alike;
mod array;
mod classes;
pub(crate) mod columns;
mod data;
mod error;
mod file;
mod format;
mod groups;
mod hash;
mod keys;
mod labels;
mod load;
mod logits;
mod matrix_to_fill;
mod metadata_columns;
mod missing;
mod model_logits;
mod row_reader;
mod set;
mod source;
mod text_table;
mod write;

/// Arrays and what they hold, for columns of record batches.
pub(crate) mod values {
    pub(crate) use super::array::{Array, Incomplete, Kind, Number, Values};
}

use std::path::Path;

use self::source::Source;

pub use alike::names_alike;
pub(crate) use classes::Label;
pub use classes::{Classes, ClassesError};
pub use data::{ArrayFiles, Data};
pub use error::FeatureError;
pub use file::{FeatureFile, Split, UnlabelledFile};
pub use format::Format;
pub(crate) use groups::DisjointSets;
pub use groups::Groups;
pub(crate) use keys::LOGITS;
pub use keys::{GroupKey, Keys, KeysError};
pub use metadata_columns::{MetadataColumn, MetadataType, MetadataValues};
pub use missing::{Missing, UnknownMissing};
pub use model_logits::read_model_logits;
pub use row_reader::{FileState, RowReader, RowSplit};
pub use set::{FeatureSet, Inputs, Unlabelled};
pub use text_table::{Records, TextTable, TextTableError, records_of};
pub use write::{ArrayValues, WriteError, write_safetensors};

/// Reads a feature file for training.
///
/// Class indices are the ranks of the distinct labels of the split `train`: integers by value, strings by bytes.
///
/// # Errors
/// [`FeatureError`] if the file cannot be read, lacks an array or a split `train`, or holds what no analysis could
/// use: values that are not finite, arrays that do not match, a modality or a label that never varies in training,
/// a label of another split that training has not, logits that do not have one column for each class.
pub fn read(path: &Path, keys: &Keys) -> Result<FeatureFile, FeatureError> {
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

/// The text under a key of a file's metadata, where the format has metadata (`.safetensors`, `.parquet`) and the key is
/// there.
///
/// # Errors
/// [`FeatureError`] if the file cannot be read.
pub fn read_metadata(path: &Path, key: &str) -> Result<Option<String>, FeatureError> {
    let file = path.display().to_string();
    Ok(Source::open_file(path, &file)?.metadata(key).map(str::to_owned))
}

/// Reads a feature file for training from memory; `name` stands for it in messages.
///
/// # Errors
/// [`FeatureError`] as for [`read`].
pub fn read_bytes(name: &str, bytes: &[u8], format: Format, keys: &Keys) -> Result<FeatureFile, FeatureError> {
    load::load(Path::new(name), Source::open(name, bytes, format)?, keys, None)
}

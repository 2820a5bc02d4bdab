//! Samples that a program holds in memory, as named arrays: read as a feature file is, with the same checks and errors.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::array::{Element, element_count};
use super::error::FeatureError;
use super::format::{Format, Held, Memory};
use super::keys::Keys;
use super::labels::classes::Classes;
use super::read::source::Source;
use super::read::step_samples::load_sequences;
use super::read::targets::TargetFile;
use super::read::{load, load_unlabelled, several_labels, targets};
use super::sequences::{Lags, Pooling, SequenceFile};
use super::set::file::{FeatureFile, LabelsFile, UnlabelledFile};

/// The numbers of an array in memory, in C order; 16-bit floating-point numbers by their bits.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Numbers<'a> {
    /// Booleans.
    Bool(&'a [bool]),
    /// 8-bit unsigned integers.
    U8(&'a [u8]),
    /// 16-bit unsigned integers.
    U16(&'a [u16]),
    /// 32-bit unsigned integers.
    U32(&'a [u32]),
    /// 64-bit unsigned integers.
    U64(&'a [u64]),
    /// 8-bit integers.
    I8(&'a [i8]),
    /// 16-bit integers.
    I16(&'a [i16]),
    /// 32-bit integers.
    I32(&'a [i32]),
    /// 64-bit integers.
    I64(&'a [i64]),
    /// 16-bit floating-point numbers (IEEE 754).
    F16Bits(&'a [u16]),
    /// bfloat16 numbers.
    Bf16Bits(&'a [u16]),
    /// 32-bit floating-point numbers.
    F32(&'a [f32]),
    /// 64-bit floating-point numbers.
    F64(&'a [f64]),
}

impl<'a> Numbers<'a> {
    fn parts(self) -> (Element, Cow<'a, [u8]>) {
        match self {
            Self::Bool(values) => (Element::Bool, Cow::Owned(values.iter().map(|value| u8::from(*value)).collect())),
            Self::U8(values) => (Element::U8, Cow::Borrowed(values)),
            Self::U16(values) => (Element::U16, Cow::Borrowed(bytemuck::cast_slice(values))),
            Self::U32(values) => (Element::U32, Cow::Borrowed(bytemuck::cast_slice(values))),
            Self::U64(values) => (Element::U64, Cow::Borrowed(bytemuck::cast_slice(values))),
            Self::I8(values) => (Element::I8, Cow::Borrowed(bytemuck::cast_slice(values))),
            Self::I16(values) => (Element::I16, Cow::Borrowed(bytemuck::cast_slice(values))),
            Self::I32(values) => (Element::I32, Cow::Borrowed(bytemuck::cast_slice(values))),
            Self::I64(values) => (Element::I64, Cow::Borrowed(bytemuck::cast_slice(values))),
            Self::F16Bits(values) => (Element::F16, Cow::Borrowed(bytemuck::cast_slice(values))),
            Self::Bf16Bits(values) => (Element::Bf16, Cow::Borrowed(bytemuck::cast_slice(values))),
            Self::F32(values) => (Element::F32, Cow::Borrowed(bytemuck::cast_slice(values))),
            Self::F64(values) => (Element::F64, Cow::Borrowed(bytemuck::cast_slice(values))),
        }
    }
}

/// Named arrays in memory: a feature file that was never written.
///
/// They have the names that those of a file have: `x1`, `x2`, `y`, `id`, `logits1`, and so on, with the suffixes of
/// splits. Numbers are borrowed until they are read.
///
/// ```
/// use lsmi_candle::features::{Arrays, Keys, Numbers};
///
/// let table = Arrays::new("arrays")
///     .with_numbers("x1", &[3, 2], Numbers::F32(&[0.5, 1.0, -0.5, 2.0, 0.1, 3.0]))?
///     .with_numbers("x2", &[3, 1], Numbers::I64(&[4, 5, 6]))?
///     .with_strings("y", ["cat", "dog", "cat"].map(|label| Some(label.to_owned())).to_vec())
///     .read(&Keys::default())?;
/// assert_eq!(table.splits[0].features.x2.values(), [4.0, 5.0, 6.0]);
/// assert_eq!(table.classes.names(), ["cat", "dog"]);
///
/// let error = Arrays::new("arrays").with_numbers("x1", &[3, 2], Numbers::F64(&[0.5])).unwrap_err();
/// assert!(error.to_string().contains("1 values"));
/// # Ok::<(), lsmi_candle::features::FeatureError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Arrays<'a> {
    pub(super) name: String,
    memory: Memory<'a>,
}

impl<'a> Arrays<'a> {
    /// Starts a table without arrays, which is called `name` in messages.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), memory: Memory::default() }
    }

    /// Adds an array of numbers.
    ///
    /// # Errors
    /// [`FeatureError::Corrupt`] unless there are as many values as the shape has elements.
    pub fn with_numbers(mut self, name: &str, shape: &[usize], numbers: Numbers<'a>) -> Result<Self, FeatureError> {
        let (element, bytes) = numbers.parts();
        self.check_count(name, shape, bytes.len() / element.size())?;
        self.memory.arrays.insert(name.to_owned(), Held::Numbers { element, shape: shape.to_vec(), bytes });
        Ok(self)
    }

    /// Adds an array `[n]` of strings; `None` is a missing one.
    #[must_use]
    pub fn with_strings(mut self, name: &str, strings: Vec<Option<String>>) -> Self {
        let shape = vec![strings.len()];
        self.memory.arrays.insert(name.to_owned(), Held::Strings { shape, strings });
        self
    }

    /// Adds an array of strings of any shape in C order, such as the labels `[n, T]` of the steps of sequences.
    ///
    /// # Errors
    /// [`FeatureError::Corrupt`] unless there are as many strings as the shape has elements.
    pub fn with_shaped_strings(
        mut self,
        name: &str,
        shape: &[usize],
        strings: Vec<Option<String>>,
    ) -> Result<Self, FeatureError> {
        self.check_count(name, shape, strings.len())?;
        self.memory.arrays.insert(name.to_owned(), Held::Strings { shape: shape.to_vec(), strings });
        Ok(self)
    }

    /// Adds metadata, such as a JSON list of the names of the labels under `classes`.
    #[must_use]
    pub fn with_metadata(mut self, key: &str, text: &str) -> Self {
        self.memory.metadata.insert(key.to_owned(), text.to_owned());
        self
    }

    /// Reads the samples for training; see [`read`](super::read()).
    ///
    /// # Errors
    /// As there.
    pub fn read(mut self, keys: &Keys) -> Result<FeatureFile, FeatureError> {
        load(&self.path(), self.source(), keys, None)
    }

    /// Reads samples to be evaluated; see [`read_with_classes`](super::read_with_classes).
    ///
    /// # Errors
    /// As there.
    pub fn read_with_classes(mut self, keys: &Keys, classes: &Classes) -> Result<FeatureFile, FeatureError> {
        load(&self.path(), self.source(), keys, Some(classes))
    }

    /// Reads samples with several labels each; see [`Data::read_several_labels`](super::Data::read_several_labels).
    ///
    /// # Errors
    /// As there.
    pub fn read_several_labels(mut self, keys: &Keys, known: Option<&[String]>) -> Result<LabelsFile, FeatureError> {
        let path = self.path();
        several_labels::load(&path, &mut self.source(), keys, known)
    }

    /// Reads samples without their labels; see [`read_unlabelled`](super::read_unlabelled).
    ///
    /// # Errors
    /// As there.
    pub fn read_unlabelled(mut self, keys: &Keys, classes: &Classes) -> Result<UnlabelledFile, FeatureError> {
        load_unlabelled(&self.path(), self.source(), keys, classes)
    }

    /// Reads sequences for training by lags; see [`Data::read_sequences`](super::Data::read_sequences).
    ///
    /// # Errors
    /// As there.
    pub fn read_sequences(mut self, keys: &Keys, lags: &Lags) -> Result<SequenceFile, FeatureError> {
        load_sequences(&self.path(), self.source(), keys, lags)
    }

    /// Reads samples with continuous targets; see [`Data::read_targets`](super::Data::read_targets).
    ///
    /// # Errors
    /// As there.
    pub fn read_targets(mut self, keys: &Keys, is_for_training: bool) -> Result<TargetFile, FeatureError> {
        targets::load(&self.path(), self.source(), keys, is_for_training)
    }

    /// Returns the pooling that the keys ask for, if a modality is made of sequences.
    pub fn pooling(&mut self, keys: &Keys) -> Option<Pooling> {
        let pooling = keys.pool?;
        self.source().has_sequences(keys).then_some(pooling)
    }

    fn check_count(&self, name: &str, shape: &[usize], values: usize) -> Result<(), FeatureError> {
        if element_count(shape).ok() == Some(values) {
            return Ok(());
        }
        let reason = format!("`{name}` has {values} values for the shape {shape:?}");
        Err(FeatureError::Corrupt { file: self.name.clone(), format: Format::Npy.name(), reason })
    }

    pub(super) fn path(&self) -> PathBuf {
        Path::new(&self.name).to_owned()
    }

    pub(super) fn source(&mut self) -> Source<'_> {
        Source::new(&self.name, Format::Npy, &mut self.memory)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrays<'a>(x: &'a [f64], y: &'a [f64]) -> Arrays<'a> {
        let named = |arrays: Arrays<'a>, name: &str| arrays.with_numbers(name, &[4, 1], Numbers::F64(x)).unwrap();
        ["a", "b", "c", "x1", "x2"]
            .into_iter()
            .fold(Arrays::new("arrays"), named)
            .with_numbers("y", &[4], Numbers::F64(y))
            .unwrap()
    }

    #[test]
    fn several_modalities_and_targets_are_read_from_memory() {
        let (x, y) = ([0.5, 1.0, 2.0, 4.0], [0.0, 1.0, 0.0, 1.0]);
        let labels = ["u", "v", "u", "v"].map(|label| Some(label.to_owned())).to_vec();
        let names = ["a", "b", "c"].map(str::to_owned);
        let several = arrays(&x, &y).with_strings("y", labels).read_several(&names, &Keys::default()).unwrap();
        assert_eq!(several.names, names);
        assert_eq!(several.split("train").unwrap().modalities[2].values(), x);
        let targets = arrays(&x, &y).read_targets(&Keys::default(), true).unwrap();
        assert_eq!(targets.split("train").unwrap().targets().values(), y);
        let error = arrays(&x, &y).read_several(&names[..1], &Keys::default()).unwrap_err();
        assert!(matches!(error, FeatureError::Modalities { .. }), "{error}");
    }

    #[test]
    fn labels_of_steps_may_be_strings() {
        let x: Vec<f64> = (0..12_i32).map(f64::from).collect();
        let table = || {
            Arrays::new("arrays")
                .with_numbers("x1", &[3, 4, 1], Numbers::F64(&x))
                .and_then(|table| table.with_numbers("x2", &[3, 4, 1], Numbers::F64(&x)))
                .unwrap()
        };
        let strings: Vec<_> = (0..12).map(|step| Some(if step % 3 == 0 { "up" } else { "down" }.to_owned())).collect();
        let read = table().with_shaped_strings("y", &[3, 4], strings.clone()).unwrap();
        let sequences = read.read_sequences(&Keys::default(), &Lags::new(vec![1]).unwrap()).unwrap();
        assert_eq!(sequences.classes.names(), ["down", "up"]);
        assert_eq!(sequences.splits[0].features.rows(), 9);
        assert!(table().with_shaped_strings("y", &[3, 3], strings).is_err());
        let keys = Keys { pool: Some(Pooling::Mean), ..Keys::default() };
        assert_eq!((table().pooling(&keys), table().pooling(&Keys::default())), (Some(Pooling::Mean), None));
    }
}

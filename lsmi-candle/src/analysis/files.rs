//! The files of an analysis.

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use thiserror::Error;

use super::Analysis;
use crate::files::{AtomicFile, MadeDirectories, Unobserved};
use crate::samples::{ExtraColumns, Format, write};

/// The file of the summary.
pub const SUMMARY: &str = "summary.json";
/// The file of the estimator.
pub const ESTIMATOR: &str = "estimator.safetensors";

/// Returns the name of the file of samples in a format.
pub fn samples_name(format: Format) -> String {
    format!("samples.{format}")
}

/// A file of an analysis that cannot be written.
#[derive(Debug, Error)]
#[error("{path}: cannot be written")]
pub struct WriteError {
    path: String,
    source: Box<dyn Error + Send + Sync>,
}

impl WriteError {
    /// Names the file that cannot be written.
    fn new(path: &Path, source: Box<dyn Error + Send + Sync>) -> Self {
        Self { path: path.display().to_string(), source }
    }
}

/// Writes `samples.csv`, `summary.json` and `estimator.safetensors` to a directory; see [`write_named`].
pub(super) fn write_files(
    directory: &Path,
    write: impl Fn(&str, &mut BufWriter<&File>) -> Result<(), Box<dyn Error + Send + Sync>>,
) -> Result<(), WriteError> {
    let names = [&samples_name(Format::Csv), SUMMARY, ESTIMATOR].map(str::to_owned);
    write_named(directory, &names, |place, output| write(&names[place], output))
}

/// Writes files to a directory, which is made if it is not there, as are those that names lead to: `write` is called with the
/// place of each name. Files of these names are replaced, and none is before all are written.
pub(super) fn write_named(
    directory: &Path,
    names: &[String],
    write: impl Fn(usize, &mut BufWriter<&File>) -> Result<(), Box<dyn Error + Send + Sync>>,
) -> Result<(), WriteError> {
    // Dropped after the files, and kept once they stand in their places.
    let mut made = MadeDirectories::new(&Unobserved);
    made.make(directory).map_err(|error| WriteError::new(directory, error.into()))?;
    let mut written = Vec::new();
    for (place, name) in names.iter().enumerate() {
        let path = directory.join(name);
        let parent = path.parent().unwrap_or(directory);
        made.make(parent).map_err(|error| WriteError::new(parent, error.into()))?;
        let file = AtomicFile::create(&path).map_err(|error| WriteError::new(&path, error.into()))?;
        let mut output = BufWriter::new(file.file());
        write(place, &mut output).and_then(|()| Ok(output.flush()?)).map_err(|error| WriteError::new(&path, error))?;
        drop(output);
        written.push(file);
    }
    for file in written {
        let path = file.place().to_owned();
        file.persist().map_err(|error| WriteError::new(&path, error.into()))?;
        made.keep();
    }
    Ok(())
}

impl Analysis {
    /// Writes `samples.csv`, `summary.json` and `estimator.safetensors` to a directory, which is made if it is not there.
    /// Files of these names are replaced, and none is before all are written.
    ///
    /// # Errors
    /// [`WriteError`] if the file system refuses.
    pub fn write(&self, directory: impl AsRef<Path>) -> Result<(), WriteError> {
        write_files(directory.as_ref(), |name, output| match name {
            SUMMARY => self.write_summary(output),
            ESTIMATOR => self.write_estimator(output),
            _ => self.write_samples(output, Format::Csv),
        })
    }

    /// Writes the samples of all splits, one split after the other.
    ///
    /// # Errors
    /// What the output or the format gives.
    pub fn write_samples(
        &self,
        output: &mut (impl Write + Send),
        format: Format,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        let extra = ExtraColumns::of_splits(&self.splits);
        let classes = self.estimator.classes().names();
        write::write(output, format, &extra, self.splits.iter().flat_map(|split| split.samples(classes, &extra)))
    }

    /// Writes the summary as indented JSON.
    ///
    /// # Errors
    /// What the output gives.
    pub fn write_summary(&self, output: &mut impl Write) -> Result<(), Box<dyn Error + Send + Sync>> {
        serde_json::to_writer_pretty(&mut *output, &self.summary)?;
        Ok(output.write_all(b"\n")?)
    }

    /// Writes the estimator.
    ///
    /// # Errors
    /// What the output gives, or an error of the bundle.
    pub fn write_estimator(&self, output: &mut impl Write) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(output.write_all(&self.estimator.to_bytes()?)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_files_are_written_or_none() {
        let place = tempfile::tempdir().unwrap();
        let names = ["a.csv".to_owned(), "deep/b.json".to_owned()];
        let directory = place.path().join("new");
        let failed = write_named(&directory, &names, |place, output| match place {
            0 => Ok(output.write_all(b"a")?),
            _ => Err("full".into()),
        });
        assert!(failed.unwrap_err().to_string().ends_with("b.json: cannot be written"));
        assert!(!directory.exists());
        write_named(&directory, &names, |place, output| Ok(output.write_all(names[place].as_bytes())?)).unwrap();
        assert_eq!(std::fs::read_to_string(directory.join("deep/b.json")).unwrap(), "deep/b.json");
    }
}

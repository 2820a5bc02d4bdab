//! Files that appear whole or not at all.
//!
//! Everything is first written to temporary files beside the places where it shall stand. Only when all of it is there
//! is each file renamed to its name. A failure before that leaves nothing: neither files nor directories made for them.
//! The same goes for Ctrl-C, see [`crate::process::interrupt`].

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use lsmi_candle::files::{AtomicFile, MadeDirectories};
use thiserror::Error;

use crate::process::failure::Failure;
use crate::process::interrupt::{self, OBSERVER};

/// Why output cannot be written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub(crate) enum OutputError {
    /// Something is already there.
    #[error("{path}: {what}; name another place with --out, or overwrite with --force")]
    Exists { path: String, what: &'static str },
    /// A directory stands where a file shall be, or the other way round.
    #[error("{path}: {what}; name another place with --out")]
    WrongKind { path: String, what: &'static str },
    /// The output would replace a file that is read.
    #[error("{path}: is both input and output; name another place with --out")]
    IsInput { path: String },
    /// The file system refused.
    #[error("{path}: cannot be written; check the path, permissions and free space")]
    Write { path: String, source: io::Error },
    /// The content could not be put in its format.
    #[error("{path}: cannot be written; check the path, permissions and free space")]
    Encode { path: String, source: Box<dyn std::error::Error + Send + Sync> },
}

impl From<OutputError> for Failure {
    fn from(error: OutputError) -> Self {
        match error {
            OutputError::Write { .. } | OutputError::Encode { .. } => Self::failed(error),
            _ => Self::usage(error),
        }
    }
}

/// Makes sure, before any work, that a file may be written at `path`.
pub(crate) fn check_file(path: &Path, force: bool, inputs: &[&Path]) -> Result<(), OutputError> {
    let name = path.display().to_string();
    if name.ends_with(std::path::is_separator) {
        return Err(OutputError::WrongKind { path: name, what: "is the name of a directory, not of a file" });
    }
    check_replaceable(path)?;
    check_writable(parent(path))?;
    if is_one_of(path, inputs) {
        return Err(OutputError::IsInput { path: name });
    }
    if fs::metadata(path).is_ok_and(|metadata| metadata.len() > 0) && !force {
        return Err(OutputError::Exists { path: name, what: "there is already such a file" });
    }
    Ok(())
}

/// Makes sure, before any work, that the files called `outputs` may be written in the directory `path`.
pub(crate) fn check_directory(path: &Path, force: bool, outputs: &[&str], inputs: &[&Path]) -> Result<(), OutputError> {
    let name = path.display().to_string();
    check_writable(path)?;
    if !path.is_dir() {
        return Ok(());
    }
    for output in outputs.iter().map(|output| path.join(output)) {
        check_replaceable(&output)?;
        if is_one_of(&output, inputs) {
            return Err(OutputError::IsInput { path: output.display().to_string() });
        }
    }
    let mut entries = fs::read_dir(path).map_err(|source| OutputError::Write { path: name.clone(), source })?;
    if entries.next().is_some() && !force {
        return Err(OutputError::Exists { path: name, what: "the directory is not empty" });
    }
    Ok(())
}

/// Only a regular file may be replaced: a device or a pipe would be lost, and a link would come to point elsewhere.
fn check_replaceable(path: &Path) -> Result<(), OutputError> {
    let what = match fs::symlink_metadata(path) {
        Err(_) => return Ok(()),
        Ok(metadata) if metadata.is_file() => return Ok(()),
        Ok(metadata) if metadata.is_dir() => "is a directory, not a file",
        Ok(metadata) if metadata.is_symlink() => "is a symbolic link, which would be replaced",
        Ok(_) => "is a device or a pipe, not a regular file",
    };
    Err(OutputError::WrongKind { path: path.display().to_string(), what })
}

/// Makes sure that files can be made in a directory, or in the nearest one above it that is there.
fn check_writable(directory: &Path) -> Result<(), OutputError> {
    let there = directory.ancestors().find(|path| fs::symlink_metadata(path).is_ok()).unwrap_or(Path::new("."));
    let there = if there.as_os_str().is_empty() { Path::new(".") } else { there };
    let name = there.display().to_string();
    if !there.is_dir() {
        let what =
            if there.is_symlink() { "is a symbolic link that leads nowhere" } else { "is a file, not a directory" };
        return Err(OutputError::WrongKind { path: name, what });
    }
    // A file without a name, gone as soon as it is closed.
    tempfile::tempfile_in(there).map(drop).map_err(|source| OutputError::Write { path: name, source })
}

/// The directory that a file stands in.
fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn is_one_of(path: &Path, inputs: &[&Path]) -> bool {
    let Ok(path) = path.canonicalize() else { return false };
    inputs.iter().any(|input| input.canonicalize().is_ok_and(|input| input == path))
}

/// Files that are written, but do not stand in their places yet.
#[derive(Debug)]
pub(crate) struct Staging {
    // Dropped in this order: files first, then the directories that were made for them.
    files: Vec<AtomicFile>,
    made: MadeDirectories<'static>,
}

impl Default for Staging {
    fn default() -> Self {
        Self { files: Vec::new(), made: MadeDirectories::new(&OBSERVER) }
    }
}

impl Staging {
    /// Writes the file that shall stand at `path`, making the directories above it.
    pub(crate) fn write(
        &mut self,
        path: &Path,
        content: impl FnOnce(&mut BufWriter<&File>) -> Result<(), Box<dyn std::error::Error + Send + Sync>>,
    ) -> Result<(), OutputError> {
        let failed = |source| OutputError::Write { path: path.display().to_string(), source };
        self.made.make(parent(path)).map_err(failed)?;
        let make = || AtomicFile::create(path);
        let file = interrupt::make_temporary(make, |file| file.temporary().to_owned()).map_err(failed)?;
        let mut writer = BufWriter::new(file.file());
        content(&mut writer).map_err(|source| match source.downcast::<io::Error>() {
            Ok(source) => failed(*source),
            Err(source) => OutputError::Encode { path: path.display().to_string(), source },
        })?;
        writer.flush().map_err(failed)?;
        drop(writer);
        self.files.push(file);
        Ok(())
    }

    /// Puts all files in their places and removes `stale` ones, left by an earlier run.
    pub(crate) fn commit(mut self, stale: &[PathBuf]) -> Result<(), OutputError> {
        let _all_of_them = interrupt::uninterrupted();
        for file in self.files.drain(..) {
            let (path, temporary) = (file.place().to_owned(), file.temporary().to_owned());
            let failed = |source| OutputError::Write { path: path.display().to_string(), source };
            file.persist().map_err(failed)?;
            interrupt::written(&path, Some(&temporary));
            // From here on the directory holds output.
            self.made.keep();
        }
        for path in stale {
            match fs::remove_file(path) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    return Err(OutputError::Write { path: path.display().to_string(), source });
                }
                _ => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(directory: &Path) -> usize {
        fs::read_dir(directory).unwrap().count()
    }

    #[test]
    fn nothing_is_left_of_a_failure() {
        let root = tempfile::tempdir().unwrap();
        let mut staging = Staging::default();
        staging.write(&root.path().join("a/b/one.txt"), |file| Ok(file.write_all(b"one")?)).unwrap();
        let refusal = staging.write(&root.path().join("a/b/two.txt"), |_| Err("no".into()));
        assert!(matches!(refusal, Err(OutputError::Encode { .. })));
        drop(staging);
        assert_eq!(count(root.path()), 0);
    }

    #[test]
    fn all_files_appear_together_and_stale_ones_go() {
        let root = tempfile::tempdir().unwrap();
        let old = root.path().join("old.txt");
        fs::write(&old, "old").unwrap();
        let mut staging = Staging::default();
        for name in ["one.txt", "two.txt"] {
            staging.write(&root.path().join(name), |file| Ok(file.write_all(name.as_bytes())?)).unwrap();
            assert!(!root.path().join(name).exists());
        }
        staging.commit(&[old, root.path().join("never-there.txt")]).unwrap();
        assert_eq!(fs::read(root.path().join("two.txt")).unwrap(), b"two.txt");
        assert_eq!(count(root.path()), 2);
    }

    #[test]
    fn existing_files_are_protected() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("file");
        assert!(check_file(&path, false, &[]).is_ok());
        fs::write(&path, "").unwrap();
        assert!(check_file(&path, false, &[]).is_ok());
        fs::write(&path, "x").unwrap();
        assert!(matches!(check_file(&path, false, &[]), Err(OutputError::Exists { .. })));
        assert!(check_file(&path, true, &[]).is_ok());
        assert!(matches!(check_file(&path, true, &[&path]), Err(OutputError::IsInput { .. })));
        assert!(matches!(check_file(root.path(), true, &[]), Err(OutputError::WrongKind { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn links_and_what_is_no_regular_file_are_not_replaced() {
        let root = tempfile::tempdir().unwrap();
        let link = root.path().join("link");
        std::os::unix::fs::symlink(root.path().join("nowhere"), &link).unwrap();
        for refusal in [
            check_file(&link, true, &[]),
            check_file(&link.join("file"), true, &[]),
            check_directory(&link, true, &[], &[]),
            check_directory(root.path(), true, &["link"], &[]),
            check_file(Path::new("/dev/null"), true, &[]),
        ] {
            assert!(matches!(refusal, Err(OutputError::WrongKind { .. })), "{refusal:?}");
        }
        assert!(link.is_symlink());
    }

    #[test]
    fn a_place_below_a_file_is_refused_before_any_work() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("file");
        fs::write(&file, "x").unwrap();
        assert!(matches!(check_directory(&file.join("a/b"), false, &[], &[]), Err(OutputError::WrongKind { .. })));
        assert!(check_directory(&root.path().join("a/b"), false, &[], &[]).is_ok());
        assert_eq!(count(root.path()), 1);
    }

    #[test]
    fn directories_with_anything_in_them_are_protected() {
        let root = tempfile::tempdir().unwrap();
        let outputs = ["samples.csv"];
        assert!(check_directory(root.path(), false, &outputs, &[]).is_ok());
        assert!(check_directory(&root.path().join("new"), false, &outputs, &[]).is_ok());
        let path = root.path().join("samples.csv");
        fs::write(&path, "x").unwrap();
        assert!(matches!(check_directory(root.path(), false, &outputs, &[]), Err(OutputError::Exists { .. })));
        assert!(check_directory(root.path(), true, &outputs, &[]).is_ok());
        assert!(matches!(check_directory(root.path(), true, &outputs, &[&path]), Err(OutputError::IsInput { .. })));
        for below in [path.clone(), path.join("new"), path.join("new/deep")] {
            assert!(matches!(check_directory(&below, true, &outputs, &[]), Err(OutputError::WrongKind { .. })));
        }
        assert!(matches!(check_file(&path.join("new"), true, &[]), Err(OutputError::WrongKind { .. })));
    }
}

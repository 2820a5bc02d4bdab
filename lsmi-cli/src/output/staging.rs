//! Files that appear whole or not at all.
//!
//! Everything is first written to temporary files beside the places where it shall stand. Only when all of it is there
//! is each file renamed to its name. A failure before that leaves nothing: neither files nor directories made for them.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use thiserror::Error;

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
    #[error("{path}: cannot be written")]
    Encode { path: String, source: Box<dyn std::error::Error + Send + Sync> },
}

/// Makes sure, before any work, that a file may be written at `path`.
pub(crate) fn check_file(path: &Path, force: bool, inputs: &[&Path]) -> Result<(), OutputError> {
    let name = path.display().to_string();
    let Ok(metadata) = fs::metadata(path) else { return check_parents(path) };
    if metadata.is_dir() {
        return Err(OutputError::WrongKind { path: name, what: "is a directory, not a file" });
    }
    if is_one_of(path, inputs) {
        return Err(OutputError::IsInput { path: name });
    }
    if metadata.len() > 0 && !force {
        return Err(OutputError::Exists { path: name, what: "there is already such a file" });
    }
    Ok(())
}

/// Makes sure, before any work, that the files called `outputs` may be written in the directory `path`.
pub(crate) fn check_directory(path: &Path, force: bool, outputs: &[&str], inputs: &[&Path]) -> Result<(), OutputError> {
    let name = path.display().to_string();
    let Ok(metadata) = fs::metadata(path) else { return check_parents(path) };
    if !metadata.is_dir() {
        return Err(OutputError::WrongKind { path: name, what: "is a file, not a directory" });
    }
    for output in outputs.iter().map(|output| path.join(output)) {
        if output.is_dir() {
            let path = output.display().to_string();
            return Err(OutputError::WrongKind { path, what: "is a directory, not a file" });
        }
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

/// What does not exist yet can be made: the nearest thing above it that exists is a directory.
fn check_parents(path: &Path) -> Result<(), OutputError> {
    match path.ancestors().skip(1).find(|parent| parent.exists()) {
        Some(parent) if !parent.is_dir() => {
            Err(OutputError::WrongKind { path: parent.display().to_string(), what: "is a file, not a directory" })
        }
        _ => Ok(()),
    }
}

fn is_one_of(path: &Path, inputs: &[&Path]) -> bool {
    let Ok(path) = path.canonicalize() else { return false };
    inputs.iter().any(|input| input.canonicalize().is_ok_and(|input| input == path))
}

/// Files that are written, but do not stand in their places yet.
#[derive(Debug, Default)]
pub(crate) struct Staging {
    // Dropped in this order: files first, then the directories that were made for them.
    files: Vec<(NamedTempFile, PathBuf)>,
    made: MadeDirectories,
}

impl Staging {
    /// Writes the file that shall stand at `path`, making the directories above it.
    pub(crate) fn write(
        &mut self,
        path: &Path,
        content: impl FnOnce(&mut BufWriter<&File>) -> Result<(), Box<dyn std::error::Error + Send + Sync>>,
    ) -> Result<(), OutputError> {
        let failed = |source| OutputError::Write { path: path.display().to_string(), source };
        let directory = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        self.made.make(directory).map_err(failed)?;
        let temporary = new_file(directory).map_err(failed)?;
        let mut writer = BufWriter::new(temporary.as_file());
        content(&mut writer).map_err(|source| match source.downcast::<io::Error>() {
            Ok(source) => failed(*source),
            Err(source) => OutputError::Encode { path: path.display().to_string(), source },
        })?;
        writer.flush().map_err(failed)?;
        drop(writer);
        self.files.push((temporary, path.to_owned()));
        Ok(())
    }

    /// Puts all files in their places and removes `stale` ones, left by an earlier run.
    pub(crate) fn commit(mut self, stale: &[PathBuf]) -> Result<(), OutputError> {
        for (file, path) in self.files.drain(..) {
            let failed = |source| OutputError::Write { path: path.display().to_string(), source };
            file.persist(&path).map_err(|error| failed(error.error))?;
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

/// A temporary file that has, once in its place, the permissions of any other new file.
fn new_file(directory: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".lsmi-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(directory)
}

/// Directories made for output, removed again when dropped unless output came to stand in them.
#[derive(Debug, Default)]
struct MadeDirectories(Vec<PathBuf>);

impl MadeDirectories {
    fn make(&mut self, directory: &Path) -> io::Result<()> {
        let missing: Vec<&Path> =
            directory.ancestors().take_while(|path| !path.as_os_str().is_empty() && !path.exists()).collect();
        for path in missing.into_iter().rev() {
            fs::create_dir(path)?;
            self.0.push(path.to_owned());
        }
        Ok(())
    }

    fn keep(&mut self) {
        self.0.clear();
    }
}

impl Drop for MadeDirectories {
    fn drop(&mut self) {
        for path in self.0.iter().rev() {
            // Only fails where someone else has put something in it, which shall stay.
            let _ = fs::remove_dir(path);
        }
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

    #[cfg(unix)]
    #[test]
    fn permissions_are_those_of_any_new_file() {
        use std::os::unix::fs::PermissionsExt;
        let root = tempfile::tempdir().unwrap();
        let mode = |name: &str| fs::metadata(root.path().join(name)).unwrap().permissions().mode();
        fs::write(root.path().join("plain"), "").unwrap();
        let mut staging = Staging::default();
        staging.write(&root.path().join("staged"), |_| Ok(())).unwrap();
        staging.commit(&[]).unwrap();
        assert_eq!(mode("staged"), mode("plain"));
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

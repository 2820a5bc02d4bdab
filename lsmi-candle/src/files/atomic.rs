//! A file that is written beside its place and renamed to it when it is whole.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// How the names of temporary files begin.
pub(crate) const PREFIX: &str = ".lsmi-";

/// A file that does not stand in its place yet; dropped, it goes.
#[derive(Debug)]
pub struct AtomicFile {
    temporary: NamedTempFile,
    place: PathBuf,
}

impl AtomicFile {
    /// Creates the temporary file, in the directory of `place`. In its place it has the permissions of any other new file.
    ///
    /// # Errors
    /// If the directory is not there or cannot be written to.
    pub fn create(place: &Path) -> io::Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(PREFIX);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        Ok(Self { temporary: builder.tempfile_in(directory_of(place))?, place: place.to_owned() })
    }

    /// Returns the path of the temporary file.
    pub fn temporary(&self) -> &Path {
        self.temporary.path()
    }

    /// Returns the path of its place.
    pub fn place(&self) -> &Path {
        &self.place
    }

    /// Returns the file to write to.
    pub fn file(&self) -> &File {
        self.temporary.as_file()
    }

    /// Renames the file to its place, over what stands there. Its content is forced to the disk only if
    /// [`File::sync_all`] was called before.
    ///
    /// # Errors
    /// If the file cannot be renamed; then it goes.
    pub fn persist(self) -> io::Result<()> {
        self.temporary.persist(&self.place).map(drop).map_err(|error| error.error)
    }
}

/// Writes a file, forces it to the disk and renames it to its place: after a power failure, too, the place has the old file
/// or the new one.
///
/// # Errors
/// Those of `content`, and if the file cannot be created, written or renamed; nothing is left then.
pub fn write_atomically(place: &Path, content: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>) -> io::Result<()> {
    let file = AtomicFile::create(place)?;
    let mut writer = BufWriter::new(file.file());
    content(&mut writer)?;
    writer.flush()?;
    drop(writer);
    file.file().sync_all()?;
    file.persist()?;
    sync_directory(place);
    Ok(())
}

/// Forces the entry of a file in its directory to the disk, where directories can be opened.
pub fn sync_directory(file: &Path) {
    // Elsewhere a rename is as good as it gets.
    if let Ok(directory) = File::open(directory_of(file)) {
        let _ = directory.sync_all();
    }
}

/// Returns the directory that a file stands in.
pub(super) fn directory_of(file: &Path) -> &Path {
    match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_failure_leaves_the_old_file_alone() {
        let root = tempfile::tempdir().unwrap();
        let place = root.path().join("file");
        write_atomically(&place, |file| file.write_all(b"old")).unwrap();
        let refused = write_atomically(&place, |file| {
            file.write_all(b"half")?;
            Err(io::Error::other("no"))
        });
        assert!(refused.is_err());
        assert_eq!(fs::read(&place).unwrap(), b"old");
        write_atomically(&place, |file| file.write_all(b"new")).unwrap();
        assert_eq!(fs::read(&place).unwrap(), b"new");
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn permissions_are_those_of_any_new_file() {
        use std::os::unix::fs::PermissionsExt;
        let root = tempfile::tempdir().unwrap();
        let mode = |name: &str| fs::metadata(root.path().join(name)).unwrap().permissions().mode();
        fs::write(root.path().join("plain"), "").unwrap();
        write_atomically(&root.path().join("atomic"), |_| Ok(())).unwrap();
        assert_eq!(mode("atomic"), mode("plain"));
    }
}

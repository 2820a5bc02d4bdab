//! The file of a row: relative to the table, and not led elsewhere by a symbolic link.

use std::io;
use std::path::{Component, Path, PathBuf};
use std::time::UNIX_EPOCH;

use thiserror::Error;

/// Why a row's file cannot be had.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum InputError {
    /// The field is empty.
    #[error("`{column}` is empty; name a file")]
    Empty {
        /// The column.
        column: String,
    },
    /// There is no such file, or it cannot be read.
    #[error("{path}: {source}; check the path, which is relative to the table")]
    Read {
        /// The path, as the table has it.
        path: String,
        /// What the system says.
        source: io::Error,
    },
    /// A symbolic link leads out of the table's directory.
    #[error("{path}: a symbolic link leads out of the table's directory; copy the file, or allow such links")]
    Link {
        /// The path, as the table has it.
        path: String,
    },
}

/// Where the files of a table's rows are looked for.
#[derive(Debug, Clone)]
pub struct Folder {
    directory: PathBuf,
    follow_links: bool,
}

impl Folder {
    /// Looks in the directory of a table, from which its relative paths start.
    pub fn of_table(table: &Path, follow_links: bool) -> Self {
        let directory = match table.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        Self::new(directory, follow_links)
    }

    /// Looks in a directory; `follow_links` allows symbolic links that lead out of it.
    pub fn new(directory: PathBuf, follow_links: bool) -> Self {
        Self { directory, follow_links }
    }

    /// Finds the file that `text` names.
    ///
    /// A path that says itself that it leads elsewhere (absolute, or through `..`) is taken at its word; one that does not is
    /// not to be led elsewhere by links.
    ///
    /// # Errors
    /// [`InputError`] if `text` is empty, or there is no such file, or a link leads out of the directory.
    pub fn find(&self, text: &str, column: &str) -> Result<PathBuf, InputError> {
        if text.is_empty() {
            return Err(InputError::Empty { column: column.to_owned() });
        }
        let named = Path::new(text);
        let path = self.directory.join(named);
        let failed = |source| InputError::Read { path: text.to_owned(), source };
        let real = path.canonicalize().map_err(failed)?;
        let stays = named.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        if stays && !self.follow_links {
            let directory = self.directory.canonicalize().map_err(failed)?;
            if !real.starts_with(&directory) {
                return Err(InputError::Link { path: text.to_owned() });
            }
        }
        Ok(real)
    }

    /// Returns size and time of the last change of the file that `text` names, in words; other words when it is another file.
    /// Returns nothing where there is none.
    pub fn state(&self, text: &str) -> String {
        let Ok(metadata) = self.directory.join(text).metadata() else { return String::new() };
        let changed = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        format!("{} bytes, {} ns", metadata.len(), changed.unwrap_or_default().as_nanos())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    #[cfg(unix)]
    fn links_out_of_the_directory_need_leave() {
        let place = tempfile::tempdir().unwrap();
        let [inside, outside] = ["inside", "outside"].map(|name| place.path().join(name));
        for directory in [&inside, &outside] {
            fs::create_dir(directory).unwrap();
            fs::write(directory.join("a.png"), "").unwrap();
        }
        std::os::unix::fs::symlink(outside.join("a.png"), inside.join("link.png")).unwrap();
        std::os::unix::fs::symlink("a.png", inside.join("near.png")).unwrap();
        let (strict, lenient) = (Folder::new(inside.clone(), false), Folder::new(inside, true));
        for name in ["a.png", "./a.png", "near.png", "../outside/a.png"] {
            assert!(strict.find(name, "image").is_ok(), "{name}");
        }
        assert!(matches!(strict.find("link.png", "image"), Err(InputError::Link { .. })));
        assert!(lenient.find("link.png", "image").is_ok());
        let message = strict.find("missing.png", "image").unwrap_err().to_string();
        assert!(message.starts_with("missing.png: ") && message.contains("relative to the table"), "{message}");
        assert!(matches!(strict.find("", "image"), Err(InputError::Empty { .. })));
    }
}

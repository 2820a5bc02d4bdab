//! The file of a row, or the folder of the frames of its video: relative to the table, and not led elsewhere by a symbolic
//! link.

use std::io;
use std::path::{Component, Path, PathBuf};
use std::time::UNIX_EPOCH;

use thiserror::Error;

use crate::embedding::preprocess::video::Clip;

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

    /// Finds the file or folder of frames that `text` names.
    ///
    /// A path that says itself that it leads elsewhere (absolute, or through `..`) is taken at its word; one that does not is
    /// not to be led elsewhere by links, and neither are the frames of a folder.
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
            let leads_out = |path: &Path| path.canonicalize().is_ok_and(|real| !real.starts_with(&directory));
            if !real.starts_with(&directory) {
                return Err(InputError::Link { path: text.to_owned() });
            }
            if let Some(frame) = frames_in(&real).iter().find(|frame| frame.is_symlink() && leads_out(frame)) {
                let path = named.join(frame.file_name().unwrap_or_default());
                return Err(InputError::Link { path: path.display().to_string() });
            }
        }
        Ok(real)
    }

    /// Returns size and time of the last change of the file that `text` names, in words; other words when it is another file.
    /// Of a folder, these are of its frames, with their names. Returns nothing where there is none.
    pub fn state(&self, text: &str) -> String {
        let path = self.directory.join(text);
        if !path.is_dir() {
            return state_of(&path);
        }
        let name = |frame: &Path| frame.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let states = frames_in(&path).into_iter().map(|frame| format!("{}: {}", name(&frame), state_of(&frame)));
        states.collect::<Vec<_>>().join("; ")
    }
}

/// The frames of a folder; none where it is a file, or cannot be read.
fn frames_in(path: &Path) -> Vec<PathBuf> {
    if path.is_dir() { Clip::pictures_of(path).unwrap_or_default() } else { Vec::new() }
}

fn state_of(file: &Path) -> String {
    let Ok(metadata) = file.metadata() else { return String::new() };
    let changed = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    format!("{} bytes, {} ns", metadata.len(), changed.unwrap_or_default().as_nanos())
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

    #[test]
    #[cfg(unix)]
    fn links_of_frames_need_leave_too() {
        let place = tempfile::tempdir().unwrap();
        let [inside, clip] = ["inside", "inside/clip"].map(|name| place.path().join(name));
        fs::create_dir_all(&clip).unwrap();
        fs::write(place.path().join("a.png"), "").unwrap();
        fs::write(clip.join("1.png"), "").unwrap();
        std::os::unix::fs::symlink("1.png", clip.join("2.png")).unwrap();
        let folder = |follow_links| Folder::new(inside.clone(), follow_links);
        assert!(folder(false).find("clip", "video").is_ok());
        std::os::unix::fs::symlink(place.path().join("a.png"), clip.join("3.png")).unwrap();
        let refused = folder(false).find("clip", "video").unwrap_err();
        assert!(matches!(&refused, InputError::Link { path } if path == "clip/3.png"), "{refused}");
        assert!(folder(true).find("clip", "video").is_ok());
    }

    #[test]
    fn a_folder_is_another_when_a_frame_is() {
        let place = tempfile::tempdir().unwrap();
        let clip = place.path().join("clip");
        fs::create_dir(&clip).unwrap();
        let state = || Folder::new(place.path().to_owned(), false).state("clip");
        let write = |name: &str, content: &str| fs::write(clip.join(name), content).unwrap();
        write("1.png", "one");
        let one = state();
        write("1.png", "three");
        let other = state();
        write("notes.txt", "");
        assert_eq!(state(), other);
        write("2.png", "");
        assert!(one != other && state() != other && state().contains("2.png"), "{one} {other}");
    }
}

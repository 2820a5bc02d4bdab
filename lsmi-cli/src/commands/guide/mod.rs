//! `lsmi guide`: what interactions are used for in training.

mod align;
mod clean;
mod distill;
mod ensemble;
mod unfrozen;

use std::fs;
use std::path::{Path, PathBuf};

use crate::arguments::{Guide, GuideAction};
use crate::process::console;
use crate::process::failure::Failure;
use crate::process::interrupt::{self, Unfinished};

/// What a partial directory is of.
const IDENTITY: &str = "identity.json";

pub(super) fn run(arguments: &Guide) -> Result<(), Failure> {
    match &arguments.action {
        GuideAction::Distill(arguments) => distill::run(arguments),
        GuideAction::Ensemble(arguments) => ensemble::run(arguments),
        GuideAction::Clean(arguments) => clean::run(arguments),
        GuideAction::Align(arguments) => align::run(arguments),
    }
}

/// The directory beside another in which what is finished is kept until all is.
fn partial(out: &Path) -> PathBuf {
    // A slash at the end must not make it a directory within.
    let mut name = out.components().as_path().as_os_str().to_owned();
    name.push(".partial");
    PathBuf::from(name)
}

/// Says what is kept in the partial directory if the program is stopped now.
fn register(partial: &Path, pieces: &'static str, all: usize) {
    let finished = files(partial).into_iter().filter(|file| is_piece(file)).count();
    let clear = |directory: &Path| {
        // What cannot be removed does no harm.
        if files(directory).iter().all(|file| file == &directory.join(IDENTITY)) {
            let _ = fs::remove_dir_all(directory);
        }
    };
    interrupt::unfinished(Some(Unfinished { directory: partial.to_owned(), pieces, finished, all, clear }));
}

/// Says what was written.
fn say_files(files: &[&Path]) {
    let names: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    console::say(&format!("\nwritten: {}", names.join(", ")));
}

/// Removes the partial directory, as all is done.
fn remove(partial: &Path) -> Result<(), Failure> {
    interrupt::unfinished(None);
    fs::remove_dir_all(partial).map_err(Failure::failed)
}

fn is_piece(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "json")
        && file.file_name().is_some_and(|name| name != IDENTITY)
}

fn files(directory: &Path) -> Vec<PathBuf> {
    fs::read_dir(directory).map_or_else(|_| Vec::new(), |files| files.flatten().map(|file| file.path()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_partial_directory_stands_beside_the_other() {
        assert_eq!(partial(Path::new("a/b/")), PathBuf::from("a/b.partial"));
    }
}

//! What a name means: a manifest, a directory, or a repository of the hub.

use std::path::{Path, PathBuf};

use super::{Manifest, ModelError, Registry};
use crate::embedding::encoders::edit_distance;
use crate::embedding::hub::Repository;

/// What a user may mean by a model.
#[derive(Debug, Clone, PartialEq)]
pub enum ModelRef<'a> {
    /// A manifest.
    Manifest(&'a Manifest),
    /// A directory with a model.
    Directory(PathBuf),
    /// `organisation/model` or `organisation/model@revision`.
    Repository(Repository, Option<String>),
}

/// Finds what a name means: a manifest, else a directory there is, else a repository. What can only be a directory, or
/// begins with one that is here, is no repository; with a revision after it, it is.
///
/// # Errors
/// If it is none of these.
pub fn model_ref<'a>(name: &str, registry: &'a Registry) -> Result<ModelRef<'a>, ModelError> {
    if let Some(manifest) = registry.get(name) {
        return Ok(ModelRef::Manifest(manifest));
    }
    if Path::new(name).is_dir() {
        return Ok(ModelRef::Directory(name.into()));
    }
    let (repository, revision) = match name.split_once('@') {
        Some((repository, revision)) => (repository, Some(revision.to_owned())),
        None => (name, None),
    };
    let unknown = |hint: String| Err(ModelError::Unknown { name: name.to_owned(), hint });
    if is_path(repository) {
        return unknown(no_directory(name));
    }
    if let (None, Some((first, _))) = (&revision, repository.split_once('/'))
        && Path::new(first).is_dir()
    {
        let of_hub = format!("the model of the hub of this name is {name}@main, as {first} is a directory here");
        return unknown(format!("{}; {of_hub}", no_directory(name)));
    }
    match repository.parse() {
        Ok(repository) => Ok(ModelRef::Repository(repository, revision)),
        Err(_) => {
            unknown(format!("name one of {}; or a directory, or organisation/model of the hub", registry.names()))
        }
    }
}

/// Whether a name has the form of a path, and not that of a repository.
fn is_path(name: &str) -> bool {
    name.starts_with(['.', '/', '~']) || name.ends_with('/') || name.contains('\\') || name.matches('/').count() > 1
}

/// Says that there is no such directory, and what there is beside.
fn no_directory(name: &str) -> String {
    let nearest = nearest(&PathBuf::from(name.replace('\\', "/")));
    let there_are = match &nearest[..] {
        [] => "check the path".to_owned(),
        [only] => format!("there is {only}"),
        [most @ .., last] => format!("there are {} and {last}", most.join(", ")),
    };
    format!("there is no such directory; {there_are}")
}

/// The directories in the parent of a path whose names are nearest to its own, the nearest first; three at most.
fn nearest(path: &Path) -> Vec<String> {
    let (Some(parent), Some(wanted)) = (path.parent(), path.file_name()) else { return Vec::new() };
    let wanted = wanted.to_string_lossy();
    let read_from = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
    let entries = std::fs::read_dir(read_from).into_iter().flatten().flatten();
    let mut found: Vec<(usize, String)> = entries
        .filter(|entry| entry.path().is_dir())
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            (edit_distance(&name, &wanted), parent.join(&name).display().to_string())
        })
        .collect();
    found.sort();
    found.truncate(3);
    found.into_iter().map(|(_, path)| path).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn paths_are_no_repositories() {
        for path in ["./a", "/a/b", "~/a", "a/b/c", "a/", "a/b/", "a\\b", "../a"] {
            assert!(is_path(path), "{path}");
        }
        for name in ["a", "a/b", "org/name-1.5"] {
            assert!(!is_path(name), "{name}");
        }
    }

    #[test]
    fn a_mistyped_directory_is_no_repository() {
        let place = tempfile::tempdir().unwrap();
        for name in ["minilm", "minilm-l12", "dinov2", "clip"] {
            fs::create_dir(place.path().join(name)).unwrap();
        }
        fs::write(place.path().join("minilk"), "no directory").unwrap();
        let registry = Registry::built_in().unwrap();
        let refused = |name: &str| model_ref(name, &registry).unwrap_err().to_string();
        let root = place.path().display();
        let message = refused(&format!("{root}/minilx"));
        assert!(message.contains("there is no such directory; there are "), "{message}");
        let (first, rest) = message.split_once("/minilm, ").unwrap();
        assert!(first.ends_with(&root.to_string()) && rest.contains(" and ") && !rest.contains("minilk"), "{message}");
        assert!(refused(&format!("{root}/nothing/here")).contains("no such directory; check the path"));
        assert!(refused("org/name/more").contains("there is no such directory"));
        assert!(refused("org\\name").contains("there is no such directory"));
        // This one is in the directory where tests run.
        let message = refused("src/embeding");
        assert!(message.contains("there are src/embedding") && message.contains("src/embeding@main"), "{message}");
        let of_hub = model_ref("src/embeding@main", &registry).unwrap();
        assert_eq!(of_hub, ModelRef::Repository("src/embeding".parse().unwrap(), Some("main".to_owned())));
    }
}

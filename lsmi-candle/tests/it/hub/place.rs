//! A cache of its own for a test, and what the hub would answer.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lsmi_candle::embedding::hub::{FileRequest, Hub, HubConfig, HubError, Repository, Token};
use lsmi_candle::files::Digest;
use tempfile::TempDir;

use crate::hub::server::{Answer, Request};

pub(crate) const COMMIT: &str = "1110a243fdf4706b3f48f1d95db1a4f5529b4d41";
pub(crate) const OTHER_COMMIT: &str = "2220a243fdf4706b3f48f1d95db1a4f5529b4d42";
pub(crate) const ETAG: &str = "72b987fd805cfa2b58c4c8c952b274a11bfd5a00";
pub(crate) const SECRET: &str = "hf_secret";

/// A cache in a directory that goes with it.
pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn config(&self, endpoint: &str) -> HubConfig {
        HubConfig {
            cache: self.0.path().join("hub"),
            endpoint: endpoint.parse().unwrap(),
            token: None,
            offline: false,
            timeout: Duration::from_secs(20),
            attempts: 3,
            pause: Duration::from_millis(1),
            lock: self.0.path().join("models.lock"),
        }
    }

    pub(crate) fn hub(&self, endpoint: &str) -> Hub {
        Hub::new(self.config(endpoint))
    }

    pub(crate) fn with_token(&self, endpoint: &str) -> Hub {
        Hub::new(HubConfig { token: Token::new(SECRET).unwrap(), ..self.config(endpoint) })
    }

    pub(crate) fn offline(&self) -> Hub {
        Hub::new(HubConfig { offline: true, ..self.config("http://127.0.0.1:9") })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A path in the folder of the repository.
    pub(crate) fn in_folder(&self, name: &str) -> PathBuf {
        self.path("hub/models--org--name").join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.in_folder(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// The names of the blobs, whole or not, sorted.
    pub(crate) fn blobs(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.in_folder("blobs")) else { return Vec::new() };
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// The content of every file in the directory, to look for what must not be there.
    pub(crate) fn everything(&self) -> String {
        fn of(directory: &Path) -> String {
            let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
            let content = |path: PathBuf| {
                if path.is_dir() { of(&path) } else { String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned() }
            };
            entries.map(content).collect()
        }
        of(self.0.path())
    }
}

pub(crate) fn repository() -> Repository {
    "org/name".parse().unwrap()
}

/// Gets a file of the commit of which nothing is known beforehand.
pub(crate) fn get(hub: &Hub, path: &str) -> Result<PathBuf, HubError> {
    hub.file(&FileRequest::new(&repository(), COMMIT, path), &mut |_| ())
}

/// The message of a refusal, causes and all.
pub(crate) fn refusal<T>(result: Result<T, HubError>) -> String {
    let Err(error) = result else { panic!("not refused") };
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains(SECRET), "{shown}");
    error.to_string()
}

pub(crate) fn sha256(content: &[u8]) -> String {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), content).unwrap();
    Digest::of_file(file.path()).unwrap().sha256
}

/// A file large enough that a connection can break in its middle.
pub(crate) fn weights() -> Vec<u8> {
    (0..300_000_u32).flat_map(u32::to_le_bytes).collect()
}

/// A small file, as the hub itself sends it.
pub(crate) fn small(content: &str) -> Answer {
    Answer::new(200, content).with("ETag", &format!("\"{ETAG}\"")).with("X-Repo-Commit", COMMIT)
}

/// A large file under the hash of its content, with ranges.
pub(crate) fn large(request: &Request, content: &[u8]) -> Answer {
    Answer::new(200, content)
        .with("X-Linked-Etag", &format!("\"{}\"", sha256(content)))
        .with("X-Linked-Size", &content.len().to_string())
        .with("X-Repo-Commit", COMMIT)
        .ranged(request)
}

/// The description of a repository.
pub(crate) fn info(commit: &str, files: &[&str]) -> Answer {
    let siblings: Vec<String> = files.iter().map(|name| format!(r#"{{"rfilename": "{name}"}}"#)).collect();
    Answer::new(200, format!(r#"{{"sha": "{commit}", "id": "org/name", "siblings": [{}]}}"#, siblings.join(", ")))
}

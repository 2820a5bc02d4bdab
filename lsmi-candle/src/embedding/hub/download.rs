//! One file from the hub: it grows beside its place, goes on where it stopped, and is moved there when it is right.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use ureq::Response;

use super::expected::Expected;
use super::name::is_sha256;
use super::transport::{About, Answer, RequestError, Transport};
use super::{HubError, MismatchCause};
use crate::files::Digest;

/// How far a download is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transfer<'a> {
    /// `organisation/model`.
    pub repository: &'a str,
    /// The file's path in the repository.
    pub file: &'a str,
    /// Bytes that are there.
    pub done: u64,
    /// Bytes of the whole file, where that is known.
    pub total: Option<u64>,
}

/// A file that is not whole yet. One process at a time has it; others wait for it.
pub(super) struct Part {
    file: File,
    path: PathBuf,
}

impl Part {
    pub(super) fn open(path: PathBuf) -> Result<Self, HubError> {
        loop {
            let mut options = OpenOptions::new();
            let open = options.read(true).write(true).create(true).truncate(false).open(&path);
            let file = open.and_then(|file| file.lock().map(|()| file)).map_err(HubError::io(&path))?;
            // Whoever had it before may have given it another name, or removed it.
            if is_at(&file, &path) {
                return Ok(Self { file, path });
            }
        }
    }

    fn len(&self) -> Result<u64, HubError> {
        self.file.metadata().map(|metadata| metadata.len()).map_err(HubError::io(&self.path))
    }

    fn clear(&self) -> Result<(), HubError> {
        self.file.set_len(0).map_err(HubError::io(&self.path))
    }

    /// Removes it.
    pub(super) fn discard(self) -> Result<(), HubError> {
        fs::remove_file(&self.path).map_err(HubError::io(&self.path))
    }

    /// Gives it its name. As long as the file lives, others go on waiting.
    pub(super) fn persist(self, path: &Path) -> Result<File, HubError> {
        self.file.sync_all().map_err(HubError::io(&self.path))?;
        fs::rename(&self.path, path).map_err(HubError::io(path))?;
        Ok(self.file)
    }
}

/// Whether an open file is still the one of this path.
fn is_at(file: &File, path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let identity = |metadata: &fs::Metadata| (metadata.dev(), metadata.ino());
        matches!((file.metadata(), fs::metadata(path)), (Ok(open), Ok(named)) if identity(&open) == identity(&named))
    }
    #[cfg(not(unix))]
    {
        let _ = file;
        path.exists()
    }
}

/// What is to be downloaded, and how patiently.
pub(super) struct Download<'a> {
    pub(super) transport: &'a Transport,
    pub(super) about: About<'a>,
    pub(super) url: url::Url,
    pub(super) path: &'a str,
    pub(super) commit: &'a str,
    pub(super) expected: Vec<Expected>,
    pub(super) attempts: u32,
    pub(super) pause: Duration,
}

/// What a whole file is, and what the hub calls it.
pub(super) struct Downloaded {
    pub(super) digest: Digest,
    pub(super) etag: Option<String>,
}

impl Download<'_> {
    /// Downloads into `part` and checks it; what is wrong is not kept.
    pub(super) fn run(&self, part: &mut Part, progress: &mut dyn FnMut(Transfer<'_>)) -> Result<Downloaded, HubError> {
        let mut is_resumed = part.len()? > 0;
        loop {
            let etag = retry(self.attempts, self.pause, || self.attempt(part, progress))?;
            let digest = Digest::of_file(&part.path).map_err(HubError::io(&part.path))?;
            let by_hub = Expected {
                sha256: etag.clone().filter(|etag| is_sha256(etag)),
                said_by: "the hub".to_owned(),
                ..Expected::by(MismatchCause::Transfer)
            };
            let all = self.expected.iter().chain([&by_hub]);
            match all.map(|expected| expected.check(self.path, &digest)).find(Result::is_err) {
                None => return Ok(Downloaded { digest, etag }),
                // What was there before may be to blame.
                Some(_) if is_resumed => {
                    is_resumed = false;
                    part.clear()?;
                }
                Some(wrong) => {
                    part.clear()?;
                    wrong?;
                }
            }
        }
    }

    /// Goes on with `part` until it is whole or something happens; gives the etag.
    fn attempt(&self, part: &mut Part, progress: &mut dyn FnMut(Transfer<'_>)) -> Result<Option<String>, RequestError> {
        let there = part.len()?;
        let answer = self.transport.get(self.about, self.url.clone(), there)?;
        if answer.response.status() == 416 {
            part.clear()?;
            let reason = "there is nothing after what was there already".to_owned();
            return Err(RequestError::Transient { url: answer.url, reason });
        }
        self.check_headers(&answer)?;
        let from = match answer.response.status() {
            206 if range_start(&answer.response) == Some(there) => there,
            206 => return Err(HubError::answer(answer.url.clone(), "other bytes than were asked for").into()),
            // The whole file: this hub knows no ranges.
            _ => 0,
        };
        let total = answer.size.or_else(|| length(&answer.response, from));
        let failed = |error| HubError::io(&part.path)(error);
        part.file.set_len(from).map_err(failed)?;
        part.file.seek(SeekFrom::Start(from)).map_err(failed)?;

        let Answer { response, url, etag, .. } = answer;
        let mut reader = response.into_reader();
        let mut done = from;
        let mut buffer = vec![0; 1 << 16];
        loop {
            progress(Transfer { repository: self.about.repository.as_str(), file: self.path, done, total });
            let read = match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    let reason = format!("the connection broke after {done} bytes: {error}");
                    return Err(RequestError::Transient { url, reason });
                }
            };
            part.file.write_all(&buffer[..read]).map_err(HubError::io(&part.path))?;
            done += read as u64;
            if total.is_some_and(|total| done > total) {
                break;
            }
        }
        match total {
            Some(total) if done < total => {
                Err(RequestError::Transient { url, reason: format!("the answer ended after {done} of {total} bytes") })
            }
            Some(total) if done > total => {
                part.clear()?;
                Err(HubError::answer(url.clone(), format!("more than the {total} bytes that were announced")).into())
            }
            _ => Ok(etag),
        }
    }

    /// What the hub says of a file before it comes.
    fn check_headers(&self, answer: &Answer) -> Result<(), HubError> {
        if let Some(commit) = answer.commit.as_deref().filter(|commit| *commit != self.commit) {
            return Err(HubError::Mismatch {
                file: self.path.to_owned(),
                what: "the commit",
                expected: self.commit.into(),
                found: commit.into(),
                said_by: "the request".into(),
                cause: MismatchCause::Commit,
            });
        }
        let sha256 = answer.etag.as_deref().filter(|etag| is_sha256(etag));
        self.expected.iter().try_for_each(|expected| expected.check_parts(self.path, answer.size, sha256))
    }
}

/// Tries several times what may go better the next time.
pub(super) fn retry<T>(
    attempts: u32,
    pause: Duration,
    mut attempt: impl FnMut() -> Result<T, RequestError>,
) -> Result<T, HubError> {
    let mut pause = pause;
    let mut tried = 1;
    loop {
        match attempt() {
            Ok(result) => return Ok(result),
            Err(RequestError::Permanent(error)) => return Err(error),
            Err(RequestError::Transient { url, reason }) if tried >= attempts => {
                return Err(HubError::Unreachable { url, attempts: tried, reason });
            }
            Err(RequestError::Transient { .. }) => {}
        }
        thread::sleep(pause);
        pause *= 2;
        tried += 1;
    }
}

fn range_start(response: &Response) -> Option<u64> {
    response.header("content-range")?.strip_prefix("bytes ")?.split('-').next()?.parse().ok()
}

fn length(response: &Response, from: u64) -> Option<u64> {
    Some(from + response.header("content-length")?.parse::<u64>().ok()?)
}

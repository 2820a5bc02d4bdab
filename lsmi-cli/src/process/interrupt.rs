//! Ctrl-C: the program stops at once, leaves complete files only, says what it keeps, and ends with exit status 130.
//! SIGTERM, by which others stop it, does the same and ends with 143.
//!
//! A thread of its own waits for the signal and does not wait for the work, which may be in the middle of a long step.
//! What the work has begun to write is in a register: temporary files, directories made for output, and the directory of
//! an unfinished job. It removes what is not whole and ends the program while it holds the register, so that
//! nothing new is begun meanwhile. Steps that belong together, such as the renames that put the files of an analysis in
//! their places, are taken [`uninterrupted`]; they are short.

use std::any::Any;
use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

#[cfg(unix)]
use signal_hook::consts::SIGXFSZ;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use lsmi_candle::files::{JobState, WriteObserver};
use lsmi_candle::jobs;

use crate::process::console;

/// The exit status of a program that a signal ended is this and the number of the signal, as shells have it.
const STATUS: i32 = 128;
/// How often the thread looks whether a signal came.
const PAUSE: Duration = Duration::from_millis(50);
/// Files that are named one by one.
const LISTED: usize = 5;

static SHORT_STEPS: Mutex<()> = Mutex::new(());
static REGISTER: Mutex<Register> = Mutex::new(Register::new());

/// What there is of output.
#[derive(Debug)]
struct Register {
    /// Files that are not whole yet.
    temporary: Vec<PathBuf>,
    /// Directories that were made and hold no output yet, those above first.
    made: Vec<PathBuf>,
    /// Files that are in their places.
    written: Vec<PathBuf>,
    /// What is finished of a job that goes on another time.
    unfinished: Option<Unfinished>,
}

/// A job of which some is kept.
#[derive(Debug, Clone)]
pub(crate) struct Unfinished {
    /// Where it is kept.
    pub(crate) directory: PathBuf,
    /// What it is made of, as in `row groups`.
    pub(crate) pieces: &'static str,
    /// How many of them are finished.
    pub(crate) finished: usize,
    /// How many there are.
    pub(crate) all: usize,
    /// Removes what is kept, where nothing is finished.
    pub(crate) clear: fn(&Path),
}

/// Puts what the libraries write in the register.
pub(crate) static OBSERVER: Observer = Observer;

/// Follows what the libraries write.
pub(crate) struct Observer;

impl WriteObserver for Observer {
    fn hold(&self) -> Box<dyn Any> {
        Box::new(uninterrupted())
    }

    fn made_directory(&self, directory: &Path) {
        locked(&REGISTER).made.push(directory.to_owned());
    }

    fn settled_directories(&self, directories: &[PathBuf]) {
        locked(&REGISTER).made.retain(|path| !directories.contains(path));
    }

    fn written(&self, file: &Path) {
        locked(&REGISTER).written.push(file.to_owned());
    }

    fn job(&self, state: Option<JobState>) {
        unfinished(state.map(|JobState { directory, pieces, finished, all }| Unfinished {
            directory,
            pieces,
            finished,
            all,
            // What cannot be removed does no harm.
            clear: |directory| drop(jobs::clear(directory)),
        }));
    }
}

/// Lets Ctrl-C and SIGTERM end the program as they should.
pub(crate) fn listen() {
    let came = Arc::new(AtomicUsize::new(0));
    for signal in [SIGINT, SIGTERM] {
        // Without a handler a signal ends the program all the same, only less tidily.
        let _ = flag::register_usize(signal, Arc::clone(&came), signal.unsigned_abs() as usize);
    }
    // A file that grows beyond what `ulimit -f` allows is then an error like a full disk, and no sudden end.
    #[cfg(unix)]
    let _ = flag::register(SIGXFSZ, Arc::default());
    thread::spawn(move || {
        loop {
            thread::sleep(PAUSE);
            match came.load(Ordering::Relaxed) {
                0 => {}
                signal => stop(i32::try_from(signal).unwrap_or_default()),
            }
        }
    });
}

/// Holds Ctrl-C off until the guard is dropped: for steps that are short and belong together.
pub(crate) fn uninterrupted() -> MutexGuard<'static, ()> {
    locked(&SHORT_STEPS)
}

/// Makes a file or a directory, which goes at an interrupt.
pub(crate) fn make_temporary<T>(
    make: impl FnOnce() -> io::Result<T>,
    path: impl FnOnce(&T) -> PathBuf,
) -> io::Result<T> {
    let mut register = locked(&REGISTER);
    let made = make()?;
    register.temporary.push(path(&made));
    Ok(made)
}

/// A file that came to stand in its place; `temporary` is where it was before.
pub(crate) fn written(path: &Path, temporary: Option<&Path>) {
    let mut register = locked(&REGISTER);
    register.temporary.retain(|other| Some(other.as_path()) != temporary);
    register.written.push(path.to_owned());
}

/// How far a job is that can go on another time; None where it is done or given up.
pub(crate) fn unfinished(job: Option<Unfinished>) {
    locked(&REGISTER).unfinished = job;
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A thread that panicked left nothing half done: the register only ever grows or shrinks by whole entries.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[expect(clippy::exit, reason = "the work does not listen; it ends with the program")]
fn stop(signal: i32) {
    let _no_short_step = uninterrupted();
    let register = locked(&REGISTER);
    register.remove();
    // Away from a progress bar and from the ^C that a terminal shows.
    let start = if io::stderr().is_terminal() { "\n" } else { "" };
    console::say(&format!("{start}{}", register.message()));
    process::exit(STATUS + signal);
}

impl Register {
    const fn new() -> Self {
        Self { temporary: Vec::new(), made: Vec::new(), written: Vec::new(), unfinished: None }
    }

    /// Removes what is not whole.
    fn remove(&self) {
        for path in &self.temporary {
            // What cannot be removed any more is gone, or of no harm.
            let _ = fs::remove_file(path);
        }
        if let Some(job) = &self.unfinished
            && job.finished == 0
        {
            (job.clear)(&job.directory);
        }
        for path in self.made.iter().rev() {
            // Only fails where something stands in it, which shall stay.
            let _ = fs::remove_dir(path);
        }
    }

    fn message(&self) -> String {
        if let Some(Unfinished { directory, pieces, finished, all, .. }) = &self.unfinished
            && *finished > 0
        {
            let directory = directory.display();
            return format!(
                "stopped: {finished} of {all} {pieces} are kept in {directory}; the same command goes on from there"
            );
        }
        let mut names: Vec<String> = self.written.iter().take(LISTED).map(|path| path.display().to_string()).collect();
        if self.written.len() > LISTED {
            names.push(format!("{} more", self.written.len() - LISTED));
        }
        match names.as_slice() {
            [] => "stopped: no output was written".to_owned(),
            names => format!("stopped: complete are {}", names.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gone(path: &Path) {
        fs::remove_dir_all(path).unwrap();
    }

    #[test]
    fn what_is_not_whole_goes_and_the_rest_is_told() {
        let place = tempfile::tempdir().unwrap();
        let path = |name: &str| place.path().join(name);
        let mut register = Register::new();
        assert_eq!(register.message(), "stopped: no output was written");
        for name in ["made", "full", "job.partial"] {
            fs::create_dir(path(name)).unwrap();
        }
        for name in ["half", "full/mine", "job.partial/rows"] {
            fs::write(path(name), "x").unwrap();
        }
        register.temporary = vec![path("half"), path("never-there")];
        register.made = vec![path("made"), path("full")];
        let job = |finished| {
            let directory = path("job.partial");
            Some(Unfinished { directory, pieces: "row groups", finished, all: 7, clear: gone })
        };
        register.unfinished = job(2);
        register.remove();
        assert!(!path("half").exists() && !path("made").exists());
        assert!(path("full/mine").exists() && path("job.partial/rows").exists());
        let message = register.message();
        assert!(message.contains("2 of 7 row groups are kept in") && message.contains("job.partial;"), "{message}");
        register.unfinished = job(0);
        register.remove();
        assert!(!path("job.partial").exists());
        register.written = vec![PathBuf::from("a"); 7];
        assert_eq!(register.message(), "stopped: complete are a, a, a, a, a, 2 more");
    }
}

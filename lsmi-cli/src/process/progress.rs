//! Progress bars on stderr: models fitted, time left, and the loss of the last step; or rows scored.
//!
//! They appear only where stderr is a terminal, and neither with `--quiet` nor where the environment variable
//! `LSMI_NO_PROGRESS` is set. They are plain text without colours, so `NO_COLOR` needs nothing more.

use std::io::{self, IsTerminal};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, unbounded};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use lsmi_candle::embedding::hub::Transfer;
use lsmi_candle::estimator::Progress;

use crate::process::console::harmless;

/// Before the first model is finished nothing is known of the time left.
const FIRST_TEMPLATE: &str = "{bar:20} {pos} of {len} models  {wide_msg}";
const TEMPLATE: &str = "{bar:20} {pos} of {len} models, {eta} left  {wide_msg}";

const STEPS_TEMPLATE: &str = "{bar:20} {pos} of {len} steps, {eta} left  {wide_msg}";

const ROWS_TEMPLATE: &str = "{bar:20} {human_pos} of {human_len} rows, {eta} left, {per_sec}";

const BYTES_TEMPLATE: &str = "{bar:20} {bytes} of {total_bytes}, {eta} left, {bytes_per_sec}  {wide_msg}";

/// A bar of so many rows, which the work moves.
pub(crate) fn rows(quiet: bool, rows: usize) -> Cleared {
    if is_hidden(quiet) {
        return Cleared(ProgressBar::hidden());
    }
    let bar = ProgressBar::with_draw_target(Some(rows as u64), ProgressDrawTarget::stderr());
    set_template(&bar, ROWS_TEMPLATE);
    bar.enable_steady_tick(Duration::from_millis(500));
    Cleared(bar)
}

/// A bar of the bytes of one file after the other, to be told of a download.
pub(crate) fn transfers(quiet: bool) -> impl FnMut(Transfer<'_>) {
    let bar = if is_hidden(quiet) {
        ProgressBar::hidden()
    } else {
        ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr())
    };
    set_template(&bar, BYTES_TEMPLATE);
    let bar = Cleared(bar);
    let mut file = String::new();
    move |transfer| {
        if file != transfer.file {
            transfer.file.clone_into(&mut file);
            bar.0.reset();
            bar.0.set_message(harmless(transfer.file));
        }
        if let Some(total) = transfer.total {
            bar.0.set_length(total);
        }
        bar.0.set_position(transfer.done);
    }
}

/// A bar that goes with whoever moves it, so that it covers no error.
pub(crate) struct Cleared(ProgressBar);

impl Cleared {
    /// Moves the bar on.
    pub(crate) fn inc(&self, more: u64) {
        self.0.inc(more);
    }
}

impl Drop for Cleared {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

fn is_hidden(quiet: bool) -> bool {
    let is_unwanted = std::env::var_os("LSMI_NO_PROGRESS").is_some_and(|value| !value.is_empty());
    quiet || is_unwanted || !io::stderr().is_terminal()
}

/// Does the work, which tells how far a comparison is, and shows that; after each step `register` is called.
pub(crate) fn steps<T>(
    quiet: bool,
    register: impl Fn() + Sync,
    work: impl FnOnce(&(dyn Fn(lsmi_guide::experiments::distill::Progress) + Sync)) -> T,
) -> T {
    if is_hidden(quiet) {
        return work(&|_| register());
    }
    let bar = Cleared(ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()));
    set_template(&bar.0, STEPS_TEMPLATE);
    bar.0.enable_steady_tick(Duration::from_millis(500));
    work(&|progress| {
        register();
        bar.0.set_length(progress.total as u64);
        bar.0.set_position(progress.done as u64);
        bar.0.set_message(harmless(&progress.what));
    })
}

/// Does the work, which may send its progress, and shows that.
pub(crate) fn shown<T>(quiet: bool, work: impl FnOnce(Option<&Sender<Progress>>) -> T) -> T {
    if is_hidden(quiet) {
        return work(None);
    }
    let (sender, receiver) = unbounded();
    thread::scope(|scope| {
        scope.spawn(move || show(&receiver));
        let result = work(Some(&sender));
        // The bar goes when there is nobody left to send.
        drop(sender);
        result
    })
}

fn show(receiver: &Receiver<Progress>) {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    set_template(&bar, FIRST_TEMPLATE);
    for progress in receiver {
        if bar.length().is_none() {
            // The first step: now there is something to show, and a clock that goes on between the steps.
            bar.enable_steady_tick(Duration::from_millis(500));
        }
        bar.set_length(progress.total as u64);
        if bar.position() == 0 && progress.done > 0 {
            set_template(&bar, TEMPLATE);
        }
        bar.set_position(progress.done as u64);
        bar.set_message(message(&progress));
    }
    bar.finish_and_clear();
}

fn set_template(bar: &ProgressBar, template: &str) {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
}

fn message(progress: &Progress) -> String {
    format!("loss {:.4}  {}", progress.loss, progress.what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_are_valid() {
        for template in [FIRST_TEMPLATE, TEMPLATE, STEPS_TEMPLATE, ROWS_TEMPLATE, BYTES_TEMPLATE] {
            assert!(ProgressStyle::with_template(template).is_ok());
        }
    }

    #[test]
    fn quiet_work_is_done_without_a_listener() {
        assert_eq!(shown(true, |sender| (sender.is_none(), 7)), (true, 7));
    }

    #[test]
    fn the_loss_is_shown() {
        let progress = Progress { done: 3, total: 25, what: "fold 2 of 5, head of both".to_owned(), loss: 0.312_54 };
        assert_eq!(message(&progress), "loss 0.3125  fold 2 of 5, head of both");
    }
}

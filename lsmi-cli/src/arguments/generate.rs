//! Options of `lsmi completions` and `lsmi man`.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

pub(super) const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  lsmi completions bash > ~/.local/share/bash-completion/completions/lsmi
  lsmi completions zsh > ~/.zfunc/_lsmi               with fpath+=~/.zfunc before compinit in ~/.zshrc
  lsmi completions fish > ~/.config/fish/completions/lsmi.fish
  lsmi completions powershell >> $PROFILE";

pub(super) const MAN_EXAMPLES: &str = "\
Examples:
  lsmi man | man -l -
  lsmi man --out ~/.local/share/man/man1              lsmi.1, lsmi-analyze.1, ...";

/// `lsmi completions`.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// Shell to write them for
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

/// `lsmi man`.
#[derive(Debug, Args)]
pub(crate) struct Man {
    /// Directory for a page a command [default: that of lsmi alone, to stdout]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

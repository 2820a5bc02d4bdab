//! `lsmi completions` and `lsmi man`: what shells and manuals know of the command line, made of its definition.

use std::io::Write;
use std::path::Path;

use clap::{Command, CommandFactory};
use clap_mangen::Man as Page;

use crate::arguments::{Arguments, Completions, Man};
use crate::process::console;
use crate::process::failure::Failure;
use crate::process::staging::{Staging, check_directory};

/// `lsmi completions`.
pub(super) fn completions(arguments: &Completions) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "lsmi", &mut script);
    console::print_bytes(&script)
}

/// `lsmi man`.
pub(super) fn man(arguments: &Man) -> Result<(), Failure> {
    let mut command = Arguments::command().disable_help_subcommand(true);
    command.build();
    let Some(directory) = &arguments.out else { return console::print_bytes(&page(&command)?.1) };
    let mut pages = Vec::new();
    add_pages(&command, &mut pages)?;
    let names: Vec<&str> = pages.iter().map(|(name, _)| name.as_str()).collect();
    // A directory of manuals holds those of others, and older ones of this one.
    check_directory(directory, true, &names, &[])?;
    write(directory, &pages)
}

/// The pages of a command and of all below it.
fn add_pages(command: &Command, pages: &mut Vec<(String, Vec<u8>)>) -> Result<(), Failure> {
    pages.push(page(command)?);
    command.get_subcommands().try_for_each(|command| add_pages(command, pages))
}

/// The name of a command's page, such as `lsmi-models-pull.1`, and the page.
fn page(command: &Command) -> Result<(String, Vec<u8>), Failure> {
    let page = Page::new(command.clone());
    let mut content = Vec::new();
    page.render(&mut content).map_err(Failure::failed)?;
    Ok((page.get_filename(), content))
}

fn write(directory: &Path, pages: &[(String, Vec<u8>)]) -> Result<(), Failure> {
    let mut staging = Staging::default();
    for (name, page) in pages {
        staging.write(&directory.join(name), |file| Ok(file.write_all(page)?))?;
    }
    Ok(staging.commit(&[])?)
}

//! The help, word for word. Run `INSTA_UPDATE=always cargo test -p lsmi-cli help` to accept a change.

use crate::place::{Place, stderr, stdout};

#[test]
fn help_of_every_command() {
    for command in [
        "",
        "demo",
        "analyze",
        "fit",
        "score",
        "simulate",
        "discrete",
        "check",
        "compare",
        "diff",
        "embed",
        "join",
        "partition",
        "report",
        "guide",
        "models",
        "completions",
        "man",
    ] {
        let shown = Place::new().lsmi(&format!("{command} --help")).success();
        assert_eq!(stderr(&shown), "");
        let name = if command.is_empty() { "lsmi" } else { command };
        insta::assert_snapshot!(format!("help_{name}"), stdout(&shown));
    }
}

#[test]
fn help_about_models() {
    for command in ["list", "show", "pull", "verify"] {
        let shown = Place::new().lsmi(&format!("models {command} --help")).success();
        insta::assert_snapshot!(format!("help_models_{command}"), stdout(&shown));
    }
}

#[test]
fn help_about_guides() {
    for command in ["distill", "ensemble", "clean", "align"] {
        let shown = Place::new().lsmi(&format!("guide {command} --help")).success();
        insta::assert_snapshot!(format!("help_guide_{command}"), stdout(&shown));
    }
}

#[test]
fn version() {
    let shown = Place::new().lsmi("--version").success();
    assert_eq!(stdout(&shown), format!("lsmi {}\n", env!("CARGO_PKG_VERSION")));
}

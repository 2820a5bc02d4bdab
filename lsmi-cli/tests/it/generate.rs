//! Completions and manual pages.

use crate::place::{Place, stderr, stdout};

#[test]
fn every_shell_has_completions_of_every_command() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let told = Place::new().lsmi(&format!("completions {shell}")).success();
        let script = stdout(&told);
        assert!(
            ["analyze", "--ratings", "diff", "verify"].iter().all(|word| script.contains(word.trim_matches('-'))),
            "{shell}"
        );
        assert_eq!(stderr(&told), "");
    }
    assert!(stderr(&Place::new().lsmi("completions tcsh").code(2)).contains("elvish"));
}

#[test]
fn every_command_has_a_page() {
    let place = Place::new();
    place.lsmi("man --out man1").success();
    let names = place.names("man1");
    for name in ["lsmi.1", "lsmi-analyze.1", "lsmi-diff.1", "lsmi-models.1", "lsmi-models-pull.1", "lsmi-man.1"] {
        assert!(names.iter().any(|other| other == name), "{name}: {names:?}");
    }
    let page = place.text("man1/lsmi-analyze.1");
    assert!(page.starts_with(".ie") && page.contains(".TH lsmi-analyze 1") && page.contains("\\-\\-ratings"), "{page}");
    assert!(page.contains("Examples:"));
    assert_eq!(stdout(&place.lsmi("man").success()), place.text("man1/lsmi.1"));
    // Again: a directory of manuals may hold others.
    place.write("man1/other.1", "");
    place.lsmi("man --out man1").success();
}

//! What the pages for people say of the tree is so.

use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn files_and_folders_that_pages_name_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let docs = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let pages: Vec<PathBuf> = docs.chain(["README.md", "CONTRIBUTING.md"].map(|page| root.join(page))).collect();
    let (mut named, mut gone) = (0, Vec::new());
    for page in pages.iter().filter(|page| page.extension().is_some_and(|extension| extension == "md")) {
        let text = fs::read_to_string(page).unwrap();
        // What stands between backticks, and is a path into a crate without a placeholder.
        let paths =
            text.split('`').skip(1).step_by(2).filter(|path| {
                path.starts_with("lsmi-") && path.contains('/') && !path.contains([' ', '*', '\n', '<'])
            });
        for path in paths.filter(|path| !path.contains("NAME") && !path.contains("KIND")) {
            named += 1;
            if !root.join(path).exists() {
                gone.push(format!("{}: {path}", page.display()));
            }
        }
    }
    assert!(named > 40, "only {named} paths were found: the pages are written otherwise");
    assert!(gone.is_empty(), "{gone:#?}");
}

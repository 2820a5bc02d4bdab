//! The figures of a page, and the names of its sections in addresses and files.

use minijinja::Value as Safe;
use serde::Serialize;

use super::figure::Figure;

/// The figures of a page.
#[derive(Debug, Default)]
pub(crate) struct Gallery(pub(crate) Vec<Figure>);

/// A figure as it stands in a page.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Shown {
    svg: Safe,
    caption: String,
    file: String,
}

impl Gallery {
    /// Takes a figure in.
    pub(crate) fn hang(&mut self, figure: Figure, caption: &str) -> Shown {
        let shown = Shown {
            svg: Safe::from_safe_string(figure.inline()),
            caption: caption.to_owned(),
            file: format!("figures/{}.svg", figure.name),
        };
        self.0.push(figure);
        shown
    }
}

/// Names in addresses and files, all different: letters, digits and hyphens.
pub(crate) fn anchors<'n>(names: impl Iterator<Item = &'n str>) -> Vec<String> {
    let mut anchors: Vec<String> = Vec::new();
    for name in names {
        let mut anchor = anchor(name);
        if anchors.contains(&anchor) {
            anchor = format!("{anchor}-{}", anchors.len() + 1);
        }
        anchors.push(anchor);
    }
    anchors
}

fn anchor(name: &str) -> String {
    let plain = |character: char| if character.is_ascii_alphanumeric() { character.to_ascii_lowercase() } else { '-' };
    let anchor: String = name.chars().take(40).map(plain).collect();
    if anchor.starts_with(|first: char| first.is_ascii_alphabetic()) { anchor } else { format!("split-{anchor}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_are_harmless() {
        assert_eq!(anchor("train"), "train");
        assert_eq!(anchor("../Äb c"), "split-----b-c");
        assert_eq!(anchor(""), "split-");
    }
}

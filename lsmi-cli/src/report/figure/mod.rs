//! Figures as SVG: small drawings that stand inline in a page and, the same, in files of their own.
//!
//! Shapes bear classes, whose colours are in `figure.css`. A page gives that style once, in light and dark; a file has it
//! inside, in plain light colours on white, so that any program shows it.

pub(crate) mod axis;
pub(crate) mod bars;
pub(crate) mod heat_map;
pub(crate) mod histogram;
pub(crate) mod lattice;
pub(crate) mod legend;
pub(crate) mod lines;
pub(crate) mod palette;
pub(crate) mod rows;
pub(crate) mod scatter;

use std::fmt::Write;
use std::path::Path;

use crate::process::console::harmless;

/// The width of most figures: that of a phone, so that text keeps its size there.
pub(crate) const WIDTH: f64 = 340.0;

/// A drawing with what it is called and what it shows.
#[derive(Debug, Clone)]
pub(crate) struct Figure {
    /// The name of its file without the extension, and its id in a page: letters, digits and hyphens.
    pub(crate) name: String,
    /// What it is.
    pub(crate) title: String,
    /// What it shows, for who does not see it.
    pub(crate) description: String,
    /// The shapes.
    pub(crate) drawing: Drawing,
}

impl Figure {
    /// The figure for a page that has the style.
    pub(crate) fn inline(&self) -> String {
        self.svg("", "")
    }

    /// The figure as a file.
    pub(crate) fn file(&self) -> String {
        let style = format!("<style>{}</style>", palette::plain_style());
        let ground = r#"<rect class="ground" width="100%" height="100%"/>"#;
        format!(
            "{}\n",
            self.svg(
                &format!(
                    r#" xmlns="http://www.w3.org/2000/svg" width="{0}" height="{1}""#,
                    self.drawing.width, self.drawing.height
                ),
                &(style + ground)
            )
        )
    }

    fn svg(&self, attributes: &str, start: &str) -> String {
        let Drawing { width, height, shapes } = &self.drawing;
        let (name, title, description) = (&self.name, escaped(&self.title), escaped(&self.description));
        format!(
            r#"<svg{attributes} class="figure" viewBox="0 0 {width} {height}" role="img" aria-labelledby="{name}-title {name}-description"><title id="{name}-title">{title}</title><desc id="{name}-description">{description}</desc>{start}{shapes}</svg>"#
        )
    }
}

/// Whether a file is a figure of this program, by how it begins.
pub(crate) fn is_figure(path: &Path) -> bool {
    let Some(name) = path.file_stem().and_then(|name| name.to_str()) else { return false };
    let start = super::start(path);
    start.starts_with(r#"<svg xmlns="http://www.w3.org/2000/svg" width=""#)
        && start.contains(r#" class="figure" viewBox=""#)
        && start.contains(&format!(r#" aria-labelledby="{name}-title {name}-description">"#))
}

/// Shapes on a ground of some size, in pixels from the upper left corner.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Drawing {
    pub(crate) width: f64,
    pub(crate) height: f64,
    shapes: String,
}

/// Where a text stands relative to its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

impl Drawing {
    pub(crate) fn new(width: f64, height: f64) -> Self {
        Self { width, height, shapes: String::new() }
    }

    /// A straight line.
    pub(crate) fn line(&mut self, class: &str, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
        self.path(class, &format!("M{} {}L{} {}", short(x1), short(y1), short(x2), short(y2)));
    }

    /// A rectangle.
    pub(crate) fn rectangle(&mut self, class: &str, (x, y): (f64, f64), (width, height): (f64, f64)) {
        self.push(format_args!(
            r#"<rect class="{class}" x="{}" y="{}" width="{}" height="{}"/>"#,
            short(x),
            short(y),
            short(width),
            short(height)
        ));
    }

    /// Anything that the language of paths can draw.
    pub(crate) fn path(&mut self, class: &str, path: &str) {
        self.push(format_args!(r#"<path class="{class}" d="{path}"/>"#));
    }

    /// The same with a name that is shown to who points at it.
    pub(crate) fn named_path(&mut self, class: &str, name: &str, path: &str) {
        self.push(format_args!(r#"<path class="{class}" d="{path}"><title>{}</title></path>"#, escaped(name)));
    }

    /// A line of text.
    pub(crate) fn text(&mut self, class: &str, (x, y): (f64, f64), anchor: Anchor, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => r#" text-anchor="middle""#,
            Anchor::End => r#" text-anchor="end""#,
        };
        let class = if class.is_empty() { String::new() } else { format!(r#" class="{class}""#) };
        self.push(format_args!(r#"<text{class} x="{}" y="{}"{anchor}>{}</text>"#, short(x), short(y), escaped(text)));
    }

    /// A line of text that runs upwards, centred.
    pub(crate) fn upward_text(&mut self, (x, y): (f64, f64), text: &str) {
        let (x, y) = (short(x), short(y));
        self.push(format_args!(
            r#"<text x="{x}" y="{y}" text-anchor="middle" transform="rotate(-90 {x} {y})">{}</text>"#,
            escaped(text)
        ));
    }

    /// A shape in SVG's own words.
    pub(crate) fn push(&mut self, shape: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = self.shapes.write_fmt(shape);
    }
}

/// A coordinate in tenths of a pixel, without needless digits.
pub(crate) fn short(value: f64) -> String {
    let text = format!("{value:.1}");
    match text.strip_suffix(".0").unwrap_or(&text) {
        "-0" => "0".to_owned(),
        text => text.to_owned(),
    }
}

/// Text for XML: markup and control characters escaped.
pub(crate) fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in harmless(text).chars() {
        match character {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '"' => shown.push_str("&quot;"),
            '\'' => shown.push_str("&#39;"),
            // Characters that XML forbids.
            '\u{fffe}' | '\u{ffff}' => shown.push('\u{fffd}'),
            character => shown.push(character),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure() -> Figure {
        let mut drawing = Drawing::new(40.0, 20.0);
        drawing.line("axis", (0.0, 19.96), (40.0, 20.04));
        drawing.rectangle("part-r", (1.25, -0.01), (3.0, 4.0));
        drawing.text("", (20.0, 10.0), Anchor::End, "<b>&\u{1b}\"");
        Figure { name: "train-r".into(), title: "r < s".into(), description: "Two & three".into(), drawing }
    }

    #[test]
    fn names_are_escaped_and_numbers_are_short() {
        insta::assert_snapshot!(figure().inline());
    }

    #[test]
    fn a_file_stands_alone() {
        let file = figure().file();
        assert!(file.starts_with(r#"<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20""#), "{file}");
        assert!(file.contains(".part-r,.c0{fill:#") && !file.contains("var("), "{file}");

        let place = tempfile::tempdir().unwrap();
        for (name, content, is_so) in [
            ("train-r.svg", file.as_str(), true),
            ("other.svg", file.as_str(), false),
            ("train-s.svg", "<svg></svg>", false),
        ] {
            std::fs::write(place.path().join(name), content).unwrap();
            assert_eq!(is_figure(&place.path().join(name)), is_so, "{name}");
        }
    }
}

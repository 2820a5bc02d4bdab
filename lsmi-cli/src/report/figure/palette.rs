//! The colours of figures and pages, in light and dark.
//!
//! Colours of data keep a contrast of at least 3 to the ground, those of text at least 4.5, as the Web Content
//! Accessibility Guidelines 2.1 ask for; tests below see to it. The hues follow Okabe and Ito, "Color Universal Design"
//! (2008), darkened for a light ground.

use std::fmt::Write;

/// The rules of figures, which name colours by variables.
pub(crate) const STYLE: &str = include_str!("figure.css");

/// Classes that have a colour of their own.
pub(crate) const COLOURS: usize = 8;

/// Names of the variables, and their values in light and dark.
const VARIABLES: [(&str, &str, &str); 20] = [
    ("ground", "#ffffff", "#12161c"),
    ("raised", "#f3f5f8", "#1d232c"),
    ("text", "#1b1f24", "#e8ebef"),
    ("faint", "#59626d", "#a3adb9"),
    ("rule", "#c9d0d8", "#3a4451"),
    ("link", "#0b57a4", "#7cb8f5"),
    ("good", "#17693a", "#5fc98b"),
    ("warn", "#8a4b00", "#f0a848"),
    ("bad", "#b3261e", "#ff8f85"),
    ("r", "#0072b2", "#56b4e9"),
    ("u1", "#a85300", "#e69f00"),
    ("u2", "#00795b", "#2fc18c"),
    ("s", "#a2378d", "#dd88c8"),
    ("c4", "#5b5bd6", "#9a9aff"),
    ("c5", "#8a6d00", "#f0e442"),
    ("c6", "#c4314b", "#ff7b72"),
    ("c7", "#3f6b7a", "#8fc7d8"),
    ("other", "#7b848e", "#808b97"),
    ("positive", "#0072b2", "#56b4e9"),
    ("negative", "#a85300", "#e69f00"),
];

/// What gives the variables their values in a page: light, dark where that is preferred, and light on paper.
pub(crate) fn variables() -> String {
    let values = |of: fn(&(&'static str, &'static str, &'static str)) -> &'static str| {
        VARIABLES.iter().fold(String::new(), |mut text, variable| {
            // Writing to a string cannot fail.
            let _ = write!(text, "--{}:{};", variable.0, of(variable));
            text
        })
    };
    let (light, dark) = (values(|variable| variable.1), values(|variable| variable.2));
    format!(":root{{{light}}}@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}")
}

/// The rules of figures in the plain colours of light, for a file.
pub(crate) fn plain_style() -> String {
    let plain = VARIABLES
        .iter()
        .fold(STYLE.to_owned(), |style, (name, light, _)| style.replace(&format!("var(--{name})"), light));
    plain.split('\n').map(str::trim).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Red, green and blue from 0 to 1.
    fn colour(name: &str, dark: bool) -> [f64; 3] {
        let (_, light_value, dark_value) = VARIABLES.iter().find(|variable| variable.0 == name).unwrap();
        let value = if dark { dark_value } else { light_value };
        [1, 3, 5].map(|place| f64::from(u8::from_str_radix(&value[place..place + 2], 16).unwrap()) / 255.0)
    }

    /// The contrast of two colours by WCAG 2.1.
    fn contrast(one: [f64; 3], other: [f64; 3]) -> f64 {
        let luminance = |colour: [f64; 3]| {
            let linear =
                colour.map(|level| if level <= 0.03928 { level / 12.92 } else { ((level + 0.055) / 1.055).powf(2.4) });
            0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
        };
        let [one, other] = [one, other].map(luminance);
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    #[test]
    fn text_and_data_stand_out() {
        for dark in [false, true] {
            for ground in ["ground", "raised"] {
                let against = |name: &str| contrast(colour(name, dark), colour(ground, dark));
                for text in ["text", "faint", "link", "good", "warn", "bad", "r", "u1", "u2", "s"] {
                    assert!(against(text) >= 4.5, "{text} on {ground}, dark: {dark}: {}", against(text));
                }
                for data in ["c4", "c5", "c6", "c7", "other", "positive", "negative"] {
                    assert!(against(data) >= 3.0, "{data} on {ground}, dark: {dark}: {}", against(data));
                }
            }
            // Text on the darkest cells of a heat map, see its module.
            for cell in ["positive", "negative"] {
                let (cell, ground) = (colour(cell, dark), colour("ground", dark));
                let opacity = super::super::heat_map::MOST_OPAQUE;
                let mixed = std::array::from_fn(|level| opacity * cell[level] + (1.0 - opacity) * ground[level]);
                assert!(contrast(colour("text", dark), mixed) >= 4.5, "dark: {dark}");
            }
        }
    }

    #[test]
    fn all_variables_have_values() {
        let names: Vec<&str> = STYLE.split("var(--").skip(1).filter_map(|rest| rest.split(')').next()).collect();
        assert!(names.len() > 20);
        assert!(names.iter().all(|name| VARIABLES.iter().any(|variable| variable.0 == *name)), "{names:?}");
    }
}

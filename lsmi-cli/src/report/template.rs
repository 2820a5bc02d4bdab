//! How pages are made of templates: what all of them have in common, and how one is filled.
//!
//! The templates are part of the program, so that nothing can be wrong with them that tests do not see.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value as Safe};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::GENERATOR;
use super::base64::base64;
use super::figure::{escaped, palette};

/// Macros for all templates.
const PARTS: &str = include_str!("parts.html");
const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// What is around the content of a page.
#[derive(Debug, Serialize)]
pub(crate) struct Shell {
    generator: &'static str,
    policy: Safe,
    style: Safe,
    script: Safe,
}

impl Shell {
    pub(crate) fn new() -> Self {
        Self::with_style("")
    }

    /// The same with rules of some pages alone.
    pub(crate) fn with_style(more: &str) -> Self {
        Self {
            generator: GENERATOR,
            policy: Safe::from_safe_string(policy()),
            style: Safe::from_safe_string(format!("{}\n{STYLE}{}{more}", palette::variables(), palette::STYLE)),
            script: Safe::from_safe_string(SCRIPT.to_owned()),
        }
    }
}

/// Nothing is loaded from anywhere, and no script runs but the page's own.
fn policy() -> String {
    let hash = base64(&Sha256::digest(SCRIPT.as_bytes()));
    format!("default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-{hash}'")
}

/// Fills a template. What the content does not say to be safe is escaped as in figures.
///
/// # Errors
/// None but those of a template that does not fit its content, which tests rule out.
pub(crate) fn filled(template: &str, content: &impl Serialize) -> Result<String, minijinja::Error> {
    let source = format!("{PARTS}{template}");
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    environment.set_formatter(|output, _, value| {
        if value.is_safe() {
            return output.write_str(value.as_str().unwrap_or_default()).map_err(Into::into);
        }
        output.write_str(&escaped(&value.to_string())).map_err(Into::into)
    });
    environment.add_template("page.html", &source)?;
    environment.get_template("page.html")?.render(Serde(content))
}

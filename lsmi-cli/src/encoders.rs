//! Whether features were made by what made those that an estimator was fitted on, as far as their files say.

use serde_json::{Map, Value};

/// What an encoder is called says little: one model has several names, and a directory may hold any.
const NAMES: [&str; 3] = ["model", "repository", "revision"];

/// A sentence for each modality whose features in `file` were made in another way than those of the fit.
pub(crate) fn differences(file: &str, fitted: &[Option<String>; 2], found: &[Option<String>; 2]) -> Vec<String> {
    let of_modality = |(modality, (fitted, found)): (&str, (&Option<String>, &Option<String>))| {
        let (fitted, found) = (fitted.as_deref()?, found.as_deref()?);
        let what = difference(fitted, found)?;
        Some(format!(
            "{file}: {modality} was made by {}, but the estimator was fitted on {modality} made by {} (they differ in {what}): \
             its values mean nothing unless both give the same vectors; embed these rows as those of the fit were",
            name(found),
            name(fitted)
        ))
    };
    ["x1", "x2"].into_iter().zip(fitted.iter().zip(found)).filter_map(of_modality).collect()
}

/// What two encoders differ in; None where they are one.
fn difference(fitted: &str, found: &str) -> Option<String> {
    let (Some(one), Some(other)) = (object(fitted), object(found)) else {
        return (fitted != found).then(|| "their names".to_owned());
    };
    let fields: Vec<&str> = one
        .keys()
        .chain(other.keys().filter(|field| !one.contains_key(*field)))
        .map(String::as_str)
        .filter(|field| !NAMES.contains(field) && one.get(*field) != other.get(*field))
        .collect();
    (!fields.is_empty()).then(|| fields.join(", "))
}

fn object(text: &str) -> Option<Map<String, Value>> {
    serde_json::from_str(text).ok()
}

/// An encoder by its name and the start of the hash of its weights.
fn name(text: &str) -> String {
    let object = object(text).unwrap_or_default();
    let field = |name: &str| object.get(name).and_then(Value::as_str);
    match (field("model"), field("weights")) {
        (Some(model), Some(weights)) => {
            format!("`{model}` (weights {})", weights.chars().take(12).collect::<String>())
        }
        (Some(model), None) => format!("`{model}`"),
        _ => format!("`{}`", crate::process::text::shortened(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(fitted: Option<&str>, found: Option<&str>) -> Vec<String> {
        differences("new.safetensors", &[None, fitted.map(str::to_owned)], &[None, found.map(str::to_owned)])
    }

    #[test]
    fn encoders_are_told_apart_by_what_they_do() {
        let one = r#"{"model":"a","weights":"0123456789abcdef","pooling":"mean"}"#;
        let renamed = r#"{"model":"b","weights":"0123456789abcdef","pooling":"mean"}"#;
        let other = r#"{"model":"a","weights":"fedcba9876543210","pooling":"cls"}"#;
        assert!(of(Some(one), Some(renamed)).is_empty() && of(Some(one), None).is_empty() && of(None, None).is_empty());
        let told = of(Some(one), Some(other)).concat();
        for expected in [
            "new.safetensors: x2 was made by `a` (weights fedcba987654)",
            "fitted on x2 made by `a` (weights 0123456789ab)",
            "differ in pooling, weights",
        ] {
            assert!(told.contains(expected), "{told}");
        }
        assert!(
            of(Some("clip"), Some("siglip"))[0].contains("made by `siglip`") && of(Some("x"), Some("x")).is_empty()
        );
    }
}

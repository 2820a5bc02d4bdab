//! Whether the values of two analyses can be compared: what their summaries say of gauge, measure and class prior.

use serde_json::Value;

use super::side::Side;

/// Class priors that differ by less, in nats, are the same.
const SAME: f64 = 1e-6;

/// What stands against a comparison, in sentences.
pub(super) fn warnings(first: &Side, second: &Side) -> Vec<String> {
    let (Some(a), Some(b)) = (&first.summary, &second.summary) else {
        let lacks: Vec<&str> =
            [first, second].into_iter().filter(|side| side.summary.is_none()).map(|side| side.file.as_str()).collect();
        return vec![format!(
            "there is no summary.json beside {}: whether gauge, measure and class prior are the same is not known",
            lacks.join(" and ")
        )];
    };
    let mut warnings = Vec::new();
    let differ = |name: &str| (a[name] != b[name]).then(|| format!("{} and {}", word(&a[name]), word(&b[name])));
    // The other measures need no surprisals, which alone depend on the gauge.
    let hangs_on_gauge = [a, b].iter().any(|summary| matches!(summary["measure"].as_str(), Some("pm" | "sx")));
    if !hangs_on_gauge {
        // Whatever the gauges are.
    } else if let Some(gauges) = differ("gauge") {
        warnings.push(format!(
            "the gauges differ ({gauges}): raw r, u1, u2 and s cannot be compared; i1, i2, i12 and s - r can"
        ));
    } else if a["dims"]["gauge"] != b["dims"]["gauge"] {
        warnings.push(
            "the gauges have different dimensions: raw r, u1, u2 and s cannot be compared; i1, i2, i12 and s - r can"
                .to_owned(),
        );
    } else if a["data_hash"] != b["data_hash"] && a["gauge"] != "raw" {
        warnings.push(format!(
            "each {} gauge is fitted to its own rows, so that some of what r differs by may be of coordinates; i1, i2, \
             i12 and s - r do not depend on them",
            word(&a["gauge"])
        ));
    }
    if let Some(measures) = differ("measure") {
        warnings.push(format!("the measures differ ({measures}): r, u1, u2 and s are not of one definition"));
    }
    warnings.extend(prior(a, b));
    warnings
}

fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// How far the class priors are apart.
fn prior(a: &Value, b: &Value) -> Option<String> {
    if a["classes"] != b["classes"] {
        return Some(
            "the classes differ, and with them what there is to tell: i1, i2 and i12 are of other labels".to_owned(),
        );
    }
    let probabilities = |summary: &Value| -> Option<Vec<f64>> {
        summary["class_prior"].as_array()?.iter().map(Value::as_f64).collect()
    };
    let (Some(first), Some(second)) = (probabilities(a), probabilities(b)) else {
        return (a["prior"] != b["prior"])
            .then(|| "the class priors differ: i1, i2 and i12 cannot be compared".to_owned());
    };
    let furthest = first.iter().zip(&second).map(|(first, second)| (first / second).ln().abs()).fold(0.0, f64::max);
    (furthest > SAME).then(|| {
        format!(
            "the class priors differ ({} and {}): i1, i2 and i12 of a class move by up to {furthest:.3} nats for that alone",
            word(&a["prior"]),
            word(&b["prior"])
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(changes: &[(&str, Value)]) -> Vec<String> {
        let summary = json!({
            "gauge": "raw", "measure": "pm", "prior": "empirical", "class_prior": [0.5, 0.5], "classes": ["a", "b"],
            "dims": {"gauge": {"x1": 2, "x2": 2}}, "data_hash": "1",
        });
        let mut other = summary.clone();
        for (name, value) in changes {
            other[*name] = value.clone();
        }
        let side = |summary| Side { summary: Some(summary), ..Side::default() };
        warnings(&side(summary), &side(other))
    }

    #[test]
    fn what_differs_is_said() {
        assert!(of(&[]).is_empty() && of(&[("data_hash", json!("2"))]).is_empty());
        for (change, expected) in [
            (("gauge", json!("whitened")), "the gauges differ (raw and whitened)"),
            (("dims", json!({"gauge": {"x1": 3, "x2": 3}})), "different dimensions"),
            (("measure", json!("ccs")), "the measures differ (pm and ccs)"),
            (("class_prior", json!([0.25, 0.75])), "by up to 0.693 nats"),
            (("classes", json!(["a", "c"])), "the classes differ"),
        ] {
            let found = of(&[change]);
            assert!(found.len() == 1 && found[0].contains(expected), "{found:?}");
        }
        let none = Side { file: "a.csv".into(), ..Side::default() };
        assert!(warnings(&none, &none)[0].contains("beside a.csv and a.csv"));
    }

    #[test]
    fn fitted_gauges_are_of_their_own_rows() {
        let side = |hash: &str| Side {
            summary: Some(json!({"gauge": "whitened", "measure": "pm", "data_hash": hash})),
            ..Side::default()
        };
        assert!(warnings(&side("1"), &side("2"))[0].contains("fitted to its own rows"));
        assert!(warnings(&side("1"), &side("1")).is_empty());
    }
}

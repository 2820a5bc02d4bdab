//! Whether sequences are pooled as those were that an estimator was fitted on.

use super::AnalysisError;
use crate::features::Pooling;

/// Compares the pooling of the features of a fit with that of those in `file`, `None` where there were no sequences. Returns a
/// sentence where one of both pooled, for then it cannot be told what made the vectors of the other.
///
/// # Errors
/// [`AnalysisError::Pooling`] if both pooled, but not alike.
pub fn pooling_difference(
    file: &str,
    fitted: Option<Pooling>,
    found: Option<Pooling>,
) -> Result<Option<String>, AnalysisError> {
    match (fitted, found) {
        (Some(fitted), Some(found)) if fitted != found => {
            Err(AnalysisError::Pooling { file: file.to_owned(), fitted, found })
        }
        (Some(fitted), None) => Ok(Some(format!(
            "{file}: holds no sequences, but the estimator was fitted on sequences pooled by `{fitted}`: its values mean \
             nothing unless these vectors were made alike"
        ))),
        (None, Some(found)) => Ok(Some(format!(
            "{file}: its sequences were pooled by `{found}`, but the estimator was fitted on vectors: its values mean nothing \
             unless those were made alike"
        ))),
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_pooling_is_refused_and_none_is_said() {
        let (mean, max) = (Some(Pooling::Mean), Some(Pooling::Max));
        let error = pooling_difference("new.npz", mean, max).unwrap_err().to_string();
        for expected in ["new.npz", "pooled by `max`", "fitted on sequences pooled by `mean`"] {
            assert!(error.contains(expected), "{error}");
        }
        for (fitted, found, expected) in [(mean, None, "holds no sequences"), (None, max, "fitted on vectors")] {
            let told = pooling_difference("new.npz", fitted, found).unwrap().unwrap();
            assert!(told.starts_with("new.npz: ") && told.contains(expected), "{told}");
        }
        assert_eq!(pooling_difference("new.npz", mean, mean).unwrap(), None);
        assert_eq!(pooling_difference("new.npz", None, None).unwrap(), None);
    }
}

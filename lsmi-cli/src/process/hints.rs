//! Options that help against an error. Errors of the libraries speak of settings; only the command knows its options.

use lsmi_candle::EstimatorError;
use lsmi_candle::analysis::{AnalysisError, AnalysisKind};
use lsmi_candle::device::DeviceError;
use lsmi_candle::features::{FeatureError, SequenceError};
use lsmi_candle::samples::read::SamplesError;

/// Names the options that help against an error of a feature file.
pub(super) fn for_features(error: &FeatureError) -> Option<String> {
    Some(match error {
        FeatureError::SingleArray { .. } => {
            "name one file for each array, as in --x1 X1.npy --x2 X2.npy --y Y.npy".to_owned()
        }
        FeatureError::MissingArray { can_be_named: true, .. } => "name the arrays with --keys X1,X2,LABEL".to_owned(),
        FeatureError::Shape { expected, .. } if expected.contains("several labels a row") => {
            "`lsmi analyze --target labels` decomposes them all, one by one".to_owned()
        }
        FeatureError::RareWithLogits { .. } => "keep the classes as they are with --rare prototypes".to_owned(),
        FeatureError::TooLarge { .. } => {
            "`lsmi score` and `lsmi fit --rows-in-memory` read some rows at a time".to_owned()
        }
        FeatureError::ElementType { expected, .. } if expected.contains("bins for a continuous target") => {
            "analyze numbers as they are with `lsmi analyze --target continuous`".to_owned()
        }
        FeatureError::MissingLabel { found, .. } => {
            let keep = if found.is_empty() {
                String::new()
            } else {
                format!("; if a class is really called `{found}`, take it with --missing keep")
            };
            format!("leave such rows out with --missing drop{keep}")
        }
        // Libraries name the setting that pools sequences.
        FeatureError::Shape { .. } if error.hint().is_some() => {
            "`--pool mean` (or last, max, attention) pools the steps of sequences; `analyze --lags` keeps them"
                .to_owned()
        }
        FeatureError::Sequence(SequenceError::MissingLabel { .. }) => {
            "leave such steps out with --missing drop".to_owned()
        }
        FeatureError::Sequence(SequenceError::TooShort { .. }) => "give smaller lags with --lags".to_owned(),
        _ => return None,
    })
}

/// Names the options that help against an error of a file of samples.
pub(super) fn for_samples(error: &SamplesError) -> Option<String> {
    match error {
        SamplesError::MissingColumn { column, .. } => {
            let (_, measure) = column.rsplit_once('_')?;
            Some(format!("`analyze` and `score` write it with --measures {measure}"))
        }
        SamplesError::ChooseSplit { .. } => Some("name the split with --split".to_owned()),
        _ => None,
    }
}

/// Says how to get samples of two modalities about one label out of an analysis of something else.
pub(super) fn for_kind(kind: AnalysisKind) -> Option<String> {
    let hint = match kind {
        AnalysisKind::Several => "analyze two of the modalities, named with --modalities",
        AnalysisKind::Labels => {
            "put the rows of one label, by the column `target`, into a file in a directory of its own"
        }
        AnalysisKind::Lags => "give what is in the directory of one lag, such as lag-0",
        AnalysisKind::Continuous | AnalysisKind::Classes => return None,
    };
    Some(hint.to_owned())
}

/// Names the options that help against an error of an estimator.
pub(super) fn for_estimator(error: &EstimatorError) -> Option<String> {
    let option = match error {
        EstimatorError::Features(error) => return for_features(error),
        EstimatorError::Device(error) => return for_device(error),
        EstimatorError::RareClass { .. } => {
            "set the number of folds with --folds; `analyze` and `fit` make one class of all rare ones with --rare pool"
        }
        EstimatorError::FewRowsForDensity { .. } | EstimatorError::NothingHeldOut { .. } => {
            "set the number of folds with --folds"
        }
        EstimatorError::Threads { .. } => "set the number of threads with --threads",
        _ => return None,
    };
    Some(option.to_owned())
}

/// Names the options that help against an error of an analysis that is about neither features nor rows.
pub(super) fn for_analysis(error: &AnalysisError) -> Option<String> {
    matches!(error, AnalysisError::RareLabel { .. })
        .then(|| "put all rare labels together with --rare pool, or set the number of folds with --folds".to_owned())
}

/// Names the option that helps against a device that cannot be opened.
pub(super) fn for_device(error: &DeviceError) -> Option<String> {
    matches!(error, DeviceError::Unavailable { .. }).then(|| "use the processor with --device cpu".to_owned())
}

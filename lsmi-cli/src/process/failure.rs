//! How the program ends when it does not succeed: the exit status and what is printed.
//!
//! Every message names what is wrong and how to mend it; causes follow on their own lines.

use std::error::Error;
use std::io::{self, Write};
use std::path::Path;

use lsmi_candle::analysis::diff::SideError;
use lsmi_candle::analysis::ratings::RatingsError;
use lsmi_candle::analysis::{AnalysisError, AnalysisKind};
use lsmi_candle::densities::gauge::GaugeError;
use lsmi_candle::device::DeviceError;
use lsmi_candle::embedding::embedder::EmbedError;
use lsmi_candle::embedding::hub::{HubError, HubItem, MismatchCause};
use lsmi_candle::embedding::manifests::{ModelError, Remedy};
use lsmi_candle::embedding::pipeline::table::TableError;
use lsmi_candle::embedding::pipeline::{JoinError as FeatureJoinError, PipelineError};
use lsmi_candle::features::FeatureError;
use lsmi_candle::jobs::JobError;
use lsmi_candle::samples::FormatError;
use lsmi_candle::samples::join::JoinError as SampleJoinError;
use lsmi_candle::samples::read::SamplesError;
use lsmi_candle::{BundleError, EstimatorError};
use lsmi_guide::experiments::ensemble::EnsembleError;
use lsmi_guide::{CheckpointError, GuideError, PartitionError};

use crate::arguments::configuration::ConfigurationError;
use crate::process::hints;
use crate::process::text::harmless;

/// Why the program did not do what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// Something went wrong on the way, such as a full disk.
    Failed = 1,
    /// The command line, the configuration file or the place for the output is wrong.
    Usage = 2,
    /// The data cannot be used.
    Data = 3,
}

/// An error and the exit status it leads to.
#[derive(Debug)]
pub(crate) struct Failure {
    status: Status,
    /// The file that the data came from, where the error does not name it itself.
    file: Option<String>,
    /// What to do with the command's options, which the error does not know.
    hint: Option<String>,
    error: Box<dyn Error + Send + Sync>,
}

impl Failure {
    pub(crate) fn new(status: Status, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { status, file: None, hint: None, error: error.into() }
    }

    /// Adds what to do with the command's options; it is printed on a line of its own.
    pub(crate) fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// Names options that help, if some do.
    fn hinting(self, hint: Option<String>) -> Self {
        Self { hint, ..self }
    }

    /// Exit status 3, for samples of another kind of analysis than is split here.
    pub(crate) fn of_kind(samples: &Path, kind: AnalysisKind) -> Self {
        let file = samples.display();
        let error = format!(
            "{file}: is of an analysis of {kind}, and samples of two modalities about one label or target are split by their r, u1, u2 \
             or s"
        );
        Self::data(error).hinting(hints::for_kind(kind))
    }

    /// Names the file whose data are to blame, if it is the data.
    pub(crate) fn about(mut self, file: &Path) -> Self {
        if self.status == Status::Data {
            self.file.get_or_insert_with(|| file.display().to_string());
        }
        self
    }

    /// Names the label to blame, of several.
    fn about_label(mut self, label: &str) -> Self {
        let file = self.file.take().map(|file| format!("{file}: ")).unwrap_or_default();
        self.file = Some(format!("{file}label `{label}`"));
        self
    }

    /// Exit status 1.
    pub(crate) fn failed(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(Status::Failed, error)
    }

    /// Exit status 2.
    pub(crate) fn usage(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(Status::Usage, error)
    }

    /// Exit status 3.
    pub(crate) fn data(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(Status::Data, error)
    }

    /// Prints the error and its causes to stderr and returns the exit status.
    pub(crate) fn report(&self) -> u8 {
        // Nothing can be done about a closed stderr; the exit status still tells.
        let _ = io::stderr().lock().write_all(harmless(&self.message()).as_bytes());
        self.status as u8
    }

    /// What is printed.
    pub(crate) fn message(&self) -> String {
        let mut last = self.error.to_string();
        let file = self.file.as_ref().map(|file| format!("{file}: ")).unwrap_or_default();
        let mut message = format!("error: {file}{last}\n");
        let mut cause = self.error.source();
        while let Some(error) = cause {
            let text = error.to_string();
            // A transparent wrapper repeats its source.
            if text != last {
                message.push_str("  caused by: ");
                message.push_str(&text);
                message.push('\n');
            }
            last = text;
            cause = error.source();
        }
        if let Some(hint) = &self.hint {
            message.push_str("  hint: ");
            message.push_str(hint);
            message.push('\n');
        }
        if self.status == Status::Usage {
            message.push_str("\nFor more information, try `lsmi --help`.\n");
        }
        message
    }
}

impl From<FeatureError> for Failure {
    fn from(error: FeatureError) -> Self {
        let hint = hints::for_features(&error);
        Self::data(error).hinting(hint)
    }
}

impl From<SamplesError> for Failure {
    fn from(error: SamplesError) -> Self {
        let hint = hints::for_samples(&error);
        Self::data(error).hinting(hint)
    }
}

impl From<RatingsError> for Failure {
    fn from(error: RatingsError) -> Self {
        match error {
            RatingsError::Table(error) => error.into(),
            _ => Self::data(error),
        }
    }
}

impl From<SideError> for Failure {
    fn from(error: SideError) -> Self {
        match error {
            SideError::Samples(error) => error.into(),
            SideError::Kind { kind, .. } => Self::data(error).hinting(hints::for_kind(kind)),
            _ => Self::data(error),
        }
    }
}

impl From<AnalysisError> for Failure {
    fn from(error: AnalysisError) -> Self {
        match error {
            AnalysisError::Features(error) => (*error).into(),
            AnalysisError::Rows { file, source } => Self::from(*source).about(Path::new(&file)),
            AnalysisError::Estimator(error) => (*error).into(),
            AnalysisError::Ratings(error) => error.into(),
            AnalysisError::Core(error) => error.into(),
            AnalysisError::SplitTaken { .. } => Self::usage(error),
            AnalysisError::Label { label, source } => Self::from(*source).about_label(&label),
            _ => {
                let hint = hints::for_analysis(&error);
                Self::data(error).hinting(hint)
            }
        }
    }
}

impl From<lsmi_core::Error> for Failure {
    fn from(error: lsmi_core::Error) -> Self {
        Self::failed(error)
    }
}

impl From<lsmi_core::discrete::Error> for Failure {
    fn from(error: lsmi_core::discrete::Error) -> Self {
        Self::data(error)
    }
}

impl From<FormatError> for Failure {
    fn from(error: FormatError) -> Self {
        Self::usage(error)
    }
}

impl From<ConfigurationError> for Failure {
    fn from(error: ConfigurationError) -> Self {
        Self::usage(error)
    }
}

impl From<TableError> for Failure {
    fn from(error: TableError) -> Self {
        let hint = match &error {
            TableError::Column { .. } => Some("say which to use with --columns".to_owned()),
            TableError::Missing { found, .. } => {
                let or_a_name = match found.trim() {
                    "" => String::new(),
                    found => format!("; if it is really called `{found}`, take it with --missing keep"),
                };
                Some(format!("fill it in, or leave such rows out with --missing drop{or_a_name}"))
            }
            _ => None,
        };
        Self { hint, ..Self::data(error) }
    }
}

impl From<PipelineError> for Failure {
    fn from(error: PipelineError) -> Self {
        match error {
            PipelineError::Table(error) => error.into(),
            PipelineError::Embed(error) => error.into(),
            PipelineError::Job(error) => error.into(),
            PipelineError::Row { .. } => Self::data(error).with_hint(
                "mend it, or leave such rows out with --on-error skip, or missing ones alone with --missing drop",
            ),
            PipelineError::Describe(_) | PipelineError::Cancelled | PipelineError::OtherColumns { .. } => {
                Self::failed(error)
            }
            _ => Self::data(error),
        }
    }
}

impl From<FeatureJoinError> for Failure {
    fn from(error: FeatureJoinError) -> Self {
        match error {
            FeatureJoinError::NoFiles => Self::usage(error),
            FeatureJoinError::Output(_) => Self::failed(error),
            FeatureJoinError::NoPart { .. } => Self::data(error).with_hint("lsmi embed --shard I/N writes parts"),
            _ => Self::data(error),
        }
    }
}

impl From<SampleJoinError> for Failure {
    fn from(error: SampleJoinError) -> Self {
        match error {
            SampleJoinError::NoFiles | SampleJoinError::Twice { .. } => Self::usage(error),
            SampleJoinError::Output(_) => Self::failed(error),
            _ => Self::data(error),
        }
    }
}

impl From<EmbedError> for Failure {
    fn from(error: EmbedError) -> Self {
        match error {
            EmbedError::Device(DeviceError::Unknown { .. }) => Self::usage(error),
            EmbedError::Device(ref device) => {
                let hint = hints::for_device(device);
                Self::failed(error).hinting(hint)
            }
            EmbedError::Model(error) => error.into(),
            _ => Self::data(error),
        }
    }
}

impl From<JobError> for Failure {
    fn from(error: JobError) -> Self {
        let hint = match &error {
            JobError::OtherJob { .. } => {
                "give that job's data and options to finish it, start anew with --force, or name another place with --out"
            }
            JobError::Foreign { .. } => "remove it, or name another place with --out",
            JobError::Manifest { .. } | JobError::Schema { .. } | JobError::Part { .. } => "start anew with --force",
            JobError::Busy { .. } => "let it finish, or name another place with --out",
            _ => return Self::failed(error),
        };
        Self::usage(error).with_hint(hint)
    }
}

impl From<HubError> for Failure {
    fn from(error: HubError) -> Self {
        let status = hub_status(&error);
        Self { hint: hub_hint(&error).map(str::to_owned), ..Self::new(status, error) }
    }
}

fn hub_status(error: &HubError) -> Status {
    match error {
        // What the user named, unlike a file that a manifest or an index names.
        HubError::Setting { .. }
        | HubError::Name { .. }
        | HubError::NotFound {
            item: HubItem::Repository | HubItem::Revision | HubItem::RepositoryOrRevision, ..
        } => Status::Usage,
        HubError::Mismatch { .. } | HubError::Lock { .. } => Status::Data,
        _ => Status::Failed,
    }
}

/// Returns what to do with options of `lsmi models`.
pub(crate) fn hub_hint(error: &HubError) -> Option<&'static str> {
    match error {
        HubError::NotCached { .. } => Some("get it without --offline, or with lsmi models pull"),
        HubError::Mismatch { cause: MismatchCause::HubAndLock | MismatchCause::Changed, .. } => {
            Some("lsmi models pull --again does that")
        }
        _ => None,
    }
}

impl From<ModelError> for Failure {
    fn from(error: ModelError) -> Self {
        match error {
            ModelError::Hub(error) => error.into(),
            ModelError::NoDirectory { error: ref of_hub, .. } => Self::new(hub_status(of_hub), error),
            ModelError::Unknown { .. } => Self::usage(error),
            ModelError::Modality { .. } => Self::usage(error).with_hint("lsmi models list shows them"),
            ModelError::Remediable { error, remedy } => Self::from(*error).with_hint(match remedy {
                Remedy::AskHub => "get it (once without --offline)",
                Remedy::AskHubOrChoosePooling => "get it (once without --offline), or choose a pooling with --pooling",
                _ => "choose a pooling of your own with --pooling, or another model",
            }),
            _ => Self::data(error),
        }
    }
}

impl From<PartitionError> for Failure {
    fn from(error: PartitionError) -> Self {
        match error {
            PartitionError::Fraction { .. } | PartitionError::Thresholds { .. } => Self::usage(error),
            _ => Self::data(error),
        }
    }
}

impl From<GuideError> for Failure {
    fn from(error: GuideError) -> Self {
        match error {
            GuideError::Estimator(error) => (*error).into(),
            GuideError::Setting { .. }
            | GuideError::UnknownName { .. }
            | GuideError::Checkpoint(CheckpointError::OtherRun { .. }) => Self::usage(error),
            GuideError::Encoder(error) => match error.downcast::<EmbedError>() {
                Ok(error) => Self::from(*error),
                Err(error) => Self::failed(error),
            },
            GuideError::Data { .. }
            | GuideError::SmallPart { .. }
            | GuideError::Classes { .. }
            | GuideError::Core(_) => Self::data(error),
            _ => Self::failed(error),
        }
    }
}

impl From<EnsembleError> for Failure {
    fn from(error: EnsembleError) -> Self {
        match error {
            EnsembleError::Estimator(error) => error.into(),
            EnsembleError::Share { .. }
            | EnsembleError::DuplicateMember { .. }
            | EnsembleError::Checkpoint(CheckpointError::OtherRun { .. }) => Self::usage(error),
            EnsembleError::Checkpoint(_) => Self::failed(error),
            _ => Self::data(error),
        }
    }
}

impl From<EstimatorError> for Failure {
    fn from(error: EstimatorError) -> Self {
        use EstimatorError as E;
        let status = match &error {
            E::Setting { .. }
            | E::Device(DeviceError::Unknown { .. })
            | E::Gauge(
                GaugeError::UnknownGauge { .. } | GaugeError::UnknownDims { .. } | GaugeError::TooManyDimensions { .. },
            ) => Status::Usage,
            E::Bundle(BundleError::Write { .. } | BundleError::WriteDescription { .. }) => Status::Failed,
            E::OneClass { .. }
            | E::RareClass { .. }
            | E::RareCompleteClass { .. }
            | E::LogitsOfPartial { .. }
            | E::FewRows { .. }
            | E::FewGroups { .. }
            | E::FewRowsForDensity { .. }
            | E::NothingHeldOut { .. }
            | E::Dimensions { .. }
            | E::MissingLogits { .. }
            | E::NotFinite { .. }
            | E::Core(_)
            | E::Samples { .. }
            | E::Features(_)
            | E::Gauge(_)
            | E::Bundle(_) => Status::Data,
            _ => Status::Failed,
        };
        let hint = hints::for_estimator(&error);
        Self::new(status, error).hinting(hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use thiserror::Error;

    #[derive(Debug, Error)]
    #[error("the samples could not be written")]
    struct Outer(#[source] Inner);

    #[derive(Debug, Error)]
    #[error("the disk is full")]
    struct Inner;

    #[test]
    fn causes_follow_the_error() {
        let message = Failure::failed(Outer(Inner)).message();
        assert_eq!(message, "error: the samples could not be written\n  caused by: the disk is full\n");
    }

    #[test]
    fn data_errors_name_their_file() {
        let rare = || EstimatorError::RareClass { class: "owl".to_owned(), rows: 2, folds: 5 };
        let message = Failure::from(rare()).about(Path::new("birds.npz")).message();
        assert!(message.starts_with("error: birds.npz: class `owl` has fewer rows (2)"), "{message}");
        let message = Failure::failed(rare()).about(Path::new("birds.npz")).message();
        assert!(message.starts_with("error: class"), "{message}");
    }

    /// What is asked for tells it from a name, not the words of a message.
    #[test]
    fn a_missing_file_is_no_wrong_usage_whatever_it_is_called() {
        let missing = |item| {
            let (repository, url) = ("org/model".to_owned(), "https://hub".to_owned());
            Failure::from(HubError::NotFound { repository, item, url }).status
        };
        assert_eq!(missing(HubItem::File("such.safetensors".to_owned())), Status::Failed);
        assert_eq!(missing(HubItem::RepositoryOrRevision), Status::Usage);
    }

    #[test]
    fn hints_stand_behind_the_error() {
        let message = Failure::from(JobError::Busy { directory: "a.partial".to_owned() }).message();
        assert!(message.starts_with("error: a.partial: another process is working on it"), "{message}");
        assert!(message.contains("let it finish, or name another place with --out\n"), "{message}");
    }

    #[test]
    fn options_are_named_apart_from_the_error() {
        let (file, array) = ("f.csv".to_owned(), "y".to_owned());
        let missing = FeatureError::MissingLabel { file, array, row: 3, found: "NA".to_owned(), others: 0 };
        let message = Failure::from(EstimatorError::from(missing)).message();
        assert_eq!(
            message,
            "error: f.csv: `y` is missing at row 3 (`NA`); fill it in, or leave such rows out\n  \
             hint: leave such rows out with --missing drop; if a class is really called `NA`, take it with --missing keep\n"
        );
    }

    #[test]
    fn usage_points_to_the_help() {
        assert!(Failure::usage("no such option").message().ends_with("try `lsmi --help`.\n"));
    }
}

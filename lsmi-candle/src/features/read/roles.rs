//! The roles that arrays may serve in, with the advice for arrays that cannot.

/// What becomes of sequences whose use is not said.
pub(in crate::features) const SEQUENCES_NEED_POOLING: &str = "features need [rows, columns]; of a sequence [rows, steps, columns], take the mean over its steps, x.mean(axis=1), or flatten each row, x.reshape(len(x), -1)";

/// What an array of lengths holds.
pub(super) const LENGTHS_NEED_INTEGERS: &str =
    "lengths must be integers, the steps of each sequence; lengths.astype('int64')";

/// The shape of an array of lengths.
pub(super) const LENGTHS_NEED_ROWS: &str = "lengths need [rows], one number a sequence; use lengths.reshape(-1)";

/// What lags are taken of.
pub(super) const LAGS_NEED_SEQUENCES: &str = "lags need sequences, [rows, steps, columns]";

/// The shape of labels where lags are taken.
pub(super) const LABELS_OF_STEPS: &str = "labels need [rows, steps], one a step, or [rows], one a sequence";

/// The role of a matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MatrixRole {
    Modality,
    /// Continuous targets: one a row, or a column for each.
    Target,
    Logits,
}

impl MatrixRole {
    /// Returns whether integers may serve. In place of logits they are predicted classes or one-hot rows, which say
    /// nothing of how sure the model is.
    pub(super) fn takes_integers(self) -> bool {
        self != Self::Logits
    }

    pub(super) fn element_type(self) -> &'static str {
        match self {
            Self::Modality => "features must be numbers; convert them, e.g. x.astype('float32')",
            Self::Target => "continuous targets must be numbers; convert them, e.g. y.astype('float32')",
            Self::Logits => {
                "logits must be floating-point numbers: what goes into the softmax, or log-probabilities; not the predicted class"
            }
        }
    }

    pub(super) fn shape(self, dimensions: usize) -> &'static str {
        match (self, dimensions) {
            (Self::Target, _) => "continuous targets need [rows], or [rows, targets] if there are several",
            (Self::Modality, 0 | 1) => {
                "features need [rows, columns]; for one feature, x.reshape(-1, 1), in a table a column whose name ends in _0"
            }
            (Self::Modality, 3) => SEQUENCES_NEED_POOLING,
            (Self::Modality, _) => "features need [rows, columns]; flatten each row, x.reshape(len(x), -1)",
            (Self::Logits, 0 | 1) => {
                "logits need [rows, classes]; for the one logit z, of the second of two classes, np.stack([0 * z, z], axis=1)"
            }
            (Self::Logits, _) => "logits need [rows, classes]; make it one row a sample, one column a class",
        }
    }

    pub(super) fn not_finite(self, value: f64) -> &'static str {
        match self {
            Self::Modality | Self::Target => "remove such rows or fill in the value before the analysis",
            Self::Logits if value == f64::NEG_INFINITY => {
                "no class may be ruled out, for its loss would be infinite; clip, e.g. np.maximum(z, z.max(axis=1, keepdims=True) - 30)"
            }
            Self::Logits => "compute the logits in 32 bits, or remove such rows",
        }
    }
}

/// The role of an array with one integer or string a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IdentifierRole {
    Label,
    Id,
    Group,
    /// Whether a row has a modality.
    Presence,
}

impl IdentifierRole {
    pub(super) fn element_type(self) -> &'static str {
        match self {
            Self::Label => {
                "labels must be integers or strings: y.astype(str) for text, y.astype('int64') for class numbers, y.argmax(axis=1) for one-hot rows, bins for a continuous target"
            }
            Self::Id => "ids must be integers or strings: id.astype(str) for text, id.astype('int64') for numbers",
            Self::Group => {
                "groups must be integers or strings: group.astype(str) for text, group.astype('int64') for numbers"
            }
            Self::Presence => "presence must be booleans or integers, 1 or 0: present1.astype('bool')",
        }
    }

    pub(super) fn shape(self) -> &'static str {
        match self {
            Self::Label => "labels need [rows]; use y.reshape(-1), or y.argmax(axis=1) if they are one-hot",
            Self::Id => "ids need [rows]; use id.reshape(-1)",
            Self::Group => "groups need [rows]; use group.reshape(-1)",
            Self::Presence => "presence needs [rows], one a row; use present1.reshape(-1)",
        }
    }
}

//! Element types, and single elements as numbers.

/// The numeric element types that features or labels may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Element {
    Bool,
    U8,
    U16,
    U32,
    U64,
    I8,
    I16,
    I32,
    I64,
    F16,
    Bf16,
    F32,
    F64,
}

impl Element {
    /// Returns the bytes of one element.
    pub(crate) fn size(self) -> usize {
        match self {
            Self::Bool | Self::U8 | Self::I8 => 1,
            Self::U16 | Self::I16 | Self::F16 | Self::Bf16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 => 8,
        }
    }

    pub(crate) fn is_float(self) -> bool {
        matches!(self, Self::F16 | Self::Bf16 | Self::F32 | Self::F64)
    }

    /// Returns the name of the type, as in messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bool => "booleans",
            Self::U8 => "8-bit unsigned integers",
            Self::U16 => "16-bit unsigned integers",
            Self::U32 => "32-bit unsigned integers",
            Self::U64 => "64-bit unsigned integers",
            Self::I8 => "8-bit integers",
            Self::I16 => "16-bit integers",
            Self::I32 => "32-bit integers",
            Self::I64 => "64-bit integers",
            Self::F16 => "16-bit floating-point numbers",
            Self::Bf16 => "bfloat16 numbers",
            Self::F32 => "32-bit floating-point numbers",
            Self::F64 => "64-bit floating-point numbers",
        }
    }
}

/// One element. `i128` holds every integer type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number {
    Integer(i128),
    Float(f64),
}

impl Number {
    pub(crate) fn to_f64(self) -> f64 {
        match self {
            Self::Integer(value) => value as f64,
            Self::Float(value) => value,
        }
    }
}

//! Where tensors live: the one file that knows of CUDA and Metal.
//!
//! The default build has the CPU alone. The features `cuda` (with `cudnn`), `metal`, `accelerate` and `mkl` pass through
//! to candle; none of them was run while this was written, as no such machine was at hand.

use std::fmt;
use std::str::FromStr;

use candle_core::Device;
use thiserror::Error;

/// The device a computation is asked to run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeviceChoice {
    /// The first CUDA or Metal device this build can open, else the CPU.
    #[default]
    Auto,
    /// The processor.
    Cpu,
    /// A CUDA device by its ordinal.
    Cuda(usize),
    /// The first Metal device.
    Metal,
}

/// A device that cannot be had.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// The text names no device.
    #[error("`{found}` is not a device: expected `auto`, `cpu`, `cuda`, `cuda:N` or `metal`")]
    Unknown {
        /// What was given.
        found: String,
    },
    /// The build or the machine lacks the device.
    #[error("the device `{choice}` could not be opened: use `cpu`, or a build with the feature `{feature}`")]
    Unavailable {
        /// What was asked for.
        choice: DeviceChoice,
        /// The cargo feature that brings it.
        feature: &'static str,
        /// What candle said.
        source: Box<candle_core::Error>,
    },
}

impl DeviceChoice {
    /// Opens the device.
    ///
    /// # Errors
    /// [`DeviceError::Unavailable`] where the build or the machine lacks it; never for [`DeviceChoice::Auto`] and
    /// [`DeviceChoice::Cpu`].
    pub fn open(self) -> Result<Device, DeviceError> {
        let unavailable =
            |feature| move |source| DeviceError::Unavailable { choice: self, feature, source: Box::new(source) };
        match self {
            Self::Cpu => Ok(Device::Cpu),
            Self::Cuda(ordinal) => Device::new_cuda(ordinal).map_err(unavailable("cuda")),
            Self::Metal => Device::new_metal(0).map_err(unavailable("metal")),
            Self::Auto => Ok(Device::new_cuda(0).or_else(|_| Device::new_metal(0)).unwrap_or(Device::Cpu)),
        }
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => formatter.write_str("auto"),
            Self::Cpu => formatter.write_str("cpu"),
            Self::Cuda(ordinal) => write!(formatter, "cuda:{ordinal}"),
            Self::Metal => formatter.write_str("metal"),
        }
    }
}

impl FromStr for DeviceChoice {
    type Err = DeviceError;

    fn from_str(text: &str) -> Result<Self, DeviceError> {
        let unknown = || DeviceError::Unknown { found: text.to_owned() };
        match text {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "metal" => Ok(Self::Metal),
            "cuda" => Ok(Self::Cuda(0)),
            _ => {
                let ordinal = text.strip_prefix("cuda:").ok_or_else(unknown)?;
                ordinal.parse().map(Self::Cuda).map_err(|_| unknown())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for name in ["auto", "cpu", "cuda:0", "cuda:3", "metal"] {
            assert_eq!(name.parse::<DeviceChoice>().unwrap().to_string(), name);
        }
        assert!("cuda:x".parse::<DeviceChoice>().is_err());
        assert!("tpu".parse::<DeviceChoice>().is_err());
    }

    #[test]
    fn the_processor_is_always_there() {
        assert!(DeviceChoice::Cpu.open().unwrap().is_cpu());
        assert!(DeviceChoice::Auto.open().is_ok());
    }
}

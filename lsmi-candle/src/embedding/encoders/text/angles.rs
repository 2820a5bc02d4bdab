//! The frequencies of rotary positions, as configurations say them: their base, and how they were changed for texts that
//! are longer than those of the first training.

use serde_json::Value;

use crate::embedding::encoders::layers::Rotary;
use crate::embedding::encoders::{Config, Result};

/// Frequencies of the pairs of a head's coordinates.
#[derive(Debug)]
pub(super) struct Angles {
    /// The frequencies.
    pub(super) frequencies: Vec<f64>,
    /// The most tokens of a text that they are right for, where there is such a limit.
    pub(super) most: Option<usize>,
}

impl Angles {
    /// Reads them from `rope_scaling` (transformers 4) or `rope_parameters` (transformers 5), where all layers have the
    /// same; `base` is the default of the architecture.
    ///
    /// # Errors
    /// [`EncoderError::Field`](crate::embedding::encoders::EncoderError::Field) naming what is not built in.
    pub(super) fn read(config: &Config, head_width: usize, base: f64) -> Result<Self> {
        let section = config.section(if config.has(&["rope_scaling"]) { "rope_scaling" } else { "rope_parameters" })?;
        let base = section.real(&["rope_theta"], config.real(&["rope_theta"], base)?)?;
        Self::of(config, &section, head_width, base)
    }

    /// Reads them from a section; the configuration that it is of says how many positions there are.
    ///
    /// # Errors
    /// As [`Angles::read`].
    pub(super) fn of(config: &Config, section: &Config, head_width: usize, base: f64) -> Result<Self> {
        if head_width == 0 || !head_width.is_multiple_of(2) {
            return Err(config.wrong("head_dim", "an even number", Some(&Value::from(head_width))));
        }
        if base <= 0.0 {
            return Err(section.wrong("rope_theta", "more than 0", Some(&Value::from(base))));
        }
        for config in [config, section] {
            let part = config.real(&["partial_rotary_factor"], 1.0)?;
            if part != 1.0 {
                return Err(config.wrong("partial_rotary_factor", "1", Some(&Value::from(part))));
            }
        }
        let mut frequencies = Rotary::frequencies(head_width, base);
        let mut most = None;
        match section.text(&["rope_type", "type"], "default")? {
            "default" => {}
            "linear" => {
                let factor = Self::factor(section)?;
                divide(&mut frequencies, factor);
            }
            // Longer texts have other frequencies, by the length of the longest of their batch: a vector would depend on
            // what else is there. So they are cut where that begins.
            "dynamic" => most = Some(config.count(&["max_position_embeddings"], None)?),
            other => {
                let expected = "`default`, `linear` or `dynamic`";
                return Err(section.wrong("rope_type", expected, Some(&Value::from(other))));
            }
        }
        Ok(Self { frequencies, most })
    }

    /// Reads by how much texts are longer than those of the first training.
    ///
    /// # Errors
    /// As [`Angles::read`].
    pub(super) fn factor(section: &Config) -> Result<f64> {
        let factor = section.real(&["factor"], None)?;
        if factor < 1.0 {
            return Err(section.wrong("factor", "at least 1", Some(&Value::from(factor))));
        }
        Ok(factor)
    }

    /// Makes all frequencies lower.
    pub(super) fn slow_down(&mut self, factor: f64) {
        divide(&mut self.frequencies, factor);
    }

    /// The most tokens of a text, of a model that has so many positions.
    pub(super) fn most_of(&self, positions: usize) -> usize {
        self.most.map_or(positions, |most| most.min(positions))
    }
}

fn divide(frequencies: &mut [f64], factor: f64) {
    for frequency in frequencies {
        *frequency /= factor;
    }
}

//! From a decoded sound to the spectrogram of one encoder: resampling, cutting or padding, log-mel.

use super::decode::Audio;
use super::log_mel::LogMel;
use super::settings::Settings;
use crate::embedding::preprocess::Result;

impl Settings {
    /// Computes the spectrogram of a sound, `[mel_bins, frames]` in row-major order: resampled where its rate is another, cut or
    /// padded with silence. For many sounds of one encoder, make a [`LogMel`] once and use [`Settings::prepare_with`].
    ///
    /// # Errors
    /// `PreprocessError::Setting` for settings outside their ranges.
    pub fn prepare(&self, audio: &Audio) -> Result<Vec<f32>> {
        self.prepare_with(&LogMel::new(self)?, audio)
    }

    /// Computes the spectrogram as [`Settings::prepare`] does, with the window and filter bank at hand.
    ///
    /// # Errors
    /// As [`Settings::prepare`].
    pub fn prepare_with(&self, log_mel: &LogMel, audio: &Audio) -> Result<Vec<f32>> {
        self.check()?;
        let resampled = if audio.rate() == self.sample_rate { None } else { Some(audio.resampled(self.sample_rate)?) };
        let mut samples = resampled.as_ref().unwrap_or(audio).samples().to_vec();
        samples.resize(self.samples(), 0.0);
        log_mel.spectrogram(&samples)
    }
}

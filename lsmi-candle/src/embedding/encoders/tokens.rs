//! Texts as models take them: numbers of tokens, in batches of equal length.
//!
//! A model's `tokenizer.json` says how texts are cut. Its own truncation and padding are replaced: texts are cut at the
//! most tokens that are asked for, and filled up to the longest of their batch, or to the full length for the models that
//! look at padding ([`Padding::Full`]).

use std::fs;
use std::path::Path;

use candle_core::{Device, Tensor};
use serde_json::Value;
use tokenizers::normalizers::{BertNormalizer, Lowercase, NormalizerWrapper, Sequence};
use tokenizers::{PaddingParams, PostProcessor, TruncationDirection, TruncationParams};

use super::error::{EncoderError, Result};
use super::{Padding, TextEncoder};
use crate::guarded::guarded;

/// A text is first tried by its first so many characters for each token that it may have.
const CHARACTERS_A_TOKEN: usize = 16;

/// A tokenizer, with the limits of a model.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    max_tokens: usize,
    special: usize,
    padding: Padding,
    padding_token: u32,
}

/// How texts are made into tokens, beyond what `tokenizer.json` says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextSettings {
    /// Most tokens of a text, special ones included; None where only the network's positions limit it.
    pub max_tokens: Option<usize>,
    /// Whether texts are made lower-case before anything else.
    pub lower_case: bool,
    /// What takes the place of the tokenizer's own normalizer, if that is BERT's.
    pub bert: Option<BertCasing>,
}

impl TextSettings {
    /// Cuts texts at a further limit, where it is one.
    pub fn cut_at(&mut self, limit: Option<usize>) {
        self.max_tokens = self.max_tokens.into_iter().chain(limit).min();
    }
}

/// What BERT's normalizer does to letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BertCasing {
    /// Whether letters are made lower-case.
    pub lower_case: bool,
    /// Whether accents are taken off; None where they are if letters are made lower-case.
    pub strip_accents: Option<bool>,
    /// Whether every Chinese character is a word.
    pub chinese_apart: bool,
}

/// The tokens of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokens {
    /// Their numbers, special ones included.
    pub ids: Vec<u32>,
    /// Numbers of their segments.
    pub types: Vec<u32>,
    /// Whether the text had more than there was room for.
    pub truncated: bool,
}

/// A batch of texts, as [`TextEncoder::encode`] takes it.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Token ids `[B, T]`, u32.
    pub ids: Tensor,
    /// 1 at tokens and 0 at padding, `[B, T]`, u32.
    pub mask: Tensor,
    /// Segments `[B, T]`, u32; none where all are 0.
    pub types: Option<Tensor>,
}

impl Tokenizer {
    /// Reads a `tokenizer.json` for a model. Texts are cut at the most tokens that the settings say, or that the model takes
    /// if that is less.
    ///
    /// What texts are filled up with is taken from there, else from a `tokenizer_config.json` beside it, else from the
    /// model's configuration.
    ///
    /// # Errors
    /// [`EncoderError`] naming the file where it cannot be read or understood, and [`EncoderError::Input`] where there is
    /// no room for a token beside the special ones.
    pub fn read(path: &Path, settings: &TextSettings, model: &dyn TextEncoder) -> Result<Self> {
        let file = path.display().to_string();
        let bytes = fs::read(path).map_err(|source| EncoderError::Read { file: file.clone(), source })?;
        let unusable = |source| EncoderError::Tokenizer { file: file.clone(), source };
        let mut tokenizer = checked(|| tokenizers::Tokenizer::from_bytes(bytes)).map_err(unusable)?;
        let padding_token = (tokenizer.get_padding().map(|padding| padding.pad_id))
            .or_else(|| token_of_config(path, &tokenizer))
            .or_else(|| model.padding_token())
            .or_else(|| ["[PAD]", "<pad>"].iter().find_map(|token| tokenizer.token_to_id(token)))
            .unwrap_or(0);
        let special = tokenizer.get_post_processor().map_or(0, |processor| processor.added_tokens(false));
        let max_tokens = settings.max_tokens.map_or(model.max_tokens(), |limit| limit.min(model.max_tokens()));
        let normalizer = normalizer(tokenizer.get_normalizer(), settings);
        tokenizer.with_normalizer(normalizer).map_err(unusable)?;
        if max_tokens <= special {
            return Err(EncoderError::Input {
                what: "the most tokens of a text",
                expected: format!("more than the {special} special ones"),
                found: max_tokens.to_string(),
            });
        }
        // One more than fits shows that a text is too long; what comes after it need not be looked at.
        let truncation = TruncationParams {
            max_length: max_tokens.saturating_add(1),
            direction: TruncationDirection::Right,
            ..TruncationParams::default()
        };
        tokenizer.with_padding(None::<PaddingParams>).with_truncation(Some(truncation)).map_err(unusable)?;
        // A file may contradict itself where nothing looks before a text is there.
        checked(|| tokenizer.encode("", true)).map_err(unusable)?;
        Ok(Self { inner: tokenizer, max_tokens, special, padding: model.padding(), padding_token })
    }

    /// Returns the most tokens that a text may have, special ones included.
    pub fn max_tokens(&self) -> usize {
        self.max_tokens
    }

    /// Makes a text into tokens, special ones included, cut where there are too many.
    ///
    /// # Errors
    /// [`EncoderError::Tokens`] where the tokenizer cannot.
    pub fn tokens(&self, text: &str) -> Result<Tokens> {
        let room = self.max_tokens - self.special;
        let wrap = |source| EncoderError::Tokens { text: text.chars().take(40).collect(), source };
        let encode = |text: &str| checked(|| self.inner.encode_fast(text, false)).map_err(wrap);
        // Of a text that is far too long only the beginning is looked at, up to the end of a word.
        let begin = match beginning(text, CHARACTERS_A_TOKEN.saturating_mul(self.max_tokens.saturating_add(1))) {
            Some(begin) => Some(encode(begin)?).filter(|begin| begin.len() > room),
            None => None,
        };
        let mut encoding = match begin {
            Some(begin) => begin,
            None => encode(text)?,
        };
        let truncated = encoding.len() > room;
        encoding.truncate(room, 0, TruncationDirection::Right);
        let encoding = checked(|| self.inner.post_process(encoding, None, true)).map_err(wrap)?;
        Ok(Tokens { ids: encoding.get_ids().to_vec(), types: encoding.get_type_ids().to_vec(), truncated })
    }

    /// Counts the leading tokens that a text owes to a prompt before it; special ones at the beginning are among them.
    ///
    /// # Errors
    /// As [`Tokenizer::tokens`].
    pub fn length_of_prompt(&self, prompt: &str) -> Result<usize> {
        let wrap = |source| EncoderError::Tokens { text: prompt.chars().take(40).collect(), source };
        let encoding = checked(|| self.inner.encode_fast(prompt, true)).map_err(wrap)?;
        let ends_with_special = encoding.get_special_tokens_mask().last() == Some(&1);
        Ok(encoding.len() - usize::from(ends_with_special))
    }

    /// Returns the tokens that every text of a batch is filled up to, where the longest has so many.
    pub(crate) fn padded(&self, longest: usize) -> usize {
        match self.padding {
            Padding::Longest => longest.max(1),
            Padding::Full => self.max_tokens,
        }
    }

    /// Lays texts out as a batch.
    ///
    /// # Errors
    /// A candle error where there are no texts, or where the device cannot hold them.
    pub fn batch(&self, texts: &[&Tokens], device: &Device) -> Result<Batch> {
        let longest = texts.iter().map(|text| text.ids.len()).max().unwrap_or(0);
        let length = self.padded(longest);
        let lay = |row: fn(&Tokens) -> &[u32], filling: u32| {
            let mut values = Vec::with_capacity(texts.len() * length);
            for text in texts {
                values.extend_from_slice(row(text));
                values.resize(values.len() + length - row(text).len(), filling);
            }
            Tensor::from_vec(values, (texts.len(), length), device)
        };
        let mut mask = Vec::with_capacity(texts.len() * length);
        for text in texts {
            mask.extend((0..length).map(|position| u32::from(position < text.ids.len())));
        }
        let segmented = texts.iter().any(|text| text.types.iter().any(|number| *number != 0));
        Ok(Batch {
            ids: lay(|text| &text.ids, self.padding_token)?,
            mask: Tensor::from_vec(mask, (texts.len(), length), device)?,
            types: if segmented { Some(lay(|text| &text.types, 0)?) } else { None },
        })
    }
}

/// The normalizer of a tokenizer as the settings have it.
fn normalizer(found: Option<&NormalizerWrapper>, settings: &TextSettings) -> Option<NormalizerWrapper> {
    let own = match (found, settings.bert) {
        (
            Some(NormalizerWrapper::BertNormalizer(own)),
            Some(BertCasing { lower_case, strip_accents, chinese_apart }),
        ) => Some(BertNormalizer::new(own.clean_text, chinese_apart, strip_accents, lower_case).into()),
        (found, _) => found.cloned(),
    };
    if settings.lower_case {
        let first = NormalizerWrapper::Lowercase(Lowercase);
        return Some(Sequence::new(std::iter::once(first).chain(own).collect()).into());
    }
    own
}

/// Does work of a tokenizer, which may panic where its file contradicts itself.
fn checked<T>(work: impl FnOnce() -> tokenizers::Result<T>) -> tokenizers::Result<T> {
    guarded(work).unwrap_or_else(|| Err("the tokenizer's parts contradict each other".into()))
}

/// The text up to the last white space within the first so many characters; none where the text is no longer than that.
fn beginning(text: &str, characters: usize) -> Option<&str> {
    let (end, _) = text.char_indices().nth(characters)?;
    let begin = &text[..end];
    Some(begin.rfind(char::is_whitespace).map_or("", |end| &text[..end]))
}

/// The padding that the `tokenizer_config.json` beside a tokenizer names, if there is such a file and it does.
fn token_of_config(path: &Path, tokenizer: &tokenizers::Tokenizer) -> Option<u32> {
    let text = fs::read(path.with_file_name("tokenizer_config.json")).ok()?;
    let config: Value = serde_json::from_slice(&text).ok()?;
    let token = config.get("pad_token")?;
    // A string, or an object with the string in it.
    let token = token.as_str().or_else(|| token.get("content")?.as_str())?;
    tokenizer.token_to_id(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_ends_with_a_word() {
        assert_eq!(beginning("one two three", 9), Some("one two"));
        assert_eq!(beginning("één twee", 6), Some("één"));
        assert_eq!(beginning("one", 3), None);
        assert_eq!(beginning("abcdefgh", 3), Some(""));
    }
}

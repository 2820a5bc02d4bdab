//! Encoders against reference outputs, and what is refused.

mod described;
mod files;
mod loading;
mod picture;
mod sound;
mod text;

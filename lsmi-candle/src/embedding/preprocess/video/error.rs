//! Why the frames of a video cannot be had.

use thiserror::Error;

/// Why the frames of a video cannot be had.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum VideoError {
    /// A file or folder that cannot be read.
    #[error("the video {name} cannot be read; check the path and its permissions")]
    Read {
        /// The video.
        name: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// Bytes that begin like nothing that is read.
    #[error(
        "{name} is no video that is read: give a folder of pictures, a Motion-JPEG AVI or an animated WebP; ffmpeg \
         makes a folder of most others: ffmpeg -i {name} -vf fps=4 FOLDER/%06d.jpg"
    )]
    Format {
        /// The file.
        name: String,
    },
    /// A container, or a coding of its frames, for which there is no decoder.
    #[error(
        "the video {name} is {found}, which is not decoded here: make a folder of pictures of it, as by ffmpeg -i {name} \
         -vf fps=4 FOLDER/%06d.jpg, or a Motion-JPEG AVI, as by ffmpeg -i {name} -c:v mjpeg -q:v 2 -an NAME.avi"
    )]
    Coding {
        /// The file.
        name: String,
        /// What it is.
        found: String,
    },
    /// A container that is not whole.
    #[error("the video {name} is damaged: {reason}; make it anew")]
    Damaged {
        /// The file.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// A video without a frame.
    #[error("the video {name} has no frames: {reason}")]
    NoFrames {
        /// The file or folder.
        name: String,
        /// Where they were looked for.
        reason: &'static str,
    },
    /// A video with more frames than are counted.
    #[error("the video {name} has more than {most} frames: cut it")]
    TooManyFrames {
        /// The file or folder.
        name: String,
        /// Frames that are counted at most.
        most: usize,
    },
    /// A frame that would fill the memory.
    #[error("frame {frame} of the video {name} has {found} bytes, but at most {most} are read: make it anew")]
    LargeFrame {
        /// The file.
        name: String,
        /// The frame, from 0.
        frame: usize,
        /// Its bytes.
        found: u64,
        /// Bytes that are read at most.
        most: u64,
    },
}

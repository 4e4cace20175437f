//! Zstandard frames, one after the other, some of which may be damaged.

use std::io::Read;

/// What is found in a file, in its order.
pub(super) enum Found<'a> {
    /// Decompressed bytes of good frames.
    Data(&'a [u8]),
    /// A frame that cannot be read; the reading goes on behind it.
    Damaged { offset: usize, message: String },
    /// The file ends within a frame.
    Truncated { offset: usize },
    /// More decompressed bytes than allowed.
    TooMuch,
}

/// Frames of at most this size are given out only when their checksum is right; longer ones as they come.
const WHOLE_FRAME_BYTES: usize = 64 << 20;

/// The first bytes of every frame.
pub(super) const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Whether the bytes begin with a frame, or with a skippable one.
pub(super) fn is_compressed(bytes: &[u8]) -> bool {
    bytes.starts_with(&MAGIC) || matches!(bytes.get(..4), Some([0x50..=0x5f, 0x2a, 0x4d, 0x18]))
}

fn next_magic(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    rest.windows(4).position(|window| window == MAGIC).and_then(|at| from.checked_add(at))
}

/// Reads all frames. `limit` bounds the decompressed bytes in all. Returns where the last good frame ends.
pub(super) fn read(bytes: &[u8], limit: u64, mut found: impl FnMut(Found<'_>)) -> usize {
    let mut at = 0usize;
    let mut good_end = 0usize;
    let mut left = limit;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let failure = match frame_size(rest) {
            Ok(size) => match decode(rest.get(..size).unwrap_or_default(), &mut left, &mut found) {
                Ok(()) => {
                    at = at.saturating_add(size);
                    good_end = at;
                    continue;
                }
                Err(Some(message)) => Some((message, at.saturating_add(size))),
                Err(None) => {
                    found(Found::TooMuch);
                    return good_end;
                }
            },
            Err(Some(message)) => Some((message, at.saturating_add(1))),
            Err(None) => None,
        };
        // The next place where a whole good frame begins, if there is one.
        let mut search = at.saturating_add(1);
        let next = loop {
            let Some(candidate) = next_magic(bytes, search) else { break None };
            if bytes.get(candidate..).is_some_and(|rest| frame_size(rest).is_ok()) {
                break Some(candidate);
            }
            search = candidate.saturating_add(1);
        };
        let next = match (&failure, next) {
            // A frame of known size whose content is wrong: what follows it begins right behind.
            (Some((_, end)), None) if *end < bytes.len() && *end > at.saturating_add(1) => Some(*end),
            (_, next) => next,
        };
        match (failure, next) {
            (Some((message, _)), _) => found(Found::Damaged { offset: at, message }),
            (None, Some(_)) => found(Found::Damaged { offset: at, message: "its end is missing".to_owned() }),
            (None, None) => found(Found::Truncated { offset: at }),
        }
        match next {
            Some(next) => at = next,
            None => break,
        }
    }
    good_end
}

/// The size of the frame at the start; `Err(None)` when the bytes end within it.
fn frame_size(bytes: &[u8]) -> Result<usize, Option<String>> {
    if bytes.len() >= 4 && !is_compressed(bytes) {
        return Err(Some("no frame begins here".to_owned()));
    }
    match zstd::zstd_safe::find_frame_compressed_size(bytes) {
        Ok(size) if size > 0 && size <= bytes.len() => Ok(size),
        Ok(_) => Err(Some("a frame of no size".to_owned())),
        Err(code) => {
            let name = zstd::zstd_safe::get_error_name(code);
            // "Src size is incorrect": more bytes are wanted than there are.
            if name.contains("Src size") { Err(None) } else { Err(Some(name.to_owned())) }
        }
    }
}

/// Decompresses one frame; `Err(None)` when it would exceed the limit.
fn decode(frame: &[u8], left: &mut u64, found: &mut impl FnMut(Found<'_>)) -> Result<(), Option<String>> {
    let broken = |error: std::io::Error| Some(error.to_string());
    let mut decoder = zstd::stream::read::Decoder::with_buffer(frame).map_err(broken)?.single_frame();
    let mut buffer = Vec::new();
    let mut chunk = vec![0u8; 128 << 10];
    loop {
        let count = decoder.read(&mut chunk).map_err(broken)?;
        if count == 0 {
            found(Found::Data(&buffer));
            return Ok(());
        }
        *left = left.checked_sub(u64::try_from(count).unwrap_or(u64::MAX)).ok_or(None)?;
        buffer.extend_from_slice(chunk.get(..count).unwrap_or_default());
        if buffer.len() >= WHOLE_FRAME_BYTES {
            found(Found::Data(&buffer));
            buffer.clear();
        }
    }
}

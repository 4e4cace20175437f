//! SHA-256 as hexadecimal text, of bytes, of files and of what is being written.

use std::fs::File;
use std::io::{self, Read, Write};

use sha2::{Digest, Sha256};

/// Of bytes.
pub(crate) fn hex(bytes: &[u8]) -> String {
    text(Sha256::new_with_prefix(bytes))
}

/// Of a whole file.
pub(crate) fn of_file(file: &mut File) -> io::Result<String> {
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 256 << 10];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(text(digest)),
            read => digest.update(buffer.get(..read).unwrap_or_default()),
        }
    }
}

fn text(digest: Sha256) -> String {
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Passes bytes on, and counts and digests them.
pub(crate) struct Digesting<W> {
    inner: W,
    digest: Sha256,
    bytes: u64,
}

impl<W> Digesting<W> {
    pub fn new(inner: W) -> Self {
        Self { inner, digest: Sha256::new(), bytes: 0 }
    }

    /// What was written to, how many bytes, and their digest.
    pub fn finish(self) -> (W, u64, String) {
        (self.inner, self.bytes, text(self.digest))
    }
}

impl<W: Write> Write for Digesting<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(buffer)?;
        self.digest.update(buffer.get(..written).unwrap_or_default());
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

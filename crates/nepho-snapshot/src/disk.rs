//! Every change to the file system, so that the order of changes can be tested against a crash at each of them.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::Error;

/// Makes changes; in tests, fails at one of them and all after.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    /// How many changes still succeed; none means all.
    left: Option<AtomicUsize>,
}

impl Disk {
    /// Stops working after `changes` changes, as if the machine had lost power.
    #[cfg(test)]
    pub fn failing_after(changes: usize) -> Self {
        Self { left: Some(AtomicUsize::new(changes)) }
    }

    fn step(&self) -> io::Result<()> {
        let Some(left) = &self.left else { return Ok(()) };
        left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1))
            .map(|_| ())
            .map_err(|_| io::Error::other("out of order by way of a test"))
    }

    fn change(&self, action: &'static str, path: &Path, change: impl FnOnce() -> io::Result<()>) -> Result<(), Error> {
        self.step().and_then(|()| change()).map_err(Error::io(action, path))
    }

    pub fn create_folder(&self, path: &Path) -> Result<(), Error> {
        self.change("create", path, || fs::create_dir(path))
    }

    pub fn create_folders(&self, path: &Path) -> Result<(), Error> {
        self.change("create", path, || fs::create_dir_all(path))
    }

    /// A new file; it is an error when it is there.
    pub fn create_file(&self, path: &Path) -> Result<NewFile<'_>, Error> {
        self.step()
            .and_then(|()| File::create_new(path))
            .map(|file| NewFile { disk: self, file })
            .map_err(Error::io("create", path))
    }

    pub fn remove_file(&self, path: &Path) -> Result<(), Error> {
        self.change("remove", path, || fs::remove_file(path))
    }

    pub fn remove_folder(&self, path: &Path) -> Result<(), Error> {
        self.change("remove", path, || fs::remove_dir_all(path))
    }

    pub fn rename(&self, from: &Path, to: &Path) -> Result<(), Error> {
        self.change("create", to, || fs::rename(from, to))
    }

    /// A second name for a file, or a copy where the file system has no such thing.
    pub fn link(&self, from: &Path, to: &Path) -> Result<(), Error> {
        self.change("create", to, || match fs::hard_link(from, to) {
            Ok(()) => Ok(()),
            Err(_) => {
                fs::copy(from, to)?;
                File::open(to)?.sync_all()
            }
        })
    }

    /// Makes sure that what a folder lists is on the disk.
    pub fn sync_folder(&self, path: &Path) -> Result<(), Error> {
        self.change("write", path, || match File::open(path).and_then(|folder| folder.sync_all()) {
            // Windows has no such call, and does not need it.
            Err(_) if cfg!(windows) => Ok(()),
            other => other,
        })
    }
}

/// A file being written.
pub(crate) struct NewFile<'d> {
    disk: &'d Disk,
    file: File,
}

impl NewFile<'_> {
    /// Makes sure that it is on the disk.
    pub fn sync(self, path: &Path) -> Result<(), Error> {
        self.disk.change("write", path, || self.file.sync_all())
    }
}

impl Write for NewFile<'_> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.disk.step()?;
        self.file.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

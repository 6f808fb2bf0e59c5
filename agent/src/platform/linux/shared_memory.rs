//! Memory shared with the X server, for pictures.
//!
//! An anonymous file (`memfd`) handed to the server: no other user, and no other program of this
//! user, can find it by name. It is read by `pread` instead of being mapped: no `unsafe`, and nothing
//! of it counts as our memory. Between pictures its pages are given back, so that no picture lies
//! around.

use std::os::fd::OwnedFd;

use rustix::fs::{FallocateFlags, MemfdFlags};
use x11rb::connection::Connection as _;
use x11rb::protocol::shm::{self, ConnectionExt as _};

use super::connection::{Connection, gone, refused, reply};
use crate::platform::Unavailable;

/// A multiple of every size that a small page can have.
const LARGEST_PAGE: u64 = 64 * 1024;

/// A segment of shared memory. The server forgets it with the connection.
pub(super) struct SharedMemory {
    memory: OwnedFd,
    segment: shm::Seg,
    bytes: usize,
}

impl SharedMemory {
    /// Whether the server can take file descriptors for memory (MIT-SHM 1.2, on this machine).
    pub(super) fn is_supported(connection: &Connection) -> Result<bool, Unavailable> {
        if !connection.is_local() || !connection.has(shm::X11_EXTENSION_NAME)? {
            return Ok(false);
        }
        let version = reply(connection.wire().shm_query_version())?;
        Ok((version.major_version, version.minor_version) >= (1, 2))
    }

    /// Makes a segment of so many bytes and shows it to the server.
    pub(super) fn new(connection: &Connection, bytes: usize) -> Result<Self, Unavailable> {
        let memory = allocate(bytes).map_err(|cause| {
            Unavailable::Gone(format!(
                "no memory for a picture of the screen ({cause}); close some programs"
            ))
        })?;
        let wire = connection.wire();
        let segment = wire.generate_id().map_err(refused)?;
        let shown = rustix::io::fcntl_dupfd_cloexec(&memory, 0).map_err(gone)?;
        wire.shm_attach_fd(segment, shown, false)
            .map_err(gone)?
            .check()
            .map_err(refused)?;
        Ok(Self {
            memory,
            segment,
            bytes,
        })
    }

    /// How much it holds.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Its name in requests.
    pub(super) fn segment(&self) -> shm::Seg {
        self.segment
    }

    /// Fills the buffer from what lies at the offset.
    pub(super) fn read(&self, mut buffer: &mut [u8], mut offset: u64) -> Result<(), Unavailable> {
        while !buffer.is_empty() {
            let read =
                rustix::io::retry_on_intr(|| rustix::io::pread(&self.memory, &mut *buffer, offset))
                    .map_err(gone)?;
            let Some(rest) = buffer.get_mut(read..).filter(|_| read > 0) else {
                return Err(gone("the shared memory is shorter than agreed"));
            };
            buffer = rest;
            offset += read as u64;
        }
        Ok(())
    }

    /// Gives the pages back to the system; what was in them is gone.
    pub(super) fn clear(&self) {
        let punch = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        let whole_pages = (self.bytes as u64).next_multiple_of(LARGEST_PAGE);
        if let Err(cause) = rustix::fs::fallocate(&self.memory, punch, 0, whole_pages) {
            tracing::debug!(%cause, "the memory of the last picture is kept until the next one");
        }
    }

    /// Tells the server to forget it.
    pub(super) fn detach(self, connection: &Connection) -> Result<(), Unavailable> {
        connection
            .wire()
            .shm_detach(self.segment)
            .map_err(gone)?
            .ignore_error();
        Ok(())
    }
}

fn allocate(bytes: usize) -> rustix::io::Result<OwnedFd> {
    let memory = rustix::fs::memfd_create("glasshour-screen", MemfdFlags::CLOEXEC)?;
    rustix::fs::ftruncate(&memory, bytes as u64)?;
    Ok(memory)
}

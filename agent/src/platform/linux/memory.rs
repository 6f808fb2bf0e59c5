//! How the allocator treats large blocks.
//!
//! A picture of the screen is 8 MB for a moment, a few times an hour. glibc learns from the first one
//! that such blocks are common, and from then on keeps the memory of one for the life of the process.
//! Told a fixed threshold it gives each of them back at once: 4.8 MB resident instead of 12.8.

/// From this size on, a block is a mapping of its own, which freeing gives back to the system.
#[cfg(target_env = "gnu")]
const MAPPED_FROM_BYTES: libc::c_int = 256 * 1024;

/// Gives large blocks back to the system as soon as they are freed, from here on.
pub(in crate::platform) fn give_large_blocks_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: mallopt takes two integers, locks the allocator itself, and leaves it as it was where
    // it refuses them.
    let accepted = unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, MAPPED_FROM_BYTES) };
    #[cfg(target_env = "gnu")]
    if accepted == 0 {
        tracing::debug!("the allocator keeps its own threshold for large blocks");
    }
}

#[cfg(test)]
mod tests {
    use super::give_large_blocks_back;

    /// Our own pages in memory.
    fn resident() -> u64 {
        let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux has /proc");
        let pages = |field: usize| -> u64 {
            statm
                .split(' ')
                .nth(field)
                .expect("it has seven")
                .parse()
                .expect("a number")
        };
        pages(1) - pages(2)
    }

    #[test]
    fn the_memory_of_pictures_is_given_back() {
        let picture = || drop(std::hint::black_box(vec![1_u8; 8 << 20]));
        give_large_blocks_back();
        let before = resident();
        (0..3).for_each(|_| picture());
        let kept = resident().saturating_sub(before) * 4;
        assert!(kept < 4 << 10, "{kept} KiB are kept");
    }
}

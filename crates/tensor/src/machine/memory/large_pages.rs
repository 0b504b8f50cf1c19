//! Pages of 2 MiB for large blocks: a loop over one otherwise looks up the place of a page every 4 KiB, and its first use takes 512
//! times as many page faults.

use std::ptr::NonNull;

/// Bytes of a large page.
const PAGE: usize = 1 << 21;

/// Asks the system to back a block with large pages where whole ones lie in it. It may or may not do so; what the block holds stays the same.
pub(super) fn ask_for(start: NonNull<u8>, bytes: usize) {
    let skipped = start.as_ptr().align_offset(PAGE);
    if skipped > bytes || bytes - skipped < PAGE {
        return;
    }
    let whole = (bytes - skipped) / PAGE * PAGE;
    #[cfg(all(target_os = "linux", not(miri)))]
    // SAFETY: the range lies in the block, and the advice changes only how the system backs it. That it has none to give is no error.
    unsafe {
        libc::madvise(start.as_ptr().add(skipped).cast(), whole, libc::MADV_HUGEPAGE);
    }
    #[cfg(not(all(target_os = "linux", not(miri))))]
    let _ = whole;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_any_size_keep_what_they_hold() {
        for bytes in [64, PAGE - 64, PAGE, 3 * PAGE + 4096] {
            let mut block = vec![7u8; bytes];
            ask_for(NonNull::new(block.as_mut_ptr()).unwrap(), bytes);
            assert!(block.iter().all(|&byte| byte == 7));
        }
    }
}

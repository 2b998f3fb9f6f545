//! Every limit of this room, in one place. A limit is far above what a real export needs and far
//! below what would hurt the machine, so that a broken or hostile file ends in a sentence.

/// Bytes in a kibibyte, mebibyte and gibibyte.
const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;
const GIB: u64 = 1024 * MIB as u64;

/// The first bytes of a document that are decoded when it is opened, to tell what it is.
pub const HEAD_BYTES: usize = 256 * KIB;

/// The size a chunk is cut to. Large enough that handing it over costs nothing, small enough to
/// stay in a core's cache.
pub const CHUNK_BYTES: usize = 512 * KIB;

/// The longest record, in bytes of decoded text. Notes and addresses fill a few kilobytes at most;
/// what is longer is a quote that was never closed.
pub const RECORD_BYTES: usize = 16 * MIB;

/// The most cells in one record.
pub const RECORD_CELLS: usize = 4096;

/// The most bytes that one compressed file or archive member may unpack to.
pub const UNPACKED_BYTES: u64 = 64 * GIB;

/// How many times larger than its compressed bytes a file may unpack to, once it is past
/// [`UNPACKED_FREE_BYTES`]. Exports reach 20, in rare cases 100; deflate cannot exceed 1032, which is
/// what a bomb of equal bytes reaches. (Some compressed bytes are read ahead, so that the limit must
/// be well below 1032 to stop a bomb as soon as it is past the free bytes.)
pub const UNPACKED_RATIO: u64 = 500;

/// Below this many unpacked bytes the ratio is not looked at: the start of a file may be all alike.
pub const UNPACKED_FREE_BYTES: u64 = 64 * MIB as u64;

/// The most members in one archive.
pub const ARCHIVE_MEMBERS: usize = 100_000;

/// The most bytes of a workbook, all its parts unpacked.
pub const WORKBOOK_BYTES: u64 = 256 * MIB as u64;

/// The most bytes of one sheet when it is written as text.
pub const SHEET_TEXT_BYTES: usize = 256 * MIB;

/// The most bytes of all members of a tar archive, which are held in memory.
pub const TAR_BYTES: u64 = 512 * MIB as u64;

/// The most folders inside each other.
pub const FOLDER_DEPTH: usize = 64;

/// The most files that one run takes.
pub const FILES: usize = 1_000_000;

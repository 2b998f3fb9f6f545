//! How an event lies in an arena.

/// Where the parts of an event's head lie, in bytes from where the event begins. Numbers are little-endian.
pub(super) mod head {
    use std::ops::Range;

    /// Length of the event in the arena.
    pub const LENGTH: Range<usize> = 0..4;
    pub const ROW: Range<usize> = 4..8;
    pub const LINE: Range<usize> = 8..12;
    pub const TIME: Range<usize> = 12..20;
    pub const HASH: Range<usize> = 20..36;
    pub const RULE: Range<usize> = 36..38;
    /// Where the texts begin.
    pub const TEXTS: Range<usize> = 38..40;
    pub const KIND: usize = 40;
    /// Digits of the time, and flags.
    pub const DIGITS: usize = 41;
    pub const NTH: usize = 42;
    pub const LEGS: usize = 43;
    pub const BYTES: usize = 44;
}

/// Flags beside the number of digits.
pub(super) const FIRST_OF_ROW: u8 = 0x80;
/// The key of the event's group is its last 16 bytes.
pub(super) const HAS_GROUP: u8 = 0x40;

/// Flags of a leg in the arena.
pub(super) const IS_FEE: u8 = 1;
pub(super) const HAS_VALUE: u8 = 2;
pub(super) const NEGATIVE: u8 = 4;
/// Its account is that of the leg before.
pub(super) const SAME_ACCOUNT: u8 = 8;

/// A number below this is one byte; this byte says that it stands behind it in full.
pub(super) const LONG: u8 = 255;

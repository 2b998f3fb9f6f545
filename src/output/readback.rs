//! The far end of the proof: sums of amounts, read back from the text that was written.
//!
//! This shares no code with the reading of amounts from exports: what `model` may get wrong, this does not get wrong in
//! the same way. The common amounts, up to eight digits on each side of the point, are not even made numbers one by one:
//! their digits are added column by column, as on paper.

use std::collections::hash_map::Entry as Slot;
use std::ops::Range;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::ledger::Totals;
use crate::model::Amount;

/// Sums by account and asset, as they were written.
#[derive(Default)]
pub struct WrittenSums {
    /// By the addresses of the two names: each name of a run is one text in memory, so its address tells it apart, much
    /// faster than its letters.
    named: FxHashMap<(usize, usize), Named>,
    numbered: Numbered,
    /// An amount that cannot be read back, or a sum that does not fit.
    pub failure: Option<String>,
}

struct Named {
    account: Box<str>,
    asset: Box<str>,
    sum: (i128, u32),
}

impl WrittenSums {
    /// Adds the amount whose text was written for an account and an asset; `sign` is -1 where the layout writes what goes
    /// out without a sign.
    pub fn add(&mut self, account: &str, asset: &str, amount_text: &[u8], sign: i128) {
        match read(amount_text) {
            Some((mantissa, scale)) => self.add_read(account, asset, (mantissa * sign, scale)),
            None => self.unreadable(amount_text),
        }
    }

    /// Adds the amount that stands at `place` of what was written, for an account and an asset that are known by their
    /// numbers; `negative` where the layout writes what goes out without a sign. [`WrittenSums::name`] must follow.
    #[inline(always)]
    pub fn add_at(
        &mut self,
        account: u32,
        asset: u32,
        written: &[u8],
        place: Range<usize>,
        negative: bool,
    ) {
        let Some((minus, digits)) = Digits::read(written, place.clone()) else {
            return self.add_text(account, asset, &written[place], negative);
        };
        let entry = self.numbered.entry(account, asset);
        let full = entry.columns[usize::from(minus != negative)].add(digits);
        if full && entry.settle().is_none() {
            self.overflow();
        }
    }

    #[inline(never)]
    fn add_text(&mut self, account: u32, asset: u32, text: &[u8], negative: bool) {
        let Some((mantissa, scale)) = read(text) else {
            return self.unreadable(text);
        };
        let signed = if negative { -mantissa } else { mantissa };
        let entry = self.numbered.entry(account, asset);
        match join(entry.settled, (signed, scale)) {
            Some(total) => entry.settled = total,
            None => self.overflow(),
        }
    }

    /// Gives the sums of [`WrittenSums::add_at`] the names of their accounts and assets; to be done once, at the end.
    pub fn name<'names>(
        &mut self,
        account: impl Fn(u32) -> &'names str,
        asset: impl Fn(u32) -> &'names str,
    ) {
        for mut entry in std::mem::take(&mut self.numbered).entries {
            match entry.settle() {
                Some(sum) => {
                    self.add_read(account(entry.key.account()), asset(entry.key.asset()), sum)
                }
                None => self.overflow(),
            }
        }
    }

    pub fn merge(&mut self, other: WrittenSums) {
        if other.failure.is_some() {
            self.failure = other.failure;
        }
        for mut theirs in other.numbered.entries {
            let mine = self
                .numbered
                .entry(theirs.key.account(), theirs.key.asset());
            match theirs.settle().and_then(|sum| join(mine.settled, sum)) {
                Some(total) => mine.settled = total,
                None => self.overflow(),
            }
        }
        for (place, theirs) in other.named {
            match self.named.entry(place) {
                Slot::Vacant(slot) => {
                    slot.insert(theirs);
                }
                Slot::Occupied(mut mine) => match join(mine.get().sum, theirs.sum) {
                    Some(total) => mine.get_mut().sum = total,
                    None => self.overflow(),
                },
            }
        }
    }

    /// The sums by name.
    pub fn totals(&self) -> Totals {
        debug_assert!(self.numbered.entries.is_empty(), "sums without a name");
        let named = self.named.values().map(|entry| {
            let amount = Amount::from_parts(entry.sum.0, entry.sum.1).unwrap_or(Amount::ZERO);
            (
                (Arc::from(&*entry.account), Arc::from(&*entry.asset)),
                amount,
            )
        });
        Totals(named.collect())
    }

    fn add_read(&mut self, account: &str, asset: &str, amount: (i128, u32)) {
        let entry = self
            .named
            .entry((account.as_ptr().addr(), asset.as_ptr().addr()));
        let entry = entry.or_insert_with(|| Named {
            account: account.into(),
            asset: asset.into(),
            sum: (0, 0),
        });
        match join(entry.sum, amount) {
            Some(total) => entry.sum = total,
            None => self.overflow(),
        }
    }

    #[cold]
    fn unreadable(&mut self, amount_text: &[u8]) {
        let text = String::from_utf8_lossy(amount_text);
        self.failure = Some(format!("cannot read back `{text}`"));
    }

    #[cold]
    fn overflow(&mut self) {
        self.failure = Some("a sum does not fit".to_owned());
    }
}

/// Sums by the numbers of account and asset.
#[derive(Default)]
struct Numbered {
    entries: Vec<Entry>,
    /// Indexes of entries, each at the first free place from the hash of its key on. At least twice as many as entries,
    /// and a power of two.
    slots: Vec<u32>,
}

/// Nothing stands at this place.
const FREE: u32 = u32::MAX;

struct Entry {
    key: Key,
    /// What was added, and what was taken away.
    columns: [Columns; 2],
    /// What is no longer in columns, or never was: mantissa and scale.
    settled: (i128, u32),
}

impl Numbered {
    #[inline]
    fn entry(&mut self, account: u32, asset: u32) -> &mut Entry {
        let key = Key(u64::from(account) << 32 | u64::from(asset));
        let last = self.slots.len().wrapping_sub(1);
        let mut slot = key.hash() & last;
        // There is no entry of the number that a free place has.
        while let Some(index) = self.slots.get(slot).map(|index| *index as usize)
            && let Some(entry) = self.entries.get(index)
        {
            if entry.key == key {
                return &mut self.entries[index];
            }
            slot = (slot + 1) & last;
        }
        self.insert(key)
    }

    #[cold]
    fn insert(&mut self, key: Key) -> &mut Entry {
        let index = self.entries.len();
        self.entries.push(Entry {
            key,
            columns: [Columns::default(); 2],
            settled: (0, 0),
        });
        let mut unplaced = index..index + 1;
        if 2 * self.entries.len() > self.slots.len() {
            self.slots = vec![FREE; (4 * self.entries.len()).next_power_of_two()];
            unplaced = 0..self.entries.len();
        }
        let last = self.slots.len() - 1;
        for place in unplaced {
            let mut slot = self.entries[place].key.hash() & last;
            while self.slots[slot] != FREE {
                slot = (slot + 1) & last;
            }
            self.slots[slot] = place as u32;
        }
        &mut self.entries[index]
    }
}

/// The number of an account, and below it that of an asset.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Key(u64);

impl Key {
    fn account(self) -> u32 {
        (self.0 >> 32) as u32
    }

    fn asset(self) -> u32 {
        self.0 as u32
    }

    /// Multiplied by the golden ratio: the high bits depend on all bits of the key.
    #[inline]
    fn hash(self) -> usize {
        (self.0.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as usize
    }
}

impl Entry {
    /// Empties the columns; gives the sum, `None` if it does not fit.
    #[inline(never)]
    fn settle(&mut self) -> Option<(i128, u32)> {
        let [plus, minus] = std::mem::take(&mut self.columns).map(|columns| columns.sum());
        self.settled = join(self.settled, (plus - minus, COLUMNS))?;
        Some(self.settled)
    }
}

/// Digits on each side of the point that are added by column.
const COLUMNS: u32 = 8;
/// How many digits a column of one byte can take: 28 × 9 is 252.
const MOST_ADDED: u32 = 28;

/// The digits of an amount, one in each byte.
#[derive(Clone, Copy)]
struct Digits {
    /// Before the point; the ones stand in the highest byte.
    whole: u64,
    /// Behind the point; the tenths stand in the lowest byte.
    fraction: u64,
}

/// Sums of digits, one in each byte, not carried.
#[derive(Clone, Copy, Default)]
struct Columns {
    whole: u64,
    fraction: u64,
    added: u32,
}

impl Columns {
    /// Whether no more can be added before the columns are settled.
    #[inline]
    fn add(&mut self, digits: Digits) -> bool {
        self.whole += digits.whole;
        self.fraction += digits.fraction;
        self.added += 1;
        self.added >= MOST_ADDED
    }

    /// The sum, in units of 10^-[`COLUMNS`]: 252 × 1,111,111,111,111,111 at most, which 64 bits hold.
    fn sum(self) -> i128 {
        let [whole, fraction] = [self.whole, self.fraction].map(u64::to_le_bytes);
        let columns = whole.iter().chain(&fraction);
        i128::from(columns.fold(0, |sum, column| sum * 10 + u64::from(*column)))
    }
}

impl Digits {
    /// Whether a minus stands before the amount at `place`, and its digits; `None` if it is not a plain amount with one
    /// to eight digits before the point and at most eight behind it, or if it stands near the start of the text.
    #[inline(always)]
    fn read(written: &[u8], place: Range<usize>) -> Option<(bool, Digits)> {
        let window: &[u8; WINDOW] = written.get(..place.end)?.last_chunk()?;
        let with_sign = place.end.wrapping_sub(place.start);
        // An amount of eight digits, a point, eight digits, and a minus.
        if with_sign.wrapping_sub(1) >= 2 * COLUMNS as usize + 2 {
            return None;
        }
        let minus = window[WINDOW - with_sign] == b'-';
        let length = with_sign - usize::from(minus);
        let last = eight(*window.last_chunk()?);
        // Digits at the end, as far as eight characters show.
        let at_end = (not_digits(last).leading_zeros() / 8) as usize;
        let (whole, whole_length, fraction) = if at_end >= length {
            (last, length, 0)
        } else {
            let point = WINDOW - 1 - at_end;
            if window[point] != b'.' || at_end == 0 {
                return None;
            }
            let whole = eight(*window[..point].last_chunk()?);
            (whole, length - at_end - 1, last >> (64 - 8 * at_end))
        };
        if whole_length.wrapping_sub(1) >= COLUMNS as usize {
            return None;
        }
        let before = 64 - 8 * whole_length;
        let whole = whole >> before << before;
        (not_digits(whole) == 0).then_some((minus, Digits { whole, fraction }))
    }
}

/// How much is looked at to read an amount: more than [`Digits`] can hold.
const WINDOW: usize = 24;

/// Eight characters, the last in the highest byte; digits are their values.
#[inline(always)]
fn eight(characters: [u8; 8]) -> u64 {
    u64::from_le_bytes(characters) ^ u64::from_le_bytes([b'0'; 8])
}

/// The high bit of every byte that is not 0 to 9.
#[inline]
fn not_digits(bytes: u64) -> u64 {
    const LOW_BITS: u64 = u64::from_le_bytes([0x7F; 8]);
    const TO_128: u64 = u64::from_le_bytes([128 - 10; 8]);
    (((bytes & LOW_BITS) + TO_128) | bytes) & !LOW_BITS
}

/// A plain amount: mantissa and scale.
pub(super) fn read(text: &[u8]) -> Option<(i128, u32)> {
    let (negative, characters) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let mut small = 0_u64;
    let mut large: Option<i128> = None;
    let mut point = None;
    for (at, &character) in characters.iter().enumerate() {
        let digit = match character {
            b'0'..=b'9' => character - b'0',
            b'.' if point.is_none() && at > 0 && at + 1 < characters.len() => {
                point = Some(at);
                continue;
            }
            _ => return None,
        };
        if at < 18 {
            small = small * 10 + u64::from(digit);
        } else {
            let wide = large.unwrap_or(i128::from(small)).checked_mul(10)?;
            large = Some(wide.checked_add(i128::from(digit))?);
        }
    }
    if characters.is_empty() {
        return None;
    }
    let mantissa = large.unwrap_or(i128::from(small));
    let scale = point.map_or(0, |point| characters.len() - point - 1);
    Some((
        if negative { -mantissa } else { mantissa },
        u32::try_from(scale).ok()?,
    ))
}

/// The sum of two.
#[inline]
pub(super) fn join(one: (i128, u32), other: (i128, u32)) -> Option<(i128, u32)> {
    if one.1 == other.1 {
        return Some((one.0.checked_add(other.0)?, one.1));
    }
    join_unlike(one, other)
}

fn join_unlike(one: (i128, u32), other: (i128, u32)) -> Option<(i128, u32)> {
    let scale = one.1.max(other.1);
    let at_scale = |(mantissa, own): (i128, u32)| {
        if own == scale {
            return Some(mantissa);
        }
        mantissa.checked_mul(*POWERS.get((scale - own) as usize)?)
    };
    Some((at_scale(one)?.checked_add(at_scale(other)?)?, scale))
}

/// Powers of ten.
const POWERS: [i128; 39] = {
    let mut powers = [1; 39];
    let mut n = 1;
    while n < powers.len() {
        powers[n] = powers[n - 1] * 10;
        n += 1;
    }
    powers
};

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_sum_that_does_not_fit_is_found() {
        let most = i128::MAX.to_string();
        let add = |sums: &mut WrittenSums, text: &str| {
            sums.add_at(7, 7, text.as_bytes(), 0..text.len(), false);
        };
        let mut sums = WrittenSums::default();
        add(&mut sums, &most);
        assert_eq!(sums.failure, None);
        add(&mut sums, "1");
        assert!(sums.failure.is_some());
        // Only when columns and the rest come together.
        let mut sums = WrittenSums::default();
        add(&mut sums, &most);
        sums.add_at(7, 7, b"more than an amount can have,1", 29..30, false);
        assert_eq!(sums.failure, None);
        sums.name(|_| "A", |_| "B");
        assert!(sums.failure.is_some());
    }

    #[test]
    fn only_plain_amounts_are_read_back() {
        assert_eq!(read(b"-12.050"), Some((-12050, 3)));
        assert_eq!(read(b"0"), Some((0, 0)));
        for wrong in ["", "-", "1e5", "1.", ".5", "+1", "1,000"] {
            assert_eq!(read(wrong.as_bytes()), None, "{wrong}");
        }
    }

    /// What is written for an amount, or nearly.
    fn texts() -> impl Strategy<Value = String> {
        prop_oneof![
            "-?[0-9]{1,9}([.][0-9]{1,9})?",
            "-?(0|[1-9][0-9]{0,8})([.][0-9]{0,7}[1-9])?",
            "-?[0-9]{1,20}([.][0-9]{1,18})?",
            "[-+]?[0-9.,]{0,12}",
        ]
    }

    proptest! {
        #[test]
        fn columns_add_up_as_numbers_do(
            amounts in proptest::collection::vec((0_u32..3, 0_u32..40, texts(), any::<bool>()), 0..200),
            readable in any::<bool>(),
            before in "[0-9a-f,]{0,40}", split in 0_usize..200,
        ) {
            let names: Vec<String> = (0..40).map(|number| format!("N{number:02}")).collect();
            let mut by_name = WrittenSums::default();
            let mut halves = [WrittenSums::default(), WrittenSums::default()];
            for (nth, (account, asset, text, negative)) in amounts.iter().enumerate() {
                if readable && read(text.as_bytes()).is_none() {
                    continue;
                }
                let mut written = before.clone().into_bytes();
                let start = written.len();
                written.extend_from_slice(text.as_bytes());
                let place = start..written.len();
                written.extend_from_slice(b",fee");
                let half = &mut halves[usize::from(nth < split)];
                let sign = if *negative { -1 } else { 1 };
                let known = half.failure.clone();
                half.add_at(*account, *asset, &written, place, *negative);
                prop_assert_eq!(half.failure.is_some(), known.is_some() || read(text.as_bytes()).is_none());
                by_name.add(&names[*account as usize], &names[*asset as usize], text.as_bytes(), sign);
            }
            let [mut sums, other] = halves;
            sums.merge(other);
            sums.name(|account| &names[account as usize], |asset| &names[asset as usize]);
            prop_assert_eq!(sums.failure.is_some(), by_name.failure.is_some());
            if sums.failure.is_none() {
                prop_assert_eq!(sums.totals().0, by_name.totals().0);
            }
        }

        #[test]
        fn only_digits_with_a_point_between_are_read(text in texts()) {
            let digits = text.strip_prefix('-').unwrap_or(&text);
            let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
            let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            let expected = if all_digits(whole) && all_digits(fraction) {
                let mantissa = text.replace('.', "").parse().ok();
                mantissa.map(|mantissa: i128| (mantissa, digits.split_once('.').map_or(0, |_| fraction.len() as u32)))
            } else {
                None
            };
            prop_assert_eq!(read(text.as_bytes()), expected);
        }

        #[test]
        fn every_written_amount_is_read_back_as_it_was(mantissa in any::<i128>(), scale in 0u32..=38) {
            if let Some(amount) = Amount::from_parts(mantissa, scale) {
                let mut sums = WrittenSums::default();
                sums.add("A", "B", amount.to_string().as_bytes(), 1);
                prop_assert!(sums.failure.is_none());
                prop_assert_eq!(sums.totals().0.into_values().next(), Some(amount));
            }
        }
    }
}

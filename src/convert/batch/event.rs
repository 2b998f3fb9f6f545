//! Reads events where they lie in an arena.

use super::layout::{
    FIRST_OF_ROW, HAS_GROUP, HAS_VALUE, IS_FEE, LONG, NEGATIVE, SAME_ACCOUNT, head,
};
use crate::mapping::TEXT_COUNT;
use crate::model::short::Within;
use crate::model::{Amount, Kind, NameId, Role, Time};

/// One leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leg {
    pub account: NameId,
    pub asset: NameId,
    pub amount: Amount,
    pub role: Role,
    /// What the source says the leg was worth, and in what. Never below zero.
    pub value: Option<(Amount, NameId)>,
}

/// One leg as it lies in the arena: its amounts as they are written.
#[derive(Clone, Copy, Debug)]
pub struct LegText<'b> {
    pub account: NameId,
    pub asset: NameId,
    /// Whether the amount is below zero.
    pub negative: bool,
    pub role: Role,
    has_value: bool,
    /// Length of the amount without its sign.
    length: u8,
    /// Where that lies, from the head of its event on. A value follows it, with its currency.
    at: u32,
    /// From the head of its event on.
    bytes: &'b [u8],
}

impl<'b> LegText<'b> {
    /// The amount without its sign.
    #[inline(always)]
    pub fn amount(&self) -> Within<'b> {
        Within::new(self.bytes, self.at as usize, usize::from(self.length))
    }

    /// What it was worth, and in what.
    #[inline(always)]
    pub fn value(&self) -> Option<(Within<'b>, NameId)> {
        if !self.has_value {
            return None;
        }
        let mut reader = Reader {
            bytes: self.bytes,
            at: self.at as usize + usize::from(self.length),
        };
        let length = usize::from(reader.byte());
        let value = Within::new(self.bytes, reader.at, length);
        reader.at += length;
        Some((value, reader.name()))
    }

    /// The leg with its amounts read.
    pub fn read(&self) -> Leg {
        let amount =
            |text: Within<'_>| Amount::parse(text.bytes()).expect("the arena was written by us");
        let magnitude = amount(self.amount());
        Leg {
            account: self.account,
            asset: self.asset,
            amount: if self.negative {
                magnitude.neg()
            } else {
                magnitude
            },
            role: self.role,
            value: self
                .value()
                .map(|(text, currency)| (amount(text), currency)),
        }
    }
}

/// An event made from one row, or one row's part in a group, as it lies in an arena.
#[derive(Clone, Copy)]
pub struct Event<'b> {
    /// From its head on.
    bytes: &'b [u8],
    head: &'b [u8; head::BYTES],
}

impl<'b> Event<'b> {
    /// The event that lies at a place of an arena.
    #[inline]
    pub fn at(arena: &'b [u8], at: u32) -> Option<Event<'b>> {
        let bytes = arena.get(at as usize..)?;
        let head = bytes.first_chunk()?;
        Some(Event { bytes, head })
    }

    pub fn time(&self) -> Time {
        let digits = self.head[head::DIGITS] & !(FIRST_OF_ROW | HAS_GROUP);
        Time::with_enough_digits(i64::from_le_bytes(self.part(head::TIME)), digits)
    }

    pub fn time_ns(&self) -> i64 {
        i64::from_le_bytes(self.part(head::TIME))
    }

    pub fn kind(&self) -> Kind {
        Kind::ALL[usize::from(self.head[head::KIND])]
    }

    /// Hash of the row's cells: equal for equal rows of the same report and account.
    pub fn hash(&self) -> u128 {
        u128::from_le_bytes(self.part(head::HASH))
    }

    /// Key of the group that it is a part of.
    pub fn group(&self) -> Option<u128> {
        if self.head[head::DIGITS] & HAS_GROUP == 0 {
            return None;
        }
        self.bytes().last_chunk().copied().map(u128::from_le_bytes)
    }

    /// Whether no event of its row stands before it.
    pub fn is_first_of_row(&self) -> bool {
        self.head[head::DIGITS] & FIRST_OF_ROW != 0
    }

    /// Which of the row's events it is.
    pub fn nth(&self) -> u8 {
        self.head[head::NTH]
    }

    /// Number of the rule that made it.
    pub fn rule(&self) -> u16 {
        u16::from_le_bytes(self.part(head::RULE))
    }

    /// Number of its row within the batch.
    pub fn row(&self) -> u32 {
        u32::from_le_bytes(self.part(head::ROW))
    }

    /// 0-based line of its row within the chunk.
    pub fn line(&self) -> u32 {
        u32::from_le_bytes(self.part(head::LINE))
    }

    /// order_id, trade_id, tx_hash, address, note.
    pub fn texts(&self) -> [&'b [u8]; TEXT_COUNT] {
        let mut texts: [&[u8]; TEXT_COUNT] = Default::default();
        for (nth, text) in self.texts_there() {
            if let Some(place) = texts.get_mut(nth) {
                *place = text;
            }
        }
        texts
    }

    /// Which of [`Event::texts`] are not empty, each with its place among them, in their order.
    #[inline(always)]
    pub fn texts_there(&self) -> Texts<'b> {
        let at = usize::from(u16::from_le_bytes(self.part(head::TEXTS)));
        let mut reader = Reader {
            bytes: self.bytes,
            at,
        };
        let left = reader.byte();
        Texts { reader, left }
    }

    /// The legs as they are written.
    #[inline]
    pub fn legs(&self) -> Legs<'b> {
        Legs {
            reader: Reader {
                bytes: self.bytes,
                at: head::BYTES,
            },
            account: NameId(0),
            left: self.head[head::LEGS],
        }
    }

    /// All of it as it lies.
    pub fn bytes(&self) -> &'b [u8] {
        &self.bytes[..self.length() as usize]
    }

    fn length(&self) -> u32 {
        u32::from_le_bytes(self.part(head::LENGTH))
    }

    fn part<const N: usize>(&self, range: std::ops::Range<usize>) -> [u8; N] {
        self.head[range].try_into().expect("a part of the head")
    }
}

/// All events of an arena with their places, in order.
pub fn events(arena: &[u8]) -> impl Iterator<Item = (u32, Event<'_>)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let event = Event::at(arena, at)?;
        let here = at;
        at += event.length();
        Some((here, event))
    })
}

/// The texts of an event that are not empty.
pub struct Texts<'b> {
    reader: Reader<'b>,
    /// A bit for the place of each.
    left: u8,
}

impl<'b> Iterator for Texts<'b> {
    type Item = (usize, &'b [u8]);

    #[inline(always)]
    fn next(&mut self) -> Option<(usize, &'b [u8])> {
        if self.left == 0 {
            return None;
        }
        let nth = self.left.trailing_zeros() as usize;
        self.left &= self.left - 1;
        let length = self.reader.number();
        Some((nth, self.reader.take(length)))
    }
}

/// The legs of an event.
#[derive(Clone)]
pub struct Legs<'b> {
    reader: Reader<'b>,
    account: NameId,
    left: u8,
}

impl<'b> Legs<'b> {
    /// No legs.
    #[inline]
    pub fn none() -> Legs<'b> {
        Legs {
            reader: Reader { bytes: &[], at: 0 },
            account: NameId(0),
            left: 0,
        }
    }

    /// The leg that begins here, if its names have numbers of one byte.
    #[inline(always)]
    fn next_of_short_names(&mut self) -> Option<LegText<'b>> {
        let Reader { bytes, mut at } = self.reader;
        // A leg has four bytes at least.
        let start = u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?);
        let flags = start as u8;
        let (account, [asset, length, ..]) = if flags & SAME_ACCOUNT == 0 {
            at += 4;
            (start >> 8 & 0xFF, (start >> 16).to_le_bytes())
        } else {
            at += 3;
            (self.account.0, (start >> 8).to_le_bytes())
        };
        // An account of the leg before has that number once it was read there.
        if asset == LONG || flags & SAME_ACCOUNT == 0 && account == u32::from(LONG) {
            return None;
        }
        let leg = self.leg(flags, NameId(account), NameId(asset.into()), at, length);
        at += usize::from(length);
        if flags & HAS_VALUE != 0 {
            at += 1 + usize::from(*bytes.get(at)?);
            if *bytes.get(at)? == LONG {
                return None;
            }
            at += 1;
        }
        self.account = NameId(account);
        self.reader.at = at;
        Some(leg)
    }

    /// The leg that begins here, and the legs behind it.
    #[cold]
    fn next_of_any_names(mut self) -> (LegText<'b>, Legs<'b>) {
        let flags = self.reader.byte();
        if flags & SAME_ACCOUNT == 0 {
            self.account = self.reader.name();
        }
        let asset = self.reader.name();
        let length = self.reader.byte();
        let leg = self.leg(flags, self.account, asset, self.reader.at, length);
        self.reader.at += usize::from(length);
        if flags & HAS_VALUE != 0 {
            let length = self.reader.byte();
            self.reader.at += usize::from(length);
            self.reader.name();
        }
        (leg, self)
    }

    #[inline(always)]
    fn leg(&self, flags: u8, account: NameId, asset: NameId, at: usize, length: u8) -> LegText<'b> {
        LegText {
            account,
            asset,
            negative: flags & NEGATIVE != 0,
            role: if flags & IS_FEE != 0 {
                Role::Fee
            } else {
                Role::Main
            },
            has_value: flags & HAS_VALUE != 0,
            length,
            at: at as u32,
            bytes: self.reader.bytes,
        }
    }
}

impl<'b> Iterator for Legs<'b> {
    type Item = LegText<'b>;

    #[inline(always)]
    fn next(&mut self) -> Option<LegText<'b>> {
        self.left = self.left.checked_sub(1)?;
        match self.next_of_short_names() {
            Some(leg) => Some(leg),
            None => {
                let (leg, behind) = self.clone().next_of_any_names();
                *self = behind;
                Some(leg)
            }
        }
    }
}

/// Reads an arena.
#[derive(Clone, Copy)]
struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Reader<'b> {
    #[inline]
    fn byte(&mut self) -> u8 {
        let byte = self.bytes[self.at];
        self.at += 1;
        byte
    }

    #[inline]
    fn take(&mut self, length: usize) -> &'b [u8] {
        let taken = &self.bytes[self.at..self.at + length];
        self.at += length;
        taken
    }

    #[cold]
    fn array<const N: usize>(&mut self) -> [u8; N] {
        let rest = self.bytes[self.at..].first_chunk();
        self.at += N;
        *rest.expect("the arena was written by us")
    }

    #[inline]
    fn number(&mut self) -> usize {
        match self.byte() {
            LONG => u64::from_le_bytes(self.array()) as usize,
            short => usize::from(short),
        }
    }

    #[inline]
    fn name(&mut self) -> NameId {
        match self.byte() {
            LONG => NameId(u32::from_le_bytes(self.array())),
            short => NameId(u32::from(short)),
        }
    }
}

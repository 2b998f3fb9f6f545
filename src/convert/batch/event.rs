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
    currency: NameId,
    amount: Place,
    value: Place,
    /// From the head of its event on.
    bytes: &'b [u8],
}

/// Where a text lies, from the head of its event on.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    at: u32,
    length: u32,
}

impl<'b> LegText<'b> {
    /// The amount without its sign.
    #[inline(always)]
    pub fn amount(&self) -> Within<'b> {
        self.within(self.amount)
    }

    /// What it was worth, and in what.
    #[inline(always)]
    pub fn value(&self) -> Option<(Within<'b>, NameId)> {
        self.has_value
            .then(|| (self.within(self.value), self.currency))
    }

    #[inline(always)]
    fn within(&self, place: Place) -> Within<'b> {
        Within::new(self.bytes, place.at as usize, place.length as usize)
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
    #[inline(always)]
    pub fn texts(&self) -> [&'b [u8]; TEXT_COUNT] {
        let at = usize::from(u16::from_le_bytes(self.part(head::TEXTS)));
        let mut reader = Reader {
            bytes: self.bytes,
            at,
        };
        let mut texts: [&[u8]; TEXT_COUNT] = Default::default();
        let mut mask = reader.byte();
        while mask != 0 {
            let length = reader.number();
            let text = reader.take(length);
            if let Some(place) = texts.get_mut(mask.trailing_zeros() as usize) {
                *place = text;
            }
            mask &= mask - 1;
        }
        texts
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
        let byte = |at: usize| bytes.get(at).copied();
        // A leg has four bytes at least.
        let start = u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?);
        let flags = start as u8;
        let (account, [asset, length, ..]) = if flags & SAME_ACCOUNT == 0 {
            at += 4;
            ((start >> 8) as u8, (start >> 16).to_le_bytes())
        } else {
            at += 3;
            (0, (start >> 8).to_le_bytes())
        };
        let amount = Place {
            at: at as u32,
            length: u32::from(length),
        };
        at += usize::from(length);
        let (mut value, mut currency) = (Place::default(), 0);
        if flags & HAS_VALUE != 0 {
            let length = byte(at)?;
            value = Place {
                at: at as u32 + 1,
                length: u32::from(length),
            };
            at += usize::from(length) + 1;
            currency = byte(at)?;
            at += 1;
        }
        if account == LONG || asset == LONG || currency == LONG {
            return None;
        }
        if flags & SAME_ACCOUNT == 0 {
            self.account = NameId(u32::from(account));
        }
        self.reader.at = at;
        Some(self.leg(
            flags,
            NameId(asset.into()),
            amount,
            value,
            NameId(currency.into()),
        ))
    }

    #[cold]
    fn next_of_any_names(&mut self) -> LegText<'b> {
        let flags = self.reader.byte();
        if flags & SAME_ACCOUNT == 0 {
            self.account = self.reader.name();
        }
        let asset = self.reader.name();
        let amount = self.reader.text();
        let (mut value, mut currency) = (Place::default(), NameId(0));
        if flags & HAS_VALUE != 0 {
            value = self.reader.text();
            currency = self.reader.name();
        }
        self.leg(flags, asset, amount, value, currency)
    }

    #[inline(always)]
    fn leg(
        &self,
        flags: u8,
        asset: NameId,
        amount: Place,
        value: Place,
        currency: NameId,
    ) -> LegText<'b> {
        LegText {
            account: self.account,
            asset,
            negative: flags & NEGATIVE != 0,
            role: if flags & IS_FEE != 0 {
                Role::Fee
            } else {
                Role::Main
            },
            has_value: flags & HAS_VALUE != 0,
            currency,
            amount,
            value,
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
            None => Some(self.next_of_any_names()),
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

    fn text(&mut self) -> Place {
        let length = u32::from(self.byte());
        let at = self.at as u32;
        self.at += length as usize;
        Place { at, length }
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

    fn name(&mut self) -> NameId {
        match self.byte() {
            LONG => NameId(u32::from_le_bytes(self.array())),
            short => NameId(u32::from(short)),
        }
    }
}

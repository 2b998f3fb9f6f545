//! Puts events together, one behind the other, as they lie in an arena.

use super::layout::{
    FIRST_OF_ROW, HAS_GROUP, HAS_VALUE, IS_FEE, LONG, NEGATIVE, SAME_ACCOUNT, head,
};
use crate::model::short::up_to_seven;
use crate::model::{Amount, Kind, NameId, Role, Time};

/// An amount that is put into the arena: with its text as its source wrote it, where that is how it is written here.
#[derive(Clone, Copy, Debug)]
pub struct NewAmount<'a> {
    pub amount: Amount,
    /// The canonical text without the sign; empty if there is none.
    pub(in crate::convert) text: &'a [u8],
    /// It and what follows it, where it is so short and so much follows.
    pub(in crate::convert) block: Option<&'a [u8; 16]>,
}

impl<'a> NewAmount<'a> {
    /// An amount with its canonical text without the sign.
    #[inline(always)]
    pub fn written(amount: Amount, text: &'a [u8]) -> NewAmount<'a> {
        NewAmount {
            amount,
            text,
            block: None,
        }
    }

    /// As [`NewAmount::written`], with the text that a block begins with.
    #[inline(always)]
    pub fn in_block(amount: Amount, block: &'a [u8; 16], length: usize) -> NewAmount<'a> {
        NewAmount {
            amount,
            text: &block[..length],
            block: Some(block),
        }
    }

    /// Puts its text to a place, if that has at most 16 bytes. The bytes behind it are overwritten.
    #[inline(always)]
    fn put_into(&self, room: &mut [u8; 64], at: usize) {
        match self.block {
            Some(block) => room[at..at + 16].copy_from_slice(block),
            None => put_block(room, at, self.text),
        }
    }
}

impl From<Amount> for NewAmount<'_> {
    fn from(amount: Amount) -> Self {
        NewAmount::written(amount, b"")
    }
}

/// A leg of the event that is being made.
pub struct NewLeg<'a> {
    pub account: NameId,
    pub asset: NameId,
    /// With its sign.
    pub amount: NewAmount<'a>,
    pub role: Role,
    pub value: Option<(NewAmount<'a>, NameId)>,
}

/// What stands at the head of an event.
pub struct EventHead {
    pub time: Time,
    pub kind: Kind,
    pub rule: u16,
    pub hash: u128,
    /// Key of the group that it is a part of; 0: none.
    pub group: u128,
    /// Which of the row's events it is.
    pub nth: u8,
    /// 0-based line within the chunk.
    pub line: u32,
}

/// An arena in the making: the events that are made, and behind them the one that is being made. There is room behind
/// what is there, so that short texts are copied in pieces of a fixed size.
#[derive(Default)]
pub(super) struct Draft {
    /// What is behind `end` means nothing.
    bytes: Vec<u8>,
    /// Where the event begins that is being made.
    begin: usize,
    /// Where its next part goes.
    end: usize,
    /// What its legs add to the sums.
    moved: Vec<(NameId, NameId, Amount)>,
    /// Whether its only leg is of zero.
    only_zero: bool,
    last_account: Option<NameId>,
    /// Where its texts begin, in bytes from its head on.
    texts_at: usize,
    /// Which texts it has.
    texts: u8,
}

impl Draft {
    /// An empty arena, with room for the events of a text of this length. `memory` is used again.
    pub fn in_memory(mut memory: Vec<u8>, text_bytes: usize) -> Draft {
        if memory.is_empty() {
            memory = vec![0; text_bytes];
        } else if memory.len() < text_bytes {
            memory.resize(text_bytes, 0);
        }
        Draft {
            bytes: memory,
            ..Draft::default()
        }
    }

    /// The memory in which the events lie, to be used again.
    pub fn into_memory(self) -> Vec<u8> {
        self.bytes
    }

    /// The events that are made.
    #[inline]
    pub fn made(&self) -> &[u8] {
        &self.bytes[..self.begin]
    }

    /// Where the next event will lie.
    #[inline(always)]
    pub fn place(&self) -> u32 {
        u32::try_from(self.begin).expect(FITS)
    }

    /// Forgets the events from a place on.
    pub fn truncate(&mut self, first: u32) {
        self.begin = first as usize;
    }

    /// Begins an event. Its legs come first.
    #[inline(always)]
    pub fn begin(&mut self) {
        self.end = self.begin + head::BYTES;
        self.moved.clear();
        self.only_zero = false;
        self.last_account = None;
    }

    /// Adds a leg. Of several legs, those of zero say nothing and are left out.
    #[inline(always)]
    pub fn add_leg(&mut self, leg: &NewLeg<'_>) {
        let is_zero = leg.amount.amount.is_zero();
        if is_zero && !self.moved.is_empty() {
            return;
        }
        if self.only_zero {
            self.begin();
        }
        self.only_zero = is_zero;
        self.put_leg(leg);
        self.moved.push((leg.account, leg.asset, leg.amount.amount));
    }

    /// The legs that the event has so far: what each moves.
    #[inline(always)]
    pub fn moved(&self) -> &[(NameId, NameId, Amount)] {
        &self.moved
    }

    /// Whether the event has a leg, and that is of zero.
    #[inline(always)]
    pub fn is_only_zero(&self) -> bool {
        self.only_zero
    }

    /// Begins the texts of the event, behind its legs.
    #[inline(always)]
    pub fn begin_texts(&mut self) {
        self.texts_at = self.end - self.begin;
        self.texts = 0;
        // Which these are, it says when they are there.
        self.put_byte(0);
    }

    /// Puts a text behind those that are there, unless it is empty. `nth` is more than those before.
    #[inline(always)]
    pub fn put_text_nth(&mut self, nth: usize, text: &[u8]) {
        if !text.is_empty() {
            self.texts |= 1 << nth;
            self.put_number(text.len());
            self.put_text(text);
        }
    }

    /// As [`Draft::put_text_nth`], of the first bytes of a block, at least one.
    #[inline(always)]
    pub fn put_block_nth(&mut self, nth: usize, block: &[u8; 16], length: usize) {
        self.texts |= 1 << nth;
        let room = self.room::<17>();
        room[0] = length as u8;
        room[1..].copy_from_slice(block);
        self.end += 1 + length;
    }

    /// Ends the event, whose texts are there: puts there what stands at its head.
    #[inline(always)]
    pub fn finish(&mut self, row: u32, is_first_of_row: bool, event: &EventHead) {
        let mut digits = event.time.digits();
        if is_first_of_row {
            digits |= FIRST_OF_ROW;
        }
        if event.group != 0 {
            digits |= HAS_GROUP;
            *self.room() = event.group.to_le_bytes();
            self.end += 16;
        }
        let length = u32::try_from(self.end - self.begin).expect(FITS);
        let place = self.bytes[self.begin..].first_chunk_mut::<{ head::BYTES }>();
        let place = place.expect("it was begun");
        place[head::LENGTH].copy_from_slice(&length.to_le_bytes());
        place[head::ROW].copy_from_slice(&row.to_le_bytes());
        place[head::LINE].copy_from_slice(&event.line.to_le_bytes());
        place[head::TIME].copy_from_slice(&event.time.ns().to_le_bytes());
        place[head::HASH].copy_from_slice(&event.hash.to_le_bytes());
        place[head::RULE].copy_from_slice(&event.rule.to_le_bytes());
        let texts_at = u16::try_from(self.texts_at).expect("255 legs have less than 64 KiB");
        place[head::TEXTS].copy_from_slice(&texts_at.to_le_bytes());
        place[head::KIND] = event.kind as u8;
        place[head::DIGITS] = digits;
        place[head::NTH] = event.nth;
        place[head::LEGS] = u8::try_from(self.moved.len()).expect("a rule has fewer legs than 256");
        self.bytes[self.begin + self.texts_at] = self.texts;
        self.begin = self.end;
    }

    #[inline(always)]
    fn put_leg(&mut self, leg: &NewLeg<'_>) {
        let mut flags = 0;
        if leg.role == Role::Fee {
            flags |= IS_FEE;
        }
        if leg.amount.amount.is_negative() {
            flags |= NEGATIVE;
        }
        if leg.value.is_some() {
            flags |= HAS_VALUE;
        }
        if self.last_account == Some(leg.account) {
            flags |= SAME_ACCOUNT;
        }
        self.last_account = Some(leg.account);
        if self.put_short_leg(flags, leg).is_some() {
            return;
        }
        self.put_byte(flags);
        if flags & SAME_ACCOUNT == 0 {
            self.put_name(leg.account);
        }
        self.put_name(leg.asset);
        self.put_amount(&leg.amount);
        if let Some((value, currency)) = &leg.value {
            self.put_amount(value);
            self.put_name(*currency);
        }
    }

    /// The next `N` bytes, of which the caller says how many it took.
    #[inline(always)]
    fn room<const N: usize>(&mut self) -> &mut [u8; N] {
        if self.bytes.len() < self.end + N {
            self.grow(N);
        }
        let room = self.bytes[self.end..].first_chunk_mut();
        room.expect("it was made")
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, more: usize) {
        self.bytes
            .resize((self.end + more).next_power_of_two().max(512), 0);
    }

    #[inline(always)]
    fn put_byte(&mut self, byte: u8) {
        self.room::<1>()[0] = byte;
        self.end += 1;
    }

    /// Puts a leg there, in one piece: `None`, and nothing is there, unless all its parts are short.
    #[inline(always)]
    fn put_short_leg(&mut self, flags: u8, leg: &NewLeg<'_>) -> Option<()> {
        let short_name = |name: NameId| u8::try_from(name.0).ok().filter(|name| *name < LONG);
        let short_text = |text: &[u8]| (1..=16).contains(&text.len());
        let (account, asset) = (short_name(leg.account)?, short_name(leg.asset)?);
        let text = leg.amount.text;
        if !short_text(text) {
            return None;
        }
        let room = self.room::<64>();
        room[0] = flags;
        room[1] = account;
        let mut at = if flags & SAME_ACCOUNT == 0 { 2 } else { 1 };
        room[at] = asset;
        room[at + 1] = text.len() as u8;
        leg.amount.put_into(room, at + 2);
        at += 2 + text.len();
        if let Some((value, currency)) = &leg.value {
            let text = value.text;
            let currency = short_name(*currency)?;
            if !short_text(text) {
                return None;
            }
            room[at] = text.len() as u8;
            value.put_into(room, at + 1);
            at += 1 + text.len();
            room[at] = currency;
            at += 1;
        }
        self.end += at;
        Some(())
    }

    /// Puts a text there, without a call where it has at most 16 bytes.
    #[inline(always)]
    fn put_text(&mut self, text: &[u8]) {
        let length = text.len();
        match (text.first_chunk::<8>(), text.last_chunk::<8>()) {
            (Some(start), Some(end)) if length <= 16 => {
                let room = self.room::<16>();
                room[..8].copy_from_slice(start);
                room[length - 8..][..8].copy_from_slice(end);
            }
            (Some(_), _) => return self.put_long_text(text),
            _ => *self.room() = up_to_seven(text).to_le_bytes(),
        }
        self.end += length;
    }

    #[inline(never)]
    fn put_long_text(&mut self, text: &[u8]) {
        if self.bytes.len() < self.end + text.len() {
            self.grow(text.len());
        }
        self.bytes[self.end..][..text.len()].copy_from_slice(text);
        self.end += text.len();
    }

    #[inline(always)]
    fn put_amount(&mut self, new: &NewAmount<'_>) {
        if new.text.is_empty() {
            return self.put_written(new.amount.abs());
        }
        // The longest amount has 41 bytes.
        self.put_byte(new.text.len() as u8);
        self.put_text(new.text);
    }

    /// Puts an amount there whose text is nowhere yet.
    #[inline(never)]
    fn put_written(&mut self, amount: Amount) {
        let mut text = Vec::with_capacity(64);
        amount.write_to(&mut text);
        self.put_byte(text.len() as u8);
        self.put_text(&text);
    }

    #[inline(always)]
    fn put_number(&mut self, number: usize) {
        match u8::try_from(number) {
            Ok(short) if short < LONG => self.put_byte(short),
            _ => {
                self.put_byte(LONG);
                *self.room() = (number as u64).to_le_bytes();
                self.end += 8;
            }
        }
    }

    #[inline(always)]
    fn put_name(&mut self, name: NameId) {
        match u8::try_from(name.0) {
            Ok(short) if short < LONG => self.put_byte(short),
            _ => {
                self.put_byte(LONG);
                *self.room() = name.0.to_le_bytes();
                self.end += 4;
            }
        }
    }
}

/// Copies a text of at most 16 bytes to a place. The bytes behind it are overwritten.
#[inline(always)]
fn put_block(room: &mut [u8; 64], at: usize, text: &[u8]) {
    match (text.first_chunk::<8>(), text.last_chunk::<8>()) {
        (Some(start), Some(end)) => {
            room[at..at + 8].copy_from_slice(start);
            room[at + text.len() - 8..at + text.len()].copy_from_slice(end);
        }
        _ => room[at..at + 8].copy_from_slice(&up_to_seven(text).to_le_bytes()),
    }
}

/// Why an arena is not too large for its numbers.
const FITS: &str = "what a chunk says fits 4 GiB";

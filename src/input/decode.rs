//! Bytes of any encoding in, UTF-8 with `\n` or `\r\n` line ends out, as they are read.

use std::io::{self, Read};

use encoding_rs::{Decoder, DecoderResult};

use super::unpack::Raw;

/// How many encoded bytes are read at a time.
const ENCODED_BYTES: usize = 64 * 1024;

/// Stands where bytes cannot be decoded: it is not UTF-8 either, so that whoever reads the cell sees
/// that something is wrong with it.
const UNDECODABLE: u8 = 0xFF;

/// Bytes that are filled up to a length. Its memory is written once, not at every use.
#[derive(Debug, Default)]
pub(crate) struct Block {
    bytes: Vec<u8>,
    length: usize,
}

impl Block {
    /// An empty block in the memory of this vector.
    pub(crate) fn reusing(bytes: Vec<u8>) -> Block {
        Block { bytes, length: 0 }
    }

    /// A block that is filled with this text.
    pub(crate) fn holding(text: Vec<u8>) -> Block {
        Block {
            length: text.len(),
            bytes: text,
        }
    }

    pub(crate) fn text(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    pub(crate) fn into_text(mut self, length: usize) -> Vec<u8> {
        self.bytes.truncate(length.min(self.length));
        self.bytes
    }

    pub(crate) fn append(&mut self, text: &[u8]) {
        self.room(self.length + text.len())[..text.len()].copy_from_slice(text);
        self.length += text.len();
    }

    /// What is free between the text and `end`.
    fn room(&mut self, end: usize) -> &mut [u8] {
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        &mut self.bytes[self.length..]
    }
}

/// A source's bytes, decoded as they are read.
pub(crate) struct TextReader {
    raw: Raw,
    decoding: Option<Decoding>,
    /// The text's lines end with `\r` alone: make it `\n`.
    lone_cr: bool,
    /// A `\r` that was read and may be followed by `\n`.
    held_cr: bool,
    ended: bool,
}

struct Decoding {
    decoder: Decoder,
    encoded: Box<[u8]>,
    /// What of `encoded` is not decoded yet.
    ready: std::ops::Range<usize>,
    /// Nothing more comes from the source.
    last: bool,
}

impl TextReader {
    /// Reads UTF-8, or what a decoder makes of other bytes.
    pub(crate) fn new(raw: Raw, decoder: Option<Decoder>) -> TextReader {
        TextReader {
            raw,
            decoding: decoder.map(|decoder| Decoding {
                decoder,
                encoded: vec![0; ENCODED_BYTES].into(),
                ready: 0..0,
                last: false,
            }),
            lone_cr: false,
            held_cr: false,
            ended: false,
        }
    }

    /// Reads UTF-8 whose beginning was read already. `ended`: nothing follows.
    pub(crate) fn after(raw: Raw, ended: bool) -> TextReader {
        TextReader {
            ended,
            ..TextReader::new(raw, None)
        }
    }

    /// Nothing more comes.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended && !self.held_cr
    }

    /// From now on every `\r` without a `\n` becomes one, beginning with the text that was read.
    pub(crate) fn translate_lone_cr(&mut self, block: &mut Block) {
        self.lone_cr = true;
        self.translate(block, 0);
    }

    pub(crate) fn bytes_read(&self) -> u64 {
        self.raw.bytes_read()
    }

    /// Fills the block to at least `target` bytes, or to the end of the source.
    pub(crate) fn fill(&mut self, block: &mut Block, target: usize) -> io::Result<()> {
        while block.length < target && !self.ended {
            let from = block.length;
            if std::mem::take(&mut self.held_cr) {
                block.append(b"\r");
            }
            match &mut self.decoding {
                None => self.ended = !read_some(&mut self.raw, block, target)?,
                Some(decoding) => {
                    self.ended = !decoding.decode_some(&mut self.raw, block, target)?;
                }
            }
            if self.lone_cr {
                self.translate(block, from);
            }
        }
        Ok(())
    }

    fn translate(&mut self, block: &mut Block, from: usize) {
        let text = &mut block.bytes[from..block.length];
        if !self.ended && text.last() == Some(&b'\r') {
            self.held_cr = true;
            block.length -= 1;
        }
        let text = &mut block.bytes[from..block.length];
        let mut at = 0;
        while let Some(distance) = memchr::memchr(b'\r', &text[at..]) {
            at += distance;
            if text.get(at + 1) != Some(&b'\n') {
                text[at] = b'\n';
            }
            at += 1;
        }
    }
}

/// Reads something into the block; `false` at the end of the source.
fn read_some(raw: &mut Raw, block: &mut Block, target: usize) -> io::Result<bool> {
    let wanted = target - block.length.min(target);
    let room = &mut block.room(target.max(block.length + 1))[..wanted.max(1)];
    let count = read(raw, room)?;
    block.length += count;
    Ok(count > 0)
}

fn read(raw: &mut Raw, into: &mut [u8]) -> io::Result<usize> {
    loop {
        match raw.read(into) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

impl Decoding {
    /// Decodes something into the block; `false` at the end of the source.
    fn decode_some(&mut self, raw: &mut Raw, block: &mut Block, target: usize) -> io::Result<bool> {
        if self.ready.is_empty() && !self.last {
            let count = read(raw, &mut self.encoded)?;
            self.ready = 0..count;
            self.last = count == 0;
        }
        // The decoder needs some room to say even one character.
        let room = block.room(target + 64);
        let (result, read, written) = self.decoder.decode_to_utf8_without_replacement(
            &self.encoded[self.ready.clone()],
            room,
            self.last,
        );
        self.ready.start += read;
        block.length += written;
        match result {
            DecoderResult::InputEmpty => return Ok(!self.last),
            DecoderResult::Malformed(_, _) => block.append(&[UNDECODABLE]),
            DecoderResult::OutputFull => {}
        }
        Ok(true)
    }
}

impl std::fmt::Debug for TextReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TextReader")
            .field("lone_cr", &self.lone_cr)
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}

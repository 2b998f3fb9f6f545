//! The table `[journal]` of a target as it is written: all in which one program's journals differ from another's.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::dialect::Dialect;

/// How the journals of a program are written. Texts with braces have places, which are named with each.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(try_from = "JournalDocument")]
#[schemars(with = "JournalDocument")]
pub struct JournalLayout {
    pub(super) document: JournalDocument,
}

/// What a person may set, and what it is if they do not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalOption {
    pub name: String,
    pub default: String,
    pub about: String,
}

impl TryFrom<JournalDocument> for JournalLayout {
    type Error = String;

    fn try_from(document: JournalDocument) -> Result<JournalLayout, String> {
        Dialect::read(&document, &BTreeMap::new())?;
        Ok(JournalLayout { document })
    }
}

impl JournalLayout {
    /// All options, by name.
    pub fn options(&self) -> Vec<JournalOption> {
        super::dialect::options(&self.document)
    }

    /// Adds a name by which an asset is written, over what the layout says.
    pub fn rename(&mut self, asset: &str, written: &str) {
        self.document
            .commodities
            .rename
            .insert(asset.to_owned(), written.to_owned());
    }
}

/// The table `[journal]`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JournalDocument {
    /// How a day is written: `%Y`, `%m`, `%d` and what stands between them.
    pub date: String,
    /// Lines at the top of the file, as they stand.
    #[serde(default)]
    pub before: Vec<String>,
    /// What stands before tags and postings; twice before the tags of a posting.
    pub indent: String,
    /// The mark of an entry.
    #[serde(default = "star")]
    pub flag: String,
    /// The mark of an entry whose meaning is not known yet.
    #[serde(default = "exclamation")]
    pub unclear_flag: String,
    /// First line of an entry: `{date}`, `{flag}`, `{payee}` (the account up to its first `/`), `{kind}`.
    pub head: String,
    /// What makes entries of one transaction hash belong together.
    #[serde(default)]
    pub link: Option<LinkDocument>,
    /// A tag, on a line of its own: `{name}`, `{value}`.
    pub tag: String,
    /// The line that makes a tag known: `{name}`.
    #[serde(default)]
    pub tag_directive: Option<String>,
    /// `{account}`, `{amount}`, `{commodity}`.
    pub posting: String,
    /// What the amount of a posting cost in all, after its amount: `{amount}`, `{commodity}`.
    pub cost: String,
    /// How trades balance.
    pub trades: Trades,
    /// Of the two assets of a trade, the one that comes first here is its price, and the other carries the cost; if
    /// neither is here, the price is what was sent.
    #[serde(default)]
    pub prices_in: Vec<String>,
    /// A cost of more digits than this is not written, because the program would round it: such trades balance through
    /// the conversion account.
    #[serde(default)]
    pub cost_digits: Option<u8>,
    /// Amounts of more digits than this are rounded by the program: a loss.
    #[serde(default)]
    pub most_digits: Option<u8>,
    /// Amounts are written with at least so many digits behind the point.
    #[serde(default)]
    pub least_decimals: u8,
    /// The balance after a posting, at its end: `{amount}`, `{commodity}`.
    #[serde(default)]
    pub assertion: Option<String>,
    /// The balance at the start of the next day, on a line of its own: `{date}`, `{account}`, `{amount}`, `{commodity}`.
    #[serde(default)]
    pub balance: Option<String>,
    /// The line that makes a commodity known: `{date}` of its first use, `{commodity}`, `{sample}` (an amount with as many
    /// digits behind the point as any of its amounts has, two at least).
    #[serde(default)]
    pub commodity_directive: Option<String>,
    /// The line after it, where the commodity is not called what the asset is called: `{name}`.
    #[serde(default)]
    pub commodity_name: Option<String>,
    /// The line that makes an account known: `{date}` of its first use, `{account}`.
    #[serde(default)]
    pub account_directive: Option<String>,
    /// How payees are written.
    #[serde(default)]
    pub payee: TextDocument,
    /// How values of tags are written.
    #[serde(default)]
    pub values: TextDocument,
    pub commodities: NameDocument,
    /// Between the colons of the name of an account.
    pub account_parts: NameDocument,
    pub accounts: AccountsDocument,
}

fn star() -> String {
    "*".to_owned()
}

fn exclamation() -> String {
    "!".to_owned()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Trades {
    /// One asset for one other: the cost in all stands at one of them. Others: as `conversion`.
    TotalCost,
    /// Every asset balances by itself, against the conversion account.
    Conversion,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkDocument {
    /// What stands at the end of the first line: `{hash}`.
    pub written: String,
    /// What a hash must look like.
    pub pattern: String,
}

/// How texts of the sources are written. Whatever breaks a line is a blank, everywhere.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TextDocument {
    /// What is written for a character.
    #[serde(default)]
    pub replace: BTreeMap<String, String>,
    /// Longer texts are cut, which is a loss.
    #[serde(default)]
    pub longest_bytes: Option<usize>,
}

/// How names are made valid.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NameDocument {
    /// Names that are given by hand.
    #[serde(default)]
    pub rename: BTreeMap<String, String>,
    #[serde(default)]
    pub letters: Letters,
    /// A character that may stand in a name (a regular expression); the others are written as `stand_in`.
    pub allowed: String,
    pub stand_in: String,
    /// What a whole name must look like (a regular expression). One that does not, or that is reserved, gets `addition`
    /// before it, or after it, or both.
    #[serde(default)]
    pub pattern: Option<String>,
    #[serde(default)]
    pub reserved: Vec<String>,
    #[serde(default = "cross")]
    pub addition: String,
    /// In characters; a longer name ends with eight hex digits that stand for all of it.
    #[serde(default)]
    pub longest: Option<usize>,
    /// Names that look otherwise stand in quotes.
    #[serde(default)]
    pub plain: Option<String>,
    #[serde(default)]
    pub quote: String,
}

fn cross() -> String {
    "X".to_owned()
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Letters {
    #[default]
    AsTheyAre,
    /// The first is a capital.
    Capital,
    /// All are capitals.
    Upper,
}

/// The accounts: `{account}` with `:` for each `/`, `{asset}`, and `{kind}` in those that stand against the person's own.
/// Each is an option: `asset_account`, `fee_account`, … and `deposit_account` and so on for each kind.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountsDocument {
    /// With what a name may begin; empty: with anything.
    #[serde(default)]
    pub roots: Vec<String>,
    /// The person's own.
    pub asset: String,
    /// Fees that were paid, less those that were given back.
    pub fee: String,
    /// Trades that have no cost.
    pub conversion: String,
    /// What comes from elsewhere of the person, or goes there; deposits and withdrawals too, unless they are in the list.
    pub transfers: String,
    /// What comes in, of kinds that are not in the list.
    pub income: String,
    /// What goes out, of kinds that are not in the list.
    pub expense: String,
    #[serde(default)]
    pub kinds: BTreeMap<String, KindAccount>,
}

/// One account for both ways, or one for each.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "an account, or a table with `in` and `out`")]
pub enum KindAccount {
    Both(String),
    ByWay(ByWay),
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ByWay {
    #[serde(rename = "in")]
    pub incoming: String,
    #[serde(rename = "out")]
    pub outgoing: String,
}

//! A layout ready to write with: templates and patterns read, the person's options in place.

use std::collections::BTreeMap;

use regex::Regex;

use super::layout::{AccountsDocument, JournalDocument, JournalOption, KindAccount, Trades};
use super::names::NameRules;
use super::template::Template;
use super::texts::Texts;
use crate::model::{Kind, Time};

/// Tags of an entry and of a posting, in the order in which they are written. (None is called `value`: one program takes a
/// tag of that name for a rule of valuation.)
pub const TAGS: [&str; 10] = [
    "event", "time", "kind", "source", "order_id", "trade_id", "tx_hash", "address", "note",
    "worth",
];

/// Places of templates, by number.
pub mod place {
    pub const HEAD: &[&str] = &["date", "flag", "payee", "kind"];
    pub const LINK: &[&str] = &["hash"];
    pub const TAG: &[&str] = &["name", "value"];
    pub const NAME: &[&str] = &["name"];
    pub const COST: &[&str] = &["amount", "commodity"];
    pub const POSTING: &[&str] = &["amount", "commodity", "account"];
    pub const BALANCE: &[&str] = &["amount", "commodity", "account", "date"];
    pub const COMMODITY: &[&str] = &["date", "commodity", "sample"];
    pub const ACCOUNT: &[&str] = &["date", "account"];
    pub const NAMES: &[&str] = &["account", "asset", "kind"];
    pub const ASSET: usize = 1;
}

/// What the person's own account stands against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Counter {
    Fee,
    Conversion,
    Transfers,
    /// By the kind of the event.
    In,
    Out,
}

pub struct Dialect {
    pub document: JournalDocument,
    date: Template,
    pub head: Template,
    pub link: Option<(Template, Regex)>,
    pub tag: Template,
    pub tag_directive: Option<Template>,
    pub posting: Template,
    pub cost: Template,
    pub trades: Trades,
    pub assertion: Option<Template>,
    pub balance: Option<Template>,
    pub commodity_directive: Option<Template>,
    pub commodity_name: Option<Template>,
    pub account_directive: Option<Template>,
    pub payee: Texts,
    pub values: Texts,
    pub commodities: NameRules,
    pub parts: NameRules,
    pub own: Template,
    fee: Template,
    conversion: Template,
    transfers: Template,
    /// By kind: in, out.
    kinds: Vec<[Template; 2]>,
}

/// Name of the option that says how trades balance.
const TRADES: &str = "trades";

impl Dialect {
    /// # Errors
    /// What is wrong with the layout, or with an option.
    pub fn read(
        document: &JournalDocument,
        options: &BTreeMap<String, String>,
    ) -> Result<Dialect, String> {
        if let Some(unknown) = options.keys().find(|name| {
            !self::options(document)
                .iter()
                .any(|known| known.name == **name)
        }) {
            return Err(format!("there is no option `{unknown}`"));
        }
        let line = |key: &str, text: &String, places: &[&str]| {
            Template::parse(text, places).map_err(|reason| format!("`{key}`: {reason}"))
        };
        let maybe = |key: &str, text: &Option<String>, places: &[&str]| {
            text.as_ref()
                .map(|text| line(key, text, places))
                .transpose()
        };
        let keyed = |key: &'static str| move |reason: String| format!("`{key}`: {reason}");
        let link = match &document.link {
            Some(link) => Some((
                line("link", &link.written, place::LINK)?,
                Regex::new(&format!("^(?:{})$", link.pattern))
                    .map_err(|error| format!("`link`: {error}"))?,
            )),
            None => None,
        };
        let trades = match options.get(TRADES).map(String::as_str) {
            None => document.trades,
            Some("total_cost") => Trades::TotalCost,
            Some("conversion") => Trades::Conversion,
            Some(other) => {
                return Err(format!(
                    "`{TRADES}` is `total_cost` or `conversion`, not `{other}`"
                ));
            }
        };
        let parts = NameRules::read(&document.account_parts).map_err(keyed("account_parts"))?;
        let accounts = AccountReader {
            document: &document.accounts,
            parts: &parts,
            options,
        };
        let own = accounts.read("asset", &document.accounts.asset, &place::NAMES[..2])?;
        let counter = |key: &str, text: &str| accounts.read(key, text, place::NAMES);
        let (fee, conversion, transfers) = (
            counter("fee", &document.accounts.fee)?,
            counter("conversion", &document.accounts.conversion)?,
            counter("transfers", &document.accounts.transfers)?,
        );
        let kinds = accounts.kinds()?;
        let dialect = Dialect {
            date: date_template(&document.date)?,
            head: line("head", &document.head, place::HEAD)?,
            link,
            tag: line("tag", &document.tag, place::TAG)?,
            tag_directive: maybe("tag_directive", &document.tag_directive, place::NAME)?,
            posting: line("posting", &document.posting, place::POSTING)?,
            cost: line("cost", &document.cost, place::COST)?,
            trades,
            assertion: maybe("assertion", &document.assertion, place::COST)?,
            balance: maybe("balance", &document.balance, place::BALANCE)?,
            commodity_directive: maybe(
                "commodity_directive",
                &document.commodity_directive,
                place::COMMODITY,
            )?,
            commodity_name: maybe("commodity_name", &document.commodity_name, place::NAME)?,
            account_directive: maybe(
                "account_directive",
                &document.account_directive,
                place::ACCOUNT,
            )?,
            payee: Texts::read(&document.payee).map_err(keyed("payee"))?,
            values: Texts::read(&document.values).map_err(keyed("values"))?,
            commodities: NameRules::read(&document.commodities).map_err(keyed("commodities"))?,
            own,
            fee,
            conversion,
            transfers,
            kinds,
            parts,
            document: document.clone(),
        };
        // Without these a posting would say nothing, and could not be proved.
        if !(0..place::POSTING.len()).all(|place| dialect.posting.has(place)) {
            return Err("`posting` needs {account}, {amount} and {commodity}".to_owned());
        }
        Ok(dialect)
    }

    /// The account that a person's own stands against.
    pub fn counter(&self, counter: Counter, kind: Kind) -> &Template {
        match counter {
            Counter::Fee => &self.fee,
            Counter::Conversion => &self.conversion,
            Counter::Transfers => &self.transfers,
            Counter::In => &self.kinds[kind as usize][0],
            Counter::Out => &self.kinds[kind as usize][1],
        }
    }

    /// Appends the day of an instant, in UTC.
    pub fn put_date(&self, out: &mut Vec<u8>, time_ns: i64) {
        let mut text = Vec::with_capacity(32);
        Time::new(time_ns, 0).write_to(&mut text);
        self.date.write(out, |place, out| {
            out.extend_from_slice([&text[..4], &text[5..7], &text[8..10]][place]);
        });
    }

    pub fn date(&self, time_ns: i64) -> String {
        let mut out = Vec::new();
        self.put_date(&mut out, time_ns);
        String::from_utf8_lossy(&out).into_owned()
    }
}

fn date_template(text: &str) -> Result<Template, String> {
    let marked = text
        .replace("%Y", "{year}")
        .replace("%m", "{month}")
        .replace("%d", "{day}");
    let template = Template::parse(&marked, &["year", "month", "day"])
        .map_err(|reason| format!("`date`: {reason}"))?;
    if marked.contains('%') || !(0..3).all(|place| template.has(place)) {
        return Err(format!(
            "`date`: `{text}` needs %Y, %m and %d, and knows no other"
        ));
    }
    Ok(template)
}

/// Kinds that stand against an account of their own; the others have theirs by what they are.
fn has_account(kind: Kind) -> bool {
    !matches!(kind, Kind::Trade | Kind::Transfer | Kind::Fee)
}

/// The layout's accounts of a kind, in and out: the key of each, and what it says.
fn of_layout(accounts: &AccountsDocument, kind: Kind) -> [(&'static str, &str); 2] {
    let word = kind.word();
    match (accounts.kinds.get(word), kind) {
        (Some(KindAccount::Both(both)), _) => [(word, both), (word, both)],
        (Some(KindAccount::ByWay(ways)), _) => [(word, &ways.incoming), (word, &ways.outgoing)],
        (None, Kind::Deposit | Kind::Withdrawal) => [("transfers", &accounts.transfers); 2],
        (None, _) => [("income", &accounts.income), ("expense", &accounts.expense)],
    }
}

fn option_name(key: &str) -> String {
    format!("{key}_account")
}

/// All options of a layout, by name.
pub fn options(document: &JournalDocument) -> Vec<JournalOption> {
    let accounts = &document.accounts;
    let mut options = vec![JournalOption {
        name: TRADES.to_owned(),
        default: match document.trades {
            Trades::TotalCost => "total_cost",
            Trades::Conversion => "conversion",
        }
        .to_owned(),
        about: "how trades balance: total_cost or conversion".to_owned(),
    }];
    let mut add = |key: &str, default: String, about: String| {
        options.push(JournalOption {
            name: option_name(key),
            default,
            about,
        });
    };
    for (key, default, about) in [
        ("asset", &accounts.asset, "your own accounts"),
        ("fee", &accounts.fee, "fees"),
        (
            "conversion",
            &accounts.conversion,
            "trades that have no cost",
        ),
        (
            "transfers",
            &accounts.transfers,
            "transfers whose other side is not known",
        ),
        ("income", &accounts.income, "other kinds that come in"),
        ("expense", &accounts.expense, "other kinds that go out"),
    ] {
        add(key, default.clone(), about.to_owned());
    }
    for kind in Kind::ALL.iter().copied().filter(|kind| has_account(*kind)) {
        let [(_, incoming), (_, outgoing)] = of_layout(accounts, kind);
        let default = match incoming == outgoing {
            true => incoming.to_owned(),
            false => format!("{incoming}, {outgoing}"),
        };
        add(kind.word(), default, format!("what {kind} stands against"));
    }
    options.sort_by(|one, other| one.name.cmp(&other.name));
    options
}

/// Reads the names of accounts: the person's where there is one, else the layout's.
struct AccountReader<'a> {
    document: &'a AccountsDocument,
    parts: &'a NameRules,
    options: &'a BTreeMap<String, String>,
}

impl AccountReader<'_> {
    fn read(&self, key: &str, text: &str, places: &[&str]) -> Result<Template, String> {
        let name = option_name(key);
        match self.options.get(&name) {
            Some(theirs) => self.template(&name, theirs, places),
            None => self.template(key, text, places),
        }
    }

    fn kinds(&self) -> Result<Vec<[Template; 2]>, String> {
        for word in self.document.kinds.keys() {
            if !Kind::from_word(word).is_some_and(has_account) {
                return Err(format!(
                    "`accounts.kinds`: `{word}` is no kind with an account of its own"
                ));
            }
        }
        let of_kind = |kind: &Kind| {
            let option = option_name(kind.word());
            let theirs = self.options.get(&option).filter(|_| has_account(*kind));
            let way = |(key, text): (&str, &str)| match theirs {
                Some(theirs) => self.template(&option, theirs, place::NAMES),
                None => self.read(key, text, place::NAMES),
            };
            let [incoming, outgoing] = of_layout(self.document, *kind);
            Ok([way(incoming)?, way(outgoing)?])
        };
        Kind::ALL.iter().map(of_kind).collect()
    }

    /// A template whose own letters are such as the program takes, so that what comes of it is valid.
    fn template(&self, key: &str, text: &str, places: &[&str]) -> Result<Template, String> {
        let template =
            Template::parse(text, places).map_err(|reason| format!("`{key}`: {reason}"))?;
        // What stands in the places is made valid by itself; here they stand for it.
        let sample = template.with(&["Aa1", "Aa1", "Aa1"][..places.len()]);
        let mut parts = sample.split(':');
        if let Some(wrong) = parts.find(|part| self.parts.name(part).as_deref() != Some(part)) {
            return Err(format!("`{key}`: `{text}` cannot have the part `{wrong}`"));
        }
        let roots = &self.document.roots;
        if !roots.is_empty() {
            let (root, rest) = text.split_once(':').unwrap_or((text, ""));
            if rest.is_empty() || !roots.iter().any(|known| known == root) {
                return Err(format!(
                    "`{key}`: `{text}` must begin with one of {} and go on",
                    roots
                        .iter()
                        .map(|root| format!("`{root}:`"))
                        .collect::<Vec<_>>()
                        .join(", ")
                ));
            }
        }
        Ok(template)
    }
}

//! A mapping as it is written: the TOML file, one to one. `docs/language.md` tells what each key means.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer};

/// One report of one exchange, in all its header generations.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "coinfold mapping")]
pub struct Document {
    /// The version of the language: 1.
    pub mapping: i64,
    pub exchange: String,
    pub report: String,
    /// A sentence that a customer can follow.
    pub how_to_get: String,
    /// Whether this report alone is a whole history, or which others it needs.
    #[serde(default)]
    pub complete: Option<Complete>,
    /// Reports that tell the same events: giving both for one account is warned about.
    #[serde(default)]
    pub instead_of: Vec<String>,
    /// Alias tables in `formats/assets/`.
    #[serde(default)]
    pub assets: Vec<String>,
    /// One text for each known header generation.
    #[serde(default)]
    pub generations: Vec<String>,
    /// Headers that are known and not needed; `*` stands for anything.
    #[serde(default)]
    pub unused: Vec<String>,
    #[serde(default)]
    pub file: FileOptions,
    pub columns: BTreeMap<String, Column>,
    /// New columns from old ones, in expressions.
    #[serde(default)]
    pub derive: BTreeMap<String, String>,
    #[serde(default)]
    pub own: Option<Own>,
    #[serde(default)]
    pub skip: Vec<Skip>,
    /// What every rule shares.
    #[serde(default)]
    pub defaults: Rule,
    #[serde(default)]
    pub rule: Vec<Rule>,
    #[serde(default)]
    pub otherwise: Option<Rule>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "true, false, or a text that says which other reports are needed"
)]
pub enum Complete {
    Alone(bool),
    Needs(String),
}

/// What is unusual about the file.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileOptions {
    pub delimiter: Option<String>,
    pub encoding: Option<String>,
    pub header: Option<bool>,
    pub sheet: Option<String>,
    pub order: Option<Order>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum Order {
    #[serde(rename = "newest first")]
    NewestFirst,
    #[serde(rename = "oldest first")]
    OldestFirst,
}

/// Whose history it is: how the person's own address is found.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Own {
    pub file_name: Option<String>,
    #[serde(default)]
    pub columns: Vec<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Skip {
    pub when: When,
    pub because: String,
}

/// A rule; also what all rules share, a case of a rule, and one of several events of a row.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    pub when: Option<When>,
    pub kind: Option<String>,
    pub kind_from: Option<String>,
    #[serde(rename = "in")]
    pub incoming: Option<Legs>,
    pub out: Option<Legs>,
    #[serde(rename = "move")]
    pub moved: Option<Legs>,
    pub fee: Option<Legs>,
    pub balance: Option<String>,
    pub account: Option<String>,
    pub time: Option<String>,
    /// The id that the event has already: 16 hex digits.
    pub event_id: Option<String>,
    pub order_id: Option<String>,
    pub trade_id: Option<String>,
    pub tx_hash: Option<String>,
    pub address: Option<String>,
    pub note: Option<String>,
    #[serde(default)]
    pub cases: Vec<Case>,
    #[serde(default)]
    pub events: Vec<Rule>,
    pub by: Option<OneOrMany>,
    pub window: Option<String>,
    pub adjacent: Option<bool>,
    pub expect: Option<Expect>,
    pub role: Option<Roles>,
}

impl Rule {
    /// This rule with what it leaves unsaid taken from another. Legs go together: a rule that says any of `in`, `out`
    /// and `move` takes none of them from elsewhere.
    pub fn over(&self, base: &Rule) -> Rule {
        let legs = if self.incoming.is_some() || self.out.is_some() || self.moved.is_some() {
            self
        } else {
            base
        };
        let kind = if self.kind.is_some() || self.kind_from.is_some() {
            self
        } else {
            base
        };
        let text =
            |mine: &Option<String>, its: &Option<String>| mine.clone().or_else(|| its.clone());
        Rule {
            when: None,
            kind: kind.kind.clone(),
            kind_from: kind.kind_from.clone(),
            incoming: legs.incoming.clone(),
            out: legs.out.clone(),
            moved: legs.moved.clone(),
            fee: self.fee.clone().or_else(|| base.fee.clone()),
            balance: text(&self.balance, &base.balance),
            account: text(&self.account, &base.account),
            time: text(&self.time, &base.time),
            event_id: text(&self.event_id, &base.event_id),
            order_id: text(&self.order_id, &base.order_id),
            trade_id: text(&self.trade_id, &base.trade_id),
            tx_hash: text(&self.tx_hash, &base.tx_hash),
            address: text(&self.address, &base.address),
            note: text(&self.note, &base.note),
            cases: Vec::new(),
            events: if self.events.is_empty() {
                base.events.clone()
            } else {
                self.events.clone()
            },
            by: self.by.clone().or_else(|| base.by.clone()),
            window: text(&self.window, &base.window),
            adjacent: self.adjacent.or(base.adjacent),
            expect: self.expect.clone().or_else(|| base.expect.clone()),
            role: self.role.clone().or_else(|| base.role.clone()),
        }
    }
}

/// The shape that a group of rows must have.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    pub rows: Option<String>,
    #[serde(rename = "in")]
    pub incoming: Option<String>,
    pub out: Option<String>,
    pub fees: Option<String>,
    pub in_assets: Option<Vec<String>>,
    pub out_assets: Option<Vec<String>>,
    pub balanced: Option<bool>,
}

/// For which rows of a group a `move` leg is not a main leg.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Roles {
    pub fee: Option<String>,
}

/// A small variant of a rule: conditions on columns, and keys of the rule that differ.
#[derive(Clone, Debug)]
pub struct Case {
    pub conditions: BTreeMap<String, OneOrMany>,
    pub rule: Rule,
}

/// The keys of a rule: in a case, any other key is a condition on a column.
pub const RULE_KEYS: &[&str] = &[
    "when",
    "kind",
    "kind_from",
    "in",
    "out",
    "move",
    "fee",
    "balance",
    "account",
    "time",
    "event_id",
    "order_id",
    "trade_id",
    "tx_hash",
    "address",
    "note",
    "cases",
    "events",
    "by",
    "window",
    "adjacent",
    "expect",
    "role",
];

impl<'de> Deserialize<'de> for Case {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let table = toml::Table::deserialize(deserializer)?;
        let (keys, conditions): (toml::Table, toml::Table) = table
            .into_iter()
            .partition(|(key, _)| RULE_KEYS.contains(&key.as_str()));
        Ok(Case {
            conditions: toml::Value::Table(conditions)
                .try_into()
                .map_err(de::Error::custom)?,
            rule: toml::Value::Table(keys)
                .try_into()
                .map_err(de::Error::custom)?,
        })
    }
}

impl JsonSchema for Case {
    fn schema_name() -> Cow<'static, str> {
        "Case".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let words = generator.subschema_for::<OneOrMany>();
        let rule = Rule::json_schema(generator);
        let properties = rule.get("properties").cloned().unwrap_or_default();
        json_schema!({
            "description": "Conditions on columns (a word or a list of words), and keys of the rule that differ.",
            "type": "object",
            "properties": properties,
            "additionalProperties": words,
        })
    }
}

/// A text or a list of texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneOrMany(pub Vec<String>);

/// What must hold: a table of columns and words, an expression, or a list of these.
#[derive(Clone, Debug)]
pub struct When {
    pub tables: Vec<BTreeMap<String, OneOrMany>>,
    pub expressions: Vec<String>,
}

/// A leg or a list of legs.
#[derive(Clone, Debug)]
pub struct Legs(pub Vec<Leg>);

/// One leg: `AMOUNT ASSET …`, and the account if it is another one.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Leg {
    pub leg: String,
    pub account: Option<String>,
}

/// A column of the export.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct ColumnTable {
    pub header: Option<OneOrMany>,
    pub nth: Option<usize>,
    pub at: Option<usize>,
    pub join: Option<Vec<OneOrMany>>,
    #[serde(rename = "type", default)]
    pub kind: ColumnType,
    #[serde(default)]
    pub optional: bool,
    #[serde(default)]
    pub private: bool,
    #[serde(default)]
    pub volatile: bool,
    #[serde(default)]
    pub unique: bool,
    #[serde(default)]
    pub blank: Vec<String>,
    #[serde(default)]
    pub family: bool,
    #[serde(default)]
    pub ignore_case: bool,
    #[serde(default)]
    pub formats: Vec<String>,
    pub zone: Option<String>,
    pub decimal: Option<String>,
    pub group: Option<String>,
    #[serde(default)]
    pub strip: Vec<String>,
    #[serde(default)]
    pub parentheses: bool,
    #[serde(default)]
    pub trailing_minus: bool,
    #[serde(default)]
    pub scale: u8,
    #[serde(default)]
    pub upper: bool,
    #[serde(default)]
    pub symbols: BTreeMap<String, String>,
    #[serde(default)]
    pub units: Vec<String>,
    pub separator: Option<OneOrMany>,
    #[serde(default)]
    pub quotes: Vec<String>,
    #[serde(default)]
    pub exceptions: BTreeMap<String, String>,
    #[serde(default)]
    pub reversed: bool,
    pub prefix: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ColumnType {
    #[default]
    Text,
    Choice,
    Id,
    Time,
    Amount,
    Asset,
    Money,
    Pair,
}

/// A column, written short (the header text or its spellings) or as a table.
#[derive(Clone, Debug)]
pub struct Column(pub ColumnTable);

/// An alias table: `formats/assets/NAME.toml`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AliasDocument {
    /// Patterns that are cut from a code before it is looked up again.
    #[serde(default)]
    pub strip: Vec<String>,
    #[serde(default)]
    pub alias: BTreeMap<String, String>,
    #[serde(default)]
    pub renamed: Vec<Renamed>,
}

/// One code with two meanings in time. Days are UTC.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Renamed {
    pub code: String,
    pub before: Option<String>,
    pub from: Option<String>,
    pub to: String,
}

/// Reads a text, a list or a table, whichever the type can be written as.
trait Written: Sized {
    const EXPECTED: &'static str;
    fn from_text(text: String) -> Option<Self>;
    fn from_list<'de, A: SeqAccess<'de>>(_list: A) -> Option<Result<Self, A::Error>> {
        None
    }
    fn from_table<'de, A: MapAccess<'de>>(_table: A) -> Option<Result<Self, A::Error>> {
        None
    }
}

struct WrittenVisitor<T>(std::marker::PhantomData<T>);

impl<'de, T: Written> Visitor<'de> for WrittenVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        T::from_text(text.to_owned())
            .ok_or_else(|| E::invalid_type(de::Unexpected::Str(text), &self))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<T, A::Error> {
        T::from_list(list)
            .unwrap_or_else(|| Err(de::Error::invalid_type(de::Unexpected::Seq, &self)))
    }

    fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<T, A::Error> {
        T::from_table(table)
            .unwrap_or_else(|| Err(de::Error::invalid_type(de::Unexpected::Map, &self)))
    }
}

fn collect<'de, I: Deserialize<'de>, A: SeqAccess<'de>>(mut list: A) -> Result<Vec<I>, A::Error> {
    let mut items = Vec::new();
    while let Some(item) = list.next_element()? {
        items.push(item);
    }
    Ok(items)
}

impl Written for OneOrMany {
    const EXPECTED: &'static str = "a text or a list of texts";
    fn from_text(text: String) -> Option<Self> {
        Some(OneOrMany(vec![text]))
    }
    fn from_list<'de, A: SeqAccess<'de>>(list: A) -> Option<Result<Self, A::Error>> {
        Some(collect(list).map(OneOrMany))
    }
}

impl Written for When {
    const EXPECTED: &'static str =
        "a table of columns and words, an expression, or a list of these";
    fn from_text(text: String) -> Option<Self> {
        Some(When {
            tables: Vec::new(),
            expressions: vec![text],
        })
    }
    fn from_list<'de, A: SeqAccess<'de>>(list: A) -> Option<Result<Self, A::Error>> {
        Some(collect::<When, A>(list).map(|parts| {
            let mut all = When {
                tables: Vec::new(),
                expressions: Vec::new(),
            };
            for part in parts {
                all.tables.extend(part.tables);
                all.expressions.extend(part.expressions);
            }
            all
        }))
    }
    fn from_table<'de, A: MapAccess<'de>>(table: A) -> Option<Result<Self, A::Error>> {
        let table = BTreeMap::deserialize(MapAccessDeserializer::new(table));
        Some(table.map(|table| When {
            tables: vec![table],
            expressions: Vec::new(),
        }))
    }
}

impl Written for Legs {
    const EXPECTED: &'static str =
        "a leg (`amount asset`), a table with `leg` and `account`, or a list of these";
    fn from_text(text: String) -> Option<Self> {
        Some(Legs(vec![Leg {
            leg: text,
            account: None,
        }]))
    }
    fn from_list<'de, A: SeqAccess<'de>>(list: A) -> Option<Result<Self, A::Error>> {
        Some(
            collect::<Legs, A>(list)
                .map(|legs| Legs(legs.into_iter().flat_map(|legs| legs.0).collect())),
        )
    }
    fn from_table<'de, A: MapAccess<'de>>(table: A) -> Option<Result<Self, A::Error>> {
        Some(Leg::deserialize(MapAccessDeserializer::new(table)).map(|leg| Legs(vec![leg])))
    }
}

impl Written for Column {
    const EXPECTED: &'static str = "a header text, a list of its spellings, or a table";
    fn from_text(text: String) -> Option<Self> {
        Some(Column(ColumnTable {
            header: Some(OneOrMany(vec![text])),
            ..ColumnTable::default()
        }))
    }
    fn from_list<'de, A: SeqAccess<'de>>(list: A) -> Option<Result<Self, A::Error>> {
        Some(collect(list).map(|spellings| {
            Column(ColumnTable {
                header: Some(OneOrMany(spellings)),
                ..ColumnTable::default()
            })
        }))
    }
    fn from_table<'de, A: MapAccess<'de>>(table: A) -> Option<Result<Self, A::Error>> {
        Some(ColumnTable::deserialize(MapAccessDeserializer::new(table)).map(Column))
    }
}

/// Deserialize and JSON Schema for the types that are written in several ways.
macro_rules! written {
    ($type:ident, $schema:expr) => {
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(WrittenVisitor::<$type>(std::marker::PhantomData))
            }
        }

        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                let schema: fn(&mut SchemaGenerator) -> Schema = $schema;
                schema(generator)
            }
        }
    };
}

written!(OneOrMany, |_| json_schema!({
    "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }]
}));
written!(When, |generator| {
    let words = generator.subschema_for::<OneOrMany>();
    let one = json_schema!({
        "anyOf": [{ "type": "string", "description": "an expression" },
                  { "type": "object", "additionalProperties": words }]
    });
    json_schema!({ "anyOf": [one.clone(), { "type": "array", "items": one }] })
});
written!(Legs, |generator| {
    let leg = generator.subschema_for::<Leg>();
    let one = json_schema!({ "anyOf": [{ "type": "string", "description": "AMOUNT ASSET" }, leg] });
    json_schema!({ "anyOf": [one.clone(), { "type": "array", "items": one }] })
});
written!(Column, |generator| {
    let table = ColumnTable::json_schema(generator);
    let header = generator.subschema_for::<OneOrMany>();
    json_schema!({ "anyOf": [header, table] })
});

//! What an expression of a target may ask of a row: its fields, by number.

use std::borrow::Cow;

use super::pool::Flow;
use super::rows::Row;
use crate::convert::{Evaluate, Evaluated, Value};
use crate::ledger::EventView;
use crate::mapping::Expr;
use crate::model::{Amount, NameId};
use crate::target::{Field, SLOTS, Side, slot_field};

/// How the assets and accounts of a ledger are written for a target.
pub struct Codes<'l> {
    /// Codes by asset, as the tool wants them.
    pub assets: Vec<String>,
    /// Whether an asset is money of a state.
    pub fiat: Vec<bool>,
    pub accounts: &'l [std::sync::Arc<str>],
}

/// Fields of a row; those that it does not have are blank.
pub struct Facts {
    pub values: Vec<Value<'static>>,
}

impl<'r> Evaluate<'r> for Facts {
    fn fact(&self, expr: &'r Expr) -> Evaluated<Value<'r>> {
        Ok(match expr {
            Expr::Cell(field) => self.values[*field].clone(),
            _ => Value::Blank,
        })
    }

    fn is_empty(&self, column: usize) -> bool {
        self.values[column] == Value::Blank
    }

    fn canonical(&self, code: Cow<'r, [u8]>) -> Value<'r> {
        Value::Text(code)
    }
}

/// A text, or a blank for an empty one.
pub fn text(text: &str) -> Value<'static> {
    if text.is_empty() {
        Value::Blank
    } else {
        Value::Text(Cow::Owned(text.as_bytes().to_vec()))
    }
}

impl Facts {
    /// What all rows of an event share.
    pub fn of_event(view: &EventView<'_>, field_count: usize) -> Facts {
        let mut facts = Facts {
            values: vec![Value::Blank; field_count],
        };
        let mut id = Vec::new();
        super::super::csv_text::put_id(&mut id, view.id);
        facts.set(Field::Event, Value::Text(Cow::Owned(id)));
        facts.set(Field::Time, Value::Time(view.time));
        let texts = [
            Field::OrderId,
            Field::TradeId,
            Field::TxHash,
            Field::Address,
            Field::Note,
        ];
        for (field, bytes) in texts.into_iter().zip(view.texts()) {
            facts.set_text(field, &String::from_utf8_lossy(bytes));
        }
        let ids: Vec<_> = view.texts()[..3]
            .iter()
            .filter(|id| !id.is_empty())
            .map(|id| String::from_utf8_lossy(id))
            .collect();
        facts.set_text(Field::Ids, &ids.join(" "));
        let place = view.place();
        facts.set_text(Field::Format, place.format);
        facts.set_text(Field::File, place.file);
        facts.set(Field::Line, number(place.line));
        facts
    }

    /// What one row has beside that. A row is filled in anew for each question, for its fee may be moved.
    pub fn of_row(&self, row: &Row, codes: &Codes<'_>) -> Facts {
        let mut facts = Facts {
            values: self.values.clone(),
        };
        facts.set_text(Field::Kind, row.kind.word());
        let account = &codes.accounts[row.account.0 as usize];
        facts.set_text(Field::Account, account);
        facts.set_text(
            Field::Platform,
            account
                .split_once('/')
                .map_or(account, |(before, _)| before),
        );
        if let Some(to) = row.to_account {
            facts.set_text(Field::ToAccount, &codes.accounts[to.0 as usize]);
        }
        facts.set_text(Field::Sides, sides_word(row.side()));
        facts.set_text(Field::EventSides, sides_word(row.event_sides));
        let sent = [
            Field::SentAmount,
            Field::SentAsset,
            Field::SentType,
            Field::SentValue,
            Field::SentValueCurrency,
        ];
        let received = [
            Field::ReceivedAmount,
            Field::ReceivedAsset,
            Field::ReceivedType,
            Field::ReceivedValue,
            Field::ReceivedValueCurrency,
        ];
        let fee = [
            Field::FeeAmount,
            Field::FeeAsset,
            Field::FeeType,
            Field::FeeValue,
            Field::FeeValueCurrency,
        ];
        facts.set_flow(&sent, row.sent.first(), codes);
        facts.set_flow(&received, row.received.first(), codes);
        facts.set_flow(&fee, row.fee.as_ref(), codes);
        if let Some(rebate) = row.fee.filter(|fee| fee.stream.sign() > 0) {
            facts.set(Field::FeeAmount, Value::Amount(rebate.amount.neg()));
        }
        for (is_sent, flows) in [(true, &row.sent), (false, &row.received)] {
            for (flow, slot) in flows.iter().skip(1).zip(2..=SLOTS) {
                facts.set_slot(slot_field(is_sent, slot), flow, codes);
            }
        }
        let worth = row
            .received
            .first()
            .and_then(|flow| flow.value)
            .or_else(|| row.sent.first().and_then(|flow| flow.value));
        if let Some((value, currency)) = worth {
            facts.set(Field::Value, Value::Amount(value));
            facts.set(Field::ValueCurrency, asset(codes, currency));
        }
        let (direction, leg) = match row.leg.unwrap_or(row.side()) {
            Side::In => ("in", row.received.first()),
            Side::Out => ("out", row.sent.first()),
            _ => ("", None),
        };
        facts.set_text(Field::Direction, direction);
        if let Some(leg) = leg {
            facts.set(Field::Amount, Value::Amount(leg.amount));
            facts.set(Field::Asset, asset(codes, leg.asset));
            facts.set_text(Field::AssetType, type_of(codes, leg.asset));
        }
        facts
    }

    pub fn set(&mut self, field: Field, value: Value<'static>) {
        self.values[field as usize] = value;
    }

    pub fn set_text(&mut self, field: Field, of: &str) {
        self.set(field, text(of));
    }

    pub fn set_number(&mut self, field: Field, of: usize) {
        self.set(field, number(of as u64));
    }

    /// Fields: amount, asset, type, value, currency of the value.
    fn set_flow(&mut self, fields: &[Field; 5], flow: Option<&Flow>, codes: &Codes<'_>) {
        let Some(flow) = flow else { return };
        self.set(fields[0], Value::Amount(flow.amount));
        self.set(fields[1], asset(codes, flow.asset));
        self.set_text(fields[2], type_of(codes, flow.asset));
        if let Some((value, currency)) = flow.value {
            self.set(fields[3], Value::Amount(value));
            self.set(fields[4], asset(codes, currency));
        }
    }

    fn set_slot(&mut self, first: usize, flow: &Flow, codes: &Codes<'_>) {
        self.values[first] = Value::Amount(flow.amount);
        self.values[first + 1] = asset(codes, flow.asset);
        if let Some((value, currency)) = flow.value {
            self.values[first + 2] = Value::Amount(value);
            self.values[first + 3] = asset(codes, currency);
        }
    }
}

fn sides_word(sides: Side) -> &'static str {
    match sides {
        Side::In => "received",
        Side::Out => "sent",
        Side::Both => "both",
        Side::None => "none",
    }
}

fn asset(codes: &Codes<'_>, id: NameId) -> Value<'static> {
    text(&codes.assets[id.0 as usize])
}

fn type_of(codes: &Codes<'_>, id: NameId) -> &'static str {
    if codes.fiat[id.0 as usize] {
        "fiat"
    } else {
        "coin"
    }
}

fn number(of: u64) -> Value<'static> {
    Value::Amount(Amount::from(i64::try_from(of).unwrap_or(i64::MAX)))
}

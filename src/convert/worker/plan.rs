//! Rules made ready for the rows of one file: where a cell stands and how it is read is found once, not for every row.
//!
//! A plan says the same as the rule that it was made of. What a plan has no form for, it leaves to the rule's expression,
//! and a row that it cannot read is read again by the rule, which says why.

use std::cell::Cell as Kept;

use super::names::NamesOfCells;
use super::{GroupKey, RowView, are_one_column};
use crate::convert::batch::NewAmount;
use crate::convert::evaluate::{Evaluate, trim};
use crate::convert::file::FileContext;
use crate::mapping::cell::{AmountReader, TimeReader, Zone};
use crate::mapping::{Cell, EventTemplate, Expr, Group, LegTemplate, ZoneFrom};
use crate::model::{Amount, NameId, Short, Time};

/// The events of a rule.
pub(super) struct RulePlan<'f> {
    pub events: Box<[EventPlan<'f>]>,
}

pub(super) struct EventPlan<'f> {
    pub template: &'f EventTemplate,
    pub time: TimePlan<'f>,
    pub account: AccountPlan<'f>,
    pub legs: Box<[LegPlan<'f>]>,
    /// The texts that the rule gives, by number.
    pub texts: Box<[(usize, TextPlan<'f>)]>,
    /// What its group shares.
    pub group: Option<GroupPlan<'f>>,
    /// The balance after the row.
    pub balance: Option<(AmountPlan<'f>, AssetPlan<'f>)>,
}

pub(super) struct GroupPlan<'f> {
    pub group: &'f Group,
    /// Without what its rows share.
    pub key: GroupKey,
    pub parts: Box<[KeyPlan<'f>]>,
}

/// A part of a group's key.
pub(super) enum KeyPlan<'f> {
    /// A cell of text.
    Cell(usize),
    /// The time of the event.
    Time,
    Other(&'f Expr),
}

pub(super) struct LegPlan<'f> {
    pub template: &'f LegTemplate,
    pub amount: AmountPlan<'f>,
    pub asset: AssetPlan<'f>,
    pub value: Option<(AmountPlan<'f>, AssetPlan<'f>)>,
    /// Where it is another than the event's.
    pub account: Option<AccountPlan<'f>>,
}

pub(super) enum TimePlan<'f> {
    Cell {
        at: usize,
        reader: &'f TimeReader,
        zone: &'f Zone,
        expr: &'f Expr,
    },
    Other(&'f Expr),
}

pub(super) enum TextPlan<'f> {
    Cell(usize),
    Other(&'f Expr),
}

pub(super) enum AccountPlan<'f> {
    /// A name that stands in the mapping, and its number when it is known.
    Stated(&'f [Expr], Kept<Option<NameId>>),
    /// A name that follows from a few cells: the number of the worker's names of cells.
    OfCells(&'f [Expr], usize),
    Other(&'f [Expr]),
}

pub(super) enum AssetPlan<'f> {
    Cell {
        at: usize,
        upper: bool,
        expr: &'f Expr,
    },
    /// A code that stands in the mapping, and its number when it is known and does not depend on the time.
    Stated(&'f Expr, Kept<Option<NameId>>),
    /// A code that follows from a few cells: the number of the worker's names of cells.
    OfCells(&'f Expr, usize),
    Other(&'f Expr),
}

pub(super) enum AmountPlan<'f> {
    Cell {
        at: usize,
        reader: &'f AmountReader,
        /// Whether a plain number is what it says: with a point, and in whole units.
        plain: bool,
    },
    /// The first that is not blank.
    First(Box<[AmountPlan<'f>; 2]>),
    If(
        TruthPlan<'f>,
        Box<AmountPlan<'f>>,
        Option<Box<AmountPlan<'f>>>,
    ),
    Other(&'f Expr),
}

pub(super) enum TruthPlan<'f> {
    /// Whether a cell is one of some short texts.
    OneOf {
        at: usize,
        texts: Box<[Short]>,
        negated: bool,
    },
    Other(&'f Expr),
}

impl<'f> RulePlan<'f> {
    /// The plan of the rule with this number. `names`: those of cells that the worker has, to which others are added.
    pub fn of(
        number: usize,
        file: &'f FileContext,
        names: &mut Vec<NamesOfCells<'f>>,
    ) -> RulePlan<'f> {
        let rule = &file.program.rules[number];
        let event = |template: &'f EventTemplate| {
            let texts = template.texts.iter().enumerate();
            let texts: Box<[_]> = texts
                .filter_map(|(nth, expr)| Some((nth, TextPlan::of(expr.as_ref()?, file))))
                .collect();
            EventPlan {
                template,
                time: TimePlan::of(&template.time, file),
                account: AccountPlan::of(&template.account, file, names),
                legs: template
                    .legs
                    .iter()
                    .map(|leg| LegPlan::of(leg, file, names))
                    .collect(),
                group: (rule.group.as_ref())
                    .map(|group| GroupPlan::of(number, group, template, file)),
                balance: template.balance.as_ref().map(|(amount, asset)| {
                    let asset = AssetPlan::of(asset, file, names);
                    (AmountPlan::of(amount, file), asset)
                }),
                texts,
            }
        };
        RulePlan {
            events: rule.events.iter().map(event).collect(),
        }
    }
}

impl<'f> LegPlan<'f> {
    fn of(
        template: &'f LegTemplate,
        file: &'f FileContext,
        names: &mut Vec<NamesOfCells<'f>>,
    ) -> LegPlan<'f> {
        LegPlan {
            template,
            amount: AmountPlan::of(&template.amount, file),
            asset: AssetPlan::of(&template.asset, file, names),
            value: template.value.as_ref().map(|(worth, currency)| {
                let currency = AssetPlan::of(currency, file, names);
                (AmountPlan::of(worth, file), currency)
            }),
            account: (template.account.as_deref()).map(|parts| AccountPlan::of(parts, file, names)),
        }
    }
}

impl<'f> TimePlan<'f> {
    fn of(expr: &'f Expr, file: &'f FileContext) -> TimePlan<'f> {
        if let Expr::Cell(column) = expr
            && let Cell::Time(reader, ZoneFrom::Stated(zone)) = &file.program.columns[*column].cell
            && let Some(at) = file.plain(*column)
        {
            let reader = reader.in_order(file.dates);
            return TimePlan::Cell {
                at,
                reader,
                zone,
                expr,
            };
        }
        TimePlan::Other(expr)
    }

    /// The instant; `None` for a blank, and where it cannot be read.
    #[inline]
    pub fn read(&self, view: &RowView<'_>) -> Option<Time> {
        match self {
            TimePlan::Cell {
                at,
                reader,
                zone,
                expr,
            } => match reader.read(trim(view.record.get(*at)?), zone) {
                Ok(time) => Some(time),
                Err(_) => view.time(expr).ok()?,
            },
            TimePlan::Other(expr) => view.time(expr).ok()?,
        }
    }
}

impl<'f> TextPlan<'f> {
    fn of(expr: &'f Expr, file: &FileContext) -> TextPlan<'f> {
        if let Expr::Cell(column) = expr
            && matches!(file.program.columns[*column].cell, Cell::Text)
            && let Some(at) = file.plain(*column)
        {
            return TextPlan::Cell(at);
        }
        TextPlan::Other(expr)
    }
}

impl<'f> GroupPlan<'f> {
    fn of(
        rule: usize,
        group: &'f Group,
        event: &EventTemplate,
        file: &FileContext,
    ) -> GroupPlan<'f> {
        let part = |expr: &'f Expr| match (expr, TextPlan::of(expr, file)) {
            _ if are_one_column(&event.time, expr) => KeyPlan::Time,
            (_, TextPlan::Cell(at)) => KeyPlan::Cell(at),
            _ => KeyPlan::Other(expr),
        };
        GroupPlan {
            group,
            key: GroupKey::of(file, rule),
            parts: group.key.iter().map(part).collect(),
        }
    }
}

impl<'f> AccountPlan<'f> {
    fn of(
        parts: &'f [Expr],
        file: &FileContext,
        names: &mut Vec<NamesOfCells<'f>>,
    ) -> AccountPlan<'f> {
        if let [Expr::Text(_)] = parts {
            return AccountPlan::Stated(parts, Kept::new(None));
        }
        match NamesOfCells::number_among(names, parts, true, file) {
            Some(number) => AccountPlan::OfCells(parts, number),
            None => AccountPlan::Other(parts),
        }
    }
}

impl<'f> AssetPlan<'f> {
    fn of(expr: &'f Expr, file: &FileContext, names: &mut Vec<NamesOfCells<'f>>) -> AssetPlan<'f> {
        if let Some(plan) = AssetPlan::of_plain(expr, file) {
            return plan;
        }
        let exprs = std::slice::from_ref(expr);
        match NamesOfCells::number_among(names, exprs, false, file) {
            Some(number) => AssetPlan::OfCells(expr, number),
            None => AssetPlan::Other(expr),
        }
    }

    /// The plan for a code that stands in the mapping, or in a cell of codes.
    fn of_plain(expr: &'f Expr, file: &FileContext) -> Option<AssetPlan<'f>> {
        match expr {
            Expr::Text(_) => Some(AssetPlan::Stated(expr, Kept::new(None))),
            Expr::Cell(column) => {
                let at = file.plain(*column)?;
                match file.program.columns[*column].cell {
                    Cell::Asset { upper } => Some(AssetPlan::Cell { at, upper, expr }),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

impl<'f> AmountPlan<'f> {
    fn of(expr: &'f Expr, file: &'f FileContext) -> AmountPlan<'f> {
        match expr {
            Expr::Cell(column) => {
                match (&file.program.columns[*column].cell, file.plain(*column)) {
                    (Cell::Amount(reader), Some(at)) => AmountPlan::Cell {
                        at,
                        reader,
                        plain: reader.reads_plain(),
                    },
                    _ => AmountPlan::Other(expr),
                }
            }
            Expr::Derived(index) => AmountPlan::of(&file.program.derived[*index], file),
            Expr::Coalesce(left, right) => {
                let both = [AmountPlan::of(left, file), AmountPlan::of(right, file)];
                // A text that is not blank would stop the search, and be no amount.
                if both[0].is_amount() {
                    AmountPlan::First(Box::new(both))
                } else {
                    AmountPlan::Other(expr)
                }
            }
            Expr::If(condition, then, otherwise) => AmountPlan::If(
                TruthPlan::of(condition, file),
                Box::new(AmountPlan::of(then, file)),
                otherwise
                    .as_deref()
                    .map(|otherwise| Box::new(AmountPlan::of(otherwise, file))),
            ),
            _ => AmountPlan::Other(expr),
        }
    }

    /// Whether it is known to give an amount or a blank, and no text.
    fn is_amount(&self) -> bool {
        match self {
            AmountPlan::Cell { .. } => true,
            AmountPlan::First(both) => both.iter().all(AmountPlan::is_amount),
            AmountPlan::If(_, then, otherwise) => {
                then.is_amount() && otherwise.as_ref().is_none_or(|plan| plan.is_amount())
            }
            AmountPlan::Other(_) => false,
        }
    }

    /// The amount with its text where it stands as it is written, `Some(None)` for a blank; `None` where it cannot be read.
    #[inline(always)]
    pub fn read<'r>(&'r self, view: &RowView<'r>) -> Option<Option<NewAmount<'r>>> {
        // Of several the first is looked at here, for it is mostly there.
        let (first, only) = match self {
            AmountPlan::First(both) => (&both[0], false),
            plan => (plan, true),
        };
        if let AmountPlan::Cell { at, plain, .. } = first {
            let cell = view.record.cell(*at);
            let length = cell.map_or(0, |cell| cell.length());
            if length == 0 {
                if only {
                    return Some(None);
                }
            } else if *plain
                && let Some(block) = cell?.block()
                && let Some((amount, length)) = Amount::parse_block(block, length)
            {
                return Some(Some(NewAmount::in_block(amount, block, length)));
            }
        }
        self.read_other(view)
    }

    /// As [`AmountPlan::read`], of an amount of which only the magnitude counts: where there is a text, that alone.
    #[inline(always)]
    pub fn read_magnitude<'r>(&'r self, view: &RowView<'r>) -> Option<Option<NewAmount<'r>>> {
        if let AmountPlan::Cell { at, plain, .. } = self {
            let cell = view.record.cell(*at);
            let length = cell.map_or(0, |cell| cell.length());
            if length == 0 {
                return Some(None);
            }
            if *plain
                && let Some(block) = cell?.block()
                && let Some((_, length)) = Amount::parse_block(block, length)
            {
                return Some(Some(NewAmount::in_block(Amount::ZERO, block, length)));
            }
        }
        let found = self.read_other(view)?;
        Some(found.map(|found| NewAmount {
            amount: found.amount.abs(),
            ..found
        }))
    }

    #[inline(never)]
    fn read_other<'r>(&'r self, view: &RowView<'r>) -> Option<Option<NewAmount<'r>>> {
        match self {
            AmountPlan::Cell { at, reader, plain } => {
                let cell = view.record.get(*at).unwrap_or_default();
                if *plain && let Some((amount, canonical)) = Amount::parse_plain(cell) {
                    return Some(Some(NewAmount::written(amount, &cell[canonical.range()?])));
                }
                let cell = trim(cell);
                if cell.is_empty() {
                    return Some(None);
                }
                let (amount, canonical) = reader.read_canonical(cell).ok()?;
                let text = canonical.range().map_or(&b""[..], |range| &cell[range]);
                Some(Some(NewAmount::written(amount, text)))
            }
            AmountPlan::First(both) => match both[0].read(view)? {
                None => both[1].read(view),
                found => Some(found),
            },
            AmountPlan::If(condition, then, otherwise) => {
                match (condition.holds(view)?, otherwise) {
                    (true, _) => then.read(view),
                    (false, Some(otherwise)) => otherwise.read(view),
                    (false, None) => Some(None),
                }
            }
            AmountPlan::Other(expr) => view.amount_text(expr).ok(),
        }
    }
}

impl<'f> TruthPlan<'f> {
    fn of(expr: &'f Expr, file: &'f FileContext) -> TruthPlan<'f> {
        if let Expr::OneOf(subject, texts, negated) = expr
            && let Expr::Cell(column) = &**subject
            && let Some(at) = file.plain(*column)
            && match file.program.columns[*column].cell {
                Cell::Text => true,
                Cell::Asset { upper } => !upper && file.program.aliases.is_empty(),
                _ => false,
            }
            && let Some(texts) = texts.iter().map(|text| Short::of(text)).collect()
        {
            let negated = *negated;
            return TruthPlan::OneOf { at, texts, negated };
        }
        TruthPlan::Other(expr)
    }

    /// `None` where it cannot be told.
    fn holds(&self, view: &RowView<'_>) -> Option<bool> {
        match self {
            TruthPlan::OneOf { at, texts, negated } => {
                let cell = trim(view.record.get(*at).unwrap_or_default());
                let found = Short::of(cell).is_some_and(|short| texts.contains(&short));
                Some(found != *negated)
            }
            TruthPlan::Other(expr) => view.truth(expr).ok(),
        }
    }
}

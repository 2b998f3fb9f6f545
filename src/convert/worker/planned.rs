//! Reads a row by the plan of its rule. A row that cannot be read so is left to the general way.

use std::rc::Rc;

use super::super::batch::{BalanceRecord, Batch, EventHead, NewAmount, NewLeg};
use super::super::evaluate::{Evaluate, trim};
use super::super::row_view::RowView;
use super::names::{address_of, near_place};
use super::plan::{
    AccountPlan, AmountPlan, AssetPlan, GroupPlan, KeyPlan, LegPlan, RulePlan, TextPlan,
};
use super::{
    Candidate, Moved, NEAR, Worker, event_id, has_stray_cells, is_blank, is_header, kind, moved,
    role, skipped_by,
};
use crate::input::Record;
use crate::mapping::{Expr, Group, KindFrom};
use crate::model::{NameId, Short, Time};

impl<'f> Worker<'f> {
    /// Makes the events of a rule from a row, as its plan says. `None` for a row that it cannot be said of.
    #[inline(always)]
    fn apply_plan(
        &mut self,
        view: &RowView<'_>,
        rule_index: usize,
        plan: &RulePlan<'_>,
        batch: &mut Batch,
    ) -> Option<()> {
        let file = self.file;
        let rule = &file.program.rules[rule_index];
        let mut hash = None;
        let first = batch.place();
        for (nth, event) in plan.events.iter().enumerate() {
            let time = event.time.read(view)?;
            let hash = *hash.get_or_insert_with(|| file.row_hash(time.ns(), view.record));
            let account = self.planned_account(view, &event.account)?;
            let fee_row = match &rule.group {
                Some(Group {
                    fee_rows: Some(test),
                    ..
                }) => view.truth(test).ok()?,
                _ => false,
            };
            let at = batch.begin_event();
            for leg in &event.legs {
                self.planned_leg(view, leg, account, time, fee_row, batch)?;
            }
            let (legs, all_zero) = batch.legs_so_far();
            if legs == 0 || (plan.events.len() > 1 && all_zero) {
                continue;
            }
            let group = match &event.group {
                Some(group) => planned_group_key(view, group, time)?,
                None => 0,
            };
            let head = EventHead {
                time,
                kind: match &event.template.kind {
                    KindFrom::Stated(kind) => *kind,
                    KindFrom::Text(_) => kind(view, event.template).ok()?,
                },
                rule: rule_index as u16,
                hash,
                group,
                nth: nth as u8,
                line: view.record.line(),
            };
            batch.begin_texts();
            for (nth, text) in &event.texts {
                match text {
                    TextPlan::Cell(at) => {
                        if let Some(cell) = view.record.cell(*at) {
                            batch.add_cell(*nth, cell);
                        }
                    }
                    TextPlan::Other(expr) => add_any_text(view, *nth, expr, batch)?,
                }
            }
            batch.end_event(at, &head);
            if let Some(expr) = &event.template.event_id
                && let Some(id) = event_id(&view.text(expr).ok()?)
            {
                batch.given_ids.push((at, id));
            }
            if let Some(balance) = &event.balance {
                self.planned_balance(view, balance, account, time, at, batch)?;
            }
        }
        if batch.place() == first {
            return None;
        }
        self.keep(view, rule, first, batch);
        Some(())
    }

    /// As [`Worker::leg`].
    #[inline(always)]
    fn planned_leg(
        &mut self,
        view: &RowView<'_>,
        plan: &LegPlan<'_>,
        account: NameId,
        time: Time,
        fee_row: bool,
        batch: &mut Batch,
    ) -> Option<()> {
        let leg = plan.template;
        let Some(found) = plan.amount.read(view)? else {
            return leg.optional.then_some(());
        };
        let amount = match moved(leg, found.amount) {
            Moved::Wrong => return None,
            Moved::Nothing => return Some(()),
            Moved::By(amount) => amount,
        };
        let asset = self.planned_asset(view, &plan.asset, time)?;
        let value = match &plan.value {
            None => None,
            Some((worth, currency)) => match worth.read_magnitude(view)? {
                None => None,
                Some(worth) => Some((worth, self.planned_asset(view, currency, time)?)),
            },
        };
        let account = match &plan.account {
            Some(account) => self.planned_account(view, account)?,
            None => account,
        };
        batch.add_leg(&NewLeg {
            account,
            asset,
            amount: NewAmount { amount, ..found },
            role: role(leg, fee_row),
            value,
        });
        Some(())
    }

    /// As [`Worker::asset`].
    #[inline(always)]
    fn planned_asset(
        &mut self,
        view: &RowView<'_>,
        plan: &AssetPlan<'_>,
        time: Time,
    ) -> Option<NameId> {
        match plan {
            AssetPlan::Cell { at, upper, expr } => {
                let code = view.record.short(*at);
                if let Some(key) = code_key(code, *upper)
                    && let (near, id) = self.near_codes[code_place(key)]
                    && near == key
                {
                    return Some(id);
                }
                self.new_code(view, code, *upper, expr, time)
            }
            AssetPlan::Stated(expr, kept) => match kept.get() {
                Some(id) => Some(id),
                None => {
                    let id = self.asset_of_any(view, expr, time).ok()?;
                    kept.set(self.constant(address_of(expr)));
                    Some(id)
                }
            },
            AssetPlan::OfCells(expr, number) => self.asset_of_cells(view, expr, *number, time),
            AssetPlan::Other(expr) => self.asset(view, expr, time).ok(),
        }
    }

    /// The asset that follows from a few cells.
    #[inline(never)]
    fn asset_of_cells(
        &mut self,
        view: &RowView<'_>,
        expr: &Expr,
        number: usize,
        time: Time,
    ) -> Option<NameId> {
        let names = &self.names_of_cells[number];
        let cells = names.cells(view);
        if let Some(id) = cells.and_then(|cells| names.get(cells)) {
            return Some(id);
        }
        let id = self.asset(view, expr, time).ok()?;
        if let Some(cells) = cells
            && self.is_always(&view.asset_text(expr).ok()?)
        {
            self.names_of_cells[number].remember(cells, id);
        }
        Some(id)
    }

    /// The asset of a code that is not among those met last.
    #[inline(never)]
    fn new_code(
        &mut self,
        view: &RowView<'_>,
        code: Option<Short>,
        upper: bool,
        expr: &Expr,
        time: Time,
    ) -> Option<NameId> {
        let id = self.asset(view, expr, time).ok()?;
        if let Some(key) = code_key(code, upper)
            && let Some(short) = code
            // What is near by its letters does not depend on the time.
            && self.near_assets[near_place(short)] == (short, upper, id)
        {
            self.near_codes[code_place(key)] = (key, id);
        }
        Some(id)
    }

    /// As [`Worker::account`].
    #[inline(always)]
    fn planned_account(&mut self, view: &RowView<'_>, plan: &AccountPlan<'_>) -> Option<NameId> {
        match plan {
            AccountPlan::Stated(parts, kept) => {
                if let Some(id) = kept.get() {
                    return Some(id);
                }
                let id = self.account(view, parts).ok()?;
                kept.set(Some(id));
                Some(id)
            }
            AccountPlan::OfCells(parts, number) => self.account_of_cells(view, parts, *number),
            AccountPlan::Other(parts) => self.account(view, parts).ok(),
        }
    }

    /// The account that follows from a few cells.
    #[inline(never)]
    fn account_of_cells(
        &mut self,
        view: &RowView<'_>,
        parts: &[Expr],
        number: usize,
    ) -> Option<NameId> {
        let names = &self.names_of_cells[number];
        let cells = names.cells(view);
        if let Some(id) = cells.and_then(|cells| names.get(cells)) {
            return Some(id);
        }
        let id = self.account(view, parts).ok()?;
        if let Some(cells) = cells {
            self.names_of_cells[number].remember(cells, id);
        }
        Some(id)
    }

    /// As [`Worker::balance`].
    #[inline(never)]
    fn planned_balance(
        &mut self,
        view: &RowView<'_>,
        (amount, asset): &(AmountPlan<'_>, AssetPlan<'_>),
        account: NameId,
        time: Time,
        event: u32,
        batch: &mut Batch,
    ) -> Option<()> {
        if let Some(found) = amount.read(view)? {
            let asset = self.planned_asset(view, asset, time)?;
            batch.balances.push(BalanceRecord {
                event,
                account,
                asset,
                amount: found.amount,
            });
        }
        Some(())
    }

    /// Reads a record by the plan of its rule, or skips it. `None`, with nothing left of it in the batch, for one that makes
    /// no events or cannot be read.
    pub(super) fn read_planned(&mut self, record: Record<'_>, batch: &mut Batch) -> Option<()> {
        let file = self.file;
        if !self.is_utf_8
            || is_blank(record)
            || (file.program.has_header
                && (is_header(&file.binding.header, record) || has_stray_cells(file, record)))
        {
            return None;
        }
        let view = RowView { file, record };
        let rule = match self.choose_near(&view)? {
            Candidate::Rule(rule) => rule,
            Candidate::Skip(index) => {
                batch.end_other_row(record.line(), skipped_by(index));
                return Some(());
            }
        };
        let plan = match &self.plans[rule] {
            Some(plan) => plan.clone(),
            None => {
                let plan = Rc::new(RulePlan::of(rule, file, &mut self.names_of_cells));
                self.plans[rule].insert(plan).clone()
            }
        };
        let first = batch.place();
        let read = self.apply_plan(&view, rule, &plan, batch);
        match read {
            Some(()) => batch.end_row(),
            None if batch.place() > first => batch.drop_events_from(first),
            None => {}
        }
        read
    }
}

/// As [`Worker::group_key`].
#[inline(never)]
fn planned_group_key(view: &RowView<'_>, plan: &GroupPlan<'_>, time: Time) -> Option<u128> {
    let mut key = plan.key;
    for part in &plan.parts {
        match part {
            KeyPlan::Cell(at) => key.add_text(trim(view.record.get(*at).unwrap_or_default())),
            KeyPlan::Time => key.add_time(time),
            KeyPlan::Other(expr) => key.add(&view.evaluate(expr).ok()?),
        }
    }
    key.hash(plan.group)
}

/// A code of one to seven bytes and whether it is to be written large as a number: another for any other, and never 0.
#[inline(always)]
fn code_key(code: Option<Short>, upper: bool) -> Option<u64> {
    let [first, _, length] = code?.numbers();
    (1..=7)
        .contains(&length)
        .then(|| first | length << 56 | u64::from(upper) << 63)
}

/// Where a code is kept among those that fit one number.
#[inline(always)]
fn code_place(key: u64) -> usize {
    (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as usize % NEAR
}

/// Adds a text that is not just a cell. `None` where it cannot be told.
#[inline(never)]
fn add_any_text(view: &RowView<'_>, nth: usize, expr: &Expr, batch: &mut Batch) -> Option<()> {
    batch.add_text(nth, &view.text(expr).ok()?);
    Some(())
}

//! Reads a row by the expressions of its rule: what cannot be read is told with its column and reason.

use super::super::batch::{Batch, EventHead, NewAmount, NewLeg};
use super::super::evaluate::{Evaluate, RowError};
use super::super::row_view::RowView;
use super::{Moved, Worker, column_of, event_id, kind, moved, role};
use crate::mapping::{Direction, LegTemplate};
use crate::model::{NameId, Time};

impl<'f> Worker<'f> {
    /// Makes the events of a rule from a row.
    pub(super) fn apply(
        &mut self,
        view: &RowView<'_>,
        rule_index: usize,
        batch: &mut Batch,
    ) -> Result<(), RowError> {
        let file = self.file;
        let rule = &file.program.rules[rule_index];
        let mut hash = None;
        let first = batch.place();
        for (nth, template) in rule.events.iter().enumerate() {
            let Some(time) = view.time(&template.time)? else {
                return Err(RowError {
                    column: column_of(&template.time),
                    message: "the row has no time".to_owned(),
                });
            };
            let hash = *hash.get_or_insert_with(|| file.row_hash(time.ns(), view.record));
            let account = self.account(view, &template.account)?;
            let fee_row = match rule
                .group
                .as_ref()
                .and_then(|group| group.fee_rows.as_ref())
            {
                Some(test) => view.truth(test)?,
                None => false,
            };
            let at = batch.begin_event();
            for leg in &template.legs {
                self.leg(view, leg, account, time, fee_row, batch)?;
            }
            let (legs, all_zero) = batch.legs_so_far();
            if legs == 0 || (rule.events.len() > 1 && all_zero) {
                continue;
            }
            let known = Some((&template.time, time));
            let group = match &rule.group {
                Some(group) => self.group_key(view, rule_index, group, known)?,
                None => 0,
            };
            batch.begin_texts();
            for (nth, expr) in template.texts.iter().enumerate() {
                let Some(expr) = expr else { continue };
                match view.text_cell(expr) {
                    Some(cell) => batch.add_text(nth, cell),
                    None => batch.add_text(nth, &view.text(expr)?),
                }
            }
            let head = EventHead {
                time,
                kind: kind(view, template)?,
                rule: u16::try_from(rule_index).expect("few rules"),
                hash,
                group,
                nth: u8::try_from(nth).expect("few events of one row"),
                line: view.record.line(),
            };
            batch.end_event(at, &head);
            if let Some(expr) = &template.event_id
                && let Some(id) = event_id(&view.text(expr)?)
            {
                batch.given_ids.push((at, id));
            }
            self.balance(view, template, account, time, at, batch)?;
        }
        if batch.place() == first {
            return Err(RowError::new(
                "all amounts of the row are blank: nothing was moved",
            ));
        }
        self.keep(view, rule, first, batch);
        Ok(())
    }

    /// Adds the leg that a template makes of a row, if it makes one.
    fn leg(
        &mut self,
        view: &RowView<'_>,
        leg: &LegTemplate,
        account: NameId,
        time: Time,
        fee_row: bool,
        batch: &mut Batch,
    ) -> Result<(), RowError> {
        let Some(found) = view.amount_text(&leg.amount)? else {
            if leg.optional {
                return Ok(());
            }
            return Err(RowError {
                column: column_of(&leg.amount),
                message: "the amount is blank".to_owned(),
            });
        };
        let amount = match moved(leg, found.amount) {
            Moved::Wrong => {
                let what = match leg.direction {
                    Direction::In => "what comes in",
                    Direction::Out => "what goes out",
                    _ => "a fee",
                };
                return Err(RowError {
                    column: column_of(&leg.amount),
                    message: format!("{what} must not be negative, and is {}", found.amount),
                });
            }
            Moved::Nothing => return Ok(()),
            Moved::By(amount) => amount,
        };
        let asset = self.asset(view, &leg.asset, time)?;
        let value = match &leg.value {
            None => None,
            Some((worth, currency)) => match view.amount_text(worth)? {
                None => None,
                Some(worth) => {
                    let magnitude = NewAmount {
                        amount: worth.amount.abs(),
                        ..worth
                    };
                    Some((magnitude, self.asset(view, currency, time)?))
                }
            },
        };
        let account = match &leg.account {
            Some(parts) => self.account(view, parts)?,
            None => account,
        };
        batch.add_leg(&NewLeg {
            account,
            asset,
            amount: NewAmount { amount, ..found },
            role: role(leg, fee_row),
            value,
        });
        Ok(())
    }
}

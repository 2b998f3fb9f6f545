//! A journal's text: what makes its names known, then the entries.

use std::io::Write;
use std::ops::Range;
use std::sync::Mutex;

use super::dialect::TAGS;
use super::entry::{Posting, To};
use super::survey::postings_of;
use super::template::Template;
use super::{JournalError, JournalPlan};
use crate::ledger::{Event, EventView, Views};
use crate::model::{Amount, Kind, NameId};
use crate::output::csv_text::put_id;
use crate::output::readback::WrittenSums;
use crate::output::write::{Layout, Page, Written, write_held};

use super::assertions::{Assertion, NS_PER_DAY};

/// Most digits to which an amount is padded: more would not be read back.
const PADDED_DIGITS: u32 = 36;
/// Digits behind the point that an amount of a commodity is shown with, at least.
const SAMPLE_DECIMALS: u8 = 2;

/// Writes the whole journal: lines, and the sums as they stand in it.
///
/// # Errors
/// When the output cannot be written.
pub fn write(
    plan: &JournalPlan<'_>,
    out: &mut (dyn Write + Send),
) -> Result<(u64, WrittenSums), JournalError> {
    let top = top(plan);
    out.write_all(&top)?;
    let entries = Entries {
        plan,
        payees: plan
            .names
            .accounts
            .iter()
            .map(|name| payee(plan, name))
            .collect(),
        files: plan
            .ledger
            .files
            .iter()
            .map(|file| plan.dialect.values.text(&file.name))
            .collect(),
        error: Mutex::new(None),
    };
    let (lines, sums) = write_held(plan.ledger, plan.names, &entries, out)?;
    match entries.error.into_inner() {
        Ok(None) => Ok((lines + count_lines(&top), sums)),
        Ok(Some(error)) => Err(error),
        Err(_) => Err(std::io::Error::other("a writing thread stopped").into()),
    }
}

/// Where the account belongs: what stands before its first `/`.
fn payee(plan: &JournalPlan<'_>, account: &str) -> String {
    let platform = account.split('/').next().unwrap_or(account);
    plan.dialect.payee.text(platform)
}

fn count_lines(text: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', text).count() as u64
}

/// What stands before the first entry.
fn top(plan: &JournalPlan<'_>) -> Vec<u8> {
    let dialect = &plan.dialect;
    let mut text = String::new();
    let mut line = |line: &str| {
        text.push_str(line);
        text.push('\n');
    };
    dialect
        .document
        .before
        .iter()
        .for_each(|before| line(before));
    if let Some(directive) = &dialect.tag_directive {
        TAGS.iter().for_each(|tag| line(&directive.with(&[tag])));
    }
    if let Some(directive) = &dialect.commodity_directive {
        let mut assets: Vec<_> = plan.survey.assets.iter().collect();
        assets.sort_unstable_by_key(|(asset, _)| plan.names.asset(**asset));
        for (asset, (first_ns, scale)) in assets {
            let commodity = &plan.naming.commodities[asset];
            let decimals = usize::from((*scale).max(SAMPLE_DECIMALS));
            let sample = format!("1000.{}", "0".repeat(decimals));
            line(&directive.with(&[&dialect.date(*first_ns), &commodity.written, &sample]));
            if let Some(name) = dialect
                .commodity_name
                .as_ref()
                .filter(|_| commodity.renamed)
            {
                line(&name.with(&[&dialect.values.text(plan.names.asset(*asset))]));
            }
        }
    }
    if let Some(directive) = &dialect.account_directive {
        for (account, first_ns) in &plan.naming.accounts {
            line(&directive.with(&[&dialect.date(*first_ns), account]));
        }
    }
    line("");
    text.into_bytes()
}

/// Entries as a layout of lines for each event.
struct Entries<'p, 'l> {
    plan: &'p JournalPlan<'l>,
    /// By account.
    payees: Vec<String>,
    /// By file.
    files: Vec<String>,
    /// The layouts of lines cannot fail, so this waits here until all is written.
    error: Mutex<Option<JournalError>>,
}

impl Layout for Entries<'_, '_> {
    fn header(&self) -> &'static str {
        ""
    }

    fn events<'l>(
        &self,
        views: &Views<'l>,
        events: &'l [Event],
        _: &Written<'_>,
        page: &mut Page,
    ) -> u64 {
        let views = events.iter().map(|event| views.view(event));
        views.map(|view| self.event(&view, page)).sum()
    }
}

impl Entries<'_, '_> {
    fn event(&self, view: &EventView<'_>, page: &mut Page) -> u64 {
        let Page {
            text: out, sums, ..
        } = page;
        let start = out.len();
        match postings_of(view, self.plan.names, &self.plan.policy) {
            Ok(postings) => {
                self.head(view, &postings, out);
                self.tags(view, out);
                self.postings(view, &postings, out, sums);
            }
            Err(error) => {
                if let Ok(mut slot) = self.error.lock() {
                    slot.get_or_insert(error);
                }
            }
        }
        count_lines(&out[start..])
    }

    fn head(&self, view: &EventView<'_>, postings: &[Posting], out: &mut Vec<u8>) {
        let dialect = &self.plan.dialect;
        dialect.head.write(out, |place, out| match place {
            0 => dialect.put_date(out, view.time.ns()),
            1 if view.kind == Kind::Unclassified => {
                out.extend_from_slice(dialect.document.unclear_flag.as_bytes());
            }
            1 => out.extend_from_slice(dialect.document.flag.as_bytes()),
            2 => {
                if let Some(first) = postings.first() {
                    out.extend_from_slice(self.payees[first.account.0 as usize].as_bytes());
                }
            }
            _ => out.extend_from_slice(view.kind.word().as_bytes()),
        });
        if let Some((link, pattern)) = &dialect.link
            && let Ok(hash) = str::from_utf8(view.texts()[2])
            && pattern.is_match(hash)
        {
            link.write(out, |_, out| out.extend_from_slice(hash.as_bytes()));
        }
        out.push(b'\n');
    }

    fn tags(&self, view: &EventView<'_>, out: &mut Vec<u8>) {
        self.tag(out, 0, 1, |out| put_id(out, view.id));
        self.tag(out, 1, 1, |out| view.time.write_to(out));
        self.tag(out, 2, 1, |out| {
            out.extend_from_slice(view.kind.word().as_bytes())
        });
        for source in self.sources(view) {
            self.tag(out, 3, 1, |out| out.extend_from_slice(source.as_bytes()));
        }
        for (nth, text) in view.texts().iter().enumerate() {
            if !text.is_empty() {
                self.tag(out, 4 + nth, 1, |out| {
                    self.plan.dialect.values.put(out, text);
                });
            }
        }
    }

    /// The rows of an event: `a.csv:4`, `a.csv:4+5 b.csv:9`; more than one text if they are too many for one line.
    fn sources(&self, view: &EventView<'_>) -> Vec<String> {
        let longest = self.plan.dialect.document.values.longest_bytes;
        let mut sources: Vec<String> = Vec::new();
        let mut last_file = None;
        for at in view.members {
            let file = view.ledger.file_index(*at);
            let line = view.ledger.line(*at);
            let name = &self.files[file];
            let more = match last_file {
                Some(last) if last == file => format!("+{line}"),
                _ => format!(" {name}:{line}"),
            };
            last_file = Some(file);
            match sources.last_mut() {
                Some(source) if longest.is_none_or(|most| source.len() + more.len() <= most) => {
                    source.push_str(&more);
                }
                _ => sources.push(format!("{name}:{line}")),
            }
        }
        sources
    }

    /// A tag on a line of its own; none if there is nothing in it.
    fn tag(&self, out: &mut Vec<u8>, tag: usize, indents: usize, put: impl Fn(&mut Vec<u8>)) {
        let line = out.len();
        let mut empty = true;
        self.indent(out, indents);
        self.plan.dialect.tag.write(out, |place, out| {
            if place == 0 {
                out.extend_from_slice(TAGS[tag].as_bytes());
            } else {
                let start = out.len();
                put(out);
                empty &= out.len() == start;
            }
        });
        if empty {
            out.truncate(line);
        } else {
            out.push(b'\n');
        }
    }

    fn indent(&self, out: &mut Vec<u8>, indents: usize) {
        for _ in 0..indents {
            out.extend_from_slice(self.plan.dialect.document.indent.as_bytes());
        }
    }

    fn postings(
        &self,
        view: &EventView<'_>,
        postings: &[Posting],
        out: &mut Vec<u8>,
        sums: &mut WrittenSums,
    ) {
        let plan = self.plan;
        let dialect = &plan.dialect;
        let assertions = plan.assertions.after(view.members[0]);
        for (nth, posting) in postings.iter().enumerate() {
            self.indent(out, 1);
            let account = self.account(posting, view.kind);
            let amount = self.amount(
                out,
                &dialect.posting,
                (posting.amount, posting.asset),
                account,
                "",
            );
            if posting.to == To::Own {
                sums.add(
                    plan.names.account(posting.account),
                    plan.names.asset(posting.asset),
                    &out[amount],
                    1,
                );
            }
            if let Some(cost) = posting.cost {
                out.push(b' ');
                self.amount(out, &dialect.cost, cost, "", "");
            }
            let place = |one: &Posting| (one.to, one.account, one.asset);
            let is_last = || {
                !postings[nth + 1..]
                    .iter()
                    .any(|later| place(later) == place(posting))
            };
            if let Some(template) = &dialect.assertion
                && posting.to == To::Own
                && let Some(one) = assertions
                    .iter()
                    .find(|one| (one.account, one.asset) == (posting.account, posting.asset))
                && is_last()
            {
                out.push(b' ');
                self.amount(out, template, (one.balance, one.asset), "", "");
            }
            out.push(b'\n');
            self.values(posting, out);
        }
        out.push(b'\n');
        if let Some(template) = &dialect.balance {
            self.balances(template, view, assertions, out);
        }
    }

    fn values(&self, posting: &Posting, out: &mut Vec<u8>) {
        self.tag(out, TAGS.len() - 1, 2, |out| {
            for (nth, (value, currency)) in posting.values.iter().enumerate() {
                if nth > 0 {
                    out.extend_from_slice(b" + ");
                }
                value.write_to(out);
                out.push(b' ');
                let currency = self.plan.names.asset(*currency);
                self.plan.dialect.values.put(out, currency.as_bytes());
            }
        });
    }

    /// Balances at the start of the next day, each on its line.
    fn balances(
        &self,
        template: &Template,
        view: &EventView<'_>,
        assertions: &[Assertion],
        out: &mut Vec<u8>,
    ) {
        let Some(next_day_ns) = view.time.ns().checked_add(NS_PER_DAY) else {
            return;
        };
        let date = self.plan.dialect.date(next_day_ns);
        for one in assertions {
            let account = &self.plan.naming.own[&(one.account, one.asset)];
            self.amount(out, template, (one.balance, one.asset), account, &date);
            out.push(b'\n');
        }
        if !assertions.is_empty() {
            out.push(b'\n');
        }
    }

    fn account(&self, posting: &Posting, kind: Kind) -> &str {
        match posting.to {
            To::Own => &self.plan.naming.own[&(posting.account, posting.asset)],
            To::Counter(counter) => {
                &self.plan.naming.counters[&(counter, kind, posting.account, posting.asset)]
            }
        }
    }

    /// A text with an amount, a commodity, and maybe an account and a date; gives where the amount stands.
    fn amount(
        &self,
        out: &mut Vec<u8>,
        template: &Template,
        (amount, asset): (Amount, NameId),
        account: &str,
        date: &str,
    ) -> Range<usize> {
        let mut range = 0..0;
        template.write(out, |place, out| match place {
            0 => {
                let start = out.len();
                put_amount(out, amount, self.plan.dialect.document.least_decimals);
                range = start..out.len();
            }
            1 => {
                let commodity = &self.plan.naming.commodities[&asset].written;
                out.extend_from_slice(commodity.as_bytes());
            }
            2 => out.extend_from_slice(account.as_bytes()),
            _ => out.extend_from_slice(date.as_bytes()),
        });
        range
    }
}

/// Appends an amount with at least so many digits behind the point.
fn put_amount(out: &mut Vec<u8>, amount: Amount, least_decimals: u8) {
    amount.write_to(out);
    let missing = least_decimals.saturating_sub(amount.scale());
    let digits = super::entry::digits(amount, least_decimals);
    if missing == 0 || digits > PADDED_DIGITS {
        return;
    }
    if amount.scale() == 0 {
        out.push(b'.');
    }
    out.extend(std::iter::repeat_n(b'0', usize::from(missing)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_padded_but_never_changed() {
        for (amount, decimals, written) in [
            ("5", 2, "5.00"),
            ("-0.5", 2, "-0.50"),
            ("0.125", 2, "0.125"),
            ("0", 2, "0.00"),
            ("5", 0, "5"),
            (
                "12345678901234567890123456789012345678",
                2,
                "12345678901234567890123456789012345678",
            ),
        ] {
            let mut out = Vec::new();
            put_amount(&mut out, amount.parse().unwrap(), decimals);
            assert_eq!(String::from_utf8(out).unwrap(), written);
        }
    }
}

//! An event worked out for a target: its rows with their words and cells, and how they stand against its legs. Nothing of it counts until
//! the engine keeps it.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

use super::cells::{self, Cell, Cut};
use super::codes::Written;
use super::facts::{self, Facts};
use super::pool::{Flow, take};
use super::rows::{self, Asked, Row};
use super::{files, read_back};
use crate::convert::Evaluate;
use crate::ledger::{EventView, NameTexts};
use crate::mapping::Expr;
use crate::model::{Amount, Kind, NameId};
use crate::output::findings::Weight;
use crate::target::document::FileFormat;
use crate::target::{Case, FeeRule, Field, Outcome, Part, Shape, Side, Target};

/// What rounding left, with its sign, by part, account and asset.
pub type Carries = FxHashMap<(usize, NameId, NameId), Amount>;

/// A row whose cells are worked out.
pub struct Composed {
    pub part: usize,
    pub account: NameId,
    pub cells: Vec<Cell>,
}

/// A finding that counts only if its event is written.
pub struct Noted {
    pub weight: Weight,
    pub code: &'static str,
    pub message: String,
    pub help: &'static str,
    pub example: String,
}

/// What is known of an event when its rows are worked out; it counts only if the event is written.
#[derive(Default)]
pub struct Draft {
    pub rows: Vec<Composed>,
    pub noted: Vec<Noted>,
    pub left_out: Vec<Flow>,
    pub carries: Carries,
    /// Read back from the cells, by asset.
    pub read: Vec<(NameId, Amount)>,
    /// What was read back and should not, or the other way round, by asset.
    pub wrong: Vec<(NameId, Amount)>,
    /// Words that were used for kinds.
    pub words: Vec<(Kind, String)>,
}

/// An event that cannot be in the file.
pub struct Refused(pub String);

/// What an event's rows stand for, and what their cells say.
struct Sums {
    stands_for: BTreeMap<NameId, Amount>,
    /// By the code that stands in the cells.
    says: BTreeMap<String, Amount>,
    unreadable: Option<String>,
    /// Whether all sums have at most 38 digits.
    fit: bool,
}

impl Default for Sums {
    fn default() -> Sums {
        Sums {
            stands_for: BTreeMap::new(),
            says: BTreeMap::new(),
            unreadable: None,
            fit: true,
        }
    }
}

/// Adds to a sum; false if it does not fit.
fn add<K: Ord>(sums: &mut BTreeMap<K, Amount>, key: K, amount: Amount) -> bool {
    let sum = sums.entry(key).or_insert(Amount::ZERO);
    match sum.checked_add(amount) {
        Some(total) => {
            *sum = total;
            true
        }
        None => false,
    }
}

/// What the working out of events looks at.
pub struct Drafter<'e, 'l> {
    pub target: &'e Target,
    pub names: &'e NameTexts,
    pub written: &'e Written<'l>,
    pub carries: &'e Carries,
}

impl Asked for (&Facts, &Written<'_>) {
    fn holds(&self, row: &Row, condition: &Expr) -> bool {
        self.0
            .of_row(row, &self.1.codes)
            .truth(condition)
            .unwrap_or(false)
    }

    fn is_fiat(&self, asset: NameId) -> bool {
        self.1.codes.fiat[asset.0 as usize]
    }
}

impl Drafter<'_, '_> {
    /// Works out an event's rows.
    ///
    /// # Errors
    /// Why the event cannot be in the files.
    pub fn draft(&self, view: &EventView<'_>, flows: &[Flow]) -> Result<Draft, Refused> {
        if let Some(clash) = self.written.clash(flows) {
            return Err(Refused(clash));
        }
        let mut draft = Draft::default();
        let mut base = Facts::of_event(view, self.target.field_count);
        self.written.set_options(&mut base, self.target);
        let mut left = flows.to_vec();
        let mut rows: Vec<(usize, Row)> = Vec::new();
        for (nth, part) in self.target.parts.iter().enumerate() {
            if left.is_empty() {
                break;
            }
            let asked = (&base, self.written);
            let made = rows::rows(view.kind, &left, &part.rows, part.max_decimals, &asked)
                .map_err(|_| {
                    Refused("several assets on a side do not fit into a row".to_owned())
                })?;
            for row in made {
                if part
                    .when
                    .as_ref()
                    .is_none_or(|when| asked.holds(&row, when))
                {
                    take(&mut left, &row.takes);
                    rows.push((nth, row));
                }
            }
        }
        let noted = |weight, code, message: String, help, flows: &[Flow]| Noted {
            weight,
            code,
            message,
            help,
            example: example(view, self.names, flows),
        };
        if !left.is_empty() {
            let message = format!("`{}` fits no file of this target", view.kind);
            draft
                .noted
                .push(noted(Weight::Loss, "left out", message, "", &left));
            draft.left_out.extend(left);
        }
        if let Some(by_value) = self.divided(view, &rows) {
            draft.noted.push(if by_value {
                let message = "one event of several assets is several rows, divided by the values that the source states";
                noted(Weight::Note, "split", message.to_owned(), "", flows)
            } else {
                let message = "one event of several assets is several rows, divided evenly, for the source states no values: the amounts are right, what each was bought for is a guess";
                noted(Weight::Loss, "split", message.to_owned(), "", flows)
            });
        }
        let count = rows.len();
        let mut sums = Sums::default();
        for (position, (nth, row)) in rows.into_iter().enumerate() {
            let place = (position + 1, count);
            self.row(&mut draft, &mut sums, view, &base, nth, row, place)?;
        }
        self.hold_against_ledger(&mut draft, view, flows, sums);
        Ok(draft)
    }

    /// Whether what went out and what came in was divided over rows, and if so, whether by the values that a source states.
    fn divided(&self, view: &EventView<'_>, rows: &[(usize, Row)]) -> Option<bool> {
        let both = rows.iter().filter(|(nth, row)| {
            let part = &self.target.parts[*nth];
            row.kind == view.kind
                && row.side() == Side::Both
                && (part.rows.shape == Shape::Event || row.leg.is_some())
        });
        let mut by_account: FxHashMap<NameId, Vec<&Row>> = FxHashMap::default();
        for (_, row) in both {
            by_account.entry(row.account).or_default().push(row);
        }
        let divided: Vec<&Row> = by_account
            .into_values()
            .filter(|rows| rows.len() > 1)
            .flatten()
            .collect();
        let currency = |flow: &Flow| flow.value.map(|(_, currency)| currency);
        let one_currency = |mut of: Vec<Option<NameId>>| {
            of.dedup();
            matches!(of.as_slice(), [Some(_)])
        };
        // A side of one leg is divided by the values of the other side's legs.
        let valued = |side: &dyn Fn(&Row) -> Option<Flow>| {
            let flows: Vec<Flow> = divided.iter().filter_map(|row| side(row)).collect();
            let one_asset = flows.windows(2).all(|pair| pair[0].asset == pair[1].asset);
            one_asset || one_currency(flows.iter().map(currency).collect())
        };
        (!divided.is_empty()).then(|| {
            valued(&|row| row.sent.first().copied()) && valued(&|row| row.received.first().copied())
        })
    }

    /// Gives a row its words and its cells.
    #[expect(clippy::too_many_arguments)]
    fn row(
        &self,
        draft: &mut Draft,
        sums: &mut Sums,
        view: &EventView<'_>,
        base: &Facts,
        nth_part: usize,
        mut row: Row,
        (position, count): (usize, usize),
    ) -> Result<(), Refused> {
        let part = &self.target.parts[nth_part];
        let told = |message: String, weight, code, help| Noted {
            weight,
            code,
            message,
            help,
            example: example(view, self.names, &row.takes),
        };
        let mut facts = base.of_row(&row, &self.written.codes);
        facts.set_number(Field::Row, position);
        facts.set_number(Field::Rows, count);
        let (case, is_fallback) = self.case(part, &row, &facts)?;
        let said = case_text(case);
        match &case.outcome {
            Outcome::Refuse(why) => return Err(Refused(format!("`{}`: {why}", row.kind))),
            Outcome::LeaveOut(why) => {
                let message = format!("`{}` is left out: {why}", row.kind);
                draft
                    .noted
                    .push(told(message, Weight::Loss, "left out", ""));
                draft.left_out.extend(&row.takes);
                return Ok(());
            }
            Outcome::Write => {}
        }
        if let Some(loss) = &case.lossy {
            let message = format!("`{}` is written as {said}: {loss}", row.kind);
            draft.noted.push(told(message, Weight::Loss, "kind", ""));
        } else if is_fallback {
            let message = format!(
                "there is no word for `{}`: it is written as {said}",
                row.kind
            );
            draft.noted.push(told(message, Weight::Loss, "kind", ""));
        } else {
            draft.words.push((row.kind, said.clone()));
        }
        if case.unconfirmed {
            let message = format!(
                "the word {said} for `{}` is not confirmed by the vendor",
                row.kind
            );
            draft.noted.push(told(
                message,
                Weight::Note,
                "unconfirmed",
                "look at the first rows after the upload",
            ));
        }
        let before: Vec<Flow> = row.takes.clone();
        let rounding = self.round(draft, nth_part, part, &mut row);
        if rounding.nothing_left {
            draft.noted.push(Noted {
                weight: Weight::Loss,
                code: "decimals",
                message: "an amount is too small to be written: it is carried to the next row of its asset".to_owned(),
                help: "",
                example: example(view, self.names, &before),
            });
            return Ok(());
        }
        if let Some(digits) = rounding.digits {
            let message = format!(
                "amounts have more than {digits} decimals: they are rounded, and the rest is carried on"
            );
            draft.noted.push(Noted {
                weight: Weight::Loss,
                code: "decimals",
                message,
                help: "",
                example: example(view, self.names, &before),
            });
        }
        if !rounding.change.is_empty() {
            facts = base.of_row(&row, &self.written.codes);
            facts.set_number(Field::Row, position);
            facts.set_number(Field::Rows, count);
        }
        for (field, word) in &case.words {
            facts.values[*field] = facts::text(&self.written.with_options(word));
        }
        let cells = self.cells(draft, view, &row, nth_part, &facts)?;
        self.add_up(sums, part, &row, &cells, rounding.change);
        draft.rows.push(Composed {
            part: nth_part,
            account: row.account,
            cells,
        });
        Ok(())
    }

    /// The words for a row, and whether they are those for what has no words of its own.
    fn case<'p>(
        &self,
        part: &'p Part,
        row: &Row,
        facts: &Facts,
    ) -> Result<(&'p Case, bool), Refused> {
        // A row of one leg that carries no price has one side, whatever its event has.
        let side = row.side();
        let fits = |case: &&Case| {
            case.side.is_none_or(|wanted| wanted == side)
                && case
                    .when
                    .iter()
                    .all(|condition| facts.truth(condition).unwrap_or(false))
        };
        if let Some(case) = part.kinds[row.kind as usize].iter().find(fits) {
            return Ok((case, false));
        }
        match part.otherwise.iter().find(fits) {
            Some(case) => Ok((case, true)),
            None => Err(Refused(format!(
                "there is no word for `{}` ({})",
                row.kind,
                match side {
                    Side::In => "something comes in",
                    Side::Out => "something goes out",
                    Side::Both => "something goes out and something comes in",
                    Side::None => "a fee alone",
                }
            ))),
        }
    }

    fn cells(
        &self,
        draft: &mut Draft,
        view: &EventView<'_>,
        row: &Row,
        nth_part: usize,
        facts: &Facts,
    ) -> Result<Vec<Cell>, Refused> {
        let part = &self.target.parts[nth_part];
        let mut cut = Cut::default();
        let mut made = Vec::with_capacity(part.columns.len());
        let mut marked = 0u32;
        let mut unwritable = false;
        for (nth, column) in part.columns.iter().enumerate() {
            let zone = self.written.zone(nth_part, nth);
            let mut cell = cells::cell(column, zone, facts, part, &mut cut)
                .map_err(|error| Refused(format!("column {}: {}", column.header, error.message)))?;
            if part.file.spreadsheet
                && part.file.format == FileFormat::Csv
                && cells::neutralise(&mut cell)
            {
                marked += 1;
            }
            unwritable |= !files::fits_encoding(&cell.text, part.file.encoding);
            made.push(cell);
        }
        for check in &part.checks {
            let applies = check
                .when
                .as_ref()
                .is_none_or(|when| facts.truth(when).unwrap_or(false));
            let told = check.filled.is_empty() && check.blank.is_empty();
            let broken = told
                || check.filled.iter().any(|at| made[*at].text.is_empty())
                || check.blank.iter().any(|at| !made[*at].text.is_empty());
            if applies && broken {
                return Err(Refused(format!("`{}`: {}", row.kind, check.because)));
            }
        }
        let mut note = |weight, code, message: &str| {
            draft.noted.push(Noted {
                weight,
                code,
                message: message.to_owned(),
                help: "",
                example: example(view, self.names, &row.takes),
            });
        };
        if marked > 0 {
            note(
                Weight::Note,
                "neutralised",
                "a text that a spreadsheet would run as a formula has a ' before it",
            );
        }
        if unwritable {
            note(
                Weight::Loss,
                "encoding",
                "letters that the file's encoding does not have are written as numbers",
            );
        }
        if cut.seconds == Some(true) {
            note(
                Weight::Note,
                "time",
                "the time is written without its seconds, as the tool wants it",
            );
        } else if cut.fraction == Some(true) {
            note(
                Weight::Note,
                "time",
                "the time is written without all of its fraction of a second, as the tool wants it",
            );
        }
        if cut.twice {
            note(
                Weight::Note,
                "time",
                "the hour occurs twice, when summer time ends: the tool cannot tell which is meant",
            );
        }
        if !part.says_values && row.takes.iter().any(|flow| flow.value.is_some()) {
            note(
                Weight::Note,
                "value",
                "the source states what it was worth, and the layout has no place for that",
            );
        }
        Ok(made)
    }

    /// Adds what a row stands for, and what its cells say, to the sums of its event.
    fn add_up(
        &self,
        sums: &mut Sums,
        part: &Part,
        row: &Row,
        cells: &[Cell],
        rounded: Vec<(NameId, Amount)>,
    ) {
        let flows = row.takes.iter().map(|flow| (flow.asset, flow.signed()));
        for (asset, amount) in flows.chain(rounded) {
            sums.fit &= add(&mut sums.stands_for, asset, amount);
        }
        match read_back::read_back(part, cells, &|text| self.written.with_options(text)) {
            Err(why) => sums.unreadable = Some(why),
            Ok(moved) => {
                for (code, amount) in moved {
                    sums.fit &= add(&mut sums.says, code, amount);
                }
            }
        }
    }

    /// Compares what an event's cells say with what its rows stand for: over the event, for a price may stand on two rows
    /// that cancel each other.
    fn hold_against_ledger(
        &self,
        draft: &mut Draft,
        view: &EventView<'_>,
        flows: &[Flow],
        sums: Sums,
    ) {
        let mut unreadable = sums.unreadable;
        if !sums.fit {
            unreadable = Some("a sum has more than 38 digits".to_owned());
        }
        let mut says: BTreeMap<NameId, Amount> = BTreeMap::new();
        for (code, amount) in sums.says {
            match self.written.asset_of(&code) {
                Some(asset) => {
                    says.insert(asset, amount);
                }
                None if amount.is_zero() => {}
                None => unreadable = Some(format!("{amount} {code}, which did not move")),
            }
        }
        let mut off = Vec::new();
        let assets: BTreeSet<NameId> = sums.stands_for.keys().chain(says.keys()).copied().collect();
        for asset in assets {
            let of =
                |sums: &BTreeMap<NameId, Amount>| sums.get(&asset).copied().unwrap_or(Amount::ZERO);
            let (should, does) = (of(&sums.stands_for), of(&says));
            draft.read.push((asset, does));
            if should != does {
                off.push(format!(
                    "{does} instead of {should} {}",
                    self.names.asset(asset)
                ));
                if let Some(difference) = should.checked_sub(does) {
                    draft.wrong.push((asset, difference));
                }
            }
        }
        if let Some(why) = unreadable.or_else(|| (!off.is_empty()).then(|| off.join(", "))) {
            draft.noted.push(Noted {
                weight: Weight::Loss,
                code: "amounts",
                message: format!(
                    "`{}`: the layout cannot say these amounts exactly",
                    view.kind
                ),
                help: "the balances that the tool shows will be off by this",
                example: format!("{}: {why}", example(view, self.names, flows)),
            });
        }
    }

    /// Rounds a row's amounts to what the target takes, with what earlier roundings left.
    fn round(&self, draft: &mut Draft, nth: usize, part: &Part, row: &mut Row) -> Rounding {
        let mut rounding = Rounding::default();
        let Some(digits) = part.max_decimals else {
            return rounding;
        };
        // A fee that is included in another amount is no amount of its own.
        let fee = row
            .fee
            .as_mut()
            .filter(|_| part.rows.fee != FeeRule::Included);
        for flow in row.sent.iter_mut().chain(&mut row.received).chain(fee) {
            let key = (nth, flow.account, flow.asset);
            let carried = draft
                .carries
                .get(&key)
                .or_else(|| self.carries.get(&key))
                .copied()
                .unwrap_or(Amount::ZERO);
            if carried.is_zero() && flow.amount.scale() <= digits {
                continue;
            }
            let exact = flow.signed();
            let Some(wanted) = exact.checked_add(carried) else {
                continue;
            };
            let written = wanted.round(digits);
            let (Some(rest), Some(change)) =
                (wanted.checked_sub(written), written.checked_sub(exact))
            else {
                continue;
            };
            draft.carries.insert(key, rest);
            if change.is_zero() {
                continue;
            }
            rounding.change.push((flow.asset, change));
            rounding.digits = Some(digits);
            flow.amount = written.abs();
        }
        row.sent.retain(|flow| !flow.amount.is_zero());
        row.received.retain(|flow| !flow.amount.is_zero());
        row.fee = row.fee.filter(|fee| !fee.amount.is_zero());
        rounding.nothing_left = row.sent.is_empty() && row.received.is_empty() && row.fee.is_none();
        rounding
    }
}

/// What rounding did to a row.
#[derive(Default)]
struct Rounding {
    digits: Option<u8>,
    /// By how much more the row says, by asset.
    change: Vec<(NameId, Amount)>,
    nothing_left: bool,
}

/// How an empty word is told.
pub const BLANK: &str = "a blank";

/// The words of a case, as a person is told them.
fn case_text(case: &Case) -> String {
    let words: Vec<String> = case
        .words
        .iter()
        .filter(|(_, word)| !word.is_empty())
        .map(|(_, word)| format!("“{word}”"))
        .collect();
    if words.is_empty() {
        BLANK.to_owned()
    } else {
        words.join(" ")
    }
}

/// An event as a person is shown it: when, what, and where it comes from.
pub fn example(view: &EventView<'_>, names: &NameTexts, flows: &[Flow]) -> String {
    let mut text = format!("{} {}", view.time, view.kind);
    for flow in flows.iter().take(4) {
        let sign = if flow.stream.sign() > 0 { "+" } else { "" };
        text.push_str(&format!(
            " {sign}{} {}",
            flow.signed(),
            names.asset(flow.asset)
        ));
    }
    if flows.len() > 4 {
        text.push_str(" …");
    }
    let place = view.place();
    format!("{text} ({}:{})", place.file, place.line)
}

//! From codes and names of a row to the numbers of assets and accounts, remembered from row to row.

use super::super::evaluate::{Evaluate, RowError};
use super::super::file::FileContext;
use super::super::memo::columns_of;
use super::super::row_view::RowView;
use super::{MAX_ACCOUNT_BYTES, MAX_CACHED, NEAR, Resolved, Worker, are_one_column, column_of};
use crate::mapping::{Expr, MAX_CODE_BYTES, Meaning, Place};
use crate::model::{NameId, Short, Time};

impl<'f> Worker<'f> {
    /// What a name that stands in the mapping was resolved to, if it was met before.
    #[inline]
    pub(super) fn constant(&self, stated: Option<usize>) -> Option<NameId> {
        let stated = stated?;
        self.constants
            .iter()
            .find(|(address, _)| *address == stated)
            .map(|(_, id)| *id)
    }

    /// The canonical asset that an expression means for this row.
    #[inline]
    pub(super) fn asset(
        &mut self,
        view: &RowView<'_>,
        expr: &Expr,
        time: Time,
    ) -> Result<NameId, RowError> {
        // Most codes are just cells, and were met a moment ago.
        let Some((cell, upper)) = view.code(expr) else {
            return self.asset_of_any(view, expr, time);
        };
        let near = Short::of(cell).map(|short| (short, near_place(short)));
        if let Some((short, place)) = near
            && self.near_assets[place].0 == short
            && self.near_assets[place].1 == upper
            && !cell.is_empty()
        {
            return Ok(self.near_assets[place].2);
        }
        let id = self.asset_of_any(view, expr, time)?;
        if let Some((short, place)) = near
            && self.is_always(&view.asset_text(expr)?)
        {
            self.near_assets[place] = (short, upper, id);
        }
        Ok(id)
    }

    /// Whether a code that was resolved means the same at all times.
    pub(super) fn is_always(&self, code: &[u8]) -> bool {
        matches!(self.assets.get(code), Some(Resolved::Always(_)))
    }

    pub(super) fn asset_of_any(
        &mut self,
        view: &RowView<'_>,
        expr: &Expr,
        time: Time,
    ) -> Result<NameId, RowError> {
        let stated = address_of(expr);
        if let Some(id) = self.constant(stated) {
            return Ok(id);
        }
        let code = view.asset_text(expr)?;
        if code.is_empty() && matches!(expr, Expr::GivenAsset) {
            return Err(RowError::new(
                "this export does not say which asset it is about, and nobody else did: add `--asset BTC` (or its code)",
            ));
        }
        if let Some(Resolved::Always(id)) = self.assets.get(&*code) {
            self.constants.extend(stated.map(|stated| (stated, *id)));
            return Ok(*id);
        }
        let resolved = match self.assets.get(&*code) {
            Some(resolved) => resolved.clone(),
            None => {
                let resolved = self.resolve(&code).map_err(|message| RowError {
                    column: column_of(expr),
                    message,
                })?;
                if self.assets.len() >= MAX_CACHED {
                    self.assets.clear();
                }
                self.assets.insert(code.to_vec().into(), resolved.clone());
                resolved
            }
        };
        Ok(match resolved {
            Resolved::Always(id) => id,
            Resolved::Dated(code) => {
                self.names
                    .assets
                    .id(self.file.program.aliases.at(&code, time))
            }
        })
    }

    fn resolve(&self, code: &[u8]) -> Result<Resolved, String> {
        let text = String::from_utf8_lossy(code);
        let text = text.trim();
        if text.is_empty() {
            return Err("the asset is blank".to_owned());
        }
        if text.len() > MAX_CODE_BYTES || text.chars().any(char::is_control) {
            return Err("this is no code of an asset".to_owned());
        }
        Ok(match self.file.program.aliases.meaning(text) {
            Meaning::Always(code) => Resolved::Always(self.names.assets.id(&code)),
            Meaning::Dated(code) => Resolved::Dated(code.into()),
        })
    }

    /// The account that a template means for this row: a blank part goes with its slash, and the name that the person gave
    /// stands for the first part.
    pub(super) fn account(
        &mut self,
        view: &RowView<'_>,
        parts: &[Expr],
    ) -> Result<NameId, RowError> {
        let stated = match parts {
            [only] => address_of(only),
            _ => None,
        };
        if let Some(id) = self.constant(stated) {
            return Ok(id);
        }
        let mut name = std::mem::take(&mut self.text_scratch);
        name.clear();
        let mut built = Ok(());
        for part in parts {
            match view.text(part) {
                Ok(text) if text.is_empty() => {
                    if name.last() == Some(&b'/') {
                        name.pop();
                    }
                }
                Ok(text) => name.extend_from_slice(&text),
                Err(error) => built = Err(error),
            }
        }
        let found = built.and_then(|()| {
            if let Some(id) = self.accounts.get(name.as_slice()) {
                self.constants.extend(stated.map(|stated| (stated, *id)));
                return Ok(*id);
            }
            let text = String::from_utf8_lossy(&name);
            let text = text.trim().trim_matches('/');
            let whole = match (&self.file.account, text.split_once('/')) {
                (Some(given), Some((_, rest))) => format!("{given}/{rest}"),
                (Some(given), None) => given.clone(),
                (None, _) => text.to_owned(),
            };
            if whole.is_empty()
                || whole.len() > MAX_ACCOUNT_BYTES
                || whole.chars().any(char::is_control)
            {
                return Err(RowError::new("this row gives no name of an account"));
            }
            let id = self.names.accounts.id(&whole);
            if self.accounts.len() >= MAX_CACHED {
                self.accounts.clear();
            }
            self.accounts.insert(name.as_slice().into(), id);
            Ok(id)
        });
        self.text_scratch = name;
        found
    }
}

/// One or two cells as they stand in a row; the second is empty where there is one.
type Cells = [Short; 2];

/// Names that follow from one or two cells of a row alone, for the cells met last.
pub(super) struct NamesOfCells<'f> {
    /// What gives the name: the code of an asset, or the parts of an account.
    exprs: &'f [Expr],
    of_accounts: bool,
    /// Where the cells stand in a record.
    places: Box<[usize]>,
    /// Each in the place that the letters of the cells give.
    near: Box<[Option<(Cells, NameId)>]>,
}

impl<'f> NamesOfCells<'f> {
    /// `None` where a name follows from more, or from cells that do not stand in one place.
    fn of(exprs: &'f [Expr], of_accounts: bool, file: &FileContext) -> Option<NamesOfCells<'f>> {
        let is_there = |column: &usize| file.binding.places[*column] != Place::Missing;
        let columns = columns_of(&file.program, exprs)?;
        let places: Option<Box<[usize]>> = columns
            .into_iter()
            .filter(is_there)
            .map(|column| file.plain(column))
            .collect();
        let places = places.filter(|places| places.len() <= 2)?;
        Some(NamesOfCells {
            exprs,
            of_accounts,
            places,
            near: vec![None; NEAR].into(),
        })
    }

    /// The number in `all` of the names that these expressions give, which may be there already.
    pub fn number_among(
        all: &mut Vec<NamesOfCells<'f>>,
        exprs: &'f [Expr],
        of_accounts: bool,
        file: &FileContext,
    ) -> Option<usize> {
        let is_same = |names: &NamesOfCells<'_>| {
            names.of_accounts == of_accounts
                && names.exprs.len() == exprs.len()
                && names.exprs.iter().zip(exprs).all(|both| match both {
                    (Expr::Text(one), Expr::Text(other)) => one == other,
                    (one, other) => are_one_column(one, other),
                })
        };
        if let Some(number) = all.iter().position(is_same) {
            return Some(number);
        }
        all.push(NamesOfCells::of(exprs, of_accounts, file)?);
        Some(all.len() - 1)
    }

    /// The cells of a row; `None` where one is long.
    #[inline(always)]
    pub fn cells(&self, view: &RowView<'_>) -> Option<Cells> {
        Some(match *self.places {
            [one, other] => [view.record.short(one)?, view.record.short(other)?],
            [only] => [view.record.short(only)?, Short::default()],
            _ => Cells::default(),
        })
    }

    /// The name, if it was met a moment ago.
    #[inline(always)]
    pub fn get(&self, cells: Cells) -> Option<NameId> {
        match self.near[NamesOfCells::place(cells)] {
            Some((of, id)) if of == cells => Some(id),
            _ => None,
        }
    }

    pub fn remember(&mut self, cells: Cells, id: NameId) {
        self.near[NamesOfCells::place(cells)] = Some((cells, id));
    }

    #[inline(always)]
    fn place([one, other]: Cells) -> usize {
        ((one.mixed() ^ other.mixed().rotate_left(32)) >> 56) as usize % NEAR
    }
}

/// Where a code is kept among those met last.
#[inline]
pub(super) fn near_place(code: Short) -> usize {
    (code.mixed() >> 56) as usize % NEAR
}

/// Where the text of a literal stands: it tells one literal of the program from all others.
pub(super) fn address_of(expr: &Expr) -> Option<usize> {
    match expr {
        Expr::Text(text) if !text.is_empty() => Some(text.as_ptr().addr()),
        _ => None,
    }
}

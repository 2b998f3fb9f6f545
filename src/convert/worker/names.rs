//! From codes and names of a row to the numbers of assets and accounts, remembered from row to row.

use super::super::evaluate::{Evaluate, RowError};
use super::super::row_view::RowView;
use super::{MAX_ACCOUNT_BYTES, MAX_CACHED, NEAR, Resolved, Worker, column_of};
use crate::mapping::{Expr, MAX_CODE_BYTES, Meaning};
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
            && matches!(
                self.assets.get(&*view.asset_text(expr)?),
                Some(Resolved::Always(_))
            )
        {
            self.near_assets[place] = (short, upper, id);
        }
        Ok(id)
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
